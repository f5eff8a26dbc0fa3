package main

import (
	"crypto/tls"
	"net/netip"
	"slices"
	"strings"
	"time"

	"xrdpfix/probe"
)

// probeGroup is a reason to look at a server. The list is closed, worst first.
type probeGroup int

const (
	groupUnreachable probeGroup = iota
	groupNotRDP
	groupTLSFails
	groupWithoutTLS
	groupCertEnded
	groupCertEnding
	groupObsolete
	groupCount
)

// groupNames are the names in JSON, and the words on the terminal.
var groupNames = [groupCount]struct{ name, text string }{
	groupUnreachable: {"unreachable", "not reached"},
	groupNotRDP:      {"not-rdp", "no RDP"},
	groupTLSFails:    {"tls-fails", "TLS fails"},
	groupWithoutTLS:  {"without-tls", "without TLS"},
	groupCertEnded:   {"certificate-ended", "certificate not valid"},
	groupCertEnding:  {"certificate-ending", "certificate ends soon"},
	groupObsolete:    {"tls-obsolete", "TLS 1.0 or 1.1"},
}

// probeGroups are the names of the servers that need attention.
type probeGroups [groupCount][]string

// add puts a server where it belongs: into no group, or into several.
func (g *probeGroups) add(name string, p probed, now time.Time) {
	s := p.survey
	put := func(group probeGroup, when bool) {
		if when {
			g[group] = append(g[group], name)
		}
	}
	n := s.Full.Negotiation
	with, reached := servesTLS(s), s.Full.Reached >= probe.StageConnect
	fails := n != nil && !with && n.FailureCode == 0 && n.Selected != probe.ProtocolRDP
	put(groupUnreachable, !reached)
	put(groupNotRDP, reached && n == nil)
	put(groupTLSFails, fails)
	put(groupWithoutTLS, n != nil && !with && !fails)
	put(groupCertEnded, ended(p.cert, now))
	put(groupCertEnding, ending(p.cert, now) && !ended(p.cert, now))
	put(groupObsolete, with && accepted(s)[0] < tls.VersionTLS12)
}

// groupDoc is a group in JSON.
type groupDoc struct {
	Name  string   `json:"name"`
	Hosts []string `json:"hosts"`
}

func (g *probeGroups) docs() []groupDoc {
	out := []groupDoc{}
	for i, hosts := range g {
		if len(hosts) > 0 {
			slices.SortFunc(hosts, byAddress)
			out = append(out, groupDoc{groupNames[i].name, hosts})
		}
	}
	return out
}

// shownHosts is how many of a group are named without --verbose.
const shownHosts = 12

// show prints the groups, sorted.
func (g *probeGroups) show(p *page, verbose bool) {
	wide := 0
	for i, hosts := range g {
		if len(hosts) > 0 {
			wide = max(wide, len(groupNames[i].text))
		}
	}
	if wide == 0 {
		return
	}
	p.linef("Look at")
	for i, hosts := range g {
		if len(hosts) == 0 {
			continue
		}
		slices.SortFunc(hosts, byAddress)
		shown := hosts
		if !verbose && len(hosts) > shownHosts {
			shown = hosts[:shownHosts]
		}
		var names []string
		for _, h := range shown {
			names = append(names, whole(clean(h)))
		}
		text := strings.Join(names, ", ")
		if left := len(hosts) - len(shown); left > 0 {
			text += ", " + moreText(left)
		}
		p.block(wide+4, "  "+groupNames[i].text, text)
	}
	p.blank()
}

// byAddress sorts addresses by number, and names behind them by letter.
func byAddress(a, b string) int {
	x, y := addressOf(a), addressOf(b)
	switch {
	case x.IsValid() && y.IsValid():
		if c := x.Compare(y); c != 0 {
			return c
		}
	case x.IsValid():
		return -1
	case y.IsValid():
		return 1
	}
	return strings.Compare(a, b)
}

// addressOf is the address in a server's name, if it has one there.
func addressOf(name string) netip.Addr {
	if ap, err := netip.ParseAddrPort(name); err == nil {
		return ap.Addr()
	}
	a, _ := netip.ParseAddr(name)
	return a
}
