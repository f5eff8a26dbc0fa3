package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"xrdpfix/clientele"
	"xrdpfix/diagnose"
	"xrdpfix/probe"
	"xrdpfix/xrdpconf"
)

// situation is what clients meet now and after the plan.
func situation(l *look) clientele.Situation {
	s := clientele.Situation{Now: policyNow(&l.facts), After: policyAfter(l), Settled: l.facts.Config.Value.MTime.Truncate(time.Second)}
	s.Mends = func(code diagnose.Code) bool { return slices.Contains(l.plan.Because, code) }
	return s
}

// policyNow is what the wire accepts, or what xrdp.ini says where it was not asked.
func policyNow(f *diagnose.Facts) clientele.Policy {
	p := clientele.Policy{Classic: f.Server().SecurityLayer != xrdpconf.SecurityLayerTLS}
	if !f.Wire.Ok() {
		if f.Server().SecurityLayer != xrdpconf.SecurityLayerRDP {
			p.Range = listed(f.Server())
		}
		return p
	}
	p.Range = rangeOf(f.Wire.Value.Accepted())
	if t := f.Wire.Value.Full.TLS; t != nil {
		p.Range = rangeOf(append(f.Wire.Value.Accepted(), t.Version))
	}
	return p
}

// policyAfter is what the plan comes to.
func policyAfter(l *look) clientele.Policy {
	e := l.plan.Expect
	p := clientele.Policy{Classic: e.Classic, Range: rangeOf(e.Accept)}
	if e.Selected == probe.ProtocolRDP {
		p.Range = xrdpconf.Range{}
		return p
	}
	if p.Range.Min != 0 {
		return p
	}
	// Nothing is accepted now that would be: what is listed will be.
	var left []probe.TLSVersion
	for v := xrdpconf.TLS10; v <= xrdpconf.TLS13; v++ {
		if !slices.Contains(e.Refuse, probe.TLSVersion(v)) {
			left = append(left, probe.TLSVersion(v))
		}
	}
	if len(e.Refuse) == 0 {
		left = []probe.TLSVersion{probe.TLSVersion(xrdpconf.TLS12), probe.TLSVersion(xrdpconf.TLS13)} // OpenSSL's own choice
	}
	p.Range = rangeOf(left)
	return p
}

func listed(s xrdpconf.Server) xrdpconf.Range {
	var list []probe.TLSVersion
	for _, token := range s.Protocols {
		if v, ok := xrdpconf.VersionOfToken(token); ok {
			list = append(list, probe.TLSVersion(v))
		}
	}
	return rangeOf(list)
}

func rangeOf(versions []probe.TLSVersion) xrdpconf.Range {
	if len(versions) == 0 {
		return xrdpconf.Range{}
	}
	return xrdpconf.Range{Min: xrdpconf.TLSVersion(slices.Min(versions)), Max: xrdpconf.TLSVersion(slices.Max(versions))}
}

// fates counts clients by their fate.
func fates(clients []clientele.Client) map[clientele.Fate]int {
	n := map[clientele.Fate]int{}
	for _, c := range clients {
		n[c.Fate]++
	}
	return n
}

// sinceText is the time that was looked at: "in 30 days".
func sinceText(f *diagnose.Facts) string {
	r := f.Log.Recent.Value
	if whole := f.Taken.AddDate(0, 0, -r.Days); r.Since.Sub(whole) > time.Hour {
		return "since " + r.Since.Local().Format("2 Jan 15:04")
	}
	return "in " + plural(r.Days, "day")
}

// showClienteleLine says in one line whom the plan would shut out.
func (a *app) showClienteleLine(p *page, l *look, stated string) {
	if !l.facts.Log.Recent.Ok() {
		return
	}
	judged := clientele.Judge(l.facts.Log.Recent.Value, situation(l))
	if len(judged) == 0 {
		p.block(10, "Clients", "none was seen "+sinceText(&l.facts))
		return
	}
	n := fates(judged)
	text := fmt.Sprintf("%d seen %s would lose access, %d would gain TLS", n[clientele.Lose], sinceText(&l.facts), n[clientele.Gain])
	if n[clientele.Unknown] > 0 {
		text += fmt.Sprintf(", %d not known", n[clientele.Unknown])
	}
	p.block(10, "Clients", text+" ("+whole(a.next("plan"+stated+" --clients"))+" lists them)")
}

// showClientele lists the clients by what becomes of them, and names the strictest
// policy that loses nobody.
func (a *app) showClientele(p *page, l *look) {
	r := l.facts.Log.Recent
	if !r.Ok() {
		p.para("Your clients: xrdp.log was not read: " + clean(r.Skipped+r.Failed) + ".")
		return
	}
	s := situation(l)
	judged := clientele.Judge(r.Value, s)
	const form = "2 Jan"
	p.para(fmt.Sprintf("Your clients, from %s, %s to %s: %s, %s", clean(logName(&l.facts)), r.Value.Since.Local().Format(form), l.facts.Taken.Local().Format(form),
		plural(len(judged), "client"), plural(r.Value.Connections, "connection")))
	for len(judged) > 0 {
		n := slices.IndexFunc(judged, func(c clientele.Client) bool { return !sameFate(c, judged[0]) })
		if n < 0 {
			n = len(judged)
		}
		a.showFate(p, judged[:n], s, l.facts.Taken)
		judged = judged[n:]
	}
	a.showStrictest(p, r.Value, s)
	for _, limit := range limits(r.Value, s) {
		p.block(10, "Mind", limit)
	}
}

