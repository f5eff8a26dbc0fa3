package probe_test

import (
	"crypto/tls"
	"fmt"
	"strings"
	"testing"
	"time"

	"xrdpfix/internal/rdptest"
	"xrdpfix/probe"
)

// both selects TLS if asked for and Standard RDP Security otherwise, as security_layer=negotiate does.
func both(requested uint32, _ bool) rdptest.Reply {
	return rdptest.Reply{Protocol: requested & rdptest.SSL}
}

func TestSurvey(t *testing.T) {
	needsNLA := func(requested uint32, _ bool) rdptest.Reply {
		if requested&rdptest.Hybrid != 0 {
			return rdptest.Reply{Protocol: rdptest.Hybrid}
		}
		return rdptest.Reply{Failure: 5}
	}
	refusing := func(uint32, bool) rdptest.Reply { return rdptest.Reply{Failure: 3} }
	from12 := &tls.Config{MinVersion: tls.VersionTLS12}
	tests := []struct {
		name        string
		server      rdptest.Config
		opts        probe.SurveyOptions
		versions    string
		ssl         string
		classic     string
		connections int
	}{
		{"1.2 and 1.3, all asked", rdptest.Config{Reply: both, TLS: from12}, probe.SurveyOptions{},
			"1.0 refused, 1.1 refused, 1.2 accepted, 1.3 accepted", "-", "done", 5},
		{"1.2 and 1.3, quick", rdptest.Config{Reply: both, TLS: from12}, probe.SurveyOptions{Quick: true},
			"1.1 refused, 1.2 accepted, 1.3 accepted", "-", "done", 4},
		{"1.2 and 1.3, only 1.3 wanted", rdptest.Config{Reply: both, TLS: from12}, probe.SurveyOptions{Quick: true, Min: tls.VersionTLS13},
			"1.2 accepted, 1.3 accepted", "-", "done", 3},
		{"1.0 to 1.2, wanted so", rdptest.Config{TLS: &tls.Config{MaxVersion: tls.VersionTLS12}},
			probe.SurveyOptions{Quick: true, Min: tls.VersionTLS10, Max: tls.VersionTLS12},
			"1.0 accepted, 1.1 accepted, 1.2 accepted, 1.3 refused", "-", "negotiation-failure", 5},
		{"only 1.0", rdptest.Config{TLS: &tls.Config{MaxVersion: tls.VersionTLS10}}, probe.SurveyOptions{SkipClassic: true},
			"1.0 accepted, 1.1 refused, 1.2 refused, 1.3 refused", "-", "-", 4},
		{"no TLS", rdptest.Config{Reply: selecting(rdptest.RDP)}, probe.SurveyOptions{}, "", "-", "done", 2},
		{"certificate missing", rdptest.Config{Reply: refusing}, probe.SurveyOptions{}, "", "negotiation-failure", "negotiation-failure", 3},
		{"set-up fails", rdptest.Config{Fault: rdptest.PlainDisconnect, FaultAt: rdptest.AtTLS}, probe.SurveyOptions{}, "", "-", "negotiation-failure", 2},
		{"cut off", rdptest.Config{Fault: rdptest.Reset, FaultAt: rdptest.AtTLS}, probe.SurveyOptions{Quick: true, SkipClassic: true},
			"1.1 unknown, 1.2 unknown, 1.3 unknown", "-", "-", 4},
		{"NLA only", rdptest.Config{Reply: needsNLA, TLS: from12}, probe.SurveyOptions{Quick: true},
			"1.1 refused, 1.2 accepted, 1.3 accepted", "negotiation-failure", "negotiation-failure", 5},
		{"no suite in common", rdptest.Config{TLS: &tls.Config{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12,
			CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}}},
			probe.SurveyOptions{Quick: true, SkipClassic: true, Connection: probe.Options{CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}}},
			"1.1 refused, 1.2 accepted, 1.3 refused", "-", "-", 5},
		{"not RDP", rdptest.Config{Fault: rdptest.Garbage, FaultAt: rdptest.AtConfirm}, probe.SurveyOptions{}, "", "-", "-", 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := rdptest.Start(t, test.server)
			got := probe.Survey(t.Context(), server.Addr, test.opts)
			var versions []string
			for _, a := range got.Versions {
				versions = append(versions, fmt.Sprintf("%s %s", strings.TrimPrefix(a.Version.String(), "TLS "), a.Answer))
				if (a.Answer == probe.AnswerAccepted) != (a.Cipher != "") || (a.Answer == probe.AnswerAccepted) != (a.Failure == nil) {
					t.Errorf("%s: %+v", a.Version, a)
				}
				if found, ok := got.Version(a.Version); !ok || found != a {
					t.Errorf("Version(%s) = %v, %v", a.Version, found, ok)
				}
			}
			if s := strings.Join(versions, ", "); s != test.versions {
				t.Errorf("versions %q, want %q", s, test.versions)
			}
			if s := outcome(got.SSL); s != test.ssl {
				t.Errorf("asked SSL: %s, want %s", s, test.ssl)
			}
			if s := outcome(got.Classic); s != test.classic {
				t.Errorf("asked RDP: %s, want %s", s, test.classic)
			}
			server.Wait(t, test.connections)
			if seen := server.Wait(t, 1); len(seen) != test.connections {
				t.Errorf("%d connections, want %d", len(seen), test.connections)
			}
			if most := server.Most(); most > 2 {
				t.Errorf("%d connections at one time", most)
			}
		})
	}
}

func outcome(r *probe.Result) string {
	switch {
	case r == nil:
		return "-"
	case r.Failure != nil:
		return string(r.Failure.Kind)
	}
	return r.Reached.String()
}

// TestSurveyOfSilence holds that a server that says nothing costs its time-out once.
func TestSurveyOfSilence(t *testing.T) {
	server := rdptest.Start(t, rdptest.Config{Fault: rdptest.Stall, FaultAt: rdptest.AtTLS})
	opts := probe.SurveyOptions{SkipClassic: true, Connection: probe.Options{StageTimeout: 200 * time.Millisecond}}
	got := probe.Survey(t.Context(), server.Addr, opts)
	if len(got.Versions) != 0 || got.Full.Failure == nil || got.Full.Failure.Kind != probe.KindTimeout {
		t.Errorf("Survey: %+v", got)
	}
	server.Wait(t, 1)
}
