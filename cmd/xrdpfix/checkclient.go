package main

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"xrdpfix/clientele"
	"xrdpfix/diagnose"
)

// askedDoc is what xrdp.log tells of the one client of check --client.
type askedDoc struct {
	Address string `json:"address"`
	// Arrived: a line of the log is from it.
	Arrived bool `json:"arrived"`
	// HungUp: it left each time before it asked for anything.
	HungUp   bool         `json:"hung_up"`
	Since    time.Time    `json:"since"`
	Ways     []wayDoc     `json:"ways"`
	Failures []attemptDoc `json:"failures"`
}

// wayDoc is one way by which it came in.
type wayDoc struct {
	Name        string    `json:"name"`
	TLS         string    `json:"tls"`
	Asked       string    `json:"asked"`
	Connections int       `json:"connections"`
	Last        time.Time `json:"last"`
}

// attemptDoc is one attempt that failed since it last came in.
type attemptDoc struct {
	Time   time.Time     `json:"time"`
	Cause  diagnose.Code `json:"cause"`
	Likely bool          `json:"likely"`
	Asked  string        `json:"asked"`
}

// askedClient reads the flag: an address, or nothing.
func askedClient(text string) (netip.Addr, error) {
	if text == "" {
		return netip.Addr{}, nil
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return addr, usagef("--client %s is not an address", text)
	}
	return addr.Unmap(), nil
}

// seenClient finds a client among those seen.
func seenClient(r diagnose.Recent, addr netip.Addr) (seen diagnose.ClientSeen, found bool) {
	i := slices.IndexFunc(r.ByClient, func(c diagnose.ClientSeen) bool { return c.Addr == addr.String() })
	if i < 0 {
		return diagnose.ClientSeen{Addr: addr.String()}, false
	}
	return r.ByClient[i], true
}

func askedOf(l *look, addr netip.Addr) *askedDoc {
	r := l.facts.Log.Recent
	if !addr.IsValid() || !r.Ok() {
		return nil
	}
	c, found := seenClient(r.Value, addr)
	hung := slices.Contains(r.Value.HungUp, addr.String())
	doc := &askedDoc{Address: addr.String(), Arrived: found || hung, HungUp: hung, Since: r.Value.Since.UTC(), Ways: []wayDoc{}, Failures: []attemptDoc{}}
	for _, w := range c.Ways {
		doc.Ways = append(doc.Ways, wayDoc{w.Name, w.TLS, w.Asked, w.Count, w.Last.UTC()})
	}
	for _, f := range c.Failures {
		doc.Failures = append(doc.Failures, attemptDoc{f.Time.UTC(), f.Cause, f.Likely, f.Asked})
	}
	return doc
}

// showAsked tells what the client met, and what its owner must do.
func (a *app) showAsked(p *page, l *look, addr netip.Addr) {
	r := l.facts.Log.Recent
	if !r.Ok() {
		p.para(fmt.Sprintf("Client %s: xrdp.log was not read: %s.", addr, clean(r.Skipped+r.Failed)))
		return
	}
	c, found := seenClient(r.Value, addr)
	p.linef("Client %s, %s", addr, sinceText(&l.facts))
	const label = 13
	now := l.facts.Taken
	if !found {
		if slices.Contains(r.Value.HungUp, addr.String()) {
			p.block(label, "  arrived", "and hung up each time before it asked for anything: a port scanner, a health check, or a connection that something on the way cuts off.")
			return
		}
		p.block(label, "  arrived", "never: no line of "+clean(logName(&l.facts))+" is from it.")
		return
	}
	for _, w := range c.Ways {
		with := "without TLS"
		if w.TLS != "" {
			with = "with TLS " + clean(w.TLS[min(len("TLSv"), len(w.TLS)):])
			if w.TLS == "TLSv1" {
				with = "with TLS 1.0"
			}
		}
		p.block(label, "  came in", fmt.Sprintf("%s as %s, %s, last %s", with, clean(orDash(w.Name)), plural(w.Count, "time"), dayText(w.Last, now)))
	}
	if len(c.Ways) == 0 {
		p.block(label, "  came in", "never")
	}
	for i, n := 0, len(c.Failures); i < n; {
		k := i
		for k < n && c.Failures[k].Cause == c.Failures[i].Cause && c.Failures[k].Asked == c.Failures[i].Asked {
			k++
		}
		f := c.Failures[k-1]
		p.block(label, "  failed", fmt.Sprintf("%s, last %s, asked %s: %s", plural(k-i, "time"), dayText(f.Time, now), clean(orDash(f.Asked)), orDash(string(f.Cause))))
		p.block(label, "", causeText(string(f.Cause), f.Likely))
		i = k
	}
	a.showAskedNow(p, l, c, label)
}

// showAskedNow says how it would fare now, as far as the log tells what it knows.
func (a *app) showAskedNow(p *page, l *look, c diagnose.ClientSeen, label int) {
	if len(c.Failures) > 0 && c.Failures[len(c.Failures)-1].Time.Before(l.facts.Config.Value.MTime) {
		p.block(label, "  since then", "xrdp.ini was changed on "+l.facts.Config.Value.MTime.Local().Format("2 Jan 15:04")+": it may get in now; have it try again.")
		return
	}
	if len(c.Failures) > 0 || len(c.Ways) == 0 {
		return
	}
	s := situation(l)
	s.After = s.Now
	for _, f := range clientele.Judge(diagnose.Recent{ByClient: []diagnose.ClientSeen{c}}, s) {
		who := clean(orDash(f.Name))
		switch f.Fate {
		case clientele.Keep:
			p.block(label, "  now", who+" gets in as before ("+whyText(f, s)+")")
		case clientele.Lose:
			p.block(label, "  now", who+" no longer gets in: "+whyText(f, s))
		default:
			p.block(label, "  now", who+": "+whyText(f, s))
		}
	}
}
