package rdptest

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"unicode/utf16"
)

// errFault ends a connection after a fault was played.
var errFault = errors.New("fault played")

// session is one connection.
type session struct {
	server *Server
	raw    net.Conn
	stream net.Conn // raw, or TLS over it
	seen   Seen
	leave  func() // the connection counts as open no more
}

func (s *session) serve() error {
	reply, err := s.negotiate()
	if err != nil {
		return err
	}
	if reply.Protocol != RDP {
		if err := s.startTLS(); err != nil {
			return err
		}
	}
	if reply.Protocol > SSL {
		if err := s.credSSP(); err != nil {
			return err
		}
		return s.drain()
	}
	if err := s.connect(reply.Protocol); err != nil {
		return err
	}
	return s.domain()
}

// read reads one TPKT and checks that its length is what it says. It returns the whole of it.
func (s *session) read() ([]byte, error) {
	p := make([]byte, 4)
	if _, err := io.ReadFull(s.stream, p); err != nil {
		return nil, err
	}
	if p[0] != 3 || p[1] != 0 {
		return nil, fmt.Errorf("TPKT header % x", p)
	}
	p = append(p, make([]byte, int(p[2])<<8+int(p[3])-4)...)
	_, err := io.ReadFull(s.stream, p[4:])
	return p, err
}

// readMCS reads one TPKT with an X.224 Data TPDU and returns the MCS PDU.
func (s *session) readMCS() ([]byte, error) {
	p, err := s.read()
	if err != nil {
		return nil, err
	}
	if len(p) < 8 || !bytes.Equal(p[4:7], []byte{0x02, 0xf0, 0x80}) {
		return nil, fmt.Errorf("X.224 header % x", p[4:])
	}
	return p[7:], nil
}

func (s *session) write(p []byte) error {
	_, err := s.stream.Write(p)
	return err
}

// writeMCS sends an MCS PDU; a fault planned for this point takes its place.
func (s *session) writeMCS(at Point, p []byte) error {
	p = append([]byte{3, 0, byte((len(p) + 7) >> 8), byte(len(p) + 7), 2, 0xf0, 0x80}, p...)
	if err := s.fault(at, p); err != nil {
		return err
	}
	return s.write(p)
}

// negotiate reads the Connection Request ([MS-RDPBCGR] 4.1.1) and answers it (4.1.2).
func (s *session) negotiate() (Reply, error) {
	p, err := s.read()
	if err != nil {
		return Reply{}, err
	}
	if len(p) < 11 || int(p[4]) != len(p)-5 || p[5] != 0xe0 {
		return Reply{}, fmt.Errorf("not a Connection Request: % x", p)
	}
	rest := p[11:]
	if i := bytes.Index(rest, []byte("\r\n")); i >= 0 {
		s.seen.Cookie, rest = string(rest[:i]), rest[i+2:]
	}
	if len(rest) > 0 {
		if len(rest) != 8 || rest[0] != 1 || rest[2] != 8 || rest[3] != 0 {
			return Reply{}, fmt.Errorf("not an RDP_NEG_REQ: % x", rest)
		}
		s.seen.HasNegotiation = true
		s.seen.Requested = binary.LittleEndian.Uint32(rest[4:])
	}
	decide := s.server.config.Reply
	if decide == nil {
		decide = func(requested uint32, _ bool) Reply {
			if requested&SSL != 0 {
				return Reply{Protocol: SSL}
			}
			return Reply{Failure: 1}
		}
	}
	reply := decide(s.seen.Requested, s.seen.HasNegotiation)
	cc := []byte{3, 0, 0, 19, 14, 0xd0, 0, 0, 0x12, 0x34, 0, 2, 1, 8, 0, byte(reply.Protocol), 0, 0, 0}
	cc[12] = reply.Flags
	if reply.NoSource {
		cc[8], cc[9] = 0, 0
	}
	switch {
	case reply.Failure != 0:
		cc[11], cc[12], cc[15] = 3, 0, byte(reply.Failure)
	case reply.Bare:
		cc = []byte{3, 0, 0, 11, 6, 0xd0, 0, 0, 0x12, 0x34, 0}
	}
	if err := s.fault(AtConfirm, cc); err != nil {
		return reply, err
	}
	if err := s.write(cc); err != nil {
		return reply, err
	}
	if reply.Failure != 0 {
		return reply, s.drain()
	}
	return reply, nil
}

