package certs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"time"
)

// SelfSigned makes a private key and a certificate for it, signed by itself with
// SHA-256, fit for a TLS server and nothing else: serverAuth, not a CA. Both
// come as PEM, the key as unencrypted PKCS#8. The validity begins one hour
// before now and is req.Lifetime long in all.
//
// The random source must be fit for keys. The errors ErrName, ErrKeyType and
// ErrLifetime tell of an unusable request and come before any key is made.
func SelfSigned(rand io.Reader, now time.Time, req Request) (certPEM, keyPEM []byte, err error) {
	req, err = req.normalize(now)
	if err != nil {
		return nil, nil, fmt.Errorf("certificate request: %w", err)
	}
	key, err := generateKey(rand, req.Key)
	if err != nil {
		return nil, nil, fmt.Errorf("generate %s key: %w", req.Key, err)
	}
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, nil, fmt.Errorf("marshal public key: %w", err)
	}
	serial, err := newSerial(rand)
	if err != nil {
		return nil, nil, err
	}
	keyID := sha256.Sum256(spki)
	notBefore := now.Add(-clockSkew).UTC().Truncate(time.Second)
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: req.CommonName},
		NotBefore:    notBefore,
		// Both ends belong to the validity (RFC 5280 section 4.1.2.5), so
		// that a certificate of 825 days ends a second earlier.
		NotAfter:              notBefore.Add(req.Lifetime - time.Second).Truncate(time.Second),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		// The leftmost 160 bits of SHA-256, method 1 of RFC 7093 section 2.
		SubjectKeyId:       keyID[:20],
		SignatureAlgorithm: x509.SHA256WithRSA,
		DNSNames:           req.DNSNames,
	}
	if req.Key == ECDSAP256 {
		template.SignatureAlgorithm = x509.ECDSAWithSHA256
	} else {
		// TLS 1.2 and older may move the key by RSA encryption; an ECDSA key
		// can only sign (RFC 8422 section 5.3).
		template.KeyUsage |= x509.KeyUsageKeyEncipherment
	}
	for _, a := range req.Addrs {
		template.IPAddresses = append(template.IPAddresses, net.IP(a.AsSlice()))
	}
	der, err := x509.CreateCertificate(rand, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, fmt.Errorf("sign certificate: %w", err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, fmt.Errorf("marshal private key: %w", err)
	}
	certPEM = pem.EncodeToMemory(&pem.Block{Type: blockCertificate, Bytes: der})
	keyPEM = pem.EncodeToMemory(&pem.Block{Type: blockPKCS8, Bytes: pkcs8})
	return certPEM, keyPEM, nil
}

func generateKey(rand io.Reader, t KeyType) (crypto.Signer, error) {
	switch t {
	case RSA2048:
		return rsa.GenerateKey(rand, 2048)
	case RSA3072:
		return rsa.GenerateKey(rand, 3072)
	case RSA4096:
		return rsa.GenerateKey(rand, 4096)
	case ECDSAP256:
		return ecdsa.GenerateKey(elliptic.P256(), rand)
	default:
		return nil, ErrKeyType
	}
}

// newSerial returns a positive serial number of 127 random bits: RFC 5280
// section 4.1.2.2 allows 20 octets, the CA/Browser Forum asks for 64 bits of
// randomness (Baseline Requirements section 7.1).
func newSerial(rand io.Reader) (*big.Int, error) {
	var b [16]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return nil, fmt.Errorf("serial number: %w", err)
	}
	b[0] &= 0x7f
	// Zero is no serial number.
	b[15] |= 1
	return new(big.Int).SetBytes(b[:]), nil
}
