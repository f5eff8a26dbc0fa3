package main

import (
	"time"

	"xrdpfix/explain"
)

// explanationDoc is what explain says about a text, or everything it knows.
type explanationDoc struct {
	// Asked is the text, absent where everything is listed.
	Asked   string     `json:"asked,omitempty"`
	Entries []entryDoc `json:"entries"`
	// Near are entries that resemble a text that is not known.
	Near  []nearDoc      `json:"near"`
	Guide []guideStepDoc `json:"guide,omitzero"`
}

type entryDoc struct {
	ID     string    `json:"id"`
	Group  string    `json:"group"`
	Title  string    `json:"title"`
	Text   string    `json:"text"`
	Causes []string  `json:"causes"`
	Find   []todoDoc `json:"find"`
	Mend   []todoDoc `json:"mend"`
	Advice string    `json:"advice,omitempty"`
	Known  string    `json:"known"`
	Source string    `json:"source,omitempty"`
	Heard  string    `json:"heard,omitempty"`
	Line   *lineDoc  `json:"line,omitempty"`
}

type todoDoc struct {
	Line string `json:"line"`
	Note string `json:"note,omitempty"`
}

type lineDoc struct {
	Rule   string            `json:"rule"`
	Class  string            `json:"class"`
	Time   time.Time         `json:"time,omitzero"`
	Text   string            `json:"text"`
	Cause  string            `json:"cause,omitempty"`
	Fields map[string]string `json:"fields"`
}

type nearDoc struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

type guideStepDoc struct {
	Says    string    `json:"says"`
	Command string    `json:"command,omitempty"`
	Does    string    `json:"does"`
	Instead []todoDoc `json:"instead"`
}

func explanationOf(text string, answer explain.Answer) *explanationDoc {
	doc := &explanationDoc{Asked: text, Entries: []entryDoc{}, Near: []nearDoc{}}
	for _, m := range answer.Matches {
		e := entryOf(m.Entry)
		e.Heard = m.Heard
		if l := m.Line; l != nil {
			e.Line = &lineDoc{Rule: l.Rule, Class: string(l.Class), Time: l.Entry.Time, Text: l.Entry.Text, Cause: l.Cause, Fields: l.Fields}
		}
		doc.Entries = append(doc.Entries, e)
		if m.ID == "guide" {
			for _, s := range explain.Guide() {
				doc.Guide = append(doc.Guide, guideStepDoc{Says: s.Says, Command: s.Command, Does: s.Does, Instead: todoDocs(s.Instead)})
			}
		}
	}
	for _, e := range answer.Near {
		doc.Near = append(doc.Near, nearDoc{ID: e.ID, Title: e.Title})
	}
	return doc
}

func entryOf(e explain.Entry) entryDoc {
	return entryDoc{
		ID: e.ID, Group: string(e.Group), Title: e.Title, Text: e.Text, Causes: list(e.Causes), Find: todoDocs(e.Find), Mend: todoDocs(e.Mend),
		Advice: e.Advice, Known: string(e.Known), Source: e.Source,
	}
}

func todoDocs(steps []explain.Step) []todoDoc {
	out := []todoDoc{}
	for _, s := range steps {
		out = append(out, todoDoc{Line: s.Line, Note: s.Note})
	}
	return out
}
