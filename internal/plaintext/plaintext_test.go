package plaintext

import (
	"os/exec"
	"strings"
	"testing"
)

func TestLine(t *testing.T) {
	for s, want := range map[string]string{
		"M\u00fcller desk-01 \u65e5\u672c": "M\u00fcller desk-01 \u65e5\u672c",
		"a\r\nb\tc":                        "a??b?c",
		"\x00\x1b[2J\x07\x7f":              "??[2J??",
		"\u0085\u009b31m":                  "??31m",
		"\u202egnp.exe":                    "?gnp.exe",
		"a\u2028b\u2029c\u200bd\u00ade":    "a?b?c?d?e",
		"\ue000\U000f0000\ufeff":           "???",
		"\xff\xfe \ufffd":                  "?? ?",
		"":                                 "",
	} {
		if got := Line(s); got != want {
			t.Errorf("Line(%q) = %q, want %q", s, got, want)
		}
	}
}

func TestShellWord(t *testing.T) {
	for s, want := range map[string]string{
		"/etc/xrdp/xrdp.ini":                "/etc/xrdp/xrdp.ini",
		"/cert:fingerprint:sha256:aa:bb":    "/cert:fingerprint:sha256:aa:bb",
		"/srv/my files/x":                   "'/srv/my files/x'",
		"a;reboot":                          "'a;reboot'",
		"it's":                              `'it'\''s'`,
		"-rf":                               "'-rf'",
		"":                                  "''",
		"$(id) `id` \n":                     "'$(id) `id` \n'",
		"a\x00b":                            "'ab'",
		"\xff\u2019":                        "'\xff\u2019'",
		"~root":                             "'~root'",
		"a{b,c}*?[d]":                       "'a{b,c}*?[d]'",
		"xrdp.ini" + strings.Repeat("'", 3): `'xrdp.ini'\'''\'''\'''`,
	} {
		got := ShellWord(s)
		if got != want {
			t.Errorf("ShellWord(%q) = %s, want %s", s, got, want)
		}
		out, err := exec.Command("sh", "-c", "printf %s "+got).Output()
		if err != nil || string(out) != strings.ReplaceAll(s, "\x00", "") {
			t.Errorf("a shell makes %q of %s, %v", out, got, err)
		}
	}
}

// FuzzLine demands one line of the same length, with nothing hidden in it.
func FuzzLine(f *testing.F) {
	f.Add("desk01\r\n\u202e\xff")
	f.Fuzz(func(t *testing.T, s string) {
		got := Line(s)
		if strings.ContainsFunc(got, Hidden) || len([]rune(got)) != len([]rune(s)) || Line(got) != got {
			t.Errorf("Line(%q) = %q", s, got)
		}
	})
}
