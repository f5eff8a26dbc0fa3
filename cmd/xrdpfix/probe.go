package main

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"xrdpfix/certs"
	"xrdpfix/clients"
	"xrdpfix/fleet"
	"xrdpfix/probe"
)

func newProbe(a *app) *cobra.Command {
	var flags probeFlags
	cmd := &cobra.Command{
		Use:   "probe HOST[:PORT]...",
		Short: "What security any RDP server offers, from the wire",
		Long: `Connect to RDP servers as a client does, without credentials, and tell which security they select, which TLS versions and which certificate they offer, and which clients can connect. Needs no privilege and no xrdp here.

Several servers are probed at once and told one a line, as they answer; what needs attention comes last. Each server gets three to eight connections (with --clients one more for each client), never more than two at a time, and in all three times --timeout. A name stands for the first of its addresses that answers.

The lists of --from have a target a line, comments from # on aside. With --range a target may be a network (192.0.2.0/24) or a range (192.0.2.10-20); there, addresses without a server are counted and not held against anybody.`,
		Example: `  xrdpfix probe desk01.example.org      one server, port 3389
  xrdpfix probe 192.0.2.10:3390 desk02  several
  xrdpfix probe --clients desk01        each client's own ClientHello is sent
  xrdpfix probe --from hosts.txt        those of a list; - for standard input
  xrdpfix probe --range 192.0.2.0/24    all of a network
  xrdpfix probe --json --from hosts.txt one object a line, the summary last
  xrdpfix probe --output nagios desk01  for a monitoring system
  xrdpfix probe -o html desk01 >a.html  a page to hand over`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.plugin.check(cmd); err != nil {
				return err
			}
			return a.probe(cmd.Context(), &flags, args)
		},
	}
	flags.add(cmd)
	flags.plugin.add(cmd)
	a.offer(cmd, formatHTML, formatNagios)
	return cmd
}

// probe asks the servers and tells about each as it answers.
func (a *app) probe(ctx context.Context, flags *probeFlags, args []string) error {
	if flags.profiles {
		return a.profiles()
	}
	list, err := flags.list(args)
	if err != nil {
		return err
	}
	options, err := flags.options()
	if err != nil {
		return err
	}
	v := newProbeView(a, list, flags)
	if err := v.checkFlags(); err != nil {
		return err
	}
	if v.many {
		defer debug.SetGCPercent(debug.SetGCPercent(fleetGCPercent))
	}
	flags.tables = !v.many || flags.full
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
	server *clients.Server
	// ntlm is the answer to --ntlm, nil if it was not asked for.
	ntlm *probe.Result
}

// fleetGCPercent lets the heap grow to five times what is in use before it is
// collected: a few megabytes are, and many servers make much garbage.
const fleetGCPercent = 400

// perServer is how many times the time for a connection a server gets: enough
// for one that is slow everywhere, and an end to one that means to be.
const perServer = 3

// ask surveys one server. missed is as fleet.Visit has it.
func (a *app) ask(ctx context.Context, s fleet.Server, flags *probeFlags) (p probed, missed int) {
	timeout := time.Duration(a.global.timeout)
	ctx, cancel := context.WithTimeout(ctx, perServer*timeout)
	defer cancel()
	opts := probe.Options{Timeout: timeout, StageTimeout: time.Duration(flags.stageTimeout), Dial: s.Dial}
	p.survey = probe.Survey(ctx, s.Target.String(), probe.SurveyOptions{Connection: opts})
	p.server = served(p.survey, a.now())
	a.askClients(ctx, p.server, flags, opts)
	if flags.ntlm && p.survey.Full.Negotiation != nil {
		r := probe.Challenge(ctx, s.Target.String(), opts)
		p.ntlm = &r
	}
	if len(clients.Chain(&p.survey)) > 0 {
		p.cert = &p.server.Certificate
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

// askClients decides what the survey leaves open about clients, or asks for
// every one of them. What could not be asked stays open.
func (a *app) askClients(ctx context.Context, server *clients.Server, flags *probeFlags, opts probe.Options) {
	switch {
	case flags.clients:
		_ = server.AskAll(ctx, opts)
	case flags.tables:
		_ = server.Decide(ctx, opts)
	}
}

// servesTLS: some client can get TLS out of this server, CredSSP included.
func servesTLS(s probe.ServerSurvey) bool {
	return s.Full.TLS != nil || s.SSL != nil && s.SSL.TLS != nil
}
