package diagnose

import (
	"strings"
	"testing"

	"xrdpfix/probe"
	"xrdpfix/xrdpconf"
)

func TestMeant(t *testing.T) {
	const head = "[Globals]\nport=3389\n"
	for _, x := range []struct {
		name, text, want, back string
	}{
		{"whole", head + "security_layer=tls\n", head + "security_layer=tls\n", ""},
		{"a title in brackets", "[Globals]\nls_title=[desk]\nport=3389\nkey_file=/k\n[Xorg]\nname=x\n",
			"[Globals]\nls_title=(desk)\nport=3389\nkey_file=/k\n[Xorg]\nname=x\n", "ls_title port key_file"},
		{"an address in brackets", "[Globals]\nport=tcp6://[::1]:3389\ncrypt_level=high\n",
			"[Globals]\nport=tcp6://{::1}:3389\ncrypt_level=high\n", "port crypt_level"},
	} {
		t.Run(x.name, func(t *testing.T) {
			f := Facts{Config: Seen(fileFact(ConfigPath, x.text))}
			file, back, err := f.Meant()
			if err != nil || string(file.Bytes()) != x.want || strings.Join(back, " ") != x.back {
				t.Errorf("%q, %q, %v; want %q, %q", file.Bytes(), back, err, x.want, x.back)
			}
		})
	}
}

// TestMeantBehindLimits: what is lost behind 32 KiB or a long line is put where
// xrdp reads, and only what decides about security.
func TestMeantBehindLimits(t *testing.T) {
	const lost = "security_layer=tls\nmax_bpp=32\nSecurity_Layer=negotiate\n[Xorg]\nname=x\n"
	for name, filler := range map[string]string{
		"32 KiB":      strings.Repeat("# a comment\n", 3000),
		"a long line": "ls_title=" + strings.Repeat("x", 2100) + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			f := Facts{Config: Seen(fileFact(ConfigPath, "[Globals]\nport=3389\n"+filler+lost))}
			file, back, err := f.Meant()
			if err != nil {
				t.Fatal(err)
			}
			if v, ok := file.Lookup(xrdpconf.SectionGlobals, "security_layer"); !ok || v.Text != "negotiate" || len(back) != 1 {
				t.Errorf("security_layer=%q, %v; brought back: %q", v.Text, ok, back)
			}
			again := Facts{Config: Seen(fileFact(ConfigPath, string(file.Bytes())))}
			if _, back, err := again.Meant(); err != nil || len(back) != 0 {
				t.Errorf("the mended file is to be mended again: %q, %v", back, err)
			}
		})
	}
}

// TestCutShort: a cut is one finding, whatever stands behind it.
func TestCutShort(t *testing.T) {
	raise(t, []fault{
		{"brackets before everything", inIni("[Globals]\n", "[Globals]\nls_title=[desk]\n"), []Code{IniCutShort}},
		{"brackets, and the port is not open", func(t *testing.T, f *Facts, s *Settings) {
			inIni("port=3389", "port=tcp://[192.0.2.1]:3389")(t, f, s)
			f.Listen.Value, f.Daemon.Open, f.Wire = nil, nil, Skipped[probe.ServerSurvey]("nothing listens")
		}, []Code{IniCutShort}},
		{"brackets, and xrdp is down", func(t *testing.T, f *Facts, s *Settings) {
			inIni("[Globals]\n", "[Globals]\nls_title=[desk]\n")(t, f, s)
			u := f.Units[UnitXrdp]
			u.Value.ActiveState, u.Value.SubState, u.Value.Result, u.Value.MainPID = "failed", "failed", "exit-code", 0
			f.Units[UnitXrdp] = u
			f.Daemon.Running, f.Daemon.Open, f.Listen.Value = Skipped[Process]("no xrdp process runs"), nil, nil
			f.Wire = Skipped[probe.ServerSurvey]("nothing listens")
		}, []Code{IniCutShort}},
		{"brackets behind everything that matters", inIni("[Logging]", "black=000000\ntitle=[desk]\ngrey=dddddd\n[Logging]"), []Code{IniCutShort}},
		{"brackets as the last line", inIni("[Logging]", "ls_title=[desk]\n[Logging]"), []Code{IniCutShort}},
		{"a second line behind 32 KiB", inIni("[Logging]", strings.Repeat("# a comment\n", 3000)+"security_layer=tls\n[Logging]"), nil},
		{"a NUL", inIni("security_layer=tls", "security_layer=tls\x00x"), []Code{IniCutShort}},
	})
}
