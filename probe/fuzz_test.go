package probe

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func FuzzConnectionConfirm(f *testing.F) {
	f.Add(unhex("0ed000001234000200080000000000")) // [MS-RDPBCGR] 4.1.2: PROTOCOL_RDP
	f.Add(unhex("0ed000001234000201080001000000")) // xrdp: PROTOCOL_SSL
	f.Add(unhex("0ed000001234000300080003000000")) // xrdp: SSL_CERT_NOT_ON_SERVER
	f.Add(unhex("06d00000123400"))                 // no negotiation data
	f.Add(unhex("02f0802180"))                     // xrdp: request refused
	f.Add(unhex("0ed0000012340002010800010000"))   // one octet short
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parseConnectionConfirm(b)
		if err != nil {
			return
		}
		if len(b) != 7 && len(b) != 15 || (c.Type == 0) != (len(b) == 7) {
			t.Errorf("%x accepted as %+v", b, c)
		}
		if c.FailureCode != 0 && c.Type != typeNegFailure || c.Selected != 0 && c.Type != typeNegResponse {
			t.Errorf("%x read as %+v", b, c)
		}
	})
}

func FuzzReadTPKT(f *testing.F) {
	f.Add([]byte(plainDisconnect))
	f.Add(unhex("0300000e")) // too little
	f.Add(unhex("1503030002022816"))
	f.Fuzz(func(t *testing.T, b []byte) {
		body, err := readTPKT(bytes.NewReader(b), maxConfirm)
		if err == nil && (len(body) > maxConfirm-4 || !bytes.HasPrefix(b[4:], body)) {
			t.Errorf("%x read as %x", b, body)
		}
	})
}

func FuzzConnectResponse(f *testing.F) {
	for _, seed := range connectResponses {
		f.Add(unhex(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		info, err := parseConnectResponse(b)
		if err == nil && info.ServerCertificateLength > len(b) {
			t.Errorf("%x read as %+v", b, info)
		}
	})
}

func FuzzServerData(f *testing.F) {
	for _, seed := range connectResponses {
		if i := bytes.Index(unhex(seed), unhex("000500147c0001")); i >= 0 {
			f.Add(unhex(seed)[i:])
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		info, err := parseServerData(b)
		if err == nil && info.ServerCertificateLength > len(b) {
			t.Errorf("%x read as %+v", b, info)
		}
	})
}

func FuzzAttachUserConfirm(f *testing.F) {
	f.Add(unhex("2e000006")) // [MS-RDPBCGR] 4.1.7
	f.Add(unhex("2ec00006"))
	f.Add(unhex("2c00"))
	f.Add(unhex("2e00ffff"))
	f.Add(unhex("2180"))
	f.Fuzz(func(t *testing.T, b []byte) {
		user, err := parseAttachUserConfirm(b)
		if err == nil && (user < mcsUserBase || len(b) < 4) {
			t.Errorf("%x read as user %d", b, user)
		}
	})
}

func FuzzChannelJoinConfirm(f *testing.F) {
	f.Add(unhex("3e00000603ef03ef")) // [MS-RDPBCGR] 4.1.8.1.2
	f.Add(unhex("3c00000603ef"))
	f.Add(unhex("3e60000603ef"))
	f.Add(unhex("2100"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := parseChannelJoinConfirm(b); err == nil && len(b) < 6 {
			t.Errorf("%x accepted", b)
		}
	})
}

func FuzzRecordTap(f *testing.F) {
	f.Add(unhex("15030300020228"), uint8(3))
	f.Add(unhex("160303000400000000150303000202461403030001011503030002022a"), uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, size uint8) {
		var whole, parts recordTap
		whole.feed(b)
		for part := range bytesIn(b, int(size)+1) {
			parts.feed(part)
		}
		if whole.seen != parts.seen || whole.fatal != parts.fatal {
			t.Errorf("%x: at once %v %d, in parts %v %d", b, whole.seen, whole.fatal, parts.seen, parts.fatal)
		}
	})
}

func bytesIn(b []byte, size int) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(b) > 0 {
			n := min(size, len(b))
			if !yield(b[:n]) {
				return
			}
			b = b[n:]
		}
	}
}

