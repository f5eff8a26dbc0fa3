package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
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
			for _, t := range args {
				if err := checkTarget(t); err != nil {
					return err
				}
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
	p.blank()
	p.para(fmt.Sprintf("%s (exit %d)", sum.text(), a.quit.Code))
	return a.print(&p)
}

// text counts what was met.
func (s probeSummary) text() string {
	text := plural(s.Hosts, "host")
	switch with := s.Hosts - s.Unreachable - s.WithoutTLS; {
	case s.Hosts == 1 && with == 1:
		return text + ", with TLS"
	case s.Hosts == 1 && s.WithoutTLS == 1:
		return text + ", without TLS"
	case s.Hosts == 1:
		return text + ", no RDP there"
	default:
		return fmt.Sprintf("%s: %d with TLS, %d without, %d with no RDP", text, with, s.WithoutTLS, s.Unreachable)
	}
}

// alike makes one kind of those that differ in their TLS versions only, where
// all of them fare alike.
func alike(clients []diagnose.Client) []diagnose.Client {
	if len(clients) < tlsKinds {
		return clients
	}
	one := clients[0]
	one.Name = strings.TrimSpace(tlsKindPrefix)
	for _, c := range clients[:tlsKinds] {
		if !strings.HasPrefix(c.Name, tlsKindPrefix) || c.Connects != one.Connects || c.TLS != one.TLS {
			return clients
		}
	}
	return append([]diagnose.Client{one}, clients[tlsKinds:]...)
}

// checkTarget refuses what cannot be a host and a port.
func checkTarget(t string) error {
	host, port, err := net.SplitHostPort(probe.WithPort(t))
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil || host == "" || port == "0" || strings.ContainsAny(host, " /@") {
		return usagef("%q is not HOST or HOST:PORT", t)
	}
	return nil
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
	var p page
	if again {
		p.blank()
	}
	showProbe(&p, s, a)
	return a.print(&p)
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
	showClientTable(p, diagnose.ClientKinds(s))
}

// showClientTable prints what each kind of client meets.
func showClientTable(p *page, clients []diagnose.Client) {
	const whyAt = 50
	row := func(name, connects, with string) string { return fmt.Sprintf("%-30s %-9s %-8s", name, connects, with) }
	p.block(whyAt, row("Client", "connects", "with"), "why not")
	for _, c := range alike(clients) {
		p.block(whyAt, row(clean(c.Name), orDash(c.Connects), orDash(c.TLS)), clean(c.WhyNot))
	}
}

func probeAnswer(r probe.Result) string {
	n := r.Negotiation
	if n.FailureCode != 0 {
		return n.FailureCode.String()
	}
	text := n.Selected.String()
	switch {
	case n.Selected == probe.ProtocolRDP && r.MCS != nil:
		text += "   classic RDP, " + encryptionText(r.MCS.EncryptionMethod.String()) + ", " + strings.ToLower(r.MCS.EncryptionLevel.String())
	case n.Selected == probe.ProtocolRDP:
		text += "   classic RDP"
	case n.Requested&probe.ProtocolHybrid != 0 && n.Selected == probe.ProtocolSSL:
		text += "   no NLA on this server"
	}
	return text
}

// encryptionText is an encryptionMethod in words: all but FIPS are RC4.
func encryptionText(method string) string {
	if bits, ok := strings.CutSuffix(method, "BIT"); ok {
		return bits + "-bit RC4"
	}
	return method
}
