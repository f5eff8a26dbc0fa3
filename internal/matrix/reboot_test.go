//go:build lab

package matrix

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"xrdpfix/diagnose"
	"xrdpfix/internal/lab"
)

// deadlines are the ways in which whoever would have said confirm can be gone.
var deadlines = map[string]struct {
	suite lab.Suite
	flags []string
	// gone makes the change and what befalls it.
	gone func(t *testing.T, m *machine, flags []string)
}{
	"bookworm/the machine dies": {lab.Bookworm, []string{"--security-layer", "tls"}, func(t *testing.T, m *machine, flags []string) {
		m.apply(t, flags...)
		m.pending(t, "apply-unconfirmed")
		m.exposure(t, "xrdpfix-undo-*.service")
		m.crash(t)
		m.pending(t, "apply-unconfirmed")
	}},
	"trixie/xrdpfix dies, then the machine": {lab.Trixie, []string{"--tls-min", "1.0", "--tls-max", "1.3"}, func(t *testing.T, m *machine, flags []string) {
		// It dies while it writes what takes effect: the timer runs by then.
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		_, err := m.Run(ctx, lab.Cmd{Args: []string{"sh", "-c", `
xrdpfix apply "$@" >/dev/null 2>&1 & xrdpfix=$!
until grep -q '^ssl_protocols=.*TLSv1,' /etc/xrdp/xrdp.ini; do kill -0 $xrdpfix || exit; done
kill -9 $xrdpfix`, "sh", flags[0], flags[1], flags[2], flags[3], flags[4], flags[5]}})
		if err != nil {
			t.Fatal(err)
		}
		if r := m.xrdpfix(t, "check"); !strings.Contains(r.codes(), "apply-unfinished") {
			t.Errorf("check after the death of xrdpfix: %s", r)
		}
		m.crash(t)
	}},
	"sid/a desktop is live": {lab.Sid, []string{"--tls-min", "1.0", "--tls-max", "1.3"}, func(t *testing.T, m *machine, flags []string) {
		r := m.apply(t, flags...)
		if !r.Plan.Restart.Needed {
			t.Errorf("the change needed no restart, so that this shows nothing: %s", r)
		}
		m.pending(t, "apply-unconfirmed")
		s := m.login(t)
		pid := m.Must(t, "pgrep -o -x xrdp")
		t.Cleanup(func() {
			if now, err := m.Sh(context.Background(), "pgrep -o -x xrdp"); err != nil || now.Stdout != pid {
				t.Errorf("xrdp was restarted although a desktop was live (%q, %q, %v)", pid, now.Stdout, err)
			}
			if !s.Alive() {
				t.Error("the connected client was cut off")
			}
		})
	}},
}

// TestDeadline makes a change that is undone by itself, lets everybody who could
// confirm it be gone, and finds the old state when the time is over.
func TestDeadline(t *testing.T) {
	t.Parallel()
	for name, row := range deadlines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := start(t, row.suite)
			m.Must(t, own+readablePair+floor)
			m.listening(t)
			if r := m.xrdpfix(t, "check"); strings.Contains(r.codes(), "key-unreadable") {
				m.apply(t)
			}
			old := m.files(t)
			began := time.Now()
			row.gone(t, m, append(row.flags, "--confirm-within", "1m"))
			if now := m.files(t); now == old {
				t.Error("nothing was changed, so that this shows nothing")
			}
			for deadline := began.Add(2 * time.Minute); m.files(t) != old || m.timers(t) != ""; time.Sleep(500 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("not undone after %s: timers %q\n%s\n%s", time.Since(began).Round(time.Second), m.timers(t), difference(old, m.files(t)),
						m.Must(t, "journalctl -b --no-pager -u 'xrdpfix-*' | tail -n 30"))
				}
			}
			took := time.Since(began)
			if took < 55*time.Second {
				t.Errorf("undone after %s, and 1m was stated", took)
			}
			t.Logf("undone by itself after %s", took.Round(time.Second))
			m.tidy(t)
			if r := m.xrdpfix(t, "check"); strings.Contains(r.codes(), "apply-un") {
				t.Errorf("check after the undoing: %s", r)
			}
			if r := m.xrdpfix(t, "confirm"); r.Exit.Code != 2 {
				t.Errorf("confirm, and nothing waits: %s", r)
			}
		})
	}
}

