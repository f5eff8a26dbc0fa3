package explain

import (
	"strings"
	"testing"
)

// TestFind has what people paste, and the entries that must come of it, in order.
func TestFind(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"key-unreadable", "key-unreadable"},
		{"  Key-Unreadable \n", "key-unreadable"},
		{"guide", "guide"},
		{"TLS certificate verification failed", "tls-certificate-verification-failed"},
		{"the user name or password is incorrect", "mstsc-password-asked-again"},
		{"An authentication error has occurred.\n\nThe function requested is not supported", "mstsc-function-not-supported"},
		{"security protocol negotiation failed", "mstsc-tls-required"},

		// mstsc, as its window shows it.
		{"0x904", "mstsc-904"},
		{"Error code: 0x904\nExtended error code: 0x7\nTimestamp (UTC): 11/08/21 11:24:10 AM", "mstsc-904 mstsc-extended-7"},
		{"0x0204", "mstsc-204 macos-204"},
		{"mstsc 0x204", "mstsc-204"},
		{"error 2308", "mstsc-904"},
		{"0x907", "mstsc-undocumented"},
		{"mac 0x2104", "macos-2104"},
		{"0x1b07", "mstsc-1b07"},

		// FreeRDP, with its prefix.
		{"[10:01:02:123] [42:43] [ERROR][com.freerdp.core] - transport_ssl_cb:freerdp_set_last_error_ex ERRCONNECT_SECURITY_NEGO_CONNECT_FAILED [0x0002000C]", "freerdp-security-nego-connect-failed"},
		{"ERRCONNECT_TLS_CONNECT_FAILED", "freerdp-tls-connect-failed"},
		{"0x00020008", "freerdp-tls-connect-failed"},
		{"xfreerdp exit status 133", "freerdp-security-nego-connect-failed"},
		{"131", "freerdp-exit-131"},
		{"SSL_CERT_NOT_ON_SERVER", "freerdp-neg-failure"},

		{"Guacamole error 519", "guacamole-519"},
		{"guacd[31120]: RDP server closed/refused connection: SSL/TLS connection failed (untrusted/self-signed certificate?)", "guacamole-untrusted"},
		{"Server refused connection (wrong security type?)", "guacamole-wrong-security"},
		{"Could not connect to the RDP server \u201cdesk01\u201d via TLS. See the DEBUG traces from a terminal for more information.", "remmina-tls"},

		// Windows events and status values.
		{"TermDD 56", "termdd-56"},
		{"TermDD event 56: 00000400010000000000000038000AC00000000038000AC000000000000000000000000000000000840100D0", "status-invalid-device-state termdd-56"},
		{"TermDD 56 D0: 84 01 00 D0", "status-invalid-device-state termdd-56"},
		{"Schannel 36887", "schannel-36887"},
		{"Event ID 36874, Schannel", "schannel-36874"},
		{"36871", "schannel-36871"},
		{"RDPClient 1026: RDP ClientActiveX has been disconnected (Reason= 2308)", "rdpclient-1026 mstsc-904"},
		{"0xC000006D", "status-logon-failure"},
		{"D0000184", "status-invalid-device-state"},
		{"0x80090302", "sec-e-unsupported-function"},
		{"-2146893054", "sec-e-unsupported-function"},
		{"STATUS_LOGON_FAILURE", "status-logon-failure"},

		// Lines of xrdp.log, with the whole prefix, a part of it, and without.
		{"[20261122-14:09:02] [ERROR] Cannot read private key file /etc/xrdp/key.pem: Permission denied", "key-not-readable"},
		{"[2026-11-22T14:15:11.938+0000] [ERROR] Cannot read private key file /etc/xrdp/key.pem: Permission denied", "key-not-readable"},
		{"Nov 22 14:09:02 desk01 xrdp[123]: [ERROR] Cannot read private key file /etc/xrdp/key.pem: Permission denied", "key-not-readable"},
		{"[ERROR] Cannot read private key file /etc/xrdp/key.pem: Permission denied", "key-not-readable"},
		{"Cannot read private key file /etc/xrdp/key.pem: Permission denied", "key-not-readable"},
		{"SSL: error:0A000102:SSL routines::unsupported protocol", "openssl-unsupported-protocol"},
		{"error:0A000102:SSL routines::unsupported protocol", "openssl-unsupported-protocol"},
		{"4057A1:error:0A0000C1:SSL routines:tls_post_process_client_hello:no shared cipher:../ssl/statem/statem_srvr.c:2220:", "openssl-no-shared-cipher"},
		{"no suitable signature algorithm", "openssl-no-suitable-signature"},
		{"SSL routines::no shared cipher", "openssl-no-shared-cipher"},
		{"libxrdp_force_read: header read error", "noise-read-header"},
		{"noise-read-header", "noise-read-header"},
		// The line that proves a cause comes before the noise around it.
		{"[20261122-14:09:02] [ERROR] libxrdp_force_read: header read error\n[20261122-14:09:02] [ERROR] SSL: error:0A000102:SSL routines::unsupported protocol\n", "openssl-unsupported-protocol noise-read-header"},

		// Escape sequences hide nothing and reach nobody.
		{"\x1b[31mTLS certificate\x1b[0m verification\x1b]0;title\x07 failed", "tls-certificate-verification-failed"},
		{"\x1b]8;;http://x\x1b\\0x904\x1b]8;;\x1b\\", "mstsc-904"},

		// What is not known has no match, and numbers of times and addresses none.
		{"0x1234", ""},
		{"the cow jumped over the moon", ""},
		{"disconnected at 10:02:03 from 192.0.2.3", ""},
		{"", ""},
		{"\x1b[2J", ""},
	} {
		var got []string
		for _, m := range Find(tt.text).Matches {
			got = append(got, m.ID)
			if m.Heard == "" || strings.ContainsAny(m.Heard, "\x1b\x07") {
				t.Errorf("Find(%q): %s was heard as %q", tt.text, m.ID, m.Heard)
			}
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("Find(%q) = %q, want %q", tt.text, strings.Join(got, " "), tt.want)
		}
	}
}

