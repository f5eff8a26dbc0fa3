package main

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"

	"xrdpfix/certs"
	"xrdpfix/logwatch"
	"xrdpfix/probe"
	"xrdpfix/repair"
	"xrdpfix/xrdpconf"
)

// showProof prints the evidence: before and after from the wire, and our own
// connection in xrdp.log.
func (a *app) showProof(p *page, l *look, out repair.Outcome) {
	label := map[repair.Status]string{repair.Confirmed: "Proof", repair.Refuted: "Refuted", repair.Unknown: "Unproven"}[out.Verdict.Status]
	switch {
	case out.Interrupted:
		p.block(10, "Stopped", "by a signal, before the proof")
		return
	case out.Problem != "":
		p.block(10, "Stopped", clean(out.Problem))
		return
	}
	p.linef("%-10s%-19s %-19s %s", label, "from the wire", "before", "after")
	before, after := l.facts.Wire.Value, out.Seen.Wire
	row := func(what, was, is string) {
		p.linef("%12s%-17s %-19s %s", "", what, was, is)
	}
	row("asked SSL|HYBRID", selected(before.Full), selected(after.Full))
	for _, v := range []probe.TLSVersion{tls.VersionTLS13, tls.VersionTLS12, tls.VersionTLS11, tls.VersionTLS10} {
		if _, asked := after.Version(v); asked {
			row(v.String(), beforeText(before, v), versionText(after, v, out.Plan.Expect.Refuse))
		}
	}
	row("certificate", certText(l, before.Full, l.facts.Pair.Value.Cert.SHA256), certText(l, after.Full, out.Plan.Expect.CertSHA256))
	showLogProof(p, l, out)
}

func selected(r probe.Result) string {
	switch n := r.Negotiation; {
	case n == nil:
		return "-"
	case n.FailureCode != 0:
		return "refused"
	default:
		return n.Selected.String()
	}
}

func versionText(s probe.ServerSurvey, v probe.TLSVersion, intended []probe.TLSVersion) string {
	a, asked := s.Version(v)
	switch {
	case !asked || a.Answer == probe.AnswerUnknown:
		return "-"
	case a.Answer == probe.AnswerAccepted:
		return a.Cipher
	case slices.Contains(intended, v):
		return "refused, as intended"
	}
	return "refused"
}

// beforeText is versionText without the cipher: the column is narrow.
func beforeText(s probe.ServerSurvey, v probe.TLSVersion) string {
	if a, asked := s.Version(v); asked && a.Answer == probe.AnswerAccepted {
		return "accepted"
	}
	return versionText(s, v, nil)
}

func certText(l *look, r probe.Result, want string) string {
	if r.TLS == nil || len(r.TLS.Fingerprints) == 0 {
		return "-"
	}
	switch got := r.TLS.Fingerprints[0].SHA256; {
	case got != want:
		return "another one"
	case l.plan.Identity != nil && got != l.facts.Pair.Value.Cert.SHA256:
		return "the new one"
	}
	return "the one in the file"
}

func showLogProof(p *page, l *look, out repair.Outcome) {
	const at = 12
	port := out.Seen.Wire.Full.Local.Port()
	if port == 0 {
		return // there was no connection
	}
	if hidden := out.Plan.Expect.LogHidden; hidden != "" {
		p.block(at, "", "from xrdp.log: nothing; "+lowerFirst(clean(hidden)))
		return
	}
	p.block(at-2, "", fmt.Sprintf("from xrdp.log, our own connection, port %d", port))
	shown, errors := 0, 0
	for _, c := range out.Seen.Own.Value {
		if c.Client.Port() != port {
			continue
		}
		for _, m := range c.Matches {
			if m.Cause() != "" {
				errors++
			}
			if m.Rule.Class == logwatch.ClassNegotiation || m.Rule.Class == logwatch.ClassSuccess || m.Cause() != "" {
				p.block(at+10, fmt.Sprintf("%*s%s", at, "", m.Entry.Time.Format("15:04:05")), clean(m.Entry.Text))
				shown++
			}
		}
	}
	switch {
	case shown == 0:
		p.block(at, "", "no line of it")
	case errors == 0:
		p.block(at, "", fmt.Sprintf("no error line of this connection; %s of others", plural(out.Seen.Foreign, "error")))
	}
}

