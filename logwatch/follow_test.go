package logwatch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// logWriter writes numbered lines as a daemon does, one write each in append
// mode, and rotates its log in between.
type logWriter struct {
	t    *testing.T
	path string
	file *os.File
	next int
}

func newLogWriter(t *testing.T) *logWriter {
	t.Helper()
	w := &logWriter{t: t, path: filepath.Join(t.TempDir(), "xrdp.log")}
	w.open()
	w.write(1) // so that the place can be known again in a copy
	t.Cleanup(func() { _ = w.file.Close() })
	return w
}

func (w *logWriter) check(err error) {
	if err != nil {
		w.t.Error(err)
	}
}

func (w *logWriter) open() {
	var err error
	if w.file != nil {
		w.check(w.file.Close())
	}
	w.file, err = os.OpenFile(w.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	w.check(err)
}

func (w *logWriter) write(n int) {
	for range n {
		_, err := fmt.Fprintf(w.file, "[20261122-14:09:02] [INFO ] line %d\n", w.next)
		w.check(err)
		w.next++
	}
}

// mark returns the beginning of the log.
func (w *logWriter) mark() Mark {
	m, err := End(w.path)
	w.check(err)
	return m
}

// shift renames the rotated files as logrotate does, and drops the one beyond keep.
func (w *logWriter) shift(keep int) {
	for i := keep; i > 0; i-- {
		for _, pack := range []string{"", ".gz"} {
			old := fmt.Sprintf("%s.%d%s", w.path, i, pack)
			if i == keep {
				_ = os.Remove(old)
			} else if _, err := os.Lstat(old); err == nil {
				w.check(os.Rename(old, fmt.Sprintf("%s.%d%s", w.path, i+1, pack)))
			}
		}
	}
}

func (w *logWriter) rename() {
	w.shift(30)
	w.check(os.Rename(w.path, w.path+".1"))
	w.open()
}

func (w *logWriter) remove() {
	w.check(os.Remove(w.path))
	w.open()
}

func (w *logWriter) copyTruncate() {
	w.shift(30)
	data, err := os.ReadFile(w.path)
	w.check(err)
	w.check(os.WriteFile(w.path+".1", data, 0o640))
	w.check(os.Truncate(w.path, 0))
}

// followed collects what Follow delivers.
type followed struct {
	mu      sync.Mutex
	seen    []int
	notices []Notice
	changed chan struct{}
}

func (f *followed) take(e Event) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e.Notice != "" {
		f.notices = append(f.notices, e.Notice)
	} else {
		n := -1
		_, _ = fmt.Sscanf(e.Entry.Text, "line %d", &n)
		f.seen = append(f.seen, n)
	}
	select {
	case f.changed <- struct{}{}:
	default:
	}
	return nil
}

// wait blocks until so many lines have come.
func (f *followed) wait(t *testing.T, n int) {
	t.Helper()
	deadline := time.After(2 * time.Minute)
	for {
		f.mu.Lock()
		have := len(f.seen)
		f.mu.Unlock()
		if have >= n {
			return
		}
		select {
		case <-f.changed:
		case <-deadline:
			t.Errorf("after two minutes %d lines of %d", have, n)
			return
		}
	}
}

// runs says which lines came, in order: "1-400 201-400".
func (f *followed) runs() string {
	var runs []string
	for i := 0; i < len(f.seen); {
		j := i + 1
		for j < len(f.seen) && f.seen[j] == f.seen[j-1]+1 {
			j++
		}
		runs = append(runs, fmt.Sprintf("%d-%d", f.seen[i], f.seen[j-1]))
		i = j
	}
	return strings.Join(runs, " ")
}

var errTestOver = errors.New("the test is over")

