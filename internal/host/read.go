package host

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// ErrTooLarge is returned when a file holds more than the reader accepts.
var ErrTooLarge = errors.New("file is too large")

// ErrNotRegular is returned when something other than a regular file stands
// where a file should be. It is found out before the thing is opened, since
// opening a FIFO blocks and opening a device can act.
var ErrNotRegular = errors.New("not a regular file")

// IsLive reports whether root stands for the running machine.
func IsLive(root string) bool { return root == "" || filepath.Clean(root) == "/" }

// ReadFile reads the regular file at path inside root, following symbolic links
// as a process whose root directory is root would. A file of more than limit
// bytes gives [ErrTooLarge], anything but a file [ErrNotRegular]; both can be
// tested with errors.Is, as can fs.ErrNotExist and fs.ErrPermission.
func ReadFile(root, path string, limit int64) ([]byte, error) {
	f, err := openRegular(root, path)
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: path, Err: err}
	}
	defer func() { _ = f.Close() }()
	// A file that is too large by its size is not read. Those of /proc have none, and
	// one may grow meanwhile.
	info, err := f.Stat()
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: path, Err: err}
	}
	large := info.Size() > limit
	var data []byte
	if !large {
		if data, err = io.ReadAll(io.LimitReader(f, limit+1)); err != nil {
			return nil, &fs.PathError{Op: "read", Path: path, Err: err}
		}
	}
	if large || int64(len(data)) > limit {
		return nil, &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("%w: more than %d bytes", ErrTooLarge, limit)}
	}
	return data, nil
}

// openRegular opens path for reading if it leads to a regular file.
func openRegular(root, path string) (*os.File, error) {
	fd, err := openPath(root, path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = unix.Close(fd) }()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, ErrNotRegular
	}
	// The descriptor holds the very file that was looked at, so that nobody
	// can put a FIFO there in between.
	rfd, err := unix.Open(fdPath(fd), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(rfd), path), nil
}

// openPath returns an O_PATH descriptor of what path leads to inside root.
func openPath(root, path string) (int, error) {
	if IsLive(root) {
		return unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	}
	dir, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	defer func() { _ = unix.Close(dir) }()
	how := unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	}
	return openat2(dir, path, &how)
}

// openat2 tries again while a rename or mount anywhere on the machine races with
// the resolution of ".." (EAGAIN, openat2(2)).
func openat2(dir int, path string, how *unix.OpenHow) (int, error) {
	const tries = 1000
	for range tries {
		fd, err := unix.Openat2(dir, path, how)
		if !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR) {
			return fd, err
		}
	}
	return -1, unix.EAGAIN
}

func fdPath(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }
