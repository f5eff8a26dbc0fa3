package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"xrdpfix/diagnose"
	"xrdpfix/logwatch"
)

// show counts a connection, and prints it or keeps it for the table.
func (v *logView) show(c logwatch.Connection, o logwatch.Outcome) error {
	if v.flags.only.IsValid() && c.Client.Addr().Unmap() != v.flags.only {
		return nil
	}
	doc := connectionOf(c, o)
	noise := isNoise(o)
	v.count(doc, noise)
	if noise && !v.flags.all || v.flags.failed && o.Kind != logwatch.Failed {
		return nil
	}
	if v.a.jsonOutput() {
		d := v.a.document("log", nil)
		d.Connection = &doc
		return v.a.printJSON(d)
	}
	if o.Kind == logwatch.ConnectedTLS && !v.flags.all && !v.flags.only.IsValid() {
		if v.shown[doc.Client] {
			v.repeated++
			return nil
		}
		v.shown[doc.Client] = true
	}
	v.table.add(doc)
	return nil
}

func (v *logView) count(doc connectionDoc, noise bool) {
	v.sum.Connections++
	switch {
	case doc.Own:
		v.own++
	case noise:
		v.hung++
	case doc.Outcome == logwatch.Failed:
		v.sum.Failed++
		v.sum.Causes[doc.Cause]++
		if addr := orDash(doc.Client); !slices.Contains(v.byClient[doc.Cause], addr) {
			v.byClient[doc.Cause] = append(v.byClient[doc.Cause], addr)
		}
	default:
		v.sum.Connected++
	}
}

// flush prints the rows that were kept.
func (v *logView) flush() error {
	var p page
	v.table.print(&p, v.flags.follow)
	return v.a.print(&p)
}

// logTable is the rows of log. Their columns are as wide as what is in them.
type logTable struct {
	rows    [][6]string
	days    []string // of each row
	printed bool
	day     string
}

var logHead = [6]string{"time", "client", "name", "asked", "got", "outcome"}

func (t *logTable) add(doc connectionDoc) {
	at := doc.Time.Local()
	outcome := map[logwatch.OutcomeKind]string{
		logwatch.ConnectedTLS: "connected", logwatch.ConnectedClassic: "connected, no TLS",
		logwatch.HungUp: "hung up", logwatch.Failed: "FAIL " + orDash(doc.Cause),
	}[doc.Outcome]
	switch {
	case doc.Own:
		outcome = "a probe of ours"
	case outcome == "":
		outcome = "not known"
	}
	// Each Windows client asks for HYBRID_EX with HYBRID; the column is narrow.
	asked := strings.ReplaceAll(doc.Asked, "|HYBRID_EX", "")
	t.rows = append(t.rows, [6]string{at.Format("15:04"), clean(orDash(doc.Client)), clean(orDash(doc.Name)), clean(orDash(asked)), clean(orDash(doc.Got)), outcome})
	t.days = append(t.days, at.Format("Mon 2 Jan 2006"))
}

// print empties the table. With fixed columns, rows that come later fit too.
func (t *logTable) print(p *page, fixed bool) {
	widths := [6]int{5, 6, 4, 5, 3}
	if fixed {
		widths = [6]int{5, 15, 9, 10, 7}
	}
	for _, r := range t.rows {
		for i := range r[:5] {
			widths[i] = max(widths[i], len(r[i]))
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
			row(logHead)
			t.printed = true
		}
		if t.days[i] != t.day {
			t.day = t.days[i]
			p.linef("%s", t.day)
		}
		row(r)
	}
	t.rows, t.days = nil, nil
}

// end prints the table, the causes and the count.
func (v *logView) end(path string, files []logwatch.HistoryFile) error {
	v.sum.NotShown = v.own + v.hung
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
	p.blank()
	others := "not shown"
	if v.flags.all {
		others = "others"
	}
	p.para(fmt.Sprintf("%d connected, %d failed, %d %s (%d scanners or hang-ups, %d probes of ours)",
		v.sum.Connected, v.sum.Failed, v.own+v.hung, others, v.hung, v.own))
	return v.a.print(&p)
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
	now := v.a.now().Local()
	p.para(fmt.Sprintf("%s: %s to %s, %s", clean(text), now.Add(-time.Duration(v.flags.since)).Format(form), now.Format(form),
		plural(v.sum.Connections, "connection")))
	if len(files) == 0 {
		p.para("There is no log to read.")
	}
	for _, f := range files {
		if f.Err != nil {
			p.para(fmt.Sprintf("Not read whole: %s: %s", f.Path, clean(f.Err.Error())))
		}
	}
}

// causes says why connections failed, and whose move it is.
func (v *logView) causes(p *page) {
	if len(v.sum.Causes) == 0 {
		return
	}
	p.blank()
	wide := len("why")
	for cause := range v.sum.Causes {
		wide = max(wide, len(cause))
	}
	p.linef("%-*s whose move, and what", wide+8, "Why")
	for _, cause := range slices.Sorted(maps.Keys(v.sum.Causes)) {
		text := "the log does not say why"
		if e, ok := diagnose.Describe(diagnose.Code(cause)); ok {
			text = whose(e) + e.Meaning
		}
		clients := v.byClient[cause]
		if len(clients) > 5 {
			clients = append(clients[:5:5], fmt.Sprintf("and %d more", len(v.byClient[cause])-5))
		}
		p.block(wide+9, fmt.Sprintf("  %-*s %4d", wide, orDash(cause), v.sum.Causes[cause]), text+": "+clean(strings.Join(clients, ", ")))
	}
}

// whose says whose move it is.
func whose(e diagnose.Entry) string {
	if slices.Contains(e.Mend, diagnose.MendClient) {
		return "the client's: "
	}
	return "the server's: "
}
