package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"xrdpfix/diagnose"
	"xrdpfix/logwatch"
)

// clientCount is what one client met.
type clientCount struct {
	Address   string    `json:"address"`
	Name      string    `json:"name"`
	Connected int       `json:"connected"`
	Failed    int       `json:"failed"`
	Last      time.Time `json:"last"`
	// TLS is the newest version that it got, "1.3".
	TLS string `json:"tls"`
	// Cause is why the last failure was one.
	Cause string `json:"cause"`

	failedAt time.Time // since it last came in
	tries    int
}

// causeCount is one reason for failures.
type causeCount struct {
	count   int
	sure    bool // stated by a line at least once
	clients []string
	known   map[string]bool // those in clients
}

// maxCounted bounds the memory that a log full of forged addresses can cost.
const maxCounted = 10_000

// again is how soon after a failure a client that comes in has tried again.
const again = 10 * time.Minute

// note counts a connection to its client, and returns which attempt in a row it is.
func (v *logView) note(doc *connectionDoc) int {
	c := v.clients[doc.Client]
	if c == nil {
		if len(v.clients) >= maxCounted {
			return 1
		}
		c = &clientCount{Address: doc.Client}
		v.clients[doc.Client] = c
	}
	c.Last = doc.Time
	if doc.Name != "" {
		c.Name = doc.Name
	}
	if doc.Outcome == logwatch.Failed {
		c.Failed++
		c.Cause = doc.Cause
		if doc.Time.Sub(c.failedAt) > again {
			c.tries = 0
		}
		c.tries++
		c.failedAt = doc.Time
		return c.tries
	}
	c.Connected++
	c.TLS = max(c.TLS, strings.TrimPrefix(doc.Got, "TLS "))
	if doc.Outcome == logwatch.ConnectedClassic {
		c.TLS = ""
	}
	tries := 1
	if doc.Time.Sub(c.failedAt) <= again {
		tries += c.tries
	}
	c.tries = 0
	return tries
}

// blame counts a failed connection to its cause.
func (v *logView) blame(doc *connectionDoc) {
	c := v.byCause[doc.Cause]
	if c == nil {
		c = &causeCount{known: map[string]bool{}}
		v.byCause[doc.Cause] = c
	}
	c.count++
	c.sure = c.sure || !doc.Likely
	if addr := orDash(doc.Client); len(c.clients) < maxCounted && !c.known[addr] {
		c.known[addr] = true
		c.clients = append(c.clients, addr)
	}
}

// sorted are the clients, those with failures first, then the one seen last.
func (v *logView) sorted() []clientCount {
	list := []clientCount{}
	for _, c := range v.clients {
		list = append(list, *c)
	}
	slices.SortFunc(list, func(a, b clientCount) int {
		return cmp.Or(cmp.Compare(min(b.Failed, 1), min(a.Failed, 1)), b.Last.Compare(a.Last), strings.Compare(a.Address, b.Address))
	})
	return list
}

// causes says why connections failed, and whose move it is.
func (v *logView) causes(p *page) {
	if len(v.byCause) == 0 {
		return
	}
	p.blank()
	wide := len("why")
	for cause := range v.byCause {
		wide = max(wide, len(cause))
	}
	p.linef("%-*s whose move, and what", wide+8, "Why")
	const most = 5
	for _, cause := range slices.Sorted(maps.Keys(v.byCause)) {
		c := v.byCause[cause]
		text := causeText(cause, !c.sure)
		who := c.clients
		if len(who) > most && !v.a.global.verbose {
			who = append(who[:most:most], fmt.Sprintf("and %d more", len(c.clients)-most))
		}
		text += "\nfrom " + clean(strings.Join(who, ", "))
		if _, known := diagnose.Describe(diagnose.Code(cause)); known {
			text += "\n" + whole("xrdpfix explain "+cause)
			for _, command := range handouts(cause) {
				text += "\n" + whole(v.a.rooted(command))
			}
		}
		p.block(wide+9, fmt.Sprintf("  %-*s %4d", wide, orDash(cause), c.count), text)
	}
}

// perClient sums up what each client met.
func (v *logView) perClient(p *page) {
	list := v.sorted()
	if v.flags.failed {
		list = slices.DeleteFunc(list, func(c clientCount) bool { return c.Failed == 0 })
	}
	if len(list) == 0 || len(list) < 3 && !v.a.global.verbose {
		return
	}
	most := 10
	if v.a.global.verbose {
		most = len(list)
	}
	p.blank()
	addr, name := len("Client"), len("name")
	for _, c := range list[:min(most, len(list))] {
		addr, name = max(addr, len(clean(orDash(c.Address)))), max(name, len(clean(orDash(c.Name))))
	}
	p.linef("%-*s %-*s connected  failed  last", addr+2, "Client", name, "name")
	for i, c := range list {
		if i == most {
			p.linef("  ... %d more (--verbose shows them)", len(list)-i)
			break
		}
		p.linef("  %-*s %-*s %9d %7d  %s", addr, clean(orDash(c.Address)), name, clean(orDash(c.Name)), c.Connected, c.Failed, dayText(c.Last, v.a.now()))
	}
}
