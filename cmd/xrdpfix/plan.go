package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"xrdpfix/diagnose"
	"xrdpfix/repair"
)

func newPlan(a *app) *cobra.Command {
	var flags policyFlags
	var facts factsFlags
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "The change that apply would make, as a diff (changes nothing)",
		Long:  `Show the change that apply would make: files as a diff, whether xrdp is restarted, and whom that would cut off. It is the same plan that apply executes, stopped before the first effect. Changes nothing.`,
		Example: `  xrdpfix plan                                what a plain apply would do
  xrdpfix plan --profile intermediate         what TLS 1.2 to 1.3 would need
  xrdpfix plan --security-layer tls --json    the same for a program
  xrdpfix plan --profile modern --clients     whom TLS 1.3 alone would shut out
  xrdpfix plan --facts desk01.json            what it would be on another one`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.planCommand(cmd.Context(), &flags, &facts) },
	}
	flags.add(cmd, true)
	facts.add(cmd, false)
	addClients(cmd, &flags)
	return cmd
}

// addClients adds the flag of plan that lists the clients seen.
func addClients(cmd *cobra.Command, p *policyFlags) {
	cmd.Flags().BoolVar(&p.clients, "clients", false, "list the clients that xrdp.log saw in 30 days: who would lose access, who would\ngain TLS, and the strictest policy that loses nobody")
}

func (a *app) planCommand(ctx context.Context, flags *policyFlags, facts *factsFlags) error {
	w, err := a.wish(flags, facts.from != "")
	if err != nil {
		return err
	}
	if w.replay, err = facts.read(); err != nil {
		return err
	}
	l, err := a.look(ctx, w)
	if err != nil {
		return err
	}
	defer l.close()
	a.quit = planExit(l)
	if a.jsonOutput() {
		doc := a.document("plan", l)
		doc.Changed = !l.plan.Empty()
		doc.Facts = l.replayed(facts.from)
		doc.Clientele = clienteleOf(l, flags.clients)
		return a.printJSON(doc)
	}
	if a.global.quiet {
		return nil
	}
	var p page
	if l.plan.Empty() {
		a.showNothingDue(&p, l)
		if flags.clients {
			p.blank()
			a.showClientele(&p, l)
			p.para(fmt.Sprintf("Nothing was changed (exit %d).", a.quit.Code))
		}
		return a.print(&p)
	}
	a.showPlan(&p, l)
	if flags.clients {
		p.blank()
		a.showClientele(&p, l)
	} else {
		a.showClienteleLine(&p, l, statedFlags(flags))
	}
	next := a.next("apply")
	if r := l.plan.Refusal; r != nil && len(r.Instead) > 0 {
		next = a.rooted(r.Instead[0])
	}
	next = whole(strings.Replace(next, "apply", "apply"+statedFlags(flags), 1))
	next = whole("Next: ") + next
	if l.facts.Replayed {
		next = strings.Replace(next, whole("Next: "), "Next, on that machine: ", 1)
	}
	p.para(fmt.Sprintf("Nothing was changed (exit %d).  %s", a.quit.Code, next))
	return a.print(&p)
}

func planExit(l *look) exit {
	switch {
	case !l.plan.Empty():
		return exit{3, reasonChangesDue}
	case diagnose.Worst(l.found) == diagnose.Error, manualErrors(l.plan.Manual):
		return exit{3, reasonManual}
	}
	return checkExit(l)
}

// statedFlags repeats the flags that shape a plan, for the next command.
func statedFlags(f *policyFlags) string {
	var b strings.Builder
	for _, x := range []struct{ name, value, standard string }{
		{"security-layer", f.securityLayer, ""},
		{"tls-min", f.tlsMin, ""},
		{"tls-max", f.tlsMax, ""},
		{"profile", f.profile, ""},
		{"for", f.forTime, ""},
		{"confirm-within", f.confirmWithin, ""},
		{"cert", f.cert, "auto"},
		{"restart", f.restart, "auto"},
	} {
		if x.value != x.standard {
			fmt.Fprintf(&b, " --%s %s", x.name, x.value)
		}
	}
	for _, x := range []struct {
		name  string
		words []string
	}{{"name", f.request.names}, {"ignore", f.ignore}} {
		if len(x.words) > 0 {
			fmt.Fprintf(&b, " --%s %s", x.name, strings.Join(x.words, ","))
		}
	}
	for _, name := range []string{"key", "days", "renew-before", "warn-days"} {
		if f.changed(name) {
			fmt.Fprintf(&b, " --%s %s", name, f.cmd.Flags().Lookup(name).Value)
		}
	}
	if f.inPlace {
		b.WriteString(" --in-place")
	}
	return b.String()
}

