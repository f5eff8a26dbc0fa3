package main

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"xrdpfix/diagnose"
	"xrdpfix/probe"
)

// probePlugin is probe for a monitoring system: one line, however many servers.
type probePlugin struct {
	pluginFlags
	warnDays int
	ignore   []string
	line     pluginLine
	// bad are the servers that are not fine, worst first by state.
	bad [pluginUnknown + 1][]string
}

func (n *probePlugin) add(cmd *cobra.Command) {
	n.pluginFlags.add(cmd)
	f := cmd.Flags()
	f.IntVar(&n.warnDays, "warn-days", diagnose.DefaultWarnDays, "nagios: WARNING where the certificate ends within `DAYS`")
	f.StringSliceVar(&n.ignore, "ignore", nil, "nagios: leave findings of `CODE` out of account, several times or with commas")
}

// check refuses what means nothing.
func (n *probePlugin) check(cmd *cobra.Command) error {
	if err := setIgnore(&policyFlags{}, strings.Join(n.ignore, ",")); err != nil {
		return usagef("--ignore %w", err)
	}
	if n.warnDays < 0 {
		return usagef("--warn-days must not be negative")
	}
	return n.pluginFlags.check(n.warnDays, cmd.Flags().Changed("crit-days"))
}

// judge takes a server into the line.
func (n *probePlugin) judge(a *app, name string, p probed, alone bool) {
	found, state := probeFindings(p, a)
	found, _ = split(found, n.ignore)
	var words []string
	for _, x := range found {
		if s := n.state(x); s != pluginOK {
			state = state.worse(s)
			words = append(words, string(x.Code))
		}
	}
	label := func(of string) string {
		if alone {
			return of
		}
		return name + " " + of
	}
	text := strings.TrimPrefix(strings.Trim(securityText(p.survey)+", "+remark(p.survey), ", "), "-, ")
	if p.cert != nil && p.cert.Problem == "" {
		left := p.cert.Left(a.now())
		if !slices.Contains(n.ignore, string(diagnose.CertExpiring)) {
			if s := n.days(left, n.warnDays); s != pluginOK {
				if state = state.worse(s); left >= 0 {
					words = append(words, string(diagnose.CertExpiring))
				}
			}
		}
		text += ", certificate " + untilText(*p.cert, a.now())
		n.line.measure(label("cert_days"), strconv.Itoa(int(left/day)), strconv.Itoa(n.warnDays)+":", strconv.Itoa(n.critDays)+":")
	}
	n.line.measure(label("time"), strconv.FormatFloat(p.survey.Elapsed.Seconds(), 'f', 3, 64)+"s", "", "", "0")
	n.line.state = n.line.state.worse(state)
	switch {
	case alone && len(words) > 0:
		n.line.text = strings.Join(words, ", ") + ": " + name + ": " + text
	case alone:
		n.line.text = name + ": " + text
	case state != pluginOK:
		if len(words) == 0 {
			words = []string{remark(p.survey)}
		}
		n.bad[state] = append(n.bad[state], name+" ("+strings.Join(words, ", ")+")")
	}
}

// finish is the line at last.
func (n *probePlugin) finish(v *probeView) pluginLine {
	if v.many {
		n.line.text = v.sum.text()
		for _, s := range []pluginState{pluginCritical, pluginUnknown, pluginWarning} {
			for _, name := range n.bad[s] {
				n.line.text += "; " + name
			}
		}
		n.line.count("hosts", v.sum.Hosts)
		n.line.count("unreachable", v.sum.Unreachable)
		n.line.count("without_tls", v.sum.WithoutTLS)
	}
	if v.interrupted {
		n.line.state = n.line.state.worse(pluginUnknown)
		n.line.text = fmt.Sprintf("interrupted, %d of %d probed; %s", v.sum.Hosts, v.total, n.line.text)
	}
	return n.line
}

// probeFindings are the findings that the wire alone shows. The state is UNKNOWN
// where nobody could look: no such name.
func probeFindings(p probed, a *app) ([]diagnose.Finding, pluginState) {
	var out []diagnose.Finding
	add := func(code diagnose.Code) {
		e, _ := diagnose.Describe(code)
		out = append(out, diagnose.Finding{Code: code, Severity: e.Severity, Title: e.Meaning})
	}
	s := p.survey
	n, f := s.Full.Negotiation, s.Full.Failure
	switch {
	case n == nil && f != nil && f.Kind == probe.KindUnknownHost:
		return nil, pluginUnknown
	case n == nil:
		add(diagnose.PortNotListening)
	case servesTLS(s):
	case f != nil && f.Kind == probe.KindTLSCutOff:
		add(diagnose.TLSCutOff)
	case n.FailureCode != 0, n.Selected == probe.ProtocolRDP:
		add(diagnose.ClassicServed)
	default:
		add(diagnose.TLSFails)
	}
	if list := accepted(s); servesTLS(s) && len(list) > 0 && list[0] < tls.VersionTLS12 {
		add(diagnose.TLSVersionsObsolete)
	}
	if s.Classic != nil && s.Classic.Negotiation != nil && s.Classic.Failure == nil {
		add(diagnose.ClassicAccepted)
	}
	switch c := p.cert; {
	case c == nil:
	case c.Problem != "":
		add(diagnose.CertInvalid)
	case a.now().After(c.NotAfter):
		add(diagnose.CertExpired)
	case a.now().Before(c.NotBefore):
		add(diagnose.CertNotYetValid)
	}
	return out, pluginOK
}
