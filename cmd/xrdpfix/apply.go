package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"xrdpfix/diagnose"
	"xrdpfix/internal/host"
	"xrdpfix/repair"
)

func newApply(a *app) *cobra.Command {
	var flags policyFlags
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "apply",
		Short: "Plan, back up, change, verify; roll back unless proven",
		Long: `Find what stops clients from negotiating security, make the smallest change that mends it, connect as a client does, read that very connection in xrdp.log, and keep the change only if both prove it. Otherwise everything is put back.

A plain apply repairs; it sets no policy: a working ssl_protocols and a working security_layer stay as they are. Nobody is cut off unless --restart=always.`,
		Example: `  xrdpfix apply                          mend what is broken
  xrdpfix apply --dry-run                the same as xrdpfix plan
  xrdpfix apply --profile intermediate   TLS 1.2 to 1.3, whatever was there
  xrdpfix apply --security-layer tls     shut clients without TLS out`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dryRun {
				return a.planCommand(cmd.Context(), &flags, &factsFlags{})
			}
			return a.apply(cmd.Context(), &flags)
		},
	}
	flags.add(cmd, true)
	cmd.Flags().BoolVar(&flags.resume, "resume", false, "run by the unit of --restart=when-idle")
	_ = cmd.Flags().MarkHidden("resume")
	cmd.Flags().BoolVarP(&dryRun, "dry-run", "n", false, "show the plan and change nothing")
	return cmd
}

// notRoot is what the one who is not root gets: the command line with sudo, where
// it can be pasted.
func (a *app) notRoot() error {
	words := strings.Join(a.args, " ")
	if strings.ContainsFunc(words, func(r rune) bool { return r != ' ' && !strings.ContainsRune(pasteable, r) }) {
		words = a.command
	}
	return fail(6, reasonNotPermitted, errors.New("only root can change /etc/xrdp"),
		"sudo xrdpfix "+words+"        look first: "+a.next("check"))
}

func (a *app) apply(ctx context.Context, flags *policyFlags) error {
	w, err := flags.wish()
	if err != nil {
		return err
	}
	if flags.resume {
		return a.resume(ctx, w)
	}
	if flags.restart == whenIdle {
		w.idle = flags
	}
	return a.change(ctx, "apply", w)
}

// change runs the whole pipeline: plan, execute, judge, report.
func (a *app) change(ctx context.Context, command string, w wish) error {
	m, err := a.open(a.global.root)
	if err != nil {
		return err
	}
	if !m.MayChange() {
		m.Close()
		return a.notRoot()
	}
	unlock, err := m.Lock()
	m.Close()
	if err != nil {
		return lockFailure(err)
	}
	defer unlock()
	if err := a.finishInterrupted(ctx); err != nil {
		return err
	}
	l, err := a.look(ctx, w)
	if err != nil {
		return err
	}
	defer l.close()
	switch {
	case l.plan.Empty():
		a.quit = planExit(l)
		if a.quit.Code == 0 && !l.facts.Offline {
			a.quit.Reason = reasonNothingToDo
		}
		return a.printNothing(l)
	case l.plan.Refusal != nil && w.idle != nil && l.plan.Refusal.Reason == string(reasonLiveDesktops):
		return a.schedule(ctx, l, w.idle)
	case l.plan.Refusal != nil:
		return a.refused(l, w.stated)
	}
	a.say("making the change")
	r := a.runner(l.machine)
	r.Pair.Cert, r.Pair.Key = w.cert, w.key
	r.Keep = w.policy.NoRollback || l.facts.Offline // nothing can be proven in a tree
	out, err := r.Execute(ctx, l.plan)
	a.say("")
	switch {
	case errors.Is(err, repair.ErrStale):
		return fail(7, reasonStale, fmt.Errorf("%w; nothing was touched", err), "xrdpfix apply")
	case err != nil && !out.Changed:
		return err
	case err != nil:
		return fail(5, reasonNotRolledBack, err, "xrdpfix rollback "+l.plan.ID)
	}
	if out.Verdict.Status == repair.Confirmed {
		if _, err := r.Prune(inUse(l)); err != nil {
			_, _ = fmt.Fprintf(a.errOut, "xrdpfix: note: old pairs were not removed: %v\n", err)
		}
	}
	a.quit = applyExit(l, out)
	return a.printOutcome(l, out)
}

