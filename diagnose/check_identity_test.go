package diagnose

import (
	"slices"
	"testing"
	"time"

	"xrdpfix/certs"
)

// simple is a plant that needs the facts only.
func simple(change func(f *Facts)) func(*testing.T, *Facts, *Settings) {
	return func(_ *testing.T, f *Facts, _ *Settings) { change(f) }
}

// inIni replaces text of xrdp.ini.
func inIni(old, text string) func(*testing.T, *Facts, *Settings) {
	return func(t *testing.T, f *Facts, _ *Settings) { edit(t, &f.Config, old, text) }
}

func missing(path string) PathFact {
	return PathFact{Path: path, Stop: 0, Why: "no such file", Steps: []Step{{Path: path, Kind: "missing"}}}
}

func TestPair(t *testing.T) {
	dir := func(p *PathFact) { p.Steps[len(p.Steps)-1].Kind = "dir" }
	stopped := func(p *PathFact) {
		p.Readable, p.ReadableAfterRestart, p.Stop, p.Why = false, false, 0, "mode 0600, owner root"
	}
	raise(t, []fault{
		{"key missing", simple(func(f *Facts) {
			f.Key, f.Pair.Value.Key, f.Pair.Value.Match = missing(f.Key.Path), certs.KeyInfo{Problem: certs.ProblemEmpty}, false
		}), []Code{KeyMissing}},
		{"key unreadable", simple(func(f *Facts) { stopped(&f.Key) }), []Code{KeyUnreadable}},
		{"key unreadable until a restart", simple(func(f *Facts) { stopped(&f.Key); f.Key.ReadableAfterRestart = true }), []Code{KeyUnreadable}},
		{"key not looked at", simple(func(f *Facts) { stopped(&f.Key); f.Key.Failed = "permission denied" }), nil},
		{"key with a passphrase", simple(func(f *Facts) {
			f.Pair.Value.Key = certs.KeyInfo{Problem: certs.ProblemEncrypted}
			f.Pair.Value.Match = false
		}), []Code{KeyInvalid}},
		{"key is a directory", simple(func(f *Facts) {
			dir(&f.Key)
			f.Pair.Value.Key = certs.KeyInfo{Problem: certs.ProblemEmpty}
			f.Pair.Value.Match = false
		}), []Code{KeyInvalid}},
		{"key of 1024 bits", simple(func(f *Facts) { f.Pair.Value.Key.Bits = 1024 }), []Code{KeyUnsupported}},
		{"key of 2048 bits", simple(func(f *Facts) { f.Pair.Value.Key.Bits = 2048 }), nil},
		{"key of Ed25519", simple(func(f *Facts) { f.Pair.Value.Key.Type = certs.TypeEd25519 }), []Code{KeyUnsupported}},
		{"key of ECDSA", simple(func(f *Facts) { f.Pair.Value.Key.Type = "ECDSA P-256" }), nil},
		{"key of ECDSA, xrdp 0.9.15", simple(func(f *Facts) { f.Pair.Value.Key.Type = "ECDSA P-256"; f.Package.Value.Version = "0.9.15" }), []Code{KeyUnsupported}},
		{"key for all to read", simple(func(f *Facts) { f.Key.OthersRead = true }), []Code{KeyExposed}},
		{"key for the daemon to write", simple(func(f *Facts) { f.Key.Writable = true }), []Code{KeyExposed}},
		{"key for root to write", simple(func(f *Facts) {
			f.Key.Writable = true
			f.Daemon.Running.Value.Identity = Identity{User: "root", Group: "root"}
			f.Daemon.Start.Value = Identity{User: "root", Group: "root"}
		}), nil},
		{"certificate missing", simple(func(f *Facts) {
			f.Cert, f.Pair.Value.Cert, f.Pair.Value.Match = missing(f.Cert.Path), certs.CertInfo{Problem: certs.ProblemEmpty}, false
		}), []Code{CertMissing}},
		{"certificate that breaks RFC 5280", simple(func(f *Facts) { f.Pair.Value.Cert.Problem = certs.ProblemNonstandard }), []Code{CertInvalid}},
		{"certificate that breaks RFC 5280, of another key", simple(func(f *Facts) {
			f.Pair.Value.Cert.Problem, f.Pair.Value.Match = certs.ProblemNonstandard, false
		}), []Code{CertKeyMismatch}},
		{"certificate unreadable", simple(func(f *Facts) { stopped(&f.Cert) }), []Code{CertUnreadable}},
		{"certificate in DER", simple(func(f *Facts) {
			f.Pair.Value.Cert = certs.CertInfo{Problem: certs.ProblemDER}
			f.Pair.Value.Match = false
		}), []Code{CertInvalid}},
		{"not a pair", simple(func(f *Facts) { f.Pair.Value.Match = false }), []Code{CertKeyMismatch}},
		{"another certificate on the wire", simple(func(f *Facts) { f.Pair.Value.Cert.SHA256 = "FF" }), []Code{CertNotServed}},
		{"no line certificate", inIni("certificate=/etc/xrdp/tls/20261101T000000Z/cert.pem\n", ""), []Code{CertPathMissing}},
		{"a relative path", inIni("certificate=/etc/xrdp/tls/20261101T000000Z/cert.pem", "certificate=cert.pem"), []Code{CertPathInvalid}},
	})
}

