package repair

import (
	"crypto/tls"
	"slices"
	"strings"
	"testing"

	"xrdpfix/certs"
	"xrdpfix/diagnose"
	"xrdpfix/probe"
	"xrdpfix/xrdpconf"
)

// TestBlocked: what could not be proven is refused before anything is touched, with
// the command that mends what stands in the way.
func TestBlocked(t *testing.T) {
	down := func(m *machine) { m.up, m.port = false, "" }
	system := func(level string) func(*diagnose.Facts) {
		return func(f *diagnose.Facts) {
			f.OpenSSL = diagnose.Seen(diagnose.OpenSSL{CipherString: &diagnose.ConfValue{Name: "CipherString", Text: "DEFAULT@SECLEVEL=" + level, File: "/etc/ssl/openssl.cnf", Line: 9}})
		}
	}
	requires := func(f *diagnose.Facts) {
		u := f.Units[diagnose.UnitXrdp].Value
		u.Requires = []string{diagnose.UnitSesman}
		f.Units[diagnose.UnitXrdp] = diagnose.Seen(u)
	}
	noSesman := func(f *diagnose.Facts) { f.Sesman.Value = diagnose.FileFact{Path: diagnose.SesmanPath} }
	noLog := func(f *diagnose.Facts) {
		f.Log.Exists, f.Log.DaemonCanWrite, f.Log.StartCanWrite = false, false, false
	}
	for _, x := range []struct {
		name    string
		down    bool
		adjust  func(f *diagnose.Facts)
		refused string // part of the text, "" where it is not refused
		instead string
		manual  string
	}{
		{name: "xrdp is down", down: true},
		{
			name: "down, and no log", down: true, adjust: noLog,
			refused: "xrdp cannot start, so a change could not be proven: xrdp runs as user xrdp and cannot write", instead: "install -o xrdp",
		},
		{name: "no log, and xrdp runs", adjust: noLog, manual: "log-unwritable"},
		{
			name: "down, no sesman.ini, systemd starts both", down: true, adjust: func(f *diagnose.Facts) { noSesman(f); requires(f) },
			refused: "xrdp cannot start, so a change could not be proven: /etc/xrdp/sesman.ini does not exist", instead: "apt install --reinstall",
		},
		{name: "down, no sesman.ini, xrdp starts alone", down: true, adjust: noSesman, manual: "sesman-unreachable"},
		{name: "no sesman.ini, xrdp runs", adjust: func(f *diagnose.Facts) { noSesman(f); requires(f) }, manual: "sesman-unreachable"},
		{name: "a level that our key meets", adjust: system("3")},
		{
			name: "xrdp.ini behind a closed directory", refused: "xrdp would not read it, so a change could not be proven", instead: "chmod a+x /etc/xrdp", manual: "ini-unreadable",
			adjust: func(f *diagnose.Facts) {
				f.ConfigAccess = diagnose.PathFact{
					Path: configPath, Real: configPath, Exists: true, Stop: 1, Why: "not for user xrdp",
					Steps: []diagnose.Step{{Path: "/", Kind: "dir"}, {Path: "/etc/xrdp", Kind: "dir"}, {Path: configPath, Kind: "file"}},
				}
			},
		},
		{name: "a level that no key of ours meets", adjust: system("4"), refused: "@SECLEVEL=4 of /etc/ssl/openssl.cnf:9 takes no key that xrdpfix makes"},
	} {
		t.Run(x.name, func(t *testing.T) {
			m := stock(t)
			delete(m.files, "/etc/xrdp/key.pem")
			if x.down {
				down(m)
			}
			m.adjust = x.adjust
			p := m.plan(t, Policy{})
			switch {
			case x.refused == "" && p.Refusal != nil:
				t.Errorf("refused: %+v", *p.Refusal)
			case x.refused != "" && (p.Refusal == nil || p.Refusal.Reason != "blocked" || !strings.Contains(p.Refusal.Text, x.refused) || !strings.Contains(strings.Join(p.Refusal.Instead, "\n"), x.instead)):
				t.Errorf("refusal %+v, want %q and %q", p.Refusal, x.refused, x.instead)
			}
			var manual []string
			for _, h := range p.Manual {
				manual = append(manual, string(h.Because))
			}
			if got := strings.Join(manual, " "); x.refused == "" && x.manual != "" && got != x.manual {
				t.Errorf("left to a human: %q, want %q", got, x.manual)
			}
			if p.Refusal == nil && !p.Unit.Needed && p.Unit.Action != ActionNone && x.manual != "" {
				t.Errorf("a restart that is not needed, and might fail: %+v", p.Unit)
			}
		})
	}
}

