//go:build lab

package matrix

import (
	"strings"
	"testing"
	"time"

	"xrdpfix/internal/lab"
)

// onEach runs a test on a host of its own for every suite.
func onEach(t *testing.T, test func(t *testing.T, m *machine), opts ...func(*lab.Options)) {
	t.Helper()
	for _, s := range lab.Suites() {
		t.Run(string(s), func(t *testing.T) {
			t.Parallel()
			test(t, start(t, s, opts...))
		})
	}
}

// readable reports whether the daemon of this host may read its key, as a fact
// of its kernel: the archive may mend or break that any day.
func (m *machine) readable(t *testing.T) bool {
	t.Helper()
	user := strings.TrimSpace(m.Must(t, `sed -n 's/^runtime_user=//p' /etc/xrdp/xrdp.ini | grep . || ps -o user= -p "$(pgrep -o -x xrdp)"`))
	r, err := m.Sh(t.Context(), "runuser -u "+user+" -- test -r /etc/xrdp/key.pem")
	if err != nil {
		t.Fatal(err)
	}
	return r.Code == 0
}

// TestStock mends what a fresh install has, where it has it, and leaves the
// rest alone.
func TestStock(t *testing.T) {
	onEach(t, func(t *testing.T, m *machine) {
		m.Must(t, own)
		if m.readable(t) {
			if before := m.tls(t); !before.OK() {
				t.Errorf("the key can be read, and FreeRDP says %s", before.Name)
			}
			// The warning that the key is everybody's is true, and no reason to act.
			if r := m.applyNothing(t); r.Exit.Code != 0 || r.codes() != "key-shared" {
				t.Errorf("nothing is wrong, and apply says %s", r)
			}
			return
		}
		m.mends(t, "key-unreadable", "negotiation-failed")
	})
}

// guide is the guide that people follow, to the letter, up to and with its last
// step, the restart.
const guide = `
sed -i 's/^security_layer=.*/security_layer=negotiate/' /etc/xrdp/xrdp.ini
sed -i '/^\[Security\]/a tls_min_version=TLSv1.2\ntls_max_version=TLSv1.3' /etc/xrdp/sesman.ini
rm /etc/xrdp/cert.pem
systemctl restart xrdp
`

func TestGuide(t *testing.T) {
	onEach(t, func(t *testing.T, m *machine) {
		m.Must(t, own+guide)
		m.listening(t)
		codes := "cert-missing"
		if !m.readable(t) {
			codes = "key-unreadable cert-missing"
		}
		m.mends(t, codes, "negotiation-failed")
	})
}

// mends walks the whole way: a client fails, check names the causes, plan shows
// a change, apply makes it, the client connects, a second apply does nothing,
// and rollback brings everything back.
func (m *machine) mends(t *testing.T, codes, fails string) {
	t.Helper()
	if r := m.tls(t); r.Name != fails {
		t.Errorf("before: FreeRDP says %s, want %s", r.Name, fails)
	}
	before := m.manifest(t)
	if r := m.xrdpfix(t, "check"); r.codes() != codes || r.Exit.Code != 3 {
		t.Errorf("check raised %q with status %d, want %q with 3", r.codes(), r.Exit.Code, codes)
	}
	if r := m.xrdpfix(t, "plan"); !r.Changed || r.Exit.Code != 3 {
		t.Errorf("plan: %s", r)
	}
	if now := m.manifest(t); now != before {
		t.Errorf("check or plan changed something:\n%s", difference(before, now))
	}
	m.apply(t)
	if r := m.tls(t); !r.OK() {
		t.Errorf("after apply: FreeRDP says %s\n%s", r.Name, r.Output)
	}
	if r := m.applyNothing(t); r.Exit.Code != 0 || r.codes() != "" {
		t.Errorf("the second apply says %s", r)
	}
	if r := m.xrdpfix(t, "rollback"); r.Exit.Code != 0 || !r.Changed {
		t.Errorf("rollback: %s", r)
	}
	if now := m.manifest(t); now != before {
		t.Errorf("rollback left a difference:\n%s", difference(before, now))
	}
	if r := m.tls(t); r.Name != fails {
		t.Errorf("after rollback: FreeRDP says %s, want %s", r.Name, fails)
	}
}

// floor is a system-wide lowest TLS version, in the way Debian's openssl.cnf had
// one up to Debian 11 and Ubuntu's has.
const floor = `
cat >>/etc/ssl/openssl.cnf <<'END'

[lab_floor]
ssl_conf = lab_ssl
[lab_ssl]
system_default = lab_system
[lab_system]
MinProtocol = TLSv1.2
END
if grep -q '^openssl_conf' /etc/ssl/openssl.cnf
then sed -i 's/^openssl_conf.*/openssl_conf = lab_floor/' /etc/ssl/openssl.cnf
else sed -i '1i openssl_conf = lab_floor' /etc/ssl/openssl.cnf
fi
systemctl restart xrdp
`

