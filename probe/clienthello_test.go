package probe

import (
	"crypto/tls"
	"reflect"
	"slices"
	"testing"
)

// TestParseClientHello: what Encode makes is read back as it was.
func TestParseClientHello(t *testing.T) {
	for name, h := range map[string]ClientHello{
		"TLS 1.3": BroadHello(tls.VersionTLS10, tls.VersionTLS13),
		"TLS 1.2": BroadHello(tls.VersionTLS12, tls.VersionTLS12),
		"bare":    {LegacyVersion: tls.VersionTLS10, Versions: []TLSVersion{tls.VersionTLS10}, CipherSuites: []uint16{0x2f}},
		"extra":   {Versions: []TLSVersion{tls.VersionTLS12}, CipherSuites: []uint16{0xc014}, Extra: []Extension{{Type: 35, Data: []byte{}}, {Type: 0x7a7a, Data: []byte{1, 2}}}},
	} {
		h.ServerName = "desk01.example.org"
		records, err := h.Encode(nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseClientHello(records)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		h.RecordVersion, h.LegacyVersion = tls.VersionTLS10, h.legacyVersion()
		if !slices.Contains(h.Versions, tls.VersionTLS13) {
			h.KeyShares = nil // they go with TLS 1.3
		}
		slices.Sort(h.Versions)
		slices.Sort(got.Versions)
		if len(h.Versions) > 1 && !slices.Contains(h.Versions, tls.VersionTLS13) {
			h.Versions = h.Versions[len(h.Versions)-1:]
		}
		if !reflect.DeepEqual(got, h) {
			t.Errorf("%s: read\n%+v, want\n%+v", name, got, h)
		}
		for n := range len(records) {
			if _, err := ParseClientHello(records[:n]); err == nil {
				t.Fatalf("%s: the first %d of %d bytes were taken for a ClientHello", name, n, len(records))
			}
		}
	}
}
