package atomicfile

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// StateLimit is the longest file whose contents Stat and Lstat hash. No file
// that xrdp reads its configuration from comes near; a hostile one costs no more
// than this.
const StateLimit = 16 << 20

// Stat describes what path leads to, links followed. Something missing is no
// error: the State says so, and Path is where it would be. Where the contents
// may not be read, the State has all but SHA256 and comes with fs.ErrPermission.
func (r *Root) Stat(path string) (State, error) {
	s, err := r.state(path, true)
	return s, pathError("stat", path, err)
}

// Lstat is Stat without following a link at the end of path.
func (r *Root) Lstat(path string) (State, error) {
	s, err := r.state(path, false)
	return s, pathError("lstat", path, err)
}

// Readlink returns what the symbolic link at path says, EINVAL for anything else.
func (r *Root) Readlink(path string) (string, error) {
	p, err := r.walk(path, false)
	if err != nil {
		return "", pathError("readlink", path, err)
	}
	defer p.close()
	switch {
	case !p.exists():
		err = unix.ENOENT
	case kindOf(p.stat.Mode) != KindSymlink:
		err = unix.EINVAL
	default:
		var target string
		if target, err = readlinkFD(p.node); err == nil {
			return target, nil
		}
	}
	return "", pathError("readlink", path, err)
}

func (r *Root) state(path string, follow bool) (State, error) {
	p, err := r.walk(path, follow)
	if errors.Is(err, fs.ErrNotExist) {
		return State{}, nil
	}
	if err != nil {
		return State{}, err
	}
	defer p.close()
	if err := p.trust(); err != nil {
		return State{}, err
	}
	return p.state()
}

// state describes the entry. The description is of one file even when the name
// is given to another one meanwhile: attributes and bytes come from one open file.
func (p *place) state() (State, error) {
	if !p.exists() {
		return State{Path: p.path}, nil
	}
	s := stateOf(p.path, &p.stat)
	fd := p.node
	if s.Kind == KindFile {
		f, err := p.open(unix.O_RDONLY)
		if err != nil {
			s.Xattrs, _ = readXattrs(p.node)
			return s, err
		}
		defer func() { _ = f.Close() }()
		fd = int(f.Fd())
		if s.Size <= StateLimit {
			h := sha256.New()
			n, err := io.Copy(h, io.LimitReader(f, StateLimit+1))
			if err != nil {
				return s, err
			}
			if n <= StateLimit {
				s.SHA256, s.Size = hex.EncodeToString(h.Sum(nil)), n
			}
		}
	}
	var err error
	if s.Kind == KindSymlink {
		if s.Target, err = readlinkFD(p.node); err != nil {
			return s, err
		}
	}
	s.Xattrs, err = readXattrs(fd)
	return s, err
}

// open opens the entry itself, which must be a regular file; anything else is
// refused unopened, because opening alone can block on a FIFO and move a tape.
func (p *place) open(flags int) (*os.File, error) {
	if !p.exists() {
		return nil, unix.ENOENT
	}
	if kindOf(p.stat.Mode) != KindFile {
		return nil, ErrNotRegular
	}
	fd, err := openRetry(p.dir, p.name, flags|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	if st.Dev != p.stat.Dev || st.Ino != p.stat.Ino {
		_ = unix.Close(fd)
		return nil, ErrChanged
	}
	return os.NewFile(uintptr(fd), p.path), nil
}
