package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"xrdpfix/diagnose"
	"xrdpfix/internal/host"
	"xrdpfix/probe"
	"xrdpfix/repair"
	"xrdpfix/xrdpconf"
)

// look is what check, plan and apply share: the pipeline up to the plan.
type look struct {
	machine *host.Machine
	facts   diagnose.Facts
	found   []diagnose.Finding
	// ignored were found and do not count.
	ignored []diagnose.Finding
	policy  repair.Policy
	// from says where the policy comes from; nil where a command has none.
	from []policySetting
	// settings are those that the facts were judged with.
	settings diagnose.Settings
	plan     repair.Plan
}

// wish is what a command line asks the pipeline for.
type wish struct {
	policy      repair.Policy
	warnDays    int
	renewBefore int
	names       []string // that the certificate must have
	ignore      []string // codes that do not count
	from        []policySetting
	// onlyDue mends nothing but a pair of ours that is due for renewal.
	onlyDue bool
	// stated repeats the flags that shape the plan, but for --restart.
	stated string
	// idle repeats the flags where a refused change is to wait; nil where not.
	idle *policyFlags
	// cert and key are a delivered pair, as PEM.
	cert, key []byte
	// replay are saved facts to judge instead of a machine.
	replay *diagnose.Facts
	// everyClient reads the whole log of the last days for who came.
	everyClient bool
	// client is the address of one client that somebody asks about.
	client string
	// wait: wait for a client after the change; nil for not.
	wait *clientWait
}

// plain is the wish of somebody who states nothing.
var plain = wish{policy: repair.Policy{Cert: repair.CertAuto, Restart: repair.RestartAuto}}

// wish checks the flags and the policy file, and says what they ask for together.
// Saved facts are judged by the flags alone: the policy of this machine is not
// theirs.
func (a *app) wish(p *policyFlags, replay bool) (wish, error) {
	if _, err := p.policy(); err != nil {
		return wish{}, err
	}
	file := &policyFile{}
	if !replay {
		var err error
		if file, err = a.readPolicy(); err != nil {
			return wish{}, err
		}
	}
	q, from, err := file.with(p)
	if err != nil {
		return wish{}, err
	}
	pol, err := q.policy()
	pol.DeadlineOfRange = file.lines["for"] > 0 && q.forTime != "" && !p.changed("for")
	stated := *p
	stated.restart = string(repair.RestartAuto)
	w := wish{
		policy: pol, warnDays: q.warnDays, renewBefore: q.renewBefore, ignore: q.ignore, from: from, stated: statedFlags(&stated),
	}
	if q.restart == whenIdle {
		w.idle = p
	}
	w.everyClient = p.clients
	w.names = q.request.names
	return w, err
}

// plainWish is the wish of somebody who gives no flags: the policy file's.
func (a *app) plainWish() (wish, error) {
	p := defaultPolicy()
	return a.wish(&p, false)
}

// certWish is what flags and policy file say about a certificate, and nothing else.
func (a *app) certWish(p *policyFlags) (wish, error) {
	w, err := a.wish(p, false)
	w.policy.CertOnly = true
	w.policy.SecurityLayer, w.policy.Range, w.policy.Declared, w.policy.Deadline = "", xrdpconf.Range{}, false, nil
	w.idle = nil
	return w, err
}

// look runs the pipeline up to the plan.
func (a *app) look(ctx context.Context, w wish) (*look, error) {
	pol := w.policy
	if w.replay != nil {
		l := &look{facts: *w.replay, policy: pol, from: w.from}
		return l, l.judge(w)
	}
	m, err := a.open(a.global.root)
	if err != nil {
		return nil, err
	}
	l := &look{machine: m, policy: pol, from: w.from}
	stated := pol.Range != (xrdpconf.Range{}) || pol.Declared
	l.facts = diagnose.Collect(ctx, m.Env(), diagnose.Options{Wanted: pol.Range, EveryVersion: stated, EveryClient: w.everyClient})
	if err := ctx.Err(); err != nil {
		m.Close()
		return nil, err
	}
	if err := l.judge(w); err != nil {
		m.Close()
		return nil, err
	}
	a.root(l)
	return l, nil
}

