package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"xrdpfix/diagnose"
	"xrdpfix/logwatch"
)

// show counts a connection, and prints it or keeps it for the table.
func (v *logView) show(c *logwatch.Connection, o logwatch.Outcome) error {
	if v.flags.only.IsValid() && c.Client.Addr().Unmap() != v.flags.only {
		return nil
	}
	doc := connectionOf(c, o)
	noise := isNoise(o)
	tries := v.count(&doc, noise)
	if noise && !v.flags.all || v.flags.failed && o.Kind != logwatch.Failed {
		return nil
	}
	if v.a.jsonOutput() {
		d := v.a.document("log", nil)
		d.Connection = &doc
		return v.a.printJSON(d)
	}
	if o.Kind == logwatch.ConnectedTLS && tries < 2 && !v.live && !v.flags.all && !v.flags.only.IsValid() {
		if v.shown[doc.Client] {
			v.repeated++
			return nil
		}
		if len(v.shown) < maxCounted {
			v.shown[doc.Client] = true
		}
	}
	v.table.add(doc, tries)
	if v.a.global.verbose {
		v.table.detail(doc, o)
	}
	return nil
}

// count counts a connection, and returns which attempt of its client in a row it is.
func (v *logView) count(doc *connectionDoc, noise bool) int {
	v.sum.Connections++
	tries := 1
	if !noise {
		tries = v.note(doc)
	}
	switch {
	case doc.Own:
		v.own++
	case noise:
		v.hung++
	case doc.Outcome == logwatch.Failed:
		v.sum.Failed++
		v.sum.Causes[doc.Cause]++
		v.blame(doc)
	default:
		v.sum.Connected++
	}
	return tries
}

// flush prints the rows that were kept.
func (v *logView) flush() error {
	var p page
	v.table.print(&p, v.flags.follow)
	return v.a.print(&p)
}

// logTable is the rows of log. Their columns are as wide as what is in them. They
// are made when they are printed: of a long log most are never shown.
type logTable struct {
	rows    []logRow
	most    int // rows that are kept, the last ones; 0 for all
	dropped int // rows before them
	printed bool
	day     string
}

// logRow is a connection, which attempt in a row it is, and what --verbose adds.
type logRow struct {
	doc     connectionDoc
	tries   int
	details []string
}

// shownAtMost is how many rows log prints unless it is asked for all: what a
// person may still page through, and what bounds its memory.
const shownAtMost = 1000

var logHead = [6]string{"time", "client", "name", "asked", "got", "outcome"}

func (t *logTable) add(doc connectionDoc, tries int) {
	if t.most > 0 && len(t.rows) >= 2*t.most { // half of them at a time, so that it costs little
		t.drop()
	}
	t.rows = append(t.rows, logRow{doc: doc, tries: tries})
}

// drop forgets all but the last rows.
func (t *logTable) drop() {
	if n := len(t.rows) - t.most; t.most > 0 && n > 0 {
		t.rows = slices.Delete(t.rows, 0, n)
		t.dropped += n
	}
}

// columns are the texts of a row.
func (r *logRow) columns() [6]string {
	outcome := map[logwatch.OutcomeKind]string{
		logwatch.ConnectedTLS: "connected", logwatch.ConnectedClassic: "connected, no TLS",
		logwatch.HungUp: "hung up", logwatch.Failed: "FAIL " + orDash(r.doc.Cause),
	}[r.doc.Outcome]
	switch {
	case r.doc.Own:
		outcome = "a probe of ours"
	case outcome == "":
		outcome = "not known"
	case r.tries > 1 && r.doc.Outcome != logwatch.Failed:
		outcome += ", " + ordinal(r.tries) + " attempt"
	}
	// Each Windows client asks for HYBRID_EX with HYBRID; the column is narrow.
	asked := strings.ReplaceAll(r.doc.Asked, "|HYBRID_EX", "")
	return [6]string{r.doc.Time.Local().Format("15:04"), clean(orDash(r.doc.Client)), clean(orDash(r.doc.Name)),
		clean(orDash(asked)), clean(orDash(r.doc.Got)), outcome}
}

// detail adds to the last row what the columns have no room for.
func (t *logTable) detail(doc connectionDoc, o logwatch.Outcome) {
	var list []string
	if doc.Cipher != "" {
		list = append(list, "cipher "+clean(doc.Cipher))
	}
	if doc.Outcome == logwatch.Failed {
		list = append(list, causeText(doc.Cause, doc.Likely))
	}
	if o.Rule != "" {
		list = append(list, "said by "+o.Rule)
	}
	if len(o.Possible) > 0 {
		list = append(list, "lines that may be another's: "+strings.Join(o.Possible, ", "))
	}
	t.rows[len(t.rows)-1].details = list
}

