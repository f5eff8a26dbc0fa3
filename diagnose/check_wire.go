package diagnose

import (
	"fmt"
	"path"

	"xrdpfix/internal/plaintext"
	"xrdpfix/logwatch"
	"xrdpfix/probe"
)

// checkWire judges what our own connections met.
func checkWire(v *view) []Finding {
	if !v.Wire.Ok() {
		return nil
	}
	full := v.Wire.Value.Full
	var out []Finding
	if n := full.Negotiation; n != nil && n.Selected == probe.ProtocolRDP && n.FailureCode == 0 && full.Failure == nil || classic(full) {
		out = append(out, finding(ClassicServed, MendNone, "Asked for TLS, xrdp chose classic RDP, and nothing that xrdpfix knows explains it.").
			because(v.wireAndLog()...).remedy("Read what xrdp says about this connection.").commands("xrdpfix log --since 1h"))
	} else if full.Failure != nil {
		out = append(out, v.failure(full)...)
	}
	if r := v.Wire.Value.Classic; r != nil && r.Negotiation != nil && r.Failure == nil && r.Negotiation.Selected == probe.ProtocolRDP && r.Negotiation.FailureCode == 0 && len(out) == 0 && full.TLS != nil {
		out = append(out, finding(ClassicAccepted, MendStated, "Clients without TLS get in (security_layer=%s).", v.server.SecurityLayer).
			because(Evidence{Kind: "wire", Source: v.Wire.Value.Addr, Text: "asked PROTOCOL_RDP, server chose PROTOCOL_RDP"}).
			because(v.classicClients()...).
			remedy("When all clients use TLS, shut it.").commands("xrdpfix apply --security-layer tls"))
	}
	return out
}

func classic(r probe.Result) bool {
	return r.Negotiation != nil && r.Negotiation.Requested != probe.ProtocolRDP && r.Negotiation.FailureCode == 0 &&
		r.Negotiation.Selected == probe.ProtocolRDP
}

func (v *view) failure(r probe.Result) []Finding {
	switch r.Failure.Kind {
	case probe.KindTLSCutOff:
		return []Finding{finding(TLSCutOff, MendHuman, "The connection was reset as soon as the ClientHello was sent.").
			because(v.wireAndLog()...).remedy("Our connection did not leave this machine: look at its packet filter, and for a program that inspects TLS here.").
			commands("nft list ruleset || iptables-save")}
	case probe.KindNegotiationFailure, probe.KindTLSAlert, probe.KindTLSSetupFailed, probe.KindTLSOther:
		return []Finding{finding(TLSFails, MendHuman, "Asked for TLS, and it fails at stage %s: %s.", r.Failure.Stage, r.Failure.Text).
			because(v.wireAndLog()...).remedy("Read what xrdp says about this connection.").commands("xrdpfix log --since 1h")}
	}
	return nil
}

// wireAndLog quotes our own full connection, from the wire and from xrdp.log.
func (v *view) wireAndLog() []Evidence {
	if !v.Wire.Ok() {
		return nil
	}
	ev := []Evidence{{Kind: "wire", Source: v.Wire.Value.Addr, Text: WireText(v.Wire.Value.Full)}}
	port := v.Wire.Value.Full.Local.Port()
	for _, c := range v.Log.Own.Value {
		if c.Client.Port() != port {
			continue
		}
		if m, ok := firstCause(c); ok {
			ev = append(ev, Evidence{Kind: "log", Source: v.Log.Path, Text: m.Entry.Time.Format("15:04:05") + "  " + m.Entry.Text})
		}
	}
	return ev
}

// firstCause is the first line of a connection that is a cause and no noise.
func firstCause(c logwatch.Connection) (logwatch.Match, bool) {
	for _, m := range c.Matches {
		if m.Cause() != "" {
			return m, true
		}
	}
	return logwatch.Match{}, false
}

