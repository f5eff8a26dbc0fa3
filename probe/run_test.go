package probe_test

import (
	"crypto/tls"
	"encoding/json"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"xrdpfix/internal/rdptest"
	"xrdpfix/probe"
)

// quick keeps the tests of silent servers short. What comes before their silence is in
// time on a busy machine too.
var quick = probe.Options{Requested: probe.ProtocolSSL, StageTimeout: time.Second, Timeout: time.Minute}

// patient is for servers that answer.
var patient = probe.Options{Requested: probe.ProtocolSSL}

func selecting(protocol uint32) func(uint32, bool) rdptest.Reply {
	return func(uint32, bool) rdptest.Reply { return rdptest.Reply{Protocol: protocol} }
}

func TestRunToTheEnd(t *testing.T) {
	for _, version := range probe.TLSVersions() {
		t.Run(version.String(), func(t *testing.T) {
			server := rdptest.Start(t, rdptest.Config{})
			opts := patient
			opts.MinVersion, opts.MaxVersion = version, version
			opts.ServerName, opts.Cookie = "desk01.example.org", "Cookie: mstshash=anna"
			got := probe.Run(t.Context(), server.Addr, opts)
			if got.Failure != nil || got.Reached != probe.StageDone {
				t.Fatalf("Run: reached %s, failure %v", got.Reached, got.Failure)
			}
			if got.TLS.Version != version || got.TLS.Cipher == "" || len(got.TLS.Certificates) != 1 {
				t.Errorf("Run: TLS %+v, want %s", got.TLS, version)
			}
			if want := probe.FingerprintOf(rdptest.Certificate(t).Certificate[0]); got.TLS.Fingerprints[0] != want {
				t.Errorf("fingerprint %v, want %v", got.TLS.Fingerprints[0], want)
			}
			requested := probe.ProtocolSSL
			wantMCS := probe.MCSInfo{ServerVersion: 0x80004, ClientRequested: &requested, IOChannel: 1003, UserChannel: 1007,
				ChannelsJoined: []uint16{1007, 1003}}
			if !reflect.DeepEqual(*got.MCS, wantMCS) {
				t.Errorf("MCS %+v, want %+v", *got.MCS, wantMCS)
			}
			seen := server.Wait(t, 1)[0]
			hello, err := probe.ParseClientHello(seen.ClientHello)
			if err != nil || hello.ServerName != seen.ServerName || hello.Versions[0] != version {
				t.Errorf("the ClientHello was %+v: %v", hello, err)
			}
			seen.ClientHello = nil
			want := rdptest.Seen{Peer: got.Local, Requested: 1, HasNegotiation: true, Cookie: "Cookie: mstshash=anna",
				TLSVersion: uint16(version), ServerName: "desk01.example.org", ClientName: "xrdpfix", SelectedEcho: 1,
				ErectedDomain: true, Attached: true, Joined: []uint16{1007, 1003}, Disconnected: true, CloseNotify: true}
			if !reflect.DeepEqual(seen, want) {
				t.Errorf("the server saw\n%+v, want\n%+v", seen, want)
			}
		})
	}
}

func TestRunClassic(t *testing.T) {
	server := rdptest.Start(t, rdptest.Config{Reply: selecting(rdptest.RDP)})
	got := probe.Run(t.Context(), server.Addr, probe.Options{ClientName: "a-name-that-is-too-long"})
	if got.Failure != nil || got.Reached != probe.StageDone || got.TLS != nil {
		t.Fatalf("Run: %+v", got)
	}
	if got.MCS.EncryptionMethod.String() != "128BIT" || got.MCS.EncryptionLevel.String() != "HIGH" || got.MCS.ServerCertificateLength != 184 {
		t.Errorf("MCS %+v", got.MCS)
	}
	seen := server.Wait(t, 1)[0]
	want := rdptest.Seen{Peer: got.Local, HasNegotiation: true, ClientName: "a-name-that-is-", EncryptionMethods: 0x1b,
		ErectedDomain: true, Attached: true, Joined: []uint16{1007, 1003}, Disconnected: true}
	if !reflect.DeepEqual(seen, want) {
		t.Errorf("the server saw\n%+v, want\n%+v", seen, want)
	}
}

