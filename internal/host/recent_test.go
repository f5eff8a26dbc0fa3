package host

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"xrdpfix/diagnose"
)

// The lines of connections, as xrdp 0.9.21.1 wrote them on bookworm, after the
// time stamp. %s is the peer.
const (
	logAccept = "[INFO ] Socket 12: AF_INET6 connection received from ::ffff:%s port %d\n"
	logHybrid = "[INFO ] Security protocol: configured [SSL|RDP], requested [SSL|HYBRID|RDP], selected [SSL]\n"
	logSSL    = "[INFO ] Security protocol: configured [SSL|RDP], requested [SSL|RDP], selected [SSL]\n"
	logEOF    = "[ERROR] SSL_accept: Failure in SSL library (protocol error?)\n[ERROR] SSL: error:0A000126:SSL routines::unexpected eof while reading\n"
	logOld    = "[ERROR] SSL_accept: Failure in SSL library (protocol error?)\n[ERROR] SSL: error:0A000102:SSL routines::unsupported protocol\n"
	logTLSEnd = "[ERROR] trans_set_tls_mode: ssl_tls_accept failed\n[ERROR] xrdp_sec_incoming: trans_set_tls_mode failed\n" +
		"[ERROR] xrdp_rdp_incoming: xrdp_sec_incoming failed\n[ERROR] xrdp_process_main_loop: libxrdp_process_incoming failed\n"
	logHangUp = "[ERROR] libxrdp_force_read: header read error\n[ERROR] [ITU-T X.224] Connection Sequence: CR-TPDU (Connection Request) failed\n" +
		"[ERROR] xrdp_sec_incoming: xrdp_iso_incoming failed\n[ERROR] xrdp_rdp_incoming: xrdp_sec_incoming failed\n[ERROR] xrdp_process_main_loop: libxrdp_process_incoming failed\n"
	logName = "[INFO ] Connected client computer name: %s\n"
	logIn   = "[INFO ] TLS connection established from ::ffff:%s port %d: %s with cipher TLS_AES_256_GCM_SHA384\n"
)

// chapter is the log of connections at one time each.
type chapter struct {
	at    time.Time
	lines string
}

