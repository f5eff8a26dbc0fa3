package repair

import (
	"errors"
	"path"
	"slices"
	"testing"

	"xrdpfix/diagnose"
	"xrdpfix/xrdpconf"
)

func declares(min, max string) func(*testing.T, *machine) {
	return func(t *testing.T, m *machine) {
		m.edit(t, diagnose.SesmanPath, "[Security]\n", "[Security]\ntls_min_version="+min+"\ntls_max_version="+max+"\n")
	}
}

func both(plant ...func(*testing.T, *machine)) func(*testing.T, *machine) {
	return func(t *testing.T, m *machine) {
		for _, p := range plant {
			p(t, m)
		}
	}
}

// declared is what is written to sesman.ini for a range.
func declared(min, max string) string {
	return "edit sesman.ini\n  +; " + rangeComment + "\n  +tls_min_version=" + min + "\n  +tls_max_version=" + max
}

const (
	lowered = "tls_ciphers=" + loweredCiphers
	protos  = "ssl_protocols=TLSv1.2, TLSv1.3"
)

// TestPlanRange: a plain apply leaves a working range alone; a stated one is
// declared and made real.
func TestPlanRange(t *testing.T) {
	floor := func(_ *testing.T, m *machine) { m.floor = true }
	lifted := func(t *testing.T, m *machine) {
		floor(t, m)
		m.carryOut(t, Policy{Range: oldTo13})
	}
	toldBlocked := func(f *diagnose.Facts) { f.Host.FIPS = true }
	testPlans(t, []planCase{
		{name: "1.3 only", plant: ini(protos, "ssl_protocols=TLSv1.3"), want: ""},
		{name: "1.0 to 1.3", plant: ini(protos, "ssl_protocols=TLSv1, TLSv1.1, TLSv1.2, TLSv1.3\n"+lowered), want: ""},
		{name: "1.2 only", plant: ini(protos, "ssl_protocols=TLSv1.2"), want: ""},
		{name: "missing", plant: ini(protos+"\n", ""), want: declared("1.2", "1.3") + "\nedit xrdp.ini\n  +" + protos},
		{name: "empty", plant: ini(protos, "ssl_protocols="), want: declared("1.2", "1.3") + "\nedit xrdp.ini\n  -ssl_protocols=\n  +" + protos},
		{name: "no word that xrdp knows", plant: ini(protos, "ssl_protocols=tls1.2"), want: declared("1.2", "1.3") + "\nedit xrdp.ini\n  -ssl_protocols=tls1.2\n  +" + protos},
		{name: "a word that xrdp skips", plant: ini(protos, "ssl_protocols=TLSv1.3, TLSv1.4"), want: declared("1.3", "1.3") + "\nedit xrdp.ini\n  -ssl_protocols=TLSv1.3, TLSv1.4\n  +ssl_protocols=TLSv1.3"},
		{name: "a stale paste in sesman.ini", plant: declares("TLSv1", "TLSv1.2"), want: ""},
		{name: "a stale paste, and a missing range", plant: both(declares("TLSv1", "TLSv1.2"), ini(protos+"\n", "")), want: `
edit sesman.ini
  -tls_min_version=TLSv1
  -tls_max_version=TLSv1.2
  +tls_min_version=1.2
  +tls_max_version=1.3
edit xrdp.ini
  +` + protos},

		{name: "intermediate, as it is", pol: Policy{Range: from12}, want: declared("1.2", "1.3")},
		{name: "intermediate, a stale paste", plant: declares("TLSv1", "TLSv1.2"), pol: Policy{Range: from12}, want: `
edit sesman.ini
  -tls_min_version=TLSv1
  -tls_max_version=TLSv1.2
  +tls_min_version=1.2
  +tls_max_version=1.3`},
		{name: "intermediate, all the same", plant: declares("TLSv1.2", "1.3"), pol: Policy{Range: from12}, want: ""},
		{name: "declared, all the same", plant: declares("TLSv1.2", "1.3"), pol: Policy{Declared: true}, want: ""},
		{name: "declared, the upper end alone", plant: replace(diagnose.SesmanPath, "[Globals]\n[Security]\ntls_max_version=1.2\n"), pol: Policy{Declared: true}, want: `
edit sesman.ini
  +; ` + rangeComment + `
  +tls_min_version=1.2
edit xrdp.ini
  -` + protos + `
  +ssl_protocols=TLSv1.2`},
		{name: "declared, another one", plant: declares("TLSv1.3", "TLSv1.3"), pol: Policy{Declared: true}, want: "edit xrdp.ini\n  -" + protos + "\n  +ssl_protocols=TLSv1.3"},
		{name: "declared, old versions", plant: declares("1.0", "1.2"), pol: Policy{Declared: true},
			want: "edit xrdp.ini\n  -" + protos + "\n  +ssl_protocols=TLSv1, TLSv1.1, TLSv1.2\n  +" + lowered},
		{name: "modern", pol: Policy{Range: only13}, want: declared("1.3", "1.3") + "\nedit xrdp.ini\n  -" + protos + "\n  +ssl_protocols=TLSv1.3"},
		{name: "legacy", pol: Policy{Range: oldTo13}, want: declared("1.0", "1.3") + "\nedit xrdp.ini\n  -" + protos + "\n  +ssl_protocols=TLSv1, TLSv1.1, TLSv1.2, TLSv1.3\n  +" + lowered},

		{name: "legacy, ciphers of the administrator's own", plant: ini(protos, protos+"\ntls_ciphers=HIGH:!aNULL"), pol: Policy{Range: oldTo13}, want: declared("1.0", "1.3") +
			"\nedit xrdp.ini\n  -" + protos + "\n  -tls_ciphers=HIGH:!aNULL\n  +ssl_protocols=TLSv1, TLSv1.1, TLSv1.2, TLSv1.3\n  +tls_ciphers=HIGH:!aNULL:@SECLEVEL=0"},
		{name: "legacy, another security level", plant: ini(protos, protos+"\ntls_ciphers=HIGH@SECLEVEL=1:!aNULL"), pol: Policy{Range: oldTo13}, want: declared("1.0", "1.3") +
			"\nedit xrdp.ini\n  -" + protos + "\n  -tls_ciphers=HIGH@SECLEVEL=1:!aNULL\n  +ssl_protocols=TLSv1, TLSv1.1, TLSv1.2, TLSv1.3\n  +tls_ciphers=HIGH@SECLEVEL=0:!aNULL"},
		{name: "legacy, the level is there", plant: ini(protos, protos+"\ntls_ciphers=ALL:@SECLEVEL=0"), pol: Policy{Range: oldTo13}, want: declared("1.0", "1.3") +
			"\nedit xrdp.ini\n  -" + protos + "\n  +ssl_protocols=TLSv1, TLSv1.1, TLSv1.2, TLSv1.3"},
		{name: "modern, our own lowering goes", plant: ini(protos, "ssl_protocols=TLSv1, TLSv1.1, TLSv1.2, TLSv1.3\n"+lowered), pol: Policy{Range: only13}, want: declared("1.3", "1.3") +
			"\nedit xrdp.ini\n  -ssl_protocols=TLSv1, TLSv1.1, TLSv1.2, TLSv1.3\n  -" + lowered + "\n  +ssl_protocols=TLSv1.3"},
		{name: "modern, their lowering stays", plant: ini(protos, protos+"\ntls_ciphers=ALL:@SECLEVEL=0"), pol: Policy{Range: only13}, want: declared("1.3", "1.3") +
			"\nedit xrdp.ini\n  -" + protos + "\n  +ssl_protocols=TLSv1.3"},

		{name: "legacy under FIPS", adjust: toldBlocked, pol: Policy{Range: oldTo13}, want: declared("1.0", "1.3") + "\nedit xrdp.ini\n  -" + protos +
			"\n  +ssl_protocols=TLSv1, TLSv1.1, TLSv1.2, TLSv1.3\n  +" + lowered + "\nmanual tls-range-blocked: \nrefused fips: this machine runs in FIPS mode, which forbids TLS below 1.2"},
		{name: "modern under FIPS", adjust: toldBlocked, pol: Policy{Range: only13}, want: declared("1.3", "1.3") + "\nedit xrdp.ini\n  -" + protos + "\n  +ssl_protocols=TLSv1.3"},
		{name: "plain apply under FIPS", adjust: toldBlocked, want: ""},

		{name: "no sesman.ini", plant: remove(diagnose.SesmanPath), pol: Policy{Range: only13}, want: "edit xrdp.ini\n  -" + protos + "\n  +ssl_protocols=TLSv1.3\nmanual sesman-unreachable: apt install --reinstall -o Dpkg::Options::=--force-confmiss xrdp"},
		{name: "a floor, intermediate", plant: floor, pol: Policy{Range: from12}, want: declared("1.2", "1.3")},
		{name: "a floor, plain apply", plant: floor, want: ""},
		{name: "a lifted floor, plain apply", plant: lifted, want: ""},
		{name: "a lifted floor, the same", plant: lifted, pol: Policy{Range: oldTo13}, want: ""},
	}, busy)
}

