//go:build lab

package probe_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"xrdpfix/internal/lab"
	"xrdpfix/probe"
)

// pairs makes certificates and keys that the daemon of every suite can read.
const pairs = `
mkdir -p /etc/xrdp/t && cd /etc/xrdp/t
make() { openssl req -x509 -newkey $2 -nodes -keyout $1.key -out $1.pem -days 30 -subj /CN=$1 2>/dev/null; }
make good rsa:2048
make other rsa:2048
make small rsa:1024
make ec "ec -pkeyopt ec_paramgen_curve:P-256"
openssl req -x509 -key good.key -out expired.pem -subj /CN=expired -days 1 -not_before 20200101000000Z -not_after 20200201000000Z 2>/dev/null ||
openssl x509 -in good.pem -signkey good.key -days -1 -out expired.pem 2>/dev/null
openssl x509 -in good.pem -outform DER -out good.der
openssl rsa -in good.key -aes128 -passout pass:x -out locked.key 2>/dev/null
install -m 0600 /dev/null empty.key
chmod 0755 .; chmod 0644 *
install -m 0000 good.key unreadable.key
`

// machine is a host of the lab with the means to change what its xrdp reads at the next connection.
type machine struct {
	*lab.Host
	addr  string
	stock []byte
}

func start(t *testing.T, suite lab.Suite) *machine {
	t.Helper()
	m := &machine{Host: lab.Start(t, suite, lab.WithVeth)}
	host, _ := m.Addr()
	m.addr = probe.WithPort(host.String())
	m.Must(t, pairs)
	stock, err := m.ReadFile(t.Context(), "/etc/xrdp/xrdp.ini")
	if err != nil {
		t.Fatal(err)
	}
	m.stock = stock
	t.Logf("%s: %v", suite, m.Image.Versions)
	return m
}

// configure writes the stock xrdp.ini with a good pair and the given settings, "key=value".
func (m *machine) configure(t *testing.T, settings ...string) {
	t.Helper()
	ini := m.stock
	for _, s := range append([]string{"certificate=/etc/xrdp/t/good.pem", "key_file=/etc/xrdp/t/good.key"}, settings...) {
		key, _, _ := strings.Cut(s, "=")
		line := regexp.MustCompile(`(?m)^[#;]?` + key + `=.*$`)
		if !line.Match(ini) {
			t.Fatalf("no line %s= in the stock xrdp.ini", key)
		}
		done := false
		ini = line.ReplaceAllFunc(ini, func(old []byte) []byte {
			if done {
				return old
			}
			done = true
			return []byte(s)
		})
	}
	if err := m.WriteFile(t.Context(), "/etc/xrdp/xrdp.ini", ini, 0o644); err != nil {
		t.Fatal(err)
	}
}

// logged waits until xrdp.log has a line with all the words.
func (m *machine) logged(t *testing.T, words ...string) string {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		log, err := m.ReadFile(t.Context(), "/var/log/xrdp.log")
		if err != nil {
			t.Fatal(err)
		}
	line:
		for line := range bytes.Lines(log) {
			for _, w := range words {
				if !bytes.Contains(line, []byte(w)) {
					continue line
				}
			}
			return string(line)
		}
	}
	t.Errorf("xrdp.log has no line with %q", words)
	return ""
}

// established gives the words of the line that xrdp logs for a connection that came to the end.
func (m *machine) established(r probe.Result) []string {
	what := "Non-TLS connection established from"
	if r.TLS != nil {
		what = "TLS connection established from"
	}
	if strings.HasPrefix(m.Image.Versions["xrdp"], "0.9") {
		return []string{what, fmt.Sprintf("::ffff:%s port %d:", r.Local.Addr(), r.Local.Port())}
	}
	return []string{what, fmt.Sprintf("[::ffff:%s]:%d ", r.Local.Addr(), r.Local.Port())}
}

func TestLab(t *testing.T) {
	for _, suite := range lab.Suites() {
		t.Run(string(suite), func(t *testing.T) {
			m := start(t, suite)
			t.Run("signatures", m.signatures)
			t.Run("versions", m.versions)
		})
	}
}

// wire is what a connection showed, as far as a fault of the configuration decides it.
type wire struct {
	Reached  probe.Stage
	Selected string
	Kind     probe.Kind
	Detail   string // alert or failure code
}

func observe(r probe.Result) wire {
	w := wire{Reached: r.Reached}
	if r.Negotiation != nil && r.Negotiation.FailureCode == 0 {
		w.Selected = r.Negotiation.Selected.String()
	}
	if f := r.Failure; f != nil {
		w.Kind, w.Detail = f.Kind, f.AlertName
		if f.Kind == probe.KindNegotiationFailure {
			w.Detail = r.Negotiation.FailureCode.String()
		}
	}
	return w
}

