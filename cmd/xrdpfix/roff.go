package main

import "strings"

// roff writes the input of man(1), by the rules of groff_man(7): text that
// comes in stays text, whatever characters it has.
type roff struct{ b strings.Builder }

// roffText escapes what roff would read as its own. A dash in a command is
// ASCII 45, so that it can be copied and searched for.
var roffText = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`, `"`, `\(dq`)

// macro is a line such as ".SH NAME". Its arguments are quoted where they have
// blanks.
func (r *roff) macro(name string, args ...string) {
	r.b.WriteString(name)
	for _, a := range args {
		a = roffText.Replace(a)
		if a == "" || strings.Contains(a, " ") {
			a = `"` + a + `"`
		}
		r.b.WriteString(" " + a)
	}
	r.b.WriteByte('\n')
}

// roffWidth is how long a line of input may be: editors and mandoc -T lint want
// 80.
const roffWidth = 78

// line is text, broken at blanks, which roff fills anew.
func (r *roff) line(text string) {
	text = strings.ReplaceAll(roffText.Replace(text), "xrdpfix", `\%xrdpfix`) // never "xrdp-fix"
	for _, l := range wrap(text, roffWidth) {
		r.raw(l)
	}
}

// raw is one line that is escaped already. A dot at its beginning would make it
// a request.
func (r *roff) raw(line string) {
	if strings.HasPrefix(line, ".") {
		line = `\&` + line
	}
	r.b.WriteString(line + "\n")
}

// paragraphs are separated by empty lines.
func (r *roff) paragraphs(text string) {
	for i, p := range strings.Split(text, "\n\n") {
		if i > 0 {
			r.macro(".PP")
		}
		r.line(p)
	}
}

// verbatim keeps line breaks and columns, but for the indentation by two of the
// examples in help: a page of man(7) is indented by 7, these lines by 3, and so the
// widest of them ends where the page does.
func (r *roff) verbatim(text string) {
	r.b.WriteString(".RS -4n\n.nf\n")
	for line := range strings.Lines(text) {
		r.raw(roffText.Replace(strings.TrimPrefix(strings.TrimSuffix(line, "\n"), "  ")))
	}
	r.b.WriteString(".fi\n.RE\n")
}

// item is a word with its meaning.
func (r *roff) item(word, meaning string) {
	r.macro(".TP")
	r.macro(".B", word)
	r.line(meaning)
}

// option is a flag with the name of its value, which is set in italics.
func (r *roff) option(short, long, value, meaning string) {
	r.macro(".TP")
	word := `\fB\-\-` + roffText.Replace(long) + `\fR`
	if short != "" {
		word = `\fB\-` + short + `\fR, ` + word
	}
	if value != "" {
		word += ` \fI` + roffText.Replace(value) + `\fR`
	}
	r.raw(word)
	r.line(meaning)
}

// synopsis is the rest of a usage line: what is to be replaced is in italics.
func (r *roff) synopsis(rest string) {
	out := roffText.Replace(strings.TrimSpace(rest))
	out = argWord.ReplaceAllStringFunc(out, func(word string) string { return `\fI` + word + `\fR` })
	if out != "" {
		r.raw(out)
	}
}
