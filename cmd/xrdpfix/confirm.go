package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"xrdpfix/diagnose"
	"xrdpfix/internal/host"
	"xrdpfix/repair"
)

func newConfirm(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "confirm [ID]",
		Short: "Keep a change made with --confirm-within or --for",
		Long: `Keep a change that would otherwise be undone by itself: the timer that undoes it
is taken away. Without an ID, the one that waits.`,
		Example: `  xrdpfix apply --security-layer tls --confirm-within 10m
  xrdpfix confirm              after a client has connected`,
		Args: atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, release, err := a.openAlone()
			if err != nil {
				return err
			}
			defer release()
			list, err := a.journals(m)
			if err != nil {
				return err
			}
			j, waits := repair.Pending(list)
			if len(args) == 1 {
				if j, err = find(list, args[0]); err != nil {
					return err
				}
			}
			if !waits && len(args) == 0 {
				return fail(2, reasonUsage, repair.ErrNotPending, "xrdpfix history")
			}
			j, err = a.runner(m).Confirm(cmd.Context(), j)
			if errors.Is(err, repair.ErrNotPending) {
				return fail(2, reasonUsage, err, "xrdpfix history")
			}
			if err != nil {
				return err
			}
			if a.jsonOutput() {
				doc := a.document("confirm", nil)
				doc.Journal, doc.Changed = j.ID, true
				return a.printJSON(doc)
			}
			if a.global.quiet {
				return nil
			}
			var p page
			p.para(fmt.Sprintf("%s is kept (exit %d). Undo it any time:", j.ID, a.quit.Code))
			p.linef("  %s", a.next("rollback "+j.ID))
			return a.print(&p)
		},
	}
}

// longestFor bounds --for: ten years is "for ever" by another name.
const longestFor = 3660 * 24 * time.Hour

// deadline reads --confirm-within and --for.
func (p *policyFlags) deadline() (*repair.Deadline, error) {
	kind, flag, text := repair.DeadlineConfirm, "--confirm-within", p.confirmWithin
	if p.forTime != "" && p.forTime != "ever" {
		if p.confirmWithin != "" {
			return nil, usagef("--confirm-within and --for contradict each other; state one")
		}
		kind, flag, text = repair.DeadlineTemporary, "--for", p.forTime
	}
	if text == "" {
		return nil, nil
	}
	var s span
	if err := s.Set(text); err != nil {
		return nil, usagef("%s %s is not a time such as 10m, 4h or 14d", flag, text)
	}
	window := time.Duration(s)
	if window < time.Minute || window > longestFor {
		return nil, usagef("%s %s is not between 1m and 3660d", flag, text)
	}
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find my own program: %w", err)
	}
	return &repair.Deadline{Kind: kind, Window: window, Program: program}, nil
}

// undoByTimer is what the timer of a deadline runs. It cuts nobody off unless
// the apply was allowed to: where a restart would, the files go back all the
// same, and xrdp follows at its next start.
func (a *app) undoByTimer(ctx context.Context, id string) error {
	m, err := a.openToChange()
	if err != nil {
		return err
	}
	defer m.Close()
	if done, err := a.rehearse(m, id); done || err != nil {
		return err
	}
	unlock, err := a.lockPatiently(ctx, m)
	if err != nil {
		return err
	}
	defer unlock()
	j, err := m.Store().Load(id)
	if err != nil {
		return err
	}
	if j.Deadline == nil {
		return nil // confirmed or put back meanwhile
	}
	live := 0
	if j.NeededRestart && !j.Deadline.CutOff {
		facts := diagnose.Collect(ctx, m.Env(), diagnose.Options{NoWire: true})
		live = len(facts.Desktops.Value) + len(facts.Peers.Value)
		if live > 0 {
			j.NeededRestart = false
		}
	}
	undone, err := a.runner(m).Rollback(ctx, j, false, m.ConfigTargets()...)
	if err != nil {
		return fail(5, reasonNotRolledBack, err, "xrdpfix rollback "+j.ID)
	}
	_, err = fmt.Fprintf(a.out, "put back what %s changed: its time was over\n", j.ID)
	if live > 0 {
		_, err = fmt.Fprintf(a.out, "xrdp was not restarted: %s or desktops are live; it follows at its next start\n", plural(live, "client"))
	}
	if undone.NotUp != "" {
		return fail(5, reasonXrdpDown, fmt.Errorf("xrdp does not come up with what was put back: %s", undone.NotUp), whyDown)
	}
	return err
}

// rehearse is the first run of the service, before the first change: it looks
// whether an undoing would be possible here, and does nothing.
func (a *app) rehearse(m *host.Machine, id string) (done bool, err error) {
	j, err := m.Store().Load(id)
	if err != nil {
		return false, err
	}
	var files []string
	for _, s := range j.Steps {
		if (s.Op == repair.OpWrite || s.Op == repair.OpRemove) && !s.InPlace {
			files = append(files, s.Path)
		}
	}
	return m.Rehearses(id, files)
}

// lockPatiently waits for another run: a timer has no one to try again.
func (a *app) lockPatiently(ctx context.Context, m *host.Machine) (func(), error) {
	const patience = 2 * time.Minute
	deadline := a.now().Add(patience)
	for {
		unlock, err := m.Lock()
		if err == nil || a.now().After(deadline) {
			return unlock, lockFailure(err)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// showWindow says of a plan that it will be undone by itself.
func showWindow(p *page, pl repair.Plan) {
	if pl.Deadline == nil {
		return
	}
	window := span(pl.Deadline.Window)
	text := window.String() + " after the apply it is undone by itself"
	if pl.Deadline.Kind == repair.DeadlineConfirm {
		text += ", unless it is confirmed"
	}
	p.block(10, "Until", text)
}

// showDeadline says when a change is undone by itself, and how it is kept.
func (a *app) showDeadline(p *page, pl repair.Plan) {
	if pl.Deadline == nil {
		return
	}
	until, keep := pl.Deadline.At.UTC().Format("2 Jan 2006 15:04 UTC"), whole(a.next("confirm"))
	if pl.Deadline.Kind == repair.DeadlineTemporary {
		p.block(10, "Until", until+"; then it is undone by itself. To keep it for good: "+keep)
		return
	}
	p.block(10, "Until", until+"; then it is undone by itself. Connect from the user's side, and keep it: "+keep)
}
