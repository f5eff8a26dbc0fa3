package xrdpconf

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// stock returns the configuration files of the distributions, by file name.
func stock(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("testdata/stock/*.ini")
	if err != nil || len(paths) < 6 {
		t.Fatalf("stock files: %v, %v", paths, err)
	}
	out := make(map[string][]byte)
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(p)] = data
	}
	return out
}

// entries is the effective content of a section, "key=value" each.
func entries(f *File, section string) []string {
	var out []string
	for _, it := range f.All(section) {
		out = append(out, it.Key+"="+it.Value.Text)
	}
	return out
}

func TestParse(t *testing.T) {
	env := WithEnv(testEnv)
	for _, tt := range parserCases() {
		t.Run(tt.name, func(t *testing.T) {
			for _, v := range []Version{v0921, v1001} {
				want := tt.want
				if v == v0921 && tt.old != nil {
					want = tt.old
				}
				f := Parse("xrdp.ini", []byte(tt.text), env, ForVersion(v))
				if got := entries(f, "globals"); !reflect.DeepEqual(got, want) {
					t.Errorf("%v: entries of %.200q = %.200q, want %.200q", v, tt.text, got, want)
				}
				if got := string(f.Bytes()); got != tt.text {
					t.Errorf("Bytes = %.200q, want %.200q", got, tt.text)
				}
			}
		})
	}
	if got := entries(Parse("xrdp.ini", []byte("[Globals]\na=$LAYER\n")), "Globals"); !reflect.DeepEqual(got, []string{"a="}) {
		t.Errorf("without an environment: %q", got)
	}
}

func TestDialects(t *testing.T) {
	text := []byte("[Globals]\na=HIGH:!aNULL=x=y # c\n")
	for v, want := range map[Version]string{
		{}: "a=HIGH:!aNULL=x=y", v1001: "a=HIGH:!aNULL=x=y", {0, 9, 6, 0}: "a=HIGH:!aNULL=x=y",
		{0, 9, 5, 0}: "a=HIGH:", {0, 9, 3, 0}: "a=HIGH:",
	} {
		if got := entries(Parse("xrdp.ini", text, ForVersion(v)), "Globals"); !reflect.DeepEqual(got, []string{want}) {
			t.Errorf("%v reads %q, want %q", v, got, want)
		}
	}
	old := Parse("xrdp.ini", []byte("[Globals]\na = b=c = d\n"), ForVersion(Version{0, 9, 3, 1}))
	if got := entries(old, "Globals"); !reflect.DeepEqual(got, []string{"a=bc  d"}) {
		t.Errorf("0.9.3.1 reads %q", got)
	}
	_, err := Parse("xrdp.ini", text, ForVersion(Version{0, 9, 5, 0})).Edit(Change{Section: "Globals", Key: "a", Value: "HIGH:!aNULL"})
	if !errors.Is(err, ErrUnwritable) {
		t.Errorf("an exclamation mark for 0.9.5: %v", err)
	}
}

func TestLookup(t *testing.T) {
	f := Parse("/etc/xrdp/xrdp.ini", []byte("k=0\n[Globals]\nk=1\nK = 2 # c\n[s]\nk=3\n[globals]\nk=4\n"))
	if got, ok := f.Lookup("GLOBALS", "K"); !ok || got != (Value{Text: "2", Raw: "2", Line: 4}) {
		t.Errorf("Lookup = %+v, %v", got, ok)
	}
	if got, ok := f.Lookup("Globals", "x"); ok {
		t.Errorf("Lookup of a missing key = %+v", got)
	}
	want := []Value{{Text: "1", Raw: "1", Line: 3}, {Text: "2", Raw: "2", Line: 4}}
	if got := f.Values("globals", "k"); !reflect.DeepEqual(got, want) {
		t.Errorf("Values = %+v, want %+v", got, want)
	}
	fates := []Place{
		{Key: "k", Value: "0", Line: 1, Fate: FateNoSection},
		{Key: "k", Value: "1", Line: 3, Section: "Globals", Meant: "Globals", Fate: FateOverridden},
		{Key: "K", Value: "2", Line: 4, Section: "Globals", Meant: "Globals", Fate: FateUsed},
		{Key: "k", Value: "3", Line: 6, Section: "s", Meant: "s", Fate: FateUsed},
		{Key: "k", Value: "4", Line: 8, Section: "globals", Meant: "globals", Fate: FateDuplicateSection},
	}
	if got := f.Find("K"); !reflect.DeepEqual(got, fates) {
		t.Errorf("Find = %+v, want %+v", got, fates)
	}
	sections := []Section{{Name: "Globals", Line: 2}, {Name: "s", Line: 5}, {Name: "globals", Line: 7, Duplicate: true}}
	if got := f.Sections(); !reflect.DeepEqual(got, sections) {
		t.Errorf("Sections = %+v, want %+v", got, sections)
	}
}

