package logwatch

import (
	"fmt"
	"testing"
)

// startedFollower is a follower that has found its mark and has not looked yet.
func startedFollower(t *testing.T, m Mark) (*follower, *followed) {
	t.Helper()
	seen := &followed{changed: make(chan struct{}, 1)}
	f := &follower{path: m.Path, fn: seen.take, watcher: newWatcher(m.Path, false)}
	if !f.watcher.works() {
		t.Fatal("there is no inotify")
	}
	t.Cleanup(func() { f.close(); f.watcher.close() })
	if err := f.find(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	return f, seen
}

// TestFollowLosesBeforeTheFirstLook: a file that comes and goes between finding
// the mark and the first look is missing, and files that are only renamed are not.
func TestFollowLosesBeforeTheFirstLook(t *testing.T) {
	for _, test := range []struct {
		name   string
		before func(w *logWriter) // between the mark and the start
		after  func(w *logWriter) // between the start and the first look
		want   string
	}{
		{name: "nothing", want: "[]"},
		{name: "renamed", after: (*logWriter).rename, want: "[rotated]"},
		{name: "renamed before", before: (*logWriter).rename, want: "[rotated]"},
		{
			name:   "renamed before and after",
			before: func(w *logWriter) { w.rename(); w.write(3); w.rename() },
			after:  func(w *logWriter) { w.write(3); w.rename(); w.write(3); w.rename() },
			want:   "[rotated rotated rotated rotated]",
		},
		{
			name:   "an empty one before", // of which nobody misses anything
			before: func(w *logWriter) { w.rename(); w.rename(); w.write(3) },
			want:   "[rotated]",
		},
		{name: "removed", after: (*logWriter).remove, want: "[rotated]"},
		{
			name:  "removed twice",
			after: func(w *logWriter) { w.remove(); w.write(3); w.remove() },
			want:  "[lost rotated]",
		},
		{
			name:   "renamed before, then removed twice",
			before: (*logWriter).rename,
			after:  func(w *logWriter) { w.remove(); w.write(3); w.remove() },
			want:   "[rotated lost]",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newLogWriter(t)
			m := w.mark()
			if test.before != nil {
				test.before(w)
			}
			f, seen := startedFollower(t, m)
			if test.after != nil {
				test.after(w)
			}
			w.write(1)
			last := w.next - 1 // written last
			if err := f.look(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(seen.notices); got != test.want {
				t.Errorf("notices %s, want %s", got, test.want)
			}
			if len(seen.seen) == 0 || seen.seen[len(seen.seen)-1] != last {
				t.Errorf("lines %v, want %d at the end", seen.seen, last)
			}
		})
	}
}
