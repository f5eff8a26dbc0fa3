package logwatch

import "strings"

// Protocols is a set of security protocols, as requestedProtocols of
// RDP_NEG_REQ counts them ([MS-RDPBCGR] 2.2.1.1.1). Standard RDP Security is
// the empty set.
type Protocols uint32

// The protocols that xrdp names in its log.
const (
	ProtocolSSL      Protocols = 0x01
	ProtocolHybrid   Protocols = 0x02
	ProtocolRDSTLS   Protocols = 0x04
	ProtocolHybridEx Protocols = 0x08
)

var protocolNames = [...]struct {
	bit  Protocols
	name string
}{{ProtocolSSL, "SSL"}, {ProtocolHybrid, "HYBRID"}, {ProtocolRDSTLS, "RDSTLS"}, {ProtocolHybridEx, "HYBRID_EX"}}

// String names the protocols as xrdp does, "SSL|HYBRID"; the empty set is "RDP".
func (p Protocols) String() string {
	var names []string
	for _, n := range protocolNames {
		if p&n.bit != 0 {
			names = append(names, n.name)
		}
	}
	if len(names) == 0 {
		return "RDP"
	}
	return strings.Join(names, "|")
}

// parseProtocols reads what xrdp prints: names with bars between them.
func parseProtocols(s string) Protocols {
	var p Protocols
	for s != "" {
		var word string
		word, s, _ = strings.Cut(s, "|")
		for _, n := range protocolNames {
			if n.name == word {
				p |= n.bit
			}
		}
	}
	return p
}
