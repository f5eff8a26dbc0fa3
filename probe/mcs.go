package probe

import (
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// PDU types of T.125, as the first octet of the aligned PER encoding: the choice in the upper six bits
// ([MS-RDPBCGR] 2.2.1.5 to 2.2.1.9 and 4.1.5 to 4.1.8).
const (
	mcsErectDomain     = 1
	mcsDisconnect      = 8
	mcsAttachRequest   = 10
	mcsAttachConfirm   = 11
	mcsJoinRequest     = 14
	mcsJoinConfirm     = 15
	mcsUserBase        = 1001 // T.125 UserId starts at 1001
	defaultIOChannel   = 1003 // what every server assigns; used if it sent no Server Network Data
	mcsConnectResponse = 0x66 // second identifier octet of [APPLICATION 102]
)

// connectInitial gives the MCS Connect Initial PDU ([MS-RDPBCGR] 2.2.1.3) around the GCC request.
func connectInitial(gcc []byte) []byte {
	domain := func(p [8]int) []byte {
		var b []byte
		for _, v := range p {
			if v < 0x80 {
				b = append(b, 2, 1, byte(v))
			} else if v < 0x8000 {
				b = append(b, 2, 2, byte(v>>8), byte(v))
			} else {
				b = append(b, 2, 3, 0, byte(v>>8), byte(v))
			}
		}
		return berWrap([]byte{0x30}, b)
	}
	b := []byte{4, 1, 1, 4, 1, 1, 1, 1, 0xff}                      // calling and called domain selector, upward flag
	b = append(b, domain([8]int{34, 2, 0, 1, 0, 1, 0xffff, 2})...) // target parameters
	b = append(b, domain([8]int{1, 1, 1, 1, 0, 1, 0x420, 2})...)   // minimum
	b = append(b, domain([8]int{0xffff, 0xfc17, 0xffff, 1, 0, 1, 0xffff, 2})...)
	b = append(b, berWrap([]byte{4}, gcc)...)
	return berWrap([]byte{0x7f, 0x65}, b)
}

// parseConnectResponse reads the MCS Connect Response PDU ([MS-RDPBCGR] 2.2.1.4).
func parseConnectResponse(b []byte) (MCSInfo, error) {
	if reason, ok := disconnectReason(b); ok {
		return MCSInfo{}, &wireError{KindMCSDisconnected, "MCS Disconnect Provider Ultimatum, " + reason}
	}
	r := newReader(b)
	r.expect(0x7f, mcsConnectResponse)
	r.berLength() // of the rest of the PDU, whose end the TPKT knows
	result := r.berValue(0x0a)
	r.berValue(0x02) // calledConnectId
	r.berValue(0x30) // domainParameters
	userData := r.berValue(0x04)
	if len(result) == 1 && result[0] != 0 {
		return MCSInfo{}, &wireError{KindMCSRejected, "MCS Connect Response: " + mcsResult(result[0])}
	}
	if !r.ok || len(result) != 1 {
		return MCSInfo{}, protocolError("not an MCS Connect Response: %s", quoteBytes(b))
	}
	return parseServerData(userData)
}

// parseAttachUserConfirm reads the MCS Attach User Confirm PDU ([MS-RDPBCGR] 2.2.1.7) and returns the user channel.
func parseAttachUserConfirm(b []byte) (uint16, error) {
	r, err := confirm(b, mcsAttachConfirm, "Attach User Confirm")
	if err != nil {
		return 0, err
	}
	if b[0]&2 == 0 {
		return 0, protocolError("MCS Attach User Confirm without an initiator")
	}
	initiator := r.be16()
	if !r.ok || int(initiator)+mcsUserBase > 0xffff {
		return 0, protocolError("MCS Attach User Confirm: %s", quoteBytes(b))
	}
	return initiator + mcsUserBase, nil
}

// parseChannelJoinConfirm reads the MCS Channel Join Confirm PDU ([MS-RDPBCGR] 2.2.1.9) and returns the channel joined.
func parseChannelJoinConfirm(b []byte) (uint16, error) {
	r, err := confirm(b, mcsJoinConfirm, "Channel Join Confirm")
	if err != nil {
		return 0, err
	}
	r.be16() // initiator
	channel := r.be16()
	if b[0]&2 != 0 {
		channel = r.be16() // the first was the one requested
	}
	if !r.ok {
		return 0, protocolError("MCS Channel Join Confirm: %s", quoteBytes(b))
	}
	return channel, nil
}

// confirm reads type and result of a confirm PDU; a result other than rt-successful is an error.
func confirm(b []byte, kind byte, name string) (*reader, error) {
	if reason, ok := disconnectReason(b); ok {
		return nil, &wireError{KindMCSDisconnected, "MCS Disconnect Provider Ultimatum, " + reason}
	}
	if len(b) < 2 || b[0]>>2 != kind {
		return nil, protocolError("not an MCS %s: %s", name, quoteBytes(b))
	}
	// The four bits of Result follow six of choice and one for the optional field, so they lie across the octets; what is
	// left of the second octet is padding (X.691 10.5, 18).
	if b[0]&1 != 0 || b[1] != 0 {
		return nil, &wireError{KindMCSRejected, "MCS " + name + ": " + mcsResult(b[0]&1<<3|b[1]>>5)}
	}
	return newReader(b[2:]), nil
}

func attachUserRequest() []byte { return []byte{mcsAttachRequest << 2} }

// erectDomainRequest has subHeight 0 and subInterval 0 ([MS-RDPBCGR] 2.2.1.5).
func erectDomainRequest() []byte { return []byte{mcsErectDomain << 2, 1, 0, 1, 0} }

func channelJoinRequest(user, channel uint16) []byte {
	b := []byte{mcsJoinRequest << 2}
	b = binary.BigEndian.AppendUint16(b, user-mcsUserBase)
	return binary.BigEndian.AppendUint16(b, channel)
}

// disconnectProviderUltimatum has the reason rn-user-requested.
func disconnectProviderUltimatum() []byte { return []byte{0x21, 0x80} }

// isDisconnect reports whether the payload of a TPKT is an MCS Disconnect Provider Ultimatum.
func isDisconnect(body []byte) bool {
	mcs, err := parseData(body)
	if err != nil {
		return false
	}
	_, ok := disconnectReason(mcs)
	return ok
}

// disconnectReason reads an MCS Disconnect Provider Ultimatum: six bits of choice, three of reason.
func disconnectReason(mcs []byte) (string, bool) {
	if len(mcs) != 2 || mcs[0]>>2 != mcsDisconnect {
		return "", false
	}
	names := [...]string{"rn-domain-disconnected", "rn-provider-initiated", "rn-token-purged", "rn-user-requested", "rn-channel-purged"}
	reason := int(mcs[0]&3)<<1 | int(mcs[1]>>7)
	if reason < len(names) {
		return names[reason], true
	}
	return fmt.Sprintf("reason %d", reason), true
}

// mcsResult names a Result of T.125.
func mcsResult(result byte) string {
	names := [...]string{"rt-successful", "rt-domain-merging", "rt-domain-not-hierarchical", "rt-no-such-channel",
		"rt-no-such-domain", "rt-no-such-user", "rt-not-admitted", "rt-other-user-id", "rt-parameters-unacceptable",
		"rt-token-not-available", "rt-token-not-possessed", "rt-too-many-channels", "rt-too-many-tokens",
		"rt-too-many-users", "rt-unspecified-failure", "rt-user-rejected"}
	if int(result) < len(names) {
		return names[result]
	}
	return fmt.Sprintf("result %d", result)
}

// exchange sends one MCS PDU and returns the MCS PDU that answers it.
func exchange(rw io.ReadWriter, mcs []byte) ([]byte, error) {
	if _, err := rw.Write(dataTPDU(mcs)); err != nil {
		return nil, err
	}
	return readData(rw)
}

// MCSInfo is what the server said in its MCS Connect Response ([MS-RDPBCGR] 2.2.1.4) and afterwards.
type MCSInfo struct {
	ServerVersion           uint32           `json:"server_version"` // 0x00080004: RDP 5.0 to 8.1
	ClientRequested         *Protocol        `json:"client_requested,omitempty"`
	EarlyCapabilities       uint32           `json:"early_capabilities,omitempty"`
	EncryptionMethod        EncryptionMethod `json:"encryption_method"` // NONE under TLS
	EncryptionLevel         EncryptionLevel  `json:"encryption_level"`
	ServerCertificateLength int              `json:"server_certificate_length,omitempty"` // of Standard RDP Security
	IOChannel               uint16           `json:"io_channel"`
	UserChannel             uint16           `json:"user_channel,omitempty"`
	ChannelsJoined          []uint16         `json:"channels_joined,omitempty"`
}

// EncryptionMethod is the encryptionMethod of Standard RDP Security, or a set of them ([MS-RDPBCGR] 2.2.1.4.3).
type EncryptionMethod uint32

// allMethods is what this client offers with Standard RDP Security: 40, 128 and 56 bit RC4, and FIPS.
const allMethods EncryptionMethod = 0x1b

// String gives the method without its prefix ENCRYPTION_METHOD_: "NONE", "40BIT", "128BIT", "56BIT", "FIPS".
func (m EncryptionMethod) String() string {
	names := map[EncryptionMethod]string{0: "NONE", 1: "40BIT", 2: "128BIT", 8: "56BIT", 0x10: "FIPS"}
	if name, ok := names[m]; ok {
		return name
	}
	return fmt.Sprintf("0x%08x", uint32(m))
}

// MarshalText writes the method as String does.
func (m EncryptionMethod) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (m *EncryptionMethod) UnmarshalText(text []byte) error {
	for v := range EncryptionMethod(0x11) {
		if v.String() == string(text) {
			*m = v
			return nil
		}
	}
	return parseHex32((*uint32)(m), text)
}

// EncryptionLevel is the encryptionLevel of Standard RDP Security ([MS-RDPBCGR] 2.2.1.4.3).
type EncryptionLevel uint32

// String gives the level without its prefix ENCRYPTION_LEVEL_. xrdp's crypt_level "medium" is CLIENT_COMPATIBLE.
func (l EncryptionLevel) String() string {
	names := [...]string{"NONE", "LOW", "CLIENT_COMPATIBLE", "HIGH", "FIPS"}
	if int64(l) < int64(len(names)) {
		return names[l]
	}
	return fmt.Sprintf("0x%08x", uint32(l))
}

// MarshalText writes the level as String does.
func (l EncryptionLevel) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (l *EncryptionLevel) UnmarshalText(text []byte) error {
	for v := range EncryptionLevel(5) {
		if v.String() == string(text) {
			*l = v
			return nil
		}
	}
	return parseHex32((*uint32)(l), text)
}

func parseHex32(v *uint32, text []byte) error {
	hex, ok := strings.CutPrefix(string(text), "0x")
	n, err := strconv.ParseUint(hex, 16, 32)
	if !ok || err != nil {
		return fmt.Errorf("unknown value %q", text)
	}
	*v = uint32(n)
	return nil
}
