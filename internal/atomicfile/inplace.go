package atomicfile

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// WriteInPlace overwrites the bytes of an existing regular file and keeps all
// else, for a file that rename cannot replace. It is not atomic: whoever opens
// the file meanwhile meets a mixture, and a crash leaves one. Options mean what
// they mean for Write; without FollowLink a link is refused with ErrNotRegular.
// A file with a second name is refused with ErrHardLinked.
func (r *Root) WriteInPlace(path string, data []byte, opts Options) (State, error) {
	s, err := r.writeInPlace(path, data, opts)
	return s, pathError("write in place", path, err)
}

func (r *Root) writeInPlace(path string, data []byte, opts Options) (State, error) {
	p, err := r.walk(path, opts.FollowLink)
	if err != nil {
		return State{}, err
	}
	defer p.close()
	if err := p.trust(); err != nil {
		return State{}, err
	}
	if err := p.expected(opts.Expect); err != nil {
		return State{}, err
	}
	f, err := p.open(unix.O_RDWR)
	if err != nil {
		return State{}, err
	}
	defer func() { _ = f.Close() }()
	fd := int(f.Fd())
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return State{}, err
	}
	if st.Nlink > 1 {
		return State{}, ErrHardLinked
	}
	// The room comes first, so that a full disk is met while the file is whole.
	if grow := int64(len(data)) - st.Size; grow > 0 {
		if err := r.changing("fallocate", p.name); err != nil {
			return State{}, err
		}
		err := unix.Fallocate(fd, unix.FALLOC_FL_KEEP_SIZE, st.Size, grow)
		if err != nil && !errors.Is(err, unix.ENOTSUP) && !errors.Is(err, unix.ENOSYS) {
			return State{}, fmt.Errorf("reserve room: %w", err)
		}
	}
	// Not truncated first: an interruption then costs the part that differs, not
	// the file.
	if err := r.changing("write", p.name); err != nil {
		return State{}, err
	}
	if err := writeAll(fd, data, 0); err != nil {
		return State{}, err
	}
	if err := r.changing("truncate", p.name); err != nil {
		return State{}, err
	}
	if err := unix.Ftruncate(fd, int64(len(data))); err != nil {
		return State{}, fmt.Errorf("truncate: %w", err)
	}
	if err := r.changing("fsync", p.name); err != nil {
		return State{}, err
	}
	if err := fsync(fd); err != nil {
		return State{}, err
	}
	if err := unix.Fstat(fd, &st); err != nil {
		return State{}, err
	}
	s := stateOf(p.path, &st)
	sum := sha256.Sum256(data)
	s.SHA256 = hex.EncodeToString(sum[:])
	s.Xattrs, err = readXattrs(fd)
	return s, err
}
