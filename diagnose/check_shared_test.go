package diagnose

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"xrdpfix/certs"
)

func TestKeyShared(t *testing.T) {
	const hour = time.Hour
	origin := func(machine, ssh time.Duration) func(*testing.T, *Facts, *Settings) {
		return func(_ *testing.T, f *Facts, _ *Settings) {
			made := taken.AddDate(0, 0, -20)
			o := KeyOrigin{Changed: made, MachineID: made.Add(machine)}
			if ssh != 0 {
				o.HostKeys = made.Add(ssh)
			}
			f.Origin = Seen(o)
		}
	}
	also := func(plant func(*testing.T, *Facts, *Settings), more func(*Facts)) func(*testing.T, *Facts, *Settings) {
		return func(t *testing.T, f *Facts, s *Settings) {
			plant(t, f, s)
			more(f)
		}
	}
	otherName := func(f *Facts) { f.Pair.Value.Cert.DNSNames = []string{"golden"} }
	snakeoil := func(f *Facts) { f.Key.Real = "/etc/ssl/private/ssl-cert-snakeoil.key" }
	raise(t, []fault{
		{"the snakeoil link", func(_ *testing.T, f *Facts, _ *Settings) { snakeoil(f) }, []Code{KeyShared}},
		{"a copy of the snakeoil key", func(_ *testing.T, f *Facts, _ *Settings) { f.Origin = Seen(KeyOrigin{Snakeoil: "aa"}) }, []Code{KeyShared}},
		{"another snakeoil key", func(_ *testing.T, f *Facts, _ *Settings) { f.Origin = Seen(KeyOrigin{Snakeoil: "bb"}) }, nil},
		{"the snakeoil link, unreadable", func(_ *testing.T, f *Facts, _ *Settings) {
			snakeoil(f)
			f.Key.Readable, f.Key.ReadableAfterRestart, f.Key.Stop = false, false, 0
		}, []Code{KeyUnreadable}},
		{"older than the identity and SSH's keys", origin(2*hour, 2*hour), []Code{KeyShared}},
		{"older than the identity, another name", also(origin(2*hour, 0), otherName), []Code{KeyShared, CertName}},
		{"older than the identity alone", origin(2*hour, 0), nil},
		{"older than SSH's keys alone", origin(-2*hour, 2*hour), nil},
		{"of the same hour as the identity", origin(hour, 2*hour), nil},
		{"a copied file with a new certificate", also(origin(2*hour, 2*hour), func(f *Facts) { f.Pair.Value.Cert.NotBefore = taken.AddDate(0, 0, -1) }), nil},
		{"signed by a CA", also(origin(2*hour, 2*hour), func(f *Facts) { f.Pair.Value.Cert.SelfSigned = false }), nil},
		{"nothing is known", func(_ *testing.T, f *Facts, _ *Settings) { f.Origin = Seen(KeyOrigin{}) }, nil},
	})
}

func TestCertChain(t *testing.T) {
	chain := func(order certs.ChainOrder, logged bool) func(*testing.T, *Facts, *Settings) {
		return func(_ *testing.T, f *Facts, _ *Settings) {
			c := &f.Pair.Value.Cert
			c.SelfSigned, c.Issuer, c.ChainOrder = false, "CN=R10,O=Let's Encrypt,C=US", order
			f.CertLogged = logged
		}
	}
	raise(t, []fault{
		{"in order", chain(certs.ChainOK, true), nil},
		{"out of order", chain(certs.ChainOutOfOrder, false), []Code{CertChain}},
		{"foreign certificates", chain(certs.ChainBroken, false), []Code{CertChain}},
		{"leaf of a public CA alone", chain(certs.ChainIssuerAbsent, true), []Code{CertChain}},
		{"leaf of a private CA alone", chain(certs.ChainIssuerAbsent, false), nil},
		{"out of order, and replaced anyway", func(t *testing.T, f *Facts, s *Settings) {
			chain(certs.ChainOutOfOrder, false)(t, f, s)
			f.Pair.Value.Match = false
		}, []Code{CertKeyMismatch}},
	})
}

func TestCertLogged(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []bool{true, false} {
		tpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: taken, NotAfter: taken.AddDate(1, 0, 0)}
		if want {
			tpl.ExtraExtensions = []pkix.Extension{{Id: sctList, Value: []byte{4, 0}}}
		}
		der, err := x509.CreateCertificate(rand.Reader, tpl, tpl, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		if got := certLogged(der); got != want {
			t.Errorf("certLogged = %v, want %v", got, want)
		}
	}
	if certLogged(nil) || certLogged([]byte("x")) {
		t.Error("no certificate is logged")
	}
}

func TestCertCopyStale(t *testing.T) {
	copied := func(change func(f *Facts, s *CertSource)) func(*testing.T, *Facts, *Settings) {
		return func(_ *testing.T, f *Facts, _ *Settings) {
			c := &f.Pair.Value.Cert
			c.SelfSigned, c.Issuer, c.NotAfter = false, "CN=R10", taken.AddDate(0, 0, 40)
			s := CertSource{Path: "/etc/letsencrypt/live/desk01/fullchain.pem", Key: "/etc/letsencrypt/live/desk01/privkey.pem",
				Cert: certs.CertInfo{SHA256: "EF", NotBefore: taken.AddDate(0, 0, -1), NotAfter: taken.AddDate(0, 0, 89)}}
			if change != nil {
				change(f, &s)
			}
			f.Source = Seen(s)
		}
	}
	raise(t, []fault{
		{"renewed", copied(nil), []Code{CertCopyStale}},
		{"renewed, the copy ends soon", copied(func(f *Facts, _ *CertSource) { f.Pair.Value.Cert.NotAfter = taken.AddDate(0, 0, 3) }), []Code{CertCopyStale}},
		{"renewed, the copy has ended", copied(func(f *Facts, _ *CertSource) { f.Pair.Value.Cert.NotAfter = taken.AddDate(0, 0, -3) }), []Code{CertCopyStale}},
		{"renewed, its key not found", copied(func(_ *Facts, s *CertSource) { s.Key = "" }), []Code{CertCopyStale}},
		{"the same", copied(func(f *Facts, s *CertSource) { s.Cert.SHA256 = f.Pair.Value.Cert.SHA256 }), nil},
		{"another one that ends earlier", copied(func(_ *Facts, s *CertSource) { s.Cert.NotAfter = taken.AddDate(0, 0, 39) }), nil},
		{"one that has not begun", copied(func(_ *Facts, s *CertSource) { s.Cert.NotBefore = taken.AddDate(0, 0, 1) }), nil},
		{"garbage", copied(func(_ *Facts, s *CertSource) { s.Cert = certs.CertInfo{Problem: certs.ProblemNotPEM} }), nil},
		{"no copy at all", func(_ *testing.T, f *Facts, _ *Settings) { f.Source = Seen(CertSource{}) }, nil},
	})
	f := healthy()
	copied(func(f *Facts, _ *CertSource) { f.Pair.Value.Cert.NotAfter = taken.AddDate(0, 0, -3) })(t, &f, nil)
	if x := Run(f, Settings{}); len(x) != 1 || x[0].Severity != Error || x[0].Mend != MendApply {
		t.Errorf("a stale copy that has ended: %+v", x)
	}
}
