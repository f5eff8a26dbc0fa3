//go:build lab

package matrix

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"xrdpfix/internal/lab"
)

// TestCombined plants several faults at once, as they come on servers that several
// people have looked after, and holds what xrdpfix says against FreeRDP. Nobody has
// written down what each of these servers needs, so only what must always hold is
// asserted:
//
//   - check and plan change nothing;
//   - where check finds no error, a client gets in;
//   - apply proves what it did, refuses before it touches anything, or leaves it to a
//     human; it does not try in vain;
//   - what it proved, FreeRDP confirms, and a second apply changes nothing;
//   - rollback brings every byte back.
//
// The short run has a few fixed servers, the long one sixty a suite.
func TestCombined(t *testing.T) {
	servers := 3
	if all() {
		servers = 60
	}
	for _, s := range lab.Suites() {
		t.Run(string(s), func(t *testing.T) {
			t.Parallel()
			m := start(t, s)
			m.listening(t)
			m.putPair(t, nil)
			m.Must(t, prelude+usable+keepClean)
			for seed := range uint64(servers) {
				c := combine(s, seed)
				if !t.Run(c.String(), func(t *testing.T) { c.test(t, m) }) && !all() {
					return // what is left of it would blur the next
				}
			}
		})
	}
}

// keepClean keeps what a combination changes, and backToClean brings it back.
const (
	keepClean   = "tar -C / -cpf /root/clean.tar etc/xrdp etc/ssl/openssl.cnf etc/group etc/gshadow var/log/xrdp.log\n"
	backToClean = `
systemctl stop xrdp xrdp-sesman
rm -rf /etc/xrdp /var/lib/xrdpfix /root/tls /etc/letsencrypt /var/log/xrdp.log
tar -C / -xpf /root/clean.tar
: >/var/log/xrdp.log
systemctl reset-failed
systemctl start xrdp
`
)

// combined are faults of one server, and what was done to the daemon since.
type combined struct {
	faults []fault
	daemon string
}

func (c combined) String() string {
	var names []string
	for _, f := range c.faults {
		names = append(names, f.name)
	}
	daemon, _, _ := strings.Cut(strings.TrimPrefix(c.daemon, "systemctl "), " ")
	return strings.Join(names, "+") + "," + daemon
}

// combine draws two to four rows that change files only. One of them at most has a
// pair of its own.
func combine(s lab.Suite, seed uint64) combined {
	r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // the same servers each time
	rows := slices.DeleteFunc(slices.Concat(iniFaults, pairFaults, tlsFaults), func(f fault) bool {
		return f.not[s] != "" || f.stock || f.down || f.across || f.opts != nil || f.packages != nil || f.flags != nil || f.client != nil ||
			len(f.earlier)+len(f.noise) > 0
	})
	c := combined{daemon: []string{"true # left as it was", "systemctl restart xrdp", "systemctl stop xrdp"}[r.IntN(3)]}
	for n := 2 + r.IntN(3); len(c.faults) < n; {
		f := rows[r.IntN(len(rows))]
		if slices.ContainsFunc(c.faults, func(o fault) bool { return o.name == f.name || o.pair != nil && f.pair != nil }) {
			continue
		}
		if f.pair != nil { // it makes the files that the others change
			c.faults = slices.Insert(c.faults, 0, f)
		} else {
			c.faults = append(c.faults, f)
		}
	}
	return c
}

func (c combined) test(t *testing.T, m *machine) {
	m.Must(t, backToClean)
	m.listening(t)
	if pair := c.faults[0].pair; pair != nil {
		m.putPair(t, pair)
		m.Must(t, prelude+usable)
	}
	for _, f := range c.faults { // one may find nothing left to spoil
		m.Must(t, "( set +e\n"+prelude+f.plant+"\n) || true\n")
	}
	m.Must(t, c.daemon+" || true\nsleep 0.5")
	manifest := m.manifest(t)
	before := c.connect(t, m)
	check := m.xrdpfix(t, "check")
	if check.Exit.Code == 0 && !before.OK() {
		t.Errorf("check finds no error, and FreeRDP says %s: %s", before.Name, check)
	}
	m.xrdpfix(t, "plan")
	if now := m.manifest(t); now != manifest {
		t.Errorf("check or plan changed something:\n%s", difference(manifest, now))
	}
	apply := m.xrdpfix(t, "apply")
	t.Logf("check %d %s; apply %d %s", check.Exit.Code, check.codes(), apply.Exit.Code, apply.Exit.Reason)
	switch after := c.connect(t, m); {
	case apply.Exit.Code == 0 && !after.OK():
		t.Errorf("apply is content, and FreeRDP says %s: %s", after.Name, apply)
	case !slices.Contains([]int{0, 3, 7}, apply.Exit.Code):
		t.Errorf("apply tried in vain: %s %+v", apply, apply.Verdict)
	case !apply.Changed:
		if now := m.manifest(t); now != manifest {
			t.Errorf("apply claims to change nothing:\n%s", difference(manifest, now))
		}
		return
	}
	if again := m.xrdpfix(t, "apply"); again.Changed || again.Exit.Code != apply.Exit.Code {
		t.Errorf("a second apply: %s, after %s", again, apply)
	}
	if apply.Changed {
		m.xrdpfix(t, "rollback", "--force") // a key that everybody could read comes back too
		if now := m.manifest(t); now != manifest {
			t.Errorf("rollback is not byte for byte:\n%s", difference(manifest, now))
		}
	}
}

// connect is FreeRDP with TLS, at the first port that xrdp listens on.
func (c combined) connect(t *testing.T, m *machine) lab.ClientResult {
	t.Helper()
	port := strings.TrimSpace(m.Must(t, `ss -Hltnp | grep '"xrdp"' | awk '{print $4}' | sed 's/.*://' | sort -u | head -n 1`))
	if port == "" {
		return lab.ClientResult{Code: -1, Name: "nothing-listens"}
	}
	return m.client(t, "/sec:tls", fmt.Sprintf("/v:127.0.0.1:%s", port))
}