// upperFirst begins with a capital letter, unless it begins with the name of a program
// of ours or xrdp's, which have none.
func upperFirst(s string) string {
	if s == "" || strings.HasPrefix(s, "xrdp") {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// lastChange names our latest confirmed apply.
func lastChange(f *diagnose.Facts) string {
	for _, ap := range f.Applied.Value {
		if ap.State == string(repair.StateConfirmed) {
			return "last change " + ap.Time.Local().Format("2 Jan 15:04") + " by xrdpfix"
		}
	}
	return ""
}

// showPlan prints files, diffs, restart and whom it disturbs.
func (a *app) showPlan(p *page, l *look) {
	pl := l.plan
	var edits, creates int
	for _, c := range pl.Files {
		if c.Kind == repair.FileCreate {
			creates++
		} else {
			edits++
		}
	}
	if pl.Identity != nil {
		creates += 2
	}
	if pl.Keygen != nil {
		creates++
	}
	p.para(fmt.Sprintf("%s: %s", hostName(&l.facts), planTitle(l, edits, creates)))
	if edits+creates > 0 {
		p.blank()
		showFiles(p, l)
	}
	for _, c := range pl.Files {
		if c.Diff == "" {
			continue // only its mode or group changes
		}
		p.blank()
		p.b.WriteString(cleanLines(strings.TrimRight(c.Diff, "\n")) + "\n")
	}
	p.blank()
	showRestart(p, l)
	showDisturbs(p, pl)
	showWindow(p, pl)
	for _, n := range pl.Notes {
		p.block(10, "Note", n)
	}
	if pl.Refusal != nil {
		p.block(10, "Refused", "apply would refuse: "+pl.Refusal.Text)
	}
	if len(pl.Manual) > 0 {
		p.blank()
		showManual(p, pl.Manual)
	}
}

func planTitle(l *look, edits, creates int) string {
	var parts []string
	if len(l.plan.Because) > 0 {
		parts = append(parts, mendTitle(l))
	} else {
		parts = append(parts, "as stated")
	}
	if edits > 0 {
		parts = append(parts, plural(edits, "file")+" to edit")
	}
	if creates > 0 {
		parts = append(parts, fmt.Sprintf("%d to create", creates))
	}
	switch {
	case l.plan.Unit.Action == repair.ActionStart:
		parts = append(parts, "xrdp to start")
	case l.plan.Unit.Action == repair.ActionRestart && edits+creates == 0:
		parts = append(parts, "xrdp to restart")
	}
	return strings.Join(parts, ", ")
}

// mendTitle counts what is mended: "1 error to mend (key-unreadable)".
func mendTitle(l *look) string {
	count := map[diagnose.Severity]int{}
	var codes []string
	for _, c := range l.plan.Because {
		codes = append(codes, string(c))
	}
	for _, x := range l.found {
		if mended(l.plan, x.Code) {
			count[x.Severity]++
		}
	}
	var counts []string
	for _, s := range []diagnose.Severity{diagnose.Error, diagnose.Warning} {
		if n := count[s]; n > 0 {
			counts = append(counts, plural(n, string(s)))
		}
	}
	return strings.Join(counts, " and ") + " to mend (" + strings.Join(codes, ", ") + ")"
}

func showFiles(p *page, l *look) {
	if k := l.plan.Keygen; k != nil {
		p.linef("  %-7s %-42s root:%s 0640", "create", k.Path, clean(k.Group))
		p.linef("%10s2048 bits, made by xrdp-keygen during apply, never shown", "")
	}
	const at = 10
	row := func(kind, path, attr string) {
		line := fmt.Sprintf("  %-7s %-42s %s", kind, path, attr)
		if len(line) > width {
			line = fmt.Sprintf("  %-7s %s\n%*s%s", kind, path, at, "", attr)
		}
		p.linef("%s", line)
	}
	for _, c := range l.plan.Files {
		if c.Path == l.plan.Ini {
			showIdentity(p, l, row, at)
		}
		st := c.After
		if c.Kind == repair.FileRemove {
			st = c.Before
		}
		row(string(c.Kind), clean(c.Path), fmt.Sprintf("%s %04o", ownerText(l, st), st.Mode))
		if c.Target != c.Path {
			p.linef("%*swhich leads to %s", at, "", clean(c.Target))
		}
	}
}

func showIdentity(p *page, l *look, row func(kind, path, attr string), at int) {
	id := l.plan.Identity
	if id == nil {
		return
	}
	row("create", id.KeyPath, fmt.Sprintf("root:%s 0640", id.KeyGroup))
	if id.Copy {
		p.linef("%*sa copy of %s", at, "", clean(id.CopyKey))
	} else {
		p.linef("%*s%s, made during apply, never shown", at, "", keyText(string(id.Request.Key)))
	}
	row("create", id.CertPath, "root:root 0644")
	if id.Copy {
		p.linef("%*sa copy of %s", at, "", clean(id.CopyCert))
		return
	}
	var names []string
	names = append(names, id.Request.DNSNames...)
	for _, ip := range id.Request.Addrs {
		names = append(names, ip.String())
	}
	p.block(at, "", fmt.Sprintf("%s; self-signed; %s", clean(strings.Join(names, ", ")), plural(int(id.Request.Lifetime/(24*time.Hour)), "day")))
}

func keyText(k string) string {
	switch k {
	case "ecdsa-p256":
		return "ECDSA P-256"
	case "rsa3072":
		return "RSA 3072"
	case "rsa4096":
		return "RSA 4096"
	}
	return "RSA 2048"
}

func ownerText(l *look, st repair.FileState) string {
	return clean(l.userName(st.UID) + ":" + l.groupName(st.GID))
}

func showRestart(p *page, l *look) {
	u := l.plan.Unit
	switch {
	case l.facts.Offline:
		p.block(10, "Restart", "none: this tree is not running")
	case u.Action == repair.ActionStart:
		p.block(10, "Start", "xrdp.service; nothing is enabled or unmasked")
	case u.Action == repair.ActionRestart && u.Needed:
		p.block(10, "Restart", "needed: "+clean(u.Why))
	case u.Action == repair.ActionRestart && l.policy.Restart == repair.RestartAlways:
		p.block(10, "Restart", "not needed, but asked for")
	case u.Action == repair.ActionRestart:
		p.block(10, "Restart", "not needed; done anyway while no desktop is live (--restart=never leaves xrdp running)")
	default:
		p.block(10, "Restart", "none: "+clean(u.Why))
	}
}

func showDisturbs(p *page, pl repair.Plan) {
	if len(pl.Disturbs) == 0 {
		text := "nobody is connected, no desktop is live"
		if pl.Unit.Action != repair.ActionRestart {
			text = "nobody"
		}
		p.block(10, "Disturbs", text)
		return
	}
	p.block(10, "Disturbs", plural(len(pl.Disturbs), "user"))
	showDisturbed(p, pl.Disturbs)
}

func showDisturbed(p *page, list []repair.Disturbed) {
	p.linef("  %-9s %-9s %-18s %s", "user", "display", "since", "client")
	for _, d := range list {
		since := "-"
		if !d.Since.IsZero() {
			since = d.Since.Local().Format("Mon 2 Jan 15:04")
		}
		client := orDash(d.Client)
		switch {
		case d.Connected:
			client += "  connected"
		default:
			client += "  disconnected, still running"
		}
		p.linef("  %-9s %-9s %-18s %s", clean(orDash(d.User)), clean(orDash(d.Display)), since, clean(client))
	}
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func showManual(p *page, list []repair.Manual) {
	p.linef("Left to you")
	for _, m := range list {
		p.block(9, "  "+string(m.Severity), string(m.Because))
		p.block(9, "", cleanLines(strings.TrimSpace(m.Text)))
		for _, c := range m.Commands {
			p.linef("%*s%s", 11, "", clean(c))
		}
	}
}
