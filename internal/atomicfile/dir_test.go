package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"golang.org/x/sys/unix"
)

func TestMkdirAll(t *testing.T) {
	needRoot(t)
	r, dir := tree(t)
	put(t, dir, "etc/f", "x", 0o644)
	link(t, "etc", filepath.Join(dir, "l"))
	link(t, "nowhere/d", filepath.Join(dir, "d"))
	if err := os.Chmod(filepath.Join(dir, "etc"), 0o755|os.ModeSetgid); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setxattr(filepath.Join(dir, "etc"), xattrDefaultACL, aclOf(t, 7, 7, 7, aclUser{otherUID, 7}), 0); err != nil {
		t.Fatal(err)
	}
	attr := Attr{UID: otherUID, GID: otherGID, Mode: 0o750}
	old := unix.Umask(0o077)
	made, err := r.MkdirAll("/l/xrdp/../xrdp/tls/2026", attr)
	unix.Umask(old)
	if want := []string{"/etc/xrdp", "/etc/xrdp/tls", "/etc/xrdp/tls/2026"}; err != nil || !reflect.DeepEqual(made, want) {
		t.Fatalf("made %v, %v", made, err)
	}
	for _, path := range made {
		if s, err := r.Stat(path); err != nil || !reflect.DeepEqual(s.Attr(), attr) {
			t.Errorf("%s: %+v, %v", path, s, err)
		}
	}
	if made, err = r.MkdirAll("etc/xrdp/tls", Attr{}); err != nil || made != nil {
		t.Errorf("again: %v, %v", made, err)
	}
	if s, err := r.Stat("etc/xrdp/tls"); err != nil || s.Mode != 0o750 {
		t.Errorf("an existing directory was changed: %+v, %v", s, err)
	}
	for path, want := range map[string]error{"etc/f": unix.ENOTDIR, "etc/f/x": unix.ENOTDIR, "d": fs.ErrNotExist, "d/x": fs.ErrNotExist} {
		if made, err := r.MkdirAll(path, attr); !errors.Is(err, want) || made != nil {
			t.Errorf("MkdirAll(%s): %v, %v", path, made, err)
		}
	}
	if err := r.RemoveDir("etc/xrdp"); !errors.Is(err, unix.ENOTEMPTY) {
		t.Errorf("RemoveDir of a full one: %v", err)
	}
	for _, path := range []string{"etc/xrdp/tls/2026", "etc/xrdp/tls", "etc/xrdp"} {
		if err := r.RemoveDir(path); err != nil {
			t.Error(err)
		}
	}
}

// TestMkdirAllFails makes each step fail in turn: what is listed as made is
// there, and nothing else.
func TestMkdirAllFails(t *testing.T) {
	for n := 0; ; n++ {
		r, _ := tree(t)
		left := n
		r.fault = func(string, string) error {
			if left--; left == -1 {
				return unix.EIO
			}
			return nil
		}
		made, err := r.MkdirAll("a/b", ownAttr(0o755))
		if left >= 0 {
			if err != nil || n < 4 {
				t.Errorf("%d steps, %v", n, err)
			}
			return
		}
		if !errors.Is(err, unix.EIO) {
			t.Errorf("step %d: %v", n, err)
		}
		for i, path := range []string{"/a", "/a/b"} {
			if s, err := r.Stat(path); err != nil || s.Exists != (i < len(made)) {
				t.Errorf("step %d: made %v, %s exists: %v, %v", n, made, path, s.Exists, err)
			}
		}
	}
}

func TestRemove(t *testing.T) {
	r, dir := tree(t)
	put(t, dir, "d/f", "x", 0o644)
	link(t, "d/f", filepath.Join(dir, "l"))
	link(t, "d", filepath.Join(dir, "ld"))
	for path, want := range map[string]error{"none": fs.ErrNotExist, "none/f": fs.ErrNotExist, "d": unix.EISDIR} {
		if err := r.Remove(path); !errors.Is(err, want) {
			t.Errorf("Remove(%s): %v", path, err)
		}
	}
	if err := r.RemoveDir("ld"); !errors.Is(err, unix.ENOTDIR) {
		t.Errorf("RemoveDir of a link: %v", err)
	}
	if err := r.Remove("l"); err != nil || read(t, filepath.Join(dir, "d/f")) != "x" {
		t.Errorf("Remove of a link: %v", err)
	}
	if err := r.Remove("ld/f"); err != nil {
		t.Error(err)
	}
	if list, err := r.ReadDir("ld"); err != nil || list != nil {
		t.Errorf("after Remove: %v, %v", list, err)
	}
	if list, err := r.ReadDir("/"); err != nil || !reflect.DeepEqual(list, []Entry{{"d", KindDir}, {"ld", KindSymlink}}) {
		t.Errorf("ReadDir: %v, %v", list, err)
	}
	if _, err := r.ReadDir("none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReadDir(none): %v", err)
	}
}

func TestRemoveTemps(t *testing.T) {
	r, dir := tree(t)
	mine := []string{tempName(), tempName()}
	kept := []string{"xrdp.ini", ".xrdpfix-short.tmp", mine[0] + "x", ".xrdpfix-ABCDEFGHIJKLMNOPQRSTUVWXY1.tmp", "x" + mine[0]}
	for _, name := range append([]string{mine[0]}, kept...) {
		put(t, dir, name, "x", 0o600)
	}
	link(t, "xrdp.ini", filepath.Join(dir, mine[1]))
	decoy := tempName()
	if err := os.Mkdir(filepath.Join(dir, decoy), 0o755); err != nil {
		t.Fatal(err)
	}
	removed, err := r.RemoveTemps("/")
	if err != nil || len(removed) != 2 {
		t.Errorf("removed %v, %v", removed, err)
	}
	list, err := r.ReadDir("/")
	if err != nil || len(list) != len(kept)+1 {
		t.Errorf("kept %v, %v", list, err)
	}
	if removed, err = r.RemoveTemps("/"); err != nil || removed != nil {
		t.Errorf("again: %v, %v", removed, err)
	}
}
