package repair

import (
	"crypto/tls"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"xrdpfix/diagnose"
	"xrdpfix/logwatch"
	"xrdpfix/probe"
)

// wireSeen is a survey that meets every expectation of expectTLS.
func wireSeen() probe.ServerSurvey {
	return probe.ServerSurvey{
		Addr: "127.0.0.1:3389",
		Full: probe.Result{
			Addr: "127.0.0.1:3389", Local: netip.MustParseAddrPort("127.0.0.1:40000"), Reached: probe.StageDone,
			Negotiation: &probe.Negotiation{Requested: probe.ProtocolSSL | probe.ProtocolHybrid, Selected: probe.ProtocolSSL, Answered: true},
			TLS:         &probe.TLSInfo{Version: tls.VersionTLS13, Cipher: "TLS_AES_256_GCM_SHA384", Fingerprints: []probe.Fingerprint{{SHA256: "AA:BB"}}},
		},
		Classic: &probe.Result{Negotiation: &probe.Negotiation{Selected: probe.ProtocolRDP, FailureCode: probe.SSLRequiredByServer}},
		Versions: []probe.VersionAnswer{
			{Version: tls.VersionTLS11, Answer: probe.AnswerRefused},
			{Version: tls.VersionTLS12, Answer: probe.AnswerAccepted},
			{Version: tls.VersionTLS13, Answer: probe.AnswerAccepted},
		},
	}
}

func expectTLS() Expectation {
	return Expectation{
		Addr: "127.0.0.1:3389", Selected: probe.ProtocolSSL, CertSHA256: "AA:BB", LogPath: "/var/log/xrdp.log",
		Accept: []probe.TLSVersion{tls.VersionTLS12, tls.VersionTLS13}, Refuse: []probe.TLSVersion{tls.VersionTLS10, tls.VersionTLS11},
	}
}

const (
	received = "[INFO ] Socket 12: AF_INET6 connection received from ::ffff:127.0.0.1 port "
	chosen   = "[INFO ] Security protocol: configured [SSL|RDP], requested [SSL|HYBRID|RDP], selected [SSL]"
	overTLS  = "[INFO ] TLS connection established from ::ffff:127.0.0.1 port 40000: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384"
	overRDP  = "[INFO ] Non-TLS connection established from ::ffff:127.0.0.1 port 40000: encrypted with standard RDP security"
	relative = "[WARN ] X.509 certificate should use absolute path, using default instead: /etc/xrdp/cert.pem"
	noKey    = "[ERROR] Cannot read private key file /etc/xrdp/key.pem: Permission denied"
)

// hungUp are lines of others that hang up, again and again, around our own
// connection, as xrdp 0.9.21.1 wrote them: an end of theirs is taken for ours.
var hungUp = []string{
	"[ERROR] libxrdp_force_read: header read error",
	"[ERROR] [ITU-T X.224] Connection Sequence: CR-TPDU (Connection Request) failed",
	received + "40000",
	"[ERROR] xrdp_sec_incoming: xrdp_iso_incoming failed",
	"[ERROR] xrdp_rdp_incoming: xrdp_sec_incoming failed",
	received + "40010",
	"[ERROR] xrdp_process_main_loop: libxrdp_process_incoming failed",
	"[ERROR] xrdp_iso_send: trans_write_copy_s failed",
	chosen,
	"[ERROR] libxrdp_force_read: header read error",
	"[ERROR] Sending [ITU T.125] DisconnectProviderUltimatum failed",
	"[ERROR] [ITU-T X.224] Connection Sequence: CR-TPDU (Connection Request) failed",
	"[ERROR] xrdp_sec_incoming: xrdp_iso_incoming failed",
	"[ERROR] xrdp_rdp_incoming: xrdp_sec_incoming failed",
	"[ERROR] xrdp_process_main_loop: libxrdp_process_incoming failed",
	"[ERROR] xrdp_iso_send: trans_write_copy_s failed",
	"[ERROR] Sending [ITU T.125] DisconnectProviderUltimatum failed",
	received + "40020",
	"[INFO ] Connected client computer name: xrdpfix",
	"[ERROR] libxrdp_force_read: header read error",
}

// ownLog is what xrdp.log tells of the connections of a survey.
func ownLog(t *testing.T, s probe.ServerSurvey, lines ...string) diagnose.Observed[[]logwatch.Connection] {
	t.Helper()
	var entries []logwatch.Entry
	for _, l := range lines {
		e, ok := logwatch.ParseLine("[20261122-12:00:00] "+l, time.UTC)
		if !ok {
			t.Fatalf("no line of xrdp: %s", l)
		}
		entries = append(entries, e)
	}
	return diagnose.Seen(diagnose.OwnConnections(entries, s))
}

