package main

import (
	"fmt"
	"strings"

	"xrdpfix/certs"
	"xrdpfix/diagnose"
	"xrdpfix/webpage"
)

// checkPage is what check found, to hand over: all of it, with all evidence.
func (a *app) checkPage(l *look) webpage.Page {
	f := &l.facts
	host := hostName(f)
	page := webpage.Page{Title: host, Text: sentence(strings.TrimPrefix(subject(f), host+": "))}
	s := webpage.Server{}
	s.Word, s.Text = health(l)
	s.Tone = map[string]webpage.Tone{"BROKEN": webpage.Bad, "OK": webpage.Good}[s.Word]
	if s.Word == "OK" && l.count(diagnose.Warning) > 0 {
		s.Tone = webpage.Warn
	}
	s.Text = sentence(s.Text)
	for _, x := range l.found {
		s.Findings = append(s.Findings, htmlFinding(x))
	}
	if f.Wire.Ok() {
		s.Security, s.TLS = securityRows(f.Wire.Value)
		s.Clients = htmlClients(servedNow(f).Table())
		if r := f.Log.Recent; r.Ok() && r.Value.Clients > 0 {
			s.Clients.Notes = append(s.Clients.Notes, "Seen here: "+seenText(r.Value)+".")
		}
	}
	s.Certificates = a.htmlPair(f)
	s.Unseen = unseen(f)
	page.Servers = []webpage.Server{s}
	page.Notes = []webpage.Note{a.htmlNext(l)}
	return page
}

// htmlPair is the certificate of the file, and that of the wire where it is
// another.
func (a *app) htmlPair(f *diagnose.Facts) []webpage.Certificate {
	served := servedHere(f, f.Wire.Value).Certificate
	seen := f.Wire.Ok() && served.SHA256 != ""
	file := f.Pair.Ok() && f.Cert.Exists
	switch {
	case file && seen && served.SHA256 == f.Pair.Value.Cert.SHA256:
		c := htmlCertificate("The certificate", served, f.Taken)
		c.Rows = append(c.Rows, webpage.Row{Label: "file", Text: f.Cert.Path + linkText(f.Cert)}, keyRow(f))
		return []webpage.Certificate{c}
	case !file && !seen:
		return nil
	}
	var out []webpage.Certificate
	add := func(where string, c certs.CertInfo, more ...webpage.Row) {
		h := htmlCertificate(where, c, f.Taken)
		h.Rows = append(h.Rows, more...)
		out = append(out, h)
	}
	if seen {
		add("The certificate that is served", served)
	}
	if file {
		add("The certificate in the file", f.Pair.Value.Cert, webpage.Row{Label: "file", Text: f.Cert.Path + linkText(f.Cert)}, keyRow(f))
	}
	return out
}

func keyRow(f *diagnose.Facts) webpage.Row {
	return webpage.Row{Label: "key", Text: f.Key.Path + linkText(f.Key), Note: keyState(f)}
}

func htmlFinding(x diagnose.Finding) webpage.Finding {
	out := webpage.Finding{
		Severity: string(x.Severity), Code: string(x.Code), Text: x.Detail, Remedy: x.Remedy, Commands: x.Commands,
		Tone: map[diagnose.Severity]webpage.Tone{diagnose.Error: webpage.Bad, diagnose.Warning: webpage.Warn}[x.Severity],
	}
	for _, e := range x.Evidence {
		out.Evidence = append(out.Evidence, webpage.Row{Label: e.Kind, Text: evidenceText(e)})
	}
	return out
}

// htmlNext says what to run, as the last line of the text does.
func (a *app) htmlNext(l *look) webpage.Note {
	n := webpage.Note{Title: "Next"}
	if l.facts.Replayed {
		n.Title = "Next, on that machine"
	}
	counts := plural(l.count(diagnose.Error), "error") + ", " + plural(l.count(diagnose.Warning), "warning")
	if ignored := len(l.ignored); ignored > 0 {
		counts += fmt.Sprintf(", %d ignored", ignored)
	}
	n.Lines = []string{counts + "."}
	switch {
	case !l.plan.Empty():
		n.Commands = []string{a.next("plan"), a.next("apply")}
	case l.onlyPlanTells():
		n.Commands = []string{a.next("plan")}
	case len(l.plan.Manual) > 0:
		n.Lines = append(n.Lines, "Run the commands above.")
	case len(unseen(&l.facts)) > 0 && !l.facts.Host.Root:
		n.Commands = []string{"sudo " + a.next("check")}
	case l.count(diagnose.Error) > 0:
		n.Lines = append(n.Lines, "Do what is said above.")
	default:
		n.Lines = append(n.Lines, "Nothing to do.")
	}
	n.Lines[0] = fmt.Sprintf("%s Exit status %d.", n.Lines[0], a.quit.Code)
	return n
}

// sentence begins as upperFirst does and ends with a full stop.
func sentence(s string) string {
	if s == "" {
		return s
	}
	s = upperFirst(s)
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return strings.ReplaceAll(s, "\n", ", ")
}
