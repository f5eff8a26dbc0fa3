package logwatch

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// drainCurrent delivers what the youngest file has. It reports whether the file
// was found emptied, so that there is more to do.
func (f *follower) drainCurrent(ctx context.Context) (moved bool, err error) {
	if f.current == nil {
		return false, nil
	}
	if f.current.end() == 0 {
		if err := f.begin(ctx); err != nil || f.current.end() == 0 {
			return false, err // what comes now must not be read without looking for copies
		}
	}
	err = f.drain(ctx, f.current)
	if !errors.Is(err, errMoved) {
		return false, err
	}
	return true, f.emptied(ctx)
}

// begin reads the first piece of a file. Before it, files may have been copied
// and emptied under its name of which nothing was read: they are among the
// rotated ones. Since the piece is read before those are listed, a copy that
// begins like the piece was made after the reading, and any other before.
func (f *follower) begin(ctx context.Context) error {
	s := f.current
	n, err := s.peek()
	if err != nil {
		return err
	}
	gens, err := f.list()
	if err != nil {
		return err
	}
	var missed []rotated
	for _, g := range gens {
		head, err := g.head()
		if err != nil {
			return err
		}
		if f.knows(g, head) {
			break
		}
		switch {
		case alike(head, s.scan.buf[:n]):
			missed = nil // made after the reading, like all younger ones
		case len(head) > 0:
			missed = append(missed, rotated{g, head})
		}
	}
	if info, err := os.Stat(f.path); len(missed) == 0 || err != nil || identityOf(info) != s.id {
		return f.first(s, n)
	}
	if n == 0 {
		if n, err = s.peek(); err != nil || n > 0 {
			return errors.Join(err, errMoved) // it has grown meanwhile: look again
		}
	}
	for _, g := range slices.Backward(missed) {
		if err := f.copied(ctx, g, newScanner(nil, 0)); err != nil {
			return err
		}
		if err := f.fn(Event{Notice: NoticeTruncated}); err != nil {
			return err
		}
	}
	return f.first(s, n)
}

// first delivers a piece that was read by peek.
func (f *follower) first(s *source, n int) error {
	if n > 0 {
		s.accept(n)
	}
	return f.deliver(s)
}

// emptied handles copytruncate: what the copy has beyond the place reached is
// delivered. Copies made after it are found when the file is read again.
func (f *follower) emptied(ctx context.Context) error {
	gens, err := f.list()
	if err != nil {
		return err
	}
	s := f.current
	at, print := s.end(), s.print()
	notice := NoticeLost
	i, err := findCopy(gens, print, at)
	if err != nil {
		return err
	}
	if i < 0 {
		if err := f.doubt(ctx); err != nil {
			return err
		}
	} else {
		f.doubts = 0
		notice = NoticeTruncated
		if err := f.copied(ctx, rotated{gens[i], s.head}, s.scan); err != nil {
			return err
		}
	}
	f.delivered(s.head)
	s.rewind()
	return f.fn(Event{Notice: notice})
}

// copied delivers a rotated file from the place on that a scanner has reached.
// What the scanner has of an unfinished line is continued there.
func (f *follower) copied(ctx context.Context, g rotated, scan *scanner) error {
	r, err := g.openAs(g.begins)
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // only read
	if _, err := io.CopyN(io.Discard, r, scan.end()); err != nil {
		return fmt.Errorf("read %s: %w", g.path, err)
	}
	f.delivered(g.begins)
	scan.r = r
	for {
		line, at, err := scan.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", g.path, err)
		}
		if err := f.line(scan, line, at); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	if line, at := scan.rest(); line != "" {
		return f.line(scan, line, at)
	}
	return nil
}

// rotated is a rotated file and how it begins, which tells more surely than its
// name or its inode that it is still the same.
type rotated struct {
	generation
	begins []byte
}

// link is one file of the chain from the current one to the log.
type link struct {
	*source
	packed rotated // where there is no source
}

// advance finds the files that came after the current one. The log is opened
// before the rotated files are listed, and everything that is listed as younger
// is opened before any of it is delivered: whatever is renamed meanwhile, the
// chain is whole or is looked at again. made is how many files there were at
// least before.
func (f *follower) advance(ctx context.Context, made int) (moved bool, err error) {
	if info, err := os.Stat(f.path); err == nil && f.current != nil && identityOf(info) == f.current.id {
		return false, nil
	}
	var chain []link // youngest first
	defer func() {
		for _, l := range chain {
			if l.source != nil {
				l.close()
			}
		}
	}()
	log, err := openSource(f.path)
	var begins []byte // of the log, before the rotated files are listed
	switch {
	case err == nil:
		chain = append(chain, link{source: log})
		if begins, err = log.beginning(); err != nil {
			return false, fmt.Errorf("follow %s: %w", f.path, err)
		}
	case !absent(err):
		return false, fmt.Errorf("follow: %w", err)
	}
	gens, err := f.list()
	if err != nil {
		return false, fmt.Errorf("follow %s: %w", f.path, err)
	}
	if f.current != nil && f.current.end() == 0 {
		// Filled, rotated and compressed since it was looked at: without its
		// content it would not be known again.
		if moved, err := f.drainCurrent(ctx); moved || err != nil {
			return moved, err
		}
	}
	younger, sure, err := f.younger(gens)
	if err != nil {
		return false, err
	}
	for i, g := range gens[:younger] {
		head, err := g.head()
		switch {
		case err != nil:
			return false, err
		case log != nil && g.id == log.id, alike(head, begins) && (i > 0 || g.pack != ""):
			return false, errMoved // rotated meanwhile, and perhaps compressed
		case i == 0 && len(begins) > 0 && (len(head) == 0 || alike(head, begins)):
			// A copy in the making: its lines are still in the log.
		case f.knows(g, head) || g.pack != "" && len(head) == 0:
		case g.pack != "":
			chain = append(chain, link{packed: rotated{g, head}})
		default:
			s, err := openSource(g.path)
			if err != nil && !absent(err) {
				return false, fmt.Errorf("follow: %w", err)
			}
			if err != nil {
				return false, errMoved
			}
			chain = append(chain, link{source: s})
			if now, err := s.beginning(); err != nil || s.id != g.id || !bytes.HasPrefix(now, head) {
				return false, errors.Join(err, errMoved)
			}
		}
	}
	if log != nil && len(begins) == 0 {
		// It may have grown and be in the making of a copy since.
		if begins, err = log.beginning(); err != nil || len(begins) > 0 {
			return false, errors.Join(err, errMoved)
		}
	}
	if log != nil && f.has(log.id) { // renamed back
		log.close()
		chain = chain[1:]
	}
	if !sure {
		// The files between the two are missing here, before what comes now.
		switch {
		case f.watcher.works():
			err = f.missed(made - len(chain))
		default:
			err = f.fn(Event{Notice: NoticeLost})
		}
		if err != nil {
			return false, err
		}
	}
	for len(chain) > 0 {
		next := chain[len(chain)-1]
		chain = chain[:len(chain)-1]
		if err := f.succeed(ctx, next); err != nil {
			return false, err
		}
		moved = true
	}
	return moved, nil
}

