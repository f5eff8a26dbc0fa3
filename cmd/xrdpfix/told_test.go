package main

import (
	"bytes"
	"errors"
	"testing"
)

// TestTell holds errors and hints to 80 columns, and the commands of hints to
// one line.
func TestTell(t *testing.T) {
	long := "xrdpfix --root /srv/images/desktops/2026-11/tree rollback --force 20261127T005914Z"
	for _, c := range []struct {
		message, hint, want string
	}{
		{"only root can change /etc/xrdp", "sudo xrdpfix apply        look first: xrdpfix check", `
xrdpfix: error: only root can change /etc/xrdp (exit 6)
xrdpfix: hint: sudo xrdpfix apply        look first: xrdpfix check
`},
		{"a key is never made into an image: all machines made from it would share it",
			"on the machine itself, after its first boot, as root: xrdpfix apply --cert renew", `
xrdpfix: error: a key is never made into an image: all machines made from it
                would share it (exit 6)
xrdpfix: hint: on the machine itself, after its first boot, as root:
               xrdpfix apply --cert renew
`},
		{"one\x1b[2J", long + "   overwrites it", `
xrdpfix: error: one?[2J (exit 6)
xrdpfix: hint: ` + long + `
               overwrites it
`},
		{"one", "look who could write there; if nobody did: " + long, `
xrdpfix: error: one (exit 6)
xrdpfix: hint: look who could write there; if nobody did:
               ` + long + `
`},
	} {
		var told bytes.Buffer
		a := &app{errOut: &told}
		a.tellError(errors.New(c.message), exit{6, reasonNotPermitted}, []string{c.hint})
		if got := "\n" + told.String(); got != c.want {
			t.Errorf("got%swant%s", got, c.want)
		}
		if bad := textManners(told.String()); len(bad) > 0 {
			t.Error(bad)
		}
	}
}
