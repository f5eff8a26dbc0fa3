package atomicfile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func ownAttr(mode Mode) Attr { return Attr{UID: os.Geteuid(), GID: os.Getegid(), Mode: mode} }

// TestWriteMatrix crosses umask, mode and what is there before: the result has
// exactly the mode that was asked for.
func TestWriteMatrix(t *testing.T) {
	for _, umask := range []int{0, 0o022, 0o077, 0o777} {
		for _, mode := range []Mode{0o400, 0o600, 0o640, 0o644, 0o666, 0o4755, 0o000} {
			for _, before := range []string{"absent", "narrow", "wide"} {
				t.Run(fmt.Sprintf("umask %#o mode %v %s", umask, mode, before), func(t *testing.T) {
					r, dir := tree(t)
					path := filepath.Join(dir, "f")
					switch before {
					case "narrow":
						put(t, dir, "f", "old", 0o400)
					case "wide":
						put(t, dir, "f", "old", 0o777)
					}
					old := unix.Umask(umask)
					s, err := r.Write("/f", []byte("new"), ownAttr(mode), Options{})
					unix.Umask(old)
					if err != nil {
						t.Fatal(err)
					}
					if got := modeOf(t, path); got != mode {
						t.Errorf("mode %v", got)
					}
					again, err := r.Stat("f")
					if err != nil && os.Geteuid() == 0 {
						t.Fatal(err)
					}
					if !reflect.DeepEqual(s, again) && os.Geteuid() == 0 {
						t.Errorf("Write returned %+v\nStat       %+v", s, again)
					}
					if left := temps(t, dir); left != nil {
						t.Errorf("left: %v", left)
					}
				})
			}
		}
	}
}

