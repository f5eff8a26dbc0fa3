package probe_test

import (
	"crypto/tls"
	"reflect"
	"slices"
	"testing"

	"xrdpfix/internal/rdptest"
	"xrdpfix/probe"
)

// TestHello has crypto/tls read the ClientHello and write the answer.
func TestHello(t *testing.T) {
	all := tls.CipherSuites()
	ids := func(match func(*tls.CipherSuite) bool) []uint16 {
		var ids []uint16
		for _, s := range all {
			if match(s) {
				ids = append(ids, s.ID)
			}
		}
		return ids
	}
	for _, version := range probe.TLSVersions() {
		t.Run(version.String(), func(t *testing.T) {
			var info tls.ClientHelloInfo
			server := rdptest.Start(t, rdptest.Config{TLS: &tls.Config{
				GetConfigForClient: func(i *tls.ClientHelloInfo) (*tls.Config, error) { info = *i; return nil, nil },
			}})
			hello := probe.BroadHello(version, version)
			hello.ServerName = "desk01.example.org"
			got := send(t, server, hello)
			if got.Failure != nil || got.Reached != probe.StageNegotiation || got.ServerHello == nil {
				t.Fatalf("Hello: reached %s, failure %v", got.Reached, got.Failure)
			}
			answer := got.ServerHello
			if answer.Version != version || answer.RetryRequest {
				t.Errorf("answered %+v, want %s", answer, version)
			}
			if version < tls.VersionTLS13 {
				certificate := rdptest.Certificate(t).Certificate
				if !reflect.DeepEqual(answer.Certificates, certificate) || answer.Fingerprints[0] != probe.FingerprintOf(certificate[0]) {
					t.Errorf("certificates %x, want %x", answer.Certificates, certificate)
				}
			}
			if answer.Group != uint16(tls.X25519) || (answer.SignatureScheme != 0) != (version == tls.VersionTLS12) {
				t.Errorf("group %d, signature scheme %#x", answer.Group, answer.SignatureScheme)
			}
			roundTripHello(t, got)

			server.Wait(t, 1)
			wantSuites := ids(func(s *tls.CipherSuite) bool { return slices.Contains(s.SupportedVersions, uint16(version)) })
			for _, id := range wantSuites {
				if !slices.Contains(info.CipherSuites, id) {
					t.Errorf("%s was not offered", tls.CipherSuiteName(id))
				}
			}
			if info.ServerName != "desk01.example.org" || !slices.Equal(info.SupportedVersions[:1], []uint16{uint16(version)}) {
				t.Errorf("offered %q, versions %x", info.ServerName, info.SupportedVersions)
			}
			if !slices.Equal(info.SupportedCurves, hello.Groups) || !slices.Equal(info.SignatureSchemes, hello.SignatureSchemes) {
				t.Errorf("offered groups %v, schemes %v", info.SupportedCurves, info.SignatureSchemes)
			}
		})
	}
}

func send(t *testing.T, server *rdptest.Server, hello probe.ClientHello) probe.Result {
	t.Helper()
	records, err := hello.Encode(nil)
	if err != nil {
		t.Fatal(err)
	}
	return probe.Hello(t.Context(), server.Addr, patient, records)
}

func roundTripHello(t *testing.T, r probe.Result) {
	t.Helper()
	copied := *r.ServerHello
	copied.Certificates = nil
	r.ServerHello = &copied
	roundTrip(t, r)
}

func TestHelloRetryRequest(t *testing.T) {
	server := rdptest.Start(t, rdptest.Config{})
	hello := probe.BroadHello(tls.VersionTLS13, tls.VersionTLS13)
	hello.KeyShares = nil
	got := send(t, server, hello)
	if got.Failure != nil || !got.ServerHello.RetryRequest || got.ServerHello.Version != tls.VersionTLS13 {
		t.Errorf("Hello: %+v, failure %v, want a HelloRetryRequest", got.ServerHello, got.Failure)
	}
}