// TestKeyForTheLevel makes a key that the machine's security level takes.
func TestKeyForTheLevel(t *testing.T) {
	for level, want := range map[string]certs.KeyType{"2": certs.RSA2048, "3": certs.RSA3072} {
		m := stock(t)
		delete(m.files, "/etc/xrdp/key.pem")
		m.adjust = func(f *diagnose.Facts) {
			f.OpenSSL = diagnose.Seen(diagnose.OpenSSL{CipherString: &diagnose.ConfValue{Name: "CipherString", Text: "@SECLEVEL=" + level, File: "/etc/ssl/openssl.cnf", Line: 9}})
		}
		if id := m.plan(t, Policy{}).Identity; id == nil || id.Request.Key != want {
			t.Errorf("level %s: %+v, want %s", level, id, want)
		}
	}
}

// TestExpectUnderAFloor: what the system forbids is not expected of a range that was
// only repaired, and is of one that was stated.
func TestExpectUnderAFloor(t *testing.T) {
	m := stock(t)
	m.edit(t, configPath, "ssl_protocols=TLSv1.2, TLSv1.3", "ssl_protocols=TLSv1.4")
	m.adjust = func(f *diagnose.Facts) {
		floor := &diagnose.ConfValue{Name: "MinProtocol", Text: "TLSv1.3", File: "/etc/ssl/openssl.cnf", Line: 9}
		f.OpenSSL = diagnose.Seen(diagnose.OpenSSL{Conf: "/etc/ssl/openssl.cnf", Section: "system_default_sect", MinProtocol: floor, Refused: []string{"TLSv1", "TLSv1.1", "TLSv1.2"}})
	}
	for _, x := range []struct {
		pol  Policy
		want []probe.TLSVersion
	}{
		{Policy{}, []probe.TLSVersion{tls.VersionTLS13}},
		{Policy{Range: xrdpconf.Range{Min: xrdpconf.TLS12, Max: xrdpconf.TLS13}}, []probe.TLSVersion{tls.VersionTLS12, tls.VersionTLS13}},
	} {
		p := m.plan(t, x.pol)
		if p.Empty() || !slices.Equal(p.Expect.Accept, x.want) {
			t.Errorf("stated %v: expects %v, want %v", x.pol.Range, p.Expect.Accept, x.want)
		}
	}
}

// TestPairLeft: a pair that is kept, and serves nobody, comes before everything else;
// of one that goes, nothing is left to a human.
func TestPairLeft(t *testing.T) {
	m := stock(t)
	delete(m.files, "/etc/xrdp/key.pem")
	m.edit(t, configPath, "security_layer=negotiate", "security_layer=rdp")
	if p := m.plan(t, Policy{Cert: CertKeep}); p.Refusal == nil || p.Refusal.Reason != "blocked" || !strings.Contains(p.Refusal.Text, "nobody could connect") {
		t.Errorf("--cert keep without a key: %+v", p.Refusal)
	}
	m = stock(t)
	n := m.files["/etc/xrdp/key.pem"]
	n.mode, n.data = 0o644, nil // everybody reads that it is empty
	m.files["/etc/xrdp/key.pem"] = n
	p := m.plan(t, Policy{})
	if p.Refusal != nil || len(p.Manual) != 0 || p.Identity == nil || !slices.Contains(p.Because, diagnose.KeyExposed) {
		t.Errorf("an exposed key that goes: refusal %+v, manual %+v, because %v", p.Refusal, p.Manual, p.Because)
	}
	if p := m.carryOut(t, Policy{}); p.Verdict.Status != Confirmed {
		t.Errorf("verdict %+v", p.Verdict)
	}
}
