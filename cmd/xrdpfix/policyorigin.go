package main

import (
	"fmt"
	"slices"

	"xrdpfix/diagnose"
)

// policySetting is a setting of the policy that is in force, and where it comes
// from.
type policySetting struct {
	Setting string `json:"setting"`
	// Value is "" where nothing is stated and what works stays as it is.
	Value string `json:"value"`
	From  string `json:"from"` // "flag", "file" or "default"
	File  string `json:"file,omitempty"`
	Line  int    `json:"line,omitempty"`
}

// Where settings come from.
const (
	fromFlag    = "flag"
	fromFile    = "file"
	fromDefault = "default"
)

// rangeKeys state the TLS range together: a flag replaces them all.
var rangeKeys = []string{"profile", "tls-min", "tls-max", "for"}

// with lays the flags over the file: what no flag states is the file's. It says
// where each setting comes from.
func (f *policyFile) with(p *policyFlags) (policyFlags, []policySetting, error) {
	out := *p
	ranged := slices.ContainsFunc(rangeKeys[:3], p.changed)
	var from []policySetting
	for _, k := range policyKeys {
		line := f.lines[k.name]
		s := policySetting{Setting: k.name, From: fromDefault}
		switch {
		case p.changed(k.name):
			s.From = fromFlag
		case line > 0 && !(ranged && slices.Contains(rangeKeys, k.name)):
			if k.name == "for" && p.changed("confirm-within") {
				return out, nil, usagef("--confirm-within and the setting for (%s:%d) contradict each other; state a range or --for too", f.name, line)
			}
			s.From, s.File, s.Line = fromFile, f.name, line
			if err := k.set(&out, k.get(&f.flags)); err != nil {
				return out, nil, err // it was checked before
			}
		}
		from = append(from, s)
	}
	out.shorten(from)
	for i, k := range policyKeys {
		from[i].Value = k.get(&out)
	}
	return out, from, nil
}

// shorten fits the lead times that nobody stated to a stated short lifetime: a
// certificate must not be due for renewal from its first day on.
func (p *policyFlags) shorten(from []policySetting) {
	origin := map[string]string{}
	for _, s := range from {
		origin[s.Setting] = s.From
	}
	if p.warnDays == 0 {
		p.warnDays = diagnose.DefaultWarnDays // as diagnose reads it
	}
	lead := max(1, p.request.days/3)
	if origin["days"] != fromDefault && origin["warn-days"] == fromDefault {
		p.warnDays = min(p.warnDays, lead)
	}
	if origin["renew-before"] == fromDefault {
		p.renewBefore = p.warnDays // as it always was
		if origin["days"] != fromDefault {
			p.renewBefore = max(1, min(p.renewBefore, lead))
		}
	}
}

// changed reports whether a flag was given. Those of tests that have no command
// line never are.
func (p *policyFlags) changed(name string) bool {
	return p.cmd != nil && p.cmd.Flags().Changed(name)
}

// statesSomething reports whether anything in force is not the default.
func statesSomething(from []policySetting) bool {
	return slices.ContainsFunc(from, func(s policySetting) bool { return s.From != fromDefault })
}

// origin is where a setting comes from, in a word.
func (s policySetting) origin() string {
	switch s.From {
	case fromFile:
		return fmt.Sprintf("%s:%d", s.File, s.Line)
	case fromFlag:
		return "--" + s.Setting
	}
	return fromDefault
}

// showPolicy lists what is in force where anything of it was stated, or where all
// is to be told.
func showPolicy(p *page, from []policySetting, verbose bool) {
	if !statesSomething(from) && !verbose {
		return
	}
	p.blank()
	p.linef("Policy")
	for _, s := range from {
		value := s.Value
		if value == "" {
			value = "not stated"
		}
		left := fmt.Sprintf("  %-15s %-26s ", s.Setting, clean(value))
		if len(value) > 26 {
			p.block(18, "  "+s.Setting, clean(value))
			left = ""
		}
		p.block(45, left, clean(s.origin()))
	}
}

// split parts the findings that the policy ignores from those that count.
func split(found []diagnose.Finding, ignore []string) (kept, ignored []diagnose.Finding) {
	for _, x := range found {
		if slices.Contains(ignore, string(x.Code)) {
			ignored = append(ignored, x)
		} else {
			kept = append(kept, x)
		}
	}
	return kept, ignored
}

// showIgnored names what was found and does not count.
func showIgnored(p *page, l *look) {
	if len(l.ignored) == 0 {
		return
	}
	where := ""
	for _, s := range l.from {
		if s.Setting == "ignore" {
			where = " (" + s.origin() + ")"
		}
	}
	p.blank()
	p.para("Ignored, as stated" + clean(where))
	for _, x := range l.ignored {
		p.block(9, fmt.Sprintf("  %-7s", x.Severity), string(x.Code))
		p.block(9, "", cleanLines(x.Detail))
	}
}
