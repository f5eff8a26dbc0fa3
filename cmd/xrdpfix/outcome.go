package main

import (
	"fmt"
	"strings"

	"xrdpfix/diagnose"
	"xrdpfix/repair"
)

// printNothing reports an apply with nothing to do.
func (a *app) printNothing(l *look) error {
	doc := a.document(a.command, l)
	a.record(l, doc)
	if a.jsonOutput() {
		return a.printJSON(doc)
	}
	if a.global.quiet {
		return nil
	}
	var p page
	a.showNothingDue(&p, l)
	return a.print(&p)
}

// refused reports an apply that did not begin.
func (a *app) refused(l *look, stated string) error {
	why := l.plan.Refusal
	a.quit = exit{7, reason(why.Reason)}
	doc := a.document(a.command, l)
	a.record(l, doc)
	if a.jsonOutput() {
		return a.printJSON(doc)
	}
	var p page
	p.para("REFUSED: " + clean(why.Text) + ".")
	p.linef("Nothing was changed.")
	if len(l.plan.Disturbs) > 0 {
		p.blank()
		showDisturbed(&p, l.plan.Disturbs)
	}
	if len(l.plan.Unit.Because) > 0 {
		p.blank()
		p.linef("Why a restart")
		for _, b := range l.plan.Unit.Because {
			p.block(2, "", strings.TrimSuffix(clean(b), ".")+".")
		}
	}
	if len(l.plan.Disturbs) > 0 {
		p.linef("What it costs")
		p.block(2, "", "Whoever is connected is cut off, and nobody gets the old desktop back: the next login starts an empty one, and the old one runs on, unreachable.")
	}
	if len(why.Instead) > 0 {
		p.blank()
		var rows [][2]string
		for _, c := range why.Instead {
			rows = append(rows, [2]string{a.rooted(strings.Replace(c, "xrdpfix apply", "xrdpfix apply"+stated, 1)), whenText(c)})
		}
		switch {
		case strings.HasPrefix(why.Instead[0], "xrdpfix "):
			p.linef("Choose")
		case a.quit.Reason == reasonBlocked:
			p.linef("First")
		default:
			p.linef("Look")
		}
		p.columns(2, "", rows)
	}
	p.linef("refused: %s (exit %d)", a.quit.Reason, a.quit.Code)
	return p.writeTo(a.errOut)
}

// whenText says what a choice comes to.
func whenText(choice string) string {
	switch {
	case strings.Contains(choice, "--restart=when-idle"):
		return "when the last desktop has ended"
	case strings.Contains(choice, "--restart=always"):
		return "now"
	case strings.HasPrefix(choice, "timedatectl "):
		return "sets the clock, then apply again"
	case strings.HasPrefix(choice, "touch "):
		return "if the clock is right and this file is not"
	}
	return ""
}

// printOutcome reports what became of the plan.
func (a *app) printOutcome(l *look, out repair.Outcome) error {
	doc := a.document(a.command, l)
	doc.outcome(l, out)
	a.record(l, doc)
	if a.jsonOutput() {
		return a.printJSON(doc)
	}
	if a.global.quiet && a.quit.Code == 0 {
		return nil
	}
	var p page
	p.para(subject(&l.facts))
	p.blank()
	showWrong(&p, l)
	showChanged(&p, l, out)
	p.blank()
	if l.facts.Offline {
		p.para("Nothing can be probed in an offline tree: the verdict is unknown (offline).")
	} else {
		a.showProof(&p, l, out)
	}
	p.blank()
	a.showEnd(&p, l, out)
	if a.global.quiet {
		return p.writeTo(a.errOut) // it failed
	}
	return a.print(&p)
}

func showWrong(p *page, l *look) {
	label := "Wrong"
	for _, x := range l.found {
		if !mended(l.plan, x.Code) {
			continue
		}
		p.block(10, label, string(x.Code)+": "+cleanLines(lowerFirst(x.Detail)))
		label = ""
	}
	if label != "" {
		p.block(10, "Stated", strings.TrimSpace(statedText(l)))
	}
}

func statedText(l *look) string {
	var parts []string
	if l.policy.Range.Valid() {
		parts = append(parts, l.policy.Range.String())
	}
	if l.policy.Declared {
		parts = append(parts, "the range that sesman.ini declares")
	}
	if l.policy.SecurityLayer != "" {
		parts = append(parts, "security_layer="+l.policy.SecurityLayer)
	}
	if l.policy.Cert == repair.CertRenew {
		parts = append(parts, "a new certificate")
	}
	if d := l.policy.Install; d != nil {
		parts = append(parts, "the certificate of "+clean(d.Cert.Subject)+", issued by "+clean(d.Cert.Issuer))
	}
	if len(parts) == 0 {
		return "a restart"
	}
	return strings.Join(parts, ", ")
}

func mended(p repair.Plan, code diagnose.Code) bool {
	for _, c := range p.Because {
		if c == code {
			return true
		}
	}
	return false
}

func showChanged(p *page, l *look, out repair.Outcome) {
	var rows [][2]string
	for _, c := range l.plan.Files {
		what := plural(len(c.Keys), "line") + ": " + strings.Join(c.Keys, ", ")
		switch {
		case c.Kind != repair.FileEdit:
			what = string(c.Kind) + "d"
		case len(c.Keys) == 0:
			what = fmt.Sprintf("mode %04o", c.After.Mode)
		}
		rows = append(rows, [2]string{clean(c.Path), what})
	}
	if k := l.plan.Keygen; k != nil {
		rows = append(rows, [2]string{k.Path, "new, by xrdp-keygen"})
	}
	if id := l.plan.Identity; id != nil {
		what := "new key and certificate"
		switch {
		case id.Copy:
			what = "a copy of the pair"
		case id.Install != nil:
			what = "the delivered pair"
		}
		rows = append(rows, [2]string{id.Dir + "/", what})
	}
	label := "Changed"
	if out.Problem != "" {
		label = "Tried"
	}
	p.columns(10, label, rows)
	u, started, restarted := l.plan.Unit, "Started", "Restarted"
	if out.Problem != "" && out.PortBack == 0 {
		started, restarted = "Start", "Restart"
	}
	switch u.Action {
	case repair.ActionStart:
		p.block(10, started, "xrdp.service: "+clean(u.Why)+portBack(out))
	case repair.ActionRestart:
		p.block(10, restarted, "xrdp.service: "+clean(u.Why)+portBack(out))
	default:
		p.block(10, restarted, "nothing: "+clean(u.Why))
	}
	switch n := len(l.plan.Disturbs); {
	case u.Action != repair.ActionRestart || n == 0:
		p.linef("%-10s%s", "Disturbed", "nobody")
	default:
		p.linef("%-10s%s", "Disturbed", plural(n, "user"))
		showDisturbed(p, l.plan.Disturbs)
	}
}

func portBack(out repair.Outcome) string {
	if out.PortBack == 0 {
		return ""
	}
	return fmt.Sprintf("; port back in %.1f s", out.PortBack.Seconds())
}
