package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"xrdpfix/diagnose"
	"xrdpfix/internal/host"
	"xrdpfix/repair"
)

func newRollback(a *app) *cobra.Command {
	var force, unattended bool
	var restart string
	cmd := &cobra.Command{
		Use:   "rollback [ID]",
		Short: "Put back what an apply changed",
		Long:  `Put back the bytes, owner, mode and links that an apply changed: the latest one, or the one named by ID (any unique beginning of it; see xrdpfix history). A file that somebody changed since is left alone unless --force is given. A new key and certificate stay for 30 days, closed to everybody but root.`,
		Example: `  xrdpfix rollback                    undo the latest apply
  xrdpfix rollback 20261122T152440Z   undo that one`,
		Args: atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id := ""
			if len(args) == 1 {
				id = args[0]
			}
			if err := oneOf("--restart", restart, "auto", "always", "never"); err != nil {
				return err
			}
			if unattended {
				return a.undoByTimer(cmd.Context(), id)
			}
			return a.rollback(cmd.Context(), id, force, repair.RestartPolicy(restart))
		},
	}
	cmd.Flags().BoolVar(&unattended, "unattended", false, "run by the timer of --confirm-within or --for")
	_ = cmd.Flags().MarkHidden("unattended")
	cmd.Flags().BoolVar(&force, "force", false, "overwrite files that somebody changed since")
	cmd.Flags().StringVar(&restart, "restart", "auto", "restart xrdp `WHEN` the undone change needs it: auto, always or never")
	return cmd
}

func (a *app) rollback(ctx context.Context, id string, force bool, restart repair.RestartPolicy) error {
	m, release, err := a.openAlone()
	if err != nil {
		return err
	}
	defer release()
	list, err := a.journals(m)
	if err != nil {
		return err
	}
	if id == "" && m.WaitsForIdle() {
		return a.giveUp(ctx, m)
	}
	j, err := pick(list, id)
	if err != nil {
		return err
	}
	if j.State == repair.StateDamaged {
		return damagedFailure(j)
	}
	if err := a.mayRestart(ctx, m, j, restart); err != nil {
		return err
	}
	if err := a.mayExpose(m, j, force); err != nil {
		return err
	}
	a.say("putting back " + j.ID)
	undone, err := a.runner(m).Rollback(ctx, j, force, m.ConfigTargets()...)
	a.say("")
	if errors.Is(err, repair.ErrConflict) {
		return a.conflict(m, j, err)
	}
	if err != nil {
		return fail(5, reasonNotRolledBack, err, "xrdpfix rollback "+j.ID)
	}
	l, err := a.look(ctx, plain)
	if err != nil {
		return err
	}
	defer l.close()
	a.quit = exit{0, reasonOK}
	if undone.NotUp != "" {
		a.quit = exit{5, reasonXrdpDown}
	}
	if a.jsonOutput() {
		doc := a.healthDocument("rollback", l)
		doc.Changed = true
		doc.Journal = j.ID
		return a.printJSON(doc)
	}
	if a.global.quiet && a.quit.Code == 0 {
		return nil
	}
	return a.printUndone(l, undone)
}

// mayRestart refuses an undoing that would cut somebody off.
func (a *app) mayRestart(ctx context.Context, m *host.Machine, j repair.Journal, restart repair.RestartPolicy) error {
	if !j.NeededRestart || restart == repair.RestartAlways {
		return nil
	}
	hint := "xrdpfix rollback --restart=always " + j.ID
	if restart == repair.RestartNever {
		return fail(7, reasonRestartNever, errors.New("undoing this needs a restart of xrdp, and --restart=never forbids it"), hint)
	}
	facts := diagnose.Collect(ctx, m.Env(), diagnose.Options{NoWire: true})
	if n := len(facts.Desktops.Value); n > 0 {
		return fail(7, reasonLiveDesktops, fmt.Errorf("undoing this needs a restart of xrdp, and %s live", are(n, "desktop")), hint)
	}
	return nil
}