// WireText says in one line what a connection asked for and what it got.
func WireText(r probe.Result) string {
	n := r.Negotiation
	if n == nil {
		if r.Failure != nil {
			return r.Failure.Text
		}
		return "no answer"
	}
	asked := "asked " + n.Requested.String()
	if n.FailureCode != 0 {
		return fmt.Sprintf("%s, server answered %s", asked, n.FailureCode)
	}
	text := fmt.Sprintf("%s, server chose %s", asked, n.Selected)
	switch {
	case r.TLS != nil && r.Failure == nil:
		text += ", " + r.TLS.Version.String() + " " + r.TLS.Cipher
	case r.Failure != nil:
		text += ", then: " + r.Failure.Text
	}
	return text
}

// checkApplied reports what earlier runs of xrdpfix left.
func checkApplied(v *view) []Finding {
	if !v.Applied.Ok() {
		return nil
	}
	var out []Finding
	for i, a := range v.Applied.Value {
		if a.State == "unfinished" {
			out = append(out, finding(ApplyUnfinished, MendApply, "The apply %s was interrupted.", a.ID).about(a.ID).
				because(Evidence{Kind: "file", Text: "begun " + a.Time.UTC().Format("2 Jan 2006 15:04:05 UTC")}).
				remedy("The next apply puts it back and starts afresh.").commands("xrdpfix apply", "xrdpfix rollback "+a.ID))
		}
		if a.State == "damaged" {
			out = append(out, finding(JournalDamaged, MendHuman, "The journal of the apply %s cannot be read, so that it is not known whether it was finished, and no other apply is begun.", a.ID).about(a.ID).
				because(inFile(a.Place, 0, a.Problem)).
				remedy("The files beside it are what it saved. Compare them with what is in force; then set it aside.").commands(SetAside(a.Place)))
		}
		if !a.Until.IsZero() {
			out = append(out, untilFinding(a))
		}
		if i == 0 && (a.State == "confirmed" || a.State == "kept") {
			out = append(out, v.drift(a)...)
		}
	}
	return out
}

// SetAside is the command that takes a damaged journal out of the way; nothing is
// lost by it.
func SetAside(place string) string {
	return "mv " + plaintext.ShellWord(place) + " " + plaintext.ShellWord(path.Dir(path.Dir(place))+"/damaged-"+path.Base(place))
}

// drift names the files that changed since our last apply.
func (v *view) drift(a AppliedSummary) []Finding {
	var out []Finding
	for _, f := range []Observed[FileFact]{v.Config, v.Sesman} {
		sum, ours := a.Files[f.Value.Target]
		if !f.Ok() || !ours || f.Value.SHA256 == "" || sum == f.Value.SHA256 {
			continue
		}
		out = append(out, finding(IniDrift, MendStated, "%s changed since the apply %s.", f.Value.Path, a.ID).about(f.Value.Path).
			because(inFile(f.Value.Path, 0, "changed "+f.Value.MTime.UTC().Format("2 Jan 2006 15:04 UTC"))).
			remedy("Nothing to do if that was meant."))
	}
	return out
}

// untilFinding reports a change that is undone by itself.
func untilFinding(a AppliedSummary) Finding {
	until := a.Until.UTC().Format("2 Jan 2006 15:04 UTC")
	made := Evidence{Kind: "file", Text: "applied " + a.Time.UTC().Format("2 Jan 2006 15:04 UTC")}
	if a.Temporary {
		return finding(ApplyTemporary, MendStated, "The apply %s ends by itself at %s.", a.ID, until).about(a.ID).because(made).
			remedy("Keep it for good, or end it now.").commands("xrdpfix confirm "+a.ID, "xrdpfix rollback "+a.ID)
	}
	return finding(ApplyUnconfirmed, MendStated, "The apply %s is undone at %s unless it is confirmed.", a.ID, until).about(a.ID).because(made).
		remedy("Connect from the user's side; then confirm it.").commands("xrdpfix confirm "+a.ID, "xrdpfix rollback "+a.ID)
}
