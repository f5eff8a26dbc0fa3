package certs

import (
	"bytes"
	"crypto/md5" //nolint:gosec // old certificates are judged, not trusted
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // see above
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"math/big"
)

// maxVerifyBits bounds the RSA keys of a stranger's certificate that a signature
// is checked with; crypto/tls stops at 8192 for the same reason.
const maxVerifyBits = 16384

func weakSignature(a x509.SignatureAlgorithm) bool {
	switch a {
	case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
		return true
	default:
		return false
	}
}

// signedBy reports whether parent's key made child's signature and the names
// agree. Whether parent may sign is not asked: an ordinary self-signed server
// certificate is no CA.
func signedBy(child, parent *x509.Certificate) bool {
	if !bytes.Equal(child.RawIssuer, parent.RawSubject) {
		return false
	}
	if key, ok := parent.PublicKey.(*rsa.PublicKey); ok {
		if key.N.BitLen() > maxVerifyBits {
			return false
		}
		// The standard library refuses MD5 and RSA below 1024 bits, which would
		// make the oldest self-signed certificates look as if a CA had issued them.
		if key.N.BitLen() < 1024 || child.SignatureAlgorithm == x509.MD5WithRSA {
			return verifiesPKCS1v15(key, child)
		}
	}
	return parent.CheckSignature(child.SignatureAlgorithm, child.RawTBSCertificate, child.Signature) == nil
}

// digestInfo holds the DER prefixes of RFC 8017 section 9.2 note 1.
func digestInfo(a x509.SignatureAlgorithm, data []byte) []byte {
	switch a {
	case x509.MD5WithRSA:
		sum := md5.Sum(data) //nolint:gosec // see the import
		return append([]byte("\x30\x20\x30\x0c\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x05\x05\x00\x04\x10"), sum[:]...)
	case x509.SHA1WithRSA:
		sum := sha1.Sum(data) //nolint:gosec // see the import
		return append([]byte("\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14"), sum[:]...)
	case x509.SHA256WithRSA:
		sum := sha256.Sum256(data)
		return append([]byte("\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"), sum[:]...)
	case x509.SHA512WithRSA:
		sum := sha512.Sum512(data)
		return append([]byte("\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40"), sum[:]...)
	default:
		return nil
	}
}

// verifiesPKCS1v15 is RSASSA-PKCS1-v1_5 verification (RFC 8017 section 8.2.2)
// without the standard library's lower bounds.
func verifiesPKCS1v15(key *rsa.PublicKey, c *x509.Certificate) bool {
	size := key.Size()
	info := digestInfo(c.SignatureAlgorithm, c.RawTBSCertificate)
	pad := size - 3 - len(info)
	if info == nil || pad < 8 || len(c.Signature) != size || key.E < 3 {
		return false
	}
	sig := new(big.Int).SetBytes(c.Signature)
	if sig.Cmp(key.N) >= 0 {
		return false
	}
	got := new(big.Int).Exp(sig, big.NewInt(int64(key.E)), key.N).FillBytes(make([]byte, size))
	want := append([]byte{0, 1}, bytes.Repeat([]byte{0xff}, pad)...)
	want = append(append(want, 0), info...)
	return bytes.Equal(got, want)
}
