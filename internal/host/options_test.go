package host

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func TestParseEnvironmentFile(t *testing.T) {
	in := "# comment \\\n XRDP_OPTIONS=still comment\n; other\n\nA=plain words # kept \t\n" +
		"  B = 'single $x \\n' \nC=\"a \\\"quoted\\\" \\d\"tail\nD=one \\\ntwo\nE=\\ lead\\ \nnot an assignment\n1X=bad\nF=\nG=a\"b c\"'d '\nCRLF=x\r\nLAST='no end"
	want := map[string]string{
		"A": "plain words # kept", "B": "single $x \\n", "C": `a "quoted" \dtail`, "D": "one two", "E": " lead ",
		"F": "", "G": "ab cd ", "CRLF": "x", "LAST": "no end",
	}
	if got := ParseEnvironmentFile([]byte(in)); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestParseOptions(t *testing.T) {
	for _, tt := range []struct {
		args         []string
		port, config string
	}{
		{nil, "", ""},
		{[]string{"--nodaemon"}, "", ""},
		{[]string{"-p", "3390", "--CONFIG", "/etc/xrdp/other.ini"}, "3390", "/etc/xrdp/other.ini"},
		{[]string{"--port", "1", "-P", "2"}, "2", ""},
		{[]string{"-c", "-p", "5"}, "", "-p"},
		{[]string{"-p"}, "", ""},
		{[]string{"--port=3390"}, "", ""},
	} {
		want := Options{Args: tt.args, Port: tt.port, Config: tt.config}
		if got := ParseOptions(tt.args); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v", tt.args, got)
		}
	}
}

func TestReadOptions(t *testing.T) {
	for _, tt := range []struct {
		name, sysconfig, defaults string
		want                      Options
	}{
		{"none", "", "", Options{}},
		{"Fedora", "XRDP_OPTIONS=\"-p 3390\"\n", "", Options{Args: []string{"-p", "3390"}, Port: "3390", From: "/etc/sysconfig/xrdp"}},
		{"the second wins", "XRDP_OPTIONS=-p 1\n", "XRDP_OPTIONS=\"-p '2 3'  -c /x\"\n",
			Options{Args: []string{"-p", "2 3", "-c", "/x"}, Port: "2 3", Config: "/x", From: "/etc/default/xrdp"}},
		{"stock Debian", "", "# settings\nXRDP_OPTIONS=\nSESMAN_OPTIONS=\n", Options{From: "/etc/default/xrdp"}},
	} {
		root := t.TempDir()
		for name, text := range map[string]string{"/etc/sysconfig/xrdp": tt.sysconfig, "/etc/default/xrdp": tt.defaults} {
			if text == "" {
				continue
			}
			if err := os.MkdirAll(filepath.Dir(root+name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(root+name, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := ReadOptions(root); err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
	}
	root := t.TempDir()
	if err := os.MkdirAll(root+"/etc/default/xrdp", 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadOptions(root); !errors.Is(err, ErrNotRegular) {
		t.Errorf("a directory: %v", err)
	}
}

func FuzzParseEnvironmentFile(f *testing.F) {
	f.Add([]byte("A=\"b\\\n c\" 'd'\n#x\\\nB=1"))
	f.Add([]byte("=\n\\"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for name, v := range ParseEnvironmentFile(b) {
			if !validEnvName(name) {
				t.Errorf("name %q", name)
			}
			ParseOptions(splitWords(v))
		}
	})
}
