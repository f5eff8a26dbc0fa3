package probe

import (
	"fmt"
	"strconv"
	"strings"
)

// Protocol is a security protocol, or a set of them, as RDP_NEG_REQ requests and RDP_NEG_RSP selects it
// ([MS-RDPBCGR] 2.2.1.1.1 and 2.2.1.2.1).
type Protocol uint32

// The security protocols of [MS-RDPBCGR] 2.2.1.1.1. ProtocolRDP is Standard RDP Security and the absence of every bit.
const (
	ProtocolRDP      Protocol = 0
	ProtocolSSL      Protocol = 1
	ProtocolHybrid   Protocol = 2
	ProtocolRDSTLS   Protocol = 4
	ProtocolHybridEx Protocol = 8
)

// maxRequested is the largest requestedProtocols that every xrdp answers; it drops the connection on any larger value
// (libxrdp/xrdp_iso.c, xrdp_iso_process_rdp_neg_req).
const maxRequested = ProtocolSSL | ProtocolHybrid | ProtocolHybridEx

var protocolNames = [...]struct {
	bit  Protocol
	name string
}{
	{ProtocolSSL, "SSL"},
	{ProtocolHybrid, "HYBRID"},
	{ProtocolRDSTLS, "RDSTLS"},
	{ProtocolHybridEx, "HYBRID_EX"},
}

// String gives one protocol by its name in the specification ("PROTOCOL_SSL") and a set by the names of its members
// without the prefix ("SSL|HYBRID"). Bits without a name appear in hexadecimal.
func (p Protocol) String() string {
	if p == ProtocolRDP {
		return "PROTOCOL_RDP"
	}
	var names []string
	rest := p
	for _, n := range protocolNames {
		if p&n.bit != 0 {
			names = append(names, n.name)
			rest &^= n.bit
		}
	}
	if rest != 0 {
		names = append(names, fmt.Sprintf("0x%x", uint32(rest)))
	}
	if len(names) == 1 && rest == 0 {
		return "PROTOCOL_" + names[0]
	}
	return strings.Join(names, "|")
}

// ParseProtocol reads what String gives; the prefix may be left out, and RDP adds no bit to a set.
func ParseProtocol(s string) (Protocol, error) {
	var p Protocol
	for part := range strings.SplitSeq(s, "|") {
		bit, ok := protocolByName(strings.TrimPrefix(part, "PROTOCOL_"))
		if !ok {
			return 0, fmt.Errorf("unknown security protocol %q", part)
		}
		p |= bit
	}
	return p, nil
}

func protocolByName(name string) (Protocol, bool) {
	if name == "RDP" {
		return ProtocolRDP, true
	}
	for _, n := range protocolNames {
		if n.name == name {
			return n.bit, true
		}
	}
	hex, ok := strings.CutPrefix(name, "0x")
	if !ok {
		return 0, false
	}
	v, err := strconv.ParseUint(hex, 16, 32)
	return Protocol(v), err == nil
}

// MarshalText writes the protocol as String does.
func (p Protocol) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (p *Protocol) UnmarshalText(text []byte) error {
	v, err := ParseProtocol(string(text))
	if err != nil {
		return err
	}
	*p = v
	return nil
}

// FailureCode is the failureCode of RDP_NEG_FAILURE ([MS-RDPBCGR] 2.2.1.2.2). Zero means that the server sent none.
type FailureCode uint32

// The failure codes of [MS-RDPBCGR] 2.2.1.2.2. xrdp sends only the first and the third.
const (
	SSLRequiredByServer             FailureCode = 1
	SSLNotAllowedByServer           FailureCode = 2
	SSLCertNotOnServer              FailureCode = 3
	InconsistentFlags               FailureCode = 4
	HybridRequiredByServer          FailureCode = 5
	SSLWithUserAuthRequiredByServer FailureCode = 6
)

var failureCodeNames = [...]string{
	SSLRequiredByServer:             "SSL_REQUIRED_BY_SERVER",
	SSLNotAllowedByServer:           "SSL_NOT_ALLOWED_BY_SERVER",
	SSLCertNotOnServer:              "SSL_CERT_NOT_ON_SERVER",
	InconsistentFlags:               "INCONSISTENT_FLAGS",
	HybridRequiredByServer:          "HYBRID_REQUIRED_BY_SERVER",
	SSLWithUserAuthRequiredByServer: "SSL_WITH_USER_AUTH_REQUIRED_BY_SERVER",
}

// String gives the code by its name in the specification, or in hexadecimal if it has none there.
func (c FailureCode) String() string {
	if c > 0 && int64(c) < int64(len(failureCodeNames)) {
		return failureCodeNames[c]
	}
	return fmt.Sprintf("0x%08x", uint32(c))
}

// MarshalText writes the code as String does.
func (c FailureCode) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (c *FailureCode) UnmarshalText(text []byte) error {
	for code, name := range failureCodeNames {
		if code > 0 && name == string(text) {
			*c = FailureCode(code)
			return nil
		}
	}
	return parseHex32((*uint32)(c), text)
}
