package repair

import (
	"testing"

	"xrdpfix/certs"
	"xrdpfix/diagnose"
)

const (
	certFile = "/etc/xrdp/cert.pem"
	keyFile  = "/etc/xrdp/key.pem"
)

// issuedByCA makes the pair one that a CA issued.
func issuedByCA(f *diagnose.Facts) {
	f.Pair.Value.Cert.SelfSigned, f.Pair.Value.Cert.Issuer = false, "CN=Lab CA"
}

func expired(f *diagnose.Facts) {
	f.Pair.Value.Cert.NotBefore, f.Pair.Value.Cert.NotAfter = taken.AddDate(-2, 0, 0), taken.AddDate(0, 0, -1)
}

func endsIn(days int) func(*diagnose.Facts) {
	return func(f *diagnose.Facts) { f.Pair.Value.Cert.NotAfter = taken.AddDate(0, 0, days) }
}

func also(adjust ...func(*diagnose.Facts)) func(*diagnose.Facts) {
	return func(f *diagnose.Facts) {
		for _, a := range adjust {
			a(f)
		}
	}
}

func remove(name string) func(*testing.T, *machine) {
	return func(_ *testing.T, m *machine) { delete(m.files, name) }
}

func replace(name, text string) func(*testing.T, *machine) {
	return func(_ *testing.T, m *machine) {
		n := m.files[name]
		n.data = []byte(text)
		m.files[name] = n
	}
}

func ini(old, text string) func(*testing.T, *machine) {
	return func(t *testing.T, m *machine) { m.edit(t, configPath, old, text) }
}

// shut takes the key from the daemon.
func shut(_ *testing.T, m *machine) { m.chmod(keyFile, 0o600, rootID) }

// inOwnDir moves the pair to where xrdpfix keeps its own.
func inOwnDir(t *testing.T, m *machine) {
	const dir = diagnose.OwnDir + "/20260101T000000Z"
	m.files[diagnose.OwnDir], m.files[dir] = node{dir: true, mode: 0o755}, node{dir: true, mode: 0o755}
	m.files[dir+"/cert.pem"], m.files[dir+"/key.pem"] = m.files[certFile], m.files[keyFile]
	m.edit(t, configPath, "certificate=", "certificate="+dir+"/cert.pem")
	m.edit(t, configPath, "key_file=", "key_file="+dir+"/key.pem")
}

// newPair is the change that a new pair on a stock machine needs.
const newPair = `
pair root:xrdp
edit xrdp.ini
  -certificate=
  -key_file=
  +certificate=/etc/xrdp/tls/*/cert.pem
  +key_file=/etc/xrdp/tls/*/key.pem`

const newPairInOwnDir = `
pair root:xrdp
edit xrdp.ini
  -certificate=/etc/xrdp/tls/20260101T000000Z/cert.pem
  -key_file=/etc/xrdp/tls/20260101T000000Z/key.pem
  +certificate=/etc/xrdp/tls/*/cert.pem
  +key_file=/etc/xrdp/tls/*/key.pem`

const copied = `
copy of /etc/xrdp/key.pem root:xrdp
edit xrdp.ini
  -certificate=
  -key_file=
  +certificate=/etc/xrdp/tls/*/cert.pem
  +key_file=/etc/xrdp/tls/*/key.pem`

