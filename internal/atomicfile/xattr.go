package atomicfile

import (
	"errors"
	"fmt"
	"sort"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	xattrACL        = "system.posix_acl_access"
	xattrDefaultACL = "system.posix_acl_default"
)

// belongsToContents reports the attributes that describe the bytes or the place
// of a file rather than what an administrator wants of it: the kernel's own
// signatures, and overlayfs's references between its layers.
func belongsToContents(name string) bool {
	return name == "security.ima" || name == "security.evm" ||
		strings.HasPrefix(name, "trusted.overlay.") || strings.HasPrefix(name, "user.overlay.")
}

// isLabel reports the attributes by which a security module confines access
// (SELinux, Smack). File capabilities are none: writing a file removes them.
func isLabel(name string) bool {
	return strings.HasPrefix(name, "security.") && name != "security.capability"
}

// readXattrs returns the extended attributes of an open file, also an O_PATH one,
// nil where the file system has none.
func readXattrs(fd int) (map[string][]byte, error) {
	names, err := sized(func(buf []byte) (int, error) {
		n, err := unix.Flistxattr(fd, buf)
		if errors.Is(err, unix.EBADF) {
			return unix.Listxattr(procPath(fd), buf)
		}
		return n, err
	})
	if errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.ENOENT) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list extended attributes: %w", err)
	}
	var out map[string][]byte
	for _, name := range strings.Split(strings.TrimRight(string(names), "\x00"), "\x00") {
		if name == "" || belongsToContents(name) {
			continue
		}
		value, err := readXattr(fd, name)
		if errors.Is(err, unix.ENODATA) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
			// Removed since, or only for the privileged.
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read extended attribute %s: %w", name, err)
		}
		if out == nil {
			out = map[string][]byte{}
		}
		out[name] = value
	}
	return out, nil
}

func readXattr(fd int, name string) ([]byte, error) {
	return sized(func(buf []byte) (int, error) {
		n, err := unix.Fgetxattr(fd, name, buf)
		if errors.Is(err, unix.EBADF) {
			// The xattr calls refuse O_PATH; the file's entry in /proc leads to
			// the very same inode.
			return unix.Getxattr(procPath(fd), name, buf)
		}
		return n, err
	})
}

func procPath(fd int) string { return fmt.Sprintf("/proc/self/fd/%d", fd) }

// sized calls get with a buffer that fits, also if the value grows meanwhile.
func sized(get func([]byte) (int, error)) ([]byte, error) {
	for {
		n, err := get(nil)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return []byte{}, nil
		}
		buf := make([]byte, n)
		n, err = get(buf)
		if errors.Is(err, unix.ERANGE) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return buf[:n], nil
	}
}

// setXattrs sets the attributes that pick selects, in a fixed order.
func (r *Root) setXattrs(fd int, xattrs map[string][]byte, pick func(string) bool) error {
	var names []string
	for name := range xattrs {
		if pick(name) && !belongsToContents(name) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	for _, name := range names {
		if err := r.changing("setxattr", name); err != nil {
			return err
		}
		if err := unix.Fsetxattr(fd, name, xattrs[name], 0); err != nil {
			return fmt.Errorf("set extended attribute %s: %w", name, err)
		}
	}
	return nil
}

// dropACL removes the ACLs that a new file inherits from its directory.
func (r *Root) dropACL(fd int) error {
	for _, name := range []string{xattrACL, xattrDefaultACL} {
		err := unix.Fremovexattr(fd, name)
		switch {
		case err == nil, errors.Is(err, unix.ENODATA), errors.Is(err, unix.ENOTSUP), errors.Is(err, unix.EINVAL), errors.Is(err, unix.EACCES) && name == xattrDefaultACL:
		default:
			return fmt.Errorf("remove inherited %s: %w", name, err)
		}
	}
	return nil
}
