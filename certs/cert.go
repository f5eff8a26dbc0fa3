package certs

import (
	"crypto/sha1" //nolint:gosec // a fingerprint that other programs show, not a proof
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// CertInfo describes a server certificate and the chain behind it. All of it is
// public. Subject, Issuer and names are the certificate's own text and may be
// hostile.
type CertInfo struct {
	Problem Problem `json:"problem,omitempty"`
	// Blocks lists the PEM labels that were found when no certificate was.
	Blocks     string       `json:"blocks,omitempty"`
	Subject    string       `json:"subject,omitempty"` // RFC 2253 form
	CommonName string       `json:"common_name,omitempty"`
	Issuer     string       `json:"issuer,omitempty"`
	Serial     string       `json:"serial,omitempty"` // hexadecimal with colons
	DNSNames   []string     `json:"dns_names,omitempty"`
	Addrs      []netip.Addr `json:"addrs,omitempty"`
	NotBefore  time.Time    `json:"not_before,omitzero"`
	NotAfter   time.Time    `json:"not_after,omitzero"` // the last second that is valid
	// KeyType and KeyBits describe the public key as KeyInfo does the private.
	KeyType string `json:"key_type,omitempty"`
	KeyBits int    `json:"key_bits,omitempty"`
	// SignatureAlgorithm is spelled as in crypto/x509, for example "SHA256-RSA".
	SignatureAlgorithm string `json:"signature_algorithm,omitempty"`
	// WeakSignature is true for MD5 and SHA-1.
	WeakSignature bool `json:"weak_signature"`
	// IsCA is the cA bit of the basic constraints.
	IsCA bool `json:"is_ca"`
	// ServerAuth is true when the extended key usage allows a TLS server, also
	// by not being there.
	ServerAuth bool `json:"server_auth"`
	// SelfSigned is true when the certificate's own key made its signature.
	// Equal names alone do not count. It is false where the signature cannot be
	// checked (Ed448, for one): such a pair is not known to be replaceable.
	SelfSigned bool `json:"self_signed"`
	// SHA256 and SHA1 are fingerprints of the DER form, upper case with colons.
	SHA256 string `json:"sha256,omitempty"`
	SHA1   string `json:"sha1,omitempty"`
	// PublicSHA256 is comparable with KeyInfo.PublicSHA256.
	PublicSHA256 string `json:"public_sha256,omitempty"`
	// Chain is what follows the server's certificate, in the order found.
	Chain      []ChainCert `json:"chain,omitempty"`
	ChainOrder ChainOrder  `json:"chain_order,omitempty"`
	// ChainDetail says in words what is wrong with the chain.
	ChainDetail string `json:"chain_detail,omitempty"`
	// DER is the certificate itself. It is left out of JSON, where SHA256
	// identifies it and names can be redacted.
	DER []byte `json:"-"`
}

// InspectDER judges a chain as a server sends it, its own certificate first. An
// empty chain gives ProblemEmpty.
func InspectDER(chain [][]byte) CertInfo {
	if len(chain) == 0 {
		return CertInfo{Problem: ProblemEmpty}
	}
	leaf, err := x509.ParseCertificate(chain[0])
	if err != nil {
		return unparsed(chain[0])
	}
	info := describe(leaf)
	info.setChain(leaf, chain[1:])
	return info
}

// inspectCert follows SSL_CTX_use_certificate_chain_file: the whole file is
// refused if any block of it, of whatever kind, is damaged.
func inspectCert(data []byte) CertInfo {
	list := blocks(data)
	if len(list) == 0 {
		_, err := x509.ParseCertificate(data)
		return CertInfo{Problem: noBlock(data, err == nil)}
	}
	var chain [][]byte
	damaged := false
	for _, b := range list {
		damaged = damaged || b.der == nil
		switch b.label {
		case blockTrustedCertificate:
			// Only the server's own may be one (PEM_read_bio_X509_AUX); others
			// are passed over.
			if len(chain) > 0 {
				continue
			}
			fallthrough
		case blockCertificate, blockX509Certificate:
			if len(chain) == 0 && (!b.usable() || !isTrusted(b.der)) {
				return CertInfo{Problem: ProblemDamaged}
			}
			damaged = damaged || !b.usable()
			chain = append(chain, firstElement(b.der))
		}
	}
	if len(chain) == 0 {
		if damaged {
			return CertInfo{Problem: ProblemDamaged}
		}
		return CertInfo{Problem: ProblemNoCertificate, Blocks: labels(list)}
	}
	info := InspectDER(chain)
	if damaged || info.Problem == ProblemNone && slices.ContainsFunc(chain[1:], isDamaged) {
		info.Problem = ProblemDamaged
	}
	return info
}

func isDamaged(der []byte) bool {
	if _, err := x509.ParseCertificate(der); err == nil {
		return false
	}
	_, ok := hasCertificateShape(der)
	return !ok
}

// unparsed describes bytes that crypto/x509 refuses. Where they are laid out
// like a certificate, xrdp may serve them all the same, so the public key is
// given for the comparison with the private key.
func unparsed(der []byte) CertInfo {
	spki, ok := hasCertificateShape(der)
	if !ok {
		return CertInfo{Problem: ProblemDamaged}
	}
	info := CertInfo{Problem: ProblemNonstandard, DER: slices.Clone(der)}
	info.setFingerprints(der, spki)
	if public, err := x509.ParsePKIXPublicKey(spki); err == nil {
		info.KeyType, info.KeyBits = keyTypeOf(public)
	}
	return info
}

func describe(c *x509.Certificate) CertInfo {
	info := CertInfo{
		Subject:            c.Subject.String(),
		CommonName:         c.Subject.CommonName,
		Issuer:             c.Issuer.String(),
		Serial:             colons(c.SerialNumber.Bytes()),
		DNSNames:           slices.Clone(c.DNSNames),
		NotBefore:          c.NotBefore.UTC(),
		NotAfter:           c.NotAfter.UTC(),
		SignatureAlgorithm: c.SignatureAlgorithm.String(),
		WeakSignature:      weakSignature(c.SignatureAlgorithm),
		IsCA:               c.BasicConstraintsValid && c.IsCA,
		ServerAuth:         allowsServer(c),
		SelfSigned:         signedBy(c, c),
		DER:                slices.Clone(c.Raw),
	}
	for _, ip := range c.IPAddresses {
		if a, ok := netip.AddrFromSlice(ip); ok {
			info.Addrs = append(info.Addrs, a.Unmap())
		}
	}
	info.KeyType, info.KeyBits = keyTypeOf(c.PublicKey)
	if c.PublicKeyAlgorithm == x509.DSA {
		info.KeyType = TypeDSA
	}
	if c.SignatureAlgorithm == x509.UnknownSignatureAlgorithm {
		info.SignatureAlgorithm = TypeUnknown
	}
	info.setFingerprints(c.Raw, c.RawSubjectPublicKeyInfo)
	return info
}

func (c *CertInfo) setFingerprints(der, spki []byte) {
	long, short, public := sha256.Sum256(der), sha1.Sum(der), sha256.Sum256(spki) //nolint:gosec // see the import
	c.SHA256, c.SHA1 = colons(long[:]), colons(short[:])
	c.PublicSHA256 = hex.EncodeToString(public[:])
}

// ValidAt reports whether now is within the validity, both ends included. It is
// false for a certificate that could not be read.
func (c CertInfo) ValidAt(now time.Time) bool {
	return !c.NotAfter.IsZero() && !now.Before(c.NotBefore) && !now.Truncate(time.Second).After(c.NotAfter)
}

// Left is how long the certificate stays valid after now, negative when it has
// expired.
func (c CertInfo) Left(now time.Time) time.Duration { return c.NotAfter.Sub(now) }

// WeakKey reports a public key that OpenSSL refuses at security level 2.
func (c CertInfo) WeakKey() bool { return weakKey(c.KeyType, c.KeyBits) }

func allowsServer(c *x509.Certificate) bool {
	if len(c.ExtKeyUsage) == 0 && len(c.UnknownExtKeyUsage) == 0 {
		return true
	}
	return slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth) ||
		slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny)
}

// colons writes b as OpenSSL and mstsc show a fingerprint: 01:AB:…
func colons(b []byte) string {
	if len(b) == 0 {
		return "00"
	}
	var s strings.Builder
	for i, c := range b {
		if i > 0 {
			s.WriteByte(':')
		}
		s.WriteString(strings.ToUpper(hex.EncodeToString([]byte{c})))
	}
	return s.String()
}
