package atomicfile

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"sort"

	"golang.org/x/sys/unix"
)

// maxEntries bounds ReadDir. The directories of interest hold tens of entries.
const maxEntries = 20000

// Open opens the regular file at path for reading, links followed. Anything else
// is refused with ErrNotRegular, unopened. The caller closes the file.
func (r *Root) Open(path string) (*os.File, error) {
	p, err := r.walk(path, true)
	if err != nil {
		return nil, pathError("open", path, err)
	}
	defer p.close()
	if err := p.trust(); err != nil {
		return nil, pathError("open", path, err)
	}
	f, err := p.open(unix.O_RDONLY)
	return f, pathError("open", path, err)
}

// ReadFile returns the contents of the regular file at path, links followed, and
// ErrTooLarge if it has more than limit bytes.
func (r *Root) ReadFile(path string, limit int64) ([]byte, error) {
	data, _, err := r.ReadState(path, limit)
	return data, err
}

// ReadState is ReadFile and Stat of the same moment: the State describes exactly
// the returned bytes. A missing file is fs.ErrNotExist.
func (r *Root) ReadState(path string, limit int64) ([]byte, State, error) {
	data, s, err := r.readState(path, limit)
	return data, s, pathError("read", path, err)
}

func (r *Root) readState(path string, limit int64) ([]byte, State, error) {
	p, err := r.walk(path, true)
	if err != nil {
		return nil, State{}, err
	}
	defer p.close()
	if err := p.trust(); err != nil {
		return nil, State{}, err
	}
	f, err := p.open(unix.O_RDONLY)
	if err != nil {
		return nil, State{}, err
	}
	defer func() { _ = f.Close() }()
	if p.stat.Size > limit {
		return nil, State{}, ErrTooLarge
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, State{}, err
	}
	if int64(len(data)) > limit {
		return nil, State{}, ErrTooLarge
	}
	s := stateOf(p.path, &p.stat)
	sum := sha256.Sum256(data)
	s.SHA256, s.Size = hex.EncodeToString(sum[:]), int64(len(data))
	s.Xattrs, err = readXattrs(int(f.Fd()))
	return data, s, err
}

// Entry is a name in a directory and what it stands for.
type Entry struct {
	Name string
	Kind Kind
}

// ReadDir lists the directory at path, sorted by name. One with more than 20,000
// entries gives ErrTooLarge.
func (r *Root) ReadDir(path string) ([]Entry, error) {
	p, err := r.walk(path, true)
	if err != nil {
		return nil, pathError("read directory", path, err)
	}
	defer p.close()
	list, err := p.readDir()
	return list, pathError("read directory", path, err)
}

func (p *place) readDir() ([]Entry, error) {
	if !p.exists() {
		return nil, unix.ENOENT
	}
	fd, err := openRetry(p.dir, p.name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), p.path)
	defer func() { _ = f.Close() }()
	names, err := f.Readdirnames(maxEntries + 1)
	if err != nil && err != io.EOF { //nolint:errorlint // Readdirnames returns it bare
		return nil, err
	}
	if len(names) > maxEntries {
		return nil, ErrTooLarge
	}
	sort.Strings(names)
	var list []Entry
	for _, name := range names {
		var st unix.Stat_t
		if err := unix.Fstatat(fd, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			continue // gone since
		}
		list = append(list, Entry{name, kindOf(st.Mode)})
	}
	return list, nil
}
