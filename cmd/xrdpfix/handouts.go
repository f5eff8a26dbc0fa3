package main

import (
	"strings"

	"xrdpfix/explain"
)

// handouts are the commands of ours that make what the client's side needs where
// connections fail for that cause; none where it has none.
func handouts(cause string) []string {
	var out []string
	for _, m := range explain.Find(cause).Matches {
		if m.Entry.ID != cause { // it only speaks of it
			continue
		}
		for _, s := range m.Entry.Mend {
			if strings.HasPrefix(s.Line, "xrdpfix client ") {
				out = append(out, s.Line)
			}
		}
	}
	return out
}