func TestRunUntil(t *testing.T) {
	for _, until := range []probe.Stage{probe.StageConnect, probe.StageNegotiation, probe.StageTLS, probe.StageMCS} {
		t.Run(until.String(), func(t *testing.T) {
			server := rdptest.Start(t, rdptest.Config{})
			opts := patient
			opts.Until = until
			got := probe.Run(t.Context(), server.Addr, opts)
			if got.Failure != nil || got.Reached != until {
				t.Errorf("Run: reached %s, failure %v", got.Reached, got.Failure)
			}
			seen := server.Wait(t, 1)[0]
			if seen.CloseNotify != (until >= probe.StageTLS) || seen.Disconnected != (until >= probe.StageMCS) {
				t.Errorf("not an orderly end: %+v", seen)
			}
		})
	}
}

func TestRunWithoutNegotiation(t *testing.T) {
	server := rdptest.Start(t, rdptest.Config{Reply: func(_ uint32, has bool) rdptest.Reply { return rdptest.Reply{Bare: !has} }})
	got := probe.Run(t.Context(), server.Addr, probe.Options{NoNegotiation: true})
	want := probe.Negotiation{SourceRef: 0x1234, Response: "06d00000123400"}
	if got.Failure != nil || *got.Negotiation != want {
		t.Errorf("Run: failure %v, negotiation %+v, want %+v", got.Failure, *got.Negotiation, want)
	}
	if seen := server.Wait(t, 1)[0]; seen.HasNegotiation {
		t.Errorf("an RDP_NEG_REQ was sent: %+v", seen)
	}
}

// summary is what the table of failures compares.
type summary struct {
	Reached probe.Stage
	Stage   probe.Stage
	Kind    probe.Kind
	Alert   string
}

func summarize(r probe.Result) summary {
	s := summary{Reached: r.Reached}
	if r.Failure != nil {
		s.Stage, s.Kind, s.Alert = r.Failure.Stage, r.Failure.Kind, r.Failure.AlertName
	}
	return s
}