// TestPlanFloor: the drop-in comes and goes, first in the order of writing, and
// xrdp.ini is last.
func TestPlanFloor(t *testing.T) {
	m := stock(t)
	m.floor = true
	p := m.plan(t, Policy{Range: oldTo13})
	if got, want := order(p), []string{"create openssl.cnf", "create xrdpfix-openssl.conf", "edit sesman.ini", "edit xrdp.ini"}; !slices.Equal(got, want) || !p.Unit.Reload || !p.Unit.Needed {
		t.Errorf("lifting: %q, reload %t, needed %t; want %q", got, p.Unit.Reload, p.Unit.Needed, want)
	}
	m.carryOut(t, Policy{Range: oldTo13})
	p = m.plan(t, Policy{Range: only13})
	if got, want := order(p), []string{"remove xrdpfix-openssl.conf", "remove openssl.cnf", "edit sesman.ini", "edit xrdp.ini"}; !slices.Equal(got, want) || !p.Unit.Reload || p.Unit.Needed {
		t.Errorf("no longer needed: %q, reload %t, needed %t; want %q", got, p.Unit.Reload, p.Unit.Needed, want)
	}
	// A file that somebody else changed since is written anew.
	m.edit(t, diagnose.OwnOpenSSLPath, "MinProtocol", "#MinProtocol")
	p = m.plan(t, Policy{Range: oldTo13})
	if got, want := order(p), []string{"edit openssl.cnf"}; !slices.Equal(got, want) || !p.Unit.Needed {
		t.Errorf("a changed file: %q, needed %t; want %q", got, p.Unit.Needed, want)
	}
	// No section for every TLS context: nothing to lift it in.
	m = stock(t)
	m.floor = true
	m.adjust = func(f *diagnose.Facts) { f.OpenSSL.Value.Section = "" }
	p = m.plan(t, Policy{Range: oldTo13})
	if !slices.ContainsFunc(p.Manual, func(m Manual) bool { return m.Because == diagnose.TLSRangeBlocked }) {
		t.Errorf("no section: manual %+v", p.Manual)
	}
}

