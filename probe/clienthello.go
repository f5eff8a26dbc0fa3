package probe

import (
	"crypto/tls"
	"encoding/binary"
	"slices"
)

// ParseClientHello reads a ClientHello from the TLS records that carry it, as Encode makes them and as a real client
// sends them. Extensions that ClientHello has no field for are in Extra, in order, GREASE values (RFC 8701) included.
// Without supported_versions Versions holds client_version alone: what is the lowest that the client takes is not said.
func ParseClientHello(records []byte) (ClientHello, error) {
	var h ClientHello
	message, recordVersion, err := handshakeMessage(records)
	if err != nil {
		return h, err
	}
	h.RecordVersion = recordVersion
	r := newReader(message)
	h.LegacyVersion = TLSVersion(r.be16())
	r.bytes(32)          // random
	r.bytes(int(r.u8())) // session id
	h.CipherSuites = readList16[uint16](newReader(r.bytes(int(r.be16()))))
	r.bytes(int(r.u8())) // compression
	if r.ok && len(r.b) > 0 {
		extensions := newReader(r.bytes(int(r.be16())))
		for r.ok && len(extensions.b) > 0 {
			kind := extensions.be16()
			data := extensions.bytes(int(extensions.be16()))
			r.ok = extensions.ok && h.addExtension(kind, newReader(data), data)
		}
	}
	if !r.ok {
		return ClientHello{}, protocolError("a ClientHello of %d bytes", len(message))
	}
	if len(h.Versions) == 0 {
		h.Versions = []TLSVersion{h.LegacyVersion}
	}
	return h, nil
}

// handshakeMessage puts the fragments of one ClientHello together.
func handshakeMessage(records []byte) (body []byte, version TLSVersion, err error) {
	var message []byte
	for len(records) > 0 {
		if len(records) < 5 || records[0] != recordHandshake || records[1] != 3 {
			return nil, 0, protocolError("not a handshake record: %s", quoteBytes(records))
		}
		length := int(binary.BigEndian.Uint16(records[3:]))
		if length == 0 || length > maxRecord || 5+length > len(records) {
			return nil, 0, protocolError("handshake record of %d bytes, %d there", length, len(records)-5)
		}
		if version == 0 {
			version = TLSVersion(binary.BigEndian.Uint16(records[1:]))
		}
		message, records = append(message, records[5:5+length]...), records[5+length:]
	}
	if len(message) < 4 || message[0] != handshakeClientHello || int(message[1])<<16|int(message[2])<<8|int(message[3]) != len(message)-4 {
		return nil, 0, protocolError("not a ClientHello: %s", quoteBytes(message))
	}
	return message[4:], version, nil
}

// addExtension reports whether the extension could be read.
func (h *ClientHello) addExtension(kind uint16, r *reader, data []byte) bool {
	switch kind {
	case extServerName:
		names := newReader(r.bytes(int(r.be16())))
		if names.u8() == 0 {
			h.ServerName = string(names.bytes(int(names.be16())))
		}
		return r.ok && names.ok
	case extExtendedMaster:
		h.ExtendedMaster = true
	case extRenegotiationInfo:
		h.RenegotiationOK = true
	case extSupportedGroups:
		h.Groups = readList16[tls.CurveID](newReader(r.bytes(int(r.be16()))))
	case extPointFormats: // Encode adds it together with the groups
	case extSignatureAlgorithms:
		h.SignatureSchemes = readList16[tls.SignatureScheme](newReader(r.bytes(int(r.be16()))))
	case extSupportedVersions:
		h.Versions = readList16[TLSVersion](newReader(r.bytes(int(r.u8()))))
	case extKeyShare:
		shares := newReader(r.bytes(int(r.be16())))
		for shares.ok && len(shares.b) > 0 {
			h.KeyShares = append(h.KeyShares, tls.CurveID(shares.be16()))
			shares.bytes(int(shares.be16()))
		}
		return r.ok && shares.ok
	default:
		h.Extra = append(h.Extra, Extension{Type: kind, Data: slices.Clone(data)})
	}
	return r.ok
}

// readList16 reads 16-bit values to the end; an odd byte is left out.
func readList16[T ~uint16](r *reader) []T {
	var list []T
	for len(r.b) >= 2 {
		list = append(list, T(r.be16()))
	}
	return list
}
