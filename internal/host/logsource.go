package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"xrdpfix/logwatch"
)

// Log is where xrdp writes what happens to connections: its file with the rotated
// ones, or the journal.
type Log struct {
	m    *Machine
	path string // the file; "" is the journal
	last int    // so many entries of the journal, the last ones; 0 is all
	tail int64  // so many bytes of the file, from its end; 0 is all
}

// ErrNoLog is met where no log can be read here; with fs.ErrNotExist it is for
// want of an xrdp.ini.
var ErrNoLog = errors.New("no log can be read here")

// Log finds the log: the file that xrdp.ini names, or the journal where it names
// none and what xrdp writes gets there. With journal it is the journal anyhow.
func (m *Machine) Log(journal bool) (Log, error) {
	s, err := m.server()
	switch {
	case err != nil:
		return Log{}, err
	case m.configured() != nil:
		return Log{}, fmt.Errorf("%w: %w", ErrNoLog, m.configured())
	case m.keepsFile(s.Logging.File) && !journal:
		return Log{m: m, path: s.Logging.File}, nil
	case s.Logging.EnableSyslog, s.Logging.File == "<stdout>":
		return Log{m: m}, nil
	case journal:
		return Log{}, fmt.Errorf("%w: EnableSyslog is not set, so that nothing gets into the journal", ErrNoLog)
	}
	return Log{}, fmt.Errorf("%w: xrdp.ini names no log file (LogFile=%s), and EnableSyslog is not set", ErrNoLog, s.Logging.File)
}

// keepsFile reports whether a log file can be read again: not /dev/null, and no
// directory, which is what LogFile= comes to.
func (m *Machine) keepsFile(path string) bool {
	if !filepath.IsAbs(path) {
		return false
	}
	info, err := os.Stat(m.inRoot(path))
	return err != nil || info.Mode().IsRegular()
}

// Journal reports whether the log is the journal.
func (l Log) Journal() bool { return l.path == "" }

// Name is the log for people.
func (l Log) Name() string {
	if l.Journal() {
		return "the journal"
	}
	return l.path
}

// Place is a place in a log.
type Place struct {
	mark logwatch.Mark
	time time.Time // of the journal
}

// End is the place where the log ends now.
func (l Log) End() (Place, error) {
	if l.Journal() {
		return Place{time: time.Now()}, nil
	}
	mark, err := l.m.LogEnd(l.path)
	return Place{mark: mark}, err
}

// History delivers the lines that say something of the given time, oldest first; the
// zero time is no bound. Matches share memory with what they were read from.
func (l Log) History(ctx context.Context, since, until time.Time, fn func(logwatch.Match) error) ([]logwatch.HistoryFile, error) {
	if !l.Journal() {
		return logwatch.HistoryMatches(ctx, l.m.inRoot(l.path), logwatch.HistoryOptions{Location: time.Local, Since: since, Until: until, Tail: l.tail}, fn)
	}
	file := logwatch.HistoryFile{Path: l.Name()}
	err := l.m.journal(ctx, l.m.journalArgs(since, until, false, l.last), func(e logwatch.Entry) error {
		file.Lines++
		if line, ok := logwatch.Classify(e); ok {
			return fn(line)
		}
		return nil
	}, nil)
	if err != nil {
		return nil, err
	}
	return []logwatch.HistoryFile{file}, nil
}

// Follow delivers what is written to the log from a place on, until ctx is done or fn
// fails. It calls tick, which may be nil, several times a second, also while nothing
// is written.
func (l Log) Follow(ctx context.Context, from Place, fn func(logwatch.Event) error, tick func()) error {
	if l.Journal() {
		return l.m.journal(ctx, l.m.journalArgs(from.time, time.Time{}, true, 0), func(e logwatch.Entry) error {
			return fn(logwatch.Event{Entry: e, Parsed: true})
		}, tick)
	}
	return logwatch.Follow(ctx, from.mark, logwatch.FollowOptions{Location: time.Local, Tick: tick}, fn)
}
