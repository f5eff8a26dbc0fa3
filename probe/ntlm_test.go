package probe_test

import (
	"bytes"
	"testing"
	"time"

	"xrdpfix/internal/rdptest"
	"xrdpfix/probe"
)

func hybrid(requested uint32, _ bool) rdptest.Reply {
	if requested&rdptest.Hybrid != 0 {
		return rdptest.Reply{Protocol: rdptest.Hybrid, Flags: 0x1f}
	}
	return rdptest.Reply{Failure: 5}
}

// TestChallenge: what a Windows server tells, and that it is asked without a name or a password.
func TestChallenge(t *testing.T) {
	server := rdptest.Start(t, rdptest.Config{Reply: hybrid, CredSSP: rdptest.Challenge(rdptest.Names{
		Computer: "SRV1", Domain: "CORP", DNSComputer: "srv1.corp.example", DNSDomain: "corp.example", Forest: "example",
		Major: 10, Build: 20348, FileTime: 133700000000000000,
	})})
	got := probe.Challenge(t.Context(), server.Addr, probe.Options{})
	if got.Failure != nil || got.NTLM == nil {
		t.Fatalf("Challenge: %+v, failure %v", got.NTLM, got.Failure)
	}
	want := probe.NTLMInfo{Target: "CORP", NetBIOSName: "SRV1", NetBIOSDomain: "CORP", DNSName: "srv1.corp.example", DNSDomain: "corp.example",
		DNSForest: "example", ProductVersion: "10.0.20348", Time: time.Date(2024, 9, 5, 8, 53, 20, 0, time.UTC)}
	if *got.NTLM != want {
		t.Errorf("Challenge: %+v, want %+v", *got.NTLM, want)
	}
	sent := server.Wait(t, 1)[0].TSRequest
	if !bytes.Contains(sent, []byte("NTLMSSP\x00\x01\x00\x00\x00")) || len(sent) > 70 {
		t.Errorf("sent % x", sent)
	}
	survey := probe.Survey(t.Context(), server.Addr, probe.SurveyOptions{})
	if software, because := survey.Software(); software != probe.SoftwareWindows {
		t.Errorf("Software: %q, %s", software, because)
	}
}

// TestChallengeFails: a server without CredSSP, and answers that are none.
func TestChallengeFails(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config rdptest.Config
		want   probe.Kind
	}{
		{"no CredSSP", rdptest.Config{}, probe.KindNoCredSSP},
		{"refused", rdptest.Config{Reply: func(uint32, bool) rdptest.Reply { return rdptest.Reply{Failure: 2} }}, probe.KindNegotiationFailure},
		{"not a TSRequest", rdptest.Config{Reply: hybrid, CredSSP: []byte("SSH-2.0")}, probe.KindProtocolError},
		{"huge", rdptest.Config{Reply: hybrid, CredSSP: []byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff}}, probe.KindProtocolError},
		{"no token", rdptest.Config{Reply: hybrid, CredSSP: []byte{0x30, 5, 0xa0, 3, 2, 1, 6}}, probe.KindProtocolError},
		{"an error", rdptest.Config{Reply: hybrid, CredSSP: []byte{0x30, 13, 0xa0, 3, 2, 1, 6, 0xa4, 6, 2, 4, 0xc0, 0, 0, 0x6d}}, probe.KindMCSRejected},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := probe.Challenge(t.Context(), rdptest.Start(t, tt.config).Addr, probe.Options{})
			if got.NTLM != nil || got.Failure == nil || got.Failure.Kind != tt.want {
				t.Errorf("Challenge: %+v, failure %v, want %s", got.NTLM, got.Failure, tt.want)
			}
		})
	}
}

// TestSoftware: each server by its behaviour. The answers are those of real servers (TestPeers).
func TestSoftware(t *testing.T) {
	always := func(r rdptest.Reply) func(uint32, bool) rdptest.Reply {
		return func(uint32, bool) rdptest.Reply { return r }
	}
	for _, tt := range []struct {
		name   string
		config rdptest.Config
		want   probe.Software
	}{
		{"xrdp", rdptest.Config{Reply: always(rdptest.Reply{Protocol: rdptest.SSL, Flags: 1})}, probe.SoftwareXrdp},
		{"xrdp without TLS", rdptest.Config{Reply: always(rdptest.Reply{Flags: 1})}, probe.SoftwareXrdp},
		{"xrdp without a certificate", rdptest.Config{Reply: always(rdptest.Reply{Failure: 3})}, probe.SoftwareXrdp},
		{"xrdp whose set-up fails", rdptest.Config{Fault: rdptest.PlainDisconnect, FaultAt: rdptest.AtTLS}, probe.SoftwareXrdp},
		{"Windows without TLS", rdptest.Config{Reply: always(rdptest.Reply{Failure: 2})}, probe.SoftwareWindows},
		{"Windows 7", rdptest.Config{Reply: always(rdptest.Reply{Protocol: rdptest.Hybrid, Flags: 1})}, probe.SoftwareWindows},
		{"GNOME Remote Desktop", rdptest.Config{Reply: always(rdptest.Reply{Protocol: rdptest.Hybrid, Flags: 3, NoSource: true})}, probe.SoftwareFreeRDP},
		{"no negotiation", rdptest.Config{Reply: always(rdptest.Reply{Bare: true})}, probe.SoftwareUnknown},
		{"who knows", rdptest.Config{}, probe.SoftwareUnknown},
	} {
		survey := probe.Survey(t.Context(), rdptest.Start(t, tt.config).Addr, probe.SurveyOptions{})
		if got, because := survey.Software(); got != tt.want {
			t.Errorf("%s: %q (%s), want %q", tt.name, got, because, tt.want)
		}
	}
}

// TestCutOff: a box on the way resets after the ClientHello, whatever the version. One that resets TLS 1.3 only is none.
func TestCutOff(t *testing.T) {
	survey := probe.Survey(t.Context(), rdptest.Start(t, rdptest.Config{Fault: rdptest.Reset, FaultAt: rdptest.AtTLS}).Addr, probe.SurveyOptions{})
	if times, of, versions := survey.CutOff(); times < 3 || times != of || len(versions) != 4 {
		t.Errorf("cut off %d of %d, %v", times, of, versions)
	}
	survey = probe.Survey(t.Context(), rdptest.Start(t, rdptest.Config{}).Addr, probe.SurveyOptions{})
	if times, _, _ := survey.CutOff(); times != 0 {
		t.Errorf("a healthy server is cut off %d times", times)
	}
}
