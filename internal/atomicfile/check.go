package atomicfile

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Check tells, without touching anything, whether Write could replace the file at
// path or create it: *NotReplaceableError if rename cannot work there,
// ErrNotRegular for a directory or device, ErrUntrustedLink, fs.ErrNotExist if
// the directory is missing, fs.ErrPermission if the caller may not write to it.
// Options.Expect is compared as well. Nil means that Write should succeed while
// nobody changes the place and the disk is not full.
func (r *Root) Check(path string, opts Options) error {
	p, err := r.walk(path, opts.FollowLink)
	if err != nil {
		return pathError("check", path, err)
	}
	defer p.close()
	err = p.replaceable()
	if err == nil {
		err = p.expected(opts.Expect)
	}
	return pathError("check", path, err)
}

func (p *place) replaceable() error {
	if p.exists() {
		switch kind := kindOf(p.stat.Mode); kind {
		case KindFile, KindSymlink:
		default:
			return fmt.Errorf("%w: %s", ErrNotRegular, kind)
		}
	}
	if err := p.trust(); err != nil {
		return err
	}
	var fsInfo unix.Statfs_t
	if err := unix.Fstatfs(p.dir, &fsInfo); err != nil {
		return fmt.Errorf("file system: %w", err)
	}
	if fsInfo.Flags&unix.ST_RDONLY != 0 {
		return &NotReplaceableError{p.path, ReasonReadOnly}
	}
	if p.exists() {
		if mount, err := isMountPoint(p); err != nil {
			return err
		} else if mount {
			return &NotReplaceableError{p.path, ReasonMountPoint}
		}
	}
	for _, fd := range []int{p.dir, p.node} {
		if fd < 0 {
			continue
		}
		switch flags := inodeFlags(fd); {
		case flags&unix.STATX_ATTR_IMMUTABLE != 0:
			return &NotReplaceableError{p.path, ReasonImmutable}
		case flags&unix.STATX_ATTR_APPEND != 0:
			return &NotReplaceableError{p.path, ReasonAppendOnly}
		}
	}
	if err := unix.Faccessat(p.dir, ".", unix.W_OK|unix.X_OK, unix.AT_EACCESS); err != nil {
		return fmt.Errorf("directory: %w", err)
	}
	return nil
}

// isMountPoint compares the mounts of the entry and its directory. The device
// numbers would not do: a file is mostly bound from the same file system.
func isMountPoint(p *place) (bool, error) {
	var st unix.Statx_t
	err := unix.Statx(p.node, "", unix.AT_EMPTY_PATH|unix.AT_NO_AUTOMOUNT, 0, &st)
	if err == nil && st.Attributes_mask&unix.STATX_ATTR_MOUNT_ROOT != 0 {
		return st.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0, nil
	}
	// Before Linux 5.8.
	above, err1 := mountID(p.dir)
	own, err2 := mountID(p.node)
	if err := errors.Join(err1, err2); err != nil {
		return false, fmt.Errorf("mount of the file: %w", err)
	}
	return above != own, nil
}

// mountID reads the mnt_id line of fdinfo (Linux 3.15, proc(5)).
func mountID(fd int) (string, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", fd))
	if err != nil {
		return "", err
	}
	for line := range bytes.Lines(data) {
		if id, ok := bytes.CutPrefix(line, []byte("mnt_id:")); ok {
			return string(bytes.TrimSpace(id)), nil
		}
	}
	return "", errors.New("fdinfo without mnt_id")
}

// inodeFlags returns the STATX_ATTR_ bits of an open file. Zero where the file
// system does not tell; rename will.
func inodeFlags(fd int) uint64 {
	var st unix.Statx_t
	if err := unix.Statx(fd, "", unix.AT_EMPTY_PATH|unix.AT_NO_AUTOMOUNT, 0, &st); err != nil {
		return 0
	}
	return st.Attributes
}