func (s *session) startTLS() error {
	if s.server.config.FaultAt == AtTLS && s.server.config.Fault != None {
		if s.server.config.Fault != PlainDisconnect { // xrdp sends that without waiting for the ClientHello
			record := make([]byte, 5)
			if _, err := io.ReadFull(s.raw, record); err != nil {
				return err
			}
			if _, err := io.CopyN(io.Discard, s.raw, int64(record[3])<<8+int64(record[4])); err != nil {
				return err
			}
		}
		return s.fault(AtTLS, []byte{22, 3, 3, 0, 64, 2, 0, 0, 60, 3, 3})
	}
	first := &firstFlight{Conn: s.raw}
	conn := tls.Server(finErrors{first}, s.server.tls)
	err := conn.Handshake()
	s.seen.ClientHello = first.sent
	s.server.mu.Lock()
	s.server.greeted++
	s.server.mu.Unlock()
	if err != nil {
		return err
	}
	state := conn.ConnectionState()
	s.seen.TLSVersion, s.seen.ServerName = state.Version, state.ServerName
	s.stream = conn
	return nil
}

// connect reads the Connect Initial (4.1.3) and sends a Connect Response (4.1.4).
func (s *session) connect(protocol uint32) error {
	p, err := s.readMCS()
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(p, []byte{0x7f, 0x65, 0x82}) || int(p[3])<<8+int(p[4]) != len(p)-5 {
		return fmt.Errorf("not a Connect Initial: % x", p[:min(len(p), 16)])
	}
	// The GCC blocks follow the H.221 key and a length of two octets, which must count all that is left.
	at := bytes.Index(p, []byte("Duca"))
	if at < 0 || len(p) < at+6 || int(p[at+4]&0x7f)<<8+int(p[at+5]) != len(p)-at-6 {
		return errors.New("no GCC Conference Create Request")
	}
	if err := s.clientBlocks(p[at+6:]); err != nil {
		return err
	}
	method, level := uint32(0), uint32(0)
	if protocol == RDP {
		method, level = s.server.config.Method, s.server.config.Level
		if method == 0 && level == 0 {
			method, level = 2, 3
		}
	}
	return s.writeMCS(AtConnect, connectResponse(s.refuse(AtConnect), protocol, method, level))
}

func (s *session) clientBlocks(b []byte) error {
	for len(b) > 0 {
		if len(b) < 4 {
			return fmt.Errorf("block header % x", b)
		}
		kind, n := binary.LittleEndian.Uint16(b), int(binary.LittleEndian.Uint16(b[2:]))
		if n < 4 || n > len(b) {
			return fmt.Errorf("block %#x of %d bytes, %d left", kind, n, len(b))
		}
		switch kind {
		case 0xc001: // the name is at 24, the echo of the protocol at 212; all fields of 2.2.1.3.2 make 234
			if n != 234 {
				return fmt.Errorf("client core data of %d bytes", n)
			}
			var name []uint16
			for i := 24; i < 24+32; i += 2 {
				if u := binary.LittleEndian.Uint16(b[i:]); u != 0 {
					name = append(name, u)
				}
			}
			s.seen.ClientName = string(utf16.Decode(name))
			s.seen.SelectedEcho = binary.LittleEndian.Uint32(b[212:])
		case 0xc002:
			if n != 12 {
				return fmt.Errorf("client security data of %d bytes", n)
			}
			s.seen.EncryptionMethods = binary.LittleEndian.Uint32(b[4:])
		}
		b = b[n:]
	}
	return nil
}

