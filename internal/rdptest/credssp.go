package rdptest

import (
	"encoding/binary"
	"fmt"
	"io"
	"unicode/utf16"
)

// credSSP answers the client's first TSRequest ([MS-CSSP] 2.2.1) with Config.CredSSP.
func (s *session) credSSP() error {
	if s.server.config.CredSSP == nil {
		return nil
	}
	head := make([]byte, 2)
	if _, err := io.ReadFull(s.stream, head); err != nil {
		return err
	}
	if head[0] != 0x30 || head[1] >= 0x80 {
		return fmt.Errorf("not a short TSRequest: % x", head)
	}
	body := make([]byte, head[1])
	if _, err := io.ReadFull(s.stream, body); err != nil {
		return err
	}
	s.seen.TSRequest = append(head, body...)
	return s.write(s.server.config.CredSSP)
}

// Names are what a Windows server tells in its NTLM challenge.
type Names struct {
	Computer, Domain, DNSComputer, DNSDomain, Forest string
	Major, Minor                                     byte
	Build                                            uint16
	FileTime                                         uint64
}

// Challenge gives a TSRequest with a CHALLENGE_MESSAGE, laid out as the example of [MS-NLMP] 4.2.4.3: fixed part of 56
// octets, target name, target information.
func Challenge(n Names) []byte {
	le := binary.LittleEndian
	text := func(s string) []byte {
		var b []byte
		for _, u := range utf16.Encode([]rune(s)) {
			b = le.AppendUint16(b, u)
		}
		return b
	}
	var pairs []byte
	for id, value := range map[uint16][]byte{
		2: text(n.Domain), 1: text(n.Computer), 4: text(n.DNSDomain), 3: text(n.DNSComputer), 5: text(n.Forest),
		7: le.AppendUint64(nil, n.FileTime),
	} {
		pairs = le.AppendUint16(pairs, id)
		pairs = append(le.AppendUint16(pairs, uint16(len(value))), value...)
	}
	pairs = append(pairs, 0, 0, 0, 0)
	target := text(n.Domain)
	m := append([]byte("NTLMSSP\x00"), 2, 0, 0, 0)
	field := func(length, offset int) {
		m = le.AppendUint16(m, uint16(length))
		m = le.AppendUint16(m, uint16(length))
		m = le.AppendUint32(m, uint32(offset))
	}
	field(len(target), 56)
	m = append(m, 0x33, 0x82, 0x8a, 0xe2)                         // flags
	m = append(m, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0) // challenge, reserved
	field(len(pairs), 56+len(target))
	m = append(m, n.Major, n.Minor, byte(n.Build), byte(n.Build>>8), 0, 0, 0, 15)
	m = append(append(m, target...), pairs...)
	wrap := func(tag byte, b []byte) []byte {
		return append([]byte{tag, 0x82, byte(len(b) >> 8), byte(len(b))}, b...)
	}
	tokens := wrap(0xa1, wrap(0x30, wrap(0x30, wrap(0xa0, wrap(4, m)))))
	return wrap(0x30, append([]byte{0xa0, 3, 2, 1, 6}, tokens...))
}
