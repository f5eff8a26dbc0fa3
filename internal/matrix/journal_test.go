//go:build lab

package matrix

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"xrdpfix/internal/lab"
)

// connections runs xrdpfix log and returns its connections, "NAME outcome".
func (m *machine) connections(t *testing.T, args ...string) []string {
	t.Helper()
	r, err := m.Run(t.Context(), lab.Cmd{Args: append([]string{"xrdpfix", "--json", "log"}, args...)})
	if err != nil || r.Code != 0 {
		t.Fatalf("%v, status %d: %s%s", err, r.Code, r.Stdout, r.Stderr)
	}
	var list []string
	for line := range strings.Lines(r.Stdout) {
		var doc struct {
			Connection *struct{ Name, Outcome, Got, Cause string }
		}
		if err := json.Unmarshal([]byte(line), &doc); err != nil {
			t.Fatal(err)
		}
		if c := doc.Connection; c != nil {
			list = append(list, fmt.Sprintf("%s %s %s %s", c.Name, c.Outcome, c.Got, c.Cause))
		}
	}
	return list
}

// TestJournal: a server that writes to no file is told of by the journal, with the
// same words as by xrdp.log, and xrdp.log is not missed.
func TestJournal(t *testing.T) {
	t.Parallel()
	m := start(t, lab.Bookworm)
	m.Must(t, own)
	m.apply(t)
	m.Must(t, "sleep 3") // failures from the address of our own survey count as its own for two seconds
	connect := func(round string) {
		m.client(t, "/sec:tls", "/client-hostname:A"+round)
		m.client(t, "/sec:tls", "+enforce-tlsv1_2", "/client-hostname:B"+round)
		m.client(t, "/sec:nla")
	}
	connect("1")
	m.Must(t, "journalctl --sync")
	file := m.connections(t)
	journal := m.connections(t, "--journal")
	want := []string{"A1 connected-tls TLS 1.3 ", "B1 connected-tls TLS 1.2 ", " failed TLS client-requires-nla"}
	if fmt.Sprint(file) != fmt.Sprint(want) || fmt.Sprint(journal) != fmt.Sprint(want) {
		t.Errorf("from the file %q, from the journal %q, want %q", file, journal, want)
	}
	m.Must(t, `sed -i 's#^LogFile=.*#LogFile=/dev/null#' /etc/xrdp/xrdp.ini; systemctl restart xrdp`)
	m.listening(t)
	connect("2")
	want = append(want, "A2 connected-tls TLS 1.3 ", "B2 connected-tls TLS 1.2 ", " failed TLS client-requires-nla")
	// xrdp may still write its last lines when the client is gone, and the journal
	// takes its time with them.
	got := m.connections(t)
	for try := 0; try < 50 && fmt.Sprint(got) != fmt.Sprint(want); try++ {
		m.Must(t, "sleep 0.1; journalctl --sync")
		got = m.connections(t)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("without a file: %q, want %q", got, want)
	}
	lose := ""
	for _, c := range m.clientele(t, "--profile", "modern").Clientele.Clients {
		if c.Fate == "lose" {
			lose += c.Name + " "
		}
	}
	if lose != "B2 B1 " {
		t.Errorf("plan --clients from the journal foretells that %q lose access", lose)
	}
}
