//go:build lab

package clients_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"xrdpfix/clients"
	"xrdpfix/internal/lab"
	"xrdpfix/probe"
)

func all() bool { return os.Getenv("XRDPFIX_ALL") != "" }

// truth is one real connection beside what the tables say of it.
type truth struct {
	row, key       string
	real           outcome
	asked, derived outcome
	why            string
}

func (v truth) agrees() bool { return v.asked == v.real }

// contradicts: the table of the survey alone may leave a client open, and must not be wrong about it.
func (v truth) contradicts() bool {
	return v.derived.connects != clients.ConnectsOpen && (v.derived.connects != v.real.connects || v.derived.tls != v.real.tls)
}

func of(r clients.Row) outcome {
	o := outcome{r.Connects, r.TLS, r.Cipher}
	if o.connects != clients.ConnectsYes {
		o.tls, o.cipher = "", ""
	}
	return o
}

// TestTruth runs the real clients against real servers and compares how they fare with the tables. With XRDPFIX_ALL=1
// each row is on each suite, and docs/client-truth.md is written; else each day has its own few rows and its own suite.
func TestTruth(t *testing.T) {
	var mu sync.Mutex
	seen := map[lab.Suite][]truth{}
	versions := map[lab.Suite]string{}
	t.Run("suites", func(t *testing.T) {
		for _, suite := range suitesToday() {
			t.Run(string(suite), func(t *testing.T) {
				if all() {
					t.Parallel()
				}
				m := startServer(t, suite)
				for _, row := range rowsToday() {
					list := m.compare(t, row)
					mu.Lock()
					seen[suite] = append(seen[suite], list...)
					mu.Unlock()
				}
				mu.Lock()
				defer mu.Unlock()
				versions[suite] = fmt.Sprintf("xrdp %s, OpenSSL %s", m.Image.Versions["xrdp"], m.Image.Versions["openssl"])
			})
		}
	})
	text := report(seen, versions)
	t.Log(text[strings.LastIndex(text, "\n## "):])
	if all() && !t.Failed() {
		if err := os.WriteFile("../docs/client-truth.md", []byte(text), 0o644); err != nil {
			t.Error(err)
		}
	}
}

// day turns the rows over, so that a week of runs has had all.
func day() int { return time.Now().YearDay() }

func suitesToday() []lab.Suite {
	suites := lab.Suites()
	if all() {
		return suites
	}
	return suites[day()%len(suites):][:1]
}

func rowsToday() []truthRow {
	if all() {
		return truthRows
	}
	const parts = 7
	var rows []truthRow
	for i := day() % parts; i < len(truthRows); i += parts {
		rows = append(rows, truthRows[i])
	}
	return rows
}

// compare runs all clients against one configuration.
func (m *server) compare(t *testing.T, row truthRow) []truth {
	t.Helper()
	m.configure(t, row.settings)
	s := clients.NewServer(probe.Survey(t.Context(), m.addr, probe.SurveyOptions{}), "", time.Now())
	s.MAC = clients.MACVerified // all three suites have the patch
	derived := s.Table()
	if err := s.AskAll(t.Context(), probe.Options{}); err != nil {
		t.Fatal(err)
	}
	var list []truth
	for i, r := range s.Table() {
		for _, p := range programs {
			// Remmina and KRDC cost six seconds a connection, and have FreeRDP 2 inside.
			if p.key != r.Key || p.windowed() && (!all() || m.Image.Suite != lab.Bookworm) {
				continue
			}
			v := truth{row: row.name, key: p.key, real: m.real(t.Context(), t, p), asked: of(r), derived: of(derived[i]), why: r.WhyNot}
			if !v.agrees() || v.contradicts() {
				t.Errorf("%s, %s: really %q; the table says %q (%s), from the survey alone %q (%s)",
					v.row, v.key, v.real, v.asked, v.why, v.derived, derived[i].WhyNot)
			}
			list = append(list, v)
		}
	}
	return list
}

// report is docs/client-truth.md.
func report(seen map[lab.Suite][]truth, versions map[lab.Suite]string) string {
	var b strings.Builder
	b.WriteString(`# The table of clients, and real clients

Each line is one configuration of a real xrdp; each column is a real client that
was run against it, and what the table of "xrdpfix probe" said beforehand. Made by
XRDPFIX_ALL=1 go test -tags lab -run TestTruth ./clients.

"yes 1.3": connected with TLS 1.3. "weak": with classic RDP security only. A cell
has what the client really did; where the table said otherwise, that follows in
brackets. The cipher suites were compared too.
`)
	var configurations, connections, agree, open, wrong int
	for _, suite := range lab.Suites() {
		list := seen[suite]
		if len(list) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n## %s: %s\n\n| configuration |", suite, versions[suite])
		var keys []string
		for _, v := range list {
			if v.row == list[0].row {
				keys = append(keys, v.key)
				b.WriteString(" " + v.key + " |")
			}
		}
		b.WriteString("\n|---|" + strings.Repeat("---|", len(keys)))
		for _, v := range list {
			if v.key == keys[0] {
				configurations++
				b.WriteString("\n| " + v.row + " |")
			}
			connections++
			cell := strings.TrimSpace(v.real.connects + " " + strings.TrimPrefix(v.real.tls, "TLS "))
			if v.agrees() {
				agree++
			} else {
				cell += " (" + v.asked.String() + ")"
			}
			if v.derived.connects == clients.ConnectsOpen {
				open++
			} else if v.contradicts() {
				wrong++
			}
			b.WriteString(" " + cell + " |")
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "\n## In all\n\n%d configurations, %d connections of real clients. With the clients' own ClientHellos\nthe table agrees with %d of %d. From the few connections of a survey alone it\nleaves %d open and is wrong about %d.\n",
		configurations, connections, agree, connections, open, wrong)
	return b.String()
}

// TestCaptures compares the ClientHellos on file with those of the real programs. With XRDPFIX_ALL=1 it writes those that
// differ.
func TestCaptures(t *testing.T) {
	for _, p := range programs {
		profile, _ := clients.ByKey(p.key)
		if p.key == "freerdp-nla" { // leaves before it says hello
			continue
		}
		if p.key == "krdc" && !all() { // its image is large, and its xfreerdp is freerdp2
			continue
		}
		records := hello(t, p)
		got, err := probe.ParseClientHello(records)
		if err != nil {
			t.Errorf("%s: %v", p.key, err)
			continue
		}
		if want := shape(profile.Hello); shape(got) != want {
			t.Errorf("%s says hello with\n%s\nthe capture of %s has\n%s", p.key, shape(got), profile.Of, want)
		}
	}
}

// shape leaves out what differs from one connection to the next, and the name of the server.
func shape(h probe.ClientHello) string {
	types := []uint16{}
	for _, e := range h.Extra {
		types = append(types, e.Type)
	}
	h.Extra, h.ServerName = nil, ""
	return fmt.Sprintf("%+v with %d", h, types)
}
