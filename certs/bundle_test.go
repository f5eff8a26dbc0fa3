package certs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"math"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

// authority is a root, an intermediate and a server certificate with its key.
type authority struct {
	root, middle, leaf *x509.Certificate
	key                *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	issue := func(name string, ca bool, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		c := &x509.Certificate{
			SerialNumber: big.NewInt(int64(len(name))), Subject: pkix.Name{CommonName: name},
			NotBefore: now, NotAfter: now.AddDate(1, 0, 0), IsCA: ca, BasicConstraintsValid: true,
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		}
		if parent == nil {
			parent, signer = c, key
		}
		der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
		if err != nil {
			t.Fatal(err)
		}
		out, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return out, key
	}
	var a authority
	root, rootKey := issue("root", true, nil, nil)
	middle, middleKey := issue("middle", true, root, rootKey)
	a.root, a.middle = root, middle
	a.leaf, a.key = issue("leaf", false, middle, middleKey)
	return a
}

func certsPEM(list ...*x509.Certificate) []byte {
	var b bytes.Buffer
	for _, c := range list {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
	}
	return b.Bytes()
}

func keyPEM(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func TestBundleOrders(t *testing.T) {
	a := newAuthority(t)
	want := certsPEM(a.leaf, a.middle)
	for name, in := range map[string][]byte{
		"in order":        certsPEM(a.leaf, a.middle, a.root),
		"root first":      certsPEM(a.root, a.middle, a.leaf),
		"middle first":    certsPEM(a.middle, a.leaf),
		"twice":           certsPEM(a.leaf, a.leaf, a.middle, a.middle),
		"key in the file": append(keyPEM(t, a.key), certsPEM(a.middle, a.leaf)...),
	} {
		got, key, err := Bundle(in, keyPEM(t, a.key))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: Bundle = %v, another order than leaf, intermediate", name, err)
		}
		if p := Inspect(got, key); !p.Match || len(p.Problems) > 0 {
			t.Errorf("%s: not a usable pair: %+v", name, p.Problems)
		}
	}
}

func TestBundleRefuses(t *testing.T) {
	a, b := newAuthority(t), newAuthority(t)
	for name, c := range map[string]struct {
		cert, key []byte
		want      error
	}{
		"another key": {certsPEM(a.leaf), keyPEM(t, b.key), ErrNotPair},
		"no cert":     {nil, keyPEM(t, a.key), ErrUnusable},
		"no key":      {certsPEM(a.leaf), certsPEM(a.leaf), ErrUnusable},
		"DER":         {a.leaf.Raw, keyPEM(t, a.key), ErrUnusable},
	} {
		if _, _, err := Bundle(c.cert, c.key); !errors.Is(err, c.want) {
			t.Errorf("%s: Bundle error %v, want %v", name, err, c.want)
		}
	}
}

func TestFromPKCS12(t *testing.T) {
	a := newAuthority(t)
	data, err := pkcs12.Modern.Encode(a.key, a.leaf, []*x509.Certificate{a.root, a.middle}, "secret")
	if err != nil {
		t.Fatal(err)
	}
	cert, key, err := FromPKCS12(data, "secret")
	if err != nil || !bytes.Equal(cert, certsPEM(a.leaf, a.middle)) {
		t.Errorf("FromPKCS12: %v, or another chain", err)
	}
	if p := Inspect(cert, key); !p.Match {
		t.Error("FromPKCS12: not a pair")
	}
	if _, _, err := FromPKCS12(data, "wrong"); !errors.Is(err, ErrUnusable) {
		t.Errorf("FromPKCS12 with a wrong passphrase: %v", err)
	}
}

func TestSigningRequest(t *testing.T) {
	csr, key, err := SigningRequest(rand.Reader, Request{DNSNames: []string{"desk01.example.org", "desk01"}, Key: ECDSAP256})
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(csr)
	req, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil || req.CheckSignature() != nil || req.Subject.CommonName != "desk01.example.org" || len(req.DNSNames) != 2 {
		t.Errorf("request = %+v, %v", req, err)
	}
	signer, err := firstKey(key)
	if err != nil || publicSHA256(signer.Public()) != publicSHA256(req.PublicKey) {
		t.Errorf("the key is not the request's: %v", err)
	}
}

func FuzzBundle(f *testing.F) {
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), []byte("x"))
	for _, pair := range [][2]string{{"rsa.crt", "rsa.key"}, {"ec.crt", "ec-sec1.key"}, {"rsa.crt.der", "rsa.key.der"}, {"issued.crt", "rsa-pkcs1.key"}} {
		cert, err := os.ReadFile("testdata/" + pair[0])
		if err != nil {
			f.Fatal(err)
		}
		key, err := os.ReadFile("testdata/" + pair[1])
		if err != nil {
			f.Fatal(err)
		}
		f.Add(cert, key)
	}
	f.Fuzz(func(t *testing.T, cert, key []byte) {
		c, k, err := Bundle(cert, key)
		if err == nil && !Inspect(c, k).Match {
			t.Error("Bundle returned what is no pair")
		}
	})
}

// TestPKCS12Rounds: a file that asks for more work than anybody has time for is
// refused, and its passphrase is right.
func TestPKCS12Rounds(t *testing.T) {
	data, err := os.ReadFile("testdata/rsa.p12")
	if err != nil {
		t.Fatal(err)
	}
	var pfx struct {
		Version int
		Safe    asn1.RawValue
		MAC     struct {
			Digest asn1.RawValue
			Salt   []byte
			Rounds int
		}
	}
	if rest, err := asn1.Unmarshal(data, &pfx); err != nil || len(rest) > 0 {
		t.Fatal(err, rest)
	}
	pfx.MAC.Rounds = math.MaxInt32
	endless, err := asn1.Marshal(pfx)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := fromPKCS12(endless, "x", time.Millisecond); !errors.Is(err, ErrUnusable) || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("with 2^31-1 rounds: %v", err)
	}
	if _, _, err := FromPKCS12(data, "x"); err != nil {
		t.Errorf("with the usual rounds: %v", err)
	}
}

// FuzzPKCS12 reads any bytes as a file of PKCS#12: what it gives is a pair.
func FuzzPKCS12(f *testing.F) {
	data, err := os.ReadFile("testdata/rsa.p12")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data, "x")
	f.Add(data, "wrong")
	f.Add(data[:len(data)/2], "x")
	f.Add([]byte{0x30, 0x80, 0x02, 0x01, 0x03}, "")
	f.Fuzz(func(t *testing.T, data []byte, passphrase string) {
		cert, key, err := FromPKCS12(data, passphrase)
		if err != nil {
			if !errors.Is(err, ErrUnusable) {
				t.Errorf("an error of another kind: %v", err)
			}
			return
		}
		if !Inspect(cert, key).Match {
			t.Error("FromPKCS12 returned what is no pair")
		}
	})
}
