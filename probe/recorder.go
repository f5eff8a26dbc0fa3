package probe

import (
	"bytes"
	"cmp"
	"errors"
	"net"
)

// Record types, the alert level and the one message type that matter here (RFC 8446 sections 5.1, 6 and 4).
const (
	recordChangeCipherSpec = 20
	recordAlert            = 21
	recordHandshake        = 22
	alertFatal             = 2
	handshakeClientHello   = 1
	handshakeServerHello   = 2
)

// maxReceived bounds what one connection may deliver in bytes. A handshake with the longest chain that crypto/tls
// accepts stays below it.
const maxReceived = 1 << 20

// recorder counts what a connection receives, keeps the first bytes, and reads along in the TLS records for the last
// alert in plain text, which crypto/tls reports in a way that depends on when it came. It stops at maxReceived.
//
// What is written goes out when the next answer is waited for, so that what belongs together (the end of a handshake and
// the Connect Initial, Erect Domain and Attach User, the ultimatum and the close_notify) is one segment, and one system
// call. What came is read ahead, past the end of what was asked for.
type recorder struct {
	net.Conn
	received int64
	head     []byte // the first headSize bytes received
	tap      recordTap

	out   []byte // written, not sent
	ahead []byte // read, not asked for; part of space
	space []byte
}

// headSize is enough for a ServerHello with a key share of P-521.
const headSize = 512

// Read reads from the connection, up to maxReceived bytes in all.
func (c *recorder) Read(b []byte) (int, error) {
	if c.received >= maxReceived {
		return 0, protocolError("more than %d bytes", maxReceived)
	}
	n, err := c.read(b)
	c.received += int64(n)
	c.head = append(c.head, b[:min(n, headSize-len(c.head))]...)
	c.tap.feed(b[:n])
	return n, err
}

// aheadSize is enough for any answer before TLS, and for most inside it.
const aheadSize = 512

// read sends what was written and reads, ahead where little was asked for. Where a server has answered and closed, what
// is sent fails and its answer is still there to read.
func (c *recorder) read(b []byte) (int, error) {
	unsent := c.flush()
	if len(c.ahead) == 0 {
		into := b
		if len(b) < aheadSize {
			if c.space == nil {
				c.space = make([]byte, aheadSize)
			}
			into = c.space
		}
		n, err := c.Conn.Read(into)
		if n == 0 {
			return 0, cmp.Or(unsent, err)
		}
		if len(b) >= aheadSize {
			return n, err
		}
		c.ahead = c.space[:n]
	}
	n := copy(b, c.ahead)
	c.ahead = c.ahead[n:]
	return n, nil
}

// Write keeps b until it is due. It gives no error: that comes with the answer waited for.
func (c *recorder) Write(b []byte) (int, error) {
	c.out = append(c.out, b...)
	return len(b), nil
}

// flush sends what was written.
func (c *recorder) flush() error {
	if len(c.out) == 0 {
		return nil
	}
	_, err := c.Conn.Write(c.out)
	c.out = c.out[:0]
	return err
}

// Close sends what was written, an alert for instance, and closes.
func (c *recorder) Close() error {
	_ = c.flush()
	return c.Conn.Close()
}

// CloseWrite sends what was written and a FIN.
func (c *recorder) CloseWrite() error {
	if err := c.flush(); err != nil {
		return err
	}
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return half.CloseWrite()
}

// drain reads until the server closes, at most about so many bytes.
func (c *recorder) drain(most int) {
	if c.space == nil {
		c.space = make([]byte, aheadSize)
	}
	for c.ahead = nil; most > 0; {
		n, err := c.Conn.Read(c.space)
		if most -= n; err != nil {
			return
		}
	}
}

// serverHelloVersion gives the version in a ServerHello at the start of what was received.
func (c *recorder) serverHelloVersion() (TLSVersion, bool) {
	kind, body, err := (&flightReader{r: bytes.NewReader(c.head)}).next()
	var hello ServerHello
	if err != nil || kind != handshakeServerHello || hello.parse(body) != nil {
		return 0, false
	}
	return hello.Version, true
}

// recordTap follows TLS records in a stream without keeping them.
type recordTap struct {
	header  [5]byte
	have    int // octets of header
	left    int // octets of the record still to come
	alert   [2]byte
	alertAt int
	cipher  bool // ChangeCipherSpec was seen: later alerts are encrypted
	fatal   uint8
	seen    bool
}

func (t *recordTap) feed(b []byte) {
	for len(b) > 0 {
		if t.have < len(t.header) {
			n := copy(t.header[t.have:], b)
			t.have, b = t.have+n, b[n:]
			if t.have == len(t.header) {
				t.begin()
			}
			continue
		}
		n := min(t.left, len(b))
		if t.header[0] == recordAlert && !t.cipher {
			t.alertAt += copy(t.alert[t.alertAt:], b[:n])
		}
		t.left, b = t.left-n, b[n:]
		if t.left == 0 {
			t.end()
		}
	}
}

func (t *recordTap) begin() {
	t.left = int(t.header[3])<<8 | int(t.header[4])
	t.alertAt = 0
	if t.left == 0 {
		t.have = 0
	}
}

func (t *recordTap) end() {
	t.have = 0
	switch {
	case t.header[0] == recordChangeCipherSpec:
		t.cipher = true
	case t.header[0] == recordAlert && !t.cipher && t.alertAt == 2 && (t.alert[0] == alertFatal || t.alert[1] == 0):
		t.fatal, t.seen = t.alert[1], true
	}
}
