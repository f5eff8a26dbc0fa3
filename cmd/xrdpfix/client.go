package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"xrdpfix/certs"
	"xrdpfix/clients"
	"xrdpfix/diagnose"
	"xrdpfix/fleet"
	"xrdpfix/handout"
	"xrdpfix/probe"
)

// clientFlags say which server, and where the files go.
type clientFlags struct {
	server, user, out string
	force             bool
	remote            bool // --server was given, be it empty
}

func newClient(a *app) *cobra.Command {
	var flags clientFlags
	var kinds []cobra.Completion
	for _, k := range handout.Kinds() {
		kinds = append(kinds, cobra.CompletionWithDesc(string(k.Kind), k.Title))
	}
	cmd := &cobra.Command{
		Use:   "client [KIND]",
		Short: "Files and steps for the client's side, for this server",
		Long: `Write what a client needs to connect to this server, with its real name, port, fingerprint and certificate: an .rdp file, a registry file for Windows 7, scripts that look at the client or have it trust the certificate, commands and profiles for FreeRDP, Remmina and Guacamole, and the steps in words. Without --out the steps are printed and nothing is written. No key and no password is ever in these files.

The server is looked at first: this machine's, or with --server any other. Kinds: windows, win7, macos, mobile, freerdp, remmina, guacamole, krdc, thinclient.`,
		Example: `  xrdpfix client                            the kinds
  xrdpfix client windows                    the steps
  xrdpfix client windows --out desk01       and the files
  xrdpfix client win7 --server desk02:3390  for another server
  xrdpfix client freerdp --user anna`,
		Args:              atMost(1),
		ValidArgsFunction: cobra.FixedCompletions(kinds, cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveKeepOrder),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.clientKinds()
			}
			flags.remote = cmd.Flags().Changed("server")
			return a.client(cmd.Context(), handout.Kind(args[0]), flags)
		},
	}
	f := cmd.Flags()
	f.StringVar(&flags.server, "server", "", "the server as users type it, instead of this machine: `NAME[:PORT]`")
	f.StringVar(&flags.user, "user", "", "fill in this user `NAME`")
	f.StringVar(&flags.out, "out", "", "write the files into `DIR`")
	f.BoolVar(&flags.force, "force", false, "replace files that are there")
	return cmd
}

// clientKinds lists the kinds.
func (a *app) clientKinds() error {
	if a.jsonOutput() {
		doc := a.document("client", nil)
		doc.Kinds = []kindDoc{}
		for _, k := range handout.Kinds() {
			doc.Kinds = append(doc.Kinds, kindDoc{Kind: string(k.Kind), Title: k.Title})
		}
		return a.printJSON(doc)
	}
	var p page
	p.para("What the other side needs, for each kind of client:")
	p.blank()
	for _, k := range handout.Kinds() {
		p.block(29, "  xrdpfix client "+string(k.Kind), k.Title)
	}
	p.blank()
	p.para("Next: one of these; --out DIR writes the files (exit 0)")
	return a.print(&p)
}

func (a *app) client(ctx context.Context, kind handout.Kind, flags clientFlags) error {
	if err := knownKind(kind); err != nil {
		return err
	}
	s, cert, err := a.serverFor(ctx, flags)
	if err != nil {
		return err
	}
	s.User = flags.user
	switch {
	case s.NoTLS:
		a.quit = exit{3, reasonNoTLS}
	case s.Silent != "" && a.quit.Code == 0 && a.quit.Reason != reasonOffline:
		a.quit = exit{3, reasonUnreachable}
	}
	h, err := handout.Make(kind, s)
	if err != nil {
		return fail(2, reasonUsage, err, "xrdpfix client "+string(kind)+" --server NAME")
	}
	var written []string
	if flags.out != "" {
		if written, err = writeHandout(flags.out, h.Files, flags.force); err != nil {
			return a.handoutFailure(err, kind, flags)
		}
	}
	if a.jsonOutput() {
		doc := a.document("client", nil)
		doc.Host = s.Name
		doc.Handout = handoutOf(h, s, written)
		if cert != nil {
			doc.Certificate = certOf(*cert)
		}
		return a.printJSON(doc)
	}
	var p page
	a.showHandout(&p, h, s, written, flags)
	return a.print(&p)
}

func knownKind(kind handout.Kind) error {
	var names []string
	for _, k := range handout.Kinds() {
		if k.Kind == kind {
			return nil
		}
		names = append(names, string(k.Kind))
	}
	return fail(2, reasonUsage, fmt.Errorf("%s is no kind of client: %s", kind, orList(names)), "xrdpfix client")
}

