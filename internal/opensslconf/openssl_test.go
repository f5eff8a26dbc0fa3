package opensslconf

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// machine reads the files of this machine.
var machine = Source{
	ReadFile: os.ReadFile,
	ReadDir: func(name string) ([]string, error) {
		entries, err := os.ReadDir(name)
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names, err
	},
	Getenv: os.LookupEnv,
}

var tlsVersions = map[string]uint16{
	"TLSv1": tls.VersionTLS10, "TLSv1.1": tls.VersionTLS11, "TLSv1.2": tls.VersionTLS12, "TLSv1.3": tls.VersionTLS13,
}

// accepted starts an OpenSSL server under a configuration, at security level 0
// as xrdp would with tls_ciphers=DEFAULT@SECLEVEL=0, and tells which versions it
// accepts from a client that is not OpenSSL.
func accepted(t *testing.T, pair, conf string) []string {
	t.Helper()
	// An address of this process's own: on 127.0.0.1 the port could be another test's
	// when s_server comes to it.
	pid := os.Getpid()
	l, err := net.Listen("tcp", net.JoinHostPort(fmt.Sprintf("127.%d.%d.%d", 1+pid>>16&0x7f, pid>>8&0xff, pid&0xff), "0"))
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "openssl", "s_server", "-accept", addr, "-cert", pair, "-key", pair,
		"-cipher", "DEFAULT@SECLEVEL=0", "-quiet", "-naccept", "1000")
	cmd.Env = append(os.Environ(), "OPENSSL_CONF="+conf)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatalf("this test needs the openssl program: %v", err)
	}
	defer func() { cancel(); _ = cmd.Wait() }()
	for {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			_ = c.Close()
			break
		}
		if ctx.Err() != nil {
			t.Fatalf("s_server does not listen: %s", out.String())
		}
		time.Sleep(5 * time.Millisecond)
	}
	var got []string
	for _, name := range Versions[1:] {
		c, err := tls.DialWithDialer(&net.Dialer{Timeout: time.Minute}, "tcp", addr, &tls.Config{
			MinVersion: tlsVersions[name], MaxVersion: tlsVersions[name], InsecureSkipVerify: true,
		})
		if err == nil {
			got = append(got, name)
			_ = c.Close()
		}
	}
	return got
}

func allowed(c Config) []string {
	return slices.DeleteFunc(slices.Clone(Versions[1:]), func(v string) bool { return slices.Contains(c.Refused(), v) })
}

func writePair(t *testing.T, dir string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "x"}, NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	b := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...)
	name := filepath.Join(dir, "pair.pem")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestAgainstOpenSSL: what Read says is what the real OpenSSL does, and what