// TestHelloWithoutExtensions is the ClientHello of an old client: TLS 1.0, RSA key exchange, nothing else.
func TestHelloWithoutExtensions(t *testing.T) {
	server := rdptest.Start(t, rdptest.Config{})
	got := send(t, server, probe.ClientHello{Versions: []probe.TLSVersion{tls.VersionTLS10}, CipherSuites: []uint16{0x2f}})
	if got.Failure != nil || got.ServerHello.Cipher != "AES128-SHA" || got.ServerHello.Group != 0 {
		t.Errorf("Hello: %+v, failure %v", got.ServerHello, got.Failure)
	}
}

func TestHelloFailures(t *testing.T) {
	fault := func(f rdptest.Fault) rdptest.Config { return rdptest.Config{Fault: f, FaultAt: rdptest.AtTLS} }
	record := func(b ...byte) rdptest.Config {
		return rdptest.Config{Fault: rdptest.Garbage, FaultAt: rdptest.AtTLS, Garbage: b}
	}
	tests := []struct {
		name   string
		server rdptest.Config
		kind   probe.Kind
		alert  string
	}{
		{"version", rdptest.Config{TLS: &tls.Config{MaxVersion: tls.VersionTLS11}}, probe.KindTLSAlert, "protocol_version"},
		{"plain disconnect", fault(rdptest.PlainDisconnect), probe.KindTLSSetupFailed, ""},
		{"cut off", fault(rdptest.Reset), probe.KindTLSCutOff, ""},
		{"close", fault(rdptest.Close), probe.KindClosed, ""},
		{"stall", fault(rdptest.Stall), probe.KindTimeout, ""},
		{"garbage", fault(rdptest.Garbage), probe.KindProtocolError, ""},
		{"huge", fault(rdptest.HugeLength), probe.KindTimeout, ""},
		{"endless", fault(rdptest.Endless), probe.KindProtocolError, ""},
		{"huge message", record(22, 3, 3, 0, 4, 2, 0xff, 0xff, 0xff), probe.KindProtocolError, ""},
		{"warning, then the end", record(21, 3, 3, 0, 2, 1, 112), probe.KindClosed, ""},
		{"empty record", record(22, 3, 3, 0, 0), probe.KindProtocolError, ""},
		{"short hello", record(22, 3, 3, 0, 6, 2, 0, 0, 2, 3, 3), probe.KindProtocolError, ""},
	}
	hello := probe.BroadHello(tls.VersionTLS12, tls.VersionTLS13)
	records, err := hello.Encode(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := probe.Hello(t.Context(), rdptest.Start(t, test.server).Addr, quick, records)
			if s, want := summarize(got), (summary{probe.StageNegotiation, probe.StageTLS, test.kind, test.alert}); s != want {
				t.Errorf("Hello: %+v, want %+v (%v)", s, want, got.Failure)
			}
		})
	}
}

func TestEncodeRefuses(t *testing.T) {
	if _, err := (probe.ClientHello{Versions: []probe.TLSVersion{tls.VersionTLS13}, KeyShares: []tls.CurveID{1}}).Encode(nil); err == nil {
		t.Error("Encode made a key share for group 1")
	}
	if _, err := (probe.ClientHello{CipherSuites: make([]uint16, 0x8000)}).Encode(nil); err == nil {
		t.Error("Encode wrote 32768 cipher suites")
	}
}

// TestVersionMismatch has a server that answers with a version that was not offered.
func TestVersionMismatch(t *testing.T) {
	hello := append([]byte{3, 3}, make([]byte, 32)...)
	hello = append(hello, 0, 0xc0, 0x2f, 0)
	hello = append([]byte{22, 3, 3, 0, byte(len(hello) + 4), 2, 0, 0, byte(len(hello))}, hello...)
	for _, only := range []probe.TLSVersion{tls.VersionTLS11, tls.VersionTLS13} {
		server := rdptest.Start(t, rdptest.Config{Fault: rdptest.Garbage, FaultAt: rdptest.AtTLS, Garbage: hello})
		opts := patient
		opts.MinVersion, opts.MaxVersion = only, only
		got := probe.Run(t.Context(), server.Addr, opts)
		if got.Failure == nil || got.Failure.Kind != probe.KindTLSVersion || got.Failure.Text != "the server answered with TLS 1.2" {
			t.Errorf("offered %s: %v, want %s", only, got.Failure, probe.KindTLSVersion)
		}
	}
}
