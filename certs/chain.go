package certs

import (
	"crypto/x509"
	"fmt"
	"time"
)

// maxChain is how many certificates behind the server's own are looked at.
// OpenSSL clients refuse a chain of more than 100 kB (SSL_MAX_CERT_LIST_DEFAULT),
// which is about as many, and each costs a signature check.
const maxChain = 32

// ChainOrder says how the certificates behind the server's own relate to it.
type ChainOrder string

// The states of a chain.
const (
	// ChainNone: the file could not be read.
	ChainNone ChainOrder = ""
	// ChainOK: self-signed, or each certificate is signed by the next one.
	ChainOK ChainOrder = "ok"
	// ChainIssuerAbsent: issued by another and nothing follows. That is right
	// only where the clients hold the issuer itself as a trusted root.
	ChainIssuerAbsent ChainOrder = "issuer-absent"
	// ChainOutOfOrder: all links are there, in another order.
	ChainOutOfOrder ChainOrder = "out-of-order"
	// ChainBroken: a certificate that signed none before it, or that cannot be
	// read, for which xrdp refuses the whole file.
	ChainBroken ChainOrder = "broken"
)

// ChainCert describes a certificate behind the server's own.
type ChainCert struct {
	Subject    string    `json:"subject"`
	Issuer     string    `json:"issuer"`
	NotBefore  time.Time `json:"not_before,omitzero"`
	NotAfter   time.Time `json:"not_after,omitzero"`
	IsCA       bool      `json:"is_ca"`
	SelfSigned bool      `json:"self_signed"`
	SHA256     string    `json:"sha256"`
}

func (c *CertInfo) setChain(leaf *x509.Certificate, ders [][]byte) {
	c.ChainOrder = ChainOK
	if len(ders) == 0 {
		if !c.SelfSigned {
			c.ChainOrder, c.ChainDetail = ChainIssuerAbsent, "no certificate of the issuer follows"
		}
		return
	}
	if len(ders) > maxChain {
		c.ChainOrder, c.ChainDetail = ChainBroken, fmt.Sprintf("%d certificates follow", len(ders))
		return
	}
	var rest []*x509.Certificate
	for i, der := range ders {
		parsed, err := x509.ParseCertificate(der)
		if err != nil {
			c.ChainOrder, c.ChainDetail = ChainBroken, fmt.Sprintf("certificate %d cannot be read", i+2)
			return
		}
		d := describe(parsed)
		c.Chain = append(c.Chain, ChainCert{
			Subject: d.Subject, Issuer: d.Issuer, NotBefore: d.NotBefore, NotAfter: d.NotAfter,
			IsCA: d.IsCA, SelfSigned: d.SelfSigned, SHA256: d.SHA256,
		})
		rest = append(rest, parsed)
	}
	child := leaf
	for i, parent := range rest {
		if !signedBy(child, parent) {
			c.ChainOrder = ChainBroken
			if linksUp(leaf, rest) {
				c.ChainOrder = ChainOutOfOrder
			}
			c.ChainDetail = fmt.Sprintf("certificate %d did not sign certificate %d", i+2, i+1)
			return
		}
		child = parent
	}
}

// linksUp reports whether the certificates can be ordered so that each signed
// the one before, beginning at leaf and using all.
func linksUp(leaf *x509.Certificate, rest []*x509.Certificate) bool {
	used := make([]bool, len(rest))
	child := leaf
	for range rest {
		found := false
		for i, candidate := range rest {
			if !used[i] && signedBy(child, candidate) {
				used[i], found, child = true, true, candidate
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}
