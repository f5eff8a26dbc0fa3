package logwatch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Notice says that something happened to a followed log beside its growing.
type Notice string

// The notices.
const (
	// NoticeRotated: the log was renamed or removed, and a new one begun. No
	// line is missing.
	NoticeRotated Notice = "rotated"
	// NoticeTruncated: the log was copied and emptied. Everything that
	// reached the file or its copy was delivered; what was written between
	// copying and emptying is lost.
	NoticeTruncated Notice = "truncated"
	// NoticeLost: lines may be missing, because a file was emptied or removed
	// before it could be read.
	NoticeLost Notice = "lost"
)

// Event is a line of a followed log, or a notice.
type Event struct {
	// Line is the whole line without its line feed.
	Line string
	// Entry is what it says; it is valid if Parsed.
	Entry  Entry
	Parsed bool
	// Notice is set, and nothing else, where the event is no line.
	Notice Notice
}

// FollowOptions are the details of [Follow]. The zero value is good.
type FollowOptions struct {
	// Location is the time zone of the host; nil is UTC.
	Location *time.Location
	// Interval is the time between two looks at the log, which find what the
	// kernel does not announce; 0 is 250 ms, or 25 ms without inotify.
	Interval time.Duration
	// Tick is called after each look, also when nothing was written; nil is nobody.
	Tick func()
	// Poll forgoes inotify, as on file systems that do not support it.
	Poll bool
}

// Follow delivers each line that is written to a log from a mark on, exactly
// once and in order, until ctx is done, whose cause it returns, or fn fails. A
// mark that is all zero but for the path stands at the beginning of the log. The
// log may be renamed, removed and made anew, or copied and emptied, any number
// of times; the writer may go on with the old file. A log that does not exist is
// waited for.
func Follow(ctx context.Context, from Mark, o FollowOptions, fn func(Event) error) error {
	w := newWatcher(from.Path, o.Poll)
	defer w.close()
	interval := o.Interval
	if interval <= 0 {
		interval = 250 * time.Millisecond
		if !w.works() {
			interval /= 10
		}
	}
	f := &follower{path: from.Path, fn: fn, watcher: w,
		parser: Parser{Location: o.Location, Reference: time.Now()}}
	defer f.close()
	if err := f.find(ctx, from); err != nil {
		return fmt.Errorf("follow %s: %w", from.Path, err)
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		if err := f.look(ctx); err != nil {
			return err
		}
		if o.Tick != nil {
			o.Tick()
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-w.wake:
		case <-tick.C:
		}
	}
}

// maxOld bounds the files that are kept open after their rotation, since a
// writer may go on with them.
const maxOld = 4

// follower is the state of Follow.
type follower struct {
	path    string
	fn      func(Event) error
	parser  Parser
	watcher *watcher

	current *source   // the youngest file known
	old     []*source // those before it, oldest first
	heads   [][]byte  // beginnings of what was delivered or is not wanted
	began   int       // files that the watcher had counted at the start
	opened  int       // files met as the log; fewer than the watcher counts where one was missed
	ready   bool      // the files that were there at the start were found
	doubts  int       // how often a copy was not found
}

// find begins at a mark. Where the log was rotated since, the file that it was
// then becomes the current one, and the rest is found as after any rotation.
func (f *follower) find(ctx context.Context, m Mark) error {
	for tries := 0; ctx.Err() == nil; tries++ {
		f.began = f.watcher.made()
		packed, lost, err := f.start(m)
		if err == nil && tries < maxTries && f.watcher.made() != f.began {
			err = errMoved // which of the files was opened is not known
		}
		switch {
		case err == nil && packed != nil:
			err = f.copied(ctx, *packed, newScanner(nil, m.Offset))
			if !errors.Is(err, errMoved) {
				return err
			}
		case err == nil && lost:
			if err = f.doubt(ctx); err == nil {
				return f.fn(Event{Notice: NoticeLost})
			}
		}
		if !errors.Is(err, errMoved) {
			return err
		}
		f.close()
		f.current, f.heads = nil, nil
	}
	return context.Cause(ctx)
}

// doubt is asked before lines are given up, because a copy can be missed while it
// is renamed or compressed and another takes over its inode. It answers errMoved,
// look again, until the copy was missing for several looks that lie apart.
func (f *follower) doubt(ctx context.Context) error {
	if f.doubts == maxDoubts {
		f.doubts = 0
		return nil
	}
	f.doubts++
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(doubtFor):
		return errMoved
	}
}

