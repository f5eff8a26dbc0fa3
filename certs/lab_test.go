//go:build lab

package certs

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"xrdpfix/internal/lab"
)

// oracle loads each pair with the calls that xrdp makes, which Python's ssl
// module makes too, and prints the numbers of those that OpenSSL takes. A
// passphrase is asked for in vain.
const oracle = `
import os, ssl
def refuse(): raise ValueError("passphrase")
for name in sorted(os.listdir("/mnt/pairs")):
    if not name.endswith(".crt"): continue
    path = "/mnt/pairs/" + name[:-4]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(path + ".crt", path + ".key", password=refuse)
        print(name[:-4])
    except Exception:
        pass
`

// TestLabOpenSSL has the OpenSSL of each suite judge the pairs of the other
// tests and damaged forms of a good pair, and holds Inspect against it: whatever
// Inspect finds no problem with, OpenSSL takes, and nothing else.
func TestLabOpenSSL(t *testing.T) {
	cases := append(pairCases(t), damagedPairs(t)...)
	dir := t.TempDir()
	for i, c := range cases {
		base := filepath.Join(dir, fmt.Sprintf("%04d", i))
		for name, data := range map[string][]byte{base + ".crt": c.cert, base + ".key": c.key} {
			if err := os.WriteFile(name, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, s := range lab.Suites() {
		t.Run(string(s), func(t *testing.T) {
			t.Parallel()
			h := lab.Start(t, s, lab.WithBind(dir, "/mnt/pairs"))
			taken := strings.Fields(h.Must(t, "python3 - <<'END'"+oracle+"END"))
			for i, c := range cases {
				got := Inspect(c.cert, c.key)
				if got.Cert.Problem == ProblemNonstandard || got.Key.Problem == ProblemUnsupported {
					continue // said to be unknown to us
				}
				if want := slices.Contains(taken, fmt.Sprintf("%04d", i)); (got.Problems == nil) != want {
					t.Errorf("%s: problems %v, OpenSSL takes it: %v", c.name, got.Problems, want)
				}
			}
			t.Logf("%v: %d of %d pairs taken", h.Image.Versions["openssl"], len(taken), len(cases))
		})
	}
}

// damagedPairs changes the lines of good files, one at a time, at each place.
func damagedPairs(t *testing.T) []pairCase {
	var out []pairCase
	cert, key := file(t, "issued.crt", "intermediate.crt", "ec.key"), file(t, "rsa-proctype.key", "ec.crt", "rsa.key")
	plain := file(t, "rsa-pkcs1.key")
	for name, change := range map[string]func(lines [][]byte, i int) [][]byte{
		"blank line": func(l [][]byte, i int) [][]byte { return slices.Insert(l, i, []byte("\n")) },
		"header":     func(l [][]byte, i int) [][]byte { return slices.Insert(l, i, []byte("A: b\n")) },
		"long header": func(l [][]byte, i int) [][]byte {
			return slices.Insert(l, i, []byte("Comment: hello\n"), []byte("\n"))
		},
		"short header": func(l [][]byte, i int) [][]byte { return slices.Insert(l, i, []byte("A: b\n"), []byte("\n")) },
		"end of file":  func(l [][]byte, i int) [][]byte { return l[:i] },
		"missing line": func(l [][]byte, i int) [][]byte { return slices.Delete(l, i, i+1) },
		"indented":     func(l [][]byte, i int) [][]byte { l[i] = append([]byte(" "), l[i]...); return l },
		"trailing":     func(l [][]byte, i int) [][]byte { l[i] = append(bytes.TrimSpace(l[i]), "\t \r\n"...); return l },
		"joined":       func(l [][]byte, i int) [][]byte { l[i] = bytes.TrimSpace(l[i]); return l },
		"long": func(l [][]byte, i int) [][]byte {
			for j := i; j < min(i+6, len(l)-1) && len(l[j]) == 65; j++ {
				l[j] = bytes.TrimSpace(l[j])
			}
			return l
		},
		"split": func(l [][]byte, i int) [][]byte {
			l[i] = slices.Insert(slices.Clone(l[i]), len(l[i])/2, '\n')
			return l
		},
		"NUL":    func(l [][]byte, i int) [][]byte { l[i] = slices.Insert(slices.Clone(l[i]), len(l[i])/2, 0); return l },
		"hyphen": func(l [][]byte, i int) [][]byte { l[i] = slices.Insert(slices.Clone(l[i]), len(l[i])/2, '-'); return l },
	} {
		for _, part := range []string{"certificate", "key", "plain key"} {
			data := map[string][]byte{"certificate": cert, "key": key, "plain key": plain}[part]
			for i := range bytes.Count(data, []byte("\n")) {
				c := pairCase{name: fmt.Sprintf("%s, %s at %d", part, name, i), cert: cert, key: file(t, "rsa.key")}
				bad := bytes.Join(change(bytes.SplitAfter(bytes.Clone(data), []byte("\n")), i), nil)
				if part == "certificate" {
					c.cert = bad
				} else {
					c.key = bad
				}
				out = append(out, c)
			}
		}
	}
	return out
}