func sameFate(a, b clientele.Client) bool {
	return a.Fate == b.Fate && a.Why == b.Why && (a.TLS == b.TLS || a.Fate == clientele.Refused)
}

// logName names where the clients were seen.
func logName(f *diagnose.Facts) string {
	if !strings.HasPrefix(f.Log.Path, "/") || f.Log.Path == "/dev/null" {
		return "the journal"
	}
	if i := strings.LastIndexByte(f.Log.Path, '/'); i >= 0 {
		return f.Log.Path[i+1:]
	}
	return f.Log.Path
}

// maxListed is how many clients of one fate are listed without --verbose.
const maxListed = 20

// showFate prints the clients of one fate and reason.
func (a *app) showFate(p *page, list []clientele.Client, s clientele.Situation, now time.Time) {
	label := string(list[0].Fate)
	if list[0].Fate == clientele.Lose {
		label = "LOSE"
	}
	p.block(17, fmt.Sprintf("  %-8s %4d", label, len(list)), whyText(list[0], s))
	quiet := list[0].Fate == clientele.Keep || list[0].Fate == clientele.Refused
	if quiet && !a.global.verbose {
		return
	}
	addr, name := 0, 0
	for _, c := range list {
		addr, name = max(addr, len(clean(c.Addr))), max(name, len(clean(orDash(c.Name))))
	}
	for i, c := range list {
		if i == maxListed && !a.global.verbose {
			p.linef("%19s... %d more (--verbose lists them)", "", len(list)-i)
			break
		}
		text := fmt.Sprintf("%-10s last %s", plural(c.Count, "time")+",", dayText(c.Last, now))
		if c.Mixed {
			text += ", not always"
		}
		if c.Cause != "" {
			text += ", " + string(c.Cause)
		}
		line := fmt.Sprintf("%19s%-*s  %-*s  %s", "", addr, clean(c.Addr), name, clean(orDash(c.Name)), text)
		if len(line) > width {
			p.linef("%19s%s  %s", "", clean(c.Addr), clean(orDash(c.Name)))
			line = fmt.Sprintf("%21s%s", "", text)
		}
		p.linef("%s", line)
	}
}

// dayText is a time as people say it: "today 14:02".
func dayText(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	switch date := t.Format(time.DateOnly); date {
	case now.Format(time.DateOnly):
		return "today " + t.Format("15:04")
	case now.AddDate(0, 0, -1).Format(time.DateOnly):
		return "yesterday " + t.Format("15:04")
	}
	return t.Format("2 Jan 15:04")
}

// whyText says why a client meets its fate.
func whyText(c clientele.Client, s clientele.Situation) string {
	version := "TLS " + c.TLS.Number()
	switch c.Why {
	case clientele.WhyServed:
		return version + " today"
	case clientele.WhyClassicServed:
		return "no TLS today, and still let in"
	case clientele.WhyTooOld:
		if c.TLS == xrdpconf.TLS12 {
			return "took TLS 1.2 while 1.3 was on offer"
		}
		return "took " + version + " while a newer one was on offer"
	case clientele.WhyClassicOnly:
		return "classic RDP only: asked for no TLS"
	case clientele.WhyNeverOffered:
		return "took " + version + "; as far as is known nothing newer was on offer then"
	case clientele.WhyAboveRange:
		return version + " today; whether it knows TLS " + s.After.Range.Max.Number() + " was never seen"
	case clientele.WhyAskedUnknown:
		return "came in without TLS; the log does not tell whether it had asked for it"
	case clientele.WhyNoTLSLeft:
		if !s.After.Classic {
			return version + " today, and none is left"
		}
		return version + " today; whether it falls back to classic RDP was never seen"
	case clientele.WhyGainsTLS:
		return "asked for TLS and was given none; which versions it knows was never seen"
	case clientele.WhyGainsAccess:
		return "does not get in today, and will"
	case clientele.WhyWiderRange:
		return "too old today; may get in"
	}
	return "do not get in today either (xrdpfix log --failed)"
}

// showStrictest names the strictest policies.
func (a *app) showStrictest(p *page, seen diagnose.Recent, s clientele.Situation) {
	sure, next, ok := clientele.Strictest(seen, s)
	if !ok {
		if len(seen.ByClient) > 0 {
			p.para("No client was seen with TLS so far, so the strictest policy for them is not known yet. Ask again when they have used it for some days.")
		}
		return
	}
	p.linef("The strictest policy that loses nobody seen here:")
	p.linef("  %s", sure.Policy.Flags())
	for _, n := range next {
		p.para("The strictest if you mend or retire " + blockers(n.First) + " first:")
		p.linef("  %s", n.Policy.Flags())
	}
}

// blockers names the clients that stand in the way.
func blockers(list []clientele.Client) string {
	const most = 5
	if len(list) > most {
		return fmt.Sprintf("%d clients", len(list))
	}
	var names []string
	for _, c := range list {
		name := clean(c.Addr)
		if c.Name != "" {
			name += whole(" (" + clean(c.Name) + ")")
		}
		names = append(names, name)
	}
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return names[0]
}

// limits are what the figures cannot tell.
func limits(r diagnose.Recent, s clientele.Situation) []string {
	list := []string{"an address may be several machines (NAT), and a name is the client's own claim. Who did not come in that time is not counted."}
	if s.After.Classic && s.After.Range.Min > s.Now.Range.Min && s.Now.Range.Min != 0 {
		list = append(list, "where TLS fails, some programs (rdesktop) fall back to classic RDP instead of failing.")
	}
	if r.Left > 0 {
		list = append(list, fmt.Sprintf("%d more addresses in the log were not looked at.", r.Left))
	}
	return list
}
