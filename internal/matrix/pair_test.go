//go:build lab

package matrix

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"sync"
	"testing"
	"time"
)

// pairSpec describes a certificate and its key; the zero value is a good
// self-signed pair of RSA 2048 that names the host.
type pairSpec struct {
	key         string // "rsa", "rsa-1024", "ecdsa", "ed25519"
	from, until time.Duration
	names       []string // instead of the host's
	isCA        bool
	sha1        bool
	clientOnly  bool // its extended key usage has no serverAuth
	issued      bool // by a CA, whose certificate follows it in the file
}

const day = 24 * time.Hour

// put makes the pair and leaves it in /run/matrix of the host.
func (m *machine) putPair(t *testing.T, s *pairSpec) {
	t.Helper()
	if s == nil {
		s = &pairSpec{}
	}
	cert, key := s.make(t, m.Name)
	for name, data := range map[string][]byte{"/run/matrix/cert.pem": cert, "/run/matrix/key.pem": key} {
		if err := m.WriteFile(t.Context(), name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// authority is a CA of this test run.
var authority = sync.OnceValues(func() (*x509.Certificate, crypto.Signer) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Example Issuing CA"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-1000 * day), NotAfter: time.Now().Add(1000 * day), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		panic(err)
	}
	c.Raw = der
	return c, key
})

func (s pairSpec) signer(t *testing.T) crypto.Signer {
	t.Helper()
	var key crypto.Signer
	var err error
	switch s.key {
	case "ecdsa":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ed25519":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	case "rsa-1024":
		key, err = rsa.GenerateKey(rand.Reader, 1024)
	default:
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// make returns certificate chain and key as PEM.
func (s pairSpec) make(t *testing.T, host string) (cert, key []byte) {
	t.Helper()
	signer := s.signer(t)
	names := s.names
	if names == nil {
		names = []string{host}
	}
	if s.from == 0 {
		s.from = -day
	}
	if s.until == 0 {
		s.until = 300 * day
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: time.Now().Add(s.from), NotAfter: time.Now().Add(s.until),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment, BasicConstraintsValid: true, IsCA: s.isCA,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if s.clientOnly {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}
	if s.sha1 {
		c.SignatureAlgorithm = x509.SHA1WithRSA
	}
	parent, parentKey := c, signer
	if s.issued {
		parent, parentKey = authority()
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, signer.Public(), parentKey)
	if err != nil {
		t.Fatal(err)
	}
	cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if s.issued {
		cert = append(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: parent.Raw})...)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		t.Fatal(err)
	}
	return cert, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}