// follow runs Follow until the returned function is called.
func follow(t *testing.T, from Mark, o FollowOptions) (*followed, func()) {
	t.Helper()
	f := &followed{changed: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancelCause(context.Background())
	end := make(chan error)
	go func() { end <- Follow(ctx, from, o, f.take) }()
	return f, func() {
		cancel(errTestOver)
		if err := <-end; !errors.Is(err, errTestOver) {
			t.Errorf("Follow ended with %v", err)
		}
	}
}

func TestFollowEachLineOnce(t *testing.T) {
	const rotations, lines = 20, 200
	kinds := []struct {
		name   string
		rotate func(*logWriter)
	}{
		{"rename", (*logWriter).rename},
		{"remove", (*logWriter).remove},
		{"copytruncate", (*logWriter).copyTruncate},
		{"rename, compress", func(w *logWriter) { w.rename(); w.pack() }},
		{"copytruncate, compress", func(w *logWriter) { w.copyTruncate(); w.pack() }}, // as Debian has it
	}
	for _, kind := range kinds {
		for _, pace := range []string{"burst", "paced", "caught up"} {
			for _, poll := range []bool{false, true} {
				if kind.name == "remove" && pace != "caught up" {
					continue // what is removed before it can be read is lost: the next test
				}
				t.Run(fmt.Sprintf("%s/%s/poll=%v", kind.name, pace, poll), func(t *testing.T) {
					t.Parallel()
					w := newLogWriter(t)
					f, stop := follow(t, w.mark(), FollowOptions{Poll: poll})
					for range rotations {
						w.write(lines / 2)
						if pace == "paced" {
							time.Sleep(time.Millisecond)
						}
						w.write(lines / 2)
						if pace == "caught up" {
							f.wait(t, w.next-1)
						}
						kind.rotate(w)
					}
					w.write(lines)
					f.wait(t, w.next-1)
					stop()
					if got, want := f.runs(), fmt.Sprintf("1-%d", w.next-1); got != want {
						t.Errorf("delivered lines %s, want %s; notices %v", got, want, f.notices)
					}
					for _, n := range f.notices {
						if n == NoticeLost && !(poll && kind.name == "remove") {
							t.Errorf("notices %v, though nothing is missing", f.notices)
						}
					}
				})
			}
		}
	}
}

// TestFollowSaysWhatIsLost removes files faster than they can be read: lines
// may be missing, but then a notice says so, and none comes twice.
func TestFollowSaysWhatIsLost(t *testing.T) {
	w := newLogWriter(t)
	looks := make(chan struct{}, 1)
	f, stop := follow(t, w.mark(), FollowOptions{Tick: func() {
		select {
		case looks <- struct{}{}:
		default:
		}
	}})
	for range 20 {
		w.write(50)
		w.remove()
	}
	first := w.next
	for {
		w.write(1)
		f.mu.Lock()
		arrived := len(f.seen) > 0 && f.seen[len(f.seen)-1] >= first
		f.mu.Unlock()
		if arrived {
			break
		}
		<-f.changed
	}
	for range 2 { // of which the second came to its end since
		<-looks
	}
	stop()
	last, missing := 0, 0
	for _, n := range f.seen {
		if n <= last {
			t.Fatalf("line %d came after line %d", n, last)
		}
		missing += n - last - 1
		last = n
	}
	lost := strings.Contains(fmt.Sprint(f.notices), string(NoticeLost))
	if missing > 0 && !lost {
		t.Errorf("%d lines are missing without a notice: %v", missing, f.notices)
	}
	t.Logf("%d of %d lines missing, notices %v", missing, w.next, f.notices)
}

func TestFollowOldFileGoesOn(t *testing.T) {
	w := newLogWriter(t)
	f, stop := follow(t, w.mark(), FollowOptions{})
	w.write(10)
	f.wait(t, 10)
	old := w.file
	w.file = nil
	w.shift(9)
	w.check(os.Rename(w.path, w.path+".1"))
	w.open()
	w.write(10)
	f.wait(t, 20)
	_, err := io.WriteString(old, "[20261122-14:09:02] [INFO ] line 21\n") // a daemon that was not told
	w.check(err)
	f.wait(t, 21)
	stop()
	w.check(old.Close())
	if got := f.seen[20]; got != 21 {
		t.Errorf("line %d came last, want 21", got)
	}
}

func TestFollowFromMark(t *testing.T) {
	w := newLogWriter(t)
	w.write(100)
	m := w.mark()
	w.write(10)
	w.rename()
	w.write(10)
	f, stop := follow(t, m, FollowOptions{})
	w.write(10)
	f.wait(t, 30)
	stop()
	if f.seen[0] != 101 || f.seen[29] != 130 || len(f.seen) != 30 {
		t.Errorf("lines %v, want 101 to 130", f.seen)
	}
}