func writeLog(t *testing.T, path string, chapters ...chapter) {
	t.Helper()
	var b strings.Builder
	for _, c := range chapters {
		for line := range strings.Lines(c.lines) {
			b.WriteString(c.at.In(time.Local).Format("[20060102-15:04:05] ") + line)
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

func nla(addr string) string {
	return fmt.Sprintf(logAccept, addr, 40000) + logHybrid + logEOF + logTLSEnd
}
func tooOld(addr string) string {
	return fmt.Sprintf(logAccept, addr, 40001) + logSSL + logOld + logTLSEnd
}
func cameIn(addr, name, version string) string {
	return fmt.Sprintf(logAccept, addr, 40002) + logSSL + fmt.Sprintf(logName, name) + fmt.Sprintf(logIn, addr, 40002, version)
}
func hungUp(addr string) string { return fmt.Sprintf(logAccept, addr, 40003) + logHangUp }

func TestRecent(t *testing.T) {
	root := t.TempDir()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	at := func(minutes int) time.Time { return now.Add(time.Duration(minutes-60) * time.Minute) }
	writeLog(t, root+"/var/log/xrdp.log",
		chapter{now.AddDate(0, 0, -31), tooOld("198.51.100.99")},
		chapter{at(1), nla("198.51.100.1")},
		chapter{at(2), cameIn("198.51.100.1", "PC-ANNA", "TLSv1.2")},
		chapter{at(3), cameIn("198.51.100.1", "PC-ANNA", "TLSv1.3")},
		chapter{at(4), cameIn("198.51.100.1", "PC-ANNA", "TLSv1.2")},
		chapter{at(5), tooOld("198.51.100.2")},
		chapter{at(6), tooOld("198.51.100.2")},
		chapter{at(7), hungUp("198.51.100.3")},
		chapter{at(8), hungUp("198.51.100.1")},
		chapter{at(9), tooOld("127.0.0.1")},
		chapter{at(11), cameIn("198.51.100.4", "xrdpfix", "TLSv1.3")},
		chapter{at(12), tooOld("198.51.100.1")},
	)
	m, err := Open(Config{Root: root, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	got, err := m.recent(t.Context(), "/var/log/xrdp.log", diagnose.RecentOptions{Days: 30})
	if err != nil {
		t.Fatal(err)
	}
	fail := func(minutes int, cause diagnose.Code, likely bool, asked string) diagnose.ClientFailure {
		return diagnose.ClientFailure{Time: at(minutes), Cause: cause, Likely: likely, Asked: asked}
	}
	want := diagnose.Recent{
		Days: 30, Since: now.AddDate(0, 0, -30), Clients: 2, Connections: 7, TLS: 1,
		Causes: map[string]int{"client-requires-nla": 1, "client-tls-too-old": 3},
		ByClient: []diagnose.ClientSeen{
			{Addr: "198.51.100.1", Name: "PC-ANNA", Last: at(12), Connections: 5, TLS: "TLSv1.3",
				Failures: []diagnose.ClientFailure{fail(12, "client-tls-too-old", false, "SSL|RDP")},
				Ways: []diagnose.Way{
					// Nothing is known of what was on offer at minute 2; at 4 it was
					// TLS 1.3, which the others were given at 3 and at 11.
					{Name: "PC-ANNA", TLS: "TLSv1.2", Asked: "SSL|RDP", Count: 2, First: at(2), Last: at(4), Passed: 1},
					{Name: "PC-ANNA", TLS: "TLSv1.3", Asked: "SSL|RDP", Count: 1, First: at(3), Last: at(3)},
				}},
			{Addr: "198.51.100.2", Last: at(6), Connections: 2, Failures: []diagnose.ClientFailure{
				fail(5, "client-tls-too-old", false, "SSL|RDP"), fail(6, "client-tls-too-old", false, "SSL|RDP")}},
		},
		HungUp: []string{"127.0.0.1", "198.51.100.3"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestRecentIsBounded: of very many clients and attempts only some are kept.
func TestRecentIsBounded(t *testing.T) {
	root := t.TempDir()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	var chapters []chapter
	for i := range diagnose.MaxClients + 3 {
		chapters = append(chapters, chapter{now.Add(time.Duration(i-5000) * time.Second), tooOld(fmt.Sprintf("198.51.%d.%d", i/250, i%250+1))})
	}
	for i := range diagnose.MaxFailures + 2 {
		chapters = append(chapters, chapter{now.Add(time.Duration(i-100) * time.Second), nla("203.0.113.7")})
	}
	writeLog(t, root+"/var/log/xrdp.log", chapters...)
	m, err := Open(Config{Root: root, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	got, err := m.recent(t.Context(), "/var/log/xrdp.log", diagnose.RecentOptions{Days: 30})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.ByClient) != diagnose.MaxClients || got.Left != 4 || got.Clients != diagnose.MaxClients+4 {
		t.Errorf("%d clients, %d kept, %d left", got.Clients, len(got.ByClient), got.Left)
	}
	first := got.ByClient[0]
	if f := first.Failures; first.Addr != "203.0.113.7" || len(f) != diagnose.MaxFailures || !f[len(f)-1].Time.Equal(now.Add(-79*time.Second)) {
		t.Errorf("the first client: %+v", first)
	}
}

func TestHistoryStart(t *testing.T) {
	dir := t.TempDir()
	log := dir + "/x[1].log"
	day := func(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }
	var chapters []chapter
	for n := 10; n <= 20; n++ {
		chapters = append(chapters, chapter{day(n), nla("198.51.100.1")})
	}
	writeLog(t, log, chapters...)
	info, err := os.Stat(log)
	if err != nil {
		t.Fatal(err)
	}
	size := info.Size()
	for name, mtime := range map[string]time.Time{log + ".1": day(9), log + ".2.gz": day(5)} {
		writeLog(t, name, chapters...)
		if err := os.Chtimes(name, mtime, mtime); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name  string
		since time.Time
		limit int64
		want  time.Time
	}{
		{"all of it", day(1), 12 * size, day(1)},
		{"a packed file counts tenfold", day(1), 12*size - 1, day(5).Add(1)},
		{"the log alone", day(1), 2*size - 1, day(9).Add(1)},
		{"later than all that", day(18), size, day(18)},
		{"a part of the log", day(1), size / 2, day(15)},
		{"a part, and later still", day(19), size / 2, day(19)},
	} {
		if got := historyStart(log, tt.since, tt.limit); !got.Equal(tt.want) {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
	if got := historyStart(dir+"/none.log", day(1), 100); !got.Equal(day(1)) {
		t.Errorf("no log: got %s", got)
	}
}