// TestFindNumbers: a text of nothing but numbers is looked through once, and not
// once for each of them.
func TestFindNumbers(t *testing.T) {
	long := strings.Repeat("1 ", maxText/2)
	at := []int{len(long) - 2, len(long) - 1}
	if n := len(before(long, at)); n == 0 || n > 200 {
		t.Errorf("%d bytes before a number are read", n)
	}
	if a := Find("termdd " + long); len(a.Matches) > 0 {
		t.Errorf("%d matches", len(a.Matches))
	}
	if got := before("exit 131", []int{5, 8}); got != "exit " {
		t.Errorf("before 131 stands %q", got)
	}
}

// TestHeard: what was made of a number is shown.
func TestHeard(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"TermDD 56 840100D0", "840100D0, bytes reversed: D0000184, without 0x10000000: C0000184"},
		{"0xD0000184", "0xD0000184, without 0x10000000: C0000184"},
		{"TermDD 56 00 00 00 00 12 34 00 D0", "123400D0, bytes reversed: C0003412, which is not in the list here"},
	} {
		a := Find(tt.text)
		if len(a.Matches) == 0 || a.Matches[0].Heard != tt.want && a.Matches[len(a.Matches)-1].Heard != tt.want {
			t.Errorf("Find(%q) heard %+v, want %q", tt.text, a.Matches, tt.want)
		}
	}
}

// TestNear: what is nearest is offered, never as a match.
func TestNear(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"key-unreadble", "key-unreadable"},
		{"key unreadable", "key-unreadable"},
		{"nla", "client-requires-nla"},
		{"certificate expired somehow", "cert-expired"},
		{"Cannot read private key /etc/xrdp/key.pem", "key-not-readable"},
	} {
		a := Find(tt.text)
		found := false
		for _, e := range a.Near {
			found = found || e.ID == tt.want
		}
		if len(a.Matches) > 0 || !found {
			t.Errorf("Find(%q) = %d matches, near %v; want %s among the near", tt.text, len(a.Matches), ids(a.Near), tt.want)
		}
	}
	if a := Find("0x1234"); len(a.Near) > 0 {
		t.Errorf("an unknown code is near to %v", ids(a.Near))
	}
}

func ids(entries []Entry) []string {
	var out []string
	for _, e := range entries {
		out = append(out, e.ID)
	}
	return out
}
