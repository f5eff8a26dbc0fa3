package probe

import (
	"crypto/sha1" // fingerprints as clients show them, not security
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"strings"
)

// TLSVersion is a protocol version as it stands on the wire; the constants of crypto/tls convert to it.
type TLSVersion uint16

var tlsVersionNames = map[TLSVersion]string{0x0300: "SSL 3.0", tls.VersionTLS10: "TLS 1.0", tls.VersionTLS11: "TLS 1.1",
	tls.VersionTLS12: "TLS 1.2", tls.VersionTLS13: "TLS 1.3"}

// TLSVersions gives the versions that a probe can ask for, oldest first. The caller owns the slice.
func TLSVersions() []TLSVersion {
	return []TLSVersion{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13}
}

// String gives "TLS 1.2", or the number in hexadecimal if it is none of SSL 3.0 to TLS 1.3.
func (v TLSVersion) String() string {
	if name, ok := tlsVersionNames[v]; ok {
		return name
	}
	return fmt.Sprintf("0x%04x", uint16(v))
}

// ParseTLSVersion reads "TLS 1.2", "TLSv1.2", "1.2", and for 1.0 also "TLSv1".
func ParseTLSVersion(s string) (TLSVersion, error) {
	digits := strings.TrimPrefix(strings.TrimPrefix(s, "TLSv"), "TLS ")
	if digits == "1" && s != digits {
		digits = "1.0"
	}
	for v, name := range tlsVersionNames {
		if name == s || name == "TLS "+digits {
			return v, nil
		}
	}
	return 0, fmt.Errorf("unknown TLS version %q", s)
}

// MarshalText writes the version as String does.
func (v TLSVersion) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (v *TLSVersion) UnmarshalText(text []byte) error {
	if p, err := ParseTLSVersion(string(text)); err == nil {
		*v = p
		return nil
	}
	var n uint16
	if _, err := fmt.Sscanf(string(text), "0x%04x", &n); err != nil {
		return fmt.Errorf("unknown TLS version %q", text)
	}
	*v = TLSVersion(n)
	return nil
}

// TLSInfo is what a completed handshake showed.
type TLSInfo struct {
	Version     TLSVersion `json:"version"`
	CipherID    uint16     `json:"cipher_id"`              // as registered with IANA
	Cipher      string     `json:"cipher"`                 // OpenSSL's name, as xrdp.log prints it
	CipherIANA  string     `json:"cipher_iana"`            // IANA's name
	KeyExchange string     `json:"key_exchange,omitempty"` // the group: "X25519", "P-256"; "RSA" if the key was sent encrypted
	// Certificates is the chain as served, leaf first, in DER. It does not go to JSON.
	Certificates [][]byte `json:"-"`
	// Fingerprints has one entry for each certificate of the chain, in the same order.
	Fingerprints []Fingerprint `json:"fingerprints"`
}

// Fingerprint identifies a certificate by hashes of its DER, in upper-case hexadecimal with colons.
type Fingerprint struct {
	SHA256 string `json:"sha256"`
	SHA1   string `json:"sha1"`
}

// FingerprintOf computes both fingerprints of a certificate in DER.
func FingerprintOf(der []byte) Fingerprint {
	s256, s1 := sha256.Sum256(der), sha1.Sum(der)
	return Fingerprint{SHA256: colons(s256[:]), SHA1: colons(s1[:])}
}

func colons(sum []byte) string {
	var b strings.Builder
	for i, c := range sum {
		if i > 0 {
			b.WriteByte(':')
		}
		fmt.Fprintf(&b, "%02X", c)
	}
	return b.String()
}

func newTLSInfo(state tls.ConnectionState) *TLSInfo {
	info := &TLSInfo{
		Version:    TLSVersion(state.Version),
		CipherID:   state.CipherSuite,
		Cipher:     CipherName(state.CipherSuite),
		CipherIANA: CipherNameIANA(state.CipherSuite),
	}
	switch {
	case state.CurveID != 0:
		info.KeyExchange = groupName(state.CurveID)
	case strings.HasPrefix(info.CipherIANA, "TLS_RSA_"):
		info.KeyExchange = "RSA"
	}
	for _, c := range state.PeerCertificates {
		info.Certificates = append(info.Certificates, c.Raw)
		info.Fingerprints = append(info.Fingerprints, FingerprintOf(c.Raw))
	}
	return info
}

func groupName(id tls.CurveID) string {
	switch id {
	case tls.CurveP256:
		return "P-256"
	case tls.CurveP384:
		return "P-384"
	case tls.CurveP521:
		return "P-521"
	}
	return id.String()
}
