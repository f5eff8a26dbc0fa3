package main

import (
	"fmt"
	"strings"
	"time"

	"xrdpfix/fleet"
	"xrdpfix/probe"
)

// probeView shows what probe finds: one server whole, several one a line as they
// come and, at the end, those that need attention. It keeps names of servers
// that do, and nothing of the others.
type probeView struct {
	a      *app
	flags  *probeFlags
	list   *fleet.List
	total  int
	many   bool
	lines  int
	sum    probeSummary
	groups probeGroups
	pages  probePages
	// interrupted: not all were probed.
	interrupted bool
	drawn       time.Time
}

func newProbeView(a *app, list *fleet.List, flags *probeFlags) *probeView {
	v := &probeView{a: a, flags: flags, list: list, total: list.Len()}
	_, alone := list.Alone()
	v.many = !alone || flags.everyAddress
	v.sum.Repeated = list.Repeated()
	v.progress()
	return v
}

// checkFlags refuses to ask what a line about a server has no room for.
func (v *probeView) checkFlags() error {
	if !v.many || v.flags.full || v.a.global.output != formatText || v.a.jsonOutput() {
		return nil
	}
	name := ""
	switch {
	case v.flags.clients:
		name = "--clients"
	case v.flags.ntlm:
		name = "--ntlm"
	default:
		return nil
	}
	return fail(2, reasonUsage, fmt.Errorf("%s needs --full where several servers are probed", name), "xrdpfix probe "+name+" --full HOST HOST")
}

// show tells about one server. It is called for one at a time.
func (v *probeView) show(visit fleet.Visit[probed]) error {
	p, name := visit.Result, v.name(visit.Server)
	v.count(name, p, visit.Server.Target.Ranged)
	v.a.say("")
	defer v.progress()
	switch {
	case v.a.jsonOutput():
		return v.a.printJSON(v.document(p))
	case v.a.global.output == formatNagios:
		v.flags.plugin.judge(v.a, name, p, !v.many)
		return nil
	case v.a.htmlOutput():
		if p.survey.Full.Reached >= probe.StageConnect || !visit.Server.Target.Ranged {
			v.pages.add(name, p, v.a.now())
		}
		return nil
	case v.many && !v.flags.full:
		return v.line(name, p, visit.Server.Target.Ranged)
	}
	var out page
	if v.lines++; v.lines > 1 {
		out.blank()
	}
	showProbe(&out, p, v.a)
	return v.a.print(&out)
}

// name is how a server is called: as it was named, the usual port aside, and
// with its address where several of one name are probed.
func (v *probeView) name(s fleet.Server) string {
	name := strings.TrimSuffix(s.Target.String(), ":"+probe.DefaultPort)
	if s.Target.Port == rdpPort {
		name = strings.Trim(name, "[]")
	}
	if v.flags.everyAddress && len(s.Others) > 0 {
		name += " (" + s.Addr.Addr().String() + ")"
	}
	return name
}

func (v *probeView) document(p probed) *document {
	doc := v.a.document("probe", nil)
	doc.Exit = hostExit(p.survey) // the summary has that of all
	doc.Host = p.survey.Addr
	doc.Probe = probeOf(p.survey)
	if p.ntlm != nil {
		doc.Probe.NTLM = p.ntlm.NTLM
	}
	doc.Clients = clientDocs(p.server.Table())
	if p.cert != nil {
		doc.Certificate = certOf(*p.cert)
	}
	return doc
}

// count keeps the sums, and the names of those that need attention.
func (v *probeView) count(name string, p probed, ranged bool) {
	v.sum.Hosts++
	s := p.survey
	own := hostExit(s)
	switch {
	case s.Full.Reached < probe.StageConnect && ranged:
		v.sum.Silent++
		return
	case own.Reason == reasonUnreachable:
		v.sum.Unreachable++
		v.a.quit = own
	case own.Reason == reasonNoTLS:
		v.sum.WithoutTLS++
		if v.a.quit.Code == 0 {
			v.a.quit = own
		}
	}
	v.groups.add(name, p, v.a.now())
}

// hostExit is how a probe of this server alone would end.
func hostExit(s probe.ServerSurvey) exit {
	switch {
	case s.Full.Negotiation == nil:
		return exit{3, reasonUnreachable}
	case !servesTLS(s):
		return exit{3, reasonNoTLS}
	}
	return exit{0, reasonOK}
}

// progressTime is how often the line of progress is drawn at most.
const progressTime = 200 * time.Millisecond

// progress tells how far the probing is, where somebody watches.
func (v *probeView) progress() {
	switch {
	case v.sum.Hosts == v.total && !v.flags.everyAddress:
	case !v.many:
		target, _ := v.list.Alone()
		v.a.say("probing " + target.String())
	case time.Since(v.drawn) > progressTime || v.drawn.IsZero():
		v.drawn = time.Now()
		v.a.say(fmt.Sprintf("probing: %d of %d", v.sum.Hosts, v.total))
	}
}

// end prints the summary and sets how the command ends.
func (v *probeView) end() error {
	if v.sum.Hosts == v.sum.Silent && v.a.quit.Code == 0 {
		v.a.quit = exit{3, reasonUnreachable}
	}
	if v.a.global.output == formatNagios {
		return v.a.printPlugin(v.flags.plugin.finish(v), v.a.quit.Reason)
	}
	if v.a.jsonOutput() {
		doc := v.a.document("probe", nil)
		doc.Summary = v.sum
		doc.Groups = v.groups.docs()
		return v.a.printJSON(doc)
	}
	text := v.sum.text()
	if v.interrupted {
		text = fmt.Sprintf("Interrupted, %d of %d probed: %s", v.sum.Hosts, v.total, v.sum.counts())
	}
	if v.a.htmlOutput() {
		return v.a.printHTML(v.pages.page(text+".", v.many))
	}
	var p page
	if v.lines > 0 {
		p.blank()
	}
	if v.many {
		v.groups.show(&p, v.a.global.verbose)
	}
	p.para(fmt.Sprintf("%s (exit %d)", text, v.a.quit.Code))
	return v.a.print(&p)
}

// text counts what was met.
func (s probeSummary) text() string {
	met := s.Hosts - s.Silent
	text := plural(met, "host")
	switch {
	case s.Silent > 0:
		text = fmt.Sprintf("%d addresses, %s: %s", s.Hosts, text, s.counts())
		if met == 0 {
			text = fmt.Sprintf("%d addresses, nobody there", s.Hosts)
		}
	case s.Hosts == 1 && s.Unreachable == 1:
		text += ", no RDP there"
	case s.Hosts == 1 && s.WithoutTLS == 1:
		text += ", without TLS"
	case s.Hosts == 1:
		text += ", with TLS"
	default:
		text += ": " + s.counts()
	}
	if s.Repeated > 0 {
		text += fmt.Sprintf("; %d named twice", s.Repeated)
	}
	return text
}

// counts are the hosts by what they have.
func (s probeSummary) counts() string {
	with := s.Hosts - s.Silent - s.Unreachable - s.WithoutTLS
	return fmt.Sprintf("%d with TLS, %d without, %d with no RDP", with, s.WithoutTLS, s.Unreachable)
}
