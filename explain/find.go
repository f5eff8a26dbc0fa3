package explain

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"xrdpfix/diagnose"
	"xrdpfix/internal/plaintext"
	"xrdpfix/logwatch"
)

// maxText bounds what is looked at of a pasted text.
const maxText = 64 << 10

// maxMatches bounds the answer to a whole log that was pasted.
const maxMatches = 8

// Find says what is known about a text: an entry's name, a message, a code, or
// lines of a log as they are. Escape sequences in it are passed over.
func Find(text string) Answer {
	if len(text) > maxText {
		text = text[:maxText]
	}
	text = strings.TrimSpace(printable(text))
	if text == "" {
		return Answer{}
	}
	if e, ok := named(text); ok {
		return Answer{Matches: []Match{{Entry: e, Heard: text}}}
	}
	var found matches
	for l := range strings.Lines(text) {
		if m, ok := line(strings.TrimSpace(l)); ok {
			found.add(m)
		}
	}
	found.telling()
	isLog := len(found) > 0
	for _, m := range said(text) {
		found.add(m)
	}
	if !isLog { // the numbers of a log are times, ports and processes
		for _, m := range coded(text) {
			found.add(m)
		}
	}
	if len(found) == 0 {
		return Answer{Near: near(text)}
	}
	return Answer{Matches: found}
}

// named finds an entry by its name.
func named(text string) (Entry, bool) {
	id := strings.ToLower(text)
	if e, ok := entryByID(id); ok {
		return e, true
	}
	for _, e := range rules() {
		if e.ID == id {
			return e, true
		}
	}
	return Entry{}, false
}

// matches has each entry once.
type matches []Match

func (all *matches) add(m Match) {
	if len(*all) < maxMatches && !slices.ContainsFunc(*all, func(o Match) bool { return o.ID == m.ID }) {
		*all = append(*all, m)
	}
}

// telling puts the lines that prove a cause before the others.
func (all matches) telling() {
	slices.SortStableFunc(all, func(a, b Match) int { return weight(b) - weight(a) })
}

func weight(m Match) int {
	switch {
	case m.Line == nil:
		return 0
	case m.Line.Cause == string(diagnose.TLSFails): // why it fails stands in another line
		return 2
	case m.Line.Cause != "":
		return 3
	case m.Line.Class == logwatch.ClassNoise:
		return 1
	}
	return 2
}

// said finds the entries whose words stand in the text. Of two that overlap the
// longer one counts.
func said(text string) []Match {
	plain := plainWords(text)
	type hit struct {
		entry    Entry
		from, to int
	}
	var hits []hit
	for _, e := range static() {
		best := hit{from: -1}
		for _, s := range e.Said {
			words := plainWords(s)
			if at := indexWords(plain, words); at >= 0 && len(words) > best.to-best.from {
				best = hit{e, at, at + len(words)}
			}
		}
		if best.from >= 0 {
			hits = append(hits, best)
		}
	}
	var out []Match
	for _, h := range hits {
		if !slices.ContainsFunc(hits, func(o hit) bool {
			return o.from < h.to && h.from < o.to && o.to-o.from > h.to-h.from
		}) {
			out = append(out, Match{Entry: h.entry, Heard: plain[h.from:h.to]})
		}
	}
	return out
}

// indexWords finds words where they neither begin nor end inside another word.
func indexWords(text, words string) int {
	if words == "" {
		return -1
	}
	for at := 0; ; {
		i := strings.Index(text[at:], words)
		if i < 0 {
			return -1
		}
		i += at
		if !(i > 0 && inWord(text[i-1]) && inWord(words[0])) &&
			!(i+len(words) < len(text) && inWord(text[i+len(words)]) && inWord(words[len(words)-1])) {
			return i
		}
		at = i + 1
	}
}

func inWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 0x80
}

// plainWords makes texts comparable: small letters, straight apostrophes, no
// quotation marks, single blanks.
func plainWords(s string) string {
	s = strings.Map(func(r rune) rune {
		switch r {
		case '\u2018', '\u2019', '`':
			return '\''
		case '"', '\u201c', '\u201d', '\u201e', '\u00ab', '\u00bb':
			return ' '
		}
		return unicode.ToLower(r)
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// printable takes out what no message has: terminal escape sequences, control
// and format characters. Line breaks stay.
func printable(s string) string {
	s = strings.ToValidUTF8(s, "")
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] == 0x1b {
			i += escapeLength(s[i:])
			continue
		}
		r := rune(s[i])
		size := 1
		if r >= 0x80 {
			r, size = utf8.DecodeRuneInString(s[i:])
		}
		i += size
		switch {
		case r == '\n' || r == '\t':
			b.WriteRune(r)
		case plaintext.Hidden(r):
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
