package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"xrdpfix/certs"
	"xrdpfix/clients"
	"xrdpfix/diagnose"
)

func newCert(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cert",
		Short: "The certificate and key that xrdp serves",
		Long:  `Look at the certificate and key that xrdp serves, and change them.`,
		Example: `  xrdpfix cert show       the file, the wire, and the fingerprints to read out
  xrdpfix cert renew      a new self-signed one
  xrdpfix cert request    a request for a CA; the key stays here
  xrdpfix cert install    what the CA sent back`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	show := &cobra.Command{
		Use:     "show",
		Short:   "The certificate in the file and on the wire, with its fingerprints",
		Long:    `Show the certificate that xrdp.ini names and the one that the port really serves, their names and dates, and the fingerprints that users compare.`,
		Example: `  xrdpfix cert show`,
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.certShow(cmd.Context()) },
	}
	cmd.AddCommand(show, newCertRenew(a), newCertRequest(a), newCertInstall(a))
	return cmd
}

func (a *app) certShow(ctx context.Context) error {
	w, err := a.plainWish()
	if err != nil {
		return err
	}
	l, err := a.look(ctx, w)
	if err != nil {
		return err
	}
	defer l.close()
	f := &l.facts
	var served *certs.CertInfo
	if chain := clients.Chain(&f.Wire.Value); f.Wire.Ok() && len(chain) > 0 {
		info := certs.InspectDER(chain)
		served = &info
	}
	a.quit = certExit(l)
	if a.jsonOutput() {
		doc := a.healthDocument("cert show", l)
		doc.Clients = nil
		if f.Pair.Ok() {
			doc.Certificate = certOf(f.Pair.Value.Cert)
		}
		return a.printJSON(doc)
	}
	var p page
	p.para(subject(f))
	p.blank()
	switch {
	case !f.Pair.Ok():
		p.block(13, "File", clean(f.Pair.Failed+f.Pair.Skipped))
	default:
		p.block(13, "File", clean(f.Cert.Path)+linkText(f.Cert))
		p.block(13, "Key", clean(f.Key.Path)+linkText(f.Key))
		p.block(13, "", keyState(f))
		if f.Cert.Exists {
			showCert(&p, f.Pair.Value.Cert, a.now())
		} else {
			p.block(13, "Certificate", "does not exist")
		}
	}
	switch {
	case f.Offline:
	case served == nil:
		p.block(13, "Wire", "no certificate is served")
	case !f.Pair.Ok():
		p.block(13, "Wire", "this certificate is served:")
		showCert(&p, *served, a.now())
	case served.SHA256 == f.Pair.Value.Cert.SHA256:
		p.block(13, "Wire", "the same certificate is served")
	default:
		p.block(13, "Wire", "ANOTHER certificate is served:")
		showCert(&p, *served, a.now())
	}
	p.blank()
	p.para(certEnd(l, a.quit, whole(a.next("check")), a.unseenHint("cert show")))
	return a.print(&p)
}

// certEnd is the last line: what is wrong with the pair, and what to run.
func certEnd(l *look, e exit, check, more string) string {
	var codes []string
	for _, x := range l.found {
		if entry, _ := diagnose.Describe(x.Code); x.Severity != diagnose.Info && (entry.Group == "key" || entry.Group == "certificate") {
			codes = append(codes, string(x.Code))
		}
	}
	if noPair(l) != "" {
		return fmt.Sprintf("No pair is served: %s (exit %d).  %s", noPair(l), e.Code, whole("Next: "+check))
	}
	if len(codes) == 0 && e.Code == 6 {
		return fmt.Sprintf("Not everything was seen (exit %d).  %s", e.Code, whole("Next: "+more))
	}
	if len(codes) == 0 {
		return fmt.Sprintf("Nothing is wrong with it (exit %d).", e.Code)
	}
	return fmt.Sprintf("%s (exit %d).  %s", strings.Join(codes, ", "), e.Code, whole("Next: "+check))
}

// certExit is 3 where a finding about key or certificate is an error.
func certExit(l *look) exit {
	for _, x := range l.found {
		if e, _ := diagnose.Describe(x.Code); x.Severity == diagnose.Error && (e.Group == "key" || e.Group == "certificate") {
			return exit{3, reasonFindings}
		}
	}
	switch f := &l.facts; {
	case noPair(l) != "" && !f.Offline:
		return exit{3, reasonFindings}
	case f.Pair.Failed != "":
		return exit{6, reasonIncomplete}
	}
	return exit{0, reasonOK}
}

// noPair is the finding because of which no certificate is meant to be there; "" for
// none.
func noPair(l *look) diagnose.Code {
	for _, code := range []diagnose.Code{diagnose.XrdpMissing, diagnose.IniMissing} {
		if isFound(l, code) {
			return code
		}
	}
	return ""
}

func linkText(p diagnose.PathFact) string {
	if p.Real != "" && p.Real != p.Path {
		return " -> " + clean(p.Real)
	}
	return ""
}

func keyState(f *diagnose.Facts) string {
	k := f.Pair.Value.Key
	switch {
	case !f.Key.Exists:
		return "does not exist"
	case k.Problem != "":
		return string(k.Problem)
	case !f.Key.Readable:
		return fmt.Sprintf("%s %d; xrdp cannot read it", k.Type, k.Bits)
	}
	return fmt.Sprintf("%s %d; xrdp can read it", k.Type, k.Bits)
}

// showCert prints names, kind, dates and fingerprints.
func showCert(p *page, c certs.CertInfo, now time.Time) {
	if c.Problem != "" {
		p.block(13, "Certificate", string(c.Problem))
		return
	}
	names, kind := certNames(c)
	p.block(13, "Certificate", clean(names+"; "+kind))
	p.block(13, "", untilText(c, now))
	showFingerprint(p, 13, "SHA256", c.SHA256)
	showFingerprint(p, 13, "SHA1", c.SHA1)
}

// certNames are the names in a certificate, and what kind it is.
func certNames(c certs.CertInfo) (names, kind string) {
	list := append([]string{}, c.DNSNames...)
	for _, ip := range c.Addrs {
		list = append(list, ip.String())
	}
	if len(list) == 0 {
		list = []string{c.Subject}
	}
	kind = fmt.Sprintf("issued by %s", c.Issuer)
	if c.SelfSigned {
		kind = "self-signed"
	}
	key, _, _ := strings.Cut(c.KeyType, " ")
	return strings.Join(list, ", "), strings.TrimSpace(fmt.Sprintf("%s, %s %d", kind, orDash(key), c.KeyBits))
}

// untilText says when a certificate ends, or that it has ended.
func untilText(c certs.CertInfo, now time.Time) string {
	switch left := c.Left(now); {
	case now.Before(c.NotBefore):
		return fmt.Sprintf("NOT YET VALID, from %s on", c.NotBefore.Format("2 Jan 2006 15:04 MST"))
	case left < 0:
		return fmt.Sprintf("ENDED on %s, %s ago", c.NotAfter.Format("2 Jan 2006"), daysText(-left))
	default:
		return fmt.Sprintf("until %s, %s", c.NotAfter.Format("2 Jan 2006"), daysText(left))
	}
}

// daysText is a length of time in days, or in hours where that says more.
func daysText(d time.Duration) string {
	if d < 2*day {
		return plural(int(d/time.Hour), "hour")
	}
	return plural(int(d/day), "day")
}
