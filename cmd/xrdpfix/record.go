package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"xrdpfix/diagnose"
	"xrdpfix/service"
)

// record writes what a command found into the journal, where it runs from a unit:
// an entry for each finding that is no mere information, and one for the whole,
// whose XRDPFIX_JSON is what --json would print. It never fails a command.
func (a *app) record(l *look, doc *document) {
	if !service.Journaled() {
		return
	}
	for _, e := range entries(l, doc) {
		if err := service.Record(e.message, e.priority, e.fields); err != nil {
			a.tell("note", cleanLines(err.Error()))
			return
		}
	}
}

// entry is one entry of the journal.
type entry struct {
	message  string
	priority service.Priority
	fields   map[string]string
}

// entries are those of one command; l is nil where it did not get to look.
func entries(l *look, doc *document) []entry {
	common := func(more map[string]string) map[string]string {
		more["XRDPFIX_COMMAND"], more["XRDPFIX_VERSION"] = doc.Command, doc.Tool
		return more
	}
	var out []entry
	for _, x := range doc.Findings {
		priority, told := map[diagnose.Severity]service.Priority{
			diagnose.Error: service.PriorityError, diagnose.Warning: service.PriorityWarning,
		}[x.Severity]
		if !told {
			continue
		}
		out = append(out, entry{
			fmt.Sprintf("%s: %s", x.Code, oneLine(x.Detail)), priority, common(map[string]string{
				"XRDPFIX_CODE": string(x.Code), "XRDPFIX_SEVERITY": string(x.Severity), "XRDPFIX_SUBJECT": x.Subject,
				"XRDPFIX_REMEDY": strings.Join(append([]string{x.Remedy}, x.Commands...), "\n"),
			}),
		})
	}
	message, priority := doc.Command+": ", service.PriorityInfo
	switch {
	case doc.Error != nil:
		message += oneLine(doc.Error.Message)
	case doc.Changed:
		message += "changed, and proven"
	case l != nil:
		word, text := health(l)
		message += word + ": " + oneLine(text)
	default:
		message += string(doc.Exit.Reason)
	}
	switch doc.Exit.Code {
	case 0:
		if doc.Changed {
			priority = service.PriorityNotice
		}
	case 6:
		priority = service.PriorityWarning
	default:
		priority = service.PriorityError
	}
	text, err := json.Marshal(doc)
	if err != nil {
		text = nil
	}
	return append(out, entry{fmt.Sprintf("%s (exit %d)", message, doc.Exit.Code), priority, common(map[string]string{
		"XRDPFIX_EXIT_CODE": strconv.Itoa(doc.Exit.Code), "XRDPFIX_EXIT_REASON": string(doc.Exit.Reason),
		"XRDPFIX_CHANGED": strconv.FormatBool(doc.Changed), "XRDPFIX_JOURNAL": doc.Journal, "XRDPFIX_JSON": string(text),
	})})
}

// oneLine is text from outside for a line of a log.
func oneLine(s string) string { return strings.Join(strings.Fields(clean(s)), " ") }
