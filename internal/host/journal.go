package host

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"time"

	"xrdpfix/diagnose"
	"xrdpfix/logwatch"
)

// maxJournalLine bounds one line of journalctl. Its longest field has 64 KiB
// unless --all is given (journalctl(1)), and a byte may take four characters.
const maxJournalLine = 1 << 20

// tickEvery is how often a follower of the journal is asked whether it has enough.
const tickEvery = 250 * time.Millisecond

// journalArgs are the words for journalctl. The unit is the kernel's word, so that
// nobody outside of it can write such entries. journald looks it up by the process,
// though, and a connection that fails at once may have ended by then: what has no
// unit is taken from root and from the daemon's user, whom the kernel names too.
func (m *Machine) journalArgs(since, until time.Time, follow bool, last int) []string {
	args := []string{"--output=json", "--no-pager", "--quiet", "--utc"}
	if !m.Live() {
		args = append(args, "--root="+m.cfg.Root)
	}
	if !since.IsZero() {
		args = append(args, "--since="+journalTime(since))
	}
	if !until.IsZero() {
		args = append(args, "--until="+journalTime(until))
	}
	if follow {
		args = append(args, followFlag, "--no-tail")
	}
	if last > 0 {
		args = append(args, fmt.Sprintf("--lines=%d", last))
	}
	args = append(args, "_SYSTEMD_UNIT="+diagnose.UnitXrdp, "SYSLOG_IDENTIFIER=xrdp", "+", "SYSLOG_IDENTIFIER=xrdp", "_UID=0")
	if u, ok := m.names.User("xrdp"); ok {
		args = append(args, fmt.Sprintf("_UID=%d", u.UID))
	}
	return args
}

// followFlag makes journalctl wait for more.
const followFlag = "--follow"

// journalTime is a time as journalctl reads it, to the microsecond (systemd.time(7)).
func journalTime(t time.Time) string { return fmt.Sprintf("@%d.%06d", t.Unix(), t.Nanosecond()/1000) }

// journal runs journalctl and delivers what xrdp wrote.
func (m *Machine) journal(ctx context.Context, args []string, fn func(logwatch.Entry) error, tick func()) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, "journalctl", args...)
	var said bytes.Buffer
	cmd.Stderr = &limitedWriter{w: &said, left: 4 << 10}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return fmt.Errorf("read the journal: %w", err)
	}
	lines := make(chan logwatch.Entry, 256)
	read := make(chan error, 1)
	go func() {
		defer close(lines)
		read <- readJournal(ctx, out, lines)
	}()
	timer := time.NewTicker(tickEvery)
	defer timer.Stop()
	var stop error
	for open := true; open && stop == nil; {
		select {
		case e, more := <-lines:
			if open = more; more {
				stop = fn(e)
			}
		case <-timer.C:
			if tick != nil {
				tick()
			}
		case <-ctx.Done():
			stop = context.Cause(ctx)
		}
	}
	cancel() // a follower does not end by itself
	for range lines {
	}
	readErr, waitErr := <-read, cmd.Wait()
	switch {
	case stop != nil:
		return stop
	case readErr != nil:
		return fmt.Errorf("read the journal: %w", readErr)
	case slices.Contains(args, followFlag), waitErr != nil && said.Len() > 0:
		return fmt.Errorf("read the journal: journalctl ended: %s", strings.TrimSpace(said.String()))
	}
	return nil // a status of 1 without a word: no entries
}

// readJournal hands over the lines of journalctl that xrdp wrote.
func readJournal(ctx context.Context, r io.Reader, to chan<- logwatch.Entry) error {
	scan := bufio.NewScanner(r)
	scan.Buffer(make([]byte, 64<<10), maxJournalLine)
	parser := logwatch.JournalParser{Location: time.Local, Unit: diagnose.UnitXrdp}
	for scan.Scan() {
		e, ok := parser.Parse(scan.Bytes())
		if !ok {
			continue
		}
		select {
		case to <- e:
		case <-ctx.Done():
			return nil
		}
	}
	if err := scan.Err(); err != nil && ctx.Err() == nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// limitedWriter keeps the beginning and drops the rest.
type limitedWriter struct {
	w    io.Writer
	left int
}

// Write never fails.
func (l *limitedWriter) Write(p []byte) (int, error) {
	n := min(len(p), l.left)
	l.left -= n
	_, err := l.w.Write(p[:n])
	return len(p), err
}
