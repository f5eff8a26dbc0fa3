package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"xrdpfix/explain"
)

// maxPasted bounds what explain reads from standard input.
const maxPasted = 1 << 20

func newExplain(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "explain [CODE|TEXT]",
		Short: "A finding code, a client's error, or a log line, in plain words",
		Long: `Say what a message means and what to do about it: a finding code of xrdpfix; an error of mstsc, Windows App, FreeRDP, Remmina or Guacamole; a Windows event or status value; lines of xrdp.log and reasons of OpenSSL, pasted as they are. Without an argument, list what is known; with -, read the text from standard input. Nothing is looked at or asked but the text itself.

What is not documented is said to be so. What is not known is not guessed: the nearest entries are offered, and the exit is 3 (unknown-text).`,
		Example: `  xrdpfix explain key-unreadable          a code of check
  xrdpfix explain 0x904                   what a client shows
  xrdpfix explain guide                   the well-known guide, step by step
  xrdpfix explain 'TLS certificate verification failed'
  tail -n 20 /var/log/xrdp.log | xrdpfix explain -`,
		ValidArgsFunction: explainCompletion,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.explainList()
			}
			text := strings.Join(args, " ")
			if text == "-" {
				data, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), maxPasted))
				if err != nil {
					return fmt.Errorf("read standard input: %w", err)
				}
				text = string(data)
			}
			if strings.TrimSpace(text) == "" {
				return fail(2, reasonUsage, fmt.Errorf("there is no text to explain"), "xrdpfix explain")
			}
			return a.explain(text)
		},
	}
}

