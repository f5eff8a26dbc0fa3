package main

import (
	"crypto/tls"
	"fmt"
	"strings"
	"time"

	"xrdpfix/certs"
	"xrdpfix/diagnose"
	"xrdpfix/probe"
)

// probeColumns is a line about one server: its name, its security, its
// certificate, and a remark.
const probeColumns = "%-32s %-16s %-12s %s"

// line prints one server. Addresses of a range where nobody is are told with
// --verbose only.
func (v *probeView) line(name string, p probed, ranged bool) error {
	if ranged && p.survey.Full.Reached < probe.StageConnect && !v.a.global.verbose {
		return nil
	}
	var out page
	if v.lines++; v.lines == 1 {
		out.linef(probeColumns, "host", "security", "certificate", "remark")
	}
	out.linef(probeColumns, clean(name), securityText(p.survey), lastsText(p.cert, v.a.now()), clean(remark(p.survey)))
	return v.a.print(&out)
}

// securityText is what a client gets at best: "TLS 1.2-1.3", "NLA, TLS 1.3".
func securityText(s probe.ServerSurvey) string {
	n := s.Full.Negotiation
	switch {
	case n == nil:
		return "-"
	case servesTLS(s):
		text := rangeText(accepted(s))
		if n.Selected&(probe.ProtocolHybrid|probe.ProtocolHybridEx) != 0 {
			text = "NLA, " + text
		}
		return text
	case n.FailureCode == 0 && n.Selected == probe.ProtocolRDP:
		return "classic RDP"
	case s.Classic != nil && s.Classic.Failure == nil:
		return "classic RDP"
	}
	return "none"
}

// accepted are the TLS versions that the server accepted, oldest first.
func accepted(s probe.ServerSurvey) []probe.TLSVersion {
	if list := s.Accepted(); len(list) > 0 {
		return list
	}
	for _, r := range []*probe.Result{&s.Full, s.SSL} {
		if r != nil && r.TLS != nil {
			return []probe.TLSVersion{r.TLS.Version}
		}
	}
	return nil
}

// rangeText prints "TLS 1.2-1.3", and the single versions where one in between
// is missing.
func rangeText(versions []probe.TLSVersion) string {
	if len(versions) == 0 {
		return "TLS"
	}
	first, last := versions[0], versions[len(versions)-1]
	number := func(v probe.TLSVersion) string { return strings.TrimPrefix(v.String(), "TLS ") }
	switch {
	case first == last:
		return first.String()
	case int(last-first) == len(versions)-1:
		return first.String() + "-" + number(last)
	}
	var all []string
	for _, v := range versions {
		all = append(all, number(v))
	}
	return "TLS " + strings.Join(all, ",")
}

// lastsText is how long the certificate lasts.
func lastsText(c *certs.CertInfo, now time.Time) string {
	switch {
	case c == nil:
		return "-"
	case c.Problem != "":
		return "unusable"
	case now.Before(c.NotBefore):
		return "NOT YET"
	case c.Left(now) < 0:
		return "ENDED"
	}
	return daysText(c.Left(now))
}

// remark is the one thing to know besides; a failure before all else.
func remark(s probe.ServerSurvey) string {
	n := s.Full.Negotiation
	switch f := s.Full.Failure; {
	case n == nil:
		return failureText(f)
	case n.FailureCode != 0 && !servesTLS(s):
		return n.FailureCode.String()
	case !servesTLS(s) && f != nil && n.Selected != probe.ProtocolRDP:
		return failureText(f)
	case !servesTLS(s):
		return "no TLS"
	}
	if old := accepted(s); len(old) > 0 && old[0] < tls.VersionTLS12 {
		return old[0].String() + " accepted"
	}
	if s.Classic != nil && s.Classic.Negotiation != nil && s.Classic.Failure == nil {
		return "classic RDP too"
	}
	return ""
}

// failureWords are failures in a word or two.
var failureWords = map[probe.Kind]string{
	probe.KindUnknownHost: "no such name", probe.KindRefused: "nothing listens", probe.KindUnreachable: "no route",
	probe.KindTimeout: "no answer", probe.KindReset: "resets", probe.KindClosed: "hangs up", probe.KindNotRDP: "not RDP",
	probe.KindProtocolError: "breaks the protocol", probe.KindMCSDisconnected: "hangs up", probe.KindIO: "network error",
	probe.KindTLSSetupFailed: "TLS set-up fails", probe.KindTLSCutOff: "TLS is cut off", probe.KindTLSOther: "TLS fails",
	probe.KindTLSVersion: "TLS fails",
}

// failureText says why nobody got further.
func failureText(f *probe.Failure) string {
	text, known := failureWords[f.Kind]
	switch {
	case f.Kind == probe.KindTLSAlert:
		return "TLS: " + f.AlertName
	case f.Kind == probe.KindTimeout && f.Stage > probe.StageConnect:
		return "says nothing"
	case !known:
		return string(f.Kind)
	}
	return text
}

// ending: the certificate ends soon enough to be told.
func ending(c *certs.CertInfo, now time.Time) bool {
	return c != nil && c.Problem == "" && c.Left(now) < diagnose.DefaultWarnDays*day
}

// ended: the certificate is not valid now.
func ended(c *certs.CertInfo, now time.Time) bool {
	return c != nil && c.Problem == "" && (c.Left(now) < 0 || now.Before(c.NotBefore))
}

// moreText says how many were left out.
func moreText(n int) string { return fmt.Sprintf("and %d more (--verbose)", n) }