func TestWriteOwnerAndBytes(t *testing.T) {
	needRoot(t)
	r, dir := tree(t)
	path := put(t, dir, "etc/xrdp/key.pem", "old", 0o600)
	want := Attr{UID: otherUID, GID: otherGID, Mode: 0o640}
	data := bytes.Repeat([]byte("key\x00\r\n"), 100000)
	s, err := r.Write("etc/xrdp/key.pem", data, want, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Attr(); !reflect.DeepEqual(got, want) {
		t.Errorf("attributes %+v, want %+v", got, want)
	}
	if read(t, path) != string(data) {
		t.Error("other bytes")
	}
	if _, err := r.Write("etc/nodir/key.pem", nil, want, Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a directory: %v", err)
	}
}

// TestWriteNeverWider looks at the temporary file before every step of a write:
// what it grants must be a part of what the final file grants, and to others than
// its owner it grants nothing before the last byte is there.
func TestWriteNeverWider(t *testing.T) {
	needRoot(t)
	for _, attr := range []Attr{
		{UID: 0, GID: otherGID, Mode: 0o640},
		{UID: otherUID, GID: 0, Mode: 0o400},
		{UID: 0, GID: 0, Mode: 0o644},
		{UID: otherUID, GID: otherGID, Mode: 0o060},
	} {
		r, dir := tree(t)
		// A default ACL that would let another user in, and a careless umask.
		acl := aclOf(t, 7, 7, 7, aclUser{otherUID + 7, 7})
		if err := unix.Setxattr(dir, xattrDefaultACL, acl, 0); err != nil {
			t.Fatalf("a file system with ACLs is needed: %v", err)
		}
		secret := []byte("secret")
		steps := 0
		r.fault = func(op, name string) error {
			for _, path := range temps(t, dir) {
				steps++
				var st unix.Stat_t
				if err := unix.Lstat(path, &st); err != nil {
					t.Fatal(err)
				}
				if wider := Mode(st.Mode&0o777) &^ attr.Mode; wider != 0 {
					t.Errorf("before %s: mode %v of %v", op, Mode(st.Mode&modeBits), attr.Mode)
				}
				if st.Mode&0o077 != 0 && (int(st.Uid) != attr.UID || int(st.Gid) != attr.GID || st.Size != int64(len(secret))) {
					t.Errorf("before %s: mode %#o while owned by %d:%d with %d bytes", op, st.Mode, st.Uid, st.Gid, st.Size)
				}
				if op == "create" {
					continue
				}
				if n, err := unix.Getxattr(path, xattrACL, nil); err == nil {
					t.Errorf("before %s: an inherited ACL of %d bytes", op, n)
				}
			}
			return nil
		}
		old := unix.Umask(0)
		_, err := r.Write("key.pem", secret, attr, Options{})
		unix.Umask(old)
		if err != nil {
			t.Fatal(err)
		}
		if steps < 4 {
			t.Errorf("looked only %d times", steps)
		}
		if _, err := unix.Getxattr(filepath.Join(dir, "key.pem"), xattrACL, nil); !errors.Is(err, unix.ENODATA) {
			t.Errorf("ACL of the new file: %v", err)
		}
	}
}

// TestWriteFails makes each step of a write fail in turn: the old file stays,
// byte and attribute, and nothing else is left.
func TestWriteFails(t *testing.T) {
	for _, op := range []string{"file", "new", "link"} {
		for n := 0; ; n++ {
			r, dir := tree(t)
			if op != "new" {
				put(t, dir, "f", "old", 0o640)
			}
			before, err := r.Stat("f")
			if err != nil {
				t.Fatal(err)
			}
			left, failed := n, ""
			r.fault = func(op, _ string) error {
				if left--; left == -1 {
					failed = op
					return unix.EIO
				}
				return nil
			}
			if op == "link" {
				_, err = r.Symlink("elsewhere", "f", ownAttr(0), Options{})
			} else {
				_, err = r.Write("f", []byte("new"), ownAttr(0o600), Options{})
			}
			r.fault = nil
			if failed == "" {
				if err != nil {
					t.Errorf("%s: %v without a fault", op, err)
				}
				if n < 4 {
					t.Errorf("%s: only %d steps", op, n)
				}
				break
			}
			after, serr := r.Lstat("f")
			if serr != nil {
				t.Fatal(serr)
			}
			if failed == "fsync directory" {
				if !errors.Is(err, ErrNotDurable) || after.Same(before) {
					t.Errorf("%s, %s: %v, %+v", op, failed, err, after)
				}
			} else if !errors.Is(err, unix.EIO) || !reflect.DeepEqual(after, before) {
				t.Errorf("%s, %s: %v\n got %+v\nwant %+v", op, failed, err, after, before)
			}
			if left := temps(t, dir); left != nil {
				t.Errorf("%s, %s: left %v", op, failed, left)
			}
		}
	}
}

// TestWriteOrder holds the order that the comment on Write argues for.
func TestWriteOrder(t *testing.T) {
	needRoot(t)
	r, dir := tree(t)
	put(t, dir, "f", "old", 0o600)
	var got []string
	r.fault = func(op, name string) error {
		if op == "setxattr" {
			op += " " + name
		}
		got = append(got, op)
		return nil
	}
	attr := Attr{Mode: 0o640, Xattrs: map[string][]byte{"user.a": nil, "security.xrdpfix": []byte("l"), "user.b": nil}}
	if _, err := r.Write("f", []byte("new"), attr, Options{}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"create", "setxattr security.xrdpfix", "write", "chown", "chmod", "setxattr user.a", "setxattr user.b",
		"fsync", "rename", "fsync directory",
	}
	if !slices.Equal(got, want) {
		t.Errorf("order %q\nwant  %q", got, want)
	}
}

func TestWriteExpect(t *testing.T) {
	r, dir := tree(t)
	nothing := &State{}
	if _, err := r.Write("f", []byte("1"), ownAttr(0o644), Options{Expect: nothing}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Write("f", []byte("2"), ownAttr(0o644), Options{Expect: nothing}); !errors.Is(err, ErrChanged) {
		t.Errorf("over an unexpected file: %v", err)
	}
	s, err := r.Stat("f")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Write("f", []byte("3"), ownAttr(0o644), Options{Expect: &s}); err != nil {
		t.Fatal(err)
	}
	for _, opts := range []Options{{Expect: &s}, {Expect: &s, FollowLink: true}} {
		if _, err := r.Write("f", []byte("4"), ownAttr(0o644), opts); !errors.Is(err, ErrChanged) {
			t.Errorf("over other bytes: %v", err)
		}
		if err := r.Check("f", opts); !errors.Is(err, ErrChanged) {
			t.Errorf("check over other bytes: %v", err)
		}
	}
	if s, err = r.Stat("f"); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "f"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Write("f", []byte("5"), ownAttr(0o644), Options{Expect: &s}); !errors.Is(err, ErrChanged) {
		t.Errorf("over another mode: %v", err)
	}
	if got := read(t, filepath.Join(dir, "f")); got != "3" {
		t.Errorf("the file says %q", got)
	}
}

// TestWriteRace changes the place between the look and the rename.
func TestWriteRace(t *testing.T) {
	for _, tt := range []struct {
		name   string
		before string
		change func(path string) error
		opts   Options
	}{
		{"appears", "", func(p string) error { return os.WriteFile(p, []byte("theirs"), 0o600) }, Options{Expect: &State{}}},
		{"link appears", "", func(p string) error { return os.Symlink("/etc/passwd", p) }, Options{}},
		{"goes", "old", os.Remove, Options{}},
		{"is edited", "old", func(p string) error { return os.WriteFile(p, []byte("theirs"), 0o600) }, Options{}},
		{"becomes a directory", "old", func(p string) error { return errors.Join(os.Remove(p), os.Mkdir(p, 0o755)) }, Options{}},
	} {
		r, dir := tree(t)
		path := filepath.Join(dir, "f")
		if tt.before != "" {
			put(t, dir, "f", tt.before, 0o600)
		}
		r.fault = func(op, _ string) error {
			if op == "rename" {
				return tt.change(path)
			}
			return nil
		}
		if _, err := r.Write("f", []byte("ours"), ownAttr(0o600), tt.opts); !errors.Is(err, ErrChanged) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if data, err := os.ReadFile(path); err == nil && string(data) == "ours" {
			t.Errorf("%s: overwritten", tt.name)
		}
		if left := temps(t, dir); left != nil {
			t.Errorf("%s: left %v", tt.name, left)
		}
	}
}

// TestSwappedDirectory moves the directory away and puts another user's link in
// its place while a write is under way: the write goes to the directory that was
// looked at.
func TestSwappedDirectory(t *testing.T) {
	r, dir := tree(t)
	put(t, dir, "etc/f", "old", 0o600)
	put(t, dir, "victim/f", "untouched", 0o600)
	r.fault = func(op, _ string) error {
		if op != "create" {
			return nil
		}
		return errors.Join(os.Rename(filepath.Join(dir, "etc"), filepath.Join(dir, "moved")), os.Symlink("victim", filepath.Join(dir, "etc")))
	}
	if _, err := r.Write("etc/f", []byte("new"), ownAttr(0o600), Options{}); err != nil {
		t.Fatal(err)
	}
	if got := [2]string{read(t, filepath.Join(dir, "victim/f")), read(t, filepath.Join(dir, "moved/f"))}; got != [2]string{"untouched", "new"} {
		t.Errorf("victim and moved: %q", got)
	}
}

func TestWriteInPlace(t *testing.T) {
	for _, tt := range []struct{ before, after string }{{"old", "longer than before"}, {"longer than after", "new"}, {"", "x"}, {"x", ""}} {
		r, dir := tree(t)
		path := put(t, dir, "f", tt.before, 0o640)
		before, err := r.Stat("f")
		if err != nil {
			t.Fatal(err)
		}
		s, err := r.WriteInPlace("f", []byte(tt.after), Options{Expect: &before})
		if err != nil {
			t.Fatal(err)
		}
		if got := read(t, path); got != tt.after {
			t.Errorf("%q became %q", tt.before, got)
		}
		now, err := r.Stat("f")
		if err != nil || !reflect.DeepEqual(s, now) {
			t.Errorf("returned %+v\nis       %+v %v", s, now, err)
		}
		if s.Mode != before.Mode || s.UID != before.UID {
			t.Errorf("attributes changed: %+v", s)
		}
		if _, err := r.WriteInPlace("f", nil, Options{Expect: &before}); !errors.Is(err, ErrChanged) {
			t.Errorf("over other bytes: %v", err)
		}
	}
	r, dir := tree(t)
	put(t, dir, "f", "old", 0o600)
	link(t, "f", filepath.Join(dir, "l"))
	if err := os.Link(filepath.Join(dir, "f"), filepath.Join(dir, "f2")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "d"), 0o755); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{"f": ErrHardLinked, "l": ErrNotRegular, "d": ErrNotRegular, "none": fs.ErrNotExist} {
		if _, err := r.WriteInPlace(path, []byte("new"), Options{}); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
	}
	if got := read(t, filepath.Join(dir, "f")); got != "old" {
		t.Errorf("a refused write left %q", got)
	}
}
