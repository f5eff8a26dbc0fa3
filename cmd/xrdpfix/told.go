package main

import (
	"fmt"
	"strings"
)

// tell prints an error, a hint or a note on standard error, wrapped beside its
// label as the rest of the output is.
func (a *app) tell(kind, text string) {
	var p page
	label := "xrdpfix: " + kind + ":"
	p.block(len(label)+1, label, text)
	_ = p.writeTo(a.errOut) // nobody is left to be told
}

// tellError prints an error with its exit status and its hints.
func (a *app) tellError(err error, e exit, hints []string) {
	a.tell("error", cleanLines(err.Error())+" "+whole(fmt.Sprintf("(exit %d)", e.Code)))
	for _, h := range hints {
		a.tell("hint", pasted(clean(h)))
	}
}

// noteGap is the least that stands between the command of a hint and a note on it.
const noteGap = "   "

// pasted keeps the command of a hint on one line, so that it can be pasted: the
// hint is a command, or a command and a note behind a gap, or words that end with
// a command behind a colon.
func pasted(hint string) string {
	command, note, noted := strings.Cut(hint, noteGap)
	if noted {
		gap := len(note) - len(strings.TrimLeft(note, " "))
		return whole(command) + noteGap + note[:gap] + whole(note[gap:])
	}
	if i := strings.LastIndex(hint, ": "); i >= 0 {
		return hint[:i+2] + whole(hint[i+2:])
	}
	if first, _, _ := strings.Cut(hint, " "); pastedFirst[first] {
		return whole(hint)
	}
	return hint
}

// pastedFirst are the programs that a hint which is nothing but a command runs.
var pastedFirst = map[string]bool{"xrdpfix": true, "sudo": true, "ls": true, "certbot": true}
