//go:build lab

package matrix

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"xrdpfix/internal/lab"
)

// visitor is a real client with an address of its own.
type visitor struct {
	addr string
	// connect goes as far as the login and reports whether it came in.
	connect func(t *testing.T, m *machine, addr string) bool
}

func freeRDP(args ...string) func(t *testing.T, m *machine, addr string) bool {
	return func(t *testing.T, m *machine, addr string) bool {
		t.Helper()
		return m.client(t, append(args, "/v:"+addr)...).OK()
	}
}

// rdesktop has TLS from GnuTLS. It stays at the login for as long as it is let.
func rdesktop(args ...string) func(t *testing.T, m *machine, addr string) bool {
	return func(t *testing.T, m *machine, addr string) bool {
		t.Helper()
		in, err := m.Logs(t.Context(), lab.LogEstablished)
		if err != nil {
			t.Fatal(err)
		}
		r, err := lab.RdesktopClient.Attend(t.Context(), m.Host, in, `echo yes | rdesktop -u x -p y -g 800x600 "$@"`, append(args, addr)...)
		if err != nil {
			t.Fatal(err)
		}
		if failed := strings.Contains(r.Output, "Failed to connect") || strings.Contains(r.Output, "Protocol(error)"); failed == in() {
			t.Errorf("rdesktop %q: it failed: %t, and xrdp established a connection: %t\n%s", args, failed, in(), r.Output)
		}
		return in()
	}
}

// visitors are clients that know different things.
var visitors = []visitor{
	{"192.0.2.31", freeRDP("/sec:tls", "/client-hostname:PC-ANNA")},
	{"192.0.2.14", freeRDP("/sec:tls", "+enforce-tlsv1_2", "/client-hostname:PC-LAB-2")},
	{"192.0.2.15", rdesktop("-n", "RDESK-12", "-V", "1.2")},
	{"192.0.2.60", rdesktop("-n", "RDESK-10", "-V", "1.0")},
	{"192.0.2.99", rdesktop("-n", "RDESK-4", "-4")},
}

// clienteleReport is what the tests read of plan --clients.
type clienteleReport struct {
	Clientele struct {
		Lose, Gain, Unknown int
		Clients             []struct{ Address, Name, Fate, Why string }
		Strictest           *struct{ Flags string }
		Next                []struct {
			Flags string
			First []struct{ Address string }
		}
	}
}

func (m *machine) clientele(t *testing.T, args ...string) clienteleReport {
	t.Helper()
	r, err := m.Run(t.Context(), lab.Cmd{Args: append([]string{"xrdpfix", "--json", "plan", "--clients"}, args...)})
	if err != nil {
		t.Fatal(err)
	}
	var out clienteleReport
	if err := json.Unmarshal([]byte(r.Stdout), &out); err != nil {
		t.Fatalf("%v\n%s%s", err, r.Stdout, r.Stderr)
	}
	return out
}

// TestClientele has real clients of different ages write the log, asks whom a
// policy would shut out, applies that policy, and finds exactly those shut out.
// TLS is demanded, because rdesktop falls back to classic RDP where TLS fails.
func TestClientele(t *testing.T) {
	suites := []lab.Suite{lab.Trixie}
	if os.Getenv("XRDPFIX_ALL") != "" {
		suites = lab.Suites()
	}
	for _, s := range suites {
		t.Run(string(s), func(t *testing.T) {
			t.Parallel()
			m := start(t, s)
			m.Must(t, own)
			for _, v := range visitors {
				m.Must(t, "ip addr add "+v.addr+"/32 dev lo")
			}
			m.apply(t, "--profile", "legacy", "--for", "ever")
			var before []string
			for _, v := range visitors {
				if v.connect(t, m, v.addr) {
					before = append(before, v.addr)
				}
			}
			if len(before) < len(visitors) {
				t.Fatalf("only %q come in by TLS 1.0 to 1.3: the harness is not what it should be", before)
			}
			for _, step := range [][]string{
				{"--profile", "intermediate", "--security-layer", "tls"},
				{"--profile", "modern", "--security-layer", "tls"},
			} {
				before = m.appliesAsForetold(t, before, step)
			}
		})
	}
}

// appliesAsForetold compares the plan with what real clients then meet, and
// returns those that still come in.
func (m *machine) appliesAsForetold(t *testing.T, came, step []string) (still []string) {
	t.Helper()
	foretold := m.clientele(t, step...)
	var lose []string
	for _, c := range foretold.Clientele.Clients {
		switch {
		case c.Fate == "lose" && slices.Contains(came, c.Address):
			lose = append(lose, c.Address)
		case c.Fate == "unknown":
			t.Errorf("%q: %s is unknown, though TLS 1.3 was on offer all the time", step, c.Address)
		}
	}
	m.apply(t, step...)
	var lost []string
	for _, v := range visitors {
		in := v.connect(t, m, v.addr)
		if in {
			still = append(still, v.addr)
		} else if slices.Contains(came, v.addr) {
			lost = append(lost, v.addr)
		}
	}
	slices.Sort(lose)
	slices.Sort(lost)
	if len(lose) == 0 || !slices.Equal(lose, lost) {
		t.Errorf("%q: foretold that %q lose access, and it is %q", step, lose, lost)
	}
	t.Logf("%q: foretold and seen to lose access: %q", step, lost)
	return still
}
