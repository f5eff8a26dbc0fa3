package opensslconf

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"reflect"
	"strings"
	"testing"
)

// files is a Source in memory; a name that ends in "/" is a directory.
type files map[string]string

func (f files) source() Source {
	return Source{
		ReadFile: func(name string) ([]byte, error) {
			if s, ok := f[path.Clean(name)]; ok {
				return []byte(s), nil
			}
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		},
		ReadDir: func(name string) ([]string, error) {
			if _, ok := f[name+"/"]; !ok {
				return nil, fs.ErrInvalid
			}
			var names []string
			for n := range f {
				if dir, base := path.Split(n); dir == name+"/" && base != "" {
					names = append(names, base)
				}
			}
			return names, nil
		},
		Getenv: func(name string) (string, bool) {
			return "from the environment", name == "SET"
		},
	}
}

const chain = "openssl_conf = init\n[init]\nssl_conf = ssl\n[ssl]\nsystem_default = sd\n"

func value(name, text, file string, line int) *Value {
	return &Value{Name: name, Text: text, File: file, Line: line}
}

func TestRead(t *testing.T) {
	const f = "/etc/ssl/openssl.cnf"
	// As Fedora ships it: the section goes on in the included file.
	const fedora = "openssl_conf = openssl_init\n[ openssl_init ]\nproviders = provider_sect\nssl_conf = ssl_module\n" +
		"[ ssl_module ]\nsystem_default = crypto_policy\n[ crypto_policy ]\n.include = /etc/crypto-policies/back-ends/opensslcnf.config\n"
	const policy = "CipherString = @SECLEVEL=2:kEECDH\nTLS.MinProtocol = TLSv1.2\nTLS.MaxProtocol = TLSv1.3\nDTLS.MinProtocol = DTLSv1.2\n"
	for _, tt := range []struct {
		name  string
		files files
		want  Config
	}{
		{"missing", files{}, Config{File: f}},
		{"Debian 12: no ssl_conf", files{f: "openssl_conf = openssl_init\n[openssl_init]\nproviders = provider_sect\n[provider_sect]\n"},
			Config{File: f, Files: []string{f}}},
		{"Debian 11", files{f: "openssl_conf = default_conf\n[default_conf]\nssl_conf = ssl_sect\n[ssl_sect]\nsystem_default = system_default_sect\n[system_default_sect]\nMinProtocol = TLSv1.2\nCipherString = DEFAULT@SECLEVEL=2\n"},
			Config{File: f, Files: []string{f}, Section: "system_default_sect",
				MinProtocol: value("MinProtocol", "TLSv1.2", f, 7), CipherString: value("CipherString", "DEFAULT@SECLEVEL=2", f, 8)}},
		{"Fedora", files{f: fedora, "/etc/crypto-policies/back-ends/opensslcnf.config": policy},
			Config{File: f, Files: []string{f, "/etc/crypto-policies/back-ends/opensslcnf.config"}, Section: "crypto_policy",
				CipherString: value("CipherString", "@SECLEVEL=2:kEECDH", "/etc/crypto-policies/back-ends/opensslcnf.config", 1),
				MinProtocol:  value("TLS.MinProtocol", "TLSv1.2", "/etc/crypto-policies/back-ends/opensslcnf.config", 2),
				MaxProtocol:  value("TLS.MaxProtocol", "TLSv1.3", "/etc/crypto-policies/back-ends/opensslcnf.config", 3)}},
		{"section named but absent", files{f: chain}, Config{File: f, Files: []string{f}}},
		{"empty section", files{f: chain + "[sd]\n"}, Config{File: f, Files: []string{f}, Section: "sd"}},
		{"comments, quotes, blanks, continuation, CRLF",
			files{f: "\xef\xbb\xbfopenssl_conf = init # x\r\n  # comment \\\n still comment\n[ init ]\r\nssl_conf\t=\"ssl\"\n[ssl]\nsystem_default = my sect\n[ my sect ] junk\nMin\\\nProtocol = 'TLS'v\"1.\"2 # y\n"},
			Config{File: f, Files: []string{f}, Section: "my sect", MinProtocol: value("MinProtocol", "TLSv1.2", f, 10)}},
		{"variables and section::name", files{f: "v = TLSv1\n" + chain + "sd::MinProtocol = ${v}.1\n[sd]\nMaxProtocol = $(default::v).3\nCipherString = $ENV::SET\n"},
			Config{File: f, Files: []string{f}, Section: "sd", MinProtocol: value("MinProtocol", "TLSv1.1", f, 7),
				MaxProtocol: value("MaxProtocol", "TLSv1.3", f, 9), CipherString: value("CipherString", "from the environment", f, 10)}},
		{"last duplicate wins, also over a reopened section", files{f: chain + "[sd]\nMinProtocol=TLSv1.2\n[x]\n[sd]\nMinProtocol=TLSv1.1\n"},
			Config{File: f, Files: []string{f}, Section: "sd", MinProtocol: value("MinProtocol", "TLSv1.1", f, 10)}},
		{"DTLS takes the place of the same name and sets nothing", files{f: chain + "[sd]\nMinProtocol=TLSv1.2\nMinProtocol=DTLSv1.2\n"},
			Config{File: f, Files: []string{f}, Section: "sd"}},
		{"None lifts", files{f: chain + "[sd]\nMinProtocol=TLSv1.2\nTLS.MinProtocol=None\n"}, Config{File: f, Files: []string{f}, Section: "sd"}},
		{"names in any case, values not", files{f: chain + "[sd]\nminprotocol=TLSv1.1\nMAXPROTOCOL=tlsv1.2\n"},
			Config{File: f, Files: []string{f}, Section: "sd", MinProtocol: value("minprotocol", "TLSv1.1", f, 7)}},
		{"directory", files{f: chain + ".include conf.d\n", "conf.d/": "", "conf.d/b.conf": "[sd]\nMinProtocol=TLSv1.3\n", "conf.d/a.CNF": "[sd]\nMinProtocol=TLSv1.1\n", "conf.d/c.txt": "broken"},
			Config{File: f, Files: []string{f, "conf.d/a.CNF", "conf.d/b.conf"}, Section: "sd", MinProtocol: value("MinProtocol", "TLSv1.3", "conf.d/b.conf", 2)}},
		{"relative to includedir, missing include", files{f: ".pragma = includedir:/etc/pki\n" + chain + ".include sub/x.cnf\n.include /nowhere\nMaxProtocol = TLSv1.2\n", "/etc/pki/sub/x.cnf": "[sd]\n"},
			Config{File: f, Files: []string{f, "/etc/pki/sub/x.cnf"}, Section: "sd", MaxProtocol: value("MaxProtocol", "TLSv1.2", f, 9)}},
		{"dollarid", files{f: ".pragma = dollarid:on\n" + chain + "[sd]\nCipherString = a$b\n"},
			Config{File: f, Files: []string{f}, Section: "sd", CipherString: value("CipherString", "a$b", f, 8)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Read(f, tt.files.source())
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %s, %v\nwant %s", show(got), err, show(tt.want))
			}
		})
	}
}

