package certs

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

// ErrNotPair is returned where no certificate of a bundle belongs to its key.
var ErrNotPair = errors.New("no certificate belongs to the key")

// ErrUnusable is returned for a bundle that xrdp could not use.
var ErrUnusable = errors.New("unusable")

// Bundle turns what a CA delivers into what xrdp reads: a certificate file with
// the server's own certificate first and each issuer after the one that it issued,
// and an unencrypted key in PKCS#8. The certificates may come in any order, the
// root among them; what does not belong to the chain is dropped. ErrNotPair and
// ErrUnusable say why nothing came of it.
func Bundle(certPEM, keyPEM []byte) (cert, key []byte, err error) {
	list, err := parseCerts(certPEM)
	if err != nil {
		return nil, nil, err
	}
	signer, err := firstKey(keyPEM)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		return nil, nil, fmt.Errorf("marshal private key: %w", err)
	}
	want := publicSHA256(signer.Public())
	at := slices.IndexFunc(list, func(c *x509.Certificate) bool { return publicSHA256(c.PublicKey) == want })
	if at < 0 {
		return nil, nil, ErrNotPair
	}
	var out bytes.Buffer
	for _, c := range chainFrom(list[at], list) {
		if err := pem.Encode(&out, &pem.Block{Type: blockCertificate, Bytes: c.Raw}); err != nil {
			return nil, nil, fmt.Errorf("encode certificate: %w", err)
		}
	}
	return out.Bytes(), pem.EncodeToMemory(&pem.Block{Type: blockPKCS8, Bytes: der}), nil
}

// FromPKCS12 is Bundle for a .p12 or .pfx file (RFC 7292). A wrong passphrase is
// an error of its own, pkcs12.ErrIncorrectPassword, told in words.
func FromPKCS12(data []byte, passphrase string) (cert, key []byte, err error) {
	return fromPKCS12(data, passphrase, maxDerive)
}

// maxDerive is how long the keys of a PKCS#12 file may take to be derived from its
// passphrase. The file states the rounds itself, up to 2^31, which take an hour;
// Windows writes 2,000, OpenSSL 2,048 and Java 10,000, and a million take a second.
const maxDerive = 20 * time.Second

func fromPKCS12(data []byte, passphrase string, limit time.Duration) (cert, key []byte, err error) {
	type decoded struct {
		key    any
		leaf   *x509.Certificate
		others []*x509.Certificate
		err    error
	}
	done := make(chan decoded, 1)
	// Nothing can stop it; it ends with the process, which has an error to report.
	go func() {
		var d decoded
		d.key, d.leaf, d.others, d.err = pkcs12.DecodeChain(data, passphrase)
		done <- d
	}()
	var d decoded
	select {
	case d = <-done:
	case <-time.After(limit):
		return nil, nil, fmt.Errorf("PKCS#12: deriving its keys takes longer than %s: %w", limit, ErrUnusable)
	}
	k, leaf, others, err := d.key, d.leaf, d.others, d.err
	if errors.Is(err, pkcs12.ErrIncorrectPassword) {
		return nil, nil, fmt.Errorf("PKCS#12: the passphrase is wrong: %w", ErrUnusable)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("PKCS#12: %w: %w", ErrUnusable, err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		return nil, nil, fmt.Errorf("marshal private key: %w", err)
	}
	var all bytes.Buffer
	for _, c := range append([]*x509.Certificate{leaf}, others...) {
		if err := pem.Encode(&all, &pem.Block{Type: blockCertificate, Bytes: c.Raw}); err != nil {
			return nil, nil, fmt.Errorf("encode certificate: %w", err)
		}
	}
	return Bundle(all.Bytes(), pem.EncodeToMemory(&pem.Block{Type: blockPKCS8, Bytes: der}))
}

// maxCerts bounds the certificates of one bundle; real chains have two to five.
const maxCerts = 100

func parseCerts(data []byte) ([]*x509.Certificate, error) {
	var list []*x509.Certificate
	for _, b := range blocks(data) {
		if b.label != blockCertificate || len(list) >= maxCerts {
			continue
		}
		c, err := x509.ParseCertificate(b.der)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w: %w", len(list)+1, ErrUnusable, err)
		}
		list = append(list, c)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("certificate: %s: %w", inspectCert(data).Problem, ErrUnusable)
	}
	return list, nil
}

// chainFrom follows the issuers from leaf upwards, each certificate once. A
// self-signed root is left out: the client has it, or does not trust it anyway.
func chainFrom(leaf *x509.Certificate, all []*x509.Certificate) []*x509.Certificate {
	chain := []*x509.Certificate{leaf}
	for at := leaf; !bytes.Equal(at.RawIssuer, at.RawSubject); {
		i := slices.IndexFunc(all, func(c *x509.Certificate) bool {
			return bytes.Equal(c.RawSubject, at.RawIssuer) && !slices.Contains(chain, c) && at.CheckSignatureFrom(c) == nil
		})
		if i < 0 || bytes.Equal(all[i].RawIssuer, all[i].RawSubject) {
			break
		}
		at = all[i]
		chain = append(chain, at)
	}
	return chain
}
