package main

import (
	"crypto/tls"
	"fmt"
	"strings"
	"time"

	"xrdpfix/certs"
	"xrdpfix/clients"
	"xrdpfix/probe"
	"xrdpfix/webpage"
)

func (a *app) htmlOutput() bool { return a.global.output == formatHTML }

// printHTML writes a page to hand over. As JSON it is printed with --quiet too.
func (a *app) printHTML(p webpage.Page) error {
	p.Tool, p.Made = "xrdpfix "+version, a.now()
	return webpage.Write(a.out, p)
}

// securityRows are the answers to the connection requests, the TLS versions, and
// the failure that ended it, if there was one.
func securityRows(s probe.ServerSurvey) (security, versions []webpage.Row) {
	for _, r := range asked(s) {
		answer, note, _ := strings.Cut(probeAnswer(*r), "   ")
		security = append(security, webpage.Row{Label: "asked " + askedText(r.Negotiation.Requested), Text: answer, Note: note})
	}
	for _, v := range []probe.TLSVersion{tls.VersionTLS13, tls.VersionTLS12, tls.VersionTLS11, tls.VersionTLS10} {
		if answer, asked := s.Version(v); asked {
			text, note := answerText(answer)
			versions = append(versions, webpage.Row{Label: v.String(), Text: text, Note: note})
		}
	}
	if f := s.Full.Failure; f != nil && f.Kind != probe.KindCredSSPRequired {
		security = append(security, webpage.Row{Label: "failure", Text: f.String()})
	}
	return security, versions
}

// answerText is the answer about one TLS version.
func answerText(answer probe.VersionAnswer) (text, note string) {
	switch {
	case answer.Answer == probe.AnswerAccepted:
		return "accepted", answer.Cipher
	case answer.Answer == probe.AnswerUnknown:
		return "not known", ""
	case answer.Failure != nil && answer.Failure.AlertName != "":
		return "refused", answer.Failure.AlertName
	}
	return "refused", ""
}

// htmlCertificate shows a certificate with its fingerprints.
func htmlCertificate(where string, c certs.CertInfo, now time.Time) webpage.Certificate {
	out := webpage.Certificate{Where: where}
	if c.Problem != "" {
		out.Rows = []webpage.Row{{Label: "problem", Text: string(c.Problem)}}
		return out
	}
	names, kind := certNames(c)
	out.Rows = []webpage.Row{
		{Label: "names", Text: names},
		{Label: "kind", Text: kind},
		{Label: "valid", Text: untilText(c, now), Note: "from " + c.NotBefore.UTC().Format("2 Jan 2006")},
		{Label: "signature", Text: c.SignatureAlgorithm},
	}
	for _, f := range []webpage.Row{{Label: "serial", Text: c.Serial}, {Label: "SHA256", Text: c.SHA256}, {Label: "SHA1", Text: c.SHA1}} {
		if f.Text != "" { // saved facts may be without
			out.Fingerprints = append(out.Fingerprints, f)
		}
	}
	return out
}

// htmlClients is the table of clients.
func htmlClients(rows []clients.Row) *webpage.Table {
	t := &webpage.Table{Caption: "Who can connect", Head: []string{"client", "connects", "with", "certificate", "why not"}}
	for _, r := range rows {
		if r.Known == clients.NotKnown {
			continue
		}
		connects, tone, with := r.Connects, webpage.Plain, r.TLS
		switch r.Connects {
		case clients.ConnectsYes:
			tone = webpage.Good
		case clients.ConnectsWeak:
			tone, with = webpage.Warn, "RC4"
		case clients.ConnectsNo:
			tone = webpage.Bad
		case clients.ConnectsOpen:
			connects = "not known"
		}
		t.Rows = append(t.Rows, webpage.TableRow{Cells: []webpage.Cell{
			{Text: r.Name}, {Text: connects, Tone: tone}, {Text: with}, {Text: r.Certificate}, {Text: r.WhyNot},
		}})
	}
	t.Notes = append(t.Notes, countText(rows)+".")
	if names := unknownNames(rows); len(names) > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("Not known: %s.", strings.Join(names, ", ")))
	}
	return t
}
