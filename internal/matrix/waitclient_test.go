//go:build lab

package matrix

import (
	"encoding/json"
	"testing"

	"xrdpfix/internal/lab"
)

// waitedReport is what the tests read of apply --wait-client.
type waitedReport struct {
	Exit   struct{ Code int }
	Waited *struct {
		Connection *struct{ Client, Outcome, Got, Cause string }
	}
}

// awaiting runs an apply that waits for a client, while connect is called again and
// again: what came before the change was proven is not what is waited for.
func (m *machine) awaiting(t *testing.T, connect func(), args ...string) waitedReport {
	t.Helper()
	type ran struct {
		lab.Result
		err error
	}
	done := make(chan ran, 1)
	go func() {
		r, err := m.Run(t.Context(), lab.Cmd{Args: append([]string{"xrdpfix", "--json", "apply"}, args...)})
		done <- ran{r, err}
	}()
	for {
		select {
		case r := <-done:
			var out waitedReport
			if err := json.Unmarshal([]byte(r.Stdout), &out); err != nil || r.err != nil || out.Waited == nil {
				t.Fatalf("%v, %v: waited %v\n%s%s", r.err, err, out.Waited, r.Stdout, r.Stderr)
			}
			if out.Exit.Code != r.Code {
				t.Errorf("status %d, in JSON %d", r.Code, out.Exit.Code)
			}
			return out
		default:
			connect()
		}
	}
}

// TestWaitClient waits for a real client that comes in, for one that does not, and
// for one that never comes.
func TestWaitClient(t *testing.T) {
	onEach(t, func(t *testing.T, m *machine) {
		m.Must(t, own+"ip addr add 192.0.2.14/32 dev lo; ip addr add 192.0.2.15/32 dev lo")
		r := m.awaiting(t, func() {
			m.client(t, "/v:192.0.2.15", "/sec:nla") // not the one waited for
			m.client(t, "/v:192.0.2.14", "/sec:tls")
		}, "--wait-client", "60s", "--from", "192.0.2.14")
		if c := r.Waited.Connection; c == nil || r.Exit.Code != 0 || c.Client != "192.0.2.14" || c.Outcome != "connected-tls" || c.Got != "TLS 1.3" {
			t.Errorf("a client with TLS: %+v, status %d", c, r.Exit.Code)
		}
		r = m.awaiting(t, func() { m.client(t, "/v:192.0.2.14", "/sec:nla") }, "--wait-client", "60s")
		if c := r.Waited.Connection; c == nil || r.Exit.Code != 3 || c.Outcome != "failed" || c.Cause != "client-requires-nla" {
			t.Errorf("a client that insists on NLA: %+v, status %d", c, r.Exit.Code)
		}
		r = m.awaiting(t, func() { m.client(t, "/v:192.0.2.14", "/sec:tls") }, "--wait-client", "2s", "--from", "192.0.2.99")
		if c := r.Waited.Connection; c != nil || r.Exit.Code != 3 {
			t.Errorf("nobody: %+v, status %d", c, r.Exit.Code)
		}
	})
}
