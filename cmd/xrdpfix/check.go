package main

import (
	"fmt"
	"io"
	"net/netip"
	"strings"

	"github.com/spf13/cobra"

	"xrdpfix/diagnose"
)

func newCheck(a *app) *cobra.Command {
	var flags checkFlags
	cmd := &cobra.Command{
		Use:   "check",
		Short: "What stops clients from negotiating security here (changes nothing)",
		Long:  `Look at the files, the daemon, the port and the log, connect as a client does, and name what is wrong, with the evidence and the remedy. Changes nothing. Works without root as far as it can, and says what it could not see. What /etc/xrdpfix/policy.ini or a flag states is held against the machine too, and each setting is shown with where it comes from.`,
		Example: `  xrdpfix check                 what is wrong, and who can connect
  xrdpfix check --json          the same for a program
  xrdpfix check --warn-days 14  report a certificate later
  xrdpfix check --output nagios                      for a monitoring system
  xrdpfix check --output prometheus                  as metrics
  xrdpfix check --client 192.0.2.14    what that client met, whose move it is
  xrdpfix check -o html >desk01.html    a page to hand over
  xrdpfix check --save-facts desk01.json --redact    for a bug report
  xrdpfix check --facts desk01.json                  what its reader does`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.check(cmd, &flags) },
	}
	flags.policyFlags.add(cmd, false)
	flags.facts.add(cmd, true)
	flags.plugin.add(cmd)
	cmd.Flags().StringVar(&flags.textfile, "textfile", "", "prometheus: replace `FILE` instead of printing, for the textfile collector\nof node_exporter")
	cmd.Flags().StringVar(&flags.client, "client", "", "what the client with this `ADDRESS` met lately, and what its owner must do")
	a.offer(cmd, formatHTML, formatNagios, formatPrometheus)
	return cmd
}

// checkFlags are those of check.
type checkFlags struct {
	policyFlags
	facts    factsFlags
	plugin   pluginFlags
	textfile string
}

func (a *app) check(cmd *cobra.Command, flags *checkFlags) error {
	facts := &flags.facts
	w, err := a.wish(&flags.policyFlags, facts.from != "")
	if err != nil {
		return err
	}
	if err := flags.plugin.check(w.warnDays, flags.changed("crit-days")); err != nil {
		return err
	}
	if w.replay, err = facts.read(); err != nil {
		return err
	}
	asked, err := askedClient(flags.client)
	if err != nil {
		return err
	}
	w.client, w.everyClient = flags.client, asked.IsValid()
	file, err := facts.create(a)
	if err != nil {
		return err
	}
	defer file.discard()
	l, err := a.look(cmd.Context(), w)
	if err != nil {
		return err
	}
	defer l.close()
	a.quit = checkExit(l)
	if err := file.write(a, l, facts.redact); err != nil || facts.save == "-" {
		return err
	}
	doc := a.document("check", l)
	doc.Facts = l.replayed(facts.from)
	doc.Asked = askedOf(l, asked)
	a.record(l, doc)
	switch {
	case a.jsonOutput():
		return a.printJSON(doc)
	case a.htmlOutput():
		return a.printHTML(a.checkPage(l))
	case a.global.output == formatNagios:
		return a.printPlugin(checkPlugin(l, &flags.plugin, w.warnDays), a.quit.Reason)
	case a.global.output == formatPrometheus && flags.textfile != "":
		if err := writeTextfile(flags.textfile, checkMetrics(l)); err != nil {
			return a.outFailure(flags.textfile, err)
		}
		return nil
	case a.global.output == formatPrometheus:
		_, err := io.WriteString(a.out, checkMetrics(l))
		return err
	}
	return a.showCheck(l, facts, asked)
}

// showCheck prints the page.
func (a *app) showCheck(l *look, facts *factsFlags, asked netip.Addr) error {
	var p page
	p.para(subject(&l.facts))
	p.blank()
	a.answer(&p, l)
	for _, x := range l.found {
		if x.Severity == diagnose.Info && x.Code != diagnose.FirstBootPending && x.Code != diagnose.ClientNeverArrived && !a.global.verbose {
			continue
		}
		p.blank()
		showFinding(&p, x, a.global.verbose)
	}
	if asked.IsValid() {
		p.blank()
		a.showAsked(&p, l, asked)
	}
	if l.facts.Wire.Ok() {
		p.blank()
		showClients(&p, &l.facts)
	}
	showUnseen(&p, &l.facts)
	showIgnored(&p, l)
	showPolicy(&p, l.from, a.global.verbose)
	if l.machine != nil && l.machine.WaitsForIdle() {
		p.blank()
		p.para("A change waits until nobody is connected; to give it up: xrdpfix rollback")
	}
	if facts.save != "" {
		p.blank()
		p.para(savedText(facts))
	}
	p.blank()
	a.lastLine(&p, l)
	return a.print(&p)
}

