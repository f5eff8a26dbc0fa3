package probe

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"
)

// ntlmSignature begins every message of NTLM ([MS-NLMP] 2.2.1).
const ntlmSignature = "NTLMSSP\x00"

// NTLMInfo is what a server tells in its NTLM challenge ([MS-NLMP] 2.2.1.2 and 2.2.2.1). The names are the server's own
// claim and may be hostile.
type NTLMInfo struct {
	Target         string `json:"target,omitempty"` // the domain, or the computer where there is none
	NetBIOSName    string `json:"netbios_name,omitempty"`
	NetBIOSDomain  string `json:"netbios_domain,omitempty"`
	DNSName        string `json:"dns_name,omitempty"`
	DNSDomain      string `json:"dns_domain,omitempty"`
	DNSForest      string `json:"dns_forest,omitempty"`
	ProductVersion string `json:"product_version,omitempty"` // "10.0.20348": that of Windows; Samba and FreeRDP send what they like
	// Time is the server's clock, zero where it does not tell.
	Time time.Time `json:"time,omitzero"`
}

// ntlmNegotiate is a NEGOTIATE_MESSAGE without names ([MS-NLMP] 2.2.1.1).
func ntlmNegotiate() []byte {
	const (
		unicode, oem, requestTarget, sign, seal = 0x1, 0x2, 0x4, 0x10, 0x20
		ntlm, alwaysSign, extended, version     = 0x200, 0x8000, 0x80000, 0x2000000
		bits128, keyExchange, bits56            = 0x20000000, 0x40000000, 0x80000000
		flags                                   = unicode | oem | requestTarget | sign | seal | ntlm | alwaysSign | extended | version | bits128 | keyExchange | bits56
	)
	b := append([]byte(ntlmSignature), 1, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, flags)
	b = append(b, make([]byte, 16)...)         // no domain, no workstation
	return append(b, 10, 0, 0, 0, 0, 0, 0, 15) // version 10.0, NTLMSSP_REVISION_W2K3
}

// parseNTLMChallenge reads a CHALLENGE_MESSAGE.
func parseNTLMChallenge(b []byte) (*NTLMInfo, error) {
	const flagVersion = 0x2000000
	r := newReader(b)
	r.expect([]byte(ntlmSignature)...)
	if kind := r.le32(); !r.ok || kind != 2 {
		return nil, protocolError("NTLM message of type %d where a challenge was due", kind)
	}
	target := r.ntlmField(b)
	flags := r.le32()
	r.bytes(16) // challenge, reserved
	info := &NTLMInfo{Target: ntlmText(target)}
	if r.ok && len(r.b) >= 8 {
		pairs := newReader(r.ntlmField(b))
		if r.ok && flags&flagVersion != 0 && len(r.b) >= 8 {
			major, minor, build := r.u8(), r.u8(), r.le16()
			info.ProductVersion = fmt.Sprintf("%d.%d.%d", major, minor, build)
		}
		info.addPairs(pairs)
		r.ok = r.ok && pairs.ok
	}
	if !r.ok {
		return nil, protocolError("NTLM challenge of %d bytes", len(b))
	}
	return info, nil
}

// ntlmField takes a length, a maximum and an offset, and gives the bytes of the message to which they point.
func (r *reader) ntlmField(message []byte) []byte {
	length, _, offset := int(r.le16()), r.le16(), uint64(r.le32())
	if !r.ok || offset+uint64(length) > uint64(len(message)) {
		r.ok = false
		return nil
	}
	return message[offset : offset+uint64(length)]
}

// addPairs reads the list of AV_PAIR, which ends with MsvAvEOL.
func (info *NTLMInfo) addPairs(r *reader) {
	names := map[uint16]*string{1: &info.NetBIOSName, 2: &info.NetBIOSDomain, 3: &info.DNSName, 4: &info.DNSDomain, 5: &info.DNSForest}
	for r.ok && len(r.b) > 0 {
		id := r.le16()
		value := r.bytes(int(r.le16()))
		switch name, known := names[id]; {
		case !r.ok || id == 0:
			return
		case known:
			*name = ntlmText(value)
		case id == 7 && len(value) == 8:
			info.Time = fileTime(binary.LittleEndian.Uint64(value))
		}
	}
}

// fileTime converts hundreds of nanoseconds since 1601 ([MS-DTYP] 2.3.3). What is after 2200 is nobody's clock.
func fileTime(ticks uint64) time.Time {
	const to1970, second, latest = 116444736000000000, 10_000_000, 7258118400
	if ticks < to1970 || (ticks-to1970)/second > latest {
		return time.Time{}
	}
	return time.Unix(int64((ticks-to1970)/second), 0).UTC()
}

// ntlmText decodes UTF-16LE.
func ntlmText(b []byte) string {
	var units []uint16
	for ; len(b) >= 2; b = b[2:] {
		units = append(units, binary.LittleEndian.Uint16(b))
	}
	return strings.TrimRight(string(utf16.Decode(units)), "\x00")
}