func order(p Plan) []string {
	var out []string
	for _, c := range p.Files {
		out = append(out, string(c.Kind)+" "+path.Base(c.Path))
	}
	return out
}

// TestPlanExpects: what must be true afterwards follows from the files as they
// will be.
func TestPlanExpects(t *testing.T) {
	tls10, tls11, tls12, tls13 := xrdpconf.TLS10, xrdpconf.TLS11, xrdpconf.TLS12, xrdpconf.TLS13
	for _, x := range []struct {
		name           string
		plant          func(*testing.T, *machine)
		pol            Policy
		selected       string
		accept, refuse []xrdpconf.TLSVersion
		classic, every bool
	}{
		{name: "plain", selected: "PROTOCOL_SSL", accept: []xrdpconf.TLSVersion{tls12, tls13}, refuse: []xrdpconf.TLSVersion{tls10, tls11}, classic: true},
		{name: "modern", pol: Policy{Range: only13}, selected: "PROTOCOL_SSL", accept: []xrdpconf.TLSVersion{tls13}, refuse: []xrdpconf.TLSVersion{tls10, tls11, tls12}, classic: true, every: true},
		{name: "legacy", pol: Policy{Range: oldTo13}, selected: "PROTOCOL_SSL", accept: []xrdpconf.TLSVersion{tls10, tls11, tls12, tls13}, classic: true, every: true},
		{name: "tls", pol: Policy{SecurityLayer: "tls"}, selected: "PROTOCOL_SSL", accept: []xrdpconf.TLSVersion{tls12, tls13}, refuse: []xrdpconf.TLSVersion{tls10, tls11}},
		{name: "rdp", pol: Policy{SecurityLayer: "rdp"}, selected: "PROTOCOL_RDP", classic: true},
		// What did not work before a repair is not promised, only what was stated.
		{name: "blocked by the system", plant: both(ini(protos, "ssl_protocols=TLSv1, TLSv1.1, TLSv1.2, TLSv1.3"), ini("crypt_level=high", "crypt_level=low")),
			selected: "PROTOCOL_SSL", accept: []xrdpconf.TLSVersion{tls13}, classic: true}, // of four versions the edges are asked for
	} {
		t.Run(x.name, func(t *testing.T) {
			m := stock(t)
			if x.plant != nil {
				x.plant(t, m)
			}
			e := m.plan(t, x.pol).Expect
			var accept, refuse []xrdpconf.TLSVersion
			for _, v := range e.Accept {
				accept = append(accept, xrdpconf.TLSVersion(v))
			}
			for _, v := range e.Refuse {
				refuse = append(refuse, xrdpconf.TLSVersion(v))
			}
			if e.Selected.String() != x.selected || !slices.Equal(accept, x.accept) || !slices.Equal(refuse, x.refuse) || e.Classic != x.classic || e.Every != x.every {
				t.Errorf("expects %s, accept %v, refuse %v, classic %t, every %t", e.Selected, accept, refuse, e.Classic, e.Every)
			}
			if e.Addr != "127.0.0.1:3389" || e.LogPath == "" {
				t.Errorf("looks at %q, %q", e.Addr, e.LogPath)
			}
		})
	}
}

// TestNothingDeclared: --profile declared obeys what is there, and makes nothing
// up where nothing is.
func TestNothingDeclared(t *testing.T) {
	for name, plant := range map[string]func(*testing.T, *machine){
		"neither line":  func(*testing.T, *machine) {},
		"no version":    declares("SSLv3", "TLSv1.2"),
		"upside down":   declares("TLSv1.3", "TLSv1.2"),
		"no sesman.ini": remove(diagnose.SesmanPath),
	} {
		m, pol := stock(t), Policy{Declared: true}
		plant(t, m)
		f := m.facts(pol)
		p, err := New(f, diagnose.Run(f, diagnose.Settings{Declared: true}), pol)
		if !errors.Is(err, ErrNothingDeclared) || !p.Empty() {
			t.Errorf("%s: %v, %s", name, err, planText(p))
		}
	}
}
