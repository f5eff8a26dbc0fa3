//go:build lab

package matrix

import (
	"strings"
	"testing"

	"xrdpfix/internal/lab"
)

// lifeSuites are all in the long run, one of them in the short one.
func lifeSuites() []lab.Suite {
	if all() {
		return lab.Suites()
	}
	return []lab.Suite{lab.Bookworm}
}

// TestCertificateForLife takes a server through the ways in which a certificate
// comes to it. After each the wire serves the new one, FreeRDP connects, and
// xrdp is the process that it was.
func TestCertificateForLife(t *testing.T) {
	for _, s := range lifeSuites() {
		t.Run(string(s), func(t *testing.T) {
			t.Parallel()
			m := start(t, s)
			m.putPair(t, nil)
			m.Must(t, prelude+usable+issue+`mkdir /root/ca; cd /root/ca; issue $(hostname) 90
mv fullchain.pem first.pem; mv privkey.pem first.key; cat ca.pem leaf.pem >disorder.pem
issue $(hostname) 90; openssl pkcs12 -export -in fullchain.pem -inkey privkey.pem -passout pass:Geheim77 -out desk.p12
for by in lego acme live; do mkdir $by; cd $by; cp ../ca.pem ../ca.key .; issue $(hostname) 90; cd ..; done
issue $(hostname) 90`)
			m.listening(t)
			m.lives(t)
			m.refusesPairs(t)
		})
	}
}

// lives walks the ways, the later ones on top of the earlier.
func (m *machine) lives(t *testing.T) {
	t.Helper()
	pid, last := m.Must(t, "pgrep -o -x xrdp"), m.served(t)
	for _, step := range []struct{ what, command, serves string }{
		{"renew", "xrdpfix cert renew --restart never --key ecdsa-p256 --days 90 --name desk.example.org --name $(hostname)", ""},
		{"show", "xrdpfix cert show | grep -q 'desk.example.org'", "same"},
		{"install a pair, its chain in the wrong order", "xrdpfix cert install --restart never disorder.pem first.key", "first.pem"},
		{"request", "xrdpfix cert request --name $(hostname) other.csr >/dev/null && xrdpfix cert request --name $(hostname) desk.csr | grep -F '(exit 0)' && ! grep -q PRIVATE desk.csr && xrdpfix cert request - | grep -q '^-----BEGIN CERTIFICATE REQUEST-----$' && ! test -e - && ! xrdpfix cert request /nowhere/desk.csr 2>told && grep -Fx 'xrdpfix: hint: mkdir -p /nowhere' told", "same"},
		{"install what the CA signed", `printf 'subjectAltName=DNS:%s\n' $(hostname) >ext
openssl x509 -req -in desk.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 90 -extfile ext -out signed.pem 2>/dev/null
xrdpfix cert install --restart never signed.pem`, "signed.pem"},
		{"install PKCS#12", "printf Geheim77 | xrdpfix cert install --restart never --pkcs12 --passphrase-file - desk.p12", ""},
		{"certbot's hook", "RENEWED_LINEAGE=/root/ca/live xrdpfix cert install --restart never --from-acme-hook", "live/fullchain.pem"},
		{"acme.sh's hook", "CERT_FULLCHAIN_PATH=/root/ca/acme/fullchain.pem CERT_KEY_PATH=/root/ca/acme/privkey.pem xrdpfix cert install --restart never --from-acme-hook", "acme/fullchain.pem"},
		{"lego's hook", "LEGO_CERT_PATH=/root/ca/lego/fullchain.pem LEGO_CERT_KEY_PATH=/root/ca/lego/privkey.pem xrdpfix cert install --restart never --from-acme-hook", "lego/fullchain.pem"},
		{"go back to the last good pair", "xrdpfix rollback", "acme/fullchain.pem"},
	} {
		if out := m.Must(t, "cd /root/ca\n"+step.command); strings.Contains(out, "Geheim77") {
			t.Errorf("%s: the passphrase is shown: %s", step.what, out)
		}
		now := m.served(t)
		if (now == last) != (step.serves == "same") {
			t.Errorf("%s: the wire serves %s, before it was %s", step.what, now, last)
		}
		if step.serves != "" && step.serves != "same" {
			if want := m.Must(t, "cd /root/ca; openssl x509 -noout -fingerprint -sha256 -in "+step.serves); !strings.Contains(want, now) {
				t.Errorf("%s: the wire serves %s, want %s", step.what, now, want)
			}
		}
		if r := m.tls(t); !r.OK() {
			t.Errorf("%s: FreeRDP says %s", step.what, r.Name)
		}
		last = now
	}
	if now := m.Must(t, "pgrep -o -x xrdp"); now != pid {
		t.Error("xrdp was restarted")
	}
	if r := m.xrdpfix(t, "check"); r.Exit.Code != 0 || r.codes() != "" {
		t.Errorf("at the end: %s", r)
	}
}

// refusesPairs hands over what cannot be served, with a reason each, and nothing
// moves.
func (m *machine) refusesPairs(t *testing.T) {
	t.Helper()
	before := m.times(t)
	for command, reason := range map[string]string{
		"xrdpfix cert install first.pem privkey.pem":                                              "pair",
		"printf wrong | xrdpfix cert install --pkcs12 --passphrase-file - desk.p12":               "passphrase",
		"openssl x509 -in leaf.pem -outform DER -out x.der; xrdpfix cert install x.der first.key": "",
		"xrdpfix cert install ca.pem ca.key":                                                      "CA:TRUE",
	} {
		r, err := m.Sh(t.Context(), "cd /root/ca\n"+command)
		if err != nil {
			t.Fatal(err)
		}
		if r.Code != 2 || !strings.HasPrefix(r.Stderr, "xrdpfix: error: ") || !strings.Contains(r.Stderr, reason) {
			t.Errorf("%s: status %d, want 2 and %q\n%s%s", command, r.Code, reason, r.Stdout, r.Stderr)
		}
	}
	if now := m.times(t); now != before {
		t.Errorf("something moved:\n%s", difference(before, now))
	}
}