func explainCompletion(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var out []cobra.Completion
	for _, e := range explain.All() {
		if len(args) == 0 {
			out = append(out, cobra.CompletionWithDesc(e.ID, e.Title))
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// explain answers one text.
func (a *app) explain(text string) error {
	answer := explain.Find(text)
	if len(answer.Matches) == 0 {
		a.quit = exit{3, reasonUnknownText}
	}
	if a.jsonOutput() {
		doc := a.document("explain", nil)
		doc.Explanation = explanationOf(text, answer)
		return a.printJSON(doc)
	}
	var p page
	if len(answer.Matches) == 0 {
		showUnknown(&p, text, answer.Near)
		return a.print(&p)
	}
	for i, m := range answer.Matches {
		if i > 0 {
			p.blank()
		}
		if i >= fullMatches {
			p.block(0, "", m.Title+": "+whole("xrdpfix explain "+m.ID))
			continue
		}
		showMatch(&p, text, m)
	}
	p.blank()
	p.para(nextOf(answer.Matches[0].Entry) + " (exit 0)")
	return a.print(&p)
}

// fullMatches is how many of several matches are printed whole.
const fullMatches = 2

// nextOf is the first thing to do about an entry.
func nextOf(e explain.Entry) string {
	steps := append(append([]explain.Step(nil), e.Find...), e.Mend...)
	for _, s := range steps {
		if strings.HasPrefix(s.Line, "xrdpfix ") && !strings.HasPrefix(s.Line, "xrdpfix explain") {
			return "Next: " + whole(s.Line)
		}
	}
	return "Next: " + whole(steps[0].Line)
}

// explainAt is the column of what stands beside a label.
const explainAt = 16

func showMatch(p *page, text string, m explain.Match) {
	p.para(m.Title)
	if heard := clean(m.Heard); heard != m.ID && (m.Line != nil || strings.Contains(heard, ",") || len(text) > 2*len(heard)) {
		p.block(explainAt, "  heard", heard)
	}
	p.blank()
	for i, para := range strings.Split(m.Text, "\n\n") {
		if i > 0 {
			p.blank()
		}
		p.para(para)
	}
	p.blank()
	if m.ID == "guide" {
		showGuide(p)
	}
	if len(m.Causes) > 0 {
		p.block(explainAt, "  Usual causes", strings.Join(m.Causes, ", "))
	}
	p.block(explainAt, "  Known from", knownText(m.Entry))
	if m.Advice != "" {
		p.block(explainAt, "  Not this", upperFirst(m.Advice))
	}
	showSteps(p, "  Find which", m.Find)
	showSteps(p, "  Mend it", m.Mend)
}

// knownText says how well the meaning is founded.
func knownText(e explain.Entry) string {
	switch e.Known {
	case explain.Documented:
		return "its maker documents it: " + e.Source
	case explain.InSource:
		return "the source: " + e.Source
	case explain.Seen:
		return "not documented; seen as told in " + e.Source
	case explain.Undocumented:
		return "not documented, and in no report about xrdp that was found"
	}
	if e.Source != "" {
		return "real servers and clients: " + e.Source
	}
	return "real servers and clients"
}

// showSteps prints commands with their notes beside them, or below where a
// command is long.
func showSteps(p *page, label string, steps []explain.Step) {
	const long = 34
	wide := 0
	for _, s := range steps {
		if len(s.Line) <= long {
			wide = max(wide, len(s.Line))
		}
	}
	for _, s := range steps {
		note := s.Note
		if note != "" {
			note = "(" + note + ")"
		}
		switch {
		case len(s.Line) <= long:
			p.block(explainAt+wide+2, fmt.Sprintf("%-*s%s", explainAt, label, s.Line), note)
		case explainAt+len(s.Line) <= width:
			p.linef("%-*s%s", explainAt, label, s.Line)
			showNote(p, note)
		default:
			if label != "" {
				p.linef("%s", label)
			}
			p.linef("    %s", s.Line)
			showNote(p, note)
		}
		label = ""
	}
}

func showNote(p *page, note string) {
	if note != "" {
		p.block(explainAt+2, "", note)
	}
}

func showGuide(p *page) {
	for i, s := range explain.Guide() {
		p.block(3, fmt.Sprintf("%d.", i+1), s.Says)
		if s.Command != "" {
			p.linef("   $ %s", s.Command)
		}
		p.block(3, "", s.Does)
		showSteps(p, "   Instead", s.Instead)
		p.blank()
	}
}

// showUnknown offers what is nearest, as what it is.
func showUnknown(p *page, text string, near []explain.Entry) {
	const most = 200
	if text = clean(strings.TrimSpace(text)); len([]rune(text)) > most {
		text = string([]rune(text)[:most]) + "..."
	}
	p.para("Not known here: " + text)
	p.blank()
	if len(near) > 0 {
		p.para("Nothing is guessed. What is nearest, and may be something else:")
		for _, e := range near {
			p.linef("  xrdpfix explain %s", e.ID)
			p.block(6, "", e.Title)
		}
	} else {
		p.para("Nothing is guessed, and nothing here is near to it. What the server really offers, and what its log says, can still be seen:")
		showSteps(p, "  Look", []explain.Step{
			{Line: "xrdpfix probe HOST", Note: "from the client's side"},
			{Line: "xrdpfix log --failed", Note: "on the server"},
		})
	}
	p.blank()
	p.para("unknown-text (exit 3).  Next: " + whole("xrdpfix explain") + " lists what is known")
}

// explainList names everything that can be explained.
func (a *app) explainList() error {
	if a.jsonOutput() {
		doc := a.document("explain", nil)
		doc.Explanation = &explanationDoc{Entries: []entryDoc{}, Near: []nearDoc{}}
		for _, e := range explain.All() {
			doc.Explanation.Entries = append(doc.Explanation.Entries, entryOf(e))
		}
		return a.printJSON(doc)
	}
	var p page
	p.para("Paste a message, a code or lines of a log behind xrdpfix explain, or name one of these:")
	for _, g := range explain.Groups {
		var names []string
		for _, e := range explain.All() {
			if e.Group == g {
				names = append(names, e.ID)
			}
		}
		if g == explain.GroupLog {
			names = []string{"as they are, with or without the time in front"}
		}
		p.blank()
		p.linef("%s", g)
		p.block(4, "", strings.Join(names, ", "))
	}
	p.blank()
	p.para("Next: " + whole("xrdpfix explain guide") + ", or " + whole("xrdpfix check") + " (exit 0)")
	return a.print(&p)
}
