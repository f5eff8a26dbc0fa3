package service

import "testing"

func TestUnitOf(t *testing.T) {
	for text, want := range map[string]string{
		"0::/system.slice/xrdpfix-check.service\n":                                          "xrdpfix-check.service",
		"5:memory:/system.slice/other.service\n1:name=systemd:/system.slice/ours.service\n": "ours.service",
		"0::/user.slice/user-0.slice/session-1.scope\n":                                     "",
		"0::/\n": "", "": "", "no line of it": "",
	} {
		if got := unitOf(text); got != want {
			t.Errorf("unitOf(%q) = %q, want %q", text, got, want)
		}
	}
}
