package atomicfile

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"regexp"

	"golang.org/x/sys/unix"
)

// The name begins with a dot and ends in .tmp so that no program that reads a
// directory of configuration takes the file for its own. The 26 characters are
// 130 random bits: in a directory that others may write to, a name that can be
// foreseen could be taken first.
const (
	tempPrefix = ".xrdpfix-"
	tempSuffix = ".tmp"
)

var tempPattern = regexp.MustCompile(`^\.xrdpfix-[A-Z2-7]{26}\.tmp$`)

func tempName() string { return tempPrefix + rand.Text() + tempSuffix }

// temp is a file or link that waits to be renamed to its place.
type temp struct {
	root *Root
	dir  int
	name string
	fd   int
	made bool
}

func (t *temp) close() {
	if t.fd >= 0 {
		_ = unix.Close(t.fd)
	}
}

// discard removes the temporary name. Its error would only hide the first one;
// RemoveTemps gets a second chance.
func (t *temp) discard() {
	if t.made {
		_ = unix.Unlinkat(t.dir, t.name, 0)
	}
}

func (t *temp) writeFile(data []byte, attr Attr) error {
	if err := t.root.changing("create", t.name); err != nil {
		return err
	}
	fd, err := openRetry(t.dir, t.name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, uint32(attr.Mode&0o600))
	if err != nil {
		return fmt.Errorf("create temporary file: %w", err)
	}
	t.fd, t.made = fd, true
	if err := t.root.dropACL(fd); err != nil {
		return err
	}
	if err := t.root.setXattrs(fd, attr.Xattrs, isLabel); err != nil {
		return err
	}
	if err := t.root.changing("write", t.name); err != nil {
		return err
	}
	if err := writeAll(fd, data, 0); err != nil {
		return err
	}
	if err := t.root.setAttr(fd, attr); err != nil {
		return err
	}
	if err := t.root.changing("fsync", t.name); err != nil {
		return err
	}
	return fsync(fd)
}

func (t *temp) writeLink(target string, attr Attr) error {
	if err := t.root.changing("symlink", t.name); err != nil {
		return err
	}
	if err := unix.Symlinkat(target, t.dir, t.name); err != nil {
		return fmt.Errorf("create temporary link: %w", err)
	}
	t.made = true
	fd, err := openRetry(t.dir, t.name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	t.fd = fd
	if got, err := readlinkFD(fd); err != nil || got != target {
		return ErrChanged
	}
	if err := t.root.changing("chown", t.name); err != nil {
		return err
	}
	if err := unix.Fchownat(fd, "", attr.UID, attr.GID, unix.AT_EMPTY_PATH); err != nil {
		return fmt.Errorf("change owner: %w", err)
	}
	for name, value := range attr.Xattrs {
		if !isLabel(name) || belongsToContents(name) {
			continue
		}
		if err := unix.Setxattr(procPath(fd), name, value, 0); err != nil {
			return fmt.Errorf("set extended attribute %s: %w", name, err)
		}
	}
	return nil
}

// rename puts the temporary file in the place. What must not be there yet is not
// overwritten even if it has just appeared; what was replaced must still be the
// file that was looked at. Between that last look and the rename a gap of one
// system call remains, which Linux offers no way to close.
func (t *temp) rename(p *place, expect *State) error {
	if err := t.root.changing("rename", p.name); err != nil {
		return err
	}
	if !p.exists() && expect != nil {
		err := unix.Renameat2(t.dir, t.name, t.dir, p.name, unix.RENAME_NOREPLACE)
		switch {
		case errors.Is(err, unix.EEXIST):
			return ErrChanged
		case err == nil || !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOSYS):
			return err
		}
		// The file system does not know the flag; look instead.
	}
	var now unix.Stat_t
	err := unix.Fstatat(t.dir, p.name, &now, unix.AT_SYMLINK_NOFOLLOW)
	switch {
	case errors.Is(err, unix.ENOENT):
		if p.exists() {
			return ErrChanged
		}
	case err != nil:
		return err
	case !p.exists():
		if expect != nil || kindOf(now.Mode) != KindFile {
			return ErrChanged
		}
	case now.Dev != p.stat.Dev || now.Ino != p.stat.Ino || now.Mtim != p.stat.Mtim || now.Ctim != p.stat.Ctim:
		return ErrChanged
	}
	if err := unix.Renameat(t.dir, t.name, t.dir, p.name); err != nil {
		return fmt.Errorf("rename: %w", err)
	}
	return nil
}