func show(c Config) string {
	return fmt.Sprintf("%s %q %q min %+v max %+v ciphers %+v protocol %+v", c.File, c.Files, c.Section, c.MinProtocol, c.MaxProtocol, c.CipherString, c.Protocol)
}

func TestReadErrors(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files files
		err   error
		text  string
	}{
		{"no equal sign", files{"f": "a = b\n\nbroken line\n"}, ErrSyntax, "f:3: "},
		{"section without end", files{"f": "[ a\n"}, ErrSyntax, "f:1: "},
		{"unknown variable", files{"f": "a = $nosuch\n"}, ErrSyntax, `variable "nosuch" has no value`},
		{"open brace", files{"f": "b=1\na = ${b\n"}, ErrSyntax, "no close brace"},
		{"in an included file", files{"f": "\n.include g\n", "g": "x\n"}, ErrSyntax, "included by f:2: g:1: "},
		{"includes itself", files{"f": ".include f\n"}, ErrTooBig, "f: "},
		{"grows without end", files{"f": "a=" + strings.Repeat("x", 60000) + "\nb=$a$a\n"}, ErrSyntax, "too long"},
	} {
		_, err := Read("f", tt.files.source())
		if !errors.Is(err, tt.err) || !strings.Contains(fmt.Sprint(err), tt.text) {
			t.Errorf("%s: %v; want %v with %q", tt.name, err, tt.err, tt.text)
		}
	}
}