// serverFor looks at the server that the files are for.
func (a *app) serverFor(ctx context.Context, flags clientFlags) (handout.Server, *certs.CertInfo, error) {
	if flags.remote {
		return a.remoteServer(ctx, flags.server)
	}
	l, err := a.look(ctx, plain)
	if err != nil {
		return handout.Server{}, nil, err
	}
	defer l.close()
	f := &l.facts
	if !f.Package.Ok() && !f.Config.Value.Exists {
		return handout.Server{}, nil, fail(3, reasonUnreachable, errors.New("there is no xrdp on this machine"), "xrdpfix client windows --server NAME")
	}
	s := handout.Server{Port: rdpPort}
	if ports := f.Ports(); len(ports) > 0 && ports[0] > 0 && ports[0] <= 65535 {
		s.Port = uint16(ports[0])
	}
	var cert *certs.CertInfo
	if f.Pair.Ok() && f.Pair.Value.Cert.Problem == certs.ProblemNone && f.Pair.Value.Cert.SHA256 != "" {
		cert = &f.Pair.Value.Cert
	}
	switch {
	case f.Offline:
		s.Silent, a.quit = "it is an offline tree", exit{0, reasonOffline}
	case !f.Wire.Ok():
		s.Silent = f.Wire.Skipped + f.Wire.Failed
	default:
		if served := wireOf(&s, f.Wire.Value); served != nil {
			cert = served
		}
	}
	if s.Name = nameOf(f, cert); s.Name == "" {
		return s, nil, fail(6, reasonIncomplete, errors.New("this machine has no name that a client could type"), "xrdpfix client windows --server NAME")
	}
	certificateOf(&s, cert)
	return s, cert, nil
}

// remoteServer probes another server.
func (a *app) remoteServer(ctx context.Context, target string) (handout.Server, *certs.CertInfo, error) {
	targets := fleet.List{Rules: fleet.Rules{Port: rdpPort}}
	if err := targets.Add(target); err != nil {
		return handout.Server{}, nil, targetError(err, "--server "+target)
	}
	t, ok := targets.Alone()
	if !ok {
		return handout.Server{}, nil, usagef("--server %s is not one server", target)
	}
	s := handout.Server{Name: t.Host, Port: t.Port}
	a.say("probing " + target)
	survey := probe.Survey(ctx, t.String(), probe.SurveyOptions{Connection: probe.Options{Timeout: time.Duration(a.global.timeout)}})
	a.say("")
	if err := ctx.Err(); err != nil {
		return s, nil, err
	}
	if survey.Full.Negotiation == nil {
		why := "no RDP server answers"
		if survey.Full.Failure != nil {
			why = survey.Full.Failure.Text
		}
		return s, nil, fail(3, reasonUnreachable, fmt.Errorf("%s: %s; nothing was written", target, why), "xrdpfix probe "+target)
	}
	cert := wireOf(&s, survey)
	certificateOf(&s, cert)
	return s, cert, nil
}

// wireOf takes over what the wire shows, and returns the certificate served.
func wireOf(s *handout.Server, survey probe.ServerSurvey) *certs.CertInfo {
	for _, v := range survey.Accepted() {
		s.TLS = append(s.TLS, strings.TrimPrefix(v.String(), "TLS "))
	}
	switch n := survey.Full.Negotiation; {
	case n != nil:
		s.NLA = n.Selected&probe.ProtocolHybrid != 0
		s.NoTLS = !servesTLS(survey)
	case survey.Full.Failure != nil:
		s.Silent = survey.Full.Failure.Text
	}
	chain := clients.Chain(&survey)
	if len(chain) == 0 {
		return nil
	}
	info := certs.InspectDER(chain)
	info.DER = chain[0]
	return &info
}

func certificateOf(s *handout.Server, c *certs.CertInfo) {
	if c == nil || c.Problem != certs.ProblemNone {
		return
	}
	s.Names = append([]string(nil), c.DNSNames...)
	for _, a := range c.Addrs {
		s.Names = append(s.Names, a.String())
	}
	if len(s.Names) == 0 && c.CommonName != "" {
		s.Names = []string{c.CommonName}
	}
	s.SHA256, s.SHA1, s.NotAfter = c.SHA256, c.SHA1, c.NotAfter
	s.SelfSigned, s.CA, s.ServerAuth = c.SelfSigned, c.IsCA, c.ServerAuth
	if parsed, err := x509.ParseCertificate(c.DER); err == nil {
		s.Certificate = parsed.Raw
	}
}

// nameOf chooses what users are to type: a name of the machine that its
// certificate has too, else the longest name that it has for itself, else an
// address. What cannot be a host's name is passed over.
func nameOf(f *diagnose.Facts, cert *certs.CertInfo) string {
	own := append([]string{f.Host.FQDN, f.Host.Name}, f.Host.Addrs...)
	if cert != nil {
		for _, name := range own {
			fits := handout.Server{Name: name, Names: cert.DNSNames}
			for _, a := range cert.Addrs {
				fits.Names = append(fits.Names, a.String())
			}
			if handout.ValidName(name) && fits.NameFits() {
				return name
			}
		}
	}
	for _, name := range own {
		if handout.ValidName(name) {
			return name
		}
	}
	return ""
}
