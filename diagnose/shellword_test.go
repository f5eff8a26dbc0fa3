package diagnose

import (
	"os/exec"
	"testing"
)

func TestShellWord(t *testing.T) {
	for s, want := range map[string]string{
		"/etc/xrdp/xrdp.ini": "/etc/xrdp/xrdp.ini",
		"/srv/my files/x":    "'/srv/my files/x'",
		"a;reboot":           "'a;reboot'",
		"it's":               `'it'\''s'`,
		"-rf":                "'-rf'",
		"":                   "''",
		"$(id) `id` \n":      "'$(id) `id` \n'",
	} {
		got := ShellWord(s)
		if got != want {
			t.Errorf("ShellWord(%q) = %s, want %s", s, got, want)
		}
		out, err := exec.Command("sh", "-c", "printf %s "+got).Output()
		if err != nil || string(out) != s {
			t.Errorf("a shell makes %q of %s, %v", out, got, err)
		}
	}
}