// judge turns the facts into findings and a plan.
func (l *look) judge(w wish) (err error) {
	l.settings = diagnose.Settings{
		WarnDays: w.warnDays, RenewBefore: w.renewBefore, Names: w.names, Wanted: w.policy.Range, Declared: w.policy.Declared, Client: w.client,
	}
	l.found, l.ignored = split(diagnose.Run(l.facts, l.settings), w.ignore)
	if w.onlyDue {
		l.found = due(&l.facts, l.found)
	}
	l.plan, err = repair.New(l.facts, l.found, w.policy)
	if errors.Is(err, repair.ErrNothingDeclared) {
		return fail(2, reasonUsage, err, "state one: xrdpfix apply --profile intermediate")
	}
	l.afterOthers()
	return err
}

// afterOthers takes back what findings promise where apply cannot do it yet: what is
// left to a human comes first, and is no finding that would say so.
func (l *look) afterOthers() {
	if !l.onlyPlanTells() {
		return
	}
	for i := range l.found {
		if x := &l.found[i]; x.Mend == diagnose.MendApply && !mended(l.plan, x.Code) {
			x.Mend = diagnose.MendHuman
			x.Remedy = "Not by apply yet: xrdpfix plan says what comes first. Then, by apply: " + x.Remedy
		}
	}
}

// root puts the tree at work into the commands of findings and of what is left to a
// human, so that what is pasted is not run on the machine around it.
func (a *app) root(l *look) {
	if a.global.root == "/" {
		return
	}
	rooted := func(commands []string) []string {
		var out []string
		for _, c := range commands {
			if strings.HasPrefix(c, "xrdpfix ") {
				c = a.rooted(c)
			}
			out = append(out, c)
		}
		return out
	}
	for i := range l.found {
		l.found[i].Commands = rooted(l.found[i].Commands)
	}
	for i := range l.ignored {
		l.ignored[i].Commands = rooted(l.ignored[i].Commands)
	}
	for i, m := range l.plan.Manual {
		if !m.FirstBoot {
			l.plan.Manual[i].Commands = rooted(m.Commands)
		}
	}
}

func (l *look) close() {
	if l.machine != nil {
		l.machine.Close()
	}
}

// onlyPlanTells: what is left to a human is no finding, so that check does not show it.
func (l *look) onlyPlanTells() bool {
	return slices.ContainsFunc(l.plan.Manual, func(m repair.Manual) bool {
		return !slices.ContainsFunc(l.found, func(x diagnose.Finding) bool { return x.Code == m.Because })
	})
}

// count counts findings of one severity.
func (l *look) count(s diagnose.Severity) int {
	n := 0
	for _, x := range l.found {
		if x.Severity == s {
			n++
		}
	}
	return n
}

// subject is the first line of most pages: which machine, which xrdp.
func subject(f *diagnose.Facts) string {
	s := hostName(f) + ": "
	switch {
	case f.Package.Ok():
		s += "xrdp " + clean(f.Package.Value.Version)
	case f.Config.Value.Exists:
		s += "xrdp of unknown version"
	default:
		return s + "no xrdp"
	}
	if f.Host.OS != "" {
		s += " on " + clean(f.Host.OS)
	}
	if v := f.Package.Value.OpenSSL; v != "" {
		s += ", OpenSSL " + clean(v)
	}
	if ports := f.Ports(); len(ports) > 0 {
		s += fmt.Sprintf(", port %d", ports[0])
	}
	switch n := len(f.Desktops.Value); {
	case f.Offline:
		s += ", offline tree"
	case !f.Desktops.Ok():
		s += ", desktops not counted"
	case n == 0:
		s += ", no desktop live"
	default:
		s += ", " + plural(n, "desktop") + " live"
	}
	return s + replayText(f)
}

// hostName is the machine's name, or what there is instead.
func hostName(f *diagnose.Facts) string {
	switch {
	case f.Host.Name != "":
		return clean(f.Host.Name)
	case f.Offline:
		return "this tree"
	}
	return "this machine"
}

// health is the first word and sentence of the answer. What is ignored is not
// hidden, and an error that is ignored is not called fine.
func health(l *look) (word, text string) {
	word, text = judged(l)
	if n := len(l.ignored); n > 0 && word != "BROKEN" {
		text = strings.TrimSuffix(text, ".") + "; " + plural(n, "finding") + " ignored, as stated."
		if diagnose.Worst(l.ignored) == diagnose.Error {
			word = "IGNORED"
		}
	}
	return word, text
}

