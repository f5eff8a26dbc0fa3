package xrdpconf

import "strings"

// insert adds a key that is not live.
func (f *File) insert(c Change) (*File, error) {
	s, ok := f.live[fold(c.Section)]
	if !ok {
		return f.insertSection(c)
	}
	after := f.insertionPoint(f.sections[s], c.Key)
	separator := f.separator(f.sections[s], after)
	if !ascii(c.Value) { // see trimWide
		separator = "="
	}
	text := f.render(c, separator, f.lineEnd(after))
	l := f.lines[after]
	if l.next == l.end { // the last line of a file without a last newline
		text = f.lineEnd(after) + strings.TrimRight(text, "\r\n")
	}
	return f.splice(l.next, l.next, text), nil
}

// insertSection adds a section at the end of the file. Only those are made up that
// the file is known to have: in xrdp.ini any other becomes an entry of the login
// screen (xrdp/xrdp_login_wnd.c). A file without [Globals] is nothing to add to.
func (f *File) insertSection(c Change) (*File, error) {
	keys, _ := f.knownSection(c.Section)
	if _, ok := f.live[fold(SectionGlobals)]; !ok || len(keys) == 0 {
		return nil, &SectionError{File: f.name, Section: c.Section}
	}
	if f.stop != nil {
		cut := Cut{Reason: f.stop.reason, Section: c.Section, Line: f.lines[f.stop.line].number}
		return nil, &CutError{Section: c.Section, Key: c.Key, Cut: cut}
	}
	last := len(f.lines) - 1
	eol := f.lineEnd(last)
	text := ""
	if l := f.lines[last]; l.next == l.end {
		text = eol
	}
	if l := f.lines[last]; l.end > l.start {
		text += eol
	}
	text += "[" + c.Section + "]" + eol + f.render(c, "=", eol)
	return f.splice(len(f.data), len(f.data), text), nil
}

// render returns the new lines with their ends.
func (f *File) render(c Change, separator, eol string) string {
	var b strings.Builder
	for _, text := range commentLines(c.Comment) {
		b.WriteString(text + eol)
	}
	b.WriteString(strings.TrimRight(c.Key+separator+c.Value, " ") + eol)
	return b.String()
}

// commentLines returns the comment as lines of the file. They start in the first
// column: in [Xorg] and [Xvnc] an indented comment is an empty argument.
func commentLines(comment string) []string {
	if comment == "" {
		return nil
	}
	lines := strings.Split(comment, "\n")
	for i, text := range lines {
		lines[i] = strings.TrimRight("; "+strings.Map(printable, text), " ")
	}
	return lines
}

func printable(r rune) rune {
	if r < ' ' {
		return ' '
	}
	return r
}

// insertionPoint returns the line after which a person would write the key: below
// its own commented-out line or the comment that describes it, next to its closest
// relative, or at the end of the section.
func (f *File) insertionPoint(s section, key string) int {
	if i := f.commentedLine(s, key); i >= 0 {
		return i
	}
	if i := f.described(s, key); i >= 0 {
		return i
	}
	for _, n := range neighbours[fold(key)] {
		lines := f.liveKeyLines(s.name, n.key)
		if len(lines) == 0 {
			continue
		}
		if n.above {
			return f.above(lines[0], n.key)
		}
		return lines[len(lines)-1]
	}
	return f.sectionEnd(s)
}

// commentedLine returns the last line of the section that is the key commented out, or -1.
func (f *File) commentedLine(s section, key string) int {
	found := -1
	for i := s.first; i < s.last && !f.lines[i].unread && !f.lines[i].clipped; i++ {
		text := f.data[f.lines[i].start:f.lines[i].end]
		rest := strings.TrimLeft(text, "#; \t")
		if len(rest) == len(text) || text[0] != '#' && text[0] != ';' {
			continue
		}
		name, _, ok := strings.Cut(rest, "=")
		if ok && fold(trimBlanks(name)) == fold(key) {
			found = i
		}
	}
	return found
}

// described returns the last line of the shipped comment that describes the key, or -1.
func (f *File) described(s section, key string) int {
	phrase, ok := docPhrases[fold(key)]
	if !ok {
		return -1
	}
	for i := s.first; i < s.last && !f.lines[i].unread; i++ {
		if !f.isComment(i) || !strings.Contains(f.folded(i), phrase) {
			continue
		}
		for i+1 < s.last && f.isComment(i+1) && !f.describesOther(i+1, key) {
			i++
		}
		return i
	}
	return -1
}

// describesOther reports whether a comment begins to speak of another key.
func (f *File) describesOther(i int, key string) bool {
	text := f.folded(i)
	for other, phrase := range docPhrases {
		if other != fold(key) && strings.Contains(text, phrase) {
			return true
		}
	}
	return text[0] == '#' && strings.Contains(text, "=")
}

// above returns the line after which a key goes that stands above another: the
// comment that describes the other stays with it.
func (f *File) above(i int, key string) int {
	phrase, ok := docPhrases[fold(key)]
	top := i - 1
	for n := i - 1; ok && n > 0 && f.isComment(n); n-- {
		if strings.Contains(f.folded(n), phrase) {
			top = n - 1
		}
	}
	return top
}

// folded returns a line in lower case.
func (f *File) folded(i int) string {
	return fold(f.data[f.lines[i].start:f.lines[i].end])
}

// sectionEnd returns the last line that belongs to the section: its last entry with
// the comments right below it, unless those sit on the next header and speak of that.
func (f *File) sectionEnd(s section) int {
	end := s.header
	for i := s.first; i < s.last && !f.lines[i].unread && !f.lines[i].clipped; i++ {
		if f.lines[i].kind == lineEntry && f.lines[i].key != "" {
			end = i
		}
	}
	below := end
	for below+1 < s.last && f.isComment(below+1) {
		below++
	}
	if below+1 < s.last || below+1 == len(f.lines) {
		return below
	}
	return end
}

func (f *File) isComment(i int) bool {
	l := f.lines[i]
	return !l.unread && l.kind == lineEmpty && l.end > l.start
}

// separator returns the = with the blanks that the line above has around it, or the
// nearest entry of the section.
func (f *File) separator(s section, near int) string {
	best, distance := "=", len(f.lines)
	for _, i := range f.liveLines(s.name) {
		l := &f.lines[i]
		if l.equals < 0 || l.key == "" || l.value == "" {
			continue
		}
		if d := max(i-near, near-i); d < distance {
			distance = d
			best = "="
			if blank(f.data[l.equals-1]) {
				best = " " + best
			}
			if blank(f.data[l.equals+1]) {
				best += " "
			}
		}
	}
	return best
}

// lineEnd returns the end of a line, or where it has none, of the line before it.
func (f *File) lineEnd(i int) string {
	for ; i >= 0; i-- {
		if l := f.lines[i]; l.next > l.end {
			return f.data[l.end:l.next]
		}
	}
	return "\n"
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
