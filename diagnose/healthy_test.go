package diagnose

import (
	"bytes"
	"crypto/tls"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"xrdpfix/certs"
	"xrdpfix/logwatch"
	"xrdpfix/probe"
	"xrdpfix/service"
)

// taken is the moment of all facts in these tests.
var taken = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const healthyIni = `[Globals]
port=3389
security_layer=tls
crypt_level=high
certificate=/etc/xrdp/tls/20261101T000000Z/cert.pem
key_file=/etc/xrdp/tls/20261101T000000Z/key.pem
ssl_protocols=TLSv1.2, TLSv1.3
[Logging]
LogFile=/var/log/xrdp.log
LogLevel=INFO
[Xorg]
name=Xorg
username=ask
password=ask
`

const healthySesman = `[Globals]
ListenPort=3350
[Security]
AllowRootLogin=true
`

// healthy are the facts of a host on which nothing is wrong.
func healthy() Facts {
	user := Identity{UID: 112, GID: 118, User: "xrdp", Group: "xrdp", From: "process 412"}
	const dir = "/etc/xrdp/tls/20261101T000000Z/"
	f := Facts{
		Schema: 1, Taken: taken, Tool: "test",
		Host:    HostInfo{Name: "desk01", FQDN: "desk01.example.org", Addrs: []string{"192.0.2.10"}, OS: "Debian 12", OSID: "debian", Root: true},
		Package: Seen(Package{Version: "0.9.21.1", OpenSSL: "3.0.22", Binary: "/usr/sbin/xrdp"}),
		Config:  Seen(fileFact(ConfigPath, healthyIni)),
		Sesman:  Seen(fileFact(SesmanPath, healthySesman)),
		Daemon: Daemon{
			Running: Seen(Process{PID: 412, Started: taken.Add(-24 * time.Hour), Exe: "/usr/sbin/xrdp", Args: []string{"/usr/sbin/xrdp"}, Identity: user, LogPath: "/var/log/xrdp.log"}),
			Start:   Seen(Identity{UID: 112, GID: 118, User: "xrdp", Group: "xrdp", From: "unit User="}),
			KeyGID:  118, KeyGroup: "xrdp", Systemd: true,
			Open: []Socket{{Addr: "::", Port: 3389, PID: 412}},
		},
		Cert:         readable(dir + "cert.pem"),
		Key:          readable(dir + "key.pem"),
		RSAKeys:      readable(RSAKeysPath),
		ConfigAccess: readable(ConfigPath),
		Pair: Seen(certs.Pair{
			Match: true,
			Key:   certs.KeyInfo{Type: certs.TypeRSA, Bits: 2048, PublicSHA256: "aa"},
			Cert: certs.CertInfo{
				Subject: "CN=desk01", DNSNames: []string{"desk01", "desk01.example.org"}, KeyType: certs.TypeRSA, KeyBits: 2048,
				NotBefore: taken.AddDate(0, 0, -21), NotAfter: taken.AddDate(2, 0, 0), ServerAuth: true, SelfSigned: true,
				ChainOrder: certs.ChainOK, SHA256: "AB:CD", SignatureAlgorithm: "SHA256-RSA", PublicSHA256: "aa",
			},
		}),
		Listen:   Seen([]Socket{{Addr: "::", Port: 3389, PID: 412, Program: "xrdp", Unit: UnitXrdp}}),
		Desktops: Seen[[]Desktop](nil), Peers: Seen[[]Peer](nil),
		Log:         LogFact{Path: "/var/log/xrdp.log", Exists: true, DaemonCanWrite: true, StartCanWrite: true, Own: Seen[[]logwatch.Connection](nil), Recent: Seen(Recent{Days: 30, Since: taken.AddDate(0, 0, -30)})},
		SesmanReach: Seen(SesmanReach{Wanted: "127.0.0.1:3350", Listening: true}),
		OpenSSL:     Seen(OpenSSL{Conf: "/etc/ssl/openssl.cnf"}),
		Applied:     Seen[[]AppliedSummary](nil),
		Units: map[string]Observed[service.Unit]{
			UnitXrdp:   Seen(service.Unit{Name: UnitXrdp, LoadState: "loaded", ActiveState: "active", SubState: "running", UnitFileState: "enabled", MainPID: 412, User: "xrdp", Group: "xrdp"}),
			UnitSesman: Seen(service.Unit{Name: UnitSesman, LoadState: "loaded", ActiveState: "active", SubState: "running", UnitFileState: "enabled", MainPID: 400}),
		},
	}
	full := probe.Result{
		Addr: "127.0.0.1:3389", Local: netip.MustParseAddrPort("127.0.0.1:40000"), Reached: probe.StageDone,
		Negotiation: &probe.Negotiation{Requested: probe.ProtocolSSL | probe.ProtocolHybrid, Selected: probe.ProtocolSSL, Answered: true},
		TLS:         &probe.TLSInfo{Version: tls.VersionTLS13, Cipher: "TLS_AES_256_GCM_SHA384", Fingerprints: []probe.Fingerprint{{SHA256: "AB:CD"}}},
	}
	f.Wire = Seen(probe.ServerSurvey{
		Addr: "127.0.0.1:3389", Full: full,
		Versions: []probe.VersionAnswer{
			{Version: tls.VersionTLS11, Answer: probe.AnswerRefused, Failure: &probe.Failure{Stage: probe.StageTLS, Kind: probe.KindTLSAlert, Alert: 70}},
			{Version: tls.VersionTLS12, Answer: probe.AnswerAccepted, Cipher: "ECDHE-RSA-AES256-GCM-SHA384"},
			{Version: tls.VersionTLS13, Answer: probe.AnswerAccepted, Cipher: "TLS_AES_256_GCM_SHA384"},
		},
	})
	return f
}

