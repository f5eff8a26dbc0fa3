package diagnose

import (
	"slices"
	"strings"
	"testing"

	"xrdpfix/service"
)

func TestConfigFile(t *testing.T) {
	absent := func(f *Facts) {
		f.Config = Seen(FileFact{Path: ConfigPath, Target: ConfigPath})
	}
	raise(t, []fault{
		{"absent", simple(absent), []Code{IniMissing}},
		{"empty", simple(func(f *Facts) { f.Config.Value.Data, f.Config.Value.Text = []byte{}, "" }), []Code{IniMissing}},
		{"no [Globals]", simple(func(f *Facts) { f.Config = Seen(fileFact(ConfigPath, "port=3389\n")) }), []Code{IniMissing}},
		{"not looked at", simple(func(f *Facts) { f.Config = Failed[FileFact]("permission denied") }), nil},
		{"unreadable for the daemon", simple(func(f *Facts) { f.ConfigAccess.Readable, f.ConfigAccess.Stop = false, 0 }), []Code{IniUnreadable}},
		{"a bracket", inIni("port=3389\n", "port=3389\nls_title=[desk]\n"), []Code{IniCutShort}},
		{"a bracket in a comment", inIni("port=3389\n", "port=3389\n# [desk]\n"), nil},
		{"bind-mounted", simple(func(f *Facts) { f.Config.Value.Obstacle = "is a mount point" }), []Code{IniNotReplaceable}},
		{"no xrdp at all", simple(func(f *Facts) {
			absent(f)
			f.Package = Failed[Package]("xrdp is not installed")
			f.Units, f.Daemon.Running, f.Listen.Value = map[string]Observed[service.Unit]{}, Skipped[Process]("no xrdp process runs"), nil
		}), []Code{XrdpMissing}},
	})
}

func TestLint(t *testing.T) {
	raise(t, []fault{
		{"twice", inIni("crypt_level=high\n", "crypt_level=high\ncrypt_level=high\n"), []Code{IniDuplicate}},
		{"under [Xorg]", inIni("name=Xorg\n", "name=Xorg\nsecurity_layer=tls\n"), []Code{IniMisplaced}},
		{"a near miss", inIni("port=3389\n", "port=3389\ntls_cipher=HIGH\n"), []Code{IniKeyIgnored}},
		{"a word of nobody's", inIni("port=3389\n", "port=3389\nmy_own_note=1\n"), nil},
		{"changed since our apply", simple(func(f *Facts) {
			f.Applied = Seen([]AppliedSummary{{ID: "20261101T000000Z", State: "confirmed", Files: map[string]string{ConfigPath: "11"}}})
		}), []Code{IniDrift}},
		{"as our apply left it", simple(func(f *Facts) {
			f.Applied = Seen([]AppliedSummary{{ID: "20261101T000000Z", State: "confirmed", Files: map[string]string{ConfigPath: "00"}}})
		}), nil},
		{"changed since an older apply", simple(func(f *Facts) {
			f.Applied = Seen([]AppliedSummary{{ID: "20261102T000000Z", State: "confirmed"}, {ID: "20261101T000000Z", State: "confirmed", Files: map[string]string{ConfigPath: "11"}}})
		}), nil},
		{"interrupted", simple(func(f *Facts) { f.Applied = Seen([]AppliedSummary{{ID: "20261101T000000Z", State: "unfinished"}}) }), []Code{ApplyUnfinished}},
		{"damaged", simple(func(f *Facts) {
			f.Applied = Seen([]AppliedSummary{{ID: "20261101T000000Z", State: "damaged", Problem: "unexpected end of JSON input", Place: "/var/lib/xrdpfix/journal/20261101T000000Z"}})
		}), []Code{JournalDamaged}},
		{"waits for confirm", simple(func(f *Facts) {
			f.Applied = Seen([]AppliedSummary{{ID: "20261101T000000Z", State: "confirmed", Until: taken.AddDate(0, 0, 1)}})
		}), []Code{ApplyUnconfirmed}},
		{"for a while", simple(func(f *Facts) {
			f.Applied = Seen([]AppliedSummary{{ID: "20261101T000000Z", State: "confirmed", Until: taken.AddDate(0, 0, 1), Temporary: true}})
		}), []Code{ApplyTemporary}},
	})
}