// ordinal counts attempts.
func ordinal(n int) string {
	switch {
	case n%100 >= 11 && n%100 <= 13:
	case n%10 == 1:
		return fmt.Sprintf("%dst", n)
	case n%10 == 2:
		return fmt.Sprintf("%dnd", n)
	case n%10 == 3:
		return fmt.Sprintf("%drd", n)
	}
	return fmt.Sprintf("%dth", n)
}

// print empties the table. With fixed columns, rows that come later fit too.
func (t *logTable) print(p *page, fixed bool) {
	t.drop()
	widths := [6]int{5, 6, 4, 5, 3}
	if fixed {
		widths = [6]int{5, 15, 9, 10, 7}
	}
	columns := make([][6]string, len(t.rows))
	for i := range t.rows {
		columns[i] = t.rows[i].columns()
		for j, text := range columns[i][:5] {
			widths[j] = max(widths[j], len(text))
		}
	}
	row := func(r [6]string) {
		line := " "
		for i, w := range widths[:5] {
			line += fmt.Sprintf(" %-*s", w, r[i])
		}
		p.linef("%s %s", line, r[5])
	}
	for i, r := range t.rows {
		if !t.printed {
			if t.dropped > 0 {
				p.linef("  ... %d earlier ones (--all shows them, --since narrows)", t.dropped)
			}
			row(logHead)
			t.printed = true
		}
		if day := r.doc.Time.Local().Format("Mon 2 Jan 2006"); day != t.day {
			t.day = day
			p.linef("%s", day)
		}
		row(columns[i])
		for _, d := range r.details {
			p.block(8, "", d)
		}
	}
	t.rows = nil
}

// end prints the table, the causes and the count.
func (v *logView) end(path string, files []logwatch.HistoryFile) error {
	v.sum.NotShown = v.own + v.hung
	v.sum.HungUp, v.sum.Own, v.sum.Clients = v.hung, v.own, v.sorted()
	if v.flags.all {
		v.sum.NotShown = 0
	}
	if v.a.jsonOutput() {
		doc := v.a.document("log", nil)
		doc.Summary = v.sum
		return v.a.printJSON(doc)
	}
	var p page
	v.heading(&p, path, files)
	if len(v.table.rows) > 0 {
		p.blank()
		v.table.print(&p, false)
		if v.repeated > 0 {
			p.linef("  ... %d more connected with TLS (--all shows them)", v.repeated)
		}
	}
	v.causes(&p)
	v.perClient(&p)
	p.blank()
	others := "not shown"
	if v.flags.all {
		others = "others"
	}
	p.para(fmt.Sprintf("%d connected, %d failed, %d %s (%d scanners or hang-ups, %d probes of ours)",
		v.sum.Connected, v.sum.Failed, v.own+v.hung, others, v.hung, v.own))
	if next := v.next(len(files)); next != "" {
		p.para(fmt.Sprintf("Next: %s (exit %d)", whole(v.a.next(next)), v.a.quit.Code))
	}
	return v.a.print(&p)
}

// next is the command to go on with: about the client that failed last, or where there
// was nothing to read. Where all is well there is none.
func (v *logView) next(files int) string {
	if files == 0 {
		return "check"
	}
	for _, c := range v.sum.Clients {
		if c.Failed > 0 && c.Address != "" && !v.flags.only.IsValid() {
			return "check --client " + c.Address
		}
	}
	return ""
}

// heading names the files that were read and the time they were read for.
func (v *logView) heading(p *page, path string, files []logwatch.HistoryFile) {
	names := []string{path}
	for _, f := range slices.Backward(files) {
		if base := filepath.Base(f.Path); base != filepath.Base(path) {
			names = append(names, base)
		}
	}
	text := names[0]
	if n := len(names); n > 1 {
		text = strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	const form = "2 Jan 15:04"
	to := v.flags.to
	if to.IsZero() {
		to = v.a.now()
	}
	p.para(fmt.Sprintf("%s: %s to %s, %s", clean(text), v.flags.from.Local().Format(form), to.Local().Format(form),
		plural(v.sum.Connections, "connection")))
	if len(files) == 0 {
		p.para("There is no log to read.")
	}
	for _, f := range files {
		if f.Err != nil {
			p.para(fmt.Sprintf("Not read whole: %s: %s", clean(f.Path), clean(f.Err.Error())))
		}
	}
}

// whose says whose move it is.
func whose(e diagnose.Entry) string {
	if slices.Contains(e.Mend, diagnose.MendClient) {
		return "the client's: "
	}
	return "the server's: "
}
