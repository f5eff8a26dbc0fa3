package certs

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"
)

// file returns fixtures of testdata (see testdata/make.sh), one after the other.
func file(t testing.TB, names ...string) []byte {
	t.Helper()
	var all []byte
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data...)
	}
	return all
}

func asUTF16(data []byte) []byte {
	out := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(string(data))) {
		out = append(out, byte(u), byte(u>>8))
	}
	return out
}

func swap(data []byte, old, replacement string) []byte {
	return bytes.ReplaceAll(data, []byte(old), []byte(replacement))
}

// pairCase is a certificate file, a key file and what is wrong with them.
type pairCase struct {
	name      string
	cert, key []byte
	want      []PartProblem
}

func pairCases(t testing.TB) []pairCase {
	t.Helper()
	cert, key := file(t, "rsa.crt"), file(t, "rsa.key")
	both := file(t, "rsa.crt", "rsa.key")
	keyP := func(p Problem) []PartProblem { return []PartProblem{{PartKey, p}} }
	certP := func(p Problem) []PartProblem { return []PartProblem{{PartCertificate, p}} }
	mismatch := []PartProblem{{PartPair, ProblemMismatch}}
	oneLine := []byte("-----BEGIN CERTIFICATE-----\n" +
		strings.ReplaceAll(strings.Split(string(cert), "-----")[2], "\n", "") + "\n-----END CERTIFICATE-----\n")
	return []pairCase{
		{"pair", cert, key, nil},
		{"PKCS#1", cert, file(t, "rsa-pkcs1.key"), nil},
		{"SEC1 behind its parameters", file(t, "ec.crt"), file(t, "ec-sec1.key"), nil},
		{"ECDSA PKCS#8", file(t, "ec.crt"), file(t, "ec.key"), nil},
		{"Ed25519", file(t, "ed25519.crt"), file(t, "ed25519.key"), nil},
		{"combined, certificate first", both, both, nil},
		{"combined, key first", file(t, "rsa.key", "rsa.crt"), file(t, "rsa.key", "rsa.crt"), nil},
		{"trusted certificate", file(t, "trusted.crt"), key, nil},
		{"CRLF", swap(cert, "\n", "\r\n"), swap(key, "\n", "\r\n"), nil},
		{"no last newline", bytes.TrimSpace(cert), bytes.TrimSpace(key), nil},
		{"text before and after", append([]byte("subject=CN\n"), append(cert, "the end\n"...)...), key, nil},
		{"byte order mark", append([]byte("\xef\xbb\xbf"), cert...), key, nil},
		{"trailing blanks", swap(cert, "\n", " \t\n"), key, nil},
		{"base64 on one line", oneLine, key, nil},
		{"chain", file(t, "issued.crt", "intermediate.crt"), key, nil},
		{"encrypted key of others behind the pair", file(t, "rsa.crt", "rsa-proctype.key"), key, nil},

		{"mismatch", cert, file(t, "rsa1024.key"), mismatch},
		{"mismatch of kinds", cert, file(t, "ec.key"), mismatch},
		{"chain in the wrong order", file(t, "intermediate.crt", "issued.crt"), key, mismatch},

		{"key: empty", cert, nil, keyP(ProblemEmpty)},
		{"key: white space", cert, []byte(" \r\n\t"), keyP(ProblemEmpty)},
		{"key: garbage", cert, []byte("\x7fELF\x02\x01"), keyP(ProblemNotPEM)},
		{"key: DER", cert, file(t, "rsa.key.der"), keyP(ProblemDER)},
		{"key: PKCS#8 DER", cert, file(t, "rsa-pkcs8.key.der"), keyP(ProblemDER)},
		{"key: encrypted PKCS#8 DER", cert, file(t, "rsa-encrypted.key.der"), keyP(ProblemDER)},
		{"key: PKCS#12", cert, file(t, "rsa.p12"), keyP(ProblemPKCS12)},
		{"key: UTF-16", cert, asUTF16(key), keyP(ProblemUTF16)},
		{"key: indented", cert, swap(key, "\n", "\n "), keyP(ProblemDamaged)},
		{"key: wholly indented", cert, append([]byte(" "), swap(key, "\n", "\n ")...), keyP(ProblemNotPEM)},
		{"key: passphrase, PKCS#8", cert, file(t, "rsa-encrypted.key"), keyP(ProblemEncrypted)},
		{"key: passphrase, Proc-Type", cert, file(t, "rsa-proctype.key"), keyP(ProblemEncrypted)},
		{"key: a certificate", cert, cert, keyP(ProblemNoKey)},
		{"key: a public key", cert, file(t, "public.pem"), keyP(ProblemNoKey)},
		{"key: cut short", cert, key[:len(key)-40], keyP(ProblemDamaged)},
		{"key: cut short at a line", cert, bytes.Join([][]byte{key[:28+65*5], []byte("-----END PRIVATE KEY-----\n")}, nil), keyP(ProblemDamaged)},
		{"key: behind a damaged block", cert, append(swap(cert, "M", "!"), key...), nil},
		{"key: behind a damaged key", cert, append(swap(file(t, "ec.key"), "M", "!"), key...), nil},
		{"key: behind an encrypted one", cert, file(t, "rsa-encrypted.key", "rsa.key"), keyP(ProblemEncrypted)},
		{"key: behind an OpenSSH key", cert, file(t, "openssh.key", "rsa.key"), nil},
		{"key: blank line inside", cert, swap(key, "\nMII", "\nMII\n\n"), keyP(ProblemDamaged)},
		{"key: blank first line", cert, swap(key, "KEY-----\nMII", "KEY-----\n\nMII"), nil},
		{"key: foreign header", cert, swap(key, "KEY-----\nMII", "KEY-----\nComment: x\n\nMII"), keyP(ProblemDamaged)},
		{"key: a line twice", cert, append(bytes.Clone(key[:28+65*3]), key[28+65*2:]...), keyP(ProblemDamaged)},
		{"certificate: a line twice", append(bytes.Clone(cert[:28+65*3]), cert[28+65*2:]...), key, certP(ProblemDamaged)},
		{"key: other closing line", cert, swap(key, "END PRIVATE", "END RSA PRIVATE"), keyP(ProblemDamaged)},
		{"key: DSA", cert, file(t, "dsa.key"), keyP(ProblemUnsupported)},
		{"key: DSA PKCS#8", cert, file(t, "dsa-pkcs8.key"), keyP(ProblemUnsupported)},
		{"key: Ed448", cert, file(t, "ed448.key"), keyP(ProblemUnsupported)},
		{"key: X25519", cert, file(t, "x25519.key"), keyP(ProblemUnsupported)},
		{"key: Brainpool", cert, file(t, "brainpool-sec1.key"), keyP(ProblemUnsupported)},
		{"key: OpenSSH", cert, file(t, "openssh.key"), keyP(ProblemUnsupported)},

		{"certificate: empty", []byte("\n"), key, certP(ProblemEmpty)},
		{"certificate: DER", file(t, "rsa.crt.der"), key, certP(ProblemDER)},
		{"certificate: PKCS#12", file(t, "rsa.p12"), key, certP(ProblemPKCS12)},
		{"certificate: UTF-16", asUTF16(cert), key, certP(ProblemUTF16)},
		{"certificate: a key", key, key, certP(ProblemNoCertificate)},
		{"certificate: a request", file(t, "request.csr"), key, certP(ProblemNoCertificate)},
		{"certificate: text", []byte("hello\n"), key, certP(ProblemNotPEM)},
		{"certificate: cut short", cert[:len(cert)/2], key, certP(ProblemDamaged)},
		{"certificate: base64 of nothing known", []byte("-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n"), key, certP(ProblemDamaged)},
		{"certificate: next one cut short", append(bytes.Clone(cert), cert[:200]...), key, certP(ProblemDamaged)},
		{"certificate: damaged key behind", append(bytes.Clone(cert), key[:200]...), key, certP(ProblemDamaged)},
		{"certificate: negative serial", file(t, "negative-serial.crt"), key, certP(ProblemNonstandard)},
		{"certificate: RSA 1024", file(t, "rsa1024.crt"), file(t, "rsa1024.key"), certP(ProblemWeakKey)},
		{"certificate: RSA 512", file(t, "rsa512.crt"), file(t, "rsa512.key"), certP(ProblemWeakKey)},
		{"Ed448", file(t, "ed448.crt"), file(t, "ed448.key"), keyP(ProblemUnsupported)},

		{"nothing at all", nil, nil, []PartProblem{{PartKey, ProblemEmpty}, {PartCertificate, ProblemEmpty}}},
	}
}

