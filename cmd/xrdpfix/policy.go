package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"xrdpfix/diagnose"
	"xrdpfix/repair"
	"xrdpfix/xrdpconf"
)

// policyFlags are the flags of check, plan and apply.
type policyFlags struct {
	securityLayer string
	tlsMin        string
	tlsMax        string
	profile       string
	cert          string
	restart       string
	forTime       string
	request       requestFlags
	renewBefore   int
	warnDays      int
	ignore        []string
	confirmWithin string
	resume        bool
	noRollback    bool
	inPlace       bool
	// cmd tells which flags were given; nil in tests without a command line.
	cmd *cobra.Command
	// clients: plan lists the clients seen.
	clients bool
	// client: check tells about this one.
	client string
	// waitClient and waitFrom: apply waits for a client afterwards.
	waitClient, waitFrom string
}

// The profiles.
var profiles = map[string]xrdpconf.Range{
	"modern":       {Min: xrdpconf.TLS13, Max: xrdpconf.TLS13},
	"intermediate": {Min: xrdpconf.TLS12, Max: xrdpconf.TLS13},
	"legacy":       {Min: xrdpconf.TLS10, Max: xrdpconf.TLS13},
	"declared":     {},
}

func (p *policyFlags) add(cmd *cobra.Command, changes bool) {
	f := cmd.Flags()
	p.cmd = cmd
	f.StringVar(&p.securityLayer, "security-layer", "", "`LAYER` to serve: negotiate, tls or rdp")
	f.StringVar(&p.tlsMin, "tls-min", "", "lowest TLS `VERSION`: 1.0, 1.1, 1.2 or 1.3")
	f.StringVar(&p.tlsMax, "tls-max", "", "highest TLS `VERSION`: 1.0, 1.1, 1.2 or 1.3")
	f.StringVar(&p.profile, "profile", "", "the range by `NAME`: modern (1.3), intermediate (1.2-1.3), legacy (1.0-1.3) or declared (what sesman.ini declares)")
	f.StringVar(&p.forTime, "for", "", "undo the change after `TIME`, as in 14d; legacy wants it, or ever")
	f.StringVar(&p.cert, "cert", "auto", "make a new certificate `WHEN`: auto (for a reason), keep (never) or renew (now)")
	p.request.add(cmd, true)
	f.IntVar(&p.renewBefore, "renew-before", diagnose.DefaultWarnDays, "renew a certificate of xrdpfix's own `DAYS` before its end")
	f.IntVar(&p.warnDays, "warn-days", diagnose.DefaultWarnDays, "report a certificate that ends within `DAYS`")
	f.StringSliceVar(&p.ignore, "ignore", nil, "leave findings of `CODE` out of account, several times or with commas")
	p.restart = string(repair.RestartAuto)
	if !changes {
		return
	}
	f.StringVar(&p.restart, "restart", "auto", "restart xrdp `WHEN`: auto (where needed, or where it disturbs nobody), always, never or when-idle (wait until nobody is connected)")
	f.StringVar(&p.confirmWithin, "confirm-within", "", "undo the change after `TIME` unless xrdpfix confirm is given")
	f.BoolVar(&p.noRollback, "no-rollback", false, "keep a change that could not be proven")
	f.BoolVar(&p.inPlace, "in-place", false, "write into a file that cannot be replaced (not atomic)")
}

// addRestart gives every flag the value of somebody who states nothing, and adds
// those that decide about the restart and the proof.
func (p *policyFlags) addRestart(cmd *cobra.Command) {
	*p = defaultPolicy()
	f := cmd.Flags()
	p.cmd = cmd
	f.StringVar(&p.restart, "restart", "auto", "restart xrdp `WHEN`: auto, always or never")
	f.BoolVar(&p.noRollback, "no-rollback", false, "keep a change that could not be proven")
	f.BoolVar(&p.inPlace, "in-place", false, "write into a file that cannot be replaced (not atomic)")
}

