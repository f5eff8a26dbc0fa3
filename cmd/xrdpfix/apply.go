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
	"xrdpfix/internal/plaintext"
	"xrdpfix/repair"
)

func newApply(a *app) *cobra.Command {
	var flags policyFlags
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "apply",
		Short: "Plan, back up, change, verify; roll back unless proven",
		Long: `Find what stops clients from negotiating security, make the smallest change that mends it, connect as a client does, read that very connection in xrdp.log, and keep the change only if both prove it. Otherwise everything is put back.

A plain apply repairs; it sets no policy: a working ssl_protocols and a working security_layer stay as they are, unless /etc/xrdpfix/policy.ini or a flag states others. Nobody is cut off unless --restart=always.`,
		Example: `  xrdpfix apply                          mend what is broken
  xrdpfix apply --dry-run                the same as xrdpfix plan
  xrdpfix apply --profile intermediate   TLS 1.2 to 1.3, whatever was there
  xrdpfix apply --security-layer tls     shut clients without TLS out
  xrdpfix apply --wait-client 5m         and report how the next client fares`,
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
	addWait(cmd, &flags)
	cmd.Flags().BoolVarP(&dryRun, "dry-run", "n", false, "show the plan and change nothing")
	return cmd
}

// notRoot is what the one who is not root gets: the command line with sudo, where
// it can be pasted.
func (a *app) notRoot() error {
	words := strings.Join(a.args, " ")
	if strings.ContainsFunc(words, func(r rune) bool { return r != ' ' && !strings.ContainsRune(plaintext.Pasteable, r) }) {
		words = a.command
	}
	return fail(6, reasonNotPermitted, errors.New("only root can change /etc/xrdp"),
		"sudo xrdpfix "+words+"        look first: "+a.next("check"))
}

func (a *app) apply(ctx context.Context, flags *policyFlags) error {
	w, err := a.wish(flags, false)
	if err != nil {
		return err
	}
	if flags.resume {
		w.idle = nil // it waits already
		return a.resume(ctx, w)
	}
	if w.wait, err = flags.wait(); err != nil {
		return err
	}
	return a.change(ctx, "apply", w)
}

// change runs the whole pipeline: plan, execute, judge, report. Then it waits for a
// client where that is wanted, and where what was done stands.
func (a *app) change(ctx context.Context, command string, w wish) error {
	var after waitStart
	a.holds = w.wait != nil && a.jsonOutput()
	err := a.changeAlone(ctx, command, w, &after)
	a.holds = false
	if err == nil && after.stands {
		err = a.awaitClient(ctx, w.wait, after.from)
	}
	// With an error it is printed by report: what was done stands all the same.
	if a.held != nil && err == nil {
		held := a.held
		a.held = nil
		err = a.printJSON(held)
	}
	return err
}

// waitStart is from where on a client is waited for.
type waitStart struct {
	stands bool
	from   host.Place
}

// possible refuses to change anything where it could not be told afterwards how a
// client fares.
func (w wish) possible(l *look) error {
	if w.wait == nil {
		return nil
	}
	if _, err := l.machine.Log(false); err != nil {
		return fail(6, reasonIncomplete, fmt.Errorf("cannot wait for a client: %w; nothing was touched", err), "xrdpfix show")
	}
	return nil
}

// begin marks the end of the log, now that nothing is unjudged any more.
func (s *waitStart) begin(l *look, w wish) error {
	if w.wait == nil {
		return nil
	}
	source, err := l.machine.Log(false)
	if err == nil {
		s.from, err = source.End()
	}
	if s.stands = err == nil; !s.stands {
		return fmt.Errorf("wait for a client: %w", err)
	}
	return nil
}

// changeAlone is change up to the report, while no other run may change anything.
func (a *app) changeAlone(ctx context.Context, command string, w wish, after *waitStart) error {
	_, release, err := a.openAlone()
	if err != nil {
		return err
	}
	defer release()
	if err := a.finishInterrupted(ctx); err != nil {
		return err
	}
	l, err := a.look(ctx, w)
	if err != nil {
		return err
	}
	defer l.close()
	if err := w.possible(l); err != nil {
		return err
	}
	switch {
	case l.plan.Empty():
		a.quit = planExit(l)
		if a.quit.Code == 0 && !l.facts.Offline {
			a.quit.Reason = reasonNothingToDo
		}
		if err := a.printNothing(l); err != nil {
			return err
		}
		return after.begin(l, w)
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
			a.tell("note", "old pairs were not removed: "+cleanLines(err.Error()))
		}
	}
	a.quit = applyExit(l, out)
	// Told first: it was done, whatever becomes of the waiting.
	if err := a.printOutcome(l, out); err != nil {
		return err
	}
	if out.Verdict.Status == repair.Confirmed && !out.RolledBack && !out.Interrupted {
		return after.begin(l, w)
	}
	return nil
}

// inUse is the directory of the pair that xrdp.ini named before and names still.
func inUse(l *look) string { return path.Dir(l.facts.Server().Certificate) }

func (a *app) say(what string) {
	if p := a.progress(); p != nil {
		p(what)
	}
}

func (a *app) runner(m *host.Machine) *repair.Runner {
	r := &repair.Runner{
		System: m.System(), Observer: m.Observer(), Store: m.Store(), Rand: rand.Reader, Now: a.now, Tool: version, Progress: a.progress(),
		Keygen: m.Keygen, Timers: m.Timers(m.Context()),
	}
	if m.Live() {
		r.Settle = func() { time.Sleep(settle) }
	}
	return r
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
	list, err := a.journals(m)
	if err != nil {
		return err
	}
	for _, j := range list {
		if j.State == repair.StateDamaged {
			return damagedFailure(j)
		}
	}
	if err := m.CleanTemps(); err != nil {
		return err
	}
	r := a.runner(m)
	for _, j := range list {
		if !j.Unfinished() {
			continue
		}
		if err := a.mayRestart(ctx, m, j, repair.RestartAuto); err != nil {
			return err
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
	case out.NotUp != "":
		return exit{5, reasonXrdpDown}
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
