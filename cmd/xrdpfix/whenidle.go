package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"xrdpfix/internal/host"
	"xrdpfix/repair"
	"xrdpfix/service"
)

// whenIdle is the value of --restart that waits until a restart disturbs nobody.
const whenIdle = "when-idle"

// idlePoll is how often the waiting process looks for live desktops.
const idlePoll = 15 * time.Second

// schedule leaves the change to a unit that waits until nobody is connected.
func (a *app) schedule(ctx context.Context, l *look, flags *policyFlags) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find my own program: %w", err)
	}
	args := append([]string{program, "apply", "--resume"}, strings.Fields(statedFlags(flags))...)
	err = l.machine.ScheduleIdle(ctx, args)
	if errors.Is(err, service.ErrNoSystemd) {
		return fail(7, reasonNoSystemd, errors.New("--restart=when-idle needs systemd, and this machine has none"), "xrdpfix apply --restart=always")
	}
	if err != nil {
		return err
	}
	a.quit = exit{0, reasonWaiting}
	if a.jsonOutput() {
		return a.printJSON(a.document("apply", l))
	}
	if a.global.quiet {
		return nil
	}
	var p page
	p.para("WAITING: " + clean(l.plan.Refusal.Text) + ". The change is made when the last one has ended.")
	p.linef("Nothing was changed yet.")
	p.blank()
	showDisturbed(&p, l.plan.Disturbs)
	p.blank()
	p.linef("%-10sxrdpfix check", "Look")
	p.linef("%-10sxrdpfix rollback", "Give up")
	p.linef("waiting (exit %d)", a.quit.Code)
	return a.print(&p)
}

// resume is what the unit runs: it waits, makes the change, and removes the unit.
func (a *app) resume(ctx context.Context, w wish) error {
	m, err := a.open(a.global.root)
	if err != nil {
		return err
	}
	defer m.Close()
	for {
		// What cannot be told may be told later.
		if idle, err := m.Idle(ctx); idle && err == nil {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(idlePoll):
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	w.policy.Restart = repair.RestartAuto
	err = a.change(ctx, "apply", w)
	if ctx.Err() != nil {
		return err // the machine goes down, perhaps: the unit waits on when it is up
	}
	if a.quit.Reason == reasonLiveDesktops {
		return a.resume(ctx, w) // somebody came in between: wait on
	}
	return errors.Join(err, m.ForgetIdle(ctx, false))
}

// giveUp takes back a change that only waits.
func (a *app) giveUp(ctx context.Context, m *host.Machine) error {
	if err := m.ForgetIdle(ctx, true); err != nil {
		return err
	}
	if a.jsonOutput() {
		return a.printJSON(a.document("rollback", nil))
	}
	if a.global.quiet {
		return nil
	}
	var p page
	p.para(fmt.Sprintf("The change that waited until nobody is connected is given up; nothing had been changed (exit %d).  %s", a.quit.Code, whole("Next: "+a.next("check"))))
	return a.print(&p)
}