// connectResponse is modelled on the annotated dump of 4.1.4, lengths computed anew.
func connectResponse(result byte, requested, method, level uint32) []byte {
	le := binary.LittleEndian
	blocks := []byte{0x01, 0x0c, 12, 0, 4, 0, 8, 0}
	blocks = le.AppendUint32(blocks, requested)
	blocks = append(blocks, 0x03, 0x0c, 8, 0, 0xeb, 0x03, 0, 0)
	if level == 0 {
		blocks = append(blocks, 0x02, 0x0c, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	} else {
		const random, certificate = 32, 184
		blocks = append(blocks, 0x02, 0x0c, 20+random+certificate, 0)
		for _, v := range []uint32{method, level, random, certificate} {
			blocks = le.AppendUint32(blocks, v)
		}
		blocks = append(blocks, make([]byte, random+certificate)...)
	}
	gcc := append([]byte{0, 5, 0, 0x14, 0x7c, 0, 1, 0x2a, 0x14, 0x76, 0x0a, 1, 1, 0, 1, 0xc0, 0, 'M', 'c', 'D', 'n'},
		0x80|byte(len(blocks)>>8), byte(len(blocks)))
	gcc = append(gcc, blocks...)
	body := []byte{0x0a, 1, result, 2, 1, 0, 0x30, 0x1a, 2, 1, 0x22, 2, 1, 3, 2, 1, 0, 2, 1, 1, 2, 1, 0, 2, 1, 1, 2, 3, 0, 0xff, 0xf8, 2, 1, 2}
	body = append(body, 4, 0x82, byte(len(gcc)>>8), byte(len(gcc)))
	body = append(body, gcc...)
	return append([]byte{0x7f, 0x66, 0x82, byte(len(body) >> 8), byte(len(body))}, body...)
}

// domain answers Erect Domain, Attach User and two Channel Joins (4.1.5 to 4.1.8), then waits for the client to leave.
func (s *session) domain() error {
	const user = 6 // channel 1007, as in the dumps
	for {
		p, err := s.readMCS()
		if err != nil {
			return err
		}
		var at Point
		var answer []byte
		switch {
		case bytes.Equal(p, []byte{0x04, 1, 0, 1, 0}):
			s.seen.ErectedDomain = true
			continue
		case bytes.Equal(p, []byte{0x28}) && s.seen.ErectedDomain:
			s.seen.Attached = true
			at, answer = AtAttach, []byte{0x2e, s.refuse(AtAttach) << 5, 0, user}
		case len(p) == 5 && p[0] == 0x38 && p[1] == 0 && p[2] == user && s.seen.Attached:
			s.seen.Joined = append(s.seen.Joined, binary.BigEndian.Uint16(p[3:]))
			at = AtJoin
			if len(s.seen.Joined) == 2 {
				at = AtLastJoin
			}
			answer = []byte{0x3e, s.refuse(at) << 5, 0, user, p[3], p[4], p[3], p[4]}
		case bytes.Equal(p, []byte{0x21, 0x80}):
			s.seen.Disconnected = true
			continue
		default:
			return fmt.Errorf("unexpected MCS PDU % x", p)
		}
		if err := s.writeMCS(at, answer); err != nil {
			return err
		}
	}
}

// ended sorts out what a read error means. EOF comes from the client's FIN on a plain connection, and from close_notify
// on TLS (see finErrors).
func (s *session) ended(err error) error {
	if !errors.Is(err, io.EOF) {
		return err
	}
	_, s.seen.CloseNotify = s.stream.(*tls.Conn)
	return nil
}

// firstFlight keeps what the client sends before the server's first word: the records of its ClientHello.
type firstFlight struct {
	net.Conn
	sent     []byte
	answered bool
}

// Read reads from the connection.
func (c *firstFlight) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if !c.answered {
		c.sent = append(c.sent, b[:n]...)
	}
	return n, err
}

// Write writes to the connection.
func (c *firstFlight) Write(b []byte) (int, error) {
	c.answered = true
	return c.Conn.Write(b)
}

// drain reads until the client leaves.
func (s *session) drain() error {
	if _, err := io.Copy(io.Discard, s.stream); err != nil {
		return err
	}
	return io.EOF
}

// finErrors turns the end of the TCP stream into an error of its own: crypto/tls reports both a close_notify and a bare
// FIN between records as EOF.
type finErrors struct{ net.Conn }

var errFIN = errors.New("FIN without close_notify")

// Read reads from the connection and gives errFIN where it would give EOF.
func (c finErrors) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if errors.Is(err, io.EOF) {
		err = errFIN
	}
	return n, err
}
