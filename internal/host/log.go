package host

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"xrdpfix/diagnose"
	"xrdpfix/logwatch"
	"xrdpfix/xrdpconf"
)

// LogEnd marks the end of the log.
func (m *Machine) LogEnd(path string) (logwatch.Mark, error) { return logwatch.End(m.inRoot(path)) }

func (m *Machine) logSince(mark logwatch.Mark) ([]logwatch.Entry, error) {
	entries, gap, err := logwatch.Since(mark, time.Local, logwatch.DefaultLimit)
	if err == nil && gap == logwatch.GapLost {
		err = errors.New("lines of xrdp.log are missing since our connection: the log was removed meanwhile")
	}
	return entries, err
}

// logFact looks at the log file as the daemon's witness.
func (m *Machine) logFact(path string, serving diagnose.Identity) diagnose.LogFact {
	l := diagnose.LogFact{Path: path}
	s, err := m.server()
	if err != nil {
		return l
	}
	switch {
	case !filepath.IsAbs(path):
		l.HidesProof = "LogFile=" + path + " is no file that can be read here"
	case s.Logging.Level < xrdpconf.LogInfo && s.Logging.LevelSet:
		l.HidesProof = "LogLevel=" + s.Logging.LevelText + " keeps the lines about successful connections out of xrdp.log"
	}
	l.Exists, l.Size = m.size(path)
	walk := Walk(m.cfg.Root, path, m.names, serving, serving)
	l.DaemonCanWrite = walk.Exists && walk.Writable
	l.StartCanWrite = l.DaemonCanWrite || m.opensAsRoot()
	if path == "<stdout>" { // not understood before 0.10, and then no such path
		l.StartCanWrite = true
	}
	if walk.Exists && walk.Steps[len(walk.Steps)-1].Kind == "dir" {
		l.StartCanWrite = false // nobody writes a directory
	}
	// Held open since before privileges were dropped.
	l.DaemonCanWrite = l.StartCanWrite
	return l
}

// opensAsRoot: with runtime_user xrdp opens its log before it drops privileges
// (0.10.2 and later); the unit's User= leaves it no such moment.
func (m *Machine) opensAsRoot() bool {
	bus, err := m.systemd(m.ctx)
	if err == nil {
		if u, err := bus.Unit(m.ctx, diagnose.UnitXrdp); err == nil && u.User != "" && u.User != "root" {
			return false
		}
	} else if user, _ := m.offlineUnit(); user != "" && user != "root" {
		return false
	}
	return true
}

// ownEntries reads the log from a mark until our full connection is told whole,
// or patience ends: xrdp writes the last lines after we hung up.
func (m *Machine) ownEntries(ctx context.Context, mark logwatch.Mark, told func([]logwatch.Entry) bool) ([]logwatch.Entry, error) {
	const patience, pause = 2 * time.Second, 20 * time.Millisecond
	deadline := time.Now().Add(patience)
	for {
		entries, err := m.logSince(mark)
		if err != nil || told(entries) || time.Now().After(deadline) || ctx.Err() != nil {
			return slices.Clip(entries), err
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// size tells whether a file is there and how long it is, without reading it: a
// log may be long.
func (m *Machine) size(path string) (bool, int64) {
	if m.Live() {
		info, err := os.Stat(path)
		if err != nil {
			return false, 0
		}
		return true, info.Size()
	}
	st, err := m.root.Stat(path)
	return err == nil && st.Exists, st.Size
}
