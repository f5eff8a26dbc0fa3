package probe

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// Types of TLS extensions (RFC 8446 section 4.2, RFC 8422, RFC 7627, RFC 5746).
const (
	extServerName          = 0
	extSupportedGroups     = 10
	extPointFormats        = 11
	extSignatureAlgorithms = 13
	extExtendedMaster      = 23
	extSupportedVersions   = 43
	extKeyShare            = 51
	extRenegotiationInfo   = 0xff01
)

// ClientHello is a ClientHello built by hand, for what crypto/tls cannot say: suites that it does not have, clients
// without extensions, one group only. The zero values of its fields mean that nothing of the kind is sent.
type ClientHello struct {
	RecordVersion TLSVersion // of the record; zero means TLS 1.0
	LegacyVersion TLSVersion // client_version; zero means the highest of Versions, at most TLS 1.2
	// Versions go into supported_versions if TLS 1.3 is among them.
	Versions     []TLSVersion
	CipherSuites []uint16
	Groups       []tls.CurveID // in supported_groups
	// KeyShares are the groups with a key share. Those that crypto/ecdh has can be made. Without any, a TLS 1.3 server
	// answers with a HelloRetryRequest, which also tells version and suite.
	KeyShares        []tls.CurveID
	SignatureSchemes []tls.SignatureScheme
	ServerName       string
	ExtendedMaster   bool // extended_master_secret
	RenegotiationOK  bool // an empty renegotiation_info
	Extra            []Extension
}

// Extension is a TLS extension with its content as it goes on the wire.
type Extension struct {
	Type uint16
	Data []byte
}

// AllSuites gives every cipher suite that this package has a name for, TLS 1.3 first. The caller owns the slice.
func AllSuites() []uint16 {
	var ids []uint16
	for _, s := range cipherSuites {
		ids = append(ids, s.id)
	}
	slices.SortFunc(ids, func(a, b uint16) int {
		if is13, other := a>>8 == 0x13, b>>8 == 0x13; is13 != other {
			if is13 {
				return -1
			}
			return 1
		}
		return int(b) - int(a) // ECDHE before the others, GCM and SHA-2 before CBC with SHA-1
	})
	return ids
}

// BroadHello offers everything in the given range of versions: all suites with a name, the common groups, the signature
// schemes from Ed25519 down to SHA-1.
func BroadHello(minVersion, maxVersion TLSVersion) ClientHello {
	h := ClientHello{
		Groups:         []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521},
		KeyShares:      []tls.CurveID{tls.X25519},
		ExtendedMaster: true, RenegotiationOK: true,
	}
	for _, v := range TLSVersions() {
		if v >= minVersion && v <= maxVersion {
			h.Versions = append(h.Versions, v)
		}
	}
	for _, id := range AllSuites() {
		if is13 := id>>8 == 0x13; is13 && maxVersion >= tls.VersionTLS13 || !is13 && minVersion < tls.VersionTLS13 {
			h.CipherSuites = append(h.CipherSuites, id)
		}
	}
	if maxVersion >= tls.VersionTLS12 {
		h.SignatureSchemes = []tls.SignatureScheme{tls.Ed25519, tls.ECDSAWithP256AndSHA256, tls.ECDSAWithP384AndSHA384,
			tls.ECDSAWithP521AndSHA512, tls.PSSWithSHA256, tls.PSSWithSHA384, tls.PSSWithSHA512, tls.PKCS1WithSHA256,
			tls.PKCS1WithSHA384, tls.PKCS1WithSHA512, tls.PKCS1WithSHA1, tls.ECDSAWithSHA1}
	}
	return h
}