// maxTries bounds how often the start waits for a moment in which no file is made.
const maxTries = 20

// start opens the file that a mark is in; one that is packed it returns. It
// delivers nothing.
func (f *follower) start(m Mark) (packed *rotated, lost bool, err error) {
	before, err := stablePredecessors(f.path)
	if err != nil {
		return nil, false, err
	}
	s, err := openSource(f.path)
	if err == nil {
		f.current = s
	} else if !absent(err) {
		return nil, false, err
	}
	i := 0
	f.opened = f.began
	inLog := m == Mark{Path: m.Path} || s != nil && s.id == (identity{m.Dev, m.Ino}) && s.seek(m)
	gens, err := stablePredecessors(f.path)
	if err != nil {
		return nil, false, err
	}
	if !slices.EqualFunc(before, gens, func(a, b generation) bool { return a.path == b.path && a.id == b.id }) {
		return nil, false, errMoved
	}
	if !inLog {
		if i, err = findMark(gens, m); err != nil {
			return nil, false, err
		}
		if i >= 0 {
			f.opened -= i // they are met from now on, like the log itself
			if s != nil {
				f.opened--
			}
			f.close()
			f.current = nil
			if gens[i].pack != "" {
				packed = &rotated{generation: gens[i]}
			} else if f.current, err = openSource(gens[i].path); absent(err) {
				return nil, false, errMoved
			} else if err != nil {
				return nil, false, err
			} else if f.current.id != gens[i].id || !f.current.seek(m) {
				return nil, false, errMoved
			}
		}
		lost = i < 0 && m.Ino != 0
	}
	for k, g := range slices.Backward(gens) {
		if k < i {
			break
		}
		head, err := g.head()
		if err != nil {
			return nil, false, err
		}
		if packed != nil && k == i {
			packed.begins = head
		}
		f.delivered(head)
	}
	return packed, lost, nil
}

// look delivers what is new in all files and finds new files.
func (f *follower) look(ctx context.Context) error {
	for ctx.Err() == nil {
		made := f.watcher.made() // before the files are looked at
		for _, s := range f.old {
			if err := f.drain(ctx, s); err != nil && !errors.Is(err, errMoved) {
				return err
			}
		}
		moved, err := f.drainCurrent(ctx)
		if err == nil && !moved {
			moved, err = f.advance(ctx, made)
		}
		if err != nil && !errors.Is(err, errMoved) {
			return err
		}
		if moved || err != nil {
			continue
		}
		if !f.ready {
			if f.ready = true; made == f.began {
				f.opened = made // of those that were there some may be empty, or copies
			}
		}
		return f.missed(made)
	}
	return context.Cause(ctx)
}

// missed says that lines may be lost where more files were made than met.
func (f *follower) missed(made int) error {
	if f.opened >= made {
		return nil
	}
	f.opened = made
	return f.fn(Event{Notice: NoticeLost})
}

// drain delivers the whole lines that a file has.
func (f *follower) drain(ctx context.Context, s *source) error {
	for {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		err := s.read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := f.deliver(s); err != nil {
			return err
		}
	}
}

// deliver hands over the lines of the last piece read.
func (f *follower) deliver(s *source) error {
	for s.scan.chunk != "" {
		line, at, err := s.scan.next()
		if err != nil {
			return err
		}
		if err := f.line(s.scan, line, at); err != nil {
			return err
		}
	}
	return nil
}

func (f *follower) line(scan *scanner, line string, at int64) error {
	e := Event{Line: line}
	e.Entry, e.Parsed = scan.entry(&f.parser, line, at)
	return f.fn(e)
}

// retire gives up an old file.
func (f *follower) retire(ctx context.Context, s *source) error {
	defer s.close()
	if err := f.drain(ctx, s); err != nil && !errors.Is(err, errMoved) {
		return err
	}
	f.delivered(s.head)
	if line, at := s.scan.rest(); line != "" {
		return f.line(s.scan, line, at)
	}
	return nil
}

func (f *follower) close() {
	for _, s := range f.old {
		s.close()
	}
	if f.current != nil {
		f.current.close()
	}
}
