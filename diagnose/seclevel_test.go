package diagnose

import (
	"strings"
	"testing"

	"xrdpfix/probe"
)

func TestSecurityLevel(t *testing.T) {
	for _, x := range []struct {
		name, ini string
		system    string
		level     int
		where     string
	}{
		{name: "nothing stated"},
		{name: "a list without a level", ini: "HIGH:!aNULL"},
		{name: "tls_ciphers", ini: "HIGH:@SECLEVEL=3", level: 3, where: "/etc/xrdp/xrdp.ini:"},
		{name: "the last one counts", ini: "DEFAULT@SECLEVEL=1:HIGH:@SECLEVEL=4", level: 4, where: "/etc/xrdp/xrdp.ini:"},
		{name: "the system's", system: "DEFAULT@SECLEVEL=3", level: 3, where: "/etc/ssl/openssl.cnf:9"},
		{name: "the system's beside a list without a level", ini: "HIGH", system: "@SECLEVEL=2:kEECDH", level: 2, where: "/etc/ssl/openssl.cnf:9"},
		{name: "tls_ciphers before the system's", ini: "HIGH@SECLEVEL=0", system: "@SECLEVEL=3", level: 0, where: "/etc/xrdp/xrdp.ini:"},
		{name: "one character is no list", ini: "@", system: "@SECLEVEL=3", level: 3, where: "/etc/ssl/openssl.cnf:9"},
	} {
		t.Run(x.name, func(t *testing.T) {
			f := healthy()
			if x.ini != "" {
				edit(t, &f.Config, "security_layer=tls", "security_layer=tls\ntls_ciphers="+x.ini)
			}
			if x.system != "" {
				f.OpenSSL = Seen(OpenSSL{CipherString: &ConfValue{Name: "CipherString", Text: x.system, File: "/etc/ssl/openssl.cnf", Line: 9}})
			}
			level, where, stated := f.SecurityLevel()
			if level != x.level || !strings.HasPrefix(where, x.where) || stated != (x.where != "") {
				t.Errorf("SecurityLevel() = %d, %q, %v; want %d, %q", level, where, stated, x.level, x.where)
			}
		})
	}
}

// TestKeyTooWeak: a key is too weak for a level only where nobody was served with it.
func TestKeyTooWeak(t *testing.T) {
	system := func(level, bits int, served bool) func(*testing.T, *Facts, *Settings) {
		return simple(func(f *Facts) {
			f.OpenSSL = Seen(OpenSSL{CipherString: &ConfValue{Name: "CipherString", Text: "DEFAULT@SECLEVEL=" + string(rune('0'+level)), File: "/etc/ssl/openssl.cnf", Line: 9}})
			f.Pair.Value.Key.Bits = bits
			if !served {
				f.Wire = Skipped[probe.ServerSurvey]("nothing listens")
			}
		})
	}
	raise(t, []fault{
		{"2048 bits at level 2", system(2, 2048, false), nil},
		{"2048 bits at level 3", system(3, 2048, false), []Code{KeyUnsupported}},
		{"3072 bits at level 3", system(3, 3072, false), nil},
		{"4096 bits at level 4", system(4, 4096, false), []Code{KeyUnsupported}},
		{"2048 bits at level 3, and served", system(3, 2048, true), nil},
	})
}

func TestNamesNothing(t *testing.T) {
	for list, want := range map[string]bool{
		"NOSUCHCIPHER": true, "TLS_AES_256_GCM_SHA384": true, "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256": true, "!aNULL:!eNULL": true, "high": true,
		"HIGH": false, "DEFAULT@SECLEVEL=0": false, "HIGH:!aNULL:!eNULL:!EXPORT": false, "NOSUCHCIPHER:HIGH": false, "ECDHE+AESGCM": false,
		"ECDHE-RSA-AES128-GCM-SHA256": false, "PROFILE=SYSTEM": false, "EECDH,EDH;AES256 SHA": false, "kEECDH:kRSA:-3DES": false,
	} {
		if got := namesNothing(list); got != want {
			t.Errorf("namesNothing(%q) = %v", list, got)
		}
	}
}
