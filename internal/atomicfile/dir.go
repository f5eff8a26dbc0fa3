package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// MkdirAll makes the directory at path and those above it that are missing, each
// with attr, and returns the paths of those that it made, the outermost first, in
// the order in which RemoveDir must take them back from the end. Directories that
// exist stay as they are. On error the list says what has been made so far.
func (r *Root) MkdirAll(dir string, attr Attr) ([]string, error) {
	var made []string
	at := ""
	for _, name := range strings.Split(path.Clean("/"+dir), "/") {
		if name == "" {
			continue
		}
		at += "/" + name
		p, err := r.walk(at, false)
		if err == nil && p.exists() && kindOf(p.stat.Mode) == KindSymlink {
			p.close()
			if p, err = r.walk(at, true); err == nil && !p.exists() {
				// mkdir(2) makes nothing behind a link that leads nowhere either.
				p.close()
				err = unix.ENOENT
			}
		}
		if err != nil {
			return made, pathError("make directory", at, err)
		}
		if err = p.trust(); err == nil {
			switch {
			case !p.exists():
				if err = r.mkdir(p, attr); err == nil || errors.Is(err, ErrNotDurable) {
					made = append(made, p.path)
				}
			case kindOf(p.stat.Mode) != KindDir:
				err = unix.ENOTDIR
			}
		}
		p.close()
		if err != nil {
			return made, pathError("make directory", at, err)
		}
	}
	return made, nil
}

func (r *Root) mkdir(p *place, attr Attr) error {
	if err := r.changing("mkdir", p.name); err != nil {
		return err
	}
	// Only the owner's share first, as with files.
	if err := unix.Mkdirat(p.dir, p.name, uint32(attr.Mode&0o700)); err != nil {
		return err
	}
	err := r.finishDir(p, attr)
	if err != nil && !errors.Is(err, ErrNotDurable) {
		_ = unix.Unlinkat(p.dir, p.name, unix.AT_REMOVEDIR)
	}
	return err
}

func (r *Root) finishDir(p *place, attr Attr) error {
	fd, err := openRetry(p.dir, p.name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	// In a directory of somebody else the new one may have been swapped for
	// theirs already.
	if int(st.Uid) != unix.Geteuid() {
		return ErrChanged
	}
	if err := r.dropACL(fd); err != nil {
		return err
	}
	if err := r.setXattrs(fd, attr.Xattrs, isLabel); err != nil {
		return err
	}
	// A directory in a setgid one inherits the bit; attr decides instead.
	if err := r.setAttr(fd, attr); err != nil {
		return err
	}
	if err := r.syncDir(fd); err != nil {
		return err
	}
	above, err := openRetry(p.dir, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(above) }()
	return r.syncDir(above)
}

// Remove removes the file or symbolic link at path; a link is not followed. What
// is missing is fs.ErrNotExist, a directory EISDIR.
func (r *Root) Remove(path string) error { return r.remove("remove", path, 0) }

// RemoveDir removes the empty directory at path.
func (r *Root) RemoveDir(path string) error {
	return r.remove("remove directory", path, unix.AT_REMOVEDIR)
}

func (r *Root) remove(op, path string, flags int) error {
	p, err := r.walk(path, false)
	if err != nil {
		return pathError(op, path, err)
	}
	defer p.close()
	if !p.exists() {
		return pathError(op, path, fs.ErrNotExist)
	}
	if err := p.trust(); err != nil {
		return pathError(op, path, err)
	}
	err = r.changing("unlink", p.name)
	if err == nil {
		err = unix.Unlinkat(p.dir, p.name, flags)
	}
	if err != nil {
		return pathError(op, path, replaceFault(p.path, err))
	}
	fd, err := openRetry(p.dir, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return pathError(op, path, fmt.Errorf("%w: %w", ErrNotDurable, err))
	}
	defer func() { _ = unix.Close(fd) }()
	return pathError(op, path, r.syncDir(fd))
}
