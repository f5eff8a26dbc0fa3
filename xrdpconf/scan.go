package xrdpconf

import "strings"

const (
	// ReadLimit is how much of a file xrdp looks at for the keys of a section,
	// in bytes (common/file.c, l_file_read_section: file_size = 32 * 1024).
	ReadLimit = 32 * 1024
	// lineLimit is the number of bytes before a comment at which xrdp gives up
	// reading the file (common/file.c: FILE_MAX_LINE_BYTES).
	lineLimit = 2048
	// bom is the UTF-8 byte order mark. xrdp does not know it.
	bom = "\xef\xbb\xbf"
)

type lineKind uint8

const (
	// lineEmpty has nothing in it that xrdp keeps: no bytes, or a comment from
	// the first column on.
	lineEmpty lineKind = iota
	lineHeader
	// lineEntry is everything else, lines of mere blanks included.
	lineEntry
)

// dialect is what changed in xrdp's parser over time.
type dialect struct {
	bang       bool // an exclamation mark begins a comment, as # and ; do
	dropEquals bool // a second = vanishes from the value
	trim       func(string) string
}

// dialectOf returns how a version reads. An unknown one reads as 0.10.
func dialectOf(v Version) dialect {
	d := dialect{trim: trimBlanks}
	if !v.Known() {
		return d
	}
	if !v.AtLeast(0, 10) {
		d.trim = trimWide
	}
	if !v.AtLeast(0, 9, 6) {
		d.bang = true
	}
	d.dropEquals = !v.AtLeast(0, 9, 4)
	return d
}

// lastWide is the last release that trims by way of wide characters.
var lastWide = Version{0, 9, 26, 0}

// likeLastWide reports whether a line of ASCII alone is to the dialect what it is to
// [lastWide]: then only trimming could differ, and does not.
func (d dialect) likeLastWide() bool {
	return !d.bang && !d.dropEquals
}

// line is one line of the file with what xrdp makes of it. Positions are offsets
// into the file.
type line struct {
	start, end, next int // without and with its line end
	kept             int // end of what xrdp keeps: before a comment, a NUL, the read limit
	comment          int // position of # or ;, or end
	number           int // as editors and grep -n count
	kind             lineKind
	unread           bool // behind the read limit or a line that is too long
	clipped          bool // the read limit falls into it
	nul              bool // a NUL hides the rest of it
	overridden       bool // a later line of its section has the same key; xrdp reads both
	name             string
	key, value       string
	equals           int // position of the first =, or -1
	earlier          int // index of the line before it that it overrides, or -1
}

// stop is the point from which on xrdp reads nothing of the file, whatever the section.
type stop struct {
	line   int // index of the first line that is lost, wholly or partly
	reason CutReason
}

// scan splits data into lines and classifies them. Lines that xrdp never reads are
// classified too, as a person would read them.
func scan(data string, d dialect) ([]line, *stop) {
	var st *stop
	ends := lineEnds{data: data, lf: -1, cr: -1}
	lines := make([]line, 0, ends.count())
	countCR := strings.IndexByte(data, '\n') < 0
	number := 1
	for at := 0; at < len(data); {
		lines = append(lines, line{start: at, end: ends.after(at), next: len(data), number: number, equals: -1, earlier: -1})
		l := &lines[len(lines)-1]
		if l.end < len(data) {
			l.next = l.end + 1
			if data[l.end] == '\r' && l.next < len(data) && data[l.next] == '\n' {
				l.next++
			}
			if countCR || data[l.next-1] == '\n' {
				number++
			}
		}
		at = l.next

		seen := l.end
		if st == nil && l.end > ReadLimit {
			st = &stop{line: len(lines) - 1, reason: CutSize}
			l.clipped = l.start < ReadLimit
			if l.clipped {
				seen = ReadLimit
			}
			l.unread = !l.clipped
		} else {
			l.unread = st != nil
		}
		l.classify(data, seen, d)
		l.clipped = l.clipped && l.comment == l.end // a clipped comment loses nothing
		// The line buffer overflows by count of bytes, NUL included.
		if !l.unread && min(l.comment, seen)-l.start >= lineLimit {
			st = &stop{line: len(lines) - 1, reason: CutLongLine}
			l.unread = true
			l.clipped = false
			l.classify(data, l.end, d)
		}
	}
	return lines, st
}

// lineEnds finds line ends. Each of the two characters is looked for once only, from
// where it was last seen, so that a file that has one of them costs no more.
type lineEnds struct {
	data   string
	lf, cr int // where the next one is, at the end where there is none
}

// after returns the first line end from a position on, or the end of the data.
func (e *lineEnds) after(at int) int {
	if e.lf < at {
		e.lf = e.find('\n', at)
	}
	if e.cr < at {
		e.cr = e.find('\r', at)
	}
	return min(e.lf, e.cr)
}

func (e *lineEnds) find(c byte, at int) int {
	if i := strings.IndexByte(e.data[at:], c); i >= 0 {
		return at + i
	}
	return len(e.data)
}

// count returns how many lines there are if all have the same kind of end.
func (e *lineEnds) count() int {
	return max(strings.Count(e.data, "\n"), strings.Count(e.data, "\r")) + 1
}

// classify fills in what xrdp makes of the bytes from start to seen.
func (l *line) classify(data string, seen int, d dialect) {
	l.kept, l.comment = seen, l.end
	l.nul, l.name, l.key, l.value, l.equals = false, "", "", "", -1
	if i := d.commentIn(data[l.start:seen]); i >= 0 {
		l.kept = l.start + i
		l.comment = l.kept
	}
	if i := strings.IndexByte(data[l.start:l.kept], 0); i >= 0 {
		l.kept = l.start + i
		l.nul = true
	}
	text := data[l.start:l.kept]
	if text == "" {
		l.kind = lineEmpty
		return
	}
	if name, ok := headerName(text); ok {
		l.kind, l.name = lineHeader, name
	} else {
		l.kind = lineEntry
	}
	// A header that is really a value with brackets has a key for the reader.
	key, value := text, ""
	if i := strings.IndexByte(text, '='); i >= 0 {
		l.equals = l.start + i
		key, value = text[:i], text[i+1:]
	}
	if d.dropEquals {
		value = strings.ReplaceAll(value, "=", "")
	}
	l.key, l.value = d.trim(key), d.trim(value)
}

// commentIn returns where a comment begins in a line, or -1.
func (d dialect) commentIn(text string) int {
	for i := range len(text) {
		if c := text[i]; c == '#' || c == ';' || c == '!' && d.bang {
			return i
		}
	}
	return -1
}

// headerName finds the section name in a line as xrdp does: between the last [
// before the first ] (common/file.c, line_lookup_for_section_name). Its check of
// the buffer's size adds two positions, so that a name far to the right of a long
// line is none.
func headerName(text string) (string, bool) {
	if strings.IndexByte(text, ']') < 0 {
		return "", false
	}
	open := -1
	for i := range len(text) {
		switch c := text[i]; {
		case c == '[':
			open = i + 1
		case c == ']' && open > 0:
			if open+i >= lineLimit {
				return "", false
			}
			return text[open:i], true
		}
	}
	return "", false
}

// fold lowers ASCII letters, which is all that strcasecmp does in a UTF-8 locale.
func fold(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= 'A' && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if b[i] >= 'A' && b[i] <= 'Z' {
					b[i] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}
