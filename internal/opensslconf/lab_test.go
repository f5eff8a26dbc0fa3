//go:build lab

package opensslconf

import (
	"errors"
	"os"
	"strings"
	"testing"

	"xrdpfix/internal/lab"
)

// TestLabOpenSSL runs TestAgainstOpenSSL under the OpenSSL of each suite.
func TestLabOpenSSL(t *testing.T) {
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	for _, suite := range lab.Suites() {
		t.Run(string(suite), func(t *testing.T) {
			h := lab.Start(t, suite)
			const program = "/run/opensslconf.test"
			if err := h.WriteFile(t.Context(), program, self, 0o755); err != nil {
				t.Fatal(err)
			}
			r, err := h.Run(t.Context(), lab.Cmd{Args: []string{program, "-test.run=^TestAgainstOpenSSL$", "-test.v"}})
			if err != nil || r.Code != 0 || !strings.Contains(r.Stdout, "--- PASS: TestAgainstOpenSSL") {
				t.Errorf("%v, status %d\n%s%s", err, r.Code, r.Stdout, r.Stderr)
			}
			t.Log(strings.TrimSpace(h.Must(t, "openssl version")))
		})
	}
}

// systemFloor gives a stock Debian openssl.cnf a floor, with the section in a
// file that is included, as Fedora does it.
const systemFloor = `
printf 'CipherString = DEFAULT@SECLEVEL=2\nTLS.MinProtocol = TLSv1.2\nDTLS.MinProtocol = DTLSv1.2\n' > /etc/ssl/policy.config
sed -i 's/^\[openssl_init\]/&\nssl_conf = site_ssl/' /etc/ssl/openssl.cnf
printf '\n[site_ssl]\nsystem_default = site policy\n[ site policy ]\n.include /etc/ssl/policy.config\n' >> /etc/ssl/openssl.cnf
`

// TestLabXrdp lifts a system-wide floor for a real xrdp and nothing else.
func TestLabXrdp(t *testing.T) {
	for _, suite := range lab.Suites() {
		t.Run(string(suite), func(t *testing.T) {
			h := lab.Start(t, suite)
			ctx := t.Context()
			src := Source{ReadFile: func(name string) ([]byte, error) {
				b, err := h.ReadFile(ctx, name)
				if err != nil {
					return nil, os.ErrNotExist
				}
				return b, nil
			}}
			read := func() Config {
				c, err := Read(Path("", src), src)
				if err != nil {
					t.Fatal(err)
				}
				return c
			}
			restarted := func() string {
				// Five starts in ten seconds are too many for systemd.
				h.Must(t, "systemctl daemon-reload; systemctl reset-failed xrdp xrdp-sesman; systemctl restart xrdp")
				if err := h.WaitPort(ctx, 3389); err != nil {
					t.Fatal(err)
				}
				r, err := lab.SSLScan(ctx, h)
				if err != nil {
					t.Fatal(err)
				}
				return r.Accepted()
			}
			h.Must(t, `adduser --quiet xrdp ssl-cert
sed -i 's/^ssl_protocols=.*/ssl_protocols=TLSv1, TLSv1.1, TLSv1.2, TLSv1.3/; s/^#*tls_ciphers=.*//; s/^security_layer=.*/&\ntls_ciphers=DEFAULT@SECLEVEL=0/' /etc/xrdp/xrdp.ini`)
			if c := read(); c.Section != "" || !c.Allows("TLSv1") {
				t.Errorf("stock: %s", show(c))
			}
			const all = "1.0 1.1 1.2 1.3"
			if got := restarted(); got != all {
				t.Errorf("stock openssl.cnf: %s", got)
			}
			h.Must(t, systemFloor)
			c := read()
			if c.Section != "site policy" || c.MinProtocol == nil || c.MinProtocol.File != "/etc/ssl/policy.config" || c.MinProtocol.Line != 2 {
				t.Fatalf("with a floor: %s", show(c))
			}
			if got := restarted(); got != "1.2 1.3" {
				t.Errorf("with a floor: %s", got)
			}
			const dropIn = "/etc/systemd/system/xrdp.service.d/50-xrdpfix.conf"
			over, err := c.Override("TLSv1", "TLSv1.3", dropIn)
			if err != nil {
				t.Fatal(err)
			}
			h.Must(t, "mkdir -p /etc/xrdp/tls /etc/systemd/system/xrdp.service.d")
			if err := h.WriteFile(ctx, "/etc/xrdp/tls/openssl.cnf", over, 0o644); err != nil {
				t.Fatal(err)
			}
			if err := h.WriteFile(ctx, dropIn, []byte("[Service]\nEnvironment=OPENSSL_CONF=/etc/xrdp/tls/openssl.cnf\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			if got := restarted(); got != all {
				t.Errorf("floor lifted: %s", got)
			}
			// A missing file fails open: no floor, and the distribution's settings are gone too.
			h.Must(t, "rm /etc/xrdp/tls/openssl.cnf")
			if got := restarted(); got != all {
				t.Errorf("override missing: %s", got)
			}
			// So does one that OpenSSL cannot read to its end.
			h.Must(t, "rm "+dropIn+"; echo 'no equal sign' >> /etc/ssl/openssl.cnf")
			if _, err := Read(Path("", src), src); !errors.Is(err, ErrSyntax) {
				t.Errorf("a broken openssl.cnf: %v", err)
			}
			if got := restarted(); got != all {
				t.Errorf("with a broken openssl.cnf: %s", got)
			}
		})
	}
}
