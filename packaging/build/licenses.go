package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// A module is one that is linked in, with the licence that its copies must carry.
type module struct {
	path, version string
	licenses      []license
	notice        string // what section 4(d) of the Apache licence asks to pass on
}

// A license is one text.
type license struct {
	id   string // SPDX
	text string
}

// expression is the licence of the whole module.
func (m module) expression() string {
	var list []string
	for _, l := range m.licenses {
		list = append(list, l.id)
	}
	slices.Sort(list)
	return strings.Join(slices.Compact(list), " AND ")
}

var (
	licenseFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying)([-.].*)?$`)
	noticeFile  = regexp.MustCompile(`(?i)^notice([-.].*)?$`)
)

// modules reads the licences of what is linked in, out of the module cache.
func modules(ctx context.Context, info *debug.BuildInfo) ([]module, error) {
	args := []string{"mod", "download", "-json"}
	for _, d := range info.Deps {
		args = append(args, d.Path+"@"+d.Version)
	}
	text, err := output(ctx, "go", args...)
	if err != nil {
		return nil, err
	}
	var out []module
	for list := json.NewDecoder(strings.NewReader(text)); list.More(); {
		var at struct{ Path, Version, Dir string }
		if err := list.Decode(&at); err != nil {
			return nil, fmt.Errorf("find the modules: %w", err)
		}
		m, err := readModule(at.Dir)
		if err != nil {
			return nil, fmt.Errorf("module %s: %w", at.Path, err)
		}
		m.path, m.version = at.Path, at.Version
		out = append(out, m)
	}
	std, err := standardLibrary(ctx, info.GoVersion, out)
	if err != nil {
		return nil, err
	}
	return append([]module{std}, out...), nil
}

// standardLibrary is under the licence of the Go distribution. A distribution
// that ships Go without the file still has the same text in golang.org/x/sys.
func standardLibrary(ctx context.Context, version string, others []module) (module, error) {
	root, err := output(ctx, "go", "env", "GOROOT")
	if err != nil {
		return module{}, err
	}
	m, err := readModule(root)
	if err != nil {
		i := slices.IndexFunc(others, func(m module) bool { return m.path == "golang.org/x/sys" })
		if i < 0 {
			return module{}, fmt.Errorf("licence of Go: %w", err)
		}
		m = others[i]
	}
	m.path, m.version = "the Go standard library", version
	return m, nil
}

// readModule reads the licences at the top of a module. One that cannot be told
// is an error: nobody has allowed to pass it on.
func readModule(dir string) (module, error) {
	var m module
	entries, err := os.ReadDir(dir)
	if err != nil {
		return m, err
	}
	for _, e := range entries {
		isLicense, isNotice := licenseFile.MatchString(e.Name()), noticeFile.MatchString(e.Name())
		if e.IsDir() || !isLicense && !isNotice {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return m, err
		}
		if isNotice {
			m.notice += strings.TrimSpace(string(text)) + "\n"
			continue
		}
		id := licenseID(string(text))
		if id == "" {
			return m, fmt.Errorf("%s is no licence that is known here", e.Name())
		}
		m.licenses = append(m.licenses, license{id, strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n")) + "\n"})
	}
	if len(m.licenses) == 0 {
		return m, fmt.Errorf("there is no licence in %s", dir)
	}
	return m, nil
}

// licenseID tells a licence by a sentence that only it has.
func licenseID(text string) string {
	words := strings.Join(strings.Fields(text), " ")
	has := func(s string) bool { return strings.Contains(words, s) }
	switch {
	case has("Apache License Version 2.0"):
		return "Apache-2.0"
	case has("Permission is hereby granted, free of charge") && has("shall be included in all copies"):
		return "MIT"
	case has("Redistribution and use in source and binary forms") && (has("Neither the name") || has("may not be used to endorse")):
		return "BSD-3-Clause"
	case has("Redistribution and use in source and binary forms"):
		return "BSD-2-Clause"
	}
	return ""
}

// wholeLicense is the expression for the program with everything in it.
func wholeLicense(own string, mods []module) string {
	list := []string{own}
	for _, m := range mods {
		for _, l := range m.licenses {
			list = append(list, l.id)
		}
	}
	slices.Sort(list)
	return strings.Join(slices.Compact(list), " AND ")
}

// thirdParty are all licences in full, each text once.
func thirdParty(mods []module) string {
	users := map[string][]string{}
	var order []string
	for _, m := range mods {
		for _, l := range m.licenses {
			if users[l.text] == nil {
				order = append(order, l.text)
			}
			users[l.text] = append(users[l.text], m.path+" "+m.version)
		}
	}
	var b strings.Builder
	b.WriteString("xrdpfix is linked statically. These are the licences of what is in it besides\nits own code, which is under the MIT licence.\n")
	for _, text := range order {
		b.WriteString("\n" + strings.Repeat("-", 78) + "\n" + strings.Join(users[text], "\n") + "\n\n" + text)
	}
	for _, m := range mods {
		if m.notice != "" {
			b.WriteString("\n" + strings.Repeat("-", 78) + "\nNotice of " + m.path + "\n\n" + m.notice)
		}
	}
	return b.String()
}

var copyrightLine = regexp.MustCompile(`(?mi)^\s*(?:copyright|©) .*\d{4}.*$`)

// debianCopyright is the copyright file in Debian's form (copyright-format 1.0).
// The paragraphs after the first name modules instead of files, because the
// source of the package has none of them.
func debianCopyright(own string, mods []module, date time.Time) string {
	var b strings.Builder
	b.WriteString("Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n" +
		"Upstream-Name: xrdpfix\n" +
		"Comment: The program is linked statically. The paragraphs behind the first are\n" +
		" about the Go modules in it, which the source names in go.mod.\n" +
		"\nFiles: *\nCopyright: " + holders(own, "the xrdpfix authors", date) + "\nLicense: Expat\n" +
		"\nLicense: Expat\n" + indented(licenseBody(own)))
	texts := map[string]string{licenseBody(own): "Expat"}
	for _, m := range mods {
		for _, l := range m.licenses {
			body := licenseBody(l.text)
			name, seen := texts[body]
			if l.id == "Apache-2.0" {
				name, seen = l.id, texts[l.id] != ""
				body = "On Debian systems the full text is in /usr/share/common-licenses/Apache-2.0.\n"
				texts[l.id] = l.id
			} else if !seen {
				name = debianName(l.id, len(texts))
				texts[body] = name
			}
			b.WriteString("\nFiles: " + strings.ReplaceAll(m.path, " ", "-") + "/*\nCopyright: " + holders(l.text+m.notice, "the authors of "+m.path, date) + "\nLicense: " + name + "\n")
			if m.notice != "" {
				b.WriteString("Comment: Its notice:\n" + indented(m.notice))
			}
			if !seen {
				b.WriteString("\nLicense: " + name + "\n" + indented(body))
			}
		}
	}
	return b.String()
}

// debianName is the short name of a licence. A text that differs in its words
// from another one of the same name gets a name of its own.
func debianName(id string, n int) string {
	if id == "MIT" {
		id = "Expat"
	}
	return fmt.Sprintf("%s-%d", id, n)
}

// holders are the copyright lines of a licence.
func holders(text, otherwise string, date time.Time) string {
	var list []string
	for _, line := range copyrightLine.FindAllString(text, -1) {
		line = strings.TrimSpace(line)
		line = strings.TrimSpace(line[len("copyright "):])
		line = strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(line, "(c)"), "(C)"))
		if !strings.Contains(line, "[") && !slices.Contains(list, line) { // the template in the Apache licence
			list = append(list, line)
		}
	}
	if len(list) == 0 {
		return fmt.Sprintf("%d %s", date.Year(), otherwise)
	}
	return strings.Join(list, "\n ")
}

// licenseBody is the text without its copyright lines.
func licenseBody(text string) string {
	return strings.TrimSpace(emptyLines.ReplaceAllString(copyrightLine.ReplaceAllString(text, ""), "\n\n")) + "\n"
}

var emptyLines = regexp.MustCompile(`\n\s*\n`)

// indented makes the lines of a text the continuation of a field.
func indented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimSpace(text) + "\n") {
		if line = strings.TrimRight(line, " \t\n"); line == "" {
			line = "."
		}
		b.WriteString(" " + line + "\n")
	}
	return b.String()
}
