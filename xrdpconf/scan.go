package xrdpconf

import "bytes"

const (
	// readLimit is how much of a file xrdp looks at for the keys of a section,
	// in bytes (common/file.c, l_file_read_section: file_size = 32 * 1024).
	readLimit = 32 * 1024
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
	comment    string // the characters that begin a comment
	dropEquals bool   // a second = vanishes from the value
	trim       func([]byte) []byte
}

// dialectOf returns how a version reads. An unknown one reads as 0.10.
func dialectOf(v Version) dialect {
	d := dialect{comment: "#;", trim: trimBytes}
	if !v.Known() {
		return d
	}
	if !v.AtLeast(0, 10) {
		d.trim = trimWide
	}
	if !v.AtLeast(0, 9, 6) {
		d.comment = "#;!"
	}
	d.dropEquals = !v.AtLeast(0, 9, 4)
	return d
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
	name             string
	key, value       string
	equals           int // position of the first =, or -1
}

// stop is the point from which on xrdp reads nothing of the file, whatever the section.
type stop struct {
	line   int // index of the first line that is lost, wholly or partly
	reason CutReason
}

// scan splits data into lines and classifies them. Lines that xrdp never reads are
// classified too, as a person would read them.
func scan(data []byte, d dialect) ([]line, *stop) {
	var (
		lines []line
		st    *stop
	)
	countCR := bytes.IndexByte(data, '\n') < 0
	number := 1
	for at := 0; at < len(data); {
		l := line{start: at, end: len(data), next: len(data), number: number, equals: -1}
		if i := bytes.IndexAny(data[at:], "\r\n"); i >= 0 {
			l.end, l.next = at+i, at+i+1
			if data[l.end] == '\r' && l.next < len(data) && data[l.next] == '\n' {
				l.next++
			}
			if countCR || data[l.next-1] == '\n' {
				number++
			}
		}
		at = l.next

		seen := l.end
		if st == nil && l.end > readLimit {
			st = &stop{line: len(lines), reason: CutSize}
			l.clipped = l.start < readLimit
			if l.clipped {
				seen = readLimit
			}
			l.unread = !l.clipped
		} else {
			l.unread = st != nil
		}
		l.classify(data, seen, d)
		l.clipped = l.clipped && l.comment == l.end // a clipped comment loses nothing
		if !l.unread && longBeforeComment(data[l.start:seen], d) {
			st = &stop{line: len(lines), reason: CutLongLine}
			l.unread = true
			l.clipped = false
			l.classify(data, l.end, d)
		}
		lines = append(lines, l)
	}
	return lines, st
}

// longBeforeComment reports whether xrdp's line buffer overflows on text, which it
// does by count of bytes, NUL included.
func longBeforeComment(text []byte, d dialect) bool {
	if i := bytes.IndexAny(text, d.comment); i >= 0 {
		text = text[:i]
	}
	return len(text) >= lineLimit
}

// classify fills in what xrdp makes of the bytes from start to seen.
func (l *line) classify(data []byte, seen int, d dialect) {
	l.kept, l.comment = seen, l.end
	l.nul, l.name, l.key, l.value, l.equals = false, "", "", "", -1
	if i := bytes.IndexAny(data[l.start:seen], d.comment); i >= 0 {
		l.kept = l.start + i
		l.comment = l.kept
	}
	if i := bytes.IndexByte(data[l.start:l.kept], 0); i >= 0 {
		l.kept = l.start + i
		l.nul = true
	}
	text := data[l.start:l.kept]
	if len(text) == 0 {
		l.kind = lineEmpty
		return
	}
	if name, ok := headerName(text); ok {
		l.kind, l.name = lineHeader, name
	} else {
		l.kind = lineEntry
	}
	// A header that is really a value with brackets has a key for the reader.
	key, value := text, []byte(nil)
	if i := bytes.IndexByte(text, '='); i >= 0 {
		l.equals = l.start + i
		key, value = text[:i], text[i+1:]
	}
	if d.dropEquals {
		value = bytes.ReplaceAll(value, []byte("="), nil)
	}
	l.key, l.value = string(d.trim(key)), string(d.trim(value))
}

// headerName finds the section name in a line as xrdp does: between the last [
// before the first ] (common/file.c, line_lookup_for_section_name). Its check of
// the buffer's size adds two positions, so that a name far to the right of a long
// line is none.
func headerName(text []byte) (string, bool) {
	open := -1
	for i, c := range text {
		switch {
		case c == '[':
			open = i + 1
		case c == ']' && open > 0:
			if open+i >= lineLimit {
				return "", false
			}
			return string(text[open:i]), true
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
