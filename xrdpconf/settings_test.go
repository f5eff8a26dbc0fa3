package xrdpconf

import (
	"errors"
	"slices"
	"testing"
)

func TestReadSettings(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		want []Setting
	}{
		"nothing":        {"", nil},
		"only comments":  {"# a\n\n  ; b = c\n#[d]\n", nil},
		"as usual":       {"[a]\nkey = value\n\n[b]\nkey=other\n", []Setting{{"a", "key", "value", 2}, {"b", "key", "other", 5}}},
		"no section":     {"key=value", []Setting{{"", "key", "value", 1}}},
		"case and space": {"[A] # why\n\t Key-1 =  x y \t\r\n", []Setting{{"a", "key-1", "x y", 2}}},
		"a comment behind a value": {"[a]\nk = v ; why\nl = v # why\nm = v#1;2\n",
			[]Setting{{"a", "k", "v", 2}, {"a", "l", "v", 3}, {"a", "m", "v#1;2", 4}}},
		"empty value":            {"[a]\nk =\n", []Setting{{"a", "k", "", 2}}},
		"a section twice":        {"[a]\nk=1\n[b]\n[A]\nl=2\n", []Setting{{"a", "k", "1", 2}, {"a", "l", "2", 5}}},
		"nothing is expanded":    {"[a]\nk = %(l)s $HOME\nl = x\n", []Setting{{"a", "k", "%(l)s $HOME", 2}, {"a", "l", "x", 3}}},
		"no continuation":        {"[a]\nk = v \\\nl = x\n", []Setting{{"a", "k", `v \`, 2}, {"a", "l", "x", 3}}},
		"a colon is no =":        {"[a]\nk = fe80::1\n", []Setting{{"a", "k", "fe80::1", 2}}},
		"a byte order mark":      {"\ufeff[a]\nk=v\n", []Setting{{"a", "k", "v", 2}}},
		"another = in the value": {"[a]\nk = b=c\n", []Setting{{"a", "k", "b=c", 2}}},
	} {
		got, err := ReadSettings([]byte(tt.text))
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, tt.want)
		}
	}
}

func TestReadSettingsRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		line int
	}{
		"no equals sign":       {"[a]\nkey\n", 2},
		"half a header":        {"[a\n", 1},
		"an empty header":      {"[]\n", 1},
		"a header and more":    {"[a] b\n", 1},
		"blanks in a header":   {"[ a ]\n", 1},
		"twice":                {"[a]\nk=1\nl=2\nK=3\n", 4},
		"twice in two parts":   {"[a]\nk=1\n[b]\n[a]\nk=3\n", 5},
		"no name":              {"[a]\n=1\n", 2},
		"a name with a blank":  {"[a]\nk l=1\n", 2},
		"a colon":              {"[a]\nk: 1\n", 2},
		"quotes":               {"[a]\nk=\"1\"\n", 2},
		"three quotes":         {"[a]\nk=\"\"\"1\n2\"\"\"\n", 2},
		"a backquote":          {"[a]\nk=`1\n", 2},
		"a NUL":                {"[a]\nk=1\x00\n", 0},
		"not UTF-8":            {"[a]\nk=\xff\n", 0},
		"a bare return inside": {"[a]\nk=1\rl=2\n", 2},
	} {
		got, err := ReadSettings([]byte(tt.text))
		var bad *SettingError
		if !errors.As(err, &bad) || bad.Line != tt.line || bad.Reason == "" {
			t.Errorf("%s: %+v, %#v, want an error in line %d", name, got, err, tt.line)
		}
	}
}

func FuzzReadSettings(f *testing.F) {
	for _, seed := range []string{
		"", "[security]\nprofile = intermediate\n", "# c\r\n[a]\r\nk = v ; c\r\n", "k", "[", "[a]\n=\n", "k=`", "k=\"\"\"", "\ufeffk=v", "k=\\\nl=2",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		found, err := ReadSettings(data)
		if bad := (*SettingError)(nil); err != nil && (!errors.As(err, &bad) || found != nil) {
			t.Fatalf("%+v, %v", found, err)
		}
		last := 0
		for _, s := range found {
			if s.Line <= last || s.Key == "" {
				t.Fatalf("%+v after line %d", s, last)
			}
			last = s.Line
		}
	})
}