// succeed makes a file the current one, after all that its predecessor has.
func (f *follower) succeed(ctx context.Context, next link) error {
	f.opened++
	if f.current != nil {
		for again := true; again; {
			moved, err := f.drainCurrent(ctx)
			again = moved || errors.Is(err, errMoved)
			if err != nil && !again || ctx.Err() != nil {
				if next.source != nil {
					next.close()
				}
				return cmp.Or(err, context.Cause(ctx))
			}
		}
		if next.source == nil && f.knows(next.packed.generation, next.packed.begins) {
			return nil // it was the current one, empty when it was opened
		}
		if err := f.fn(Event{Notice: NoticeRotated}); err != nil {
			return err
		}
	}
	if next.source == nil {
		return f.copied(ctx, next.packed, newScanner(nil, 0))
	}
	if f.current != nil {
		f.old = append(f.old, f.current)
	}
	f.current = next.source
	if len(f.old) > maxOld {
		oldest := f.old[0]
		f.old = slices.Delete(f.old, 0, 1)
		return f.retire(ctx, oldest)
	}
	return nil
}

// list lists the rotated files. A current file that still has a name is among
// them, unless it is the log or was moved to another directory; a listing
// without it was overtaken by renames and is made again.
func (f *follower) list() (gens []generation, err error) {
	for range 50 {
		gens, err = stablePredecessors(f.path)
		if err != nil || f.current == nil || f.current.removed() ||
			slices.ContainsFunc(gens, func(g generation) bool { return g.id == f.current.id }) {
			break
		}
		if info, err := os.Stat(f.path); err == nil && identityOf(info) == f.current.id {
			break
		}
	}
	return gens, err
}

// younger says how many of the rotated files are younger than the current one.
// It is not sure where the current one was removed: others may have come and
// gone since, which only the kernel's events tell.
func (f *follower) younger(gens []generation) (n int, sure bool, err error) {
	if f.current != nil {
		n = slices.IndexFunc(gens, func(g generation) bool { return g.id == f.current.id })
		if n < 0 {
			n, err = findCopy(gens, f.current.print(), f.current.end())
		}
		if n >= 0 || err != nil {
			return n, true, err
		}
	}
	for i, g := range gens {
		head, err := g.head()
		if err != nil {
			return 0, false, err
		}
		if f.knows(g, head) {
			return i, f.current == nil, nil
		}
	}
	return len(gens), f.current == nil, nil
}

// has reports whether a file is being followed.
func (f *follower) has(id identity) bool {
	return f.current != nil && f.current.id == id ||
		slices.ContainsFunc(f.old, func(s *source) bool { return s.id == id })
}

// knows reports whether the lines of a rotated file are not wanted: it is being
// followed, or is a compressed form of one that is, or is done with.
func (f *follower) knows(g generation, head []byte) bool {
	return f.has(g.id) || f.isDelivered(head) ||
		f.current != nil && alike(f.current.head, head) ||
		slices.ContainsFunc(f.old, func(s *source) bool { return alike(s.head, head) })
}

// maxHeads bounds what is remembered of files that are done with. Rotated files
// are looked at from the youngest on, so the latest suffice.
const maxHeads = 64

// delivered remembers the beginning of a file whose lines are not wanted again.
// Neither name nor inode would do: a copy and a compressed file have others.
func (f *follower) delivered(head []byte) {
	if len(head) == 0 || f.isDelivered(head) {
		return
	}
	if len(f.heads) == maxHeads {
		f.heads = slices.Delete(f.heads, 0, 1)
	}
	f.heads = append(f.heads, slices.Clone(head))
}

func (f *follower) isDelivered(head []byte) bool {
	return slices.ContainsFunc(f.heads, func(h []byte) bool { return alike(h, head) })
}

// alike reports whether one of two beginnings is the beginning of the other.
func alike(a, b []byte) bool {
	n := min(len(a), len(b))
	return n > 0 && bytes.Equal(a[:n], b[:n])
}