// TestRange states ranges one after the other; sslscan tells what they come to.
func TestRange(t *testing.T) {
	for name, prepare := range map[string]string{"plain": "", "floor": floor} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, m *machine) {
				m.Must(t, own+prepare)
				m.listening(t)
				before := m.manifest(t)
				for _, step := range []struct {
					flags    []string
					accepted string
				}{
					{[]string{"--tls-min", "1.0", "--tls-max", "1.3"}, "1.0 1.1 1.2 1.3"},
					{[]string{"--tls-min", "1.0", "--tls-max", "1.2"}, "1.0 1.1 1.2"},
					{[]string{"--profile", "modern"}, "1.3"},
				} {
					m.apply(t, step.flags...)
					if got := m.accepted(t); got != step.accepted {
						t.Errorf("%s: sslscan sees %q, want %q", strings.Join(step.flags, " "), got, step.accepted)
					}
					m.applyNothing(t, step.flags...)
				}
				if got := m.Must(t, "find /etc/systemd/system/xrdp.service.d /etc/xrdp/tls/openssl.cnf -type f 2>/dev/null || true"); got != "" {
					t.Errorf("with TLS 1.3 only there is still %q", got)
				}
				for range 3 {
					if r := m.xrdpfix(t, "rollback"); r.Exit.Code != 0 {
						t.Fatalf("rollback: %s", r)
					}
				}
				if now := m.manifest(t); now != before {
					t.Errorf("three rollbacks left a difference:\n%s", difference(before, now))
				}
			})
		})
	}
}

// TestDesktop keeps a desktop alive over an apply, and is refused what would
// cost it.
func TestDesktop(t *testing.T) {
	onEach(t, func(t *testing.T, m *machine) {
		m.Must(t, own+"adduser xrdp ssl-cert && systemctl restart xrdp")
		m.listening(t)
		first := m.login(t)
		m.Must(t, "rm /etc/xrdp/cert.pem")

		before := m.times(t)
		r := m.xrdpfix(t, "apply", "--restart", "always", "-n")
		if len(r.Plan.Disturbs) != 1 || r.Plan.Disturbs[0].User != lab.TestUser {
			t.Errorf("a restart disturbs %+v, want user test alone", r.Plan.Disturbs)
		}
		m.Must(t, "sed -i '0,/^port=/s/^port=.*/port=127.0.0.1:3389/' /etc/xrdp/xrdp.ini")
		r = m.xrdpfix(t, "apply")
		if r.Exit.Code != 7 || r.Exit.Reason != "live-desktops" || r.Changed {
			t.Errorf("apply that needs a restart: %s", r)
		}
		m.Must(t, "sed -i '0,/^port=/s/^port=.*/port=3389/' /etc/xrdp/xrdp.ini")

		pid := m.Must(t, "pgrep -o -x xrdp")
		m.apply(t)
		if now := m.Must(t, "pgrep -o -x xrdp"); now != pid {
			t.Errorf("xrdp was restarted although a desktop is live")
		}
		if !first.Alive() {
			t.Error("the connected client was cut off")
		}
		_ = before
		if err := first.Close(); err != nil {
			t.Error(err)
		}
		if second := m.login(t); second.Xorg != first.Xorg {
			t.Errorf("the desktop is another one: Xorg %d, then %d", first.Xorg, second.Xorg)
		}
	})
}

func (m *machine) login(t *testing.T) *lab.Session {
	t.Helper()
	s, err := lab.Login(t.Context(), m.Host, lab.TestUser, lab.TestPassword, "/sec:tls")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// TestNotRoot asks for a change as somebody who may not make one.
func TestNotRoot(t *testing.T) {
	m := start(t, lab.Bookworm)
	before := m.times(t)
	for _, verb := range []string{"apply", "rollback"} {
		r, err := m.Sh(t.Context(), "runuser -u test -- xrdpfix "+verb)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(r.Stderr), "\n")
		if r.Code != 6 || r.Stdout != "" || !strings.HasPrefix(lines[0], "xrdpfix: error: ") || len(lines) != 2 || !strings.HasPrefix(lines[1], "xrdpfix: hint: ") {
			t.Errorf("xrdpfix %s of user test: status %d\n%s%s", verb, r.Code, r.Stdout, r.Stderr)
		}
	}
	r, err := m.Sh(t.Context(), "runuser -u test -- xrdpfix check --json")
	if err != nil || r.Code != 6 && r.Code != 3 {
		t.Errorf("check of user test: status %d, %v\n%s%s", r.Code, err, r.Stdout, r.Stderr)
	}
	if now := m.times(t); now != before {
		t.Errorf("something changed:\n%s", difference(before, now))
	}
}