func fileFact(path, text string) FileFact {
	return FileFact{Path: path, Target: path, Exists: true, Data: []byte(text), Text: string(Mask([]byte(text))), SHA256: "00", Mode: 0o644, MTime: taken.AddDate(0, 0, -21)}
}

func readable(path string) PathFact {
	return PathFact{
		Path: path, Real: path, Exists: true, Readable: true, ReadableAfterRestart: true, Stop: -1,
		Steps: []Step{{Path: path, Kind: "file", Mode: 0o640, GID: 118, Owner: "root", Group: "xrdp"}},
	}
}

// edit replaces text of a file in the facts; a text that is not there is a
// mistake of the test.
func edit(t *testing.T, f *Observed[FileFact], old, text string) {
	t.Helper()
	if !bytes.Contains(f.Value.Data, []byte(old)) {
		t.Fatalf("%q is not in %s", old, f.Value.Path)
	}
	mtime, mode := f.Value.MTime, f.Value.Mode
	f.Value = fileFact(f.Value.Path, strings.Replace(string(f.Value.Data), old, text, 1))
	f.Value.MTime, f.Value.Mode = mtime, mode
}

// fault is one change of the healthy host and the codes that it raises.
type fault struct {
	name  string
	plant func(t *testing.T, f *Facts, s *Settings)
	want  []Code
}

// raise runs each fault on its own.
func raise(t *testing.T, faults []fault) {
	t.Helper()
	for _, x := range faults {
		t.Run(x.name, func(t *testing.T) {
			f, s := healthy(), Settings{}
			x.plant(t, &f, &s)
			found := Run(f, s)
			if again := Run(throughJSON(t, f), s); !reflect.DeepEqual(again, found) {
				t.Errorf("from saved facts: %+v, want %+v", again, found)
			}
			if got := codes(found); !slices.Equal(got, x.want) {
				t.Errorf("got %q, want %q\n%+v", got, x.want, found)
			}
			for _, y := range found {
				raised.Store(y.Code, true)
				if y.Detail == "" || y.Remedy == "" && y.Severity != Info || len(y.Evidence) == 0 {
					t.Errorf("%s lacks detail, remedy or evidence: %+v", y.Code, y)
				}
			}
		})
	}
}

func codes(found []Finding) []Code {
	var out []Code
	for _, x := range found {
		out = append(out, x.Code)
	}
	return out
}

func TestHealthy(t *testing.T) {
	if found := Run(healthy(), Settings{}); len(found) != 0 {
		t.Errorf("a healthy host has findings: %+v", found)
	}
}

// TestRunIsPure: the facts are the same afterwards, and so is the answer.
func TestRunIsPure(t *testing.T) {
	f := healthy()
	one, two := Run(f, Settings{}), Run(f, Settings{})
	if !reflect.DeepEqual(f, healthy()) || !reflect.DeepEqual(one, two) {
		t.Error("Run changed its facts or its mind")
	}
}
