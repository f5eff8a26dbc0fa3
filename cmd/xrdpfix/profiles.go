package main

import (
	"fmt"
	"strings"

	"xrdpfix/clients"
	"xrdpfix/probe"
)

// profileDoc is a client as the tables know it; see clients.Profile.
type profileDoc struct {
	Key           string   `json:"key"`
	Name          string   `json:"name"`
	Kind          string   `json:"kind"`
	Known         string   `json:"known"`
	Of            string   `json:"of"`
	Links         []string `json:"links"`
	Requests      []string `json:"requests"`
	NoNegotiation bool     `json:"no_negotiation"`
	NLA           bool     `json:"nla"`
	InsistsNLA    bool     `json:"insists_nla"`
	Classic       bool     `json:"classic"`
	TLS           []string `json:"tls"`
	Suites        []string `json:"suites"`
}

func profileDocs() []profileDoc {
	out := []profileDoc{}
	for _, p := range clients.Profiles() {
		doc := profileDoc{
			Key: p.Key, Name: p.Name, Kind: p.Kind, Known: howKnown(p.Known), Of: p.Of, Links: list(p.Links), Requests: []string{},
			NoNegotiation: p.NoNegotiation, NLA: p.NLA, InsistsNLA: p.InsistsNLA, Classic: p.Classic, TLS: []string{}, Suites: []string{},
		}
		for _, r := range p.Requests {
			doc.Requests = append(doc.Requests, askedText(r))
		}
		for _, v := range p.Versions {
			doc.TLS = append(doc.TLS, v.String())
		}
		for _, id := range p.Hello.CipherSuites {
			doc.Suites = append(doc.Suites, probe.CipherName(id))
		}
		out = append(out, doc)
	}
	return out
}

func howKnown(k clients.Known) string {
	if k == clients.NotKnown {
		return "not known"
	}
	return string(k)
}

// profiles tells how each client of the tables is known.
func (a *app) profiles() error {
	if a.jsonOutput() {
		doc := a.document("probe", nil)
		doc.Profiles = profileDocs()
		return a.printJSON(doc)
	}
	var p page
	p.para("The clients of the tables. captured: from the real program, which the tests compare. documented: by its maker. A client that is neither is never judged.")
	for _, c := range profileDocs() {
		p.blank()
		p.linef("%-25s %s", c.Name, c.Known)
		if c.Known == howKnown(clients.NotKnown) {
			continue
		}
		p.block(2, "", "of "+c.Of)
		for _, l := range c.Links {
			p.linef("  %s", l)
		}
		p.block(12, "  asks for", requestsText(c))
		p.block(12, "  TLS", tlsText(c))
	}
	p.blank()
	p.para("xrdpfix probe --clients HOST sends what is known of each (exit 0).")
	return a.print(&p)
}

func requestsText(c profileDoc) string {
	text := strings.Join(c.Requests, ", then ")
	switch {
	case c.NoNegotiation:
		return "nothing: it sends no RDP_NEG_REQ"
	case c.InsistsNLA:
		return text + "; insists on NLA"
	case c.Classic:
		return text + "; goes on with classic RDP"
	}
	return text
}

func tlsText(c profileDoc) string {
	var versions []string
	for _, v := range c.TLS {
		versions = append(versions, strings.TrimPrefix(v, "TLS "))
	}
	switch {
	case len(versions) == 0:
		return "none"
	case len(c.Suites) == 0:
		return strings.Join(versions, ", ") + "; its cipher suites are not known"
	}
	return fmt.Sprintf("%s; %d cipher suites", strings.Join(versions, ", "), len(c.Suites))
}
