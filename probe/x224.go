package probe

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// Limits on what is read for one PDU. A Connection Confirm has 11 or 19 bytes; a Connect Response with a chain of X.509
// certificates for Standard RDP Security a few thousand. A TPKT length can say 65535.
const (
	maxConfirm = 512
	maxPDU     = 32 << 10
)

// X.224 TPDU codes ([MS-RDPBCGR] 2.2.1.1, 2.2.1.2; X.224 section 13).
const (
	x224ConnectionRequest = 0xe0
	x224ConnectionConfirm = 0xd0
	x224Data              = 0xf0
)

// Types of the negotiation structures ([MS-RDPBCGR] 2.2.1.1.1, 2.2.1.2.1, 2.2.1.2.2).
const (
	typeNegRequest  = 1
	typeNegResponse = 2
	typeNegFailure  = 3
)

// connectionRequest is the X.224 Connection Request PDU ([MS-RDPBCGR] 2.2.1.1).
type connectionRequest struct {
	Cookie        string // without the CR LF; empty for none
	NoNegotiation bool   // leaves RDP_NEG_REQ out
	Flags         uint8
	Requested     Protocol
}

func (r connectionRequest) encode() []byte {
	variable := []byte{}
	if r.Cookie != "" {
		variable = append(variable, r.Cookie+"\r\n"...)
	}
	if !r.NoNegotiation {
		variable = append(variable, typeNegRequest, r.Flags, 8, 0)
		variable = binary.LittleEndian.AppendUint32(variable, uint32(r.Requested))
	}
	// Length indicator (it does not count itself), code and credit, destination reference, source reference, class 0.
	tpdu := append([]byte{byte(6 + len(variable)), x224ConnectionRequest, 0, 0, 0, 0, 0}, variable...)
	return tpkt(tpdu)
}

// connectionConfirm is the X.224 Connection Confirm PDU ([MS-RDPBCGR] 2.2.1.2).
type connectionConfirm struct {
	SourceRef   uint16
	Type        uint8 // typeNegResponse, typeNegFailure, or 0 if the server sent no negotiation data
	Flags       uint8
	Selected    Protocol
	FailureCode FailureCode
}

// parseConnectionConfirm reads the payload of a TPKT.
func parseConnectionConfirm(b []byte) (connectionConfirm, error) {
	var c connectionConfirm
	if isDisconnect(b) {
		return c, &wireError{KindMCSDisconnected, "MCS Disconnect Provider Ultimatum instead of a Connection Confirm"}
	}
	if len(b) < 7 || b[1]&0xf0 != x224ConnectionConfirm {
		return c, notRDP("not an X.224 Connection Confirm: %s", quoteBytes(b))
	}
	if int(b[0])+1 != len(b) {
		return c, protocolError("X.224 length indicator %d in a TPDU of %d bytes", b[0], len(b))
	}
	c.SourceRef = binary.BigEndian.Uint16(b[4:])
	neg := b[7:]
	if len(neg) == 0 {
		return c, nil
	}
	if len(neg) != 8 || binary.LittleEndian.Uint16(neg[2:]) != 8 {
		return c, protocolError("negotiation data of %d bytes in the Connection Confirm", len(neg))
	}
	c.Type, c.Flags = neg[0], neg[1]
	value := binary.LittleEndian.Uint32(neg[4:])
	switch c.Type {
	case typeNegResponse:
		c.Selected = Protocol(value)
	case typeNegFailure:
		c.FailureCode = FailureCode(value)
	default:
		return c, protocolError("negotiation data of unknown type %d", c.Type)
	}
	return c, nil
}

// tpkt puts the header of RFC 1006 section 6 before a TPDU.
func tpkt(tpdu []byte) []byte {
	b := []byte{3, 0, 0, 0}
	binary.BigEndian.PutUint16(b[2:], uint16(4+len(tpdu)))
	return append(b, tpdu...)
}

// dataTPDU puts the headers of an X.224 Data TPDU before an MCS PDU.
func dataTPDU(mcs []byte) []byte {
	return tpkt(append([]byte{2, x224Data, 0x80}, mcs...))
}

// readTPKT reads one TPKT and returns what is inside. It takes no more memory than limit, which counts the header.
func readTPKT(r io.Reader, limit int) ([]byte, error) {
	var header [4]byte
	if n, err := io.ReadFull(r, header[:]); err != nil {
		if n > 0 && header[0] != 3 {
			return nil, notRDP("not a TPKT: %s", quoteBytes(header[:n]))
		}
		return nil, err
	}
	if header[0] != 3 {
		if header[0] == recordAlert && header[1] == 3 {
			return nil, notRDP("a TLS alert: this port speaks TLS from the first byte")
		}
		return nil, notRDP("not a TPKT: %s", quoteBytes(header[:]))
	}
	length := int(binary.BigEndian.Uint16(header[2:]))
	if length < 7 || length > limit {
		return nil, protocolError("TPKT length %d", length)
	}
	body := make([]byte, length-4)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, err
	}
	return body, nil
}

// readData reads one TPKT that holds an X.224 Data TPDU and returns the MCS PDU in it.
func readData(r io.Reader) ([]byte, error) {
	body, err := readTPKT(r, maxPDU)
	if err != nil {
		return nil, err
	}
	return parseData(body)
}

func parseData(body []byte) ([]byte, error) {
	if len(body) < 4 || body[0] != 2 || body[1] != x224Data {
		return nil, protocolError("not an X.224 Data TPDU: %s", quoteBytes(body))
	}
	return body[3:], nil
}

// quoteBytes shows the first bytes of what a server sent so that they can be printed anywhere.
func quoteBytes(b []byte) string {
	const most = 16
	var s strings.Builder
	for i, c := range b[:min(len(b), most)] {
		if i > 0 {
			s.WriteByte(' ')
		}
		fmt.Fprintf(&s, "%02x", c)
	}
	if len(b) > most {
		s.WriteString(" ...")
	}
	return s.String()
}