func judged(l *look) (word, text string) {
	f := &l.facts
	worst := diagnose.Worst(l.found)
	if worst == diagnose.Error {
		return "BROKEN", brokenText(l)
	}
	if f.Offline {
		return "OFFLINE", "nothing is wrong with the files of this tree. Nothing was probed."
	}
	if !f.Wire.Ok() {
		return "UNKNOWN", "nothing wrong was found, but the port was not looked at: " + f.Wire.Skipped + f.Wire.Failed + "."
	}
	text = servedText(f)
	if worst == diagnose.Warning {
		text += "; " + plural(l.count(diagnose.Warning), "warning")
	}
	return "OK", text + "."
}

// brokenText says what the fault does to clients, from the wire.
func brokenText(l *look) string {
	f := &l.facts
	full := f.Wire.Value.Full
	switch {
	case misread(l) != "":
		return misread(l)
	case isFound(l, diagnose.XrdpMissing):
		return "nobody can connect: xrdp is not installed."
	case !f.Wire.Ok() && f.Offline:
		return "with these files clients cannot connect, or not safely."
	case !f.Wire.Ok():
		return "nobody can connect: " + f.Wire.Skipped + f.Wire.Failed + "."
	case full.Negotiation != nil && full.Negotiation.FailureCode != 0:
		return fmt.Sprintf("xrdp refuses clients that ask for TLS (%s).", full.Negotiation.FailureCode)
	case full.Negotiation != nil && full.Negotiation.Selected == probe.ProtocolRDP:
		return "xrdp offers no TLS. Clients that insist on TLS are turned away; the others get classic RDP security (RC4, no proof of the server) without a word."
	case full.Failure != nil && full.Negotiation != nil:
		return "xrdp selects TLS, and then the connection fails: " + clean(full.Failure.Text) + "."
	case full.Failure != nil:
		return "nobody can connect: " + clean(full.Failure.Text) + "."
	}
	return "TLS works, but " + lowerFirst(firstError(l)) + "."
}

// isFound reports whether something was found, and counts.
func isFound(l *look, code diagnose.Code) bool {
	return slices.ContainsFunc(l.found, func(x diagnose.Finding) bool { return x.Code == code })
}

// misread is the finding that says why the wire tells nothing of xrdp: another
// program answers, or our own TLS cannot read what other clients can; "" for none.
func misread(l *look) string {
	for _, x := range l.found {
		if x.Code == diagnose.PortTaken || x.Code == diagnose.CertInvalid && x.Mend == diagnose.MendStated {
			return lowerFirst(strings.TrimSuffix(cleanLines(x.Detail), ".")) + "."
		}
	}
	return ""
}

func firstError(l *look) string {
	for _, x := range l.found {
		if x.Severity == diagnose.Error {
			return strings.TrimSuffix(cleanLines(x.Detail), ".") + " (" + string(x.Code) + ")"
		}
	}
	return ""
}

func lowerFirst(s string) string {
	if s == "" || strings.HasPrefix(s, "/") {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// servedText names what works: "TLS 1.2 and 1.3 work, certificate good for 824 days".
func servedText(f *diagnose.Facts) string {
	var parts []string
	full := f.Wire.Value.Full
	versions := f.Wire.Value.Accepted()
	if full.TLS != nil && !slices.Contains(versions, full.TLS.Version) {
		versions = append(versions, full.TLS.Version)
	}
	switch {
	case len(versions) == 1:
		parts = append(parts, versionList(versions)+" works")
	case len(versions) > 1:
		parts = append(parts, versionList(versions)+" work")
	case full.Negotiation != nil && full.Negotiation.Selected == probe.ProtocolRDP:
		parts = append(parts, "clients connect with classic RDP only, as configured")
	}
	if f.Pair.Ok() && full.TLS != nil {
		parts = append(parts, "certificate good for "+daysText(f.Pair.Value.Cert.Left(f.Taken)))
	}
	return strings.Join(parts, ", ")
}

// versionList prints "TLS 1.2 and 1.3".
func versionList(versions []probe.TLSVersion) string {
	var names []string
	for _, v := range versions {
		names = append(names, strings.TrimPrefix(v.String(), "TLS "))
	}
	switch len(names) {
	case 0:
		return "no TLS"
	case 1:
		return "TLS " + names[0]
	}
	return "TLS " + strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
