package probe

import (
	"encoding/binary"
	"unicode/utf16"
)

// Types of the data blocks in the GCC Conference Create PDUs ([MS-RDPBCGR] 2.2.1.3.1).
const (
	blockClientCore     = 0xc001
	blockClientSecurity = 0xc002
	blockClientCluster  = 0xc004
	blockServerCore     = 0x0c01
	blockServerSecurity = 0x0c02
	blockServerNetwork  = 0x0c03
)

// clientData is what the GCC Conference Create Request says about this client.
type clientData struct {
	Name              string   // clientName; xrdp logs it as "Connected client computer name"
	Selected          Protocol // serverSelectedProtocol, echoed
	EncryptionMethods EncryptionMethod
}

// encode gives the GCC Conference Create Request ([MS-RDPBCGR] 2.2.1.3, example in 4.1.3).
func (c clientData) encode() []byte {
	blocks := block(blockClientCore, c.core())
	blocks = append(blocks, block(blockClientCluster, []byte{0x0d, 0, 0, 0, 0, 0, 0, 0})...)
	security := binary.LittleEndian.AppendUint32(nil, uint32(c.EncryptionMethods))
	blocks = append(blocks, block(blockClientSecurity, append(security, 0, 0, 0, 0))...)

	// ConferenceCreateRequest of T.124 in PER: name "1", one set of user data under the H.221 key "Duca".
	request := append([]byte{0x00, 0x08, 0x00, 0x10, 0x00, 0x01, 0xc0, 0x00}, "Duca"...)
	request = append(request, perWrap(blocks)...)
	// ConnectData: object key {0 0 20 124 0 1}.
	return append([]byte{0x00, 0x05, 0x00, 0x14, 0x7c, 0x00, 0x01}, perWrap(request)...)
}

// core is the Client Core Data ([MS-RDPBCGR] 2.2.1.3.2) of an 800x600 client of RDP 5.
func (c clientData) core() []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(nil, 0x00080004) // version
	b = le.AppendUint16(b, 800)
	b = le.AppendUint16(b, 600)
	b = le.AppendUint16(b, 0xca01)     // colorDepth: RNS_UD_COLOR_8BPP, overridden below
	b = le.AppendUint16(b, 0xaa03)     // SASSequence
	b = le.AppendUint32(b, 0x00000409) // keyboardLayout
	b = le.AppendUint32(b, 2600)       // clientBuild
	b = append(b, fixedUTF16(c.Name, 32)...)
	b = le.AppendUint32(b, 4)          // keyboardType
	b = le.AppendUint32(b, 0)          // keyboardSubType
	b = le.AppendUint32(b, 12)         // keyboardFunctionKey
	b = append(b, make([]byte, 64)...) // imeFileName
	b = le.AppendUint16(b, 0xca01)     // postBeta2ColorDepth
	b = le.AppendUint16(b, 1)          // clientProductId
	b = le.AppendUint32(b, 0)          // serialNumber
	b = le.AppendUint16(b, 24)         // highColorDepth
	b = le.AppendUint16(b, 0x0007)     // supportedColorDepths: 24, 16, 15
	b = le.AppendUint16(b, 0x0001)     // earlyCapabilityFlags: RNS_UD_CS_SUPPORT_ERRINFO_PDU
	b = append(b, make([]byte, 64)...) // clientDigProductId
	b = append(b, 0, 0)                // connectionType, pad1octet
	b = le.AppendUint32(b, uint32(c.Selected))
	// xrdp 0.10.6 reads the physical size without asking whether the block has it, and warns about what it finds there.
	b = le.AppendUint32(b, 212)    // desktopPhysicalWidth: mm, 96 dots per inch
	b = le.AppendUint32(b, 159)    // desktopPhysicalHeight
	b = le.AppendUint16(b, 0)      // desktopOrientation: landscape
	b = le.AppendUint32(b, 100)    // desktopScaleFactor
	return le.AppendUint32(b, 100) // deviceScaleFactor
}

// fixedUTF16 gives s in UTF-16LE, cut and padded to size bytes of which the last two are zero.
func fixedUTF16(s string, size int) []byte {
	b := make([]byte, size)
	for i, u := range utf16.Encode([]rune(s)) {
		if 2*i+4 > size {
			break
		}
		binary.LittleEndian.PutUint16(b[2*i:], u)
	}
	return b
}

func block(kind uint16, content []byte) []byte {
	b := binary.LittleEndian.AppendUint16(nil, kind)
	b = binary.LittleEndian.AppendUint16(b, uint16(4+len(content)))
	return append(b, content...)
}

// parseServerData reads the GCC Conference Create Response ([MS-RDPBCGR] 2.2.1.4) into an MCSInfo.
func parseServerData(b []byte) (MCSInfo, error) {
	var info MCSInfo
	r := newReader(b)
	r.expect(0x00, 0x05, 0x00, 0x14, 0x7c, 0x00, 0x01)
	// The length that follows counts the ConferenceCreateResponse; servers set it carelessly and clients ignore it
	// ([MS-RDPBCGR] 4.1.4 notes it for Windows), as this one does.
	r.perLength()
	r.expect(0x14)       // choice conferenceCreateResponse with user data
	r.be16()             // nodeID
	r.bytes(int(r.u8())) // tag, an INTEGER
	r.u8()               // result
	r.expect(1, 0xc0)    // one set of user data, h221NonStandard
	r.expect(0)          // key of four octets
	r.bytes(4)           // "McDn"
	blocks := r.bytes(r.perLength())
	if !r.ok {
		return info, protocolError("not a GCC Conference Create Response: %s", quoteBytes(b))
	}
	r = newReader(blocks)
	for len(r.b) > 0 {
		kind, length := r.le16(), int(r.le16())
		content := newReader(r.bytes(length - 4))
		if !r.ok {
			return info, protocolError("GCC block %#04x of length %d", kind, length)
		}
		if err := info.addBlock(kind, content); err != nil {
			return info, err
		}
	}
	return info, nil
}

func (info *MCSInfo) addBlock(kind uint16, r *reader) error {
	switch kind {
	case blockServerCore: // 2.2.1.4.2; all but the version is optional
		info.ServerVersion = r.le32()
		ok := r.ok
		if len(r.b) >= 4 {
			requested := Protocol(r.le32())
			info.ClientRequested = &requested
		}
		if len(r.b) >= 4 {
			info.EarlyCapabilities = r.le32()
		}
		r.ok = ok
	case blockServerSecurity: // 2.2.1.4.3; random and certificate are absent without encryption
		info.EncryptionMethod = EncryptionMethod(r.le32())
		info.EncryptionLevel = EncryptionLevel(r.le32())
		ok := r.ok
		if len(r.b) >= 8 {
			randomLength, certificateLength := r.le32(), r.le32()
			if uint64(randomLength)+uint64(certificateLength) > uint64(len(r.b)) {
				return protocolError("server random of %d and certificate of %d bytes in a block of %d",
					randomLength, certificateLength, len(r.b)+16)
			}
			info.ServerCertificateLength = int(certificateLength)
		}
		r.ok = ok
	case blockServerNetwork: // 2.2.1.4.4
		info.IOChannel = r.le16()
	}
	if !r.ok {
		return protocolError("GCC block %#04x is too short", kind)
	}
	return nil
}