func TestPath(t *testing.T) {
	for _, tt := range []struct {
		conf  string
		files files
		want  string
	}{
		{"/run/x.cnf", files{}, "/run/x.cnf"},
		{"", files{"/usr/lib/ssl/openssl.cnf": "", "/etc/pki/tls/openssl.cnf": ""}, "/etc/ssl/openssl.cnf"},
		{"", files{"/etc/pki/tls/openssl.cnf": "", "/etc/ssl/openssl.cnf": ""}, "/etc/pki/tls/openssl.cnf"},
		{"", files{}, "/etc/ssl/openssl.cnf"},
	} {
		if got := Path(tt.conf, tt.files.source()); got != tt.want {
			t.Errorf("%+v: %s", tt, got)
		}
	}
}

func TestOverride(t *testing.T) {
	c := Config{File: "/etc/ssl/openssl.cnf", Section: "system_default_sect"}
	got, err := c.Override("TLSv1", "TLSv1.3", "/etc/systemd/system/xrdp.service.d/xrdpfix.conf")
	want := "# OpenSSL configuration of one service, written by xrdpfix.\n" +
		"# It is the system's configuration with another range of TLS versions. The unit\n" +
		"# drop-in /etc/systemd/system/xrdp.service.d/xrdpfix.conf names it in OPENSSL_CONF.\n" +
		"# Remove both or none.\n.include /etc/ssl/openssl.cnf\n\n[ system_default_sect ]\nMinProtocol = TLSv1\nMaxProtocol = TLSv1.3\n"
	if err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
	if base, ok := OverrideBase(got); !ok || base != c.File {
		t.Errorf("base %q, %v", base, ok)
	}
	if base, ok := OverrideBase([]byte(".include /etc/ssl/openssl.cnf\n")); ok {
		t.Errorf("a foreign file is ours, on %q", base)
	}
	c.Protocol = &Value{Text: "-TLSv1"}
	if got, err := c.Override("TLSv1", "", "/x"); err != nil || !strings.HasSuffix(string(got), "]\nProtocol = ALL\nMinProtocol = TLSv1\n") {
		t.Errorf("with versions switched off: %s, %v", got, err)
	}
	if _, err := (Config{}).Override("TLSv1", "", ""); !errors.Is(err, ErrNoSection) {
		t.Error(err)
	}
	if _, err := c.Override("1.0", "", ""); !errors.Is(err, ErrNotVersion) {
		t.Error(err)
	}
	if _, err := (Config{File: "a\nb", Section: "x"}).Override("", "", ""); err == nil {
		t.Error("a name with a line break was written")
	}
}

// TestOverrideOddNames: whatever the names, the override reads back as meant.
func TestOverrideOddNames(t *testing.T) {
	for _, section := range []string{"sd", "two words", "a#b", "x$y", `q"u'o`, "ü", "a]b", "back\\slash", "[a"} {
		base := "/etc/o dd#" + strings.ReplaceAll(section, "/", "") + ".cnf"
		f := files{base: "openssl_conf = init\n[init]\nssl_conf = ssl\n[ssl]\nsystem_default = " + escape(section, " ") + "\n[ " + escape(section, " ") + " ]\nMinProtocol = TLSv1.2\n"}
		c, err := Read(base, f.source())
		if err != nil || c.Section != section {
			t.Fatalf("%q: %s, %v", section, show(c), err)
		}
		over, err := c.Override("TLSv1", "", "/x")
		if err != nil {
			t.Fatal(err)
		}
		f["/over"] = string(over)
		got, err := Read("/over", f.source())
		if err != nil || got.Section != section || got.MinProtocol.Text != "TLSv1" {
			t.Errorf("%q: %s, %v", section, show(got), err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(chain + "[sd]\nMinProtocol = TLSv1.2\n")
	f.Add(".include x\n.pragma = dollarid:on\na=${b::c}\\\n\n[ x")
	f.Add("a=`'\"\\")
	f.Fuzz(func(t *testing.T, text string) {
		fsys := files{"f": text}
		c, err := Read("f", fsys.source())
		if err != nil || c.Section == "" || strings.ContainsAny(c.Section, "\r\n\x00") || c.Section != strings.Trim(c.Section, blanks) {
			return
		}
		over, err := c.Override("TLSv1", "TLSv1.3", "/x")
		if err != nil {
			t.Fatal(err)
		}
		fsys["over"] = string(over)
		got, err := Read("over", fsys.source())
		if err != nil || !got.Allows("TLSv1") || !got.Allows("TLSv1.3") || got.Section != c.Section {
			t.Errorf("override of %q: %s, %v", text, show(got), err)
		}
	})
}
