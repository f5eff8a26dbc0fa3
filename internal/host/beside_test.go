package host

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"
	"time"

	"xrdpfix/certs"
	"xrdpfix/diagnose"
	"xrdpfix/internal/atomicfile"
)

// machineOf is a machine made of files.
func machineOf(t *testing.T, files map[string]string) *Machine {
	t.Helper()
	dir := tree(t, files)
	root, err := atomicfile.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	return &Machine{cfg: Config{Root: dir, Now: time.Now}, root: root, names: testAccounts()}
}

func madePair(t *testing.T, name string) (cert, key string) {
	t.Helper()
	c, k, err := certs.SelfSigned(rand.Reader, time.Now(), certs.Request{DNSNames: []string{name}, CommonName: name, Key: certs.ECDSAP256})
	if err != nil {
		t.Fatal(err)
	}
	return string(c), string(k)
}

func TestLeftoversAreRead(t *testing.T) {
	m := machineOf(t, map[string]string{
		"/etc/xrdp/xrdp.ini": "[Globals]\n", "/etc/xrdp/xrdp.ini.dpkg-dist": "[Globals]\npassword=hunter2\n",
		"/etc/xrdp/xrdp.ini.bak": "[Globals]\n", "/etc/xrdp/sesman.ini.rpmnew": "[Security]\n",
	})
	got, err := m.leftovers()
	if err != nil || len(got) != 2 || got[0].Path != "/etc/xrdp/xrdp.ini.dpkg-dist" || got[1].Path != "/etc/xrdp/sesman.ini.rpmnew" {
		t.Fatalf("got %+v, %v", got, err)
	}
	if got[0].Text != "[Globals]\npassword=********\n" {
		t.Errorf("text %q", got[0].Text)
	}
}

func TestCertSource(t *testing.T) {
	cert, key := madePair(t, "desk01")
	_, other := madePair(t, "desk02")
	const own, live = "/etc/xrdp/tls/20261101T000000Z/", "/etc/letsencrypt/live/desk01/"
	for _, tt := range []struct {
		name      string
		files     map[string]string
		cert      string
		path, key string
	}{
		{"certbot", map[string]string{own + "source": live + "fullchain.pem\n", live + "fullchain.pem": cert, live + "privkey.pem": key}, own + "cert.pem", live + "fullchain.pem", live + "privkey.pem"},
		{"acme.sh", map[string]string{own + "source": "/root/.acme.sh/desk01/fullchain.cer\n", "/root/.acme.sh/desk01/fullchain.cer": cert, "/root/.acme.sh/desk01/desk01.key": key},
			own + "cert.pem", "/root/.acme.sh/desk01/fullchain.cer", "/root/.acme.sh/desk01/desk01.key"},
		{"lego", map[string]string{own + "source": "/var/lego/desk01.crt", "/var/lego/desk01.crt": cert, "/var/lego/desk01.key": key}, own + "cert.pem", "/var/lego/desk01.crt", "/var/lego/desk01.key"},
		{"one file", map[string]string{own + "source": "/etc/ssl/both.pem", "/etc/ssl/both.pem": cert + key}, own + "cert.pem", "/etc/ssl/both.pem", "/etc/ssl/both.pem"},
		{"the key of another", map[string]string{own + "source": live + "fullchain.pem\n", live + "fullchain.pem": cert, live + "privkey.pem": other}, own + "cert.pem", live + "fullchain.pem", ""},
		{"the original is gone", map[string]string{own + "source": live + "fullchain.pem\n"}, own + "cert.pem", "", ""},
		{"no copy", map[string]string{own + "cert.pem": cert}, own + "cert.pem", "", ""},
		{"not ours", map[string]string{live + "source": live + "fullchain.pem\n", live + "fullchain.pem": cert}, live + "cert.pem", "", ""},
		{"a relative path", map[string]string{own + "source": "fullchain.pem\n", own + "fullchain.pem": cert}, own + "cert.pem", "", ""},
	} {
		got, err := machineOf(t, tt.files).certSource(tt.cert)
		// Whatever the file says: that it is there means that the pair is not ours.
		if _, there := tt.files[own+"source"]; got.Elsewhere != there {
			t.Errorf("%s: elsewhere %t, want %t", tt.name, got.Elsewhere, there)
		}
		if err != nil || got.Path != tt.path || got.Key != tt.key || (got.Cert.SHA256 != "") != (tt.path != "") {
			t.Errorf("%s: %+v, %v; want %q %q", tt.name, got, err, tt.path, tt.key)
		}
	}
}

// TestKeyOrigin: a copied file begins anew, whatever its time of modification.
func TestKeyOrigin(t *testing.T) {
	m := machineOf(t, nil)
	key := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(key, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	past := time.Now().AddDate(-1, 0, 0)
	if err := os.Chtimes(key, past, past); err != nil {
		t.Fatal(err)
	}
	got, err := m.keyOrigin(key)
	if err != nil || time.Since(got.Changed) > time.Minute {
		t.Errorf("changed %s, %v", got.Changed, err)
	}
	for _, none := range []string{"", key + ".none"} {
		if got, err := m.keyOrigin(none); err != nil || got != (diagnose.KeyOrigin{}) {
			t.Errorf("%q: %+v, %v", none, got, err)
		}
	}
}
