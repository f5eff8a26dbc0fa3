package certs

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func FuzzInspect(f *testing.F) {
	names, err := filepath.Glob("testdata/*.*")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, data)
	}
	cert, key := file(f, "issued.crt", "intermediate.crt", "root.crt"), file(f, "rsa.key")
	f.Add(cert, key)
	f.Fuzz(func(t *testing.T, cert, key []byte) {
		p := Inspect(cert, key)
		if p.Match && (p.Cert.PublicSHA256 == "" || p.Key.Problem != ProblemNone) {
			t.Errorf("a match without both halves: %+v", p)
		}
		if !p.Match && p.Problems == nil {
			t.Errorf("no match and no problem: %+v", p)
		}
		if p.Cert.Problem == ProblemNone && p.Cert.DER == nil {
			t.Errorf("a certificate without bytes: %+v", p.Cert)
		}
		p.Cert.ValidAt(time.Unix(0, 0))
		p.Cert.CoversName("a")
		if _, err := json.Marshal(p); err != nil {
			t.Errorf("not JSON: %v", err)
		}
	})
}
