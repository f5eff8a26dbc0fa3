//go:build lab

package matrix

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"xrdpfix/explain"
	"xrdpfix/internal/lab"
)

// explained is a server, a client, and what explain says of its error.
type explained struct {
	ini  string // edits of xrdp.ini, for sed
	args []string
	// errconnect is what the client prints, "" for no such line, and code its exit
	// status.
	errconnect string
	code       int
	// log are words of xrdp.log, and says is what explain has of them.
	log, says string
}

var explainedErrors = []explained{
	{"", []string{"/sec:nla"}, "ERRCONNECT_SECURITY_NEGO_CONNECT_FAILED", 133, "unexpected eof", "SSL_accept and unexpected eof"},
	{"", []string{"/sec:rdp"}, "", 131, "MAC checksum error", "MAC checksum error"},
	{"", []string{"/sec:tls", "/cert:deny"}, "ERRCONNECT_TLS_CONNECT_FAILED", 143, "selected [SSL]", "/cert:deny"},
	{"s/^ssl_protocols=.*/ssl_protocols=none/", nil, "ERRCONNECT_TLS_CONNECT_FAILED", 143, "no protocols available", "no protocols available"},
	{"s/^security_layer=.*/security_layer=rdp/", []string{"/sec:tls"}, "ERRCONNECT_SECURITY_NEGO_CONNECT_FAILED", 133, "selected [RDP]", "selected [RDP]"},
	{"s/^security_layer=.*/security_layer=rdp/", nil, "", 131, "MAC checksum error", "without /sec where xrdp offers no TLS"},
	{"s/^security_layer=.*/security_layer=tls/", []string{"/sec:rdp"}, "ERRCONNECT_CONNECT_TRANSPORT_FAILED", 147, "did not request TLS", "the client did not request TLS"},
	{"s/^security_layer=.*/security_layer=tls/;s|^certificate=.*|certificate=/none.pem|", nil, "ERRCONNECT_SECURITY_NEGO_CONNECT_FAILED", 133, "selected []", "selected []"},
}

// TestExplainFreeRDP brings about what explain says that it saw.
func TestExplainFreeRDP(t *testing.T) {
	suites := []lab.Suite{lab.Trixie}
	if os.Getenv("XRDPFIX_ALL") != "" {
		suites = append(suites, lab.Bookworm)
	}
	clients := map[string]func(context.Context, *lab.Host, ...string) (lab.ClientResult, error){"FreeRDP 2": lab.FreeRDP, "FreeRDP 3": lab.FreeRDP3}
	for _, suite := range suites {
		t.Run(string(suite), func(t *testing.T) {
			t.Parallel()
			m := start(t, suite)
			m.listening(t)
			m.Must(t, "xrdpfix apply --cert renew >/dev/null && cp -a /etc/xrdp/xrdp.ini /root/good.ini")
			for _, c := range explainedErrors {
				for name, connect := range clients {
					m.Must(t, fmt.Sprintf("cp -a /root/good.ini /etc/xrdp/xrdp.ini && sed -i '%s' /etc/xrdp/xrdp.ini && : >/var/log/xrdp.log", c.ini))
					c.holds(t, m, name, connect)
				}
			}
		})
	}
}

func (c *explained) holds(t *testing.T, m *machine, name string, connect func(context.Context, *lab.Host, ...string) (lab.ClientResult, error)) {
	t.Helper()
	args := append([]string{"+auth-only"}, c.args...)
	r, err := connect(t.Context(), m.Host, args...)
	if err != nil {
		t.Fatal(err)
	}
	if r.Code != c.code || c.errconnect == "" && strings.Contains(r.Output, "ERRCONNECT_") || !strings.Contains(r.Output, c.errconnect) {
		t.Errorf("%s %v, %q: status %d, want %d and %q\n%s", name, c.args, c.ini, r.Code, c.code, c.errconnect, r.Output)
	}
	// The server may write its last lines after the client has left.
	wait := fmt.Sprintf("for i in $(seq 200); do grep -qF '%s' /var/log/xrdp.log && break; sleep 0.1; done; cat /var/log/xrdp.log", c.log)
	if log := m.Must(t, wait); !strings.Contains(log, c.log) {
		t.Errorf("%s %v, %q: xrdp.log has no %q\n%s", name, c.args, c.ini, c.log, log)
	}
	text := c.errconnect
	if text == "" {
		text = fmt.Sprintf("xfreerdp exit status %d", r.Code)
	}
	found := explain.Find(text).Matches
	if len(found) == 0 || found[0].Entry.Known != explain.Measured || !strings.Contains(found[0].Entry.Text, c.says) {
		t.Errorf("explain %s says nothing of %q: %+v", text, c.says, found)
	}
}