// Override writes is effective.
func TestAgainstOpenSSL(t *testing.T) {
	dir := t.TempDir()
	pair := writePair(t, dir)
	extra := filepath.Join(dir, "policy.config")
	if err := os.WriteFile(extra, []byte("CipherString = @SECLEVEL=1:DEFAULT\nTLS.MinProtocol = TLSv1.2\nTLS.MaxProtocol = TLSv1.2\nDTLS.MinProtocol = DTLSv1.2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	confd := filepath.Join(dir, "conf.d")
	if err := os.Mkdir(confd, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(confd, "50-tls.CONF"), []byte("[sd]\nMinProtocol = TLSv1.3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(confd, "notes.txt"), []byte("not read\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	stock, err := os.ReadFile(Path("", machine))
	if err != nil {
		t.Fatal(err)
	}
	all := Versions[1:]
	for _, tt := range []struct {
		name, conf string
		want       []string // by the real OpenSSL; stated so that the test cannot agree on nonsense
	}{
		{"empty", "", all},
		{"chain without a section", chain, all},
		{"floor", chain + "[sd]\nMinProtocol = TLSv1.2\n", all[2:]},
		{"ceiling", chain + "[sd]\nMaxProtocol = TLSv1.1\n", all[:2]},
		{"numbered module, other names", "openssl_conf = X\n[X]\nssl_conf.7 = Y\n[Y]\nsystem_default = Z z\n[ Z z ]\nMinProtocol = TLSv1.1\n", all[1:]},
		{"not the module", "openssl_conf = X\n[X]\nxssl_conf = ssl\n[ssl]\nsystem_default = sd\n[sd]\nMinProtocol = TLSv1.3\n", all},
		{"the section goes on in an included file", chain + "[sd]\n.include = " + extra + "\n", all[2:3]},
		{"and after it", chain + "[sd]\n.include " + extra + "\nMaxProtocol = TLSv1.3\n", all[2:]},
		{"directory", chain + ".include " + confd + "\n", all[3:]},
		{"included file is missing", chain + "[sd]\nMinProtocol = TLSv1.2\n.include /nonexistent/x\n", all[2:]},
		{"includedir", ".pragma = includedir:" + dir + "\n" + chain + "[sd]\n.include policy.config\n", all[2:3]},
		{"single versions off", chain + "[sd]\nProtocol = -TLSv1, -TLSv1.2\n", []string{"TLSv1.1", "TLSv1.3"}},
		{"only one on", chain + "[sd]\nProtocol = -ALL,TLSv1.2\n", all[2:3]},
		{"a bare name turns nothing off", chain + "[sd]\nProtocol = TLSv1.2\n", all},
		{"two lists add up", chain + "[sd]\nProtocol = -TLSv1\nTLS.Protocol = -TLSv1.1\n", all[2:]},
		{"an unknown name ends the list", chain + "[sd]\nProtocol = -TLSv1,nonsense,-TLSv1.1\n", all[1:]},
		{"DTLS is no floor", chain + "[sd]\nMinProtocol = TLSv1.2\nDTLS.MinProtocol = DTLSv1.2\n", all[2:]},
		{"DTLS under the same name", chain + "[sd]\nMinProtocol = TLSv1.2\nMinProtocol = DTLSv1.2\n", all},
		{"None", chain + "[sd]\nMinProtocol = TLSv1.2\nTLS.MinProtocol = None\n", all},
		{"name in lower case", chain + "[sd]\nminprotocol = TLSv1.2\n", all[2:]},
		{"value in lower case", chain + "[sd]\nMinProtocol = tlsv1.2\n", all},
		{"unknown command first", chain + "[sd]\nJunk = 1\nMinProtocol = TLSv1.2\n", all[2:]},
		{"comments, quotes, continuation", chain + "[sd]\nMin\\\nProtocol = 'TLS'v\"1.\"2 # y\n# MinProtocol = TLSv1.3 \\\n MinProtocol = TLSv1.3\n", all[2:]},
		{"variables", "v = TLSv1\nf::v = .2\n" + chain + "[sd]\nMinProtocol = ${v}$f::v\n", all[2:]},
		{"section::name", chain + "sd::MinProtocol = TLSv1.2\n[sd]\n", all[2:]},
		{"odd section name", "openssl_conf = init\n[init]\nssl_conf = ssl\n[ssl]\nsystem_default = \"s#]\"\n[ s\\#\\] ]\nMinProtocol = TLSv1.2\n", all[2:]},
		{"bytes above ASCII", "openssl_conf = init\n[init]\nssl_conf = ssl\n[ssl]\nsystem_default = sü\n[ sü ]\nMinProtocol = TLSv1.2\n", all},
		{"the same, escaped", "openssl_conf = init\n[init]\nssl_conf = ssl\n[ssl]\nsystem_default = sü\n[ s\\\xc3\\\xbc ]\nMinProtocol = TLSv1.2\n", all[2:]},
		{"syntax error far below", chain + "[sd]\nMinProtocol = TLSv1.2\n[x]\nbroken line\n", all},
		{"unknown variable", chain + "[sd]\nMinProtocol = TLSv1.2\nx = $nosuch\n", all},
		{"the machine's own", string(stock), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conf := filepath.Join(t.TempDir(), "openssl.cnf")
			if err := os.WriteFile(conf, []byte(tt.conf), 0o600); err != nil {
				t.Fatal(err)
			}
			c, readErr := Read(conf, machine)
			real := accepted(t, pair, conf)
			if tt.want != nil && !slices.Equal(real, tt.want) {
				t.Errorf("OpenSSL accepts %q, the test expects %q", real, tt.want)
			}
			ours := allowed(c)
			if readErr != nil {
				ours = all
			}
			if !slices.Equal(ours, real) {
				t.Errorf("Read says %q, OpenSSL accepts %q (%v)", ours, real, readErr)
			}
			over, err := c.Override("TLSv1", "TLSv1.3", "/etc/systemd/system/xrdp.service.d/x.conf")
			if err != nil {
				if slices.Equal(real, all) {
					return // nothing to lift
				}
				t.Fatal(err)
			}
			ours2 := filepath.Join(t.TempDir(), "over.cnf")
			if err := os.WriteFile(ours2, over, 0o600); err != nil {
				t.Fatal(err)
			}
			if got := accepted(t, pair, ours2); !slices.Equal(got, all) {
				t.Errorf("with the override OpenSSL accepts %q\n%s", got, over)
			}
		})
	}
}
