package logwatch

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// log09 and log10 put the prefixes of xrdp 0.9 and 0.10 before messages. A
// message may begin with a process id.
func log09(messages ...string) string {
	var b strings.Builder
	for i, m := range messages {
		pid, text, ok := strings.Cut(m, "> ")
		if ok {
			m = fmt.Sprintf("[pid:%s tid:1] %s", pid, text)
		}
		fmt.Fprintf(&b, "[20261122-14:09:%02d] [ERROR] %s\n", min(i, 59), m)
	}
	return b.String()
}

const (
	acceptA    = "Socket 12: AF_INET connection received from 192.0.2.1 port 1001"
	acceptB    = "Socket 12: AF_INET connection received from 192.0.2.2 port 1002"
	selectTLS  = "Security protocol: configured [SSL|RDP], requested [SSL|RDP], selected [SSL]"
	selectRDP  = "Security protocol: configured [SSL|RDP], requested [RDP], selected [RDP]"
	nameA      = "Connected client computer name: PC-A"
	nameB      = "Connected client computer name: PC-B"
	upA        = "TLS connection established from 192.0.2.1 port 1001: TLSv1.3 with cipher X"
	upB        = "TLS connection established from 192.0.2.2 port 1002: TLSv1.2 with cipher Y"
	classicB   = "Non-TLS connection established from 192.0.2.2 port 1002: with security level : high"
	acceptFail = "SSL_accept: Failure in SSL library (protocol error?)"
	tooOld     = "SSL: error:0A000102:SSL routines::unsupported protocol"
	tlsFail1   = "trans_set_tls_mode: ssl_tls_accept failed"
	tlsFail2   = "xrdp_sec_incoming: trans_set_tls_mode failed"
	fail3      = "xrdp_rdp_incoming: xrdp_sec_incoming failed"
	fail4      = "xrdp_process_main_loop: libxrdp_process_incoming failed"
	keyFail    = "Cannot read private key file /etc/xrdp/key.pem: Permission denied"
	scan1      = "[ITU-T X.224] Connection Sequence: CR-TPDU (Connection Request) failed"
	scan2      = "xrdp_sec_incoming: xrdp_iso_incoming failed"
	sessionTLS = "SSL_read: Failure in SSL library (protocol error?)"
	sessionEOF = "SSL: error:0A000126:SSL routines::unexpected eof while reading"
	macError   = "MAC checksum error for non-FIPS PDU"
	starting   = "starting xrdp with pid 50"
)