// Encode gives the TLS records that carry the ClientHello. random supplies the client random, the session id and the key
// shares; nil means crypto/rand.
func (h ClientHello) Encode(random io.Reader) ([]byte, error) {
	if random == nil {
		random = rand.Reader
	}
	nonce := make([]byte, 64)
	if _, err := io.ReadFull(random, nonce); err != nil {
		return nil, fmt.Errorf("client random: %w", err)
	}
	is13 := slices.Contains(h.Versions, tls.VersionTLS13)
	body := binary.BigEndian.AppendUint16(nil, uint16(h.legacyVersion()))
	body = append(body, nonce[:32]...)
	if is13 { // legacy_session_id for middleboxes, RFC 8446 appendix D.4
		body = append(append(body, 32), nonce[32:]...)
	} else {
		body = append(body, 0)
	}
	body = vector16(body, list16(h.CipherSuites))
	body = append(body, 1, 0) // compression: none
	extensions, err := h.extensions(random, is13)
	if err != nil {
		return nil, err
	}
	if len(extensions) > 0 {
		body = vector16(body, extensions)
	}
	if len(body) > 0xffff || len(h.CipherSuites) > 0x7fff {
		return nil, fmt.Errorf("client hello of %d bytes", len(body))
	}
	message := append([]byte{1, 0, byte(len(body) >> 8), byte(len(body))}, body...)
	version := h.RecordVersion
	if version == 0 {
		version = tls.VersionTLS10
	}
	var records []byte
	for fragment := range slices.Chunk(message, 1<<14) {
		records = append(records, recordHandshake, byte(version>>8), byte(version))
		records = vector16(records, fragment)
	}
	return records, nil
}

func (h ClientHello) legacyVersion() TLSVersion {
	if h.LegacyVersion != 0 || len(h.Versions) == 0 {
		return h.LegacyVersion
	}
	return min(slices.Max(h.Versions), tls.VersionTLS12)
}

func (h ClientHello) extensions(random io.Reader, is13 bool) ([]byte, error) {
	var b []byte
	add := func(kind uint16, data []byte) {
		b = vector16(binary.BigEndian.AppendUint16(b, kind), data)
	}
	if h.ServerName != "" {
		add(extServerName, vector16(nil, vector16([]byte{0}, []byte(h.ServerName))))
	}
	if h.ExtendedMaster {
		add(extExtendedMaster, nil)
	}
	if h.RenegotiationOK {
		add(extRenegotiationInfo, []byte{0})
	}
	if len(h.Groups) > 0 {
		add(extSupportedGroups, vector16(nil, list16(h.Groups)))
		add(extPointFormats, []byte{1, 0})
	}
	if len(h.SignatureSchemes) > 0 {
		add(extSignatureAlgorithms, vector16(nil, list16(h.SignatureSchemes)))
	}
	if is13 {
		versions := slices.Sorted(slices.Values(h.Versions))
		slices.Reverse(versions)
		add(extSupportedVersions, append([]byte{byte(2 * len(versions))}, list16(versions)...))
		shares, err := keyShares(random, h.KeyShares)
		if err != nil {
			return nil, err
		}
		add(extKeyShare, vector16(nil, shares))
	}
	for _, e := range h.Extra {
		add(e.Type, e.Data)
	}
	return b, nil
}

// keyShares makes the KeyShareEntry list of RFC 8446 section 4.2.8. The private keys are thrown away.
func keyShares(random io.Reader, groups []tls.CurveID) ([]byte, error) {
	var b []byte
	for _, group := range groups {
		curves := map[tls.CurveID]ecdh.Curve{tls.X25519: ecdh.X25519(), tls.CurveP256: ecdh.P256(), tls.CurveP384: ecdh.P384(), tls.CurveP521: ecdh.P521()}
		curve, ok := curves[group]
		if !ok {
			return nil, fmt.Errorf("no key share can be made for group %d", group)
		}
		key, err := curve.GenerateKey(random)
		if err != nil {
			return nil, fmt.Errorf("key share: %w", err)
		}
		b = vector16(binary.BigEndian.AppendUint16(b, uint16(group)), key.PublicKey().Bytes())
	}
	return b, nil
}

func list16[T ~uint16](values []T) []byte {
	var b []byte
	for _, v := range values {
		b = binary.BigEndian.AppendUint16(b, uint16(v))
	}
	return b
}

// vector16 appends content after its length in two octets.
func vector16(b, content []byte) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(content))), content...)
}

// Hello makes one connection, negotiates as Run does, sends the given TLS records (from ClientHello.Encode, or captured
// from a real client) and reports the server's answer in Result.ServerHello. It stops there: no handshake is completed,
// so Reached is StageNegotiation at most, and a nil Failure means that the server accepted the ClientHello.
func Hello(ctx context.Context, addr string, opts Options, records []byte) Result {
	if opts.Until == StageNone || opts.Until > StageTLS {
		opts.Until = StageTLS
	}
	opts.hello = records
	return Run(ctx, addr, opts)
}
