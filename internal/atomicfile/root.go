package atomicfile

import (
	"path"

	"golang.org/x/sys/unix"
)

// Root is a directory that stands for "/": the real one, or the tree of an
// offline system, whose absolute links then stay inside it. Every path that its
// methods take and return is absolute within it; a leading slash is optional.
type Root struct {
	fd   int
	name string
	// fault, in tests, is asked before every system call that changes
	// something and may fail it.
	fault func(op, name string) error
}

// OpenRoot opens dir as a root. The caller closes it.
func OpenRoot(dir string) (*Root, error) {
	fd, err := openRetry(unix.AT_FDCWD, dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, pathError("open root", dir, err)
	}
	return &Root{fd: fd, name: path.Clean(dir)}, nil
}

// Name is the directory as it was given to OpenRoot, for messages.
func (r *Root) Name() string { return r.name }

// Close releases the directory. Files that Open returned stay open.
func (r *Root) Close() error {
	fd := r.fd
	r.fd = -1
	return pathError("close", r.name, unix.Close(fd))
}

func (r *Root) changing(op, name string) error {
	if r.fault == nil {
		return nil
	}
	return r.fault(op, name)
}

func openRetry(dir int, name string, flags int, mode uint32) (int, error) {
	for {
		fd, err := unix.Openat(dir, name, flags, mode)
		if err != unix.EINTR {
			return fd, err
		}
	}
}
