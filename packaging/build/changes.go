package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// A section of CHANGELOG.md is one version: "## 0.1.0 (2026-11-23)", or
// "## 0.1.0 (unreleased)".
type section struct {
	version string
	date    time.Time // zero when it is not released
	changes []string  // each in one line
	// groups are the titles ("### What it finds"), by the change that is the first
	// below it.
	groups map[int]string
	text   string // as it stands
}

var heading = regexp.MustCompile(`^## (\d+(?:\.\d+)*) \((unreleased|\d{4}-\d\d-\d\d)\)$`)

// parseChanges reads CHANGELOG.md. The newest section comes first, and there is
// one.
func parseChanges(text string) ([]section, error) {
	var out []section
	for i, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "## ") {
			m := heading.FindStringSubmatch(line)
			if m == nil {
				return nil, fmt.Errorf("CHANGELOG.md:%d: %q is not \"## 1.2.3 (2006-01-02)\" or \"(unreleased)\"", i+1, line)
			}
			s := section{version: m[1], groups: map[int]string{}}
			if m[2] != "unreleased" {
				date, err := time.Parse(time.DateOnly, m[2])
				if err != nil {
					return nil, fmt.Errorf("CHANGELOG.md:%d: %w", i+1, err)
				}
				s.date = date
			}
			out = append(out, s)
			continue
		}
		if len(out) == 0 {
			continue
		}
		s := &out[len(out)-1]
		s.text += line + "\n"
		title, heads := strings.CutPrefix(line, "### ")
		switch item, found := strings.CutPrefix(line, "- "); {
		case heads:
			s.groups[len(s.changes)] = title
		case found:
			s.changes = append(s.changes, item)
		case strings.HasPrefix(line, "  ") && len(s.changes) > 0:
			s.changes[len(s.changes)-1] += " " + strings.TrimSpace(line)
		}
	}
	if len(out) == 0 || len(out[0].changes) == 0 {
		return nil, errors.New("CHANGELOG.md has no version with a change")
	}
	return out, nil
}

// debianChangelog is the changelog in Debian's form (deb-changelog(5)). The first
// entry has the version of the package, whatever CHANGELOG.md calls it; a group has
// its title in brackets, as Debian's changelogs have the name of who made the changes.
func debianChangelog(name, version, maintainer string, date time.Time, changes []section) string {
	var b strings.Builder
	for i, s := range changes {
		v := s.version + "-" + debianRevision
		if i == 0 {
			v = version
		}
		at := s.date
		if at.IsZero() {
			at = date
		}
		fmt.Fprintf(&b, "%s (%s) unstable; urgency=medium\n\n", name, v)
		for i, c := range s.changes {
			if title := s.groups[i]; title != "" {
				if i > 0 {
					b.WriteByte('\n')
				}
				fmt.Fprintf(&b, "  [ %s ]\n", title)
			}
			b.WriteString(fold("  * ", "    ", c, 78))
		}
		fmt.Fprintf(&b, "\n -- %s  %s\n", maintainer, at.UTC().Format(time.RFC1123Z))
		if i < len(changes)-1 {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// fold breaks text at blanks into lines of at most width characters.
func fold(first, rest, text string, width int) string {
	var b strings.Builder
	line := first
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
			line += word
		case len(line)+1+len(word) > width:
			b.WriteString(line + "\n")
			line = rest + word
		default:
			line += " " + word
		}
	}
	b.WriteString(line + "\n")
	return b.String()
}

// zip compresses as gzip -9n does: no name, no time.
func zip(text []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	err = w.Close()
	return b.Bytes(), err
}
