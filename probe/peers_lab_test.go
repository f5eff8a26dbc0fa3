//go:build lab

package probe_test

import (
	"context"
	"encoding/pem"
	"encoding/xml"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"xrdpfix/internal/lab"
	"xrdpfix/probe"
)

// TestPeers compares a survey with what sslscan and nmap say of the same server. sslscan must agree about every version
// and the certificate. nmap is told apart: it calls a protocol a success when the server answers at all.
func TestPeers(t *testing.T) {
	if err := lab.Require(t.Context(), t.Output(), "nmap"); err != nil {
		t.Fatal(err)
	}
	suites := lab.Suites()
	if os.Getenv("XRDPFIX_ALL") == "" { // each day another one
		suites = suites[time.Now().YearDay()%len(suites):][:1]
	}
	for _, suite := range suites {
		t.Run(string(suite), func(t *testing.T) {
			m := start(t, suite)
			for _, row := range []struct {
				name     string
				settings []string
			}{
				{"stock settings", nil},
				{"TLS 1.2, ECDSA", []string{"ssl_protocols=TLSv1.2", "certificate=/etc/xrdp/t/ec.pem", "key_file=/etc/xrdp/t/ec.key"}},
				{"TLS 1.0 to 1.3", []string{"ssl_protocols=TLSv1, TLSv1.1, TLSv1.2, TLSv1.3", "tls_ciphers=DEFAULT@SECLEVEL=0"}},
				{"TLS only, expired", []string{"security_layer=tls", "certificate=/etc/xrdp/t/expired.pem"}},
			} {
				t.Run(row.name, func(t *testing.T) {
					m.configure(t, row.settings...)
					got := probe.Survey(t.Context(), m.addr, probe.SurveyOptions{})
					if software, because := got.Software(); software != probe.SoftwareXrdp {
						t.Errorf("Software: %q (%s), the answer was %+v", software, because, got.Full.Negotiation)
					}
					m.sslscan(t, &got)
					m.nmap(t, &got)
				})
			}
		})
	}
}

func (m *machine) sslscan(t *testing.T, got *probe.ServerSurvey) {
	t.Helper()
	scan, err := lab.SSLScan(t.Context(), m.Host, "--show-certificate", "--no-ciphersuites", "--no-groups", "--no-renegotiation",
		"--no-compression", "--no-heartbleed", "--no-fallback")
	if err != nil {
		t.Fatal(err)
	}
	var ours []string
	for _, v := range got.Accepted() {
		ours = append(ours, strings.TrimPrefix(v.String(), "TLS "))
	}
	if scan.Accepted() != strings.Join(ours, " ") {
		t.Errorf("sslscan accepts %q, the survey %q", scan.Accepted(), ours)
	}
	_, blob, found := strings.Cut(scan.Output, "<certificate-blob>")
	block, _ := pem.Decode([]byte(blob))
	if !found || block == nil {
		t.Fatalf("sslscan shows no certificate:\n%s", scan.Output)
	}
	if theirs := probe.FingerprintOf(block.Bytes); got.Full.TLS == nil || got.Full.TLS.Fingerprints[0] != theirs {
		t.Errorf("sslscan saw the certificate %v, the survey %+v", theirs, got.Full.TLS)
	}
}

