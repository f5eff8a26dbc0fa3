package repair

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"net/netip"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"xrdpfix/certs"
	"xrdpfix/diagnose"
	"xrdpfix/logwatch"
	"xrdpfix/probe"
	"xrdpfix/xrdpconf"
)

var taken = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// secret stands in xrdp.ini and must be met nowhere else.
const secret = "MARKED-sesame"

const stockIni = `; xrdp.ini of the test machine
[Globals]
port=3389
security_layer=negotiate
crypt_level=high
certificate=
key_file=
ssl_protocols=TLSv1.2, TLSv1.3

[Logging]
LogFile=xrdp.log
LogLevel=INFO

[Xorg]
name=Xorg
username=ask
password=` + secret + `
`

const stockSesman = `[Globals]
ListenPort=3350

[Security]
AllowRootLogin=true
`

const floorConf = "/etc/ssl/openssl.cnf"

// stock is a machine on which nothing is wrong: its pair is self-signed and lies
// where the daemon can read it.
func stock(t testing.TB) *machine {
	t.Helper()
	m := &machine{
		files: map[string]node{}, journals: map[string]map[string][]byte{}, timers: map[string]bool{}, now: taken,
	}
	for _, d := range []string{"/", "/etc", "/etc/xrdp", "/etc/systemd", "/etc/systemd/system"} {
		m.files[d] = node{dir: true, mode: 0o755}
	}
	m.files[configPath] = node{data: []byte(stockIni), mode: 0o644}
	m.files[diagnose.SesmanPath] = node{data: []byte(stockSesman), mode: 0o644}
	m.files[diagnose.RSAKeysPath] = node{data: []byte("[keys]\npri_exp=" + secret + "\n"), mode: 0o640, gid: xrdpGID}
	cert, key := pairOf(t)
	m.files["/etc/xrdp/cert.pem"] = node{data: cert, mode: 0o644}
	m.files["/etc/xrdp/key.pem"] = node{data: key, mode: 0o640, gid: xrdpGID}
	m.boot()
	m.starts = 0
	return m
}

// pairOf makes a self-signed pair, valid now.
func pairOf(t testing.TB) (cert, key []byte) {
	t.Helper()
	cert, key, err := certs.SelfSigned(rand.Reader, taken, certs.Request{DNSNames: []string{"desk01"}, Key: certs.ECDSAP256})
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// clone is another machine in the same state.
func (m *machine) clone() *machine {
	c := *m
	c.files, c.timers = maps.Clone(m.files), maps.Clone(m.timers)
	c.journals = map[string]map[string][]byte{}
	for id, j := range m.journals {
		c.journals[id] = maps.Clone(j)
	}
	c.calls, c.torn, c.lines, c.fault = nil, nil, nil, fault{}
	return &c
}

// edit replaces text of a file; a text that is not there is a mistake of the test.
func (m *machine) edit(t testing.TB, name, old, text string) {
	t.Helper()
	n := m.files[name]
	if !bytes.Contains(n.data, []byte(old)) {
		t.Fatalf("%q is not in %s", old, name)
	}
	n.data = bytes.Replace(n.data, []byte(old), []byte(text), 1)
	m.files[name] = n
}

func (m *machine) chmod(name string, mode Mode, gid int) {
	n := m.files[name]
	n.mode, n.gid = mode, gid
	m.files[name] = n
}

// snapshot tells the whole state but the journals, one line each. A new pair is
// another one each time, so of those it tells only that they are pairs. A pair
// that rollback has closed is left out.
func (m *machine) snapshot() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(m.files)) {
		n, dir := m.files[name], path.Dir(name)
		if strings.HasPrefix(name, diagnose.OwnDir+"/2") && (n.dir && n.mode == 0o700 || m.files[dir].mode == 0o700) {
			continue
		}
		what := "dir"
		switch {
		case n.dir:
		case strings.HasPrefix(name, diagnose.OwnDir+"/2"):
			what = "of a pair"
		default:
			what = sum(n.data)
		}
		fmt.Fprintf(&b, "%s %s %d:%d %s\n", name, n.mode, n.uid, n.gid, what)
		if _, whole := m.files[dir+"/cert.pem"]; what == "of a pair" && path.Base(name) == "key.pem" && whole {
			fmt.Fprintf(&b, "a pair in %s: %t\n", dir, certs.Inspect(m.files[dir+"/cert.pem"].data, n.data).Match)
		}
	}
	fmt.Fprintf(&b, "xrdp: %t, port %q, OPENSSL_CONF=%s\nsystemd: %q\ntimers: %v\n", m.up, m.port, m.conf, m.dropIn, slices.Sorted(maps.Keys(m.timers)))
	return b.String()
}

// withoutOwnDir forgets that the directory of all pairs exists: it stays while
// a pair is in it.
func withoutOwnDir(snapshot string) string {
	return strings.Replace(snapshot, diagnose.OwnDir+" 0755 0:0 dir\n", "", 1)
}

// accepts reports whether xrdp and its OpenSSL let a TLS version in.
func (m *machine) accepts(s xrdpconf.Server, v xrdpconf.TLSVersion) bool {
	if s.ProtocolsSet && !slices.ContainsFunc(s.Protocols, func(p string) bool { w, ok := xrdpconf.VersionOfToken(p); return ok && w == v }) {
		return false
	}
	lifted := m.conf == diagnose.OwnOpenSSLPath
	return v >= xrdpconf.TLS12 || strings.Contains(s.Ciphers, "@SECLEVEL=0") && (!m.floor || lifted)
}

