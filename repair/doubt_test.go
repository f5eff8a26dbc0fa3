package repair

import (
	"net/netip"
	"testing"

	"xrdpfix/diagnose"
	"xrdpfix/logwatch"
	"xrdpfix/probe"
)

// TestJudgeDoubtful: an established line beside lines that a client wrote itself
// proves nothing; the same without them does.
func TestJudgeDoubtful(t *testing.T) {
	local := netip.MustParseAddrPort("127.0.0.1:50308")
	want := Expectation{Selected: probe.ProtocolSSL, Classic: true}
	seen := Observation{Wire: probe.ServerSurvey{Full: probe.Result{
		Local: local, Reached: probe.StageDone,
		Negotiation: &probe.Negotiation{Requested: probe.ProtocolSSL, Selected: probe.ProtocolSSL, Answered: true},
		TLS:         &probe.TLSInfo{Version: 0x0304},
	}}}
	for doubtful, status := range map[bool]Status{false: Confirmed, true: Unknown} {
		seen.Own = diagnose.Seen([]logwatch.Connection{{
			Client: local, Established: true, Protocol: logwatch.TLS, TLSVersion: "TLSv1.3", Doubtful: doubtful,
		}})
		if got := Judge(want, seen); got.Status != status {
			t.Errorf("doubtful %v: %v, want %s", doubtful, got, status)
		}
	}
}
