package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"xrdpfix/probe"
	"xrdpfix/webpage"
)

// probePages are the servers of a page, until all are known.
type probePages struct {
	rows    []webpage.TableRow
	servers []webpage.Server
}

// add keeps what a page tells about one server.
func (h *probePages) add(name string, p probed, now time.Time) {
	s := p.survey
	cell := func(text string) webpage.Cell { return webpage.Cell{Text: text} }
	word, tone := probeWord(s)
	h.rows = append(h.rows, webpage.TableRow{Cells: []webpage.Cell{
		cell(name), {Text: securityText(s), Tone: tone}, certCell(p, now), cell(remark(s)),
	}})
	server := webpage.Server{Name: name, Word: word, Tone: tone, Text: sentence(probeSentence(s))}
	server.Security, server.TLS = securityRows(s)
	if p.cert != nil {
		server.Certificates = []webpage.Certificate{htmlCertificate("The certificate", *p.cert, now)}
	}
	if s.Full.Negotiation != nil {
		server.Clients = htmlClients(served(s, now).Table())
	}
	h.servers = append(h.servers, server)
}

func certCell(p probed, now time.Time) webpage.Cell {
	c := webpage.Cell{Text: lastsText(p.cert, now)}
	switch {
	case ended(p.cert, now) || p.cert != nil && p.cert.Problem != "":
		c.Tone = webpage.Bad
	case ending(p.cert, now):
		c.Tone = webpage.Warn
	}
	return c
}

// probeWord answers in a word whether there is TLS.
func probeWord(s probe.ServerSurvey) (string, webpage.Tone) {
	switch {
	case s.Full.Negotiation == nil:
		return "NO RDP", webpage.Bad
	case servesTLS(s):
		return "TLS", webpage.Good
	case s.Full.Negotiation.FailureCode == 0 && s.Full.Negotiation.Selected != probe.ProtocolRDP:
		return "TLS FAILS", webpage.Bad
	}
	return "NO TLS", webpage.Bad
}

// probeSentence is the answer in a sentence.
func probeSentence(s probe.ServerSurvey) string {
	head := s.Addr
	if r := s.Full.Remote; r.IsValid() && !strings.HasPrefix(head, r.Addr().String()) {
		head += fmt.Sprintf(" (%s)", r.Addr())
	}
	if s.Full.Negotiation == nil {
		return head + ": " + s.Full.Failure.Text
	}
	text := fmt.Sprintf("%s: %s", head, securityText(s))
	if r := remark(s); r != "" {
		text += "; " + r
	}
	return text
}

// page is the whole page: a table where there are several servers, and a section
// for each, sorted as the table is.
func (h *probePages) page(summary string, many bool) webpage.Page {
	byName := func(a, b string) int { return byAddress(a, b) }
	slices.SortFunc(h.rows, func(a, b webpage.TableRow) int { return byName(a.Cells[0].Text, b.Cells[0].Text) })
	slices.SortFunc(h.servers, func(a, b webpage.Server) int { return byName(a.Name, b.Name) })
	if !many && len(h.servers) == 1 {
		s := h.servers[0]
		p := webpage.Page{Title: s.Name, Text: "What this server offers to Remote Desktop clients, from the wire."}
		s.Name = ""
		p.Servers = []webpage.Server{s}
		return p
	}
	return webpage.Page{
		Title: plural(len(h.servers), "server"), Text: summary,
		Table:   &webpage.Table{Caption: "All servers", Head: []string{"server", "security", "certificate", "remark"}, Rows: h.rows},
		Servers: h.servers,
	}
}