func TestCertificate(t *testing.T) {
	cert := func(change func(c *certs.CertInfo)) func(*testing.T, *Facts, *Settings) {
		return simple(func(f *Facts) { change(&f.Pair.Value.Cert) })
	}
	day := 24 * time.Hour
	raise(t, []fault{
		{"ended a second ago", cert(func(c *certs.CertInfo) { c.NotAfter = taken.Add(-time.Second) }), []Code{CertExpired}},
		{"ends this second", cert(func(c *certs.CertInfo) { c.NotAfter = taken }), []Code{CertExpiring}},
		{"begins in a second", cert(func(c *certs.CertInfo) { c.NotBefore = taken.Add(time.Second) }), []Code{CertNotYetValid}},
		{"begins this second", cert(func(c *certs.CertInfo) { c.NotBefore = taken }), nil},
		{"ends in 30 days less a second", cert(func(c *certs.CertInfo) { c.NotAfter = taken.Add(30*day - time.Second) }), []Code{CertExpiring}},
		{"ends in 30 days", cert(func(c *certs.CertInfo) { c.NotAfter = taken.Add(30 * day) }), nil},
		{"ends in 10 days, 7 stated", func(_ *testing.T, f *Facts, s *Settings) {
			f.Pair.Value.Cert.NotAfter, s.WarnDays = taken.Add(10*day), 7
		}, nil},
		{"ends in 10 days, 7 stated, to be renewed before 14", func(_ *testing.T, f *Facts, s *Settings) {
			f.Pair.Value.Cert.NotAfter, s.WarnDays, s.RenewBefore = taken.Add(10*day), 7, 14
		}, []Code{CertExpiring}},
		{"ends in 10 days, to be renewed before 5", func(_ *testing.T, f *Facts, s *Settings) {
			f.Pair.Value.Cert.NotAfter, s.RenewBefore = taken.Add(10*day), 5
		}, []Code{CertExpiring}},
		{"lacks a stated name", func(_ *testing.T, f *Facts, s *Settings) {
			s.Names = append(slices.Clone(f.Pair.Value.Cert.DNSNames), "rdp.example.org")
		}, []Code{CertName}},
		{"has the stated name, and not the machine's", func(_ *testing.T, f *Facts, s *Settings) {
			f.Pair.Value.Cert.DNSNames, s.Names = []string{"rdp.example.org"}, []string{"RDP.example.org"}
		}, nil},
		{"SHA-1", cert(func(c *certs.CertInfo) { c.WeakSignature, c.SignatureAlgorithm = true, "SHA1-RSA" }), []Code{CertUnsuitable}},
		{"a CA", cert(func(c *certs.CertInfo) { c.IsCA = true }), []Code{CertUnsuitable}},
		{"for clients", cert(func(c *certs.CertInfo) { c.ServerAuth = false }), []Code{CertUnsuitable}},
		{"another name", cert(func(c *certs.CertInfo) { c.DNSNames = []string{"desk02"} }), []Code{CertName}},
		{"one of two names", cert(func(c *certs.CertInfo) { c.DNSNames = []string{"desk01"} }), nil},
		{"a machine without a name", simple(func(f *Facts) {
			f.Host.Name, f.Host.FQDN = "localhost", ""
			f.Pair.Value.Cert.DNSNames = []string{"desk02"}
		}), nil},
	})
}

// TestElsewhere: a self-signed pair that was delivered is renewed only when stated.
func TestElsewhere(t *testing.T) {
	f := healthy()
	f.Pair.Value.Cert.NotAfter, f.Source.Value.Elsewhere = taken.AddDate(0, 0, 5), true
	if x := Run(f, Settings{}); len(x) != 1 || x[0].Code != CertExpiring || x[0].Mend != MendStated {
		t.Errorf("%+v", x)
	}
}

// TestRenewBefore: who may mend an ending certificate, and when.
func TestRenewBefore(t *testing.T) {
	for _, tt := range []struct {
		days, warn, renew int
		ours              bool
		want              Mend
	}{
		{10, 30, 14, true, MendApply},
		{10, 30, 5, true, MendStated},
		{10, 30, 0, true, MendApply},
		{10, 30, 14, false, MendStated},
		{10, 5, 14, false, ""},
		{10, 5, 5, true, ""},
	} {
		f, s := healthy(), Settings{WarnDays: tt.warn, RenewBefore: tt.renew}
		f.Pair.Value.Cert.NotAfter = taken.AddDate(0, 0, tt.days)
		if !tt.ours {
			inIni("certificate=/etc/xrdp/tls/20261101T000000Z/", "certificate=/etc/elsewhere/")(t, &f, &s)
		}
		got := Mend("")
		for _, x := range Run(f, s) {
			if x.Code == CertExpiring {
				got = x.Mend
			}
		}
		if got != tt.want {
			t.Errorf("%+v: mended by %q", tt, got)
		}
	}
}

// TestNonstandardWaits: what cannot be read cannot be told to be self-signed.
func TestNonstandardWaits(t *testing.T) {
	f := healthy()
	f.Pair.Value.Cert.Problem = certs.ProblemNonstandard
	if x := Run(f, Settings{}); len(x) != 1 || x[0].Mend != MendStated || x[0].Severity != Error {
		t.Errorf("%+v, want an error that is mended only when stated", x)
	}
}