// TestBroken hands the program what it cannot mend: it names it and changes
// nothing.
func TestBroken(t *testing.T) {
	for name, row := range map[string]struct {
		plant, codes string
		code         int
	}{
		"ini missing":      {"rm /etc/xrdp/xrdp.ini", "ini-missing", 3},
		"ini empty":        {": >/etc/xrdp/xrdp.ini", "ini-missing", 3},
		"ini of noise":     {"head -c 20000 /dev/urandom | tr -d '[]' >/etc/xrdp/xrdp.ini", "ini-missing", 3},
		"ini a directory":  {"rm /etc/xrdp/xrdp.ini && mkdir /etc/xrdp/xrdp.ini", "", 6},
		"ini a loop":       {"ln -sf xrdp.ini /etc/xrdp/xrdp.ini", "", 6},
		"no configuration": {"rm -r /etc/xrdp", "ini-missing", 3},
		"no xrdp":          {"rm -r /etc/xrdp; dpkg --force-all --purge xrdp xorgxrdp", "xrdp-missing", 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := start(t, lab.Bookworm)
			m.Must(t, own+"adduser xrdp ssl-cert && systemctl restart xrdp")
			m.listening(t) // it has read what is planted now
			m.Must(t, row.plant)
			before := m.manifest(t)
			began := time.Now()
			for _, verb := range []string{"check", "plan", "apply"} {
				r := m.xrdpfix(t, verb)
				if r.codes() != row.codes || r.Exit.Code != row.code || r.Changed {
					t.Errorf("%s: status %d, codes %q, want %d, %q\n%s", verb, r.Exit.Code, r.codes(), row.code, row.codes, r)
				}
			}
			if d := time.Since(began); d > 20*time.Second {
				t.Errorf("it took %s", d)
			}
			if now := m.manifest(t); now != before {
				t.Errorf("something changed:\n%s", difference(before, now))
			}
		})
	}
}

// TestNoSystemd hides systemd and runs xrdp by hand, as a container without an
// init does: apply needs no restart and proves itself all the same, and is
// refused where it would need one.
func TestNoSystemd(t *testing.T) {
	onEach(t, func(t *testing.T, m *machine) {
		m.Must(t, own+`systemctl stop xrdp xrdp-sesman
mkdir -p /run/xrdp /run/hidden; chown xrdp:xrdp /run/xrdp
mount --bind /run/hidden /run/systemd
sed -i 's/^security_layer=.*/security_layer=rdp/' /etc/xrdp/xrdp.ini
rm -f /etc/xrdp/cert.pem /etc/init.d/xrdp`)
		user := ""
		if m.Suite == lab.Bookworm {
			user = "runuser -u xrdp -- " // its unit says so
		}
		m.Must(t, "setsid xrdp-sesman --nodaemon >/run/hidden/sesman.out 2>&1 </dev/null &")
		m.Must(t, user+"setsid xrdp --nodaemon >/run/hidden/xrdp.out 2>&1 </dev/null & sleep 0.2")
		m.listening(t)
		if r := m.tls(t); r.OK() {
			t.Errorf("before: FreeRDP says %s", r.Name)
		}
		before, pid := m.manifest(t), m.Must(t, "pgrep -o -x xrdp")
		m.apply(t)
		if r := m.tls(t); !r.OK() {
			t.Errorf("after apply: FreeRDP says %s", r.Name)
		}
		if now := m.Must(t, "pgrep -o -x xrdp"); now != pid {
			t.Errorf("xrdp is process %s, before it was %s", now, pid)
		}
		m.Must(t, "sed -i '0,/^port=/s/^port=.*/port=127.0.0.1:3389/' /etc/xrdp/xrdp.ini")
		if r := m.applyNothing(t); r.Exit.Code != 7 || r.Exit.Reason != "no-systemd" {
			t.Errorf("apply that needs a restart: %s", r)
		}
		m.Must(t, "sed -i '0,/^port=/s/^port=.*/port=3389/' /etc/xrdp/xrdp.ini")
		if r := m.xrdpfix(t, "rollback"); r.Exit.Code != 0 {
			t.Errorf("rollback: %s", r)
		}
		if now := m.manifest(t); now != before {
			t.Errorf("rollback left a difference:\n%s", difference(before, now))
		}
		// What is down stays down: nobody knows here how it is started.
		m.Must(t, "kill "+strings.TrimSpace(pid)+"; while pgrep -x xrdp >/dev/null; do sleep 0.05; done")
		if r := m.xrdpfix(t, "check"); r.Exit.Code != 3 || !strings.Contains(r.codes(), "service-down") {
			t.Errorf("check without xrdp: %s", r)
		}
	})
}
