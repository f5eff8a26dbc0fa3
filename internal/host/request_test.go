package host

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"xrdpfix/certs"
)

// TestRequestsOfOneSecond: two requests made at once both get a key of their own.
func TestRequestsOfOneSecond(t *testing.T) {
	m, dir := storeTree(t)
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	m.cfg.Now = func() time.Time { return now }
	ids := map[string]bool{}
	for range 3 {
		csr, id, err := m.MakeRequest(certs.Request{DNSNames: []string{"desk01"}, Key: certs.ECDSAP256})
		if err != nil || len(csr) == 0 || ids[id] {
			t.Fatalf("%q after %v: %v", id, ids, err)
		}
		ids[id] = true
		if info, err := os.Stat(filepath.Join(dir, RequestDir, id, "key.pem")); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", id, info, err)
		}
	}
	if !ids["20261122T120000Z"] || !ids["20261122T120002Z"] {
		t.Errorf("the requests are %v", ids)
	}
}
