package probe

import (
	"crypto/tls"
	"encoding/binary"
	"io"
)

// Limits on what a server may send before its part of a handshake is complete. A flight with the longest chain that
// crypto/tls takes has 256 KiB.
const (
	maxRecord    = 1<<14 + 2048 // RFC 5246 section 6.2.3
	maxHandshake = 1 << 18
)

// Types of handshake messages (RFC 8446 section 4, RFC 5246 section 7.4).
const (
	handshakeCertificate       = 11
	handshakeServerKeyExchange = 12
	handshakeServerHelloDone   = 14
)

// retryRandom is the ServerHello.random of a HelloRetryRequest (RFC 8446 section 4.1.3).
const retryRandom = "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c"

// ServerHello is a server's answer to a ClientHello made by hand.
type ServerHello struct {
	Version      TLSVersion `json:"version"`
	CipherID     uint16     `json:"cipher_id"`
	Cipher       string     `json:"cipher"` // OpenSSL's name
	CipherIANA   string     `json:"cipher_iana"`
	RetryRequest bool       `json:"retry_request,omitempty"` // a HelloRetryRequest: accepted, but for another key share
	Extensions   []uint16   `json:"extensions,omitempty"`    // the types, in order
	// Group is the named group of the key exchange, as in IANA's registry. Zero for RSA key exchange and DHE.
	Group uint16 `json:"group,omitempty"`
	// SignatureScheme signed the key exchange (TLS 1.2 only; 1.3 encrypts it, older versions have no choice).
	SignatureScheme uint16 `json:"signature_scheme,omitempty"`
	// Certificates is the chain as served, leaf first, in DER. It is empty for TLS 1.3, which encrypts it.
	Certificates [][]byte      `json:"-"`
	Fingerprints []Fingerprint `json:"fingerprints,omitempty"`
}

// helloExchange sends the ClientHello and reads the server's flight as far as it is in plain text.
func (r *run) helloExchange() *Failure {
	if _, err := r.conn.Write(r.opts.hello); err != nil {
		return r.tlsFailure(err)
	}
	hello, err := readFlight(r.conn)
	if err != nil {
		return r.tlsFailure(err)
	}
	r.result.ServerHello = hello
	// A fatal user_canceled would be the polite word, but close_notify is what every server takes for an end.
	_, _ = r.conn.Write([]byte{recordAlert, 3, 1, 0, 2, 1, 0})
	return nil
}

// readFlight reads handshake messages from ServerHello to ServerHelloDone, or the ServerHello of TLS 1.3 alone.
func readFlight(r io.Reader) (*ServerHello, error) {
	flight := &flightReader{r: r}
	hello := new(ServerHello)
	for first := true; ; first = false {
		kind, body, err := flight.next()
		if err != nil {
			return nil, err
		}
		if first != (kind == handshakeServerHello) {
			return nil, protocolError("handshake message of type %d", kind)
		}
		switch kind {
		case handshakeServerHello:
			err = hello.parse(body)
		case handshakeCertificate:
			err = hello.parseCertificates(body)
		case handshakeServerKeyExchange:
			err = hello.parseKeyExchange(body)
		}
		if err != nil {
			return nil, err
		}
		if kind == handshakeServerHelloDone || hello.Version >= tls.VersionTLS13 {
			return hello, nil
		}
	}
}

// flightReader cuts a stream of records into handshake messages.
type flightReader struct {
	r    io.Reader
	buf  []byte
	read int
}

func (f *flightReader) next() (kind uint8, body []byte, err error) {
	for {
		if len(f.buf) >= 4 {
			length := int(f.buf[1])<<16 | int(f.buf[2])<<8 | int(f.buf[3])
			if length > maxHandshake {
				return 0, nil, protocolError("handshake message of %d bytes", length)
			}
			if len(f.buf) >= 4+length {
				kind, body = f.buf[0], f.buf[4:4+length]
				f.buf = f.buf[4+length:]
				return kind, body, nil
			}
		}
		if err := f.fill(); err != nil {
			return 0, nil, err
		}
	}
}

// fill reads one record. Alerts are seen by the recorder below; here they end the flight.
func (f *flightReader) fill() error {
	var header [5]byte
	if _, err := io.ReadFull(f.r, header[:]); err != nil {
		return err
	}
	length := int(binary.BigEndian.Uint16(header[3:]))
	if header[1] != 3 || header[0] != recordHandshake && header[0] != recordAlert {
		return protocolError("not a TLS record: %s", quoteBytes(header[:]))
	}
	if f.read += length; length == 0 || length > maxRecord || f.read > maxHandshake {
		return protocolError("TLS record of %d bytes after %d", length, f.read-length)
	}
	record := make([]byte, length)
	if _, err := io.ReadFull(f.r, record); err != nil {
		return err
	}
	if header[0] == recordAlert {
		if length == 2 && record[0] != alertFatal && record[1] != 0 {
			return nil // a warning, such as unrecognized_name
		}
		return protocolError("a TLS alert")
	}
	f.buf = append(f.buf, record...)
	return nil
}

// parse reads a ServerHello (RFC 8446 section 4.1.3; RFC 5246 section 7.4.1.3).
func (h *ServerHello) parse(b []byte) error {
	r := newReader(b)
	h.Version = TLSVersion(r.be16())
	h.RetryRequest = string(r.bytes(32)) == retryRandom
	r.bytes(int(r.u8())) // session id
	h.CipherID = r.be16()
	r.u8() // compression
	if r.ok && len(r.b) > 0 {
		extensions := newReader(r.bytes(int(r.be16())))
		for r.ok && len(extensions.b) > 0 {
			kind := extensions.be16()
			data := newReader(extensions.bytes(int(extensions.be16())))
			if !extensions.ok {
				r.ok = false
				break
			}
			h.Extensions = append(h.Extensions, kind)
			switch kind {
			case extSupportedVersions:
				h.Version = TLSVersion(data.be16())
			case extKeyShare:
				h.Group = data.be16()
			}
			r.ok = r.ok && data.ok
		}
	}
	if !r.ok {
		return protocolError("a ServerHello of %d bytes", len(b))
	}
	h.Cipher, h.CipherIANA = CipherName(h.CipherID), CipherNameIANA(h.CipherID)
	return nil
}

// parseCertificates reads a Certificate message of TLS 1.2 or older (RFC 5246 section 7.4.2).
func (h *ServerHello) parseCertificates(b []byte) error {
	r := newReader(b)
	r = newReader(r.bytes(r.be24()))
	for r.ok && len(r.b) > 0 {
		if der := r.bytes(r.be24()); r.ok {
			h.Certificates = append(h.Certificates, der)
			h.Fingerprints = append(h.Fingerprints, FingerprintOf(der))
		}
	}
	if !r.ok {
		return protocolError("a Certificate message of %d bytes", len(b))
	}
	return nil
}

// parseKeyExchange reads group and signature scheme from a ServerKeyExchange (RFC 8422 section 5.4). With DHE it has
// numbers instead of a named group, which are passed over (RFC 5246 section 7.4.3).
func (h *ServerHello) parseKeyExchange(b []byte) error {
	r := newReader(b)
	const namedCurve = 3
	if len(b) > 0 && b[0] == namedCurve {
		r.u8()
		h.Group = r.be16()
		r.bytes(int(r.u8()))
	} else {
		for range 3 { // p, g, public value
			r.bytes(int(r.be16()))
		}
	}
	if h.Version >= tls.VersionTLS12 {
		h.SignatureScheme = r.be16()
	}
	if !r.ok {
		return protocolError("a ServerKeyExchange message of %d bytes", len(b))
	}
	return nil
}
