package logwatch

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

// watcher tells when something happens in the directory of a log. It is a help,
// not a need: without inotify (no instance left, a file system that has none)
// it is silent, and the follower looks more often.
type watcher struct {
	wake chan struct{} // something happened; never closed

	file *os.File
	base []byte

	mu    sync.Mutex
	buf   []byte
	count int // files that appeared under the log's name, or may have
}

// newWatcher watches the directory of path.
func newWatcher(path string, off bool) *watcher {
	w := &watcher{wake: make(chan struct{}, 1), base: []byte(filepath.Base(path))}
	if off {
		return w
	}
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		return w
	}
	const events = unix.IN_MODIFY | unix.IN_CREATE | unix.IN_MOVED_TO | unix.IN_MOVED_FROM | unix.IN_DELETE
	if _, err := unix.InotifyAddWatch(fd, filepath.Dir(path), events); err != nil {
		_ = unix.Close(fd)
		return w
	}
	w.buf = make([]byte, 64<<10)
	w.file = os.NewFile(uintptr(fd), "inotify")
	conn, err := w.file.SyscallConn()
	if err != nil {
		_ = w.file.Close()
		w.file = nil
		return w
	}
	go func() {
		var err error
		for err == nil {
			// The callback is called again whenever there may be events.
			err = conn.Read(func(fd uintptr) bool { return w.take(int(fd)) })
			select {
			case w.wake <- struct{}{}:
			default:
			}
		}
	}()
	return w
}

// works reports whether the kernel tells of changes.
func (w *watcher) works() bool { return w.file != nil }

// close ends the watcher.
func (w *watcher) close() {
	if w.file != nil {
		_ = w.file.Close()
	}
}

// made returns how many files have appeared under the log's name until now. The
// kernel queues an event when it happens, and all that is queued is counted.
func (w *watcher) made() int {
	if !w.works() {
		return 0
	}
	if conn, err := w.file.SyscallConn(); err == nil {
		_ = conn.Control(func(fd uintptr) { w.take(int(fd)) })
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count
}

// take reads the events that are queued, and reports whether one of them
// concerns the log. Reading and counting are one step, so that no event is
// between the two when made looks.
func (w *watcher) take(fd int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	ours := false
	for {
		n, err := unix.Read(fd, w.buf)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n <= 0 {
			return ours
		}
		if w.note(w.buf[:n]) {
			ours = true
		}
	}
}

// note counts the events and reports whether one of them concerns the log.
func (w *watcher) note(events []byte) bool {
	ours := false
	for len(events) >= unix.SizeofInotifyEvent {
		mask := binary.NativeEndian.Uint32(events[4:])
		size := int(binary.NativeEndian.Uint32(events[12:]))
		if len(events)-unix.SizeofInotifyEvent < size {
			return true
		}
		name, _, _ := bytes.Cut(events[unix.SizeofInotifyEvent:unix.SizeofInotifyEvent+size], []byte{0})
		events = events[unix.SizeofInotifyEvent+size:]
		switch {
		case mask&unix.IN_Q_OVERFLOW != 0:
			ours = true
			w.count++ // what the kernel dropped may have been one
		case bytes.Equal(name, w.base):
			ours = true
			if mask&(unix.IN_CREATE|unix.IN_MOVED_TO) != 0 {
				w.count++
			}
		case bytes.HasPrefix(name, w.base):
			ours = true
		}
	}
	return ours
}