func TestInspectProblems(t *testing.T) {
	for _, tt := range pairCases(t) {
		got := Inspect(tt.cert, tt.key)
		if !reflect.DeepEqual(got.Problems, tt.want) {
			t.Errorf("%s: problems %v, want %v", tt.name, got.Problems, tt.want)
		}
		if want := tt.want == nil || got.Cert.Problem == ProblemNonstandard || got.Cert.WeakKey() || strings.Contains(tt.name, "behind") && got.Key.Problem == ProblemNone || strings.Contains(tt.name, "next one"); got.Match != want {
			t.Errorf("%s: match %v, want %v", tt.name, got.Match, want)
		}
	}
}

func TestInspectTraits(t *testing.T) {
	type traits struct {
		Type                                      string
		Weak, WeakKey, CA, ServerAuth, SelfSigned bool
	}
	for name, want := range map[string]traits{
		"rsa.crt":        {"RSA", false, false, false, true, true},
		"ec.crt":         {"ECDSA P-256", false, false, false, true, true},
		"ed25519.crt":    {"Ed25519", false, false, false, true, true},
		"ed448.crt":      {"unknown", false, false, false, true, false},
		"rsa1024.crt":    {"RSA", false, true, false, true, true},
		"rsa512.crt":     {"RSA", false, true, false, true, true},
		"md5.crt":        {"RSA", true, false, false, true, true},
		"sha1.crt":       {"RSA", true, false, false, true, true},
		"upstream.crt":   {"RSA", false, false, true, true, true},
		"clientauth.crt": {"RSA", false, false, false, false, true},
		"issued.crt":     {"RSA", false, false, false, true, false},
	} {
		c := Inspect(file(t, name), nil).Cert
		got := traits{c.KeyType, c.WeakSignature, c.WeakKey(), c.IsCA, c.ServerAuth, c.SelfSigned}
		if got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

func TestSelfSignedMeansVerified(t *testing.T) {
	// The names agree, the signature is another root's.
	info := Inspect(file(t, "rsa.crt"), nil).Cert
	forged := bytes.Clone(info.DER)
	forged[len(forged)-1] ^= 1
	if got := InspectDER([][]byte{forged}); got.SelfSigned || got.Problem != ProblemNone || got.ChainOrder != ChainIssuerAbsent {
		t.Errorf("a changed signature: self-signed %v, problem %q, chain %q", got.SelfSigned, got.Problem, got.ChainOrder)
	}
	for _, name := range []string{"md5.crt", "rsa512.crt"} {
		der := Inspect(file(t, name), nil).Cert.DER
		der[len(der)-1] ^= 1
		if got := InspectDER([][]byte{der}); got.SelfSigned {
			t.Errorf("%s with a changed signature counts as self-signed", name)
		}
	}
}

func TestChainOrder(t *testing.T) {
	for _, tt := range []struct {
		files string
		want  ChainOrder
	}{
		{"rsa.crt", ChainOK},
		{"issued.crt", ChainIssuerAbsent},
		{"issued.crt intermediate.crt", ChainOK},
		{"issued.crt intermediate.crt root.crt", ChainOK},
		{"issued.crt root.crt intermediate.crt", ChainOutOfOrder},
		{"issued.crt root.crt", ChainBroken},
		{"issued.crt intermediate.crt impostor-root.crt", ChainBroken},
		{"issued.crt issued.crt intermediate.crt", ChainBroken},
		{"rsa.crt root.crt", ChainBroken},
		{"intermediate.crt issued.crt", ChainBroken},
		{"rsa.key", ChainNone},
	} {
		got := Inspect(file(t, strings.Fields(tt.files)...), nil).Cert
		if got.ChainOrder != tt.want {
			t.Errorf("%s: %q (%s), want %q", tt.files, got.ChainOrder, got.ChainDetail, tt.want)
		}
		if (got.ChainOrder == ChainOK || got.ChainOrder == ChainNone) != (got.ChainDetail == "") {
			t.Errorf("%s: order %q with detail %q", tt.files, got.ChainOrder, got.ChainDetail)
		}
	}
	long := bytes.Repeat(file(t, "root.crt"), 5000)
	if got := Inspect(long, nil).Cert; got.ChainOrder != ChainBroken || got.Chain != nil {
		t.Errorf("5000 certificates: %q, %d described", got.ChainOrder, len(got.Chain))
	}
}

func TestPairSurvivesJSON(t *testing.T) {
	want := Inspect(file(t, "issued.crt", "intermediate.crt"), file(t, "rsa1024.key"))
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Pair
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	want.Cert.DER = nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("after JSON:\n got %+v\nwant %+v", got, want)
	}
}

// TestNoKeyBytesLeave prints everything that Inspect says about each key and
// looks for any stretch of the key file in it.
func TestNoKeyBytesLeave(t *testing.T) {
	keys, err := filepath.Glob("testdata/*.key*")
	if err != nil || len(keys) == 0 {
		t.Fatalf("no keys: %v", err)
	}
	for _, name := range keys {
		data := file(t, filepath.Base(name))
		for _, cert := range [][]byte{file(t, "rsa.crt"), data} {
			out, err := json.Marshal(Inspect(cert, data))
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range strings.Split(string(data), "\n") {
				if len(line) >= 16 && !strings.HasPrefix(line, "-----") && bytes.Contains(out, []byte(line[:16])) {
					t.Errorf("%s: %q is in the output", name, line)
				}
			}
		}
	}
}
