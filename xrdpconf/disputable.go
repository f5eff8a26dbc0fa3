package xrdpconf

import "strings"

// reading is how far two readers of ini files can differ about a line.
type reading uint8

const (
	// readingNothing is a comment or a line of blanks.
	readingNothing reading = iota
	// readingHeader is a section header to everybody.
	readingHeader
	// readingEvident is a plain key with a plain value, which means one thing.
	readingEvident
	// readingOdd has a plain key, but a value that may be taken otherwise.
	readingOdd
	// readingStrange may be anything to the other reader, and may change what it makes
	// of other lines.
	readingStrange
)

// disputable returns the part of the file that gopkg.in/ini.v1 has to read in order to
// be compared with xrdp, and which lines it was asked about. The text is empty when
// there is nothing to differ about.
//
// The library looks for every key in the list of all keys before it, and most lines of
// most files are evident: a plain key that is once in its section, with a plain
// value. They are left out, unless a change is about them. Where a single line is
// strange, the library gets the whole file.
func (f *File) disputable(changes []Change) (text string, asked func(i int) bool) {
	whole := func(int) bool { return true }
	kept, ok := f.disputed(changes)
	switch {
	case !ok:
		return f.data, whole
	case kept == nil:
		return "", nil
	}
	var b strings.Builder
	for i := range f.lines {
		if l := &f.lines[i]; kept[i] {
			b.WriteString(f.data[l.start:l.next])
		}
	}
	return b.String(), func(i int) bool { return kept[i] }
}

// disputed marks the lines that are not evident, and all headers. It returns nil if
// there are headers only. ok is false if a line is strange.
func (f *File) disputed(changes []Change) (kept []bool, ok bool) {
	planned := make(map[string]bool, len(changes))
	for _, c := range changes {
		planned[fold(c.Key)] = true
	}
	found := false
	marks := make([]bool, len(f.lines))
	first := make(map[string]int) // of each folded key of the section
	for i := range f.lines {
		key, r := f.readingOf(&f.lines[i])
		switch r {
		case readingNothing:
			continue
		case readingStrange:
			return nil, false
		case readingHeader:
			marks[i] = true
			first = make(map[string]int)
			continue
		}
		key = fold(key)
		before, twice := first[key]
		if twice {
			marks[before] = true
		} else {
			first[key] = i
		}
		marks[i] = twice || r == readingOdd || planned[key]
		found = found || marks[i]
	}
	if !found {
		return nil, true
	}
	return marks, true
}

// readingOf says how far readers can differ about a line, and its key if it has one.
// ini.v1 knows no carriage return as a line end, trims by Unicode, takes quotes around
// keys and several kinds of quotes around values, and reads any line that begins with
// a bracket as a header.
func (f *File) readingOf(l *line) (key string, r reading) {
	if l.next-l.end == 1 && f.data[l.end] == '\r' {
		return "", readingStrange
	}
	text := trimTabs(f.data[l.start:l.end])
	switch {
	case text == "" || text[0] == '#' || text[0] == ';':
		return "", readingNothing
	case text[0] == '[':
		return "", f.headerReading(l, text)
	}
	key, value, found := strings.Cut(text, "=")
	key = trimTabs(key)
	if !plainKey(key) {
		return "", readingStrange
	}
	if i := (dialect{}).commentIn(value); i >= 0 {
		value = value[:i]
	}
	value = trimTabs(value)
	switch {
	case l.kind != lineEntry || strings.Contains(value, "`") || strings.Contains(value, `"""`):
		return "", readingStrange
	case !found || l.clipped || !plainValue(value) || l.key != key || l.value != value:
		return key, readingOdd
	}
	return key, readingEvident
}

// trimTabs trims the blanks that are blanks to everybody.
func trimTabs(s string) string {
	tab := func(c byte) bool { return c == ' ' || c == '\t' }
	for s != "" && tab(s[0]) {
		s = s[1:]
	}
	for s != "" && tab(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

// headerReading compares a header with what xrdp makes of it. The name of the section
// above the first header is "default" to ini.v1, and a dot in a name makes it look
// for keys in the section before the dot.
func (f *File) headerReading(l *line, text string) reading {
	name, closed := strings.CutSuffix(text[1:], "]")
	if !closed || !plainKey(name) || strings.ContainsAny(name, ". ") || l.kind != lineHeader || l.name != name || fold(name) == "default" {
		return readingStrange
	}
	return readingHeader
}

// plainKey reports whether a key is the same to everybody. A mere hyphen is a number
// to ini.v1.
func plainKey(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		if !letter && !digit(c) && c != '.' && c != '-' && c != ' ' {
			return false
		}
	}
	return s != "" && s != "-"
}

// plainValue reports whether a value without the blanks around it is all visible
// ASCII, blanks and tabs.
func plainValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '\t' && (c < ' ' || c > '~') {
			return false
		}
	}
	return true
}