// inUse is the directory of the pair that xrdp.ini named before and names still.
func inUse(l *look) string { return path.Dir(l.facts.Server().Certificate) }

func (a *app) say(what string) {
	if p := a.progress(); p != nil {
		p(what)
	}
}

func (a *app) runner(m *host.Machine) *repair.Runner {
	return &repair.Runner{
		System: m.System(), Observer: m.Observer(), Store: m.Store(), Rand: rand.Reader, Now: a.now, Tool: version, Progress: a.progress(),
		Keygen: m.Keygen, Timers: m.Timers(m.Context()), Settle: func() { time.Sleep(settle) },
	}
}

// settle is how long a connection may take from reading xrdp.ini to loading the
// certificate that it names: a round trip of the X.224 negotiation.
const settle = time.Second

func lockFailure(err error) error {
	var held *host.LockedError
	if errors.As(err, &held) {
		return fail(6, reasonLocked, err, "wait for it to end, then: xrdpfix apply")
	}
	return err
}

// finishInterrupted puts back what a killed apply left, before anything else.
func (a *app) finishInterrupted(ctx context.Context) error {
	m, err := a.open(a.global.root)
	if err != nil {
		return err
	}
	defer m.Close()
	list, err := m.Store().List()
	if err != nil {
		return err
	}
	if err := m.CleanTemps(); err != nil {
		return err
	}
	r := a.runner(m)
	for _, j := range list {
		if !j.Unfinished() {
			continue
		}
		a.say("putting back the interrupted apply " + j.ID)
		if _, err := r.Rollback(ctx, j, false, m.ConfigTargets()...); err != nil {
			return fail(7, reasonConflict, fmt.Errorf("the interrupted apply %s cannot be put back: %w", j.ID, err),
				"xrdpfix rollback --force "+j.ID)
		}
	}
	return nil
}

// applyExit maps an outcome to the exit code.
func applyExit(l *look, out repair.Outcome) exit {
	switch {
	case out.Interrupted:
		return exit{130, reasonInterrupted}
	case out.RolledBack:
		return exit{4, reasonRolledBack}
	case l.facts.Offline && manualErrors(l.plan.Manual):
		return exit{3, reasonManual}
	case l.facts.Offline:
		return exit{0, reasonOffline}
	case out.Verdict.Status != repair.Confirmed:
		return exit{5, reasonNotRolledBack}
	case manualErrors(l.plan.Manual):
		return exit{3, reasonManual}
	}
	return exit{0, reasonApplied}
}

func manualErrors(list []repair.Manual) bool {
	for _, m := range list {
		if m.Severity == diagnose.Error {
			return true
		}
	}
	return false
}

// printNothing reports an apply with nothing to do.
func (a *app) printNothing(l *look) error {
	if a.jsonOutput() {
		return a.printJSON(a.document(a.command, l))
	}
	if a.global.quiet {
		return nil
	}
	var p page
	a.showNothingDue(&p, l)
	return a.print(&p)
}

// refused reports an apply that did not begin.
func (a *app) refused(l *look, stated string) error {
	why := l.plan.Refusal
	a.quit = exit{7, reason(why.Reason)}
	if a.jsonOutput() {
		return a.printJSON(a.document(a.command, l))
	}
	var p page
	p.para("REFUSED: " + clean(why.Text) + ".")
	p.linef("Nothing was changed.")
	if len(l.plan.Disturbs) > 0 {
		p.blank()
		showDisturbed(&p, l.plan.Disturbs)
	}
	if len(l.plan.Unit.Because) > 0 {
		p.blank()
		p.linef("Why a restart")
		for _, b := range l.plan.Unit.Because {
			p.block(2, "", clean(upperFirst(b))+".")
		}
	}
	if len(l.plan.Disturbs) > 0 {
		p.linef("What it costs")
		p.block(2, "", "Whoever is connected is cut off, and nobody gets the old desktop back: the next login starts an empty one, and the old one runs on, unreachable.")
	}
	if len(why.Instead) > 0 {
		p.blank()
		p.linef("Choose")
		for _, c := range why.Instead {
			p.linef("  %s", strings.Replace(c, "xrdpfix apply", "xrdpfix apply"+stated, 1))
		}
	}
	p.linef("refused: %s (exit %d)", a.quit.Reason, a.quit.Code)
	return p.writeTo(a.errOut)
}

