package logwatch

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// Gap says what may be missing between a mark and now.
type Gap string

// The gaps.
const (
	// GapNone: every line is there.
	GapNone Gap = ""
	// GapTruncated: the log was copied and emptied (logrotate's copytruncate);
	// the copy was found, and what was written between copying and emptying
	// is lost to everybody.
	GapTruncated Gap = "truncated"
	// GapLost: the place of the mark was not found again; lines are missing.
	GapLost Gap = "lost"
)

// ErrTooMuch is met when more was written since a mark than the caller wants
// to read.
var ErrTooMuch = errors.New("too much was written")

// DefaultLimit is the limit of [Since] when the caller states none, in bytes.
const DefaultLimit = 64 << 20

// A place in a log counts as lost when it was not found this often again, this
// long apart.
const (
	maxDoubts = 3
	doubtFor  = 5 * time.Millisecond
)

// errMoved says that the log was rotated or emptied while it was read.
var errMoved = errors.New("the log was rotated at this moment")

// Since reads the lines written since a mark, at most limit bytes of them (0 is
// [DefaultLimit]), following rotation by renaming and by copying. Times without
// a zone are in loc. An unfinished last line is left out. Where more was written
// the lines read so far come with an error that wraps [ErrTooMuch].
func Since(m Mark, loc *time.Location, limit int64) ([]Entry, Gap, error) {
	if limit <= 0 {
		limit = DefaultLimit
	}
	doubts := 0
	for range 10 + maxDoubts {
		s := sinceReader{parser: Parser{Location: loc, Reference: time.Now()}, left: limit}
		gap, err := s.read(m)
		if errors.Is(err, errMoved) {
			continue
		}
		if gap == GapLost && err == nil && doubts < maxDoubts {
			doubts++ // a copy can be missed while it is renamed or compressed
			time.Sleep(doubtFor)
			continue
		}
		if err != nil {
			err = fmt.Errorf("read %s since the mark: %w", m.Path, err)
		}
		return s.entries, gap, err
	}
	return nil, GapLost, fmt.Errorf("read %s since the mark: %w", m.Path, errMoved)
}

// sinceReader is one attempt.
type sinceReader struct {
	parser  Parser
	left    int64
	entries []Entry
}

func (s *sinceReader) read(m Mark) (Gap, error) {
	gens, err := stablePredecessors(m.Path)
	if err != nil {
		return GapNone, err
	}
	current, info, err := openRegular(m.Path)
	if err != nil && !absent(err) {
		return GapNone, err
	}
	var id identity
	if current != nil {
		defer current.Close() //nolint:errcheck // only read
		id = identityOf(info)
	}
	marked := identity{m.Dev, m.Ino}
	if current != nil && id == marked && holds(current, m) {
		if m.Offset > 0 || !newer(gens, m.Prior) {
			return GapNone, s.tail(current, m)
		}
	}

	// The mark's file was rotated: its rest, then all younger ones, then the log.
	gap := GapNone
	i, err := findMark(gens, m)
	if err != nil {
		return gap, err
	}
	if i >= 0 && id == marked {
		gap = GapTruncated // same file, other content
	}
	from := m.Offset
	if i < 0 && m.Offset == 0 {
		// Nothing stood before the mark: what is younger than the rotated
		// files of then came after it.
		if i = slices.IndexFunc(gens, func(g generation) bool { return g.id.ino == m.Prior }) - 1; i == -2 {
			i = len(gens) - 1
			if m.Prior != 0 {
				i = -1
			}
		}
	}
	if i < 0 && (m.Offset > 0 || m.Prior != 0 && len(gens) > 0 && gens[0].id.ino != m.Prior) {
		gap = GapLost
	}
	for ; i >= 0; i-- {
		if err := s.generation(gens[i], from); err != nil {
			return gap, err
		}
		from = 0
	}
	if current == nil {
		return gap, nil
	}
	return gap, s.tail(current, Mark{Path: m.Path, Dev: id.dev, Ino: id.ino})
}

// newer reports whether the newest rotated file came after the mark.
func newer(gens []generation, prior uint64) bool {
	return len(gens) > 0 && gens[0].id.ino != prior
}

// holds reports whether a file still has the content before a mark.
func holds(f *os.File, m Mark) bool {
	got, err := printOf(f, m.Offset)
	return err == nil && got == m.Print
}

// findMark returns the index of the rotated file that has the place of a mark,
// -1 for none.
func findMark(gens []generation, m Mark) (int, error) {
	if m.Offset > 0 {
		return findCopy(gens, m.Print, m.Offset)
	}
	return slices.IndexFunc(gens, func(g generation) bool {
		return m.Ino != 0 && g.id == identity{m.Dev, m.Ino}
	}), nil
}

// generation reads a rotated file, its unfinished last line included.
func (s *sinceReader) generation(g generation, from int64) error {
	r, err := g.open()
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // only read
	if f, ok := r.(*os.File); ok {
		if _, err := f.Seek(from, io.SeekStart); err != nil {
			return err
		}
	} else if _, err := io.CopyN(io.Discard, r, from); err != nil {
		return err
	}
	scan := newScanner(r, from)
	if err := s.lines(scan); err != nil {
		return err
	}
	if line, at := scan.rest(); line != "" {
		s.add(scan, line, at)
	}
	return nil
}

// tail reads the log itself from a mark that it holds.
func (s *sinceReader) tail(f *os.File, m Mark) error {
	before := len(s.entries)
	if _, err := f.Seek(m.Offset, io.SeekStart); err != nil {
		return err
	}
	if err := s.lines(newScanner(f, m.Offset)); err != nil {
		return err
	}
	// What was read counts only if the file was not emptied meanwhile.
	info, err := os.Stat(m.Path)
	if err != nil && !absent(err) {
		return err
	}
	if err != nil || identityOf(info) != (identity{m.Dev, m.Ino}) || !holds(f, m) {
		s.entries = s.entries[:before]
		return errMoved
	}
	return nil
}

// lines reads whole lines up to the end or the limit.
func (s *sinceReader) lines(scan *scanner) error {
	start := scan.end()
	for {
		line, at, err := scan.next()
		if errors.Is(err, io.EOF) {
			s.left -= scan.end() - start
			return nil
		}
		if err != nil {
			return err
		}
		if at+int64(len(line))-start > s.left {
			return ErrTooMuch
		}
		s.add(scan, line, at)
	}
}

func (s *sinceReader) add(scan *scanner, line string, at int64) {
	if e, ok := scan.entry(&s.parser, line, at); ok {
		s.entries = append(s.entries, e)
	}
}
