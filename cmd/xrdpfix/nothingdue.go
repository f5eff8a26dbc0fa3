package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"xrdpfix/diagnose"
	"xrdpfix/repair"
)

// showNothingDue says that an apply would change nothing, and what is left to a human.
func (a *app) showNothingDue(p *page, l *look) {
	name := hostName(&l.facts)
	_, text := health(l)
	switch {
	case len(l.plan.Manual) == 0 && diagnose.Worst(l.found) != diagnose.Error:
		if last := lastChange(&l.facts); last != "" {
			text = strings.TrimSuffix(text, ".") + ", " + last
		}
		p.para(fmt.Sprintf("%s: nothing to do. %s (exit %d)", name, upperFirst(strings.TrimSuffix(text, ".")), a.quit.Code))
		if d := l.policy.Deadline; d != nil && !l.policy.DeadlineOfRange {
			window := span(d.Window)
			p.para("Nothing is changed, and so nothing is undone in " + window.String() + ".")
		}
		if a.quit.Reason == reasonIncomplete {
			p.para(a.unseenText("plan"))
		}
	default:
		p.para(fmt.Sprintf("%s: nothing that xrdpfix may do by itself. %s", name, upperFirst(text)))
		next := whole(a.next("check"))
		if len(l.plan.Manual) > 0 {
			p.blank()
			showManual(p, l.plan.Manual)
			next = leftText(l)
		}
		p.para(fmt.Sprintf("Nothing was changed (exit %d).  Next: %s", a.quit.Code, next))
	}
}

// leftText is where it is said what a human is to do.
func leftText(l *look) string {
	if slices.ContainsFunc(l.plan.Manual, func(m repair.Manual) bool { return len(m.Commands) > 0 }) {
		return "the commands above"
	}
	return "what is said above"
}

// unseenText says how to see what somebody who is not root could not.
func (a *app) unseenText(command string) string {
	return "Not everything was seen: " + whole(a.unseenHint(command))
}

// unseenHint is the command that sees more: the same as root, or check for root.
func (a *app) unseenHint(command string) string {
	if os.Geteuid() == 0 {
		return a.next("check")
	}
	return "sudo " + a.next(command)
}