// printOutcome reports what became of the plan.
func (a *app) printOutcome(l *look, out repair.Outcome) error {
	if a.jsonOutput() {
		doc := a.document(a.command, l)
		doc.outcome(l, out)
		return a.printJSON(doc)
	}
	if a.global.quiet && a.quit.Code == 0 {
		return nil
	}
	var p page
	p.para(subject(&l.facts))
	p.blank()
	showWrong(&p, l)
	showChanged(&p, l, out)
	p.blank()
	if l.facts.Offline {
		p.para("Nothing can be probed in an offline tree: the verdict is unknown (offline).")
	} else {
		a.showProof(&p, l, out)
	}
	p.blank()
	a.showEnd(&p, l, out)
	if a.global.quiet {
		return p.writeTo(a.errOut) // it failed
	}
	return a.print(&p)
}

func showWrong(p *page, l *look) {
	label := "Wrong"
	for _, x := range l.found {
		if !mended(l.plan, x.Code) {
			continue
		}
		p.block(10, label, string(x.Code)+": "+cleanLines(lowerFirst(x.Detail)))
		label = ""
	}
	if label != "" {
		p.block(10, "Stated", strings.TrimSpace(statedText(l)))
	}
}

func statedText(l *look) string {
	var parts []string
	if l.policy.Range.Valid() {
		parts = append(parts, l.policy.Range.String())
	}
	if l.policy.Declared {
		parts = append(parts, "the range that sesman.ini declares")
	}
	if l.policy.SecurityLayer != "" {
		parts = append(parts, "security_layer="+l.policy.SecurityLayer)
	}
	if l.policy.Cert == repair.CertRenew {
		parts = append(parts, "a new certificate")
	}
	if d := l.policy.Install; d != nil {
		parts = append(parts, "the certificate of "+clean(d.Cert.Subject)+", issued by "+clean(d.Cert.Issuer))
	}
	if len(parts) == 0 {
		return "a restart"
	}
	return strings.Join(parts, ", ")
}

func mended(p repair.Plan, code diagnose.Code) bool {
	for _, c := range p.Because {
		if c == code {
			return true
		}
	}
	return false
}

func showChanged(p *page, l *look, out repair.Outcome) {
	var rows [][2]string
	for _, c := range l.plan.Files {
		what := plural(len(c.Keys), "line") + ": " + strings.Join(c.Keys, ", ")
		switch {
		case c.Kind != repair.FileEdit:
			what = string(c.Kind) + "d"
		case len(c.Keys) == 0:
			what = fmt.Sprintf("mode %04o", c.After.Mode)
		}
		rows = append(rows, [2]string{clean(c.Path), what})
	}
	if k := l.plan.Keygen; k != nil {
		rows = append(rows, [2]string{k.Path, "new, by xrdp-keygen"})
	}
	if id := l.plan.Identity; id != nil {
		what := "new key and certificate"
		switch {
		case id.Copy:
			what = "a copy of the pair"
		case id.Install != nil:
			what = "the delivered pair"
		}
		rows = append(rows, [2]string{id.Dir + "/", what})
	}
	p.columns(10, "Changed", rows)
	u := l.plan.Unit
	switch u.Action {
	case repair.ActionStart:
		p.block(10, "Started", "xrdp.service: "+clean(u.Why)+portBack(out))
	case repair.ActionRestart:
		p.block(10, "Restarted", "xrdp.service: "+clean(u.Why)+portBack(out))
	default:
		p.block(10, "Restarted", "nothing: "+clean(u.Why))
	}
	switch n := len(l.plan.Disturbs); {
	case u.Action != repair.ActionRestart || n == 0:
		p.linef("%-10s%s", "Disturbed", "nobody")
	default:
		p.linef("%-10s%s", "Disturbed", plural(n, "user"))
		showDisturbed(p, l.plan.Disturbs)
	}
}

func portBack(out repair.Outcome) string {
	if out.PortBack == 0 {
		return ""
	}
	return fmt.Sprintf("; port back in %.1f s", out.PortBack.Seconds())
}
