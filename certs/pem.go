package certs

import (
	"bytes"
	"strings"
	"unicode/utf16"
)

// The PEM labels of RFC 7468 and those that OpenSSL adds (include/openssl/pem.h).
const (
	blockCertificate        = "CERTIFICATE"
	blockX509Certificate    = "X509 CERTIFICATE"
	blockTrustedCertificate = "TRUSTED CERTIFICATE"
	blockPKCS8              = "PRIVATE KEY"
	blockEncryptedPKCS8     = "ENCRYPTED PRIVATE KEY"
	blockPKCS1              = "RSA PRIVATE KEY"
	blockSEC1               = "EC PRIVATE KEY"
	blockDSA                = "DSA PRIVATE KEY"
	blockOpenSSH            = "OPENSSH PRIVATE KEY"
)

// noBlock says why a file has no PEM block at all. der reports whether the bytes
// are the wanted object in DER.
func noBlock(data []byte, der bool) Problem {
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return ProblemEmpty
	case der:
		return ProblemDER
	case isPKCS12(data):
		return ProblemPKCS12
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		if hasUTF16PEM(data) {
			return ProblemUTF16
		}
	}
	return ProblemNotPEM
}

// isPKCS12 recognises the beginning of a PFX: a SEQUENCE whose first element is
// the version, INTEGER 3 (RFC 7292 section 4).
func isPKCS12(data []byte) bool {
	if len(data) < 8 || data[0] != 0x30 {
		return false
	}
	head := 2
	if data[1] > 0x80 {
		head += int(data[1] & 0x7f)
	}
	return head+3 <= len(data) && bytes.Equal(data[head:head+3], []byte{0x02, 0x01, 0x03})
}

// hasUTF16PEM recognises a PEM file that a Windows editor has saved as UTF-16.
func hasUTF16PEM(data []byte) bool {
	units := make([]uint16, 0, 256)
	big := data[0] == 0xfe
	for i := 2; i+1 < len(data) && len(units) < cap(units); i += 2 {
		if big {
			units = append(units, uint16(data[i])<<8|uint16(data[i+1]))
		} else {
			units = append(units, uint16(data[i+1])<<8|uint16(data[i]))
		}
	}
	return strings.Contains(string(utf16.Decode(units)), pemBegin)
}

// labels lists the labels of blocks for a message. They are the file's text, so
// their number and length are bounded.
func labels(list []block) string {
	var names []string
	for _, b := range list {
		name := b.label
		if len(name) > 40 {
			name = name[:40]
		}
		names = append(names, name)
	}
	names = unique(names)
	if len(names) > 5 {
		names = names[:5]
	}
	return strings.Join(names, ", ")
}
