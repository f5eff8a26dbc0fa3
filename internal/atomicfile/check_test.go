package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// refused demands that Check and Write refuse path for reason and that nothing
// is touched.
func refused(t *testing.T, r *Root, path string, reason Reason) {
	t.Helper()
	before, err := r.Stat(path)
	if err != nil {
		t.Error(err)
		return
	}
	_, werr := r.Write(path, []byte("new"), ownAttr(0o600), Options{FollowLink: true})
	for name, err := range map[string]error{"Check": r.Check(path, Options{FollowLink: true}), "Write": werr} {
		var nre *NotReplaceableError
		if !errors.As(err, &nre) || !errors.Is(err, ErrNotReplaceable) || nre.Reason != reason {
			t.Errorf("%s(%s): %v, want %s", name, path, err, reason)
		}
	}
	if after, err := r.Stat(path); err != nil || !after.Same(before) || !after.ModTime.Equal(before.ModTime) {
		t.Errorf("%s changed: %+v, %v", path, after, err)
	}
}

func TestMounts(t *testing.T) {
	_, dir := tree(t)
	inMounts(t, func() {
		put(t, dir, "etc/xrdp.ini", "old", 0o644)
		put(t, dir, "outside", "bound", 0o644)
		put(t, dir, "ro/f", "old", 0o644)
		if err := os.Mkdir(filepath.Join(dir, "tmp"), 0o755); err != nil {
			t.Error(err)
			return
		}
		mount := func(source, target, kind string, flags uintptr) {
			if err := unix.Mount(source, filepath.Join(dir, target), kind, flags, ""); err != nil {
				t.Errorf("mount %s: %v", target, err)
			}
		}
		mount(filepath.Join(dir, "outside"), "etc/xrdp.ini", "", unix.MS_BIND)
		mount(filepath.Join(dir, "ro"), "ro", "", unix.MS_BIND)
		mount("", "ro", "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY)
		mount("tmpfs", "tmp", "tmpfs", 0)
		link(t, "/etc/xrdp.ini", filepath.Join(dir, "tmp/l"))
		r, err := OpenRoot(dir)
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = r.Close() }()

		refused(t, r, "etc/xrdp.ini", ReasonMountPoint)
		refused(t, r, "tmp/l", ReasonMountPoint)
		refused(t, r, "ro/f", ReasonReadOnly)
		refused(t, r, "ro/new", ReasonReadOnly)
		// Without a check before, rename itself gives the same answer.
		p, err := r.walk("etc/xrdp.ini", false)
		if err != nil {
			t.Error(err)
			return
		}
		defer p.close()
		if err := unix.Renameat(p.dir, "nothing", p.dir, p.name); !errors.Is(err, unix.ENOENT) {
			t.Errorf("rename: %v", err)
		}
		if m, err := mountID(p.dir); err != nil || m == "" {
			t.Errorf("mount of the directory: %q, %v", m, err)
		} else if n, err := mountID(p.node); err != nil || n == m {
			t.Errorf("mount of the file: %q and %q, %v", n, m, err)
		}
		if err := r.Remove("etc/xrdp.ini"); !errors.Is(err, ErrNotReplaceable) {
			t.Errorf("Remove: %v", err)
		}
		// In place it works, and on tmpfs everything does.
		if _, err := r.WriteInPlace("etc/xrdp.ini", []byte("in place"), Options{}); err != nil {
			t.Error(err)
		}
		if got := read(t, filepath.Join(dir, "outside")); got != "in place" {
			t.Errorf("behind the mount: %q", got)
		}
		attr := Attr{UID: otherUID, GID: otherGID, Mode: 0o640, Xattrs: map[string][]byte{"trusted.x": []byte("1"), xattrACL: aclOf(t, 6, 4, 4, aclUser{1, 4})}}
		if s, err := r.Write("tmp/f", []byte("x"), attr, Options{Expect: &State{}}); err != nil || s.Mode != 0o640 {
			t.Errorf("on tmpfs: %+v, %v", s, err)
		}
	})
}

// TestFullDisk fills a small file system: the old file stays, no temporary one
// does.
func TestFullDisk(t *testing.T) {
	_, dir := tree(t)
	inMounts(t, func() {
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
			t.Error(err)
			return
		}
		put(t, dir, "f", "old", 0o644)
		r, err := OpenRoot(dir)
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = r.Close() }()
		big := make([]byte, 1<<20)
		if _, err := r.Write("f", big, ownAttr(0o644), Options{}); !errors.Is(err, unix.ENOSPC) {
			t.Errorf("Write: %v", err)
		}
		if _, err := r.WriteInPlace("f", big, Options{}); !errors.Is(err, unix.ENOSPC) {
			t.Errorf("WriteInPlace: %v", err)
		}
		if got := read(t, filepath.Join(dir, "f")); got != "old" || temps(t, dir) != nil {
			t.Errorf("after a full disk: %q, %v", got, temps(t, dir))
		}
	})
}

// The bits of FS_IOC_SETFLAGS (linux/fs.h).
const (
	flagImmutable = 0x10
	flagAppend    = 0x20
)

func TestImmutable(t *testing.T) {
	needRoot(t)
	r, dir := tree(t)
	for _, tt := range []struct {
		file, flagged string
		flag          int
		reason        Reason
	}{
		{"a/f", "a/f", flagImmutable, ReasonImmutable},
		{"b/f", "b/f", flagAppend, ReasonAppendOnly},
		{"c/f", "c", flagImmutable, ReasonImmutable},
	} {
		put(t, dir, tt.file, "old", 0o644)
		f, err := os.Open(filepath.Join(dir, tt.flagged))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		flags, err := unix.IoctlGetInt(int(f.Fd()), unix.FS_IOC_GETFLAGS)
		if err != nil {
			t.Fatalf("a file system with chattr flags below %s is needed: %v", dir, err)
		}
		set := func(flags int) error { return unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, flags) }
		if err := set(flags | tt.flag); err != nil {
			t.Fatalf("a file system with chattr flags below %s is needed: %v", dir, err)
		}
		defer func() {
			if err := set(flags); err != nil {
				t.Error(err)
			}
		}()
		refused(t, r, tt.file, tt.reason)
	}
}

func TestCheck(t *testing.T) {
	r, dir := tree(t)
	put(t, dir, "f", "old", 0o644)
	if err := os.Mkdir(filepath.Join(dir, "d"), 0o755); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{
		"f": nil, "new": nil, "d": ErrNotRegular, "/": ErrNotRegular, "d/..": ErrNotRegular, "none/f": fs.ErrNotExist, "f/x": unix.ENOTDIR,
	} {
		if err := r.Check(path, Options{}); !errors.Is(err, want) {
			t.Errorf("Check(%s): %v, want %v", path, err, want)
		}
	}
	if list, err := r.ReadDir("/"); err != nil || len(list) != 2 {
		t.Errorf("Check left something: %v, %v", list, err)
	}
}