// TestPlanPair: when a pair is made, copied, or left to a human.
func TestPlanPair(t *testing.T) {
	keep, renew := Policy{Cert: CertKeep}, Policy{Cert: CertRenew}
	named := Policy{Request: certs.Request{DNSNames: []string{"rdp.example.org"}}}
	other := func(t *testing.T, m *machine) {
		cert, _ := pairOf(t)
		m.files[certFile] = node{data: cert, mode: 0o644}
	}
	testPlans(t, []planCase{
		{name: "nothing wrong", want: ""},
		{name: "nothing wrong, renew", pol: renew, want: newPair},
		{name: "key missing", plant: remove(keyFile), want: newPair},
		{name: "key missing, keep", plant: remove(keyFile), pol: keep, want: "manual key-missing: "},
		{name: "key unreadable", plant: shut, want: newPair},
		{name: "key unreadable, keep", plant: shut, pol: keep, want: "manual key-unreadable: "},
		{name: "key is no key", plant: replace(keyFile, "hello\n"), want: newPair},
		{name: "certificate missing", plant: remove(certFile), want: newPair},
		{name: "certificate is none", plant: replace(certFile, ""), want: newPair},
		{name: "not a pair", plant: other, want: newPair},
		{name: "expired", adjust: expired, want: newPair},
		{name: "expired, keep", adjust: expired, pol: keep, want: "manual cert-expired: "},
		{name: "ends soon, not ours", adjust: endsIn(10), want: ""},
		{name: "ends soon, ours", plant: inOwnDir, adjust: endsIn(10), want: newPairInOwnDir},
		{name: "ends soon, ours, keep", plant: inOwnDir, adjust: endsIn(10), pol: keep, want: ""},
		{name: "ends in a while, ours", plant: inOwnDir, adjust: endsIn(31), want: ""},
		{name: "not yet valid", adjust: func(f *diagnose.Facts) { f.Pair.Value.Cert.NotBefore = taken.AddDate(0, 0, 1) }, want: newPair},
		{name: "weak signature", adjust: func(f *diagnose.Facts) {
			f.Pair.Value.Cert.WeakSignature, f.Pair.Value.Cert.SignatureAlgorithm = true, "SHA1-RSA"
		}, want: newPair},
		{name: "weak key", adjust: func(f *diagnose.Facts) { f.Pair.Value.Key = certs.KeyInfo{Type: certs.TypeRSA, Bits: 1024} }, want: newPair},
		{name: "another name", adjust: func(f *diagnose.Facts) { f.Pair.Value.Cert.DNSNames = []string{"elsewhere"} }, want: ""},
		{name: "a stated name is missing", pol: named, want: newPair},
		{name: "a stated name is missing, keep", pol: Policy{Request: named.Request, Cert: CertKeep}, want: ""},
		{name: "a stated name is missing, of a CA", pol: named, adjust: issuedByCA, want: ""},
		{name: "exposed key", plant: func(_ *testing.T, m *machine) { m.chmod(keyFile, 0o644, xrdpGID) }, want: "manual key-exposed: xrdpfix apply --cert renew"},
		{name: "exposed key, renew", plant: func(_ *testing.T, m *machine) { m.chmod(keyFile, 0o644, xrdpGID) }, pol: renew, want: newPair},

		{name: "of a CA, unreadable", plant: shut, adjust: issuedByCA, want: copied},
		{name: "of a CA, unreadable, renew", plant: shut, adjust: issuedByCA, pol: renew, want: newPair},
		{name: "of a CA, unreadable, keep", plant: shut, adjust: issuedByCA, pol: keep, want: "manual key-unreadable: "},
		{name: "of a CA, unreadable and expired", plant: shut, adjust: also(issuedByCA, expired),
			want: "manual key-unreadable: xrdpfix apply --cert renew\nmanual cert-expired: xrdpfix apply --cert renew"},
		{name: "of a CA, expired", adjust: also(issuedByCA, expired), want: "manual cert-expired: xrdpfix apply --cert renew"},
		{name: "of a CA, expired, renew", adjust: also(issuedByCA, expired), pol: renew, want: newPair},
		{name: "of a CA, key missing", plant: remove(keyFile), adjust: issuedByCA, want: "manual key-missing: xrdpfix apply --cert renew"},
		{name: "of a CA, not a pair", plant: other, adjust: issuedByCA, want: "manual cert-key-mismatch: xrdpfix apply --cert renew"},
		{name: "of a CA, ends soon, in our directory", plant: inOwnDir, adjust: also(issuedByCA, endsIn(10)), want: ""},
		{name: "of a CA, weak signature", adjust: also(issuedByCA, func(f *diagnose.Facts) { f.Pair.Value.Cert.WeakSignature = true }), want: ""},

		{name: "no lines, a good default pair", plant: ini("certificate=\nkey_file=\n", ""), want: `
edit xrdp.ini
  +certificate=/etc/xrdp/cert.pem
  +key_file=/etc/xrdp/key.pem`},
		{name: "no key_file line", plant: ini("key_file=\n", ""), want: `
edit xrdp.ini
  -certificate=
  +certificate=/etc/xrdp/cert.pem
  +key_file=/etc/xrdp/key.pem`},
		{name: "no lines, no default pair", plant: func(t *testing.T, m *machine) {
			ini("certificate=\nkey_file=\n", "")(t, m)
			delete(m.files, certFile)
		}, want: `
pair root:xrdp
edit xrdp.ini
  +certificate=/etc/xrdp/tls/*/cert.pem
  +key_file=/etc/xrdp/tls/*/key.pem`},
		{name: "a relative path", plant: ini("key_file=", "key_file=key.pem"), want: `
edit xrdp.ini
  -key_file=key.pem
  +key_file=/etc/xrdp/key.pem`},
		{name: "a relative path, and a key that is shut", plant: func(t *testing.T, m *machine) {
			ini("key_file=", "key_file=key.pem")(t, m)
			shut(t, m)
		}, want: `
pair root:xrdp
edit xrdp.ini
  -certificate=
  -key_file=key.pem
  +certificate=/etc/xrdp/tls/*/cert.pem
  +key_file=/etc/xrdp/tls/*/key.pem`},
		{name: "delivered", pol: Policy{CertOnly: true, Install: &Delivery{}}, want: `
pair that was delivered root:xrdp
edit xrdp.ini
  -certificate=
  -key_file=
  +certificate=/etc/xrdp/tls/*/cert.pem
  +key_file=/etc/xrdp/tls/*/key.pem`},
		{name: "certificate only", plant: func(t *testing.T, m *machine) {
			shut(t, m)
			ini("security_layer=negotiate", "security_layer=rdp")(t, m)
		}, pol: Policy{CertOnly: true}, want: newPair},
		{name: "the daemon is root and there is a group xrdp", plant: remove(certFile), adjust: func(f *diagnose.Facts) {
			f.Daemon.KeyGID, f.Daemon.KeyGroup = xrdpGID, "xrdp"
		}, want: newPair},
	}, busy)
}

