package xrdpconf

import (
	"slices"
	"strings"
)

// lintLines looks at the bytes of each line: limits, NUL, byte order marks, comments.
func (f *File) lintLines(c *collector) {
	if f.stop != nil {
		l := f.lines[f.stop.line]
		if f.stop.reason == CutSize {
			c.add(l.number, IssueBeyondLimit, "", "xrdp reads only the first 32 KiB of the file: nothing from here on counts")
		} else {
			c.add(l.number, IssueLongLine, "", "the line has 2048 bytes or more: xrdp reads nothing from here on")
		}
	}
	for i := range f.lines {
		l := &f.lines[i]
		if l.unread {
			break
		}
		if l.nul && l.kept+1 < l.end {
			c.add(l.number, IssueNUL, l.key, "a NUL byte hides the rest of the line")
		}
		if l.kind == lineEntry && strings.HasPrefix(l.key, bom) {
			c.add(l.number, IssueBOM, l.key, "a byte order mark belongs to the key here: xrdp does not know it")
		}
		if l.kind == lineEntry && l.value != "" && l.comment < l.end && !blank(f.data[l.comment-1]) && l.kept == l.comment {
			c.add(l.number, IssueCommentInValue, l.key, "the value ends at %q, which begins a comment even inside a value", f.data[l.comment])
		}
		if l.kind == lineEntry && !f.version.AtLeast(0, 10) && f.untrimmed(l) {
			c.add(l.number, IssueUntrimmed, l.key, "characters outside ASCII with blanks around them: xrdp up to 0.9.26 reads them wrongly")
		}
		if l.kind == lineHeader && l.equals >= 0 && !f.looksLikeHeader(i) {
			c.add(l.number, IssueBracket, l.key, "brackets make this line the section header [%s]: what follows is lost to the section above", l.name)
		}
		if l.kind == lineEntry && l.key != "" && f.sectionAt(i) < 0 {
			c.add(l.number, IssueNoSection, l.key, "xrdp ignores keys before the first section header")
		}
	}
}

// untrimmed reports whether old and new versions trim the line differently.
func (f *File) untrimmed(l *line) bool {
	key, value, _ := strings.Cut(f.data[l.start:l.kept], "=")
	return trimWide(key) != trimBlanks(key) || trimWide(value) != trimBlanks(value)
}

// lintSections looks at the headers.
func (f *File) lintSections(c *collector) {
	for _, s := range f.sections {
		l := &f.lines[s.header]
		if s.unread || s.bracket {
			continue
		}
		if s.duplicate {
			first := f.lines[f.sections[f.live[fold(s.name)]].header].number
			c.add(l.number, IssueDuplicateSection, "", "xrdp reads only the first [%s], in line %d", s.name, first)
		}
		trimmed := strings.TrimSpace(s.name)
		if _, known := f.knownSection(trimmed); known && trimmed != s.name {
			c.add(l.number, IssueSectionName, "", "[%s] is not [%s] to xrdp: it does not trim the name", s.name, trimmed)
		}
		if f.kind == KindServer && fold(trimmed) == fold(SectionSecurity) {
			c.add(l.number, IssueSecuritySection, "", "in xrdp.ini [%s] is an entry of the login screen and has nothing to do with security", s.name)
		}
	}
}

// lintArguments looks at the sections whose every entry counts.
func (f *File) lintArguments(c *collector) {
	if f.kind != KindSessionManager {
		return
	}
	for _, name := range append(slices.Clone(argumentSections), SectionSessionVariables) {
		variables := name == SectionSessionVariables
		for _, item := range f.All(name) {
			switch {
			case item.Key == "" && item.Value.Raw == "" && variables:
				c.add(item.Value.Line, IssueEmptyArgument, "", "blanks or an indented comment set a variable without a name in [%s]", name)
			case item.Key == "" && item.Value.Raw == "":
				c.add(item.Value.Line, IssueEmptyArgument, "", "blanks or an indented comment are an empty argument of the X server in [%s]", name)
			case !variables && fold(item.Key) != "param":
				c.add(item.Value.Line, IssueStrayArgument, item.Key, "the value of %s is passed to the X server as an argument: in [%s] every entry is one", item.Key, name)
			}
		}
	}
}

// lintDuplicates names the lines that a later one overrides, where only one counts.
func (f *File) lintDuplicates(c *collector) {
	for _, s := range f.sections {
		if s.duplicate || s.unread || isList(f.kind, s.name) {
			continue
		}
		for _, i := range s.entries {
			if l := &f.lines[i]; l.overridden && l.key != "" {
				last := s.keys[fold(l.key)]
				c.add(l.number, IssueDuplicateKey, l.key, "%s is set again in line %d, which is the one xrdp uses", l.key, f.lines[last].number)
			}
		}
	}
}

// isList reports whether a section's keys repeat by design.
func isList(k Kind, section string) bool {
	if k != KindSessionManager {
		return false
	}
	return slices.ContainsFunc(argumentSections, func(s string) bool { return fold(s) == fold(section) }) ||
		fold(section) == fold(SectionSessionVariables)
}
