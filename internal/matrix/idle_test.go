//go:build lab

package matrix

import (
	"context"
	"strings"
	"testing"
	"time"

	"xrdpfix/internal/lab"
)

// TestWhenIdle asks for a change that needs a restart while a desktop is live,
// and leaves: the desktop is not touched, and the change is made, and proven, when
// the last one has ended.
func TestWhenIdle(t *testing.T) {
	suites := []lab.Suite{lab.Bookworm}
	if all() {
		suites = lab.Suites()
	}
	for _, s := range suites {
		t.Run(string(s), func(t *testing.T) {
			t.Parallel()
			m := start(t, s)
			m.Must(t, own+readablePair+floor+"systemctl restart xrdp\n")
			m.listening(t)
			if r := m.xrdpfix(t, "check"); strings.Contains(r.codes(), "key-unreadable") {
				m.apply(t)
			}
			first := m.login(t)
			old, pid := m.files(t), m.Must(t, "pgrep -o -x xrdp")
			// The caller is a shell that ends with its terminal.
			r, err := m.Sh(t.Context(), "setsid script -qec 'xrdpfix apply --tls-min 1.0 --tls-max 1.3 --restart=when-idle --json' /dev/null || true")
			if err != nil || !strings.Contains(r.Stdout, `"reason":"waiting"`) {
				t.Fatalf("%v\n%s%s", err, r.Stdout, r.Stderr)
			}
			m.exposure(t, "xrdpfix-when-idle.service")
			if out := m.Must(t, "xrdpfix check || true"); !strings.Contains(out, "wait") {
				t.Errorf("check does not say that a change waits:\n%s", out)
			}
			time.Sleep(2 * time.Second)
			if now := m.files(t); !strings.Contains(difference(old, now), "when-idle") || strings.Contains(difference(old, now), "/etc/xrdp/") {
				t.Errorf("something was changed while it waits:\n%s", difference(old, now))
			}
			if now := m.Must(t, "pgrep -o -x xrdp"); now != pid || !first.Alive() {
				t.Errorf("somebody was cut off: xrdp %q, before %q, client alive %t", now, pid, first.Alive())
			}
			if err := first.Close(); err != nil {
				t.Error(err)
			}
			// A desktop without a client is live too.
			time.Sleep(2 * time.Second)
			if now := m.Must(t, "pgrep -o -x xrdp; pgrep -x Xorg | head -n 1"); !strings.HasPrefix(now, pid) || len(strings.Fields(now)) != 2 {
				t.Errorf("the desktop that nobody looks at: %q", now)
			}
			m.Must(t, "pkill -u "+lab.TestUser+" xterm")
			ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
			defer cancel()
			for m.Must(t, "find /etc/systemd/system -name 'xrdpfix-when-idle*'") != "" {
				select {
				case <-ctx.Done():
					t.Fatalf("the change was not made\n%s", m.Must(t, "journalctl -b --no-pager -u xrdpfix-when-idle; ps -ef"))
				case <-time.After(200 * time.Millisecond):
				}
			}
			m.listening(t)
			if got := m.accepted(t); got != "1.0 1.1 1.2 1.3" {
				t.Errorf("sslscan sees %q\n%s", got, m.Must(t, "journalctl -b --no-pager -u xrdpfix-when-idle"))
			}
			if now := m.Must(t, "pgrep -o -x xrdp"); now == pid {
				t.Error("xrdp was not restarted, and the change needs it")
			}
			m.applyNothing(t, "--tls-min", "1.0", "--tls-max", "1.3")
		})
	}
}