// answer prints the verdict that the first paragraph gives.
func (a *app) answer(p *page, l *look) {
	word, text := health(l)
	p.para(word + ": " + text)
}

// checkExit maps findings to the exit code.
func checkExit(l *look) exit {
	switch {
	case diagnose.Worst(l.found) == diagnose.Error:
		return exit{3, reasonFindings}
	case len(unseen(&l.facts)) > 0 && !onlyVersion(&l.facts):
		return exit{6, reasonIncomplete}
	case l.facts.Offline:
		return exit{0, reasonOffline}
	}
	return exit{0, reasonOK}
}

// lastLine counts, gives the exit status, and says what to run next.
func (a *app) lastLine(p *page, l *look) {
	next := whole("Next: ")
	if l.facts.Replayed {
		next = "Next, on that machine: "
	}
	switch {
	case !l.plan.Empty():
		next += whole(a.next("plan")) + ", or " + whole(a.next("apply"))
	case l.onlyPlanTells():
		next += whole(a.next("plan"))
	case len(l.plan.Manual) > 0:
		next += leftText(l)
	case a.quit.Code == 6 && l.facts.Host.Root:
		next += "what was not seen, above"
	case len(unseen(&l.facts)) > 0 && !l.facts.Host.Root:
		next += whole("sudo " + a.next("check"))
	case l.count(diagnose.Error) > 0:
		next += "what is said above"
	case l.count(diagnose.Warning) > 0:
		next = "Nothing must be done; what can be is said above."
	default:
		next = "Nothing to do."
	}
	counts := plural(l.count(diagnose.Error), "error") + ", " + plural(l.count(diagnose.Warning), "warning")
	if n := len(l.ignored); n > 0 {
		counts += fmt.Sprintf(", %d ignored", n)
	}
	p.para(fmt.Sprintf("%s (exit %d).  %s", counts, a.quit.Code, next))
}

// showFinding prints one finding with its evidence and its remedy.
func showFinding(p *page, x diagnose.Finding, verbose bool) {
	const indent = 9
	p.linef("%-*s %s", indent-1, x.Severity, x.Code)
	p.block(indent, "", cleanLines(x.Detail))
	for i, e := range x.Evidence {
		if i >= 6 && !verbose {
			p.block(indent+2, "", fmt.Sprintf("... %d more (--verbose)", len(x.Evidence)-i))
			break
		}
		showEvidence(p, indent+2, e)
	}
	if x.Remedy != "" {
		p.block(indent+6, fmt.Sprintf("%*sfix", indent, ""), cleanLines(x.Remedy))
	}
	for _, c := range x.Commands {
		p.linef("%*s%s", indent+6, "", clean(c))
	}
}

func showEvidence(p *page, indent int, e diagnose.Evidence) {
	p.block(indent+6, fmt.Sprintf("%*s%s", indent, "", e.Kind), cleanLines(evidenceText(e)))
}

// evidenceText is the evidence with its place.
func evidenceText(e diagnose.Evidence) string {
	text := e.Text
	if e.Kind == "file" && e.Source != "" {
		at := e.Source
		if e.Line > 0 {
			at += fmt.Sprintf(":%d", e.Line)
		}
		text = at + "  " + text
	}
	if e.Kind == "wire" && e.Source != "" {
		text = e.Source + "  " + text
	}
	return text
}

// unseen lists what could not be looked at.
func unseen(f *diagnose.Facts) []string {
	var out []string
	add := func(what, why string) {
		if why != "" {
			out = append(out, what+": "+clean(strings.TrimPrefix(why, "mark: ")))
		}
	}
	add("xrdp.ini", f.Config.Failed)
	add("sesman.ini", f.Sesman.Failed)
	add("xrdp's version", f.Package.Failed)
	add("certificate and key", f.Pair.Failed)
	add("the way to the key", f.Key.Failed)
	add("listening sockets", f.Listen.Failed)
	add("desktops", f.Desktops.Failed)
	add("connected clients", f.Peers.Failed)
	add("xrdp.log", f.Log.Own.Failed)
	add("the daemon", f.Daemon.Running.Failed)
	if u, ok := f.Units[diagnose.UnitXrdp]; ok {
		add(diagnose.UnitXrdp, u.Failed)
	}
	return out
}

// onlyVersion: an offline tree whose packages are not dpkg's tells all but the
// version of xrdp.
func onlyVersion(f *diagnose.Facts) bool {
	return f.Offline && f.Package.Failed != "" && len(unseen(f)) == 1
}

func showUnseen(p *page, f *diagnose.Facts) {
	list := unseen(f)
	if len(list) == 0 {
		return
	}
	p.blank()
	p.linef("Not seen")
	for _, s := range list {
		p.block(2, "", s)
	}
}
