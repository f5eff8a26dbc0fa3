package main

import (
	"context"
	"fmt"
	"strings"

	"xrdpfix/diagnose"
)

// overview is what bare xrdpfix prints: five lines.
func (a *app) overview(ctx context.Context) error {
	w, err := a.plainWish()
	if err != nil {
		return err
	}
	l, err := a.look(ctx, w)
	if err != nil {
		return err
	}
	defer l.close()
	a.quit = checkExit(l)
	if a.jsonOutput() {
		return a.printJSON(a.document("overview", l))
	}
	var p page
	p.para(subject(&l.facts))
	word, text := health(l)
	if word == "BROKEN" {
		for _, x := range l.found {
			if x.Severity == diagnose.Error {
				text = cleanLines(x.Detail) + " (" + string(x.Code) + ")"
				break
			}
		}
	}
	p.para(word + ": " + text)
	a.nextRows(&p, l, word)
	if a.quit.Reason == reasonIncomplete {
		p.para(a.unseenText("") + " " + whole(fmt.Sprintf("(exit %d)", a.quit.Code)))
	}
	return a.print(&p)
}

// nextRows are the commands to go on with.
func (a *app) nextRows(p *page, l *look, word string) {
	rows := [][2]string{
		{"check", "the evidence, and who can connect     changes nothing"},
		{"plan", "the change that mends it, as a diff   changes nothing"},
		{"apply", "make it, prove it, or put it all back"},
	}
	if word == "OK" && l.plan.Empty() {
		rows = [][2]string{
			{"check", "the evidence, and who can connect     changes nothing"},
			{"log", "who came lately, who failed, and why  changes nothing"},
			{"client", "what a client needs, kind by kind     changes nothing"},
		}
	}
	if word != "OK" && l.plan.Empty() && len(l.plan.Manual) > 0 && !l.onlyPlanTells() { // nothing for apply
		rows = [][2]string{
			{"check", "the evidence, and what to do          changes nothing"},
			{"show", "the configuration as xrdp reads it    changes nothing"},
			{"log", "who came lately, who failed, and why  changes nothing"},
		}
	}
	if isFound(l, diagnose.XrdpMissing) { // and so nothing to show, and no log
		rows = [][2]string{
			{"check", "the evidence, and what to do          changes nothing"},
			{"probe HOST", "what another server offers            changes nothing"},
			{"explain TEXT", "what a client's message means         changes nothing"},
		}
	}
	wide := 0
	for _, row := range rows {
		wide = max(wide, len(a.rooted("xrdpfix "+row[0])))
	}
	for _, row := range rows {
		text := row[1]
		if a.global.root != "/" {
			text, _, _ = strings.Cut(text, "  ")
		}
		p.linef("  %-*s  %s", wide, a.rooted("xrdpfix "+row[0]), text)
	}
}