// crash ends the machine as a power cut does, and boots it.
func (m *machine) crash(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(m.PID1(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := m.Reboot(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.listening(t)
}

// pending expects that check says what waits, and until when.
func (m *machine) pending(t *testing.T, code string) {
	t.Helper()
	r := m.xrdpfix(t, "check")
	until := regexp.MustCompile(`\d\d:\d\d`)
	for _, f := range r.Findings {
		if f.Code == code && until.MatchString(f.Detail) {
			return
		}
	}
	t.Errorf("check does not say %s with a time: %s", code, r)
}

func (m *machine) timers(t *testing.T) string {
	t.Helper()
	return m.Must(t, "systemctl list-timers --all --no-legend 'xrdpfix-undo-*'; find /etc/systemd/system -name 'xrdpfix-*'; systemctl list-units --state=activating,deactivating --no-legend 'xrdpfix-undo-*'")
}

var overall = regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`)

// exposure expects that systemd finds a unit hardened.
func (m *machine) exposure(t *testing.T, pattern string) {
	t.Helper()
	const most = 2.5
	out := m.Must(t, `cd /etc/systemd/system; for u in `+pattern+`; do systemd-analyze --no-pager security "$u"; done`)
	found := overall.FindStringSubmatch(out)
	if found == nil {
		t.Fatalf("%s: no level of exposure in\n%s", pattern, out)
	}
	level, err := strconv.ParseFloat(found[1], 64)
	if err != nil || level > most {
		t.Errorf("%s: exposure %s (%v), at most %.1f is promised\n%s", pattern, found[1], err, most, out)
	}
	t.Logf("%s: exposure %s", pattern, found[1])
}

// TestExposure measures the unit of the first boot, which lives too short for it.
func TestExposure(t *testing.T) {
	onEach(t, func(t *testing.T, m *machine) {
		if err := m.WriteFile(t.Context(), diagnose.FirstBootPath, diagnose.FirstBootService("/usr/bin/xrdpfix", diagnose.ConfigPath), 0o644); err != nil {
			t.Fatal(err)
		}
		m.Must(t, "systemctl daemon-reload")
		m.exposure(t, diagnose.FirstBootUnit)
	})
}

// TestFor makes a change for a while, and keeps it.
func TestFor(t *testing.T) {
	t.Parallel()
	m := start(t, lab.Bookworm)
	m.Must(t, own+readablePair+"systemctl restart xrdp\n")
	m.listening(t)
	old := m.files(t)
	m.apply(t, "--profile", "legacy", "--for", "14d")
	m.pending(t, "apply-temporary")
	if r := m.xrdpfix(t, "apply", "--security-layer", "tls"); r.Exit.Code != 7 || r.Exit.Reason != "pending" {
		t.Errorf("a change on top of one that ends by itself: %s", r)
	}
	if r := m.xrdpfix(t, "rollback"); r.Exit.Code != 0 {
		t.Errorf("rollback: %s", r)
	}
	if now := m.files(t) + m.timers(t); now != old {
		t.Errorf("rollback left a difference:\n%s", difference(old, now))
	}
	m.apply(t, "--profile", "legacy", "--for", "14d")
	kept := m.accepted(t)
	if r := m.xrdpfix(t, "confirm"); r.Exit.Code != 0 {
		t.Errorf("confirm: %s", r)
	}
	if left := m.timers(t); left != "" || m.accepted(t) != kept {
		t.Errorf("after confirm: %q, accepted %q, before it %q", left, m.accepted(t), kept)
	}
	// A program that systemd may not run cannot undo anything: nothing is begun.
	old = m.files(t)
	m.Must(t, "mkdir -p /opt/x && cp /usr/local/bin/xrdpfix /opt/x/xrdpfix")
	m.Must(t, `mkdir -p /etc/systemd/system/service.d; printf '[Service]\nInaccessiblePaths=-/opt/x\n' >/etc/systemd/system/service.d/hidden.conf; systemctl daemon-reload`)
	r, err := m.Sh(t.Context(), "/opt/x/xrdpfix apply --security-layer tls --confirm-within 10m")
	m.Must(t, "rm -r /etc/systemd/system/service.d; systemctl daemon-reload")
	if err != nil || r.Code != 4 || !strings.Contains(r.Stdout, "rehearse") {
		t.Errorf("an undoing that cannot run: %v, status %d\n%s%s", err, r.Code, r.Stdout, r.Stderr)
	}
	if now := m.files(t) + m.timers(t); now != old {
		t.Errorf("it left a difference:\n%s", difference(old, now))
	}
}
