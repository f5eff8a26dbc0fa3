package opensslconf

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// ErrSyntax is wrapped by the errors for text on which OpenSSL gives up. It then
// applies nothing of the whole configuration.
var ErrSyntax = errors.New("OpenSSL rejects this configuration")

// ErrTooBig is wrapped where files include each other without end or hold more
// than any configuration does. OpenSSL has no such bound.
var ErrTooBig = errors.New("configuration is too big")

const (
	maxDepth = 16
	maxFiles = 256
	maxBytes = 8 << 20
	// maxValue is MAX_CONF_VALUE_LENGTH of crypto/conf/conf_def.c.
	maxValue = 65536
)

// Value is a setting with its place.
type Value struct {
	Name string
	Text string
	File string
	Line int // of the last physical line that belongs to it
}

// sections keeps the values of each section in order. A later value of a name
// takes the place of an earlier one but stands at the end.
type sections map[string][]Value

func (s sections) set(section string, v Value) {
	s[section] = append(slices.DeleteFunc(s[section], func(o Value) bool { return o.Name == v.Name }), v)
}

// get looks a name up in one section only.
func (s sections) get(section, name string) (Value, bool) {
	for _, v := range s[section] {
		if v.Name == name {
			return v, true
		}
	}
	return Value{}, false
}

// parser is one run over a file and what it includes. The section goes on
// through an include, in both directions.
type parser struct {
	src        Source
	all        sections
	section    string
	files      []string
	bytes      int
	dollarID   bool   // .pragma dollarid: "$" belongs to names
	includeDir string // .pragma includedir
}

func (p *parser) file(name string, depth int) error {
	if depth > maxDepth || len(p.files) >= maxFiles {
		return fmt.Errorf("%s: %w", name, ErrTooBig)
	}
	data, err := p.src.ReadFile(name)
	if err != nil {
		return err
	}
	if p.bytes += len(data); p.bytes > maxBytes {
		return fmt.Errorf("%s: %w", name, ErrTooBig)
	}
	p.files = append(p.files, name)
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	number, joined := 0, ""
	for raw := range bytes.Lines(data) {
		number++
		line, _, _ := strings.Cut(strings.TrimRight(string(raw), "\r\n"), "\x00")
		joined += line
		if n := len(joined); n > 0 && joined[n-1] == '\\' && (n == 1 || joined[n-2] != '\\') {
			joined = joined[:n-1]
			continue
		}
		if err := p.line(joined, place{name, number}, depth); err != nil {
			return err
		}
		joined = ""
	}
	return p.line(joined, place{name, number}, depth)
}

type place struct {
	file string
	line int
}

func (w place) errorf(format string, args ...any) error {
	return fmt.Errorf("%s:%d: %w: %s", w.file, w.line, ErrSyntax, fmt.Sprintf(format, args...))
}

// line reads one logical line.
func (p *parser) line(s string, at place, depth int) error {
	s = strings.TrimLeft(stripComment(s), blanks)
	if s == "" {
		return nil
	}
	if s[0] == '[' {
		return p.header(s[1:], at)
	}
	section, name := p.section, ""
	end := p.nameEnd(s)
	name, rest := s[:end], s[end:]
	if strings.HasPrefix(rest, "::") {
		section, rest = name, rest[2:]
		end = p.nameEnd(rest)
		name, rest = rest[:end], rest[end:]
	}
	after := strings.TrimLeft(rest, blanks)
	hasEqual := strings.HasPrefix(after, "=")
	text := strings.TrimLeft(strings.TrimPrefix(after, "="), blanks)
	// Without "=" a blank must part the directive from its argument.
	directive := hasEqual || len(after) < len(rest)
	switch {
	case name == ".pragma" && directive:
		return p.pragma(text, at)
	case name == ".include" && directive:
		target, err := p.expand(section, strings.TrimRight(text, blanks), at)
		if err != nil {
			return err
		}
		return p.include(target, at, depth)
	case !hasEqual:
		return at.errorf("missing equal sign")
	}
	value, err := p.expand(section, strings.TrimRight(text, blanks), at)
	if err != nil {
		return err
	}
	p.all.set(section, Value{Name: name, Text: value, File: at.file, Line: at.line})
	return nil
}

// header reads what follows "[": the name may hold blanks between its words.
func (p *parser) header(s string, at place) error {
	s = strings.TrimLeft(s, blanks)
	for i := 0; ; {
		i += p.nameEnd(s[i:])
		rest := strings.TrimLeft(s[i:], blanks)
		if strings.HasPrefix(rest, "]") {
			name, err := p.expand("", s[:i], at)
			p.section = name
			if p.all[name] == nil {
				p.all[name] = []Value{}
			}
			return err
		}
		next := len(s) - len(rest)
		if rest == "" || next == i {
			return at.errorf("missing close square bracket")
		}
		i = next
	}
}

// pragma honours what changes how the rest is read; OpenSSL ignores unknown ones.
func (p *parser) pragma(s string, at place) error {
	name, value, ok := strings.Cut(s, ":")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if !ok || name == "" || value == "" {
		return at.errorf("invalid pragma")
	}
	switch name {
	case "dollarid":
		p.dollarID = value == "on" || value == "true"
	case "includedir":
		p.includeDir = value
	}
	return nil
}

// include reads a file, or the *.cnf and *.conf of a directory. OpenSSL takes
// these in the order of the directory, which nobody controls; here it is that
// of the names. What is missing is no error.
func (p *parser) include(target string, at place, depth int) error {
	if dir, ok := p.src.getenv("OPENSSL_CONF_INCLUDE"); ok && dir != "" && !path.IsAbs(target) {
		target = path.Join(dir, target)
	} else if p.includeDir != "" && !path.IsAbs(target) {
		target = path.Join(p.includeDir, target)
	}
	names := []string{target}
	if list, err := p.src.readDir(target); err == nil {
		names = names[:0]
		slices.Sort(list)
		for _, n := range list {
			if ext := strings.ToLower(path.Ext(n)); len(n) > len(ext) && (ext == ".cnf" || ext == ".conf") {
				names = append(names, path.Join(target, n))
			}
		}
	}
	for _, n := range names {
		if err := p.file(n, depth+1); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("included by %s:%d: %w", at.file, at.line, err)
		}
	}
	return nil
}
