package fleet

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
)

// Rules say what a list takes.
type Rules struct {
	// Port is that of a target without one.
	Port uint16
	// Ranges are allowed: see ErrRange.
	Ranges bool
}

// List is what is to be visited. The zero value takes targets with a port only.
type List struct {
	Rules Rules

	spans    []span
	single   map[Target]int // by key: the place in spans
	ranges   []int          // places in spans
	repeated int
}

// MaxList is how many lines and arguments a list takes.
const MaxList = 1 << 20

// Add adds a target or a range. What it names already is visited once, and
// counted. The errors are ErrTarget, ErrRange and ErrRangeSize.
func (l *List) Add(text string) error {
	s, err := parse(text, l.Rules.Port)
	switch {
	case err != nil:
		return err
	case len(l.spans)+l.repeated >= MaxList:
		return fmt.Errorf("%q is one too many: a list has at most %d", text, MaxList)
	case s.first.IsValid():
		if !l.Rules.Ranges {
			return fmt.Errorf("%q is %w", text, ErrRange)
		}
		l.ranges = append(l.ranges, len(l.spans))
		l.spans = append(l.spans, s)
		return nil
	}
	key := Target{Host: strings.ToLower(s.host), Port: s.port}
	if _, known := l.single[key]; known {
		l.repeated++
		return nil
	}
	if l.single == nil {
		l.single = map[Target]int{}
	}
	l.single[key] = len(l.spans)
	l.spans = append(l.spans, s)
	return nil
}

// maxLine is the longest line of a list, in bytes.
const maxLine = 4096

// Read adds what a file lists: a target a line, blank lines and comments from #
// on aside. Errors name the file and the line.
func (l *List) Read(r io.Reader, name string) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimPrefix(lines.Text(), "\ufeff") // as editors of another system begin a file
		text, _, _ = strings.Cut(text, "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		if err := l.Add(text); err != nil {
			return fmt.Errorf("%s:%d: %w", name, n, err)
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("%s: %w: a line is longer than %d bytes", name, ErrTarget, maxLine)
	} else if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// Repeated counts the targets that were named before, ranges aside.
func (l *List) Repeated() int { return l.repeated }

// Alone is the only target, where there is exactly one and no range.
func (l *List) Alone() (Target, bool) {
	if len(l.spans) != 1 || len(l.ranges) != 0 {
		return Target{}, false
	}
	return Target{Host: l.spans[0].host, Port: l.spans[0].port}, true
}

// Len counts what All gives.
func (l *List) Len() int {
	n := 0
	for range l.All() {
		n++
	}
	return n
}

// All gives each target once, in the order in which they were added. One that is
// named by itself too is not Ranged.
func (l *List) All() iter.Seq[Target] {
	return func(yield func(Target) bool) {
		for i, s := range l.spans {
			if !s.first.IsValid() {
				if !yield(Target{Host: s.host, Port: s.port}) {
					return
				}
				continue
			}
			for a := s.first; ; a = a.Next() {
				t := Target{Host: a.String(), Port: s.port, Ranged: true}
				if !l.named(t, i) && !yield(t) {
					return
				}
				if a == s.last {
					break
				}
			}
		}
	}
}

// named: a target of the range at that place is given elsewhere.
func (l *List) named(t Target, at int) bool {
	if _, alone := l.single[Target{Host: t.Host, Port: t.Port}]; alone {
		return true
	}
	for _, earlier := range l.ranges {
		if earlier >= at {
			break
		}
		if l.spans[earlier].has(t) {
			return true
		}
	}
	return false
}
