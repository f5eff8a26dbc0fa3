package main

import (
	"encoding/csv"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"xrdpfix/webpage"
)

// reportDoc is a report in JSON.
type reportDoc struct {
	Hosts  []hostDoc   `json:"hosts"`
	Unread []unreadDoc `json:"unread"`
}

type unreadDoc struct {
	File  string `json:"file"`
	Error string `json:"error"`
}

// hostDoc is one host of a report.
type hostDoc struct {
	Host     string    `json:"host"`
	File     string    `json:"file"`
	Taken    time.Time `json:"taken"`
	OS       string    `json:"os"`
	Xrdp     string    `json:"xrdp"`
	State    string    `json:"state"` // "broken", "ok", "unknown", "offline"
	Errors   []string  `json:"errors"`
	Warnings []string  `json:"warnings"`
	// CertificateEnds is absent where no certificate could be read.
	CertificateEnds time.Time `json:"certificate_ends,omitzero"`
	Modern          modernDoc `json:"tls13_only"`
}

// modernDoc is a readiness.
type modernDoc struct {
	Answer  string   `json:"answer"`
	Why     string   `json:"why"`
	Clients int      `json:"clients"`
	Lose    int      `json:"lose"`
	Unknown int      `json:"unknown"`
	Who     []string `json:"who"`
}

func (inv *inventory) document() *reportDoc {
	doc := &reportDoc{Hosts: []hostDoc{}, Unread: []unreadDoc{}}
	for _, h := range inv.hosts {
		r := h.ready
		d := hostDoc{
			Host: h.name, File: h.file, Taken: h.taken.UTC(), OS: h.os, Xrdp: h.xrdp, State: strings.ToLower(h.state),
			Errors: list(h.errors), Warnings: list(h.warnings), Modern: modernDoc{r.answer, r.why, r.seen, r.lose, r.unknown, list(r.who)},
		}
		if h.cert != nil {
			d.CertificateEnds = h.cert.NotAfter.UTC()
		}
		doc.Hosts = append(doc.Hosts, d)
	}
	for _, u := range inv.unread {
		doc.Unread = append(doc.Unread, unreadDoc{u.file, u.why})
	}
	return doc
}

// csvHead are the columns of the CSV form. None is ever renamed; new ones come
// at the end.
var csvHead = []string{
	"host", "file", "taken", "os", "xrdp", "state", "errors", "warnings", "certificate_ends",
	"tls13_only", "tls13_why", "clients", "clients_lose", "clients_unknown", "clients_lost", "not_read",
}

// csv writes the table for a spreadsheet.
func (inv *inventory) csv(w io.Writer) error {
	out := csv.NewWriter(w)
	_ = out.Write(csvHead) // Flush has the error
	for _, h := range inv.hosts {
		ends := ""
		if h.cert != nil {
			ends = h.cert.NotAfter.UTC().Format(time.RFC3339)
		}
		r := h.ready
		_ = out.Write([]string{
			csvText(h.name), csvText(h.file), h.taken.UTC().Format(time.RFC3339), csvText(h.os), csvText(h.xrdp), h.state,
			strings.Join(h.errors, " "), strings.Join(h.warnings, " "), ends,
			r.answer, r.why, strconv.Itoa(r.seen), strconv.Itoa(r.lose), strconv.Itoa(r.unknown), csvText(strings.Join(r.who, "; ")), "",
		})
	}
	for _, u := range inv.unread {
		row := make([]string, len(csvHead))
		row[1], row[len(row)-1] = csvText(u.file), csvText(u.why)
		_ = out.Write(row)
	}
	out.Flush()
	return out.Error()
}

// csvText makes a text from outside safe for a spreadsheet, which would take
// one that begins like a formula for a formula, the full-width forms included
// (OWASP, CSV Injection).
func csvText(s string) string {
	s = clean(s)
	if s != "" && strings.ContainsRune("=+-@\uff1d\uff0b\uff0d\uff20", []rune(s)[0]) {
		return "'" + s
	}
	return s
}

// page is the report to hand over.
func (inv *inventory) page(now time.Time) webpage.Page {
	cell := func(text string) webpage.Cell { return webpage.Cell{Text: text} }
	t := &webpage.Table{Caption: "Hosts", Head: []string{"host", "state", "certificate", "TLS 1.3 only", "findings"}}
	for _, h := range inv.hosts {
		state, ready := cell(h.state), cell(h.ready.text())
		state.Tone = map[string]webpage.Tone{"BROKEN": webpage.Bad, "OK": webpage.Good}[h.state]
		if h.state == "OK" && len(h.warnings) > 0 {
			state.Tone = webpage.Warn
		}
		ready.Tone = map[string]webpage.Tone{readyYes: webpage.Good, readyAlready: webpage.Good, readyNo: webpage.Bad}[h.ready.answer]
		t.Rows = append(t.Rows, webpage.TableRow{Cells: []webpage.Cell{
			cell(h.name), state, certCell(probed{cert: h.cert}, now), ready, cell(strings.Join(slices.Concat(h.errors, h.warnings), ", ")),
		}})
	}
	t.Notes = []string{`"TLS 1.3 only" is judged by the clients that each host's xrdp.log saw; "unknown" is said where the log cannot tell.`}
	p := webpage.Page{Title: plural(len(inv.hosts), "host"), Text: inv.counts() + ".", Table: t}
	if ready := inv.with(readyYes); len(ready) > 0 {
		var all []string
		for _, h := range ready {
			all = append(all, h.name)
		}
		p.Notes = append(p.Notes, webpage.Note{Title: "TLS 1.3 only would lose nobody that the logs saw", Lines: []string{strings.Join(all, ", ") + "."}, Commands: []string{"xrdpfix apply --profile modern"}})
	}
	var lost, unread []string
	for _, h := range inv.with(readyNo) {
		lost = append(lost, h.name+": "+strings.Join(h.ready.who, ", ")+".")
	}
	if len(lost) > 0 {
		p.Notes = append(p.Notes, webpage.Note{Title: "TLS 1.3 only would lose", Lines: lost})
	}
	for _, u := range inv.unread {
		unread = append(unread, u.why)
	}
	if len(unread) > 0 {
		p.Notes = append(p.Notes, webpage.Note{Title: "Not read", Lines: unread})
	}
	return p
}