// TestPlanRequest: a new pair names the host, and what was stated wins.
func TestPlanRequest(t *testing.T) {
	m := stock(t)
	shut(t, m)
	p := m.plan(t, Policy{})
	r := p.Identity.Request
	if r.CommonName != "desk01" || len(r.DNSNames) != 1 || len(r.Addrs) != 1 || r.Key != certs.RSA2048 || r.Lifetime != Lifetime {
		t.Errorf("request %+v", r)
	}
	if id := p.Identity; id.Dir != diagnose.OwnDir+"/"+p.ID || id.KeyPath != id.Dir+"/key.pem" || id.CertPath != id.Dir+"/cert.pem" || id.KeyGID != xrdpGID {
		t.Errorf("identity %+v", id)
	}
	stated := certs.Request{CommonName: "rdp.example.org", DNSNames: []string{"rdp.example.org"}, Key: certs.ECDSAP256, Lifetime: 3600e9}
	got := m.plan(t, Policy{Request: stated}).Identity.Request
	if got.CommonName != stated.CommonName || len(got.DNSNames) != 1 || len(got.Addrs) != 0 || got.Key != stated.Key || got.Lifetime != stated.Lifetime {
		t.Errorf("stated %+v, planned %+v", stated, got)
	}
}

// TestDeadlineOfRange: what is mended while a range is let in for a time stays.
func TestDeadlineOfRange(t *testing.T) {
	pol := Policy{Deadline: deadline, DeadlineOfRange: true}
	m := stock(t)
	shut(t, m)
	if p := m.plan(t, pol); p.Empty() || p.Deadline != nil {
		t.Errorf("a new pair would be undone: %+v", p.Deadline)
	}
	pol.Range = oldTo13
	if p := m.plan(t, pol); p.Deadline == nil {
		t.Error("the range would stay")
	}
}