func TestLineNumbers(t *testing.T) {
	tests := []struct {
		name, text string
		want       int
	}{
		{"LF", "\n\n[g]\nk=1\n", 4},
		{"CRLF", "\r\n[g]\r\nk=1\r\n", 3},
		{"CR only", "\r[g]\rk=1\r", 3},
		{"stray CR is no line to grep", "a\rb\n[g]\nk=1\n", 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if v, _ := Parse("x", []byte(tt.text)).Lookup("g", "k"); v.Line != tt.want {
				t.Errorf("line = %d, want %d", v.Line, tt.want)
			}
		})
	}
}

func TestCut(t *testing.T) {
	long := strings.Repeat("x", 2048)
	fill := "#" + strings.Repeat("x", ReadLimit) + "\n"
	tests := []struct {
		name, text string
		want       Cut
		ok         bool
	}{
		{"none", "[Globals]\na=1\n[Xorg]\nb=2\n", Cut{}, false},
		{
			"bracket", "[Globals]\na=1\nls_title=[x]\nb=2\n[Xorg]\nc=3\n",
			Cut{Reason: CutBracket, Section: "Globals", Line: 3, Lost: []Place{
				{Key: "ls_title", Value: "[x]", Line: 3, Section: "Globals", Meant: "Globals", Fate: FateHeader},
				{Key: "b", Value: "2", Line: 4, Section: "x", Meant: "Globals", Fate: FateBehindBracket},
			}},
			true,
		},
		{
			"size", "[Globals]\na=1\n" + fill + "b=2\n[Xorg]\nc=3\n",
			Cut{Reason: CutSize, Section: "Globals", Line: 3, Lost: []Place{
				{Key: "b", Value: "2", Line: 4, Section: "Globals", Meant: "Globals", Fate: FateUnread},
			}},
			true,
		},
		{"size without loss", "[Globals]\na=1\n" + fill + "[Xorg]\nc=3\n", Cut{}, false},
		{
			"long line", "[Globals]\na=1\n" + long + "\nb=2\n",
			Cut{Reason: CutLongLine, Section: "Globals", Line: 3, Lost: []Place{
				{Key: long, Line: 3, Section: "Globals", Meant: "Globals", Fate: FateUnread},
				{Key: "b", Value: "2", Line: 4, Section: "Globals", Meant: "Globals", Fate: FateUnread},
			}},
			true,
		},
		{
			"section behind", fill + "[Globals]\na=1\n",
			Cut{Reason: CutSize, Section: "Globals", Line: 1, Lost: []Place{
				{Key: "a", Value: "1", Line: 3, Section: "Globals", Meant: "Globals", Fate: FateUnread},
			}},
			true,
		},
		{"NUL", "[Globals]\na=1\x00\nb=2\n", Cut{Reason: CutNUL, Section: "Globals", Line: 2}, true},
		{"UTF-16", "\xff\xfe[\x00G\x00l\x00]\x00\n\x00", Cut{Reason: CutNUL, Section: "Globals", Line: 1}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := Parse("xrdp.ini", []byte(tt.text)).Cut()
			if ok != tt.ok || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("Cut = %+v, %v, want %+v, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}
