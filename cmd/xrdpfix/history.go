package main

import (
	"fmt"
	"path"
	"strings"

	"github.com/spf13/cobra"

	"xrdpfix/diagnose"
	"xrdpfix/internal/host"
	"xrdpfix/repair"
)

func newHistory(a *app) *cobra.Command {
	var prune bool
	cmd := &cobra.Command{
		Use:   "history [ID]",
		Short: "The applies so far",
		Long:  `List what xrdpfix changed on this machine, newest first; with an ID, each step of that apply.`,
		Example: `  xrdpfix history                    all of them
  xrdpfix history 20261122T152440Z   what that one did
  xrdpfix history --prune            remove what is older than 30 days`,
		Args: atMost(1),
		RunE: func(_ *cobra.Command, args []string) error {
			m, err := a.open(a.global.root)
			if err != nil {
				return err
			}
			defer m.Close()
			if prune {
				return a.prune(m)
			}
			list, err := a.journals(m)
			if err != nil {
				return err
			}
			if len(args) == 1 {
				j, err := find(list, args[0])
				if err != nil {
					return err
				}
				return a.printJournal(j)
			}
			return a.printHistory(list)
		},
	}
	cmd.Flags().BoolVar(&prune, "prune", false, "remove old journals, and pairs that nothing can come back to")
	return cmd
}

// prune removes what is older than its retention.
func (a *app) prune(m *host.Machine) error {
	if !m.MayChange() {
		return a.notRoot()
	}
	unlock, err := m.Lock()
	if err != nil {
		return lockFailure(err)
	}
	defer unlock()
	facts := diagnose.Facts{}
	env := m.Env()
	if f, err := env.File(env.ConfigPath); err == nil {
		facts.Config = diagnose.Seen(f)
	}
	gone, err := a.runner(m).Prune(path.Dir(facts.Server().Certificate))
	if err != nil {
		return err
	}
	if a.jsonOutput() {
		left, err := a.journals(m)
		if err != nil {
			return err
		}
		doc := a.document("history", nil)
		doc.Changed, doc.Removed, doc.History = len(gone) > 0, list(gone), journalDocs(left)
		return a.printJSON(doc)
	}
	if a.global.quiet {
		return nil
	}
	var p page
	for _, g := range gone {
		p.linef("removed  %s", clean(g))
	}
	p.linef("%d removed; journals and unused pairs stay for %d days (exit %d)", len(gone), int(repair.KeepPairs.Hours()/24), a.quit.Code)
	return a.print(&p)
}

// find finds a journal by a unique beginning of its ID.
func find(list []repair.Journal, id string) (repair.Journal, error) {
	var hits []repair.Journal
	for _, j := range list {
		if strings.HasPrefix(j.ID, id) {
			hits = append(hits, j)
		}
	}
	switch len(hits) {
	case 0:
		return repair.Journal{}, fail(2, reasonUsage, fmt.Errorf("no apply begins with %q", id), "xrdpfix history")
	case 1:
		return hits[0], nil
	}
	return repair.Journal{}, fail(2, reasonUsage, fmt.Errorf("%d applies begin with %q", len(hits), id), "xrdpfix history")
}

func (a *app) printHistory(list []repair.Journal) error {
	if a.jsonOutput() {
		doc := a.document("history", nil)
		doc.History = journalDocs(list)
		return a.printJSON(doc)
	}
	var p page
	if len(list) == 0 {
		p.linef("xrdpfix has changed nothing on this machine.")
		return a.print(&p)
	}
	p.linef("%-18s %-12s %-6s %s", "id", "state", "files", "because")
	for _, j := range list {
		var codes []string
		for _, c := range j.Because {
			codes = append(codes, string(c))
		}
		because := strings.Join(codes, ", ")
		switch {
		case j.State == repair.StateDamaged:
			because = clean(j.Damage)
		case because == "":
			because = "stated"
		}
		state := string(j.State)
		if j.Unfinished() {
			state = "unfinished"
		}
		p.block(39, fmt.Sprintf("%-18s %-12s %-6d", j.ID, state, writes(j)), because)
	}
	p.blank()
	p.para(fmt.Sprintf("%s (exit %d)", a.historyNext(list), a.quit.Code))
	return a.print(&p)
}

// historyNext is what can be done about the applies of a list.
func (a *app) historyNext(list []repair.Journal) string {
	for _, j := range list {
		if j.Unfinished() || j.State == repair.StateDamaged {
			return "Next: " + whole(a.next("check")) + " says what to do about it"
		}
	}
	next := "Next: " + whole(a.next("history "+list[0].ID)) + " tells each step"
	if _, err := pick(list, ""); err == nil {
		next += "; " + whole(a.next("rollback")) + " undoes the latest"
	}
	return next
}

func writes(j repair.Journal) int {
	n := 0
	for _, s := range j.Steps {
		if s.Op == repair.OpWrite || s.Op == repair.OpRemove {
			n++
		}
	}
	return n
}

func (a *app) printJournal(j repair.Journal) error {
	if a.jsonOutput() {
		doc := a.document("history", nil)
		doc.History = journalDocs([]repair.Journal{j})
		return a.printJSON(doc)
	}
	if j.State == repair.StateDamaged {
		return damagedFailure(j)
	}
	var p page
	p.linef("%s  %s  xrdpfix %s", j.ID, j.State, clean(j.Tool))
	for _, s := range j.Steps {
		done := "done"
		if !s.Done {
			done = "not recorded as done"
		}
		p.linef("  %-8s %-45s %s", s.Op, clean(s.Path), done)
	}
	if j.Verdict != nil {
		label := "  " + string(j.Verdict.Status)
		for _, r := range j.Verdict.Reasons {
			p.block(13, label, clean(r))
			label = ""
		}
	}
	p.blank()
	switch {
	case j.Unfinished():
		p.para(fmt.Sprintf("Not finished (exit %d).  Next: %s puts it back and goes on", a.quit.Code, whole(a.next("apply"))))
	case j.State == repair.StateRolledBack:
		p.para(fmt.Sprintf("Put back already (exit %d)", a.quit.Code))
	default:
		p.para(fmt.Sprintf("Undo: %s (exit %d)", whole(a.next("rollback "+j.ID)), a.quit.Code))
	}
	return a.print(&p)
}
