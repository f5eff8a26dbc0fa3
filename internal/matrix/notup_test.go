//go:build lab

package matrix

import (
	"strings"
	"testing"

	"xrdpfix/internal/lab"
)

// TestNotUp: somebody's drop-in keeps xrdp from starting, and a change needs a
// restart. The files go back, and what is said is that xrdp does not run: by
// apply, and by the rollback of an apply that was proven.
func TestNotUp(t *testing.T) {
	t.Parallel()
	const (
		port   = `sed -i '0,/^port=/s/^port=.*/port=127.0.0.1:3389/' /etc/xrdp/xrdp.ini`
		broken = `mkdir -p /etc/systemd/system/xrdp.service.d; printf '[Service]\nExecStartPre=/bin/false\n' >/etc/systemd/system/xrdp.service.d/x.conf; systemctl daemon-reload`
		mended = `rm /etc/systemd/system/xrdp.service.d/x.conf; systemctl daemon-reload; systemctl reset-failed xrdp; sed -i '0,/^port=/s/^port=.*/port=3389/' /etc/xrdp/xrdp.ini; systemctl start xrdp`
		down   = `systemctl is-failed xrdp.service`
	)
	m := start(t, lab.Bookworm)
	m.listening(t)
	m.Must(t, port+"; "+broken)
	before := m.manifest(t)
	if p := m.xrdpfix(t, "plan"); !strings.Contains(p.Plan.Restart.Why, "mind that /etc/systemd/system/xrdp.service.d/x.conf is newer") {
		t.Errorf("plan does not mind the drop-in: %q", p.Plan.Restart.Why)
	}
	for _, x := range []struct {
		name   string
		before func()
		args   []string
	}{
		{"apply", func() {}, []string{"apply"}},
		{"rollback", func() {
			m.Must(t, mended)
			m.listening(t)
			m.Must(t, port)
			m.apply(t)
			m.Must(t, broken)
		}, []string{"rollback"}},
	} {
		x.before()
		r := m.xrdpfix(t, x.args...)
		if r.Exit.Code != 5 || r.Exit.Reason != "xrdp-down" {
			t.Errorf("%s: %s", x.name, r)
		}
		m.Must(t, down)
		if now := m.manifest(t); now != before {
			t.Errorf("%s: the files are not as before:\n%s", x.name, difference(before, now))
		}
	}
}
