package diagnose

import (
	"strings"
	"testing"
)

func TestPasswordExposed(t *testing.T) {
	secret := func(t *testing.T, f *Facts) {
		edit(t, &f.Config, "password=ask", "password=hunter2")
	}
	raise(t, []fault{
		{"in xrdp.ini", func(t *testing.T, f *Facts, _ *Settings) { secret(t, f) }, []Code{IniPassword}},
		{"mode 0640", func(t *testing.T, f *Facts, _ *Settings) {
			secret(t, f)
			f.Config.Value.Mode = 0o640
		}, nil},
		{"read back from JSON", func(t *testing.T, f *Facts, _ *Settings) {
			secret(t, f)
			f.Config.Value.Data = nil
		}, []Code{IniPassword}},
		{"asksame", func(t *testing.T, f *Facts, _ *Settings) { edit(t, &f.Config, "password=ask", "password=asksame") }, nil},
		{"in sesman.ini", func(t *testing.T, f *Facts, _ *Settings) {
			edit(t, &f.Sesman, "[Security]", "[SessionVariables]\nVNC_PASSWORD=hunter2\n[Security]")
		}, []Code{IniPassword}},
	})
	f := healthy()
	secret(t, &f)
	for _, x := range Run(f, Settings{}) {
		for _, e := range x.Evidence {
			if strings.Contains(e.Text+x.Detail+x.Remedy, "hunter2") {
				t.Errorf("the password is shown: %+v", x)
			}
		}
	}
}

func TestManagedElsewhere(t *testing.T) {
	raise(t, []fault{
		{"xrdp.ini", func(t *testing.T, f *Facts, _ *Settings) {
			edit(t, &f.Config, "[Globals]", "# Ansible managed\n[Globals]")
		}, []Code{IniManaged}},
		{"both", func(t *testing.T, f *Facts, _ *Settings) {
			edit(t, &f.Config, "[Globals]", "# Ansible managed\n[Globals]")
			edit(t, &f.Sesman, "[Globals]", "; This file is managed by Puppet\n[Globals]")
		}, []Code{IniManaged, IniManaged}},
		{"not in a comment", func(t *testing.T, f *Facts, _ *Settings) {
			edit(t, &f.Config, "[Xorg]", "[Xorg]\npamerrortxt=ansible managed")
		}, nil},
	})
}

func TestUpgradeLeftover(t *testing.T) {
	left := func(ending, old, text string) func(*testing.T, *Facts, *Settings) {
		return func(t *testing.T, f *Facts, _ *Settings) {
			l := Seen(fileFact(ConfigPath+ending, healthyIni))
			edit(t, &l, old, text)
			f.Leftovers = Seen([]FileFact{l.Value})
		}
	}
	raise(t, []fault{
		{"other versions", left(".dpkg-dist", "TLSv1.2, TLSv1.3", "TLSv1.3"), []Code{IniUpgradeLeftover}},
		{"the same versions otherwise written", left(".dpkg-dist", "TLSv1.2, TLSv1.3", "TLSv1.3 TLSv1.2"), nil},
		{"a new key", left(".rpmnew", "port=3389\n", "port=3389\nruntime_user=xrdp\nruntime_group=xrdp\n"), []Code{IniUpgradeLeftover}},
		{"another port", left(".ucf-dist", "port=3389", "port=3390"), nil},
		{"the default pair", left(".dpkg-new", "certificate=/etc/xrdp/tls/20261101T000000Z/cert.pem", "certificate="), nil},
		{"a pair of one's own", left(".rpmsave", "certificate=/etc/xrdp/tls/20261101T000000Z/cert.pem", "certificate=/etc/pki/mine.pem"), []Code{IniUpgradeLeftover}},
		{"the case of a word", left(".dpkg-dist", "crypt_level=high", "crypt_level=HIGH"), nil},
		{"the layer", left(".dpkg-dist", "security_layer=tls", "security_layer=negotiate"), []Code{IniUpgradeLeftover}},
		{"sesman.ini's socket group", func(t *testing.T, f *Facts, _ *Settings) {
			f.Leftovers = Seen([]FileFact{fileFact(SesmanPath+".dpkg-dist", healthySesman+"SessionSockdirGroup=xrdp\n")})
		}, []Code{IniUpgradeLeftover}},
		{"sesman.ini, another limit", func(t *testing.T, f *Facts, _ *Settings) {
			f.Leftovers = Seen([]FileFact{fileFact(SesmanPath+".dpkg-dist", healthySesman+"MaxLoginRetry=9\n")})
		}, nil},
	})
}
