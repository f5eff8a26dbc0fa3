package repair

import (
	"fmt"
	"path"
	"strings"
	"testing"
	"time"

	"xrdpfix/certs"
	"xrdpfix/diagnose"
	"xrdpfix/xrdpconf"
)

// scenario is a machine and a wish that together need a change.
type scenario struct {
	name  string
	plant func(t testing.TB, m *machine)
	pol   Policy
	// steps is what the journal holds, in order.
	steps string
}

var (
	oldTo13  = xrdpconf.Range{Min: xrdpconf.TLS10, Max: xrdpconf.TLS13}
	only13   = xrdpconf.Range{Min: xrdpconf.TLS13, Max: xrdpconf.TLS13}
	from12   = diagnose.DefaultRange
	deadline = &Deadline{Kind: DeadlineConfirm, Window: 10 * time.Minute, Program: "/usr/bin/xrdpfix"}
)

// scenarios reach every kind of step, and every order of them that a plan has.
func scenarios() []scenario {
	unreadable := func(_ testing.TB, m *machine) { m.chmod("/etc/xrdp/key.pem", 0o600, rootID) }
	return []scenario{
		{"new pair", unreadable, Policy{}, "mkdir tls, mkdir *, write key.pem, write cert.pem, write xrdp.ini, restart"},
		{"new pair, somebody connected", func(t testing.TB, m *machine) {
			unreadable(t, m)
			m.peers = []diagnose.Peer{{Client: "192.0.2.7:4711"}}
		}, Policy{}, "mkdir tls, mkdir *, write key.pem, write cert.pem, write xrdp.ini"},
		{"lift a floor", func(_ testing.TB, m *machine) { m.floor = true }, Policy{Range: oldTo13},
			"mkdir tls, write openssl.cnf, mkdir xrdp.service.d, write xrdpfix-openssl.conf, write sesman.ini, reload, write xrdp.ini, restart"},
		{"lower a floor", func(t testing.TB, m *machine) {
			m.floor = true
			m.carryOut(t, Policy{Range: oldTo13})
		}, Policy{Range: only13}, "remove xrdpfix-openssl.conf, remove openssl.cnf, write sesman.ini, reload, write xrdp.ini, restart"},
		{"attributes", func(_ testing.TB, m *machine) { m.chmod(diagnose.RSAKeysPath, 0o600, rootID) }, Policy{}, "write rsakeys.ini, restart"},
		{"keygen", func(_ testing.TB, m *machine) {
			delete(m.files, diagnose.RSAKeysPath)
			m.up, m.port = false, ""
		}, Policy{}, "write rsakeys.ini, start"},
		{"start", func(_ testing.TB, m *machine) { m.up, m.port = false, "" }, Policy{}, "start"},
		{"port", func(t testing.TB, m *machine) {
			m.edit(t, configPath, "port=3389", "port=127.0.0.1:3390")
			m.boot()
		}, Policy{}, "write xrdp.ini, restart"},
		{"in place", func(t testing.TB, m *machine) {
			m.obstacle = "device or resource busy"
			m.edit(t, configPath, "security_layer=negotiate", "security_layer=rdp")
		}, Policy{InPlace: true}, "write xrdp.ini, restart"},
		{"deadline", unreadable, Policy{Deadline: deadline}, "write xrdpfix-undo-*.service, write xrdpfix-undo-*.timer, write xrdpfix-undo-*-boot.timer, " +
			"mkdir timers.target.d, write xrdpfix-undo-*.conf, reload, rehearse, arm, mkdir tls, mkdir *, write key.pem, write cert.pem, write xrdp.ini, restart"},
		{"first boot", func(t testing.TB, m *machine) {
			unreadable(t, m)
			m.firstBoot()
		}, Policy{}, "mkdir tls, mkdir *, write key.pem, write cert.pem, write xrdp.ini, remove xrdpfix-firstboot.conf, remove xrdpfix-firstboot.service, restart"},
		{"everything", func(t testing.TB, m *machine) {
			m.floor = true
			unreadable(t, m)
			delete(m.files, diagnose.RSAKeysPath)
			m.up, m.port = false, ""
		}, Policy{Range: oldTo13, Deadline: deadline}, "write xrdpfix-undo-*.service, write xrdpfix-undo-*.timer, write xrdpfix-undo-*-boot.timer, " +
			"mkdir timers.target.d, write xrdpfix-undo-*.conf, reload, rehearse, arm, write rsakeys.ini, mkdir tls, write openssl.cnf, mkdir xrdp.service.d, " +
			"write xrdpfix-openssl.conf, write sesman.ini, reload, mkdir *, write key.pem, write cert.pem, write xrdp.ini, start"},
	}
}