// mayExpose refuses to go back to a key that every user of the machine can read.
func (a *app) mayExpose(m *host.Machine, j repair.Journal, force bool) error {
	key := a.runner(m).KeyBefore(j)
	if force || key == "" || !m.Env().Access(key, diagnose.Identity{}, diagnose.Identity{}).OthersRead {
		return nil
	}
	return fail(7, reasonExposedKey, fmt.Errorf("%s would be served again, and every user of this machine can read it", key),
		"xrdpfix rollback --force "+j.ID)
}

// conflict shows the three versions of each file that somebody changed after us.
func (a *app) conflict(m *host.Machine, j repair.Journal, cause error) error {
	if !a.jsonOutput() && !a.global.quiet {
		var p page
		for _, c := range a.runner(m).Conflicts(j) {
			p.para(fmt.Sprintf("%s was changed after the apply %s.", clean(c.Path), j.ID))
			p.linef("What xrdpfix wrote, and what is there now:")
			p.b.WriteString(cleanLines(repair.Diff(c.Path, c.Written, c.Now)) + "\n")
			p.linef("What was there before, and what xrdpfix wrote:")
			p.b.WriteString(cleanLines(repair.Diff(c.Path, c.Before, c.Written)) + "\n")
		}
		if err := p.writeTo(a.out); err != nil {
			return err
		}
	}
	return fail(7, reasonConflict, fmt.Errorf("%w; nothing was touched", cause), "xrdpfix rollback --force "+j.ID+"   overwrites it")
}

func are(n int, what string) string {
	if n == 1 {
		return "1 " + what + " is"
	}
	return fmt.Sprintf("%d %ss are", n, what)
}

// pick finds a journal by a unique prefix; without one, the latest that is not undone.
func pick(list []repair.Journal, id string) (repair.Journal, error) {
	if id == "" {
		i := slices.IndexFunc(list, func(j repair.Journal) bool { return j.State != repair.StateRolledBack })
		if i < 0 {
			return repair.Journal{}, fail(2, reasonUsage, errors.New("there is no apply to put back"), "xrdpfix history")
		}
		return list[i], nil
	}
	j, err := find(list, id)
	if err == nil && j.State == repair.StateRolledBack {
		err = fail(2, reasonUsage, fmt.Errorf("%s was put back already", j.ID), "xrdpfix history")
	}
	return j, err
}

func (a *app) printUndone(l *look, u repair.Undone) error {
	var p page
	p.para(fmt.Sprintf("%s: put back what %s changed", hostName(&l.facts), u.Journal.ID))
	var rows [][2]string
	for _, f := range u.Files {
		rows = append(rows, [2]string{clean(f), "bytes, owner, mode as before"})
	}
	if u.Kept != "" {
		rows = append(rows, [2]string{u.Kept + "/", "kept 30 days, 0700, then removed"})
	}
	switch {
	case l.facts.Offline:
	case u.NotUp != "":
		rows = append(rows, [2]string{diagnose.UnitXrdp, "does not come up: " + clean(u.NotUp)})
	case u.Restarted:
		rows = append(rows, [2]string{diagnose.UnitXrdp, "restarted, needed"})
	default:
		rows = append(rows, [2]string{diagnose.UnitXrdp, "not restarted, not needed"})
	}
	p.columns(2, "", rows)
	word, text := health(l)
	now := word + ": " + text
	if word == "BROKEN" {
		now = "BROKEN again, as before: " + lowerFirst(firstError(l)) + "."
	}
	next := whole("Next: " + a.next("check"))
	if !l.plan.Empty() {
		next = whole("Redo: " + a.next("apply"))
	}
	if u.NotUp != "" {
		p.para(fmt.Sprintf("Now: XRDP DOES NOT RUN (exit %d).", a.quit.Code))
		p.block(10, "Next", whole(whyDown))
	} else {
		now = strings.TrimSuffix(now, ".") + " (exit "
		if code, coded := strings.CutSuffix(now, ") (exit "); coded { // of the finding
			now = code + "; exit "
		}
		p.para(fmt.Sprintf("Now: %s%d).  %s", now, a.quit.Code, next))
	}
	if a.global.quiet {
		return p.writeTo(a.errOut) // xrdp does not run
	}
	return a.print(&p)
}