// setAttr gives an open file its owner, mode and attributes, and makes sure that
// it has them.
func (r *Root) setAttr(fd int, attr Attr) error {
	attr.Xattrs = attr.withMode()
	if err := r.changing("chown", ""); err != nil {
		return err
	}
	if err := unix.Fchown(fd, attr.UID, attr.GID); err != nil {
		return fmt.Errorf("change owner to %d:%d: %w", attr.UID, attr.GID, err)
	}
	if err := r.changing("chmod", ""); err != nil {
		return err
	}
	if err := unix.Fchmod(fd, uint32(attr.Mode&modeBits)); err != nil {
		return fmt.Errorf("change mode to %v: %w", attr.Mode, err)
	}
	if err := r.setXattrs(fd, attr.Xattrs, func(name string) bool { return !isLabel(name) }); err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if int(st.Uid) != attr.UID || int(st.Gid) != attr.GID || Mode(st.Mode&modeBits) != attr.Mode&modeBits {
		return fmt.Errorf("%w: wanted %d:%d %v, got %d:%d %v", ErrAttributes,
			attr.UID, attr.GID, attr.Mode, st.Uid, st.Gid, Mode(st.Mode&modeBits))
	}
	got, err := readXattrs(fd)
	if err != nil {
		return err
	}
	for name, want := range attr.Xattrs {
		if value, ok := got[name]; !belongsToContents(name) && (!ok || !bytes.Equal(value, want)) {
			return fmt.Errorf("%w: extended attribute %s", ErrAttributes, name)
		}
	}
	return nil
}

func writeAll(fd int, data []byte, offset int64) error {
	for len(data) > 0 {
		n, err := unix.Pwrite(fd, data, offset)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("write: %w", err)
		}
		data, offset = data[max(n, 0):], offset+int64(max(n, 0))
	}
	return nil
}

func fsync(fd int) error {
	for {
		err := unix.Fsync(fd)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("fsync: %w", err)
		}
		return nil
	}
}

// RemoveTemps removes what killed writes have left in the directory at path, and
// returns the names. Only files and links with exactly the form of Write's
// temporary names are touched. No write may be under
// way in that directory.
func (r *Root) RemoveTemps(path string) ([]string, error) {
	p, err := r.walk(path, true)
	if err != nil {
		return nil, pathError("remove temporary files", path, err)
	}
	defer p.close()
	if err := p.trust(); err != nil {
		return nil, pathError("remove temporary files", path, err)
	}
	list, err := p.readDir()
	if err != nil {
		return nil, pathError("remove temporary files", path, err)
	}
	fd, err := openRetry(p.dir, p.name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, pathError("remove temporary files", path, err)
	}
	defer func() { _ = unix.Close(fd) }()
	var removed []string
	for _, e := range list {
		if !tempPattern.MatchString(e.Name) || e.Kind != KindFile && e.Kind != KindSymlink {
			continue
		}
		// The file may have got its final owner already, so the owner says
		// nothing; the random name does.
		if err := r.changing("unlink", e.Name); err != nil {
			return removed, pathError("remove temporary files", path, err)
		}
		if err := unix.Unlinkat(fd, e.Name, 0); err != nil {
			return removed, pathError("remove", p.path+"/"+e.Name, err)
		}
		removed = append(removed, e.Name)
	}
	if removed == nil {
		return nil, nil
	}
	return removed, pathError("remove temporary files", path, r.syncDir(fd))
}
