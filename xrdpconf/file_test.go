package xrdpconf

import (
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
	long := func(n int) string { return strings.Repeat("x", n) }
	env := WithEnv(func(name string) string { return map[string]string{"LAYER": "tls"}[name] })
	old := ForVersion(Version{0, 9, 21, 1})
	tests := []struct {
		name string
		text string
		opts []Option
		want []string // entries of [Globals]
	}{
		// Lexical rules.
		{"hash ends a line anywhere", "[Globals]\na=tls#x\n", nil, []string{"a=tls"}},
		{"semicolon ends a line anywhere", "[Globals]\na=1;2\nb=x ; y\n", nil, []string{"a=1", "b=x"}},
		{"exclamation mark is no comment", "[Globals]\na=1!2\n", nil, []string{"a=1!2"}},
		{"line ends", "[Globals]\ra=1\r\nb=2\n\r\n\rc=3", nil, []string{"a=1", "b=2", "c=3"}},
		{"truly blank lines", "\n\n[Globals]\n\n\na=1\n\n", nil, []string{"a=1"}},
		{"blanks only are an entry", "[Globals]\n \t\na=1\n", nil, []string{"=", "a=1"}},
		{"indented comment is an entry", "[Globals]\n  # c\n#c\na=1\n", nil, []string{"=", "a=1"}},
		{"header anywhere in the line", "xyz[Globals]zzz\na=1\n", nil, []string{"a=1"}},
		{"indented header", "\t[Globals]\na=1\n", nil, []string{"a=1"}},
		{"header takes the last bracket", "[x[Globals]]\na=1\n", nil, []string{"a=1"}},
		{"closing bracket first", "][Globals]\na=1\n", nil, []string{"a=1"}},
		{"header not trimmed", "[ Globals ]\na=1\n[Globals]\nb=2\n", nil, []string{"b=2"}},
		{"header in any case", "[gLOBALS]\na=1\n", nil, []string{"a=1"}},
		{"commented header", "#[Globals]\na=1\n;[Globals]\n[Globals] # [x]\nb=2 ; [y]\n", nil, []string{"b=2"}},
		{"brackets in a value", "[Globals]\na=1\nport=tcp6://[::1]:3389\nb=2\n", nil, []string{"a=1"}},
		{"one bracket is nothing", "[Globals]\na=[1\nb=]2\nc=]3[\n", nil, []string{"a=[1", "b=]2", "c=]3["}},
		{"empty header", "[Globals]\na=1\n[]\nb=2\n", nil, []string{"a=1"}},
		{"first equals", "[Globals]\na=b=c\n=v\n", nil, []string{"a=b=c", "=v"}},
		{"colon is no separator", "[Globals]\na:1\n", nil, []string{"a:1="}},
		{"trimming", "[Globals]\n \t\x01a \x1f=\x02 1\t \n", nil, []string{"a=1"}},
		{"blank stays inside", "[Globals]\na b = 1  2\n", nil, []string{"a b=1  2"}},
		{"no-break space stays", "[Globals]\na=\u00a01\n", nil, []string{"a=\u00a01"}},
		{"invalid UTF-8, 0.10 trims", "[Globals]\na = 1\xff \n", nil, []string{"a=1\xff"}},
		{"invalid UTF-8, 0.9 does not", "[Globals]\na = 1\xff \nb = \xc3\xa4 \n", []Option{old}, []string{"a= 1\xff ", "b=\u00e4"}},
		{"quotes stay", "[Globals]\na=\"tls\"\nb='x'\nc=`y`\n", nil, []string{`a="tls"`, "b='x'", "c=`y`"}},
		{"backslash is nothing", "[Globals]\na=1\\\nb=\\#2\n", nil, []string{`a=1\`, `b=\`}},
		{"environment", "[Globals]\na=$LAYER\nb=$NONE\nc=x$LAYER\nd=$LAYER/x\n", []Option{env}, []string{"a=tls", "b=", "c=x$LAYER", "d="}},
		{"no environment", "[Globals]\na=$LAYER\n", nil, []string{"a="}},
		{"line without equals", "[Globals]\na\n", nil, []string{"a="}},
		{"BOM before a header", "\xef\xbb\xbf[Globals]\na=1\n", nil, []string{"a=1"}},
		{"BOM before a key", "[Globals]\n\xef\xbb\xbfa=1\n", nil, []string{"\xef\xbb\xbfa=1"}},
		{"NUL cuts the line", "[Globals]\na=1\x00b=2\nc=3\n\x00d=4\n", nil, []string{"a=1", "c=3"}},
		{"NUL hides a header", "[Globals]\na=1\n\x00[x]\nb=2\n", nil, []string{"a=1", "b=2"}},

		// Structure and limits.
		{"second section is dead", "[Globals]\na=1\n[x]\n[GLOBALS]\na=2\nb=2\n", nil, []string{"a=1"}},
		{"keys before the first header", "a=0\n[Globals]\nb=1\n", nil, []string{"b=1"}},
		{"duplicates in order", "[Globals]\na=1\nA=2\n", nil, []string{"a=1", "A=2"}},
		{"2047 bytes", "[Globals]\na=" + long(2045) + "\nb=1\n", nil, []string{"a=" + long(2045), "b=1"}},
		{"2048 bytes end the file", "[Globals]\nz=0\na=" + long(2046) + "\nb=1\n", nil, []string{"z=0"}},
		{"comment text does not count", "[Globals]\na=1 #" + long(9000) + "\nb=1\n", nil, []string{"a=1", "b=1"}},
		{"NUL counts", "[Globals]\na=1\x00" + long(2048) + "\nb=1\n", nil, nil},
		{"long line before the section", "a=" + long(2046) + "\n[Globals]\nb=1\n", nil, nil},
		{"bracket far right is no header", "[Globals]\n" + long(1030) + "[x]\na=1\n", nil, []string{long(1030) + "[x]=", "a=1"}},
		{"bracket within reach", "[Globals]\n" + long(1000) + "[x]\na=1\n", nil, nil},
		{"32 KiB", "[Globals]\n#" + long(readLimit-20) + "\na=12345\nb=2\n", nil, []string{"a=12345"}},
		{"32 KiB inside a value", "[Globals]\n#" + long(readLimit-15) + "\na=12345\nb=2\n", nil, []string{"a=1"}},
		{"32 KiB inside a key", "[Globals]\n#" + long(readLimit-14) + "\nab=12345\n", nil, []string{"ab="}},
		{"empty file", "", nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := Parse("xrdp.ini", []byte(tt.text), tt.opts...)
			if got := entries(f, "globals"); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("entries of %.200q = %.200q, want %.200q", tt.text, got, tt.want)
			}
			if got := string(f.Bytes()); got != tt.text {
				t.Errorf("Bytes = %.200q, want %.200q", got, tt.text)
			}
		})
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
	fill := "#" + strings.Repeat("x", readLimit) + "\n"
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
