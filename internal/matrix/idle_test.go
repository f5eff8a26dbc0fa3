//go:build lab

package matrix

import (
	"context"
	"strings"
	"testing"
	"time"

	"xrdpfix/internal/lab"
)

// atLast are the flags of a change that needs a restart, where the system has a
// floor, and waiting what the program says of it while it waits.
const (
	atLast  = "--tls-min 1.0 --tls-max 1.3 --restart=when-idle --json"
	waiting = `"reason":"waiting"`
)

// TestWhenIdle asks for a change that needs a restart while a desktop is live,
// and leaves; what waits is killed. The desktop is not touched, and the change is
// made, and proven, when the last one has ended.
func TestWhenIdle(t *testing.T) {
	t.Parallel()
	suites := []lab.Suite{lab.Bookworm}
	if all() {
		suites = lab.Suites()
	}
	for _, s := range suites {
		t.Run(string(s), func(t *testing.T) {
			t.Parallel()
			m := start(t, s)
			m.Must(t, own+readablePair+floor)
			m.listening(t)
			if r := m.xrdpfix(t, "check"); strings.Contains(r.codes(), "key-unreadable") {
				m.apply(t)
			}
			first := m.login(t)
			old, pid := m.files(t), m.Must(t, "pgrep -o -x xrdp")
			m.refusedWithoutSystemd(t)
			m.leaveWaiting(t)
			m.exposure(t, "xrdpfix-when-idle.service")
			m.killWaiter(t)
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
			m.changedByItself(t)
			if now := m.Must(t, "pgrep -o -x xrdp"); now == pid {
				t.Error("xrdp was not restarted, and the change needs it")
			}
			m.applyNothing(t, "--tls-min", "1.0", "--tls-max", "1.3")
		})
	}
}

// TestWhenIdleReboot ends the machine while a change waits for a live desktop, in
// good order or as a power cut does. Nobody asks again, and the change is made.
func TestWhenIdleReboot(t *testing.T) {
	t.Parallel()
	suites := []lab.Suite{lab.Bookworm}
	if all() {
		suites = lab.Suites()
	}
	for i, s := range suites {
		t.Run(string(s), func(t *testing.T) {
			t.Parallel()
			m := start(t, s)
			m.Must(t, own+readablePair+floor)
			m.listening(t)
			if r := m.xrdpfix(t, "check"); strings.Contains(r.codes(), "key-unreadable") {
				m.apply(t)
			}
			first, old := m.login(t), m.Must(t, "sha256sum /etc/xrdp/*.ini")
			m.leaveWaiting(t)
			if now := m.Must(t, "sha256sum /etc/xrdp/*.ini"); now != old || !first.Alive() {
				t.Errorf("something was changed while it waits, or the client (alive: %t) was cut off:\n%s", first.Alive(), difference(old, now))
			}
			if i%2 == 0 {
				m.crash(t)
			} else if err := m.Reboot(t.Context()); err != nil {
				t.Fatal(err)
			}
			m.changedByItself(t)
			m.tidy(t)
			m.applyNothing(t, "--tls-min", "1.0", "--tls-max", "1.3")
		})
	}
}

// leaveWaiting asks for the change from a shell that ends with its terminal.
func (m *machine) leaveWaiting(t *testing.T) {
	t.Helper()
	r, err := m.Sh(t.Context(), "setsid script -qec 'xrdpfix apply "+atLast+"' /dev/null || true")
	if err != nil || !strings.Contains(r.Stdout, waiting) {
		t.Fatalf("%v\n%s%s", err, r.Stdout, r.Stderr)
	}
}

// refusedWithoutSystemd expects that nothing is left to a systemd that is not there.
func (m *machine) refusedWithoutSystemd(t *testing.T) {
	t.Helper()
	m.Must(t, "mkdir -p /run/hidden; mount --bind /run/hidden /run/systemd")
	r := m.applyNothing(t, strings.Fields(atLast)...)
	m.Must(t, "umount /run/systemd")
	if r.Exit.Code != 7 || r.Exit.Reason != "no-systemd" {
		t.Errorf("apply %s without systemd: %s", atLast, r)
	}
}

// killWaiter kills the process that waits, and expects that another one waits on.
func (m *machine) killWaiter(t *testing.T) {
	t.Helper()
	const waiter = "systemctl show -P MainPID xrdpfix-when-idle"
	killed := m.Must(t, waiter)
	m.Must(t, "kill -9 "+killed)
	deadline := time.Now().Add(60 * time.Second)
	for now := "0\n"; now == "0\n" || now == killed; now = m.Must(t, waiter) {
		if time.Now().After(deadline) {
			t.Fatalf("killed, nobody waits on\n%s", m.Must(t, "systemctl status --no-pager xrdpfix-when-idle || true"))
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// changedByItself waits until the change is made, and looks at it from outside.
func (m *machine) changedByItself(t *testing.T) {
	t.Helper()
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
}