func TestRunFailures(t *testing.T) {
	const (
		connect, negotiation, handshake, mcs, done = probe.StageConnect, probe.StageNegotiation, probe.StageTLS, probe.StageMCS, probe.StageDone
	)
	only := func(min, max uint16, suites ...uint16) *tls.Config {
		return &tls.Config{MinVersion: min, MaxVersion: max, CipherSuites: suites}
	}
	refusing := func(code uint32) func(uint32, bool) rdptest.Reply {
		return func(uint32, bool) rdptest.Reply { return rdptest.Reply{Failure: code} }
	}
	fault := func(f rdptest.Fault, at rdptest.Point) rdptest.Config { return rdptest.Config{Fault: f, FaultAt: at} }
	patientUpTo12 := patient
	patientUpTo12.MaxVersion = tls.VersionTLS12
	cbcOnly := patientUpTo12
	cbcOnly.CipherSuites = []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}
	hybrid := patient
	hybrid.Requested = probe.ProtocolSSL | probe.ProtocolHybrid

	tests := []struct {
		name   string
		server rdptest.Config
		opts   probe.Options
		want   summary
	}{
		{"failure 1", rdptest.Config{Reply: refusing(1)}, patient, summary{connect, negotiation, probe.KindNegotiationFailure, ""}},
		{"failure 5", rdptest.Config{Reply: refusing(5)}, patient, summary{connect, negotiation, probe.KindNegotiationFailure, ""}},
		{"not requested", rdptest.Config{Reply: selecting(rdptest.Hybrid)}, patient, summary{connect, negotiation, probe.KindProtocolError, ""}},
		{"two selected", rdptest.Config{Reply: selecting(3)}, hybrid, summary{connect, negotiation, probe.KindProtocolError, ""}},
		{"hybrid", rdptest.Config{Reply: selecting(rdptest.Hybrid)}, hybrid, summary{handshake, mcs, probe.KindCredSSPRequired, ""}},

		{"confirm close", fault(rdptest.Close, rdptest.AtConfirm), patient, summary{connect, negotiation, probe.KindClosed, ""}},
		{"confirm reset", fault(rdptest.Reset, rdptest.AtConfirm), patient, summary{connect, negotiation, probe.KindReset, ""}},
		{"confirm stall", fault(rdptest.Stall, rdptest.AtConfirm), quick, summary{connect, negotiation, probe.KindTimeout, ""}},
		{"confirm drip", fault(rdptest.Drip, rdptest.AtConfirm), quick, summary{connect, negotiation, probe.KindTimeout, ""}},
		{"confirm garbage", fault(rdptest.Garbage, rdptest.AtConfirm), patient, summary{connect, negotiation, probe.KindNotRDP, ""}},
		{"confirm huge", fault(rdptest.HugeLength, rdptest.AtConfirm), patient, summary{connect, negotiation, probe.KindProtocolError, ""}},
		{"confirm endless", fault(rdptest.Endless, rdptest.AtConfirm), patient, summary{connect, negotiation, probe.KindNotRDP, ""}},
		{"confirm ultimatum", fault(rdptest.PlainDisconnect, rdptest.AtConfirm), patient, summary{connect, negotiation, probe.KindMCSDisconnected, ""}},

		{"tls plain disconnect", fault(rdptest.PlainDisconnect, rdptest.AtTLS), patient, summary{negotiation, handshake, probe.KindTLSSetupFailed, ""}},
		{"tls cut off", fault(rdptest.Reset, rdptest.AtTLS), patient, summary{negotiation, handshake, probe.KindTLSCutOff, ""}},
		{"tls close", fault(rdptest.Close, rdptest.AtTLS), patient, summary{negotiation, handshake, probe.KindClosed, ""}},
		{"tls stall", fault(rdptest.Stall, rdptest.AtTLS), quick, summary{negotiation, handshake, probe.KindTimeout, ""}},
		{"tls drip", fault(rdptest.Drip, rdptest.AtTLS), quick, summary{negotiation, handshake, probe.KindTimeout, ""}},
		{"tls garbage", fault(rdptest.Garbage, rdptest.AtTLS), patient, summary{negotiation, handshake, probe.KindProtocolError, ""}},
		{"tls other TPKT", rdptest.Config{Fault: rdptest.Garbage, FaultAt: rdptest.AtTLS, Garbage: []byte{3, 0, 0, 9, 2, 0xf0, 0x80, 0x21, 0}},
			patient, summary{negotiation, handshake, probe.KindProtocolError, ""}},
		{"tls huge", fault(rdptest.HugeLength, rdptest.AtTLS), quick, summary{negotiation, handshake, probe.KindTimeout, ""}},
		{"tls endless", fault(rdptest.Endless, rdptest.AtTLS), quick, summary{negotiation, handshake, probe.KindTLSOther, ""}},
		{"tls only 1.3", rdptest.Config{TLS: only(tls.VersionTLS13, 0)}, patientUpTo12, summary{negotiation, handshake, probe.KindTLSAlert, "protocol_version"}},
		{"tls no cipher", rdptest.Config{TLS: only(0, tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256)}, cbcOnly,
			summary{negotiation, handshake, probe.KindTLSAlert, "handshake_failure"}},
		{"tls client certificate", rdptest.Config{TLS: &tls.Config{ClientAuth: tls.RequireAnyClientCert}}, patient,
			summary{handshake, mcs, probe.KindTLSAlert, "certificate_required"}},
		{"tls 1.2 client certificate", rdptest.Config{TLS: &tls.Config{ClientAuth: tls.RequireAnyClientCert}}, patientUpTo12,
			summary{negotiation, handshake, probe.KindTLSAlert, "handshake_failure"}},

		{"connect refuse", fault(rdptest.Refuse, rdptest.AtConnect), patient, summary{handshake, mcs, probe.KindMCSRejected, ""}},
		{"connect ultimatum", fault(rdptest.Ultimatum, rdptest.AtConnect), patient, summary{handshake, mcs, probe.KindMCSDisconnected, ""}},
		{"connect stall", fault(rdptest.Stall, rdptest.AtConnect), quick, summary{handshake, mcs, probe.KindTimeout, ""}},
		{"connect close", fault(rdptest.Close, rdptest.AtConnect), patient, summary{handshake, mcs, probe.KindClosed, ""}},
		{"connect reset", fault(rdptest.Reset, rdptest.AtConnect), patient, summary{handshake, mcs, probe.KindReset, ""}},
		{"connect garbage", fault(rdptest.Garbage, rdptest.AtConnect), patient, summary{handshake, mcs, probe.KindNotRDP, ""}},
		{"connect huge", fault(rdptest.HugeLength, rdptest.AtConnect), patient, summary{handshake, mcs, probe.KindProtocolError, ""}},
		{"connect endless", fault(rdptest.Endless, rdptest.AtConnect), patient, summary{handshake, mcs, probe.KindNotRDP, ""}},
		{"attach refuse", fault(rdptest.Refuse, rdptest.AtAttach), patient, summary{mcs, done, probe.KindMCSRejected, ""}},
		{"attach ultimatum", fault(rdptest.Ultimatum, rdptest.AtAttach), patient, summary{mcs, done, probe.KindMCSDisconnected, ""}},
		{"join refuse", fault(rdptest.Refuse, rdptest.AtJoin), patient, summary{mcs, done, probe.KindMCSRejected, ""}},
		{"join drip", fault(rdptest.Drip, rdptest.AtJoin), quick, summary{mcs, done, probe.KindTimeout, ""}},
		{"last join close", fault(rdptest.Close, rdptest.AtLastJoin), patient, summary{mcs, done, probe.KindClosed, ""}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := rdptest.Start(t, test.server)
			got := probe.Run(t.Context(), server.Addr, test.opts)
			if s := summarize(got); s != test.want {
				t.Errorf("Run: %+v, want %+v (%v)", s, test.want, got.Failure)
			}
			if got.Local == (netip.AddrPort{}) || got.Remote.String() != server.Addr {
				t.Errorf("from %s to %s, want to %s", got.Local, got.Remote, server.Addr)
			}
			if got.Failure.Received > 1<<20+1<<15 {
				t.Errorf("%d bytes were taken from the server", got.Failure.Received)
			}
			roundTrip(t, got)
			if test.server.Fault == rdptest.Endless {
				return // a megabyte in octets takes its time
			}
			if s := summarize(probe.Run(t.Context(), server.Addr, octetwise(test.opts))); s != test.want {
				t.Errorf("an octet at a time: %+v, want %+v", s, test.want)
			}
		})
	}
}

// roundTrip checks that a result survives JSON, apart from the certificates.
func roundTrip(t *testing.T, r probe.Result) {
	t.Helper()
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatalf("marshal: %v", err)
	}
	var back probe.Result
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatalf("unmarshal %s: %v", data, err)
	}
	if r.TLS != nil {
		copied := *r.TLS
		copied.Certificates = nil
		r.TLS = &copied
	}
	r.Started = r.Started.Round(0)
	if !back.Started.Equal(r.Started) {
		t.Errorf("started %v, want %v", back.Started, r.Started)
	}
	back.Started = r.Started
	if !reflect.DeepEqual(back, r) {
		t.Errorf("through JSON:\n%+v, want\n%+v\n%s", back, r, data)
	}
}