// served compares the certificate on the wire with the file that xrdp.ini names.
func (m *machine) served(t *testing.T, info *probe.TLSInfo) {
	t.Helper()
	out := m.Must(t, `file=$(sed -n 's/^certificate=//p' /etc/xrdp/xrdp.ini)
		openssl x509 -in $file -noout -fingerprint -sha256; openssl x509 -in $file -noout -fingerprint -sha1`)
	for _, sum := range []string{info.Fingerprints[0].SHA256, info.Fingerprints[0].SHA1} {
		if !strings.Contains(out, "="+sum+"\n") {
			t.Errorf("served %s, the file has\n%s", sum, out)
		}
	}
}

func (m *machine) signatures(t *testing.T) {
	ssl := probe.Options{Requested: probe.ProtocolSSL}
	upTo12, upTo10, cbc := ssl, ssl, ssl
	upTo12.MaxVersion = tls.VersionTLS12
	upTo10.MaxVersion = tls.VersionTLS10
	cbc.MaxVersion, cbc.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}
	var rdp probe.Options
	bare := probe.Options{NoNegotiation: true}

	setupFailed := wire{probe.StageNegotiation, "PROTOCOL_SSL", probe.KindTLSSetupFailed, ""}
	alert := func(name string) wire { return wire{probe.StageNegotiation, "PROTOCOL_SSL", probe.KindTLSAlert, name} }
	failure := func(code string) wire { return wire{probe.StageConnect, "", probe.KindNegotiationFailure, code} }
	doneTLS := wire{probe.StageDone, "PROTOCOL_SSL", "", ""}
	doneRDP := wire{probe.StageDone, "PROTOCOL_RDP", "", ""}
	belowLevel := alert("internal_error") // OpenSSL 3.0; from 3.5 on protocol_version
	if !strings.HasPrefix(m.Image.Versions["openssl"], "3.0") {
		belowLevel = alert("protocol_version")
	}

	tests := []struct {
		name     string
		settings []string
		opts     probe.Options
		want     wire
	}{
		{"good pair", nil, ssl, doneTLS},
		{"good pair, HYBRID too", nil, probe.Options{Requested: probe.ProtocolSSL | probe.ProtocolHybrid | probe.ProtocolHybridEx}, doneTLS},
		{"good pair, asked RDP", nil, rdp, doneRDP},
		{"good pair, no RDP_NEG_REQ", nil, bare, doneRDP},
		{"ECDSA", []string{"certificate=/etc/xrdp/t/ec.pem", "key_file=/etc/xrdp/t/ec.key"}, ssl, doneTLS},
		{"expired", []string{"certificate=/etc/xrdp/t/expired.pem"}, ssl, doneTLS},
		{"pair does not match", []string{"key_file=/etc/xrdp/t/other.key"}, ssl, setupFailed},
		{"certificate in DER", []string{"certificate=/etc/xrdp/t/good.der"}, ssl, setupFailed},
		{"encrypted key", []string{"key_file=/etc/xrdp/t/locked.key"}, ssl, setupFailed},
		{"empty key", []string{"key_file=/etc/xrdp/t/empty.key"}, ssl, setupFailed},
		{"1024 bit", []string{"certificate=/etc/xrdp/t/small.pem", "key_file=/etc/xrdp/t/small.key"}, ssl, setupFailed},
		{"bad tls_ciphers", []string{"tls_ciphers=NOSUCHCIPHER"}, ssl, setupFailed},
		{"bad ssl_protocols", []string{"ssl_protocols=tls1.2"}, ssl, alert("protocol_version")},
		{"1.3 only, client to 1.2", []string{"ssl_protocols=TLSv1.3"}, upTo12, alert("protocol_version")},
		{"TLS 1.0 above its security level", []string{"ssl_protocols=TLSv1, TLSv1.2"}, upTo10, belowLevel},
		{"no shared cipher", []string{"tls_ciphers=ECDHE-RSA-AES256-GCM-SHA384", "ssl_protocols=TLSv1.2"}, cbc, alert("handshake_failure")},
		{"DHE only", []string{"tls_ciphers=DHE-RSA-AES256-GCM-SHA384", "ssl_protocols=TLSv1.2"}, ssl, alert("handshake_failure")},
		{"key missing, negotiate", []string{"key_file=/nope.key"}, ssl, doneRDP},
		{"key missing, tls", []string{"key_file=/nope.key", "security_layer=tls"}, ssl, failure("SSL_CERT_NOT_ON_SERVER")},
		{"tls, asked RDP", []string{"security_layer=tls"}, rdp, failure("SSL_REQUIRED_BY_SERVER")},
		{"tls, asked HYBRID", []string{"security_layer=tls"}, probe.Options{Requested: probe.ProtocolHybrid}, failure("SSL_REQUIRED_BY_SERVER")},
		{"tls, no RDP_NEG_REQ", []string{"security_layer=tls"}, bare, wire{probe.StageNegotiation, "PROTOCOL_RDP", probe.KindMCSDisconnected, ""}},
		{"rdp, asked SSL", []string{"security_layer=rdp"}, ssl, doneRDP},
	}
	if uid := m.daemonUID(t); uid != "0" {
		row := tests[0]
		row.name, row.settings, row.want = "key unreadable", []string{"key_file=/etc/xrdp/t/unreadable.key"}, doneRDP
		tests = append(tests, row)
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m.configure(t, test.settings...)
			got := probe.Run(t.Context(), m.addr, test.opts)
			if w := observe(got); w != test.want {
				t.Errorf("Run: %+v, want %+v (%v)", w, test.want, got.Failure)
			}
			if got.Reached == probe.StageDone {
				m.logged(t, m.established(got)...)
			}
			if got.TLS != nil {
				m.served(t, got.TLS)
			}
		})
	}
}

