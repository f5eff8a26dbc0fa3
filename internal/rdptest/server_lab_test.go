//go:build lab

package rdptest

import (
	"crypto/tls"
	"os/exec"
	"regexp"
	"testing"

	"xrdpfix/internal/lab"
)

// TestSSLScan: a real client takes it for a server with the versions that it has.
func TestSSLScan(t *testing.T) {
	t.Parallel()
	if err := lab.Require(t.Context(), t.Output(), "sslscan"); err != nil {
		t.Fatal(err)
	}
	s := Start(t, Config{TLS: &tls.Config{MinVersion: tls.VersionTLS12}})
	out, err := exec.CommandContext(t.Context(), "sslscan", "--rdp", "--no-colour", "--no-ciphersuites", "--no-groups", s.Addr).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{`TLSv1\.0 +disabled`, `TLSv1\.1 +disabled`, `TLSv1\.2 +enabled`, `TLSv1\.3 +enabled`} {
		if !regexp.MustCompile(want).Match(out) {
			t.Errorf("sslscan does not say %s:\n%s", want, out)
		}
	}
}
