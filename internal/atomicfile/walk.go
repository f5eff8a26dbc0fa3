package atomicfile

import (
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// maxLinks is how many symbolic links one path may lead through, as in the
// kernel (MAXSYMLINKS in include/linux/namei.h).
const maxLinks = 40

// place is where a path leads: an entry of a directory that is held open.
type place struct {
	dir  int    // the directory, O_PATH
	name string // the entry in it, "." if the path is a directory without a parent to name it
	path string // the real path inside the root
	node int    // the entry itself, O_PATH; -1 if there is none
	stat unix.Stat_t
	// links are the owners of the links that were followed.
	links []uint32
	steps []Step
}

func (p *place) exists() bool { return p.node >= 0 }

func (p *place) close() {
	_ = unix.Close(p.dir)
	if p.node >= 0 {
		_ = unix.Close(p.node)
	}
}

// The walk goes component by component, with each directory opened relative to
// the one before and links read and resolved here. That is what openat2 does
// with RESOLVE_IN_ROOT, and a test holds the two against each other; openat2
// itself is missing before Linux 5.6 (RHEL 8) and under the seccomp filters of
// older container runtimes, gives up with EAGAIN on a ".." while anything is renamed
// anywhere on the machine, and does not tell the way, which the question
// "which step stops the daemon" needs. A ".." goes back to the directory that was
// passed, never to where the file system says the parent is now, so a directory
// that is moved meanwhile cannot lead out of the root.
type walker struct {
	root  *Root
	dirs  []int    // open directories; the first is the root's own
	names []string // of dirs[1:]
	todo  []string
	place *place
}

// walk resolves name. follow decides whether a link at the very end is followed.
// If only the last component is missing, the place is returned without a node; an
// earlier one gives ENOENT, and the steps so far, in the place, which the caller
// closes unless it is nil.
func (r *Root) walk(name string, follow bool) (*place, error) {
	w := &walker{root: r, dirs: []int{r.fd}, todo: strings.Split(name, "/")}
	w.place = &place{node: -1, dir: -1}
	err := w.run(follow)
	// Only what the place keeps stays open.
	for _, fd := range w.dirs[1:] {
		if fd != w.place.dir {
			_ = unix.Close(fd)
		}
	}
	if err == nil && w.place.dir == r.fd {
		w.place.dir, err = unix.FcntlInt(uintptr(r.fd), unix.F_DUPFD_CLOEXEC, 0)
	}
	if err != nil {
		if w.place.node >= 0 {
			_ = unix.Close(w.place.node)
		}
		if w.place.dir >= 0 && w.place.dir != r.fd {
			_ = unix.Close(w.place.dir)
		}
		return &place{node: -1, dir: -1, steps: w.place.steps}, err
	}
	return w.place, nil
}

func (w *walker) top() int { return w.dirs[len(w.dirs)-1] }

func (w *walker) run(follow bool) error {
	if err := w.record("/", w.root.fd, ""); err != nil {
		return err
	}
	for len(w.todo) > 0 {
		name := w.todo[0]
		w.todo = w.todo[1:]
		switch name {
		case "", ".":
			continue
		case "..":
			if n := len(w.names); n > 0 {
				_ = unix.Close(w.top())
				w.dirs, w.names = w.dirs[:n], w.names[:n-1]
			}
			continue
		}
		done, err := w.enter(name, follow)
		if done || err != nil {
			return err
		}
	}
	return w.end()
}

// end makes the place of a path that ends in the root, "." or "..".
func (w *walker) end() error {
	fd, err := openRetry(w.top(), ".", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	p := w.place
	p.dir, p.name, p.path, p.node = w.top(), ".", "/"+strings.Join(w.names, "/"), fd
	return unix.Fstat(fd, &p.stat)
}

// enter takes one step. done reports that the place has been found.
func (w *walker) enter(name string, follow bool) (done bool, err error) {
	p, last := w.place, len(w.todo) == 0
	real := path.Join("/", strings.Join(w.names, "/"), name)
	fd, err := openRetry(w.top(), name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err == unix.ENOENT && last { //nolint:errorlint // a bare errno from the system call
		p.dir, p.name, p.path = w.top(), name, real
		return true, nil
	}
	if err != nil {
		return false, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		_ = unix.Close(fd)
		return false, err
	}
	kind := kindOf(st.Mode)
	target := ""
	if kind == KindSymlink {
		if target, err = readlinkFD(fd); err != nil {
			_ = unix.Close(fd)
			return false, err
		}
	}
	if err := w.record(real, fd, target); err != nil {
		_ = unix.Close(fd)
		return false, err
	}
	switch {
	case kind == KindSymlink && (!last || follow):
		_ = unix.Close(fd)
		return false, w.follow(target, st.Uid)
	case last:
		p.dir, p.name, p.path, p.node, p.stat = w.top(), name, real, fd, st
		return true, nil
	case kind == KindDir:
		w.dirs, w.names = append(w.dirs, fd), append(w.names, name)
		return false, nil
	default:
		_ = unix.Close(fd)
		return false, unix.ENOTDIR
	}
}

func (w *walker) follow(target string, owner uint32) error {
	if w.place.links = append(w.place.links, owner); len(w.place.links) > maxLinks {
		return unix.ELOOP
	}
	if target == "" {
		return unix.ENOENT
	}
	if strings.HasPrefix(target, "/") {
		for _, fd := range w.dirs[1:] {
			_ = unix.Close(fd)
		}
		w.dirs, w.names = w.dirs[:1], nil
	}
	w.todo = append(strings.Split(target, "/"), w.todo...)
	return nil
}

// trust refuses a place that was reached through a link which somebody else may
// have planted to make root read or write a file of their choice. A link is good
// if it belongs to root, or to whoever owns the file behind it and
// so could have changed that anyway. A caller without root's rights has nothing
// to lend.
func (p *place) trust() error {
	if unix.Geteuid() != 0 {
		return nil
	}
	for _, owner := range p.links {
		if owner == 0 || p.exists() && owner == p.stat.Uid {
			continue
		}
		return ErrUntrustedLink
	}
	return nil
}

func readlinkFD(fd int) (string, error) {
	// PATH_MAX bounds a link's target in every Linux file system.
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(fd, "", buf)
	if err != nil {
		return "", err
	}
	return string(buf[:n]), nil
}
