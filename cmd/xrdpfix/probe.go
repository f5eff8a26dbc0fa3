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
	"xrdpfix/fleet"
	"xrdpfix/probe"
)

func newProbe(a *app) *cobra.Command {
	var flags probeFlags
	cmd := &cobra.Command{
		Use:   "probe HOST[:PORT]...",
		Short: "What security any RDP server offers, from the wire",
		Long: `Connect to RDP servers as a client does, without credentials, and tell which security they select, which TLS versions and which certificate they offer, and which kinds of clients get in. Needs no privilege and no xrdp here.

Several servers are probed at once and told one a line, as they answer; what needs attention comes last. Each server gets three to eight connections, never more than two at a time, and in all three times --timeout. A name stands for the first of its addresses that answers.

The lists of --from have a target a line, comments from # on aside. With --range a target may be a network (192.0.2.0/24) or a range (192.0.2.10-20); there, addresses without a server are counted and not held against anybody.`,
		Example: `  xrdpfix probe desk01.example.org      one server, port 3389
  xrdpfix probe 192.0.2.10:3390 desk02  several
  xrdpfix probe --from hosts.txt        those of a list; - for standard input
  xrdpfix probe --range 192.0.2.0/24    all of a network
  xrdpfix probe --json --from hosts.txt one object a line, the summary last`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.probe(cmd.Context(), &flags, args) },
	}
	flags.add(cmd)
	return cmd
}

// probe asks the servers and tells about each as it answers.
func (a *app) probe(ctx context.Context, flags *probeFlags, args []string) error {
	list, err := flags.list(args)
	if err != nil {
		return err
	}
	options, err := flags.options()
	if err != nil {
		return err
	}
	v := newProbeView(a, list, flags)
	err = fleet.Run(ctx, list.All(), options, func(ctx context.Context, s fleet.Server) (probed, int) {
		return a.ask(ctx, s, flags)
	}, v.show)
	a.say("")
	switch {
	case ctx.Err() != nil && v.sum.Hosts > 0:
		v.interrupted = true
		a.quit = exit{130, reasonInterrupted}
	case err != nil:
		return err
	}
	return v.end()
}

// probed is what one visit showed.
type probed struct {
	survey probe.ServerSurvey
	cert   *certs.CertInfo
}

// perServer is how many times the time for a connection a server gets: enough
// for one that is slow everywhere, and an end to one that means to be.
const perServer = 3

// ask surveys one server. missed is as fleet.Visit has it.
func (a *app) ask(ctx context.Context, s fleet.Server, flags *probeFlags) (p probed, missed int) {
	timeout := time.Duration(a.global.timeout)
	ctx, cancel := context.WithTimeout(ctx, perServer*timeout)
	defer cancel()
	p.survey = probe.Survey(ctx, s.Target.String(), probe.SurveyOptions{Connection: probe.Options{
		Timeout: timeout, StageTimeout: time.Duration(flags.stageTimeout), Dial: s.Dial,
	}})
	if chain := servedChain(p.survey); len(chain) > 0 {
		info := certs.InspectDER(chain)
		p.cert = &info
	}
	if p.survey.Full.Reached >= probe.StageConnect {
		return p, 0
	}
	switch p.survey.Full.Failure.Kind {
	case probe.KindRefused:
		return p, 1
	case probe.KindTimeout:
		return p, 2
	}
	return p, 3
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

// servesTLS: some client can get TLS out of this server, CredSSP included.
func servesTLS(s probe.ServerSurvey) bool {
	return s.Full.TLS != nil || s.SSL != nil && s.SSL.TLS != nil
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