// showEnd prints the verdict and what comes next.
func (a *app) showEnd(p *page, l *look, out repair.Outcome) {
	took := fmt.Sprintf("%.1f s", out.Elapsed.Seconds())
	switch {
	case out.NotUp != "":
		showRolledBack(p, l, out)
		p.para(fmt.Sprintf("NOT FIXED: %s and rolled back, and xrdp does not run (exit %d).", out.Verdict.Status, a.quit.Code))
		p.block(10, "Next", whole(whyDown))
		return
	case out.Interrupted:
		p.para(fmt.Sprintf("INTERRUPTED: rolled back (exit %d).", a.quit.Code))
		return
	case out.RolledBack:
		showRolledBack(p, l, out)
		p.para(fmt.Sprintf("NOT FIXED: %s and rolled back (exit %d).", out.Verdict.Status, a.quit.Code))
		if still := firstError(l); still != "" {
			p.block(10, "Still", still)
		}
		p.block(10, "Next", a.next("check --verbose"))
		return
	case l.facts.Offline:
		p.para(fmt.Sprintf("WRITTEN: not proven, because nothing runs in this tree (exit %d).", a.quit.Code))
		if len(l.plan.Manual) > 0 {
			p.blank()
			showManual(p, l.plan.Manual)
		}
		p.block(10, "Undo", a.next("rollback "+out.Journal))
		return
	case out.Verdict.Status != repair.Confirmed:
		p.para(fmt.Sprintf("NOT PROVEN and kept, as --no-rollback says (exit %d).", a.quit.Code))
		for _, r := range out.Verdict.Reasons {
			p.block(2, "", clean(r))
		}
		a.showDeadline(p, out.Plan)
		p.block(10, "Undo", a.next("rollback "+out.Journal))
		return
	}
	word := "FIXED"
	if len(l.plan.Because) == 0 {
		word = "DONE"
	}
	p.para(fmt.Sprintf("%s: confirmed on the wire and in xrdp.log, in %s (exit %d).", word, took, a.quit.Code))
	p.blank()
	if out.Certificate != nil && !l.plan.Identity.Copy {
		showTrust(p, *out.Certificate)
	}
	if after := out.Seen.Wire; after.Classic != nil && after.Classic.Negotiation != nil && after.Classic.Negotiation.FailureCode == 0 &&
		after.Full.TLS != nil && l.policy.SecurityLayer == "" && serverLayer(l) != xrdpconf.SecurityLayerTLS {
		p.block(10, "Not done", "classic RDP is still accepted (security_layer=negotiate). When all clients use TLS: "+whole(a.next("apply --security-layer tls")))
	}
	if len(l.plan.Manual) > 0 {
		showManual(p, l.plan.Manual)
	}
	p.block(0, "", "From here the network is not seen. From the user's side: "+whole("xrdpfix probe "+hostName(&l.facts)))
	a.showDeadline(p, out.Plan)
	p.block(10, "Undo", a.next("rollback "+out.Journal))
}

func serverLayer(l *look) xrdpconf.SecurityLayer { return l.facts.Server().SecurityLayer }

// whyDown shows what systemd has to say of an xrdp that does not run.
const whyDown = "journalctl -u xrdp.service -n 20 --no-pager"

func showRolledBack(p *page, l *look, out repair.Outcome) {
	label := "Because"
	for _, r := range out.Verdict.Reasons {
		if r != out.Problem {
			p.block(10, label, clean(r))
			label = ""
		}
	}
	if out.NotUp != "" {
		p.block(10, "Put back", "every file; xrdp does not come up with them: "+clean(out.NotUp))
		return
	}
	if out.Restored == nil {
		return
	}
	before, now := selected(l.facts.Wire.Value.Full), selected(out.Restored.Wire.Full)
	text := "asked SSL|HYBRID, " + now
	if before == now {
		text += ", as before"
	} else {
		text += ", and before it was " + before
	}
	p.block(10, "Put back", text)
}

// showTrust prints the fingerprints that users compare.
func showTrust(p *page, c certs.CertInfo) {
	text := "are asked once to trust this certificate. Read it out to them:"
	if !c.SelfSigned {
		text = "are not asked where they trust " + clean(c.Issuer) + ". The fingerprint:"
	}
	p.block(10, "Users", text)
	showFingerprint(p, 10, "SHA256", c.SHA256)
	showFingerprint(p, 10, "SHA1", c.SHA1)
}

func showFingerprint(p *page, at int, name, value string) {
	const half = 16 * 3
	label := name
	for len(value) > 0 {
		n := min(half, len(value))
		if name == "SHA1" {
			n = len(value)
		}
		p.linef("%*s%-7s%s", at, "", label, strings.TrimSuffix(value[:n], ":"))
		value, label = value[n:], ""
	}
}