// daemonUID gives the user that handles a connection. Where it is root, no key is unreadable.
func (m *machine) daemonUID(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(m.Must(t, `ps -o uid= -p "$(pgrep -ox xrdp)"`))
}

// versions compares the survey with sslscan.
func (m *machine) versions(t *testing.T) {
	dhe := "1.2" // xrdp 0.10.6 sets no DH group
	if strings.HasPrefix(m.Image.Versions["xrdp"], "0.10.6") {
		dhe = ""
	}
	tests := []struct {
		name     string
		settings []string
		want     string
		classic  bool
	}{
		{name: "stock", want: "1.2 1.3", classic: true},
		{name: "1.3", settings: []string{"ssl_protocols=TLSv1.3", "security_layer=tls"}, want: "1.3"},
		{name: "1.2", settings: []string{"ssl_protocols=TLSv1.2"}, want: "1.2", classic: true},
		{name: "1.0 without the security level", settings: []string{"ssl_protocols=TLSv1, TLSv1.1, TLSv1.2"}, want: "1.2", classic: true},
		{name: "1.0 to 1.3", settings: []string{"ssl_protocols=TLSv1, TLSv1.1, TLSv1.2, TLSv1.3", "tls_ciphers=DEFAULT@SECLEVEL=0"},
			want: "1.0 1.1 1.2 1.3", classic: true},
		{name: "1.0 to 1.2", settings: []string{"ssl_protocols=TLSv1, TLSv1.1, TLSv1.2", "tls_ciphers=DEFAULT@SECLEVEL=0"},
			want: "1.0 1.1 1.2", classic: true},
		{name: "DHE only, which crypto/tls has not", settings: []string{"ssl_protocols=TLSv1.2", "tls_ciphers=DHE-RSA-AES256-GCM-SHA384"},
			want: dhe, classic: true},
		{name: "1.0 and 1.2", settings: []string{"ssl_protocols=TLSv1, TLSv1.2", "tls_ciphers=DEFAULT@SECLEVEL=0"},
			want: "1.0 1.2", classic: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m.configure(t, test.settings...)
			got := probe.Survey(t.Context(), m.addr, probe.SurveyOptions{})
			var accepted []string
			for _, v := range got.Accepted() {
				accepted = append(accepted, strings.TrimPrefix(v.String(), "TLS "))
			}
			ours := strings.Join(accepted, " ")
			if ours != test.want || len(got.Versions) != 4 {
				t.Errorf("Survey accepted %q of %d, want %q", ours, len(got.Versions), test.want)
			}
			for _, a := range got.Versions {
				if a.Answer == probe.AnswerUnknown {
					t.Errorf("%s unknown: %v", a.Version, a.Failure)
				}
				if a.Result != nil && a.Result.TLS != nil {
					m.logged(t, append(m.established(*a.Result), a.Cipher)...)
				}
			}
			if classic := got.Classic.Reached == probe.StageDone; classic != test.classic {
				t.Errorf("classic RDP security %v, want %v: %v", classic, test.classic, got.Classic.Failure)
			}
			scan, err := lab.SSLScan(t.Context(), m.Host)
			if err != nil {
				t.Fatal(err)
			}
			if scan.Accepted() != ours {
				t.Errorf("sslscan says %q, the survey %q\n%s", scan.Accepted(), ours, scan.Output)
			}
			t.Logf("%q in %v", ours, got.Elapsed.Round(time.Millisecond))
		})
	}
}
