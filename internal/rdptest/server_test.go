package rdptest

import (
	"encoding/hex"
	"io"
	"net"
	"strings"
	"testing"
)

// request is the annotated Connection Request of [MS-RDPBCGR] 4.1.1.
const request = "0300002c27e00000000000" + // TPKT, X.224
	"436f6f6b69653a206d737473686173683d656c746f6e730d0a" + // Cookie: mstshash=eltons
	"0100080000000000" // RDP_NEG_REQ, requestedProtocols PROTOCOL_RDP

// TestConnectionConfirm: what the server answers is, to the byte, what the
// specification says, and it tells what the client sent.
func TestConnectionConfirm(t *testing.T) {
	for _, tt := range []struct {
		name, sent string
		config     Config
		want       string
		seen       Seen
	}{
		// The answer is the annotated one of [MS-RDPBCGR] 4.1.2.
		{"4.1.2", request, Config{Reply: func(uint32, bool) Reply { return Reply{Protocol: RDP} }},
			"030000130ed000001234000200080000000000", Seen{HasNegotiation: true, Cookie: "mstshash=eltons"}},
		// RDP_NEG_FAILURE, SSL_REQUIRED_BY_SERVER (2.2.1.2.2).
		{"no negotiation", "0300000b06e00000000000", Config{}, "030000130ed000001234000300080001000000", Seen{}},
		{"bare", request, Config{Reply: func(uint32, bool) Reply { return Reply{Bare: true} }}, "0300000b06d00000123400", Seen{HasNegotiation: true, Cookie: "mstshash=eltons"}},
		{"close", request, Config{Fault: Close}, "", Seen{HasNegotiation: true, Cookie: "mstshash=eltons"}},
		{"garbage", request, Config{Fault: Garbage, Garbage: []byte("?")}, "3f", Seen{HasNegotiation: true, Cookie: "mstshash=eltons"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := Start(t, tt.config)
			c, err := net.Dial("tcp", s.Addr)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			sent, err := hex.DecodeString(tt.sent)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Write(sent); err != nil {
				t.Fatal(err)
			}
			answer := make([]byte, len(tt.want)/2)
			if _, err := io.ReadFull(c, answer); err != nil || hex.EncodeToString(answer) != tt.want {
				t.Errorf("answer %x, %v, want %s", answer, err, tt.want)
			}
			_ = c.(*net.TCPConn).CloseWrite()
			if rest, err := io.ReadAll(c); len(rest) > 0 && err == nil {
				t.Errorf("and %x after it", rest)
			}
			seen := s.Wait(t, 1)[0]
			if seen.Peer.String() != c.LocalAddr().String() || seen.HasNegotiation != tt.seen.HasNegotiation || seen.Requested != 0 || !strings.Contains(seen.Cookie, tt.seen.Cookie) {
				t.Errorf("the server saw %+v", seen)
			}
			if s.Most() != 1 || s.Greeted() != 0 {
				t.Errorf("%d at once, %d through with TLS", s.Most(), s.Greeted())
			}
		})
	}
}