func named(t testing.TB, name string) scenario {
	t.Helper()
	for _, s := range scenarios() {
		if s.name == name {
			return s
		}
	}
	t.Fatalf("no scenario %q", name)
	return scenario{}
}

// prepare gives the machine of a scenario, in its old state, with its plan.
func (s scenario) prepare(t testing.TB) (*machine, Plan) {
	t.Helper()
	m := stock(t)
	s.plant(t, m)
	s.pol.Request.Key = certs.ECDSAP256
	p := m.plan(t, s.pol)
	if p.Empty() || p.Refusal != nil {
		t.Fatalf("%s: nothing to do, or refused: %+v", s.name, p)
	}
	*m = *m.clone()
	return m, p
}

// carryOut plans and executes without a fault, and expects success.
func (m *machine) carryOut(t testing.TB, pol Policy) Outcome {
	t.Helper()
	pol.Request.Key = certs.ECDSAP256
	out, err := m.runner().Execute(t.Context(), m.plan(t, pol))
	if err != nil || out.Verdict.Status != Confirmed || !out.Changed {
		t.Fatalf("a change without a fault: %v, %+v, %s", err, out.Verdict, out.Problem)
	}
	m.now = m.now.Add(time.Minute)
	return out
}

// journal is the latest one.
func (m *machine) journal(t testing.TB) Journal {
	t.Helper()
	list, err := m.List()
	if err != nil || len(list) == 0 {
		t.Fatalf("journals: %d, %v", len(list), err)
	}
	return list[0]
}

// stepText tells the steps in a few words, with * for the id.
func stepText(j Journal) string {
	var out []string
	for _, s := range j.Steps {
		text := string(s.Op)
		if s.Path != "" {
			text += " " + strings.ReplaceAll(path.Base(s.Path), j.ID, "*")
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

// TestScenarios: each one works when nothing fails, in the order that keeps a
// connection whole, and needs nothing afterwards (law 2).
func TestScenarios(t *testing.T) {
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			m, p := s.prepare(t)
			out, err := m.runner().Execute(t.Context(), p)
			if err != nil || out.Verdict.Status != Confirmed || !out.Changed || out.RolledBack || out.Interrupted || out.Problem != "" {
				t.Fatalf("Execute: %v\n%+v", err, out)
			}
			j := m.journal(t)
			if got := stepText(j); got != s.steps || j.State != StateConfirmed {
				t.Errorf("journal %s:\n got %s\nwant %s", j.State, got, s.steps)
			}
			for _, st := range j.Steps {
				if !st.Done {
					t.Errorf("step %s %s is not done", st.Op, st.Path)
				}
			}
			m.whole(t)
			before := m.snapshot()
			m.now = m.now.Add(time.Hour)
			m.peers = []diagnose.Peer{{Client: "192.0.2.7:4711"}} // an idle machine may be restarted
			if again := m.plan(t, s.pol); !again.Empty() || len(again.Manual) > 0 {
				t.Errorf("the plan after a success is not empty: %+v", again)
			}
			if now := m.snapshot(); now != before {
				t.Errorf("planning changed something:\n%s", diff(before, now))
			}
		})
	}
}

// whole fails where a connection would have met half a state.
func (m *machine) whole(t testing.TB) {
	t.Helper()
	for _, x := range m.torn {
		t.Errorf("a connection would have met half a state at %s", x)
	}
}

// diff shows the lines that only one of two texts has.
func diff(before, after string) string {
	var b strings.Builder
	for line := range strings.Lines(before) {
		if !strings.Contains(after, line) {
			fmt.Fprint(&b, "- ", line)
		}
	}
	for line := range strings.Lines(after) {
		if !strings.Contains(before, line) {
			fmt.Fprint(&b, "+ ", line)
		}
	}
	return b.String()
}