func TestJudge(t *testing.T) {
	told := []string{received + "40000", chosen, overTLS}
	classic := func(s *probe.ServerSurvey) {
		s.Full.Negotiation.Selected, s.Full.TLS, s.Versions, s.Classic = probe.ProtocolRDP, nil, nil, nil
	}
	stated := func(e *Expectation) { e.Every = true }
	for _, x := range []struct {
		name string
		want func(*Expectation)
		wire func(*probe.ServerSurvey)
		log  []string
		seen func(*Observation)

		status Status
		reason string // part of the first reason
	}{
		{name: "all as it should be", log: told, status: Confirmed, reason: "server chose PROTOCOL_SSL, TLS 1.3"},
		{name: "others fail meanwhile", log: append([]string{received + "50000", noKey}, told...), status: Confirmed},
		{name: "forged success, failing wire", log: told, wire: classic, status: Refuted, reason: "server chose PROTOCOL_RDP, expected PROTOCOL_SSL"},
		{name: "forged success, handshake fails", log: told, status: Refuted, reason: "alert", wire: func(s *probe.ServerSurvey) {
			s.Full.TLS, s.Full.Failure = nil, &probe.Failure{Stage: probe.StageTLS, Kind: probe.KindTLSAlert, Text: "alert 40"}
		}},
		{name: "nobody listens", status: Refuted, reason: "connection refused", wire: func(s *probe.ServerSurvey) {
			*s = probe.ServerSurvey{Full: probe.Result{Failure: &probe.Failure{Stage: probe.StageConnect, Kind: probe.KindRefused, Text: "connection refused"}}}
		}},
		{name: "the server answers with a failure", log: told, status: Refuted, reason: "SSL_CERT_NOT_ON_SERVER", wire: func(s *probe.ServerSurvey) {
			s.Full.Negotiation.FailureCode = probe.SSLCertNotOnServer
		}},
		{name: "cut off behind the handshake", log: told, status: Refuted, reason: "closed", wire: func(s *probe.ServerSurvey) {
			s.Full.Reached, s.Full.Failure = probe.StageTLS, &probe.Failure{Stage: probe.StageMCS, Kind: probe.KindClosed, Text: "closed"}
		}},
		{name: "wire fine, our own line is an error", log: []string{received + "40000", noKey}, status: Refuted, reason: "Cannot read private key"},
		{name: "established, beside a line of who knows which connection", log: []string{received + "40000", noKey, chosen, overTLS}, status: Confirmed},
		{name: "established, while others hang up", log: append(hungUp[:len(hungUp):len(hungUp)], overTLS), status: Confirmed},
		{name: "not established, while others hang up", log: hungUp, status: Unknown},
		{name: "a setting replaced by its default", log: []string{received + "40000", relative, chosen, overTLS}, status: Confirmed},
		{name: "wire fine, the log tells classic", log: []string{received + "40000", overRDP}, status: Refuted, reason: "another protocol"},
		{name: "wire fine, not established", log: []string{received + "40000", chosen}, status: Unknown},
		{name: "wire fine, another port established", log: []string{received + "50000", chosen, strings.Replace(overTLS, "40000", "50000", 1)}, status: Unknown},
		{name: "wire fine, log silent", status: Unknown},
		{name: "log not to be read", status: Unknown, seen: func(o *Observation) { o.Own = diagnose.Failed[[]logwatch.Connection]("permission denied") }},
		{name: "log not looked at", status: Unknown, seen: func(o *Observation) { o.Own = diagnose.Skipped[[]logwatch.Connection]("nobody asked") }},
		{name: "log hidden", status: Confirmed, want: func(e *Expectation) { e.LogHidden = "LogLevel=WARNING" }, seen: func(o *Observation) {
			o.Own = diagnose.Skipped[[]logwatch.Connection]("LogLevel=WARNING")
		}},
		{name: "log hidden, failing wire", wire: classic, status: Refuted, want: func(e *Expectation) { e.LogHidden = "LogLevel=WARNING" }},
		{name: "another certificate", log: told, want: func(e *Expectation) { e.CertSHA256 = "CC:DD" }, status: Refuted, reason: "another certificate is served: SHA256 AA:BB"},
		{name: "no certificate seen", log: told, wire: func(s *probe.ServerSurvey) { s.Full.TLS.Fingerprints = nil }, status: Refuted, reason: "another certificate"},
		{name: "TLS 1.1 accepted", log: told, wire: func(s *probe.ServerSurvey) { s.Versions[0].Answer = probe.AnswerAccepted }, status: Refuted, reason: "TLS 1.1 is accepted and should be refused"},
		{name: "TLS 1.2 refused", log: told, wire: func(s *probe.ServerSurvey) { s.Versions[1].Answer = probe.AnswerRefused }, status: Refuted, reason: "TLS 1.2 is refused and should be accepted"},
		{name: "a version left open", log: told, wire: func(s *probe.ServerSurvey) { s.Versions[1].Answer = probe.AnswerRefused }, want: func(e *Expectation) {
			e.Accept = []probe.TLSVersion{tls.VersionTLS13}
		}, status: Confirmed},
		{name: "stated range, all answered", log: told, want: stated, wire: func(s *probe.ServerSurvey) {
			s.Versions = append(s.Versions, probe.VersionAnswer{Version: tls.VersionTLS10, Answer: probe.AnswerRefused})
		}, status: Confirmed},
		{name: "stated range, a version not asked", log: told, want: stated, status: Unknown},
		{name: "stated range, a version without an answer", log: told, want: stated, wire: func(s *probe.ServerSurvey) {
			s.Versions = append(s.Versions, probe.VersionAnswer{Version: tls.VersionTLS10, Answer: probe.AnswerUnknown})
		}, status: Unknown},
		{name: "classic accepted although tls", log: told, wire: func(s *probe.ServerSurvey) { s.Classic.Negotiation.FailureCode = 0 }, status: Refuted, reason: "without TLS still gets in"},
		{name: "classic accepted as it may", log: told, want: func(e *Expectation) { e.Classic = true }, wire: func(s *probe.ServerSurvey) {
			s.Classic.Negotiation.FailureCode = 0
		}, status: Confirmed},
		{name: "classic stated", log: []string{received + "40000", overRDP}, wire: classic, want: func(e *Expectation) {
			*e = Expectation{Selected: probe.ProtocolRDP, Classic: true}
		}, status: Confirmed},
		{name: "classic stated, TLS served", log: told, want: func(e *Expectation) {
			*e = Expectation{Selected: probe.ProtocolRDP, Classic: true}
		}, status: Refuted},
		{name: "offline", status: Unknown, reason: "offline", seen: func(o *Observation) { *o = Observation{Failed: "offline"} }},
		{name: "nothing at all", status: Refuted, seen: func(o *Observation) { *o = Observation{} }},
	} {
		t.Run(x.name, func(t *testing.T) {
			want, seen := expectTLS(), Observation{Wire: wireSeen()}
			if x.want != nil {
				x.want(&want)
			}
			if x.wire != nil {
				x.wire(&seen.Wire)
			}
			seen.Own = ownLog(t, wireSeen(), x.log...)
			if x.seen != nil {
				x.seen(&seen)
			}
			v := Judge(want, seen)
			if v.Status != x.status || len(v.Reasons) == 0 || !strings.Contains(v.Reasons[0], x.reason) {
				t.Errorf("Judge = %s %q, want %s %q", v.Status, v.Reasons, x.status, x.reason)
			}
			if again := Judge(want, seen); !reflect.DeepEqual(again, v) {
				t.Errorf("Judge changed its mind: %+v", again)
			}
		})
	}
}

// TestJudgeTellsAll: every contradiction is a reason, not only the first.
func TestJudgeTellsAll(t *testing.T) {
	want, seen := expectTLS(), Observation{Wire: wireSeen()}
	want.CertSHA256 = "CC:DD"
	seen.Wire.Versions[0].Answer, seen.Wire.Versions[1].Answer = probe.AnswerAccepted, probe.AnswerRefused
	seen.Wire.Classic.Negotiation.FailureCode = 0
	seen.Own = ownLog(t, seen.Wire, received+"40000", noKey)
	got := Judge(want, seen)
	reasons := []string{
		"TLS 1.1 is accepted and should be refused", "TLS 1.2 is refused and should be accepted",
		"another certificate is served: SHA256 AA:BB", "a client without TLS still gets in",
		"xrdp.log: Cannot read private key file /etc/xrdp/key.pem: Permission denied",
	}
	if want := (Verdict{Refuted, reasons}); !reflect.DeepEqual(got, want) {
		t.Errorf("Judge = %+v, want %+v", got, want)
	}
}
