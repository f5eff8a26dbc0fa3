package rdptest

import (
	"bytes"
	"io"
	"net"
	"time"
)

// refuse gives the result for a PDU: rt-user-rejected if the fault is planned here, else rt-successful. Only values up to
// 7 fit where the callers put them.
func (s *session) refuse(at Point) byte {
	if s.server.config.Fault == Refuse && s.server.config.FaultAt == at {
		return 6 // rt-not-admitted
	}
	return 0
}

// fault plays the fault planned for this point and returns errFault, or nil if there is none. answer is what a healthy
// server would send.
func (s *session) fault(at Point, answer []byte) error {
	c := s.server.config
	if c.FaultAt != at {
		return nil
	}
	switch c.Fault {
	case None, Refuse:
		return nil
	case Close:
	case Reset:
		if tcp, ok := s.raw.(*net.TCPConn); ok {
			s.leave() // the client may be back before this goroutine is done
			_ = tcp.SetLinger(0)
			_ = tcp.Close()
		}
	case Stall:
		s.wait()
	case Garbage:
		garbage := c.Garbage
		if garbage == nil {
			garbage = []byte("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")
		}
		_ = s.write(garbage)
	case HugeLength:
		huge := []byte{3, 0, 0xff, 0xff, 2, 0xf0, 0x80}
		if at == AtTLS {
			huge = []byte{22, 3, 3, 0x40, 0, 2, 0xff, 0xff, 0xff}
		}
		_ = s.write(huge)
		s.wait()
	case Endless:
		zeros := make([]byte, 32<<10)
		if at == AtTLS { // records of handshake messages that never complete one
			zeros = bytes.Repeat([]byte{22, 3, 3, 0, 4, 0, 0, 0, 0}, 1000) // HelloRequest, for ever
		}
		for s.write(zeros) == nil {
		}
	case Drip:
		for _, b := range answer {
			if s.write([]byte{b}) != nil || !s.sleep(100*time.Millisecond) {
				break
			}
		}
		s.wait()
	case PlainDisconnect:
		_, _ = s.raw.Write([]byte{3, 0, 0, 9, 2, 0xf0, 0x80, 0x21, 0x80})
	case Ultimatum:
		_ = s.write([]byte{3, 0, 0, 9, 2, 0xf0, 0x80, 0x21, 0x80})
	}
	return errFault
}

// wait waits until the client leaves or the test ends.
func (s *session) wait() {
	_ = s.raw.SetReadDeadline(time.Time{})
	_, _ = io.Copy(io.Discard, s.raw)
}

// sleep waits for d and reports false if the test ended first.
func (s *session) sleep(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-s.server.stop:
		return false
	}
}