// policy checks the flags against each other.
func (p *policyFlags) policy() (repair.Policy, error) {
	pol := repair.Policy{
		SecurityLayer: p.securityLayer, Cert: repair.CertPolicy(p.cert), Restart: repair.RestartPolicy(p.restart),
		NoRollback: p.noRollback, InPlace: p.inPlace,
	}
	if p.restart == "" || p.restart == whenIdle {
		pol.Restart = repair.RestartAuto
	}
	if err := oneOf("--security-layer", p.securityLayer, "", "negotiate", "tls", "rdp"); err != nil {
		return pol, err
	}
	if err := oneOf("--cert", p.cert, "auto", "keep", "renew"); err != nil {
		return pol, err
	}
	restarts := []string{"auto", "always", "never", whenIdle}
	if p.changed("restart") && p.cmd.Flags().Lookup("confirm-within") == nil {
		restarts = restarts[:3] // the commands of cert wait for nobody
	}
	if err := oneOf("--restart", cmp.Or(p.restart, "auto"), restarts...); err != nil {
		return pol, err
	}
	if err := p.tlsRange(&pol); err != nil {
		return pol, err
	}
	switch {
	case p.warnDays < 0:
		return pol, usagef("--warn-days must not be negative")
	case p.renewBefore < 1:
		return pol, usagef("--renew-before must be at least 1")
	}
	if err := setIgnore(&policyFlags{}, strings.Join(p.ignore, ",")); err != nil {
		return pol, usagef("--ignore %w", err)
	}
	var err error
	pol.Request, err = p.request.request()
	return pol, err
}

func (p *policyFlags) tlsRange(pol *repair.Policy) error {
	if p.profile != "" {
		r, known := profiles[p.profile]
		switch {
		case !known:
			return usagef("--profile %s is not modern, intermediate, legacy or declared", p.profile)
		case p.tlsMin != "" || p.tlsMax != "":
			return usagef("--profile and --tls-min or --tls-max contradict each other; state one")
		case p.profile == "declared":
			pol.Declared = true
		}
		pol.Range = r
	} else if p.tlsMin != "" || p.tlsMax != "" {
		r, err := statedRange(p.tlsMin, p.tlsMax)
		if err != nil {
			return err
		}
		pol.Range = r
	}
	return p.checkFor(pol)
}

// checkFor asks how long old versions are let in: whoever opens them says so.
func (p *policyFlags) checkFor(pol *repair.Policy) error {
	switch {
	case p.forTime == "" && p.profile == "legacy":
		return fail(2, reasonUsage, fmt.Errorf("--profile legacy lets TLS 1.0 and 1.1 in; say for how long"),
			"xrdpfix apply --profile legacy --for 14d", "xrdpfix apply --profile legacy --for ever")
	}
	var err error
	pol.Deadline, err = p.deadline()
	return err
}

// statedRange fills the end that was not stated: the highest version there is,
// or the lowest that is still sound.
func statedRange(lo, hi string) (xrdpconf.Range, error) {
	r := xrdpconf.Range{Min: xrdpconf.TLS12, Max: xrdpconf.TLS13}
	var err error
	if lo != "" {
		if r.Min, err = xrdpconf.ParseTLSVersion(lo); err != nil {
			return r, usagef("--tls-min %s is not 1.0, 1.1, 1.2 or 1.3", lo)
		}
	}
	if hi != "" {
		if r.Max, err = xrdpconf.ParseTLSVersion(hi); err != nil {
			return r, usagef("--tls-max %s is not 1.0, 1.1, 1.2 or 1.3", hi)
		}
		if lo == "" {
			r.Min = min(r.Min, r.Max)
		}
	}
	if r.Min > r.Max {
		return r, usagef("--tls-min %s is above --tls-max %s", r.Min.Number(), r.Max.Number())
	}
	return r, nil
}

func oneOf(flag, value string, allowed ...string) error {
	for _, v := range allowed {
		if v == value {
			return nil
		}
	}
	list := ""
	for i, v := range allowed {
		switch {
		case v == "":
		case i == len(allowed)-1:
			list += " or " + v
		case list == "":
			list = v
		default:
			list += ", " + v
		}
	}
	return usagef("%s %s is not %s", flag, value, list)
}
