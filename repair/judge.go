package repair

import (
	"fmt"
	"slices"
	"strings"

	"xrdpfix/diagnose"
	"xrdpfix/logwatch"
	"xrdpfix/probe"
)

// Status is the outcome of a judgement.
type Status string

// The verdicts. Only Confirmed is success.
const (
	Confirmed Status = "confirmed"
	Refuted   Status = "refuted"
	Unknown   Status = "unknown"
)

// Verdict says whether the expectation is met, and why.
type Verdict struct {
	Status  Status   `json:"status"`
	Reasons []string `json:"reasons"`
}

// Observation is what was seen after a change.
type Observation struct {
	Wire probe.ServerSurvey `json:"wire"`
	// Own are the connections of that survey as xrdp.log tells them.
	Own diagnose.Observed[[]logwatch.Connection] `json:"own"`
	// Foreign counts error lines of other connections in the same window.
	Foreign int `json:"foreign"`
	// Failed says why nothing could be looked at.
	Failed string `json:"failed,omitempty"`
}

// Judge compares what was seen with what must be true. It is pure. It needs
// positive evidence: silence proves nothing.
func Judge(want Expectation, seen Observation) Verdict {
	if seen.Failed != "" {
		return Verdict{Unknown, []string{seen.Failed}}
	}
	if reasons := judgeWire(want, seen.Wire); len(reasons) > 0 {
		return Verdict{Refuted, append(reasons, causes(seen)...)}
	}
	if reasons := undecided(want, seen.Wire); len(reasons) > 0 {
		return Verdict{Unknown, append([]string{diagnose.WireText(seen.Wire.Full)}, reasons...)}
	}
	return judgeLog(want, seen)
}

// undecided lists the versions of a stated range that the wire gave no answer
// about: what is reported as enabled was accepted, the rest refused.
func undecided(want Expectation, s probe.ServerSurvey) []string {
	if !want.Every || want.Selected == probe.ProtocolRDP {
		return nil
	}
	var open []string
	for _, v := range slices.Concat(want.Refuse, want.Accept) {
		if a, asked := s.Version(v); !asked || a.Answer != probe.AnswerAccepted && a.Answer != probe.AnswerRefused {
			open = append(open, fmt.Sprintf("%s: the server gave no answer", v))
		}
	}
	return open
}

// judgeWire lists every way in which the wire contradicts the expectation.
func judgeWire(want Expectation, s probe.ServerSurvey) []string {
	var bad []string
	full := s.Full
	switch n := full.Negotiation; {
	case n == nil || n.FailureCode != 0:
		return []string{diagnose.WireText(full)}
	case n.Selected != want.Selected:
		bad = append(bad, fmt.Sprintf("%s, expected %s", diagnose.WireText(full), want.Selected))
	case full.Failure != nil:
		bad = append(bad, diagnose.WireText(full))
	}
	if len(bad) > 0 || want.Selected == probe.ProtocolRDP {
		return bad
	}
	for _, r := range s.Versions {
		switch {
		case r.Answer == probe.AnswerAccepted && slices.Contains(want.Refuse, r.Version):
			bad = append(bad, fmt.Sprintf("%s is accepted and should be refused", r.Version))
		case r.Answer == probe.AnswerRefused && slices.Contains(want.Accept, r.Version):
			bad = append(bad, fmt.Sprintf("%s is refused and should be accepted", r.Version))
		}
	}
	if full.TLS != nil && want.CertSHA256 != "" && leaf(full) != want.CertSHA256 {
		bad = append(bad, "another certificate is served: SHA256 "+leaf(full))
	}
	if s.Classic != nil && s.Classic.Negotiation != nil && !want.Classic && s.Classic.Negotiation.FailureCode == 0 {
		bad = append(bad, "a client without TLS still gets in")
	}
	return bad
}

// judgeLog looks for the full connection in xrdp.log, by its source port.
func judgeLog(want Expectation, seen Observation) Verdict {
	wire := diagnose.WireText(seen.Wire.Full)
	if want.LogHidden != "" {
		return Verdict{Confirmed, []string{wire, "xrdp.log cannot witness: " + want.LogHidden}}
	}
	if !seen.Own.Ok() {
		return Verdict{Unknown, []string{wire, "xrdp.log could not be read: " + seen.Own.Failed + seen.Own.Skipped}}
	}
	c, found := ownConnection(seen)
	if !found {
		return Verdict{Unknown, []string{wire, fmt.Sprintf("xrdp.log has no line of our own connection from port %d", seen.Wire.Full.Local.Port())}}
	}
	if !c.Established {
		if why := causes(seen); len(why) > 0 {
			return Verdict{Refuted, why}
		}
		return Verdict{Unknown, []string{wire, "xrdp.log has our connection, but no line that it was established"}}
	}
	if c.Doubtful {
		return Verdict{Unknown, []string{wire, "a client wrote lines of its own into xrdp.log at the same moment, which cannot be told from xrdp's"}}
	}
	if tls := want.Selected == probe.ProtocolSSL; tls != (c.TLSVersion != "") {
		return Verdict{Refuted, []string{"xrdp.log tells another protocol for our connection than the wire"}}
	}
	// A cause beside it is no contradiction: only the line with our port is
	// surely ours. Without process ids in the log, the lines of a client that
	// failed at the same moment can be grouped with it.
	return Verdict{Confirmed, []string{wire, "xrdp.log: " + established(c)}}
}

// ownConnection is the full connection of the survey as xrdp.log tells it. Its
// lines can come in two pieces: where others hang up at the same moment and the
// log has no process ids, an end that was theirs can be taken for ours, and the
// line that names our port then stands alone. The piece with that line counts.
func ownConnection(seen Observation) (own logwatch.Connection, found bool) {
	for _, c := range seen.Own.Value {
		if c.Client.Port() != seen.Wire.Full.Local.Port() {
			continue
		}
		if c.Established || !found {
			own, found = c, true
		}
		if c.Established {
			break
		}
	}
	return own, found
}

// causes quotes the lines of our own connections that name a cause.
func causes(seen Observation) []string {
	var out []string
	for _, c := range seen.Own.Value {
		if c.Client.Port() != seen.Wire.Full.Local.Port() {
			continue
		}
		for _, m := range c.Matches {
			if m.Cause() != "" {
				out = append(out, "xrdp.log: "+strings.TrimSpace(m.Entry.Text))
			}
		}
	}
	return out
}

// leaf is the fingerprint of the certificate that was served, "" for none.
func leaf(r probe.Result) string {
	if r.TLS == nil || len(r.TLS.Fingerprints) == 0 {
		return ""
	}
	return r.TLS.Fingerprints[0].SHA256
}

// established quotes the line that witnesses a connection.
func established(c logwatch.Connection) string {
	for _, m := range c.Matches {
		if m.Rule.Class == logwatch.ClassSuccess {
			return m.Entry.Text
		}
	}
	return "established"
}