func TestInterleavedConnections(t *testing.T) {
	tests := []struct {
		name string
		log  string
		want []string
	}{
		{"one after the other", log09(acceptA, selectTLS, nameA, upA, acceptB, selectTLS, nameB, upB), []string{
			"connected-tls  | SSL|RDP | TLSv1.3 | PC-A | established",
			"connected-tls  | SSL|RDP | TLSv1.2 | PC-B | established"}},
		{"both at the same point say the same", log09(acceptA, acceptB, selectTLS, selectTLS, upB, upA), []string{
			"connected-tls  | SSL|RDP | TLSv1.2 |  | established interleaved",
			"connected-tls  | SSL|RDP | TLSv1.3 |  | established interleaved"}},
		{"both at the same point say different things", log09(acceptA, acceptB, selectTLS, selectRDP, upA, classicB), []string{
			"connected-tls  |  | TLSv1.3 |  | established interleaved",
			"connected-classic  |  | classic high |  | established interleaved"}},
		{"names cannot be told apart", log09(acceptA, selectTLS, acceptB, selectTLS, nameA, nameB, upB, upA), []string{
			"connected-tls  | SSL|RDP | TLSv1.2 |  | established interleaved",
			"connected-tls  | SSL|RDP | TLSv1.3 |  | established interleaved"}},
		{"one fails where only it can be", log09(acceptA, selectTLS, acceptB, acceptFail, selectTLS, tooOld, tlsFail1, tlsFail2, fail3, nameB, upB, fail4), []string{
			"connected-tls  | SSL|RDP | TLSv1.2 | PC-B | established",
			"failed client-tls-too-old | SSL|RDP | TLS |  |"}},
		{"the other one is established, so the failure was not its own", log09(acceptA, acceptB, selectTLS, selectTLS, acceptFail, tooOld, tlsFail1, tlsFail2, fail3, fail4, upB), []string{
			"failed client-tls-too-old | SSL|RDP | TLS |  | interleaved",
			"connected-tls  | SSL|RDP | TLSv1.2 |  | established interleaved"}},
		{"both fail alike", log09(acceptA, acceptB, keyFail, keyFail, scan1, scan1, scan2, scan2, fail3, fail3, fail4, fail4), []string{
			"unknown  |  |  |  | interleaved [key-unreadable]",
			"unknown  |  |  |  | interleaved [key-unreadable]"}},
		{"an error of a session is nobody's reason", log09(acceptA, selectTLS, acceptFail, sessionTLS, sessionEOF, tooOld, tlsFail1, tlsFail2, fail3, fail4), []string{
			"failed  | SSL|RDP | TLS |  | interleaved [client-tls-too-old]"}},
		{"ends of sessions are no business of a connection in the making", log09(acceptA, sessionTLS, sessionEOF, selectTLS, sessionTLS, nameA, upA), []string{
			"connected-tls  | SSL|RDP | TLSv1.3 | PC-A | established"}},
		{"a restart ends everything", log09(acceptA, selectTLS, starting, acceptB, selectTLS, nameB, upB), []string{
			"unknown  | SSL|RDP | TLS |  |",
			"connected-tls  | SSL|RDP | TLSv1.2 | PC-B | established"}},
		{"the beginning is missing", log09(selectTLS, nameA, upA), []string{
			"connected-tls  | SSL|RDP | TLSv1.3 | PC-A | established"}},
		{"errors only", log09(keyFail, keyFail), []string{
			"failed key-unreadable |  |  |  | noclient",
			"failed key-unreadable |  |  |  | noclient"}},
		{"noise only", log09(scan2, fail3, fail4, sessionTLS, sessionEOF), nil},
		{"classic, then its check sums do not fit", log09(acceptB, selectRDP, nameB, classicB, macError), []string{
			"failed classic-failed | RDP | classic high | PC-B | established"}},
		{"process ids", log09("1> "+acceptA, "1> "+acceptB, "3> "+selectTLS, "2> "+selectTLS, "3> "+acceptFail, "2> "+nameA, "3> "+tooOld, "2> "+upA, "3> "+fail4), []string{
			"connected-tls  | SSL|RDP | TLSv1.3 | PC-A | established pid",
			"failed client-tls-too-old | SSL|RDP | TLS |  | pid"}},
		{"process ids, both fail: addresses by the order of forks", log09("1> "+acceptA, "1> "+acceptB, "3> "+keyFail, "3> "+selectTLS, "3> "+fail4, "2> "+selectTLS, "2> "+acceptFail, "2> "+tooOld, "2> "+fail4), []string{
			"failed key-unreadable | SSL|RDP | TLS |  | pid",
			"failed client-tls-too-old | SSL|RDP | TLS |  | pid"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, c := range Group(readAll(tt.log)) {
				got = append(got, summary(c))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(tt.want, "\n  "))
			}
		})
	}
}

// TestForkOrder checks whose address a failed connection gets.
func TestForkOrder(t *testing.T) {
	var got []string
	for _, c := range Group(readAll(log09("1> "+acceptA, "1> "+acceptB, "3> "+keyFail, "3> "+selectTLS, "3> "+fail4, "2> "+selectTLS, "2> "+acceptFail, "2> "+fail4))) {
		got = append(got, fmt.Sprint(c.PID, " ", c.Client))
	}
	if want := []string{"3 192.0.2.2:1002", "2 192.0.2.1:1001"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestSilentConnections opens more connections than are kept.
func TestSilentConnections(t *testing.T) {
	var g Grouper
	n := 0
	for i := range 3 * maxOpen {
		for _, e := range readAll(log09(fmt.Sprintf("Socket 12: AF_INET connection received from 192.0.2.1 port %d", i+1))) {
			g.Add(e)
		}
		if len(g.open) > maxOpen {
			t.Fatalf("%d connections are open", len(g.open))
		}
		n += len(g.Done())
	}
	if n += len(g.Flush()); n != 3*maxOpen {
		t.Errorf("%d connections came out, want %d", n, 3*maxOpen)
	}
}
