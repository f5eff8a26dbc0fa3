package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// reportColumns are the state of a host, its certificate and its readiness,
// beside its name; what was found stands below.
const reportColumns = "%-8s %-12s %s"

// nameWidth is how wide the names of hosts get beside those columns.
const nameWidth = 34

// oldFacts is the age from which on facts are called old.
const oldFacts = 14 * day

func countOf(n, of int) string { return fmt.Sprintf("%d of %d", n, of) }

// show prints the table, and what can be done.
func (inv *inventory) show(p *page, a *app) {
	wide := len("host")
	for _, h := range inv.hosts {
		if n := len([]rune(clean(h.name))); n <= nameWidth {
			wide = max(wide, n)
		}
	}
	line := func(name, rest string) {
		if len([]rune(name)) > wide {
			p.linef("%s", name)
			name = ""
		}
		p.linef("%-*s  %s", wide, name, rest)
	}
	line("host", fmt.Sprintf(reportColumns, "state", "certificate", "TLS 1.3 only?"))
	for _, h := range inv.hosts {
		line(clean(h.name), fmt.Sprintf(reportColumns, h.state, lastsText(h.cert, a.now()), h.ready.text()))
		if codes := slices.Concat(h.errors, h.warnings); len(codes) > 0 {
			p.block(4, "", strings.Join(codes, ", "))
		}
	}
	inv.showReady(p)
	inv.showOld(p, a.now())
	if len(inv.unread) > 0 {
		p.blank()
		p.linef("Not read")
		for _, u := range inv.unread {
			p.block(2, "", clean(u.why))
		}
	}
	p.blank()
	p.para(fmt.Sprintf("%s (exit %d)", inv.counts(), a.quit.Code))
}

// showReady lists the hosts by whether they could go to TLS 1.3 only.
func (inv *inventory) showReady(p *page) {
	ready, losing := inv.with(readyYes), inv.with(readyNo)
	if len(ready)+len(losing) == 0 {
		return
	}
	p.blank()
	if len(ready) > 0 {
		p.block(2, "TLS 1.3 only would lose nobody that the logs saw, at: ", "")
		p.block(2, "", names(ready))
		p.linef("  xrdpfix apply --profile modern")
	}
	for _, h := range losing {
		p.block(2, fmt.Sprintf("At %s it would lose", clean(h.name)), "")
		p.block(2, "", shortList(h.ready.who))
	}
}

// shortList names the first few.
func shortList(list []string) string {
	var out []string
	for i, s := range list {
		if i == shownHosts {
			out = append(out, fmt.Sprintf("and %d more", len(list)-i))
			break
		}
		out = append(out, whole(clean(s)))
	}
	return strings.Join(out, ", ")
}

// showOld names facts that may be over.
func (inv *inventory) showOld(p *page, now time.Time) {
	var old []hostRow
	for _, h := range inv.hosts {
		if now.Sub(h.taken) > oldFacts {
			old = append(old, h)
		}
	}
	if len(old) > 0 {
		p.blank()
		p.block(2, fmt.Sprintf("Facts older than %s: ", daysText(oldFacts)), "")
		p.block(2, "", names(old))
	}
}

// with are the hosts of one answer.
func (inv *inventory) with(answer string) []hostRow {
	return slices.DeleteFunc(slices.Clone(inv.hosts), func(h hostRow) bool { return h.ready.answer != answer })
}

func names(hosts []hostRow) string {
	var out []string
	for _, h := range hosts {
		out = append(out, whole(clean(h.name)))
	}
	return strings.Join(out, ", ")
}

// counts is the last line: how many of each state.
func (inv *inventory) counts() string {
	n := map[string]int{}
	for _, h := range inv.hosts {
		n[h.state]++
	}
	text := plural(len(inv.hosts), "host")
	sep := ": "
	for _, s := range []struct{ state, text string }{
		{"BROKEN", "broken"}, {"UNKNOWN", "unknown"}, {"OFFLINE", "offline"}, {"OK", "ok"},
	} {
		if n[s.state] > 0 {
			text += fmt.Sprintf("%s%d %s", sep, n[s.state], s.text)
			sep = ", "
		}
	}
	if len(inv.unread) > 0 {
		text += "; " + plural(len(inv.unread), "file") + " not read"
	}
	return text
}
