package main

import (
	"fmt"
	"io"
	"strings"

	"xrdpfix/internal/plaintext"
)

// width is how wide text output gets: what every terminal has.
const width = 80

// page collects text output. Everything that comes from outside goes through
// clean before it gets here.
type page struct{ b strings.Builder }

func (p *page) linef(format string, args ...any) {
	p.b.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " "))
	p.b.WriteByte('\n')
}

func (p *page) blank() { p.b.WriteByte('\n') }

// block prints a label of a fixed width and text wrapped beside it.
func (p *page) block(labelWidth int, label, text string) {
	lines := wrap(text, width-labelWidth)
	if len(lines) == 0 {
		lines = []string{""}
	}
	if len(label) >= labelWidth && label != "" {
		label += " "
	}
	for i, l := range lines {
		if i > 0 {
			label = ""
		}
		p.linef("%-*s%s", labelWidth, label, strings.ReplaceAll(l, unbroken, " "))
	}
}

// unbroken stands for a blank where a line must not be broken: it becomes one
// when the page is printed.
const unbroken = "\u00a0"

// whole keeps a command on one line, so that it can be pasted.
func whole(command string) string { return strings.ReplaceAll(command, " ", unbroken) }

// columns prints rows of two columns beside a label. What is too long for its
// column goes on in the next line.
func (p *page) columns(labelWidth int, label string, rows [][2]string) {
	const widest = 40
	wide := 0
	for _, r := range rows {
		if len(r[0]) <= widest {
			wide = max(wide, len(r[0]))
		}
	}
	for _, r := range rows {
		left := fmt.Sprintf("%-*s%-*s", labelWidth, label, wide, r[0])
		label = ""
		if len(r[0]) > wide {
			p.linef("%s", left)
			if left = ""; r[1] == "" {
				continue
			}
		}
		p.block(labelWidth+wide+2, left, r[1])
	}
}

// para prints a wrapped paragraph.
func (p *page) para(text string) { p.block(0, "", text) }

// writeTo prints the page.
func (p *page) writeTo(w io.Writer) error {
	_, err := io.WriteString(w, p.b.String())
	return err
}

// wrap breaks text at blanks into lines of at most n characters. Line breaks
// in the text stay, and what follows one is indented by as much as it was. A
// word that is too long stands alone and sticks out, so that it can be pasted.
func wrap(text string, n int) []string {
	var out []string
	for _, para := range strings.Split(text, "\n") {
		body := strings.TrimLeft(para, " ")
		indent := para[:len(para)-len(body)]
		line := indent
		for _, word := range splitWords(body) {
			switch {
			case line == indent:
				line += word
			case len(line)+1+len(word) <= n:
				line += " " + word
			default:
				out = append(out, line)
				line = indent + word
			}
		}
		out = append(out, line)
	}
	return out
}

// splitWords splits at single blanks and keeps runs of blanks inside columns.
func splitWords(s string) []string {
	var out []string
	for i, f := range strings.Split(s, " ") {
		if f == "" && i > 0 && len(out) > 0 {
			out[len(out)-1] += " "
			continue
		}
		out = append(out, f)
	}
	return out
}

// clean makes a string from outside safe for a terminal: no control, format or
// invalid character reaches it.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case plaintext.Hidden(r):
			return '?'
		}
		return r
	}, s)
}

// cleanLines is clean, but keeps line breaks.
func cleanLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = clean(lines[i])
	}
	return strings.Join(lines, "\n")
}

// rooted puts the tree at work into a hint that names a command of ours.
func (a *app) rooted(hint string) string {
	if strings.Contains(hint, "--root ") || strings.Contains(hint, "--help") {
		return hint
	}
	for _, treeless := range []string{"probe", "report", "explain"} {
		if strings.Contains(hint, "xrdpfix "+treeless) {
			return hint
		}
	}
	return strings.Replace(hint, "xrdpfix ", a.next("")+" ", 1)
}

// next is a command line to go on with, the tree at work included.
func (a *app) next(words string) string {
	if a.global.root == "/" || a.global.root == "" {
		return strings.TrimRight("xrdpfix "+words, " ")
	}
	return strings.TrimRight("xrdpfix --root "+plaintext.ShellWord(a.global.root)+" "+words, " ")
}

// plural counts things: "1 error", "2 errors".
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
