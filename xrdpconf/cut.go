package xrdpconf

import "sort"

// Section names of the two files.
const (
	SectionGlobals          = "Globals"
	SectionLogging          = "Logging"
	SectionLoggingPerLogger = "LoggingPerLogger"
	SectionChannels         = "Channels"
	SectionSecurity         = "Security"
	SectionSessions         = "Sessions"
	SectionXorg             = "Xorg"
	SectionXvnc             = "Xvnc"
	SectionX11rdp           = "X11rdp"
	SectionSessionVariables = "SessionVariables"
	SectionChansrv          = "Chansrv"
)

// CutReason says why reading ends early.
type CutReason string

const (
	// CutBracket is a value with [ and ] in it: to xrdp the line is a section header.
	CutBracket CutReason = "bracket"
	// CutSize is the end of the first 32 KiB.
	CutSize CutReason = "size"
	// CutLongLine is a line with 2,048 bytes or more before its comment.
	CutLongLine CutReason = "long-line"
	// CutNUL is a NUL byte: xrdp reads nothing of the rest of its line. It does not
	// end the section.
	CutNUL CutReason = "nul"
)

// String puts the reason in words.
func (r CutReason) String() string {
	switch r {
	case CutBracket:
		return "brackets in a value make the line a section header"
	case CutSize:
		return "xrdp reads only the first 32 KiB of the file"
	case CutLongLine:
		return "a line of 2048 bytes or more ends xrdp's reading of the file"
	case CutNUL:
		return "a NUL byte hides the rest of its line"
	}
	return string(r)
}

// Cut is the place where xrdp stops reading a section that goes on for a person.
type Cut struct {
	Reason  CutReason
	Section string // the section that is cut short
	Line    int    // the line that does it, or the first one lost
	// Lost are the entries that a person would count to the section and xrdp does not.
	Lost []Place
}

// Cut reports whether and why the reading of [Globals] ends early.
func (f *File) Cut() (Cut, bool) { return f.CutOf(SectionGlobals) }

// CutOf reports the same of another section. Where the section itself lies behind
// the point at which reading stops, that is the cut.
func (f *File) CutOf(name string) (Cut, bool) {
	i, ok := f.live[fold(name)]
	if !ok {
		return f.cutBefore(name)
	}
	s := f.sections[i]
	c := Cut{Section: s.name}
	for n := s.first; n < s.last; n++ {
		if l := &f.lines[n]; l.unread || l.clipped {
			c.Reason, c.Line = f.stop.reason, f.lines[f.stop.line].number
			if c.Lost = f.lostFrom(n, s.name); len(c.Lost) == 0 {
				break
			}
			return c, true
		}
	}
	if s.last < len(f.lines) && !f.lines[s.last].unread && !f.looksLikeHeader(s.last) {
		c.Reason, c.Line = CutBracket, f.lines[s.last].number
		c.Lost = f.lostFrom(s.last, s.name)
		return c, true
	}
	for n := s.header; n < s.last; n++ {
		if l := &f.lines[n]; l.nul && !l.unread {
			c.Reason, c.Line = CutNUL, l.number
			return c, true
		}
	}
	return Cut{}, false
}

// cutBefore looks for the reason why a section is not there at all.
func (f *File) cutBefore(name string) (Cut, bool) {
	for _, s := range f.sections {
		if s.unread && fold(s.name) == fold(name) {
			return Cut{
				Reason: f.stop.reason, Section: s.name, Line: f.lines[f.stop.line].number,
				Lost: f.lostFrom(s.first, s.name),
			}, true
		}
	}
	// A file in UTF-16 has no header that xrdp could find.
	if len(f.live) == 0 {
		for _, l := range f.lines {
			if l.nul && !l.unread {
				return Cut{Reason: CutNUL, Section: name, Line: l.number}, true
			}
		}
	}
	return Cut{}, false
}

// lostFrom lists the entries from a line on up to the next thing that looks like a header.
func (f *File) lostFrom(first int, meant string) []Place {
	var out []Place
	for n := first; n < len(f.lines); n++ {
		l := f.lines[n]
		if l.kind == lineHeader && f.looksLikeHeader(n) {
			break
		}
		if l.kind != lineEmpty && l.key != "" {
			out = append(out, f.place(n, meant))
		}
	}
	return out
}

// Fate says what becomes of an entry.
type Fate string

const (
	// FateUsed is the occurrence whose value xrdp uses.
	FateUsed Fate = "used"
	// FateOverridden is read, but a later line of the section wins.
	FateOverridden Fate = "overridden"
	// FateDuplicateSection stands in a second section of the same name.
	FateDuplicateSection Fate = "duplicate-section"
	// FateNoSection stands before the first header.
	FateNoSection Fate = "no-section"
	// FateHeader has brackets, which make it a section header.
	FateHeader Fate = "header"
	// FateBehindBracket follows such a line, so that it is in no section a person knows.
	FateBehindBracket Fate = "behind-bracket"
	// FateUnread lies behind the read limit or a line that is too long.
	FateUnread Fate = "unread"
	// FateClipped is the line into which the read limit falls: xrdp sees its beginning.
	FateClipped Fate = "clipped"
)

// Place is one textual occurrence of a key.
type Place struct {
	Key, Value string // as xrdp would split the line
	Line       int
	// Section is where xrdp sees the line, Meant where a person does. They differ
	// behind a value with brackets. Both are empty before the first header.
	Section, Meant string
	Fate           Fate
}

// Live reports whether xrdp reads the line at all.
func (p Place) Live() bool { return p.Fate == FateUsed || p.Fate == FateOverridden }

// Find returns every textual occurrence of a key, in file order, also those that
// xrdp never reads and those in sections where they mean nothing. Commented lines
// are none.
func (f *File) Find(key string) []Place {
	key = fold(key)
	var out []Place
	f.eachPlace(func(i int, meant string) {
		if fold(f.lines[i].key) == key {
			out = append(out, f.place(i, meant))
		}
	})
	return out
}

// eachPlace calls visit for every line with a key, with the section a person sees it in.
func (f *File) eachPlace(visit func(i int, meant string)) {
	meant := ""
	for i := range f.lines {
		l := &f.lines[i]
		if l.kind == lineHeader && f.looksLikeHeader(i) {
			meant = l.name
			continue
		}
		if l.kind != lineEmpty && l.key != "" {
			visit(i, meant)
		}
	}
}

func (f *File) place(i int, meant string) Place {
	l := &f.lines[i]
	p := Place{Key: l.key, Value: l.value, Line: l.number, Meant: meant}
	at := f.sectionAt(i)
	if at >= 0 {
		p.Section = f.sections[at].name
	}
	switch {
	case l.unread:
		p.Fate = FateUnread
	case l.kind == lineHeader:
		p.Fate = FateHeader
	case at < 0:
		p.Fate = FateNoSection
	case l.clipped:
		p.Fate = FateClipped
	case f.sections[at].bracket && fold(p.Section) != fold(meant):
		p.Fate = FateBehindBracket
	case f.sections[at].duplicate:
		p.Fate = FateDuplicateSection
	case l.overridden:
		p.Fate = FateOverridden
	default:
		p.Fate = FateUsed
	}
	return p
}

// sectionAt returns the index of the section that holds a line, or -1. A header that
// is really a value counts to the section that it ends.
func (f *File) sectionAt(i int) int {
	n := sort.Search(len(f.sections), func(n int) bool { return f.sections[n].header > i }) - 1
	if n >= 0 && f.sections[n].header == i && f.sections[n].bracket {
		n--
	}
	return n
}
