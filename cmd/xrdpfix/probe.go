package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"xrdpfix/certs"
	"xrdpfix/diagnose"
	"xrdpfix/probe"
)

func newProbe(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "probe HOST[:PORT]...",
		Short: "What security any RDP server offers, from the wire",
		Long:  `Connect to RDP servers as a client does, without credentials, and tell which security they select, which TLS versions and which certificate they offer, and which kinds of clients get in. Needs no privilege and no xrdp here.`,
		Example: `  xrdpfix probe desk01.example.org     one server, port 3389
  xrdpfix probe 192.0.2.10:3390 desk02  several
  xrdpfix probe --json desk01           one object a line, the summary last`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fail(2, reasonUsage, fmt.Errorf("probe needs a host"), "xrdpfix probe 127.0.0.1")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.probe(cmd.Context(), args) },
	}
}

func (a *app) probe(ctx context.Context, targets []string) error {
	var sum probeSummary
	for i, t := range targets {
		a.say("probing " + t)
		s := probe.Survey(ctx, t, probe.SurveyOptions{Connection: probe.Options{Timeout: time.Duration(a.global.timeout)}})
		a.say("")
		if err := ctx.Err(); err != nil {
			return err
		}
		sum.Hosts++
		switch {
		case s.Full.Negotiation == nil:
			sum.Unreachable++
			a.quit = exit{3, reasonUnreachable}
		case !servesTLS(s):
			sum.WithoutTLS++
			if a.quit.Code == 0 {
				a.quit = exit{3, reasonNoTLS}
			}
		}
		if err := a.printProbe(s, i > 0); err != nil {
			return err
		}
	}
	if a.jsonOutput() {
		doc := a.document("probe", nil)
		doc.Summary = sum
		return a.printJSON(doc)
	}
	var p page
	if len(targets) > 1 {
		p.blank()
	}
	p.para(fmt.Sprintf("%s: %d unreachable, %d without TLS (exit %d)", plural(sum.Hosts, "host"), sum.Unreachable, sum.WithoutTLS, a.quit.Code))
	return p.writeTo(a.out)
}

// servesTLS: some client can get TLS out of this server, CredSSP included.
func servesTLS(s probe.ServerSurvey) bool {
	return s.Full.TLS != nil || s.SSL != nil && s.SSL.TLS != nil
}

func (a *app) printProbe(s probe.ServerSurvey, again bool) error {
	if a.jsonOutput() {
		doc := a.document("probe", nil)
		doc.Host = s.Addr
		doc.Probe = probeOf(s)
		doc.Clients = clientDocs(diagnose.ClientKinds(s))
		if chain := servedChain(s); len(chain) > 0 {
			doc.Certificate = certOf(certs.InspectDER(chain))
		}
		return a.printJSON(doc)
	}
	if a.global.quiet {
		return nil
	}
	var p page
	if again {
		p.blank()
	}
	showProbe(&p, s, a)
	return p.writeTo(a.out)
}

func servedChain(s probe.ServerSurvey) [][]byte {
	for _, r := range []*probe.Result{&s.Full, s.SSL} {
		if r != nil && r.TLS != nil {
			return r.TLS.Certificates
		}
	}
	return nil
}

func showProbe(p *page, s probe.ServerSurvey, a *app) {
	head := clean(s.Addr)
	if r := s.Full.Remote; r.IsValid() && !strings.HasPrefix(head, r.Addr().String()) {
		head += fmt.Sprintf(" (%s)", r.Addr())
	}
	if s.Full.Negotiation == nil {
		p.para(head + ": " + clean(s.Full.Failure.Text))
		return
	}
	p.para(fmt.Sprintf("%s: RDP; %d ms", head, s.Elapsed.Milliseconds()))
	p.blank()
	label := "Security"
	for _, r := range asked(s) {
		p.linef("%-13s%-19s%s", label, "asked "+askedText(r.Negotiation.Requested), probeAnswer(*r))
		label = ""
	}
	label = "TLS"
	for _, v := range []probe.TLSVersion{tls.VersionTLS13, tls.VersionTLS12, tls.VersionTLS11, tls.VersionTLS10} {
		ans, asked := s.Version(v)
		if !asked {
			continue
		}
		text := ans.Cipher
		switch {
		case ans.Answer == probe.AnswerUnknown:
			text = "not known"
		case ans.Answer == probe.AnswerRefused && ans.Failure != nil && ans.Failure.AlertName != "":
			text = "refused: " + ans.Failure.AlertName
		case ans.Answer == probe.AnswerRefused:
			text = "refused"
		}
		p.linef("%-13s%-19s%s", label, strings.TrimPrefix(v.String(), "TLS "), text)
		label = ""
	}
	if f := s.Full.Failure; f != nil && f.Kind != probe.KindCredSSPRequired {
		p.block(13, "Failure", clean(f.String()))
	}
	if chain := servedChain(s); len(chain) > 0 {
		showCert(p, certs.InspectDER(chain), a.now())
	}
	p.blank()
	p.linef("%-30s %-9s %-8s %s", "Client", "connects", "with", "why not")
	for _, c := range diagnose.ClientKinds(s) {
		p.linef("%-30s %-9s %-8s %s", c.Name, orDash(c.Connects), orDash(c.TLS), clean(c.WhyNot))
	}
	p.blank()
}

func probeAnswer(r probe.Result) string {
	n := r.Negotiation
	if n.FailureCode != 0 {
		return n.FailureCode.String()
	}
	text := n.Selected.String()
	switch {
	case n.Selected == probe.ProtocolRDP && r.MCS != nil:
		text += fmt.Sprintf("   classic RDP, %s, level %s", r.MCS.EncryptionMethod, r.MCS.EncryptionLevel)
	case n.Selected == probe.ProtocolRDP:
		text += "   classic RDP"
	case n.Requested&probe.ProtocolHybrid != 0 && n.Selected == probe.ProtocolSSL:
		text += "   no NLA on this server"
	}
	return text
}