// connectResponses are MCS Connect Response PDUs without TPKT and X.224 headers.
var connectResponses = map[string]string{
	// Lengths and fields after the annotated dump of [MS-RDPBCGR] 4.1.4, without server random and certificate.
	"plain": "7f665a0a0100020100301a020122020103020100020101020100020101020300fff80201020436" +
		"000500147c00012a14760a01010001c0004d63446e" + "20" +
		"010c0c000400080001000000" + "030c0800eb030000" + "020c0c000000000000000000",
	"refused": "7f66270a010e020100301a020122020103020100020101020100020101020300fff80201020403000000",
}

func TestConnectResponse(t *testing.T) {
	ssl := ProtocolSSL
	got, err := parseConnectResponse(unhex(connectResponses["plain"]))
	want := MCSInfo{ServerVersion: 0x80004, ClientRequested: &ssl, IOChannel: 1003}
	if err != nil || got.ClientRequested == nil || *got.ClientRequested != ssl {
		t.Fatalf("parseConnectResponse: %+v, %v", got, err)
	}
	got.ClientRequested, want.ClientRequested = nil, nil
	if got.ServerVersion != want.ServerVersion || got.IOChannel != want.IOChannel || got.EncryptionLevel != 0 {
		t.Errorf("parseConnectResponse: %+v, want %+v", got, want)
	}
	if _, err := parseConnectResponse(unhex(connectResponses["refused"])); err == nil || err.Error() != "MCS Connect Response: rt-unspecified-failure" {
		t.Errorf("refused: %v", err)
	}
}

func FuzzServerFlight(f *testing.F) {
	// ServerHello of TLS 1.2 with renegotiation_info, Certificate with one of three bytes, ServerKeyExchange, ServerHelloDone.
	hello := "0303" + strings.Repeat("11", 32) + "00" + "c02f" + "00" + "0005" + "ff01000100"
	f.Add(unhex("160303003102" + "00002d" + hello + "160303000d" + "0b000009" + "000006" + "000003" + "300100" +
		"1603030011" + "0c00000d" + "03001d" + "0411223344" + "0804" + "000101" + "1603030004" + "0e000000"))
	f.Add(unhex("15030300020246"))
	f.Add(unhex("150303000201701603030004020000ff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		hello, err := readFlight(bytes.NewReader(b))
		if (hello == nil) == (err == nil) {
			t.Fatalf("%x read as %v, %v", b, hello, err)
		}
		if err != nil {
			return
		}
		size := 0
		for _, der := range hello.Certificates {
			size += len(der)
		}
		if size > len(b) || len(hello.Extensions) > len(b)/4 || len(hello.Certificates) != len(hello.Fingerprints) {
			t.Errorf("%x read as %+v", b, hello)
		}
	})
}

func FuzzClientHello(f *testing.F) {
	for _, h := range []ClientHello{BroadHello(0x301, 0x304), BroadHello(0x303, 0x303), {CipherSuites: []uint16{0x2f}, LegacyVersion: 0x301}} {
		h.ServerName = "desk01"
		records, err := h.Encode(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(records)
		f.Add(records[:len(records)-1])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := ParseClientHello(b)
		if err != nil {
			return
		}
		if 2*len(h.CipherSuites) > len(b) || len(h.Versions) == 0 || len(h.ServerName) > len(b) {
			t.Errorf("%x read as %+v", b, h)
		}
	})
}

func FuzzTSRequest(f *testing.F) {
	f.Add(tsRequest(ntlmNegotiate())[2:])
	f.Add(unhex("a003020106a4060204c000006d"))
	f.Add(unhex("a003020106"))
	f.Fuzz(func(t *testing.T, b []byte) {
		token, err := parseTSRequest(b)
		if err == nil && (len(token) == 0 || !bytes.Contains(b, token)) {
			t.Errorf("%x read as %x", b, token)
		}
	})
}

func FuzzNTLMChallenge(f *testing.F) {
	f.Add(unhex("4e544c4d53535000020000000c000c003800000033828ae20123456789abcdef00000000000000002400240044000000060072170000000f" +
		"530065007200760065007200" + "02000c0044006f006d00610069006e0001000c00530065007200760065007200" + "00000000"))
	f.Add([]byte(ntlmSignature + "\x02\x00\x00\x00"))
	f.Add(ntlmNegotiate())
	f.Fuzz(func(t *testing.T, b []byte) {
		info, err := parseNTLMChallenge(b)
		if err == nil && len(info.Target)+len(info.NetBIOSName)+len(info.DNSForest) > 6*len(b) {
			t.Errorf("%x read as %+v", b, info)
		}
	})
}
