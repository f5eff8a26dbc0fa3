package certs

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
)

// The outer structures of private keys, enough to tell a well-formed key of an
// unknown kind from garbage.

func isPKCS8(der []byte) bool {
	var v struct {
		Version   int
		Algorithm pkix.AlgorithmIdentifier
		Key       []byte
		Rest      []asn1.RawValue `asn1:"optional,omitempty"`
	}
	return parses(der, &v) && len(v.Key) > 0 && isWhole(v.Key)
}

func isSEC1(der []byte) bool {
	var v struct {
		Version int
		Key     []byte
		Curve   asn1.ObjectIdentifier `asn1:"optional,explicit,tag:0"`
		Public  asn1.BitString        `asn1:"optional,explicit,tag:1"`
	}
	return parses(der, &v) && v.Version == 1 && len(v.Curve) > 0
}

func isEncryptedPKCS8(der []byte) bool {
	var v struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
	// The scheme is PBES1 or PBES2 of PKCS #5, or PKCS #12's: all below
	// 1.2.840.113549.1 (RFC 8018 appendix A, RFC 7292 appendix C).
	pkcs := asn1.ObjectIdentifier{1, 2, 840, 113549, 1}
	// What follows the element does not keep OpenSSL from asking for the
	// passphrase.
	_, err := asn1.Unmarshal(der, &v)
	return err == nil && len(v.Algorithm.Algorithm) > len(pkcs) && v.Algorithm.Algorithm[:len(pkcs)].Equal(pkcs)
}

func parses(der []byte, v any) bool {
	rest, err := asn1.Unmarshal(der, v)
	return err == nil && len(rest) == 0
}

// isWhole reports whether der is exactly one ASN.1 element.
func isWhole(der []byte) bool {
	var v asn1.RawValue
	return parses(der, &v)
}

// isTrusted reports whether der is a certificate as d2i_X509_AUX reads it: one
// element, perhaps another one behind it with trust settings, and no more.
func isTrusted(der []byte) bool {
	rest := der[len(firstElement(der)):]
	return len(rest) == 0 || rest[0] == 0x30 && isWhole(rest)
}

// firstElement drops what follows the first ASN.1 element: the trust settings
// behind the certificate in a TRUSTED CERTIFICATE block.
func firstElement(der []byte) []byte {
	var v asn1.RawValue
	if _, err := asn1.Unmarshal(der, &v); err != nil {
		return der
	}
	return v.FullBytes
}

// hasCertificateShape reports whether der is laid out like a certificate whose
// public key can be found, although crypto/x509 refuses it.
func hasCertificateShape(der []byte) (spki []byte, ok bool) {
	var head struct {
		TBS       asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}
	if !parses(der, &head) {
		return nil, false
	}
	fields := head.TBS.Bytes
	// version, serial, signature, issuer, validity, subject, public key
	for i := 0; i < 7; i++ {
		var v asn1.RawValue
		rest, err := asn1.Unmarshal(fields, &v)
		if err != nil {
			return nil, false
		}
		if i == 0 && v.Tag != 0 {
			i++ // version 1 leaves the version out
		}
		if i == 6 {
			_, err := x509.ParsePKIXPublicKey(v.FullBytes)
			return v.FullBytes, err == nil
		}
		fields = rest
	}
	return nil, false
}