// serves reports whether xrdp offers TLS.
func (m *machine) serves(s xrdpconf.Server) bool {
	pair := certs.Inspect(m.files[s.Certificate].data, m.files[s.KeyFile].data)
	return s.SecurityLayer != xrdpconf.SecurityLayerRDP && m.reads(configPath) && m.reads(s.Certificate) && m.reads(s.KeyFile) && len(pair.Problems) == 0
}

// survey is what probe.Survey would see, and writes what xrdp would log of it.
func (m *machine) survey(addr string, want xrdpconf.Range, every bool) probe.ServerSurvey {
	asked := probe.ProtocolSSL | probe.ProtocolHybrid
	out := probe.ServerSurvey{Addr: addr, Full: probe.Result{Addr: addr}}
	_, port, _ := strings.Cut(addr, ":")
	if !m.up || port != m.port {
		out.Full.Failure = &probe.Failure{Stage: probe.StageConnect, Kind: probe.KindRefused, Text: "connection refused"}
		return out
	}
	s := m.server()
	m.client++
	full := &out.Full
	full.Local = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), 40000+m.client)
	full.Negotiation = &probe.Negotiation{Requested: asked, Answered: true}
	m.log("[INFO ] Socket 12: AF_INET6 connection received from ::ffff:127.0.0.1 port %d", full.Local.Port())
	if !m.serves(s) {
		full.Reached = probe.StageDone
		m.log("[INFO ] Security protocol: configured [RDP], requested [SSL|HYBRID|RDP], selected [RDP]")
		m.log("[INFO ] Non-TLS connection established from ::ffff:127.0.0.1 port %d: encrypted with standard RDP security", full.Local.Port())
		return out
	}
	full.Negotiation.Selected = probe.ProtocolSSL
	m.log("[INFO ] Security protocol: configured [SSL|RDP], requested [SSL|HYBRID|RDP], selected [SSL]")
	all := []xrdpconf.TLSVersion{xrdpconf.TLS10, xrdpconf.TLS11, xrdpconf.TLS12, xrdpconf.TLS13}
	for _, v := range slices.Backward(all) {
		if full.TLS == nil && m.accepts(s, v) {
			full.TLS = &probe.TLSInfo{Version: probe.TLSVersion(v), Cipher: "TEST-CIPHER", Fingerprints: []probe.Fingerprint{{SHA256: certs.Inspect(m.files[s.Certificate].data, nil).Cert.SHA256}}}
		}
	}
	if full.TLS == nil {
		full.Reached, full.Failure = probe.StageNegotiation, &probe.Failure{Stage: probe.StageTLS, Kind: probe.KindTLSAlert, Alert: 70, Text: "protocol_version"}
		return out
	}
	full.Reached = probe.StageDone
	m.log("[INFO ] TLS connection established from ::ffff:127.0.0.1 port %d: %s with cipher TLS_AES_256_GCM_SHA384", full.Local.Port(), xrdpconf.TLSVersion(full.TLS.Version).Token())
	for _, v := range all {
		edge := want.Valid() && (v == want.Min || v == want.Max || v == want.Min-1 || v == want.Max+1)
		if !every && !edge {
			continue
		}
		answer := probe.VersionAnswer{Version: probe.TLSVersion(v), Answer: probe.AnswerRefused}
		if m.accepts(s, v) {
			answer.Answer, answer.Cipher = probe.AnswerAccepted, "TEST-CIPHER"
		}
		out.Versions = append(out.Versions, answer)
	}
	classic := probe.Result{Negotiation: &probe.Negotiation{Requested: probe.ProtocolRDP, Answered: true}}
	if s.SecurityLayer == xrdpconf.SecurityLayerTLS {
		classic.Negotiation.FailureCode = probe.SSLRequiredByServer
	}
	out.Classic = &classic
	return out
}

func (m *machine) log(format string, args ...any) {
	if !m.unsworn {
		m.lines = append(m.lines, "[20261122-12:00:00] "+fmt.Sprintf(format, args...))
	}
}

func (m *machine) entries(from int) []logwatch.Entry {
	var out []logwatch.Entry
	for _, l := range m.lines[from:] {
		if e, ok := logwatch.ParseLine(l, time.UTC); ok {
			out = append(out, e)
		}
	}
	return out
}

// Observe is the Observer. Its connections are one call.
func (m *machine) Observe(_ context.Context, want Expectation) (seen Observation) {
	_ = m.call(false, "observe", func() error {
		from := len(m.lines)
		var r xrdpconf.Range
		for _, v := range want.Accept {
			if t := xrdpconf.TLSVersion(v); r.Min == 0 || t < r.Min {
				r.Min = t
			}
			r.Max = max(r.Max, xrdpconf.TLSVersion(v))
		}
		seen.Wire = m.survey(want.Addr, r, want.Every)
		seen.Own = diagnose.Seen(diagnose.OwnConnections(m.entries(from), seen.Wire))
		return nil
	})
	return seen
}

func (m *machine) runner() *Runner {
	return &Runner{
		System: m, Observer: m, Store: m, Timers: m, Rand: rand.Reader, Tool: "test",
		Now:    func() time.Time { m.now = m.now.Add(time.Second); return m.now },
		Keygen: func() ([]byte, error) { return []byte("[keys]\npri_exp=" + secret + "\n"), nil },
	}
}