// nmap logs where rdp-enum-encryption differs, and demands that it differs for the known reason alone.
func (m *machine) nmap(t *testing.T, got *probe.ServerSurvey) {
	t.Helper()
	r, err := m.Net(t.Context(), "nmap", "-Pn", "-n", "-p", "3389", "--script", "rdp-enum-encryption", "-oX", "-", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Scripts []struct {
			Output string `xml:"output,attr"`
		} `xml:"host>ports>port>script"`
	}
	if err := xml.Unmarshal([]byte(r.Stdout), &doc); err != nil || len(doc.Scripts) != 1 {
		t.Fatalf("nmap: %v\n%s%s", err, r.Stdout, r.Stderr)
	}
	if strings.Contains(doc.Scripts[0].Output, "ERROR: Script execution failed") {
		if got.Classic.Negotiation.FailureCode == 0 {
			t.Errorf("nmap's script fails on a server with classic RDP")
		}
		t.Log("nmap's script fails on a server that has no classic RDP, and says nothing")
		return
	}
	says := func(what string) bool { return strings.Contains(doc.Scripts[0].Output, what+": SUCCESS") }
	classic := got.Classic.Negotiation.FailureCode == 0
	selected := got.Full.Negotiation.Selected
	for _, d := range []struct {
		what  string
		ours  bool
		known string
	}{
		{"CredSSP (NLA)", selected == probe.ProtocolHybrid, "the server answered, and selected " + selected.String()},
		{"SSL", selected == probe.ProtocolSSL, ""},
		{"Native RDP", classic, ""},
	} {
		if theirs := says(d.what); theirs != d.ours {
			if d.known == "" || !theirs {
				t.Errorf("%s: nmap says %t, the survey %t", d.what, theirs, d.ours)
			}
			t.Logf("%s: nmap says success; %s", d.what, d.known)
		}
	}
	if level := got.Classic.MCS; classic && !strings.Contains(strings.ToLower(doc.Scripts[0].Output), "level: "+strings.ToLower(level.EncryptionLevel.String())) {
		t.Errorf("nmap says\n%s\nthe survey says the level is %s", doc.Scripts[0].Output, level.EncryptionLevel)
	}
}

// TestShadow is FreeRDP's own server: what answers, and its NTLM challenge.
func TestShadow(t *testing.T) {
	shadow := lab.Client{Name: "freerdp-shadow", Suite: lab.Trixie, Packages: []string{"freerdp3-shadow-x11", "winpr3-utils"}, Program: "freerdp-shadow-cli3"}
	for _, tt := range []struct {
		name, args string
		nla        bool
	}{
		{"TLS", "/sec:tls -auth", false},
		{"NLA", "+sec-nla -sec-tls -sec-rdp /sam-file:/root/SAM", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// An address of this process's own: on 127.0.0.1 the port could be another
			// test's when the server comes to it.
			pid := os.Getpid()
			ip := fmt.Sprintf("127.%d.%d.%d", 1+pid>>16&0x7f, pid>>8&0xff, pid&0xff)
			l, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
			if err != nil {
				t.Fatal(err)
			}
			addr := l.Addr().String()
			_ = l.Close()
			_, port, _ := net.SplitHostPort(addr)
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan string, 1)
			go func() {
				r, _ := shadow.Script(ctx, nil, fmt.Sprintf(`winpr-hash3 -u x -p y -f sam >/root/SAM
exec freerdp-shadow-cli3 /bind-address:%s /port:%s %s`, ip, port, tt.args))
				ended <- r.Output
			}()
			defer func() { cancel(); <-ended }()
			accepting(t, addr, ended)
			survey := probe.Survey(t.Context(), addr, probe.SurveyOptions{})
			if software, because := survey.Software(); software != probe.SoftwareFreeRDP {
				t.Errorf("Software: %q (%s), the answer was %+v", software, because, survey.Full.Negotiation)
			}
			got := probe.Challenge(t.Context(), addr, probe.Options{})
			switch {
			case tt.nla && got.NTLM == nil:
				t.Errorf("no NTLM challenge: %v", got.Failure)
			case tt.nla:
				t.Logf("NTLM challenge: %+v", *got.NTLM)
				if got.NTLM.NetBIOSName == "" || got.NTLM.ProductVersion == "" {
					t.Errorf("NTLM challenge %+v", *got.NTLM)
				}
			case got.Failure == nil || got.Failure.Kind != probe.KindNoCredSSP:
				t.Errorf("without NLA: %v", got.Failure)
			}
		})
	}
}

// accepting waits until somebody listens.
func accepting(t *testing.T, addr string, ended chan string) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close()
			return
		}
		select {
		case out := <-ended:
			ended <- out
			t.Fatalf("the server ended:\n%s", out)
		default:
		}
	}
	t.Fatal("nobody listens on " + addr)
}
