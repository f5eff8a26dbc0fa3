package xrdpconf

import (
	"fmt"

	"gopkg.in/ini.v1"
)

// disagreement is a key whose value ini.v1 reads differently from xrdp.
type disagreement struct {
	section, key string
	ours, theirs string
	line         int
	missing      bool // ini.v1 has no such key
}

// crossRead compares the effective values with those of gopkg.in/ini.v1. The library
// gets the lines about which two readers can differ, and always those of the changes
// given. It fails on files that xrdp reads happily: a value that begins with a
// backquote or three quotes, a line that begins with =, an empty header.
func (f *File) crossRead(changes ...Change) ([]disagreement, error) {
	text, asked := f.disputable(changes)
	if text == "" {
		return nil, nil
	}
	return f.crossReadOf(text, asked)
}

// crossReadOf compares the entries that are asked for with what ini.v1, set up as close
// to xrdp as it goes, reads in text: the whole file or that part of it which decides
// about them.
func (f *File) crossReadOf(text string, asked func(i int) bool) ([]disagreement, error) {
	cfg, err := ini.LoadSources(ini.LoadOptions{
		Insensitive:                true,
		IgnoreContinuation:         true,
		PreserveSurroundedQuote:    true,
		KeyValueDelimiters:         "=",
		AllowShadows:               true,
		AllowDuplicateShadowValues: true,
		AllowNonUniqueSections:     true,
		AllowBooleanKeys:           true,
	}, []byte(text))
	if err != nil {
		return nil, fmt.Errorf("ini.v1 reads %s: %w", f.name, err)
	}
	var out []disagreement
	for _, s := range f.sections {
		if s.duplicate || s.unread {
			continue
		}
		theirs, err := cfg.SectionsByName(s.name)
		for _, i := range s.entries {
			l := &f.lines[i]
			if l.key == "" || l.overridden || !asked(i) {
				continue
			}
			d := disagreement{section: s.name, key: l.key, ours: l.value, line: l.number, missing: true}
			if err == nil && len(theirs) > 0 && theirs[0].HasKey(l.key) {
				d.missing = false
				if all := theirs[0].Key(l.key).ValueWithShadows(); len(all) > 0 {
					d.theirs = all[len(all)-1]
				}
			}
			// A key without = is "true" to ini.v1 and empty to xrdp: the same line.
			if l.equals < 0 && d.theirs == "true" {
				continue
			}
			if d.missing || d.theirs != d.ours {
				out = append(out, d)
			}
		}
	}
	return out, nil
}

// crossVerify vetoes an edit when ini.v1 agreed with xrdp before and does not after.
// Where it never understood the file its opinion counts for nothing.
func (f *File) crossVerify(out *File, changes []Change) error {
	before, err := f.crossRead()
	if err != nil || len(before) > 0 {
		return nil //nolint:nilerr // no opinion before, no veto after
	}
	after, err := out.crossRead(changes...)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCrossRead, err)
	}
	if len(after) > 0 {
		return &EffectError{File: f.name, Section: after[0].section, Key: after[0].key, Kind: ErrCrossRead}
	}
	return nil
}