func TestSecurityLayer(t *testing.T) {
	weak := strings.NewReplacer("security_layer=tls", "security_layer=negotiate")
	crypt := func(line string) func(*testing.T, *Facts, *Settings) {
		return func(t *testing.T, f *Facts, _ *Settings) {
			text := weak.Replace(healthyIni)
			f.Config = Seen(fileFact(ConfigPath, strings.Replace(text, "crypt_level=high\n", line, 1)))
		}
	}
	raise(t, []fault{
		{"missing", inIni("security_layer=tls\n", ""), []Code{SecurityLayerMissing}},
		{"missing, where negotiate is the default", func(t *testing.T, f *Facts, s *Settings) {
			inIni("security_layer=tls\n", "")(t, f, s)
			f.Package.Value.Version = "0.10.6.1"
		}, nil},
		{"ssl", inIni("security_layer=tls", "security_layer=ssl"), []Code{SecurityLayerInvalid}},
		{"TLS", inIni("security_layer=tls", "security_layer=TLS"), nil},
		{"rdp", inIni("security_layer=tls", "security_layer=rdp"), []Code{SecurityLayerRDP}},
		{"crypt_level none", crypt("crypt_level=none\n"), []Code{CryptLevelWeak}},
		{"no crypt_level", crypt(""), []Code{CryptLevelWeak}},
		{"crypt_level medium", crypt("crypt_level=medium\n"), nil},
		{"crypt_level none under tls", inIni("crypt_level=high", "crypt_level=none"), nil},
		{"rsakeys.ini missing", simple(func(f *Facts) { f.RSAKeys = missing(RSAKeysPath) }), []Code{RSAKeysMissing}},
		{"rsakeys.ini unreadable", func(t *testing.T, f *Facts, _ *Settings) {
			edit(t, &f.Config, "security_layer=tls", "security_layer=negotiate")
			f.RSAKeys.Readable, f.RSAKeys.Stop = false, 0
		}, []Code{RSAKeysUnreadable}},
		{"rsakeys.ini unreadable, TLS only", simple(func(f *Facts) { f.RSAKeys.Readable, f.RSAKeys.Stop = false, 0 }), nil},
	})
}

// TestIniUnreadable: the file's mode is apply's to mend, a closed directory is not.
func TestIniUnreadable(t *testing.T) {
	for _, x := range []struct {
		name          string
		real          string
		stop          int
		mend          Mend
		command, text string
	}{
		{"the file", ConfigPath, 3, MendApply, "", "Mode 0644"},
		{"its directory", ConfigPath, 2, MendHuman, "chmod a+x /etc/xrdp", "Let the daemon"},
		{"a link into a closed directory", "/root/real.ini", 1, MendHuman, "install -m 0644 /root/real.ini /etc/xrdp/xrdp.ini", "instead of a link"},
	} {
		f := healthy()
		f.ConfigAccess = PathFact{Path: ConfigPath, Real: x.real, Exists: true, Stop: x.stop, Why: "not for user xrdp",
			Steps: []Step{{Path: "/", Kind: "dir"}, {Path: "/root", Kind: "dir"}, {Path: "/etc/xrdp", Kind: "dir"}, {Path: ConfigPath, Kind: "file"}}}
		for _, got := range Run(f, Settings{}) {
			if got.Code == IniUnreadable && (got.Mend != x.mend || strings.Join(got.Commands, "; ") != x.command || !strings.Contains(got.Remedy, x.text)) {
				t.Errorf("%s: mend %s, %q, %q", x.name, got.Mend, got.Remedy, got.Commands)
			}
		}
		if !slices.ContainsFunc(Run(f, Settings{}), func(x Finding) bool { return x.Code == IniUnreadable }) {
			t.Errorf("%s: nothing is found", x.name)
		}
	}
}

// TestObstacleHasItsCommand: one write in place is offered where it can work.
func TestObstacleHasItsCommand(t *testing.T) {
	for obstacle, want := range map[string]string{
		"it is a mount point of its own":     "xrdpfix apply --in-place",
		"the file system is read-only":       "findmnt -T /etc/xrdp/xrdp.ini",
		"it or its directory is immutable":   "lsattr -d /etc/xrdp/xrdp.ini /etc/xrdp",
		"it or its directory is append-only": "lsattr -d /etc/xrdp/xrdp.ini /etc/xrdp",
	} {
		f := healthy()
		f.Config.Value.Obstacle = obstacle
		for _, x := range Run(f, Settings{}) {
			if x.Code == IniNotReplaceable && strings.Join(x.Commands, "\n") != want {
				t.Errorf("%s: %q, want %q", obstacle, x.Commands, want)
			}
		}
	}
}
