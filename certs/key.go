package certs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"strings"
)

// The names of key types in CertInfo.KeyType and KeyInfo.Type; the curve follows
// after ECDSA, as in "ECDSA P-256".
const (
	TypeRSA     = "RSA"
	TypeECDSA   = "ECDSA"
	TypeEd25519 = "Ed25519"
	TypeDSA     = "DSA"
	TypeUnknown = "unknown"
)

// KeyInfo describes a private key without holding any of it.
type KeyInfo struct {
	Problem Problem `json:"problem,omitempty"`
	// Blocks lists the PEM labels that were found when no key was.
	Blocks string `json:"blocks,omitempty"`
	// Type is "RSA", "ECDSA P-256" and so on, or "Ed25519".
	Type string `json:"type,omitempty"`
	// Bits is the size of the RSA modulus or of the curve.
	Bits int `json:"bits,omitempty"`
	// PublicSHA256 is the SHA-256 of the public half in its SubjectPublicKeyInfo
	// form, in hexadecimal. Equal values mean the same key, so a key that was
	// cloned with a machine image can be recognised; it is not secret.
	PublicSHA256 string `json:"public_sha256,omitempty"`
}

// inspectKey finds the private key that SSL_CTX_use_PrivateKey_file finds. The
// key itself stays here; only its public half is returned, nil if there is none.
func inspectKey(data []byte) (KeyInfo, crypto.PublicKey) {
	info, signer := findKey(data)
	if signer == nil {
		return info, nil
	}
	return info, signer.Public()
}

// findKey returns the first block that is a private key. OpenSSL 3 goes on behind
// one that is damaged or of no use to it, but stops at one that asks for a
// passphrase or has a header that it does not know.
func findKey(data []byte) (KeyInfo, crypto.Signer) {
	list := blocks(data)
	if len(list) == 0 {
		return KeyInfo{Problem: noBlock(data, isKeyDER(data))}, nil
	}
	first := KeyInfo{Problem: ProblemNoKey, Blocks: labels(list)}
	for _, b := range list {
		info, signer, stop := inspectKeyBlock(b)
		switch {
		case stop:
			return info, signer
		case info.Problem != ProblemNone && first.Problem == ProblemNoKey:
			first = info
		}
	}
	return first, nil
}

// inspectKeyBlock returns the zero KeyInfo for a whole block that is no key. stop
// reports that OpenSSL looks no further.
func inspectKeyBlock(b block) (info KeyInfo, signer crypto.Signer, stop bool) {
	if b.der == nil {
		return KeyInfo{Problem: ProblemDamaged}, nil, false
	}
	if problem, stop := b.keyHeader(); problem != ProblemNone {
		return KeyInfo{Problem: problem}, nil, stop
	}
	switch b.label {
	case blockOpenSSH:
		// OpenSSL does not know this label and looks on; alone in the file it
		// deserves a better word than "no key".
		return KeyInfo{Problem: ProblemUnsupported, Blocks: blockOpenSSH}, nil, false
	case blockEncryptedPKCS8:
		if isEncryptedPKCS8(b.der) {
			return KeyInfo{Problem: ProblemEncrypted}, nil, true
		}
		return KeyInfo{Problem: ProblemDamaged}, nil, false
	case blockDSA:
		return KeyInfo{Problem: ProblemUnsupported, Type: TypeDSA}, nil, true
	case blockPKCS8, blockPKCS1, blockSEC1:
	default:
		return KeyInfo{}, nil, false
	}
	if !isWhole(b.der) {
		return KeyInfo{Problem: ProblemDamaged}, nil, false
	}
	signer, err := parseKey(b.label, b.der)
	if err != nil {
		problem := keyFault(b)
		return KeyInfo{Problem: problem}, nil, problem == ProblemUnsupported
	}
	info = KeyInfo{PublicSHA256: publicSHA256(signer.Public())}
	info.Type, info.Bits = keyTypeOf(signer.Public())
	return info, signer, true
}

// keyHeader judges a header as the decoder of OpenSSL 3 does before it looks at
// the label: up to ten bytes are nothing (encode_decode/decode_pem2der.c), and of
// the ways in which a header can be wrong only one lets the search go on.
func (b block) keyHeader() (problem Problem, stop bool) {
	if len(b.header) <= 10 {
		return ProblemNone, false
	}
	if b.encrypted() {
		return ProblemEncrypted, true
	}
	rest, ok := strings.CutPrefix(b.header, "Proc-Type:")
	return ProblemDamaged, !ok || strings.HasPrefix(strings.TrimLeft(rest, " \t"), "4,")
}

func parseKey(label string, der []byte) (crypto.Signer, error) {
	var key any
	var err error
	switch label {
	case blockPKCS1:
		key, err = x509.ParsePKCS1PrivateKey(der)
	case blockSEC1:
		key, err = x509.ParseECPrivateKey(der)
	default:
		key, err = x509.ParsePKCS8PrivateKey(der)
	}
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, x509.ErrUnsupportedAlgorithm
	}
	return signer, nil
}

// keyFault tells a key of a foreign kind from garbage by the outer structure,
// because the parsers do not say which of the two they met.
func keyFault(b block) Problem {
	switch {
	case b.label == blockPKCS8 && isPKCS8(b.der), b.label == blockSEC1 && isSEC1(b.der):
		return ProblemUnsupported
	default:
		return ProblemDamaged
	}
}

func isKeyDER(data []byte) bool {
	for _, label := range []string{blockPKCS8, blockPKCS1, blockSEC1} {
		if _, err := parseKey(label, data); err == nil {
			return true
		}
	}
	return isEncryptedPKCS8(data)
}

// keyTypeOf names a public key and gives its size in bits.
func keyTypeOf(public crypto.PublicKey) (string, int) {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return TypeRSA, k.N.BitLen()
	case *ecdsa.PublicKey:
		return strings.TrimSpace(TypeECDSA + " " + k.Curve.Params().Name), k.Curve.Params().BitSize
	case ed25519.PublicKey:
		return TypeEd25519, 8 * ed25519.PublicKeySize
	default:
		return TypeUnknown, 0
	}
}

// WeakKey reports a key that OpenSSL refuses at security level 2.
func (k KeyInfo) WeakKey() bool { return weakKey(k.Type, k.Bits) }

// weakKey tells whether a key is below the 112 bits of OpenSSL's security level
// 2: RSA under 2048 bits, a curve under 224 (SSL_CTX_set_security_level(3)).
func weakKey(keyType string, bits int) bool {
	switch {
	case keyType == TypeRSA:
		return bits < 2048
	case strings.HasPrefix(keyType, TypeECDSA):
		return bits < 224
	default:
		return false
	}
}

func publicSHA256(public crypto.PublicKey) string {
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(spki)
	return hex.EncodeToString(sum[:])
}

// firstKey parses the private key that inspectKey describes.
func firstKey(data []byte) (crypto.Signer, error) {
	info, signer := findKey(data)
	if info.Problem != ProblemNone {
		return nil, fmt.Errorf("private key: %s: %w", info.Problem, ErrUnusable)
	}
	return signer, nil
}
