package atomicfile

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"golang.org/x/sys/unix"
)

type aclUser struct {
	uid  uint32
	perm uint16
}

// aclOf builds the value of system.posix_acl_access (linux/posix_acl_xattr.h):
// version 2, then tag, permissions and id of each entry.
func aclOf(t *testing.T, owner, group, mask uint16, users ...aclUser) []byte {
	t.Helper()
	b := binary.LittleEndian.AppendUint32(nil, 2)
	add := func(tag, perm uint16, id uint32) {
		b = binary.LittleEndian.AppendUint16(b, tag)
		b = binary.LittleEndian.AppendUint16(b, perm)
		b = binary.LittleEndian.AppendUint32(b, id)
	}
	const none = 0xffffffff
	add(0x01, owner, none)
	for _, u := range users {
		add(0x02, u.perm, u.uid)
	}
	add(0x04, group, none)
	add(0x10, mask, none)
	add(0x20, 0, none)
	return b
}

func TestXattrsAreKept(t *testing.T) {
	needRoot(t)
	r, dir := tree(t)
	path := put(t, dir, "xrdp.ini", "old", 0o640)
	want := map[string][]byte{
		"user.comment":     []byte("by hand\x00\xff"),
		"user.empty":       {},
		"trusted.mark":     []byte("1"),
		"security.xrdpfix": []byte("system_u:object_r:etc_t:s0"),
		xattrACL:           aclOf(t, 6, 4, 4, aclUser{otherUID, 4}),
	}
	for name, value := range want {
		if err := unix.Setxattr(path, name, value, 0); err != nil {
			t.Fatalf("a file system with extended attributes and ACLs is needed: %s: %v", name, err)
		}
	}
	s, err := r.Stat("xrdp.ini")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(s.Xattrs, want) {
		t.Fatalf("Stat: %v", s.Xattrs)
	}
	after, err := r.Write("xrdp.ini", []byte("new"), s.Attr(), Options{Expect: &s})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(after.Attr(), s.Attr()) {
		t.Errorf("after Write:\n got %+v\nwant %+v", after.Attr(), s.Attr())
	}
	if after, err = r.Stat("xrdp.ini"); err != nil || !reflect.DeepEqual(after.Attr(), s.Attr()) {
		t.Errorf("Stat after Write: %+v, %v", after.Attr(), err)
	}

	// Attributes that are not asked for go.
	if after, err = r.Write("xrdp.ini", []byte("new"), Attr{Mode: 0o600}, Options{}); err != nil || after.Xattrs != nil {
		t.Errorf("without attributes: %v, %v", after.Xattrs, err)
	}
	steps, err := r.Steps("xrdp.ini")
	if err != nil || steps[1].ACL != nil {
		t.Errorf("steps without an ACL: %+v, %v", steps, err)
	}
	if err := unix.Setxattr(path, xattrACL, want[xattrACL], 0); err != nil {
		t.Fatal(err)
	}
	steps, err = r.Steps("xrdp.ini")
	if err != nil || !reflect.DeepEqual(steps[1].ACL, want[xattrACL]) {
		t.Errorf("steps: %+v, %v", steps, err)
	}
}

// TestModeAndACL changes the mode of a file that has an ACL, with the kernel's
// chmod as the measure.
func TestModeAndACL(t *testing.T) {
	needRoot(t)
	masked := aclOf(t, 6, 6, 6, aclUser{otherUID, 7}, aclUser{otherUID + 1, 4})
	minimal := append(append(append([]byte(nil), masked[:12]...), masked[28:36]...), masked[44:]...)
	for _, acl := range [][]byte{masked, minimal} {
		for _, mode := range []Mode{0o600, 0o640, 0o644, 0o400, 0o777, 0o000} {
			r, dir := tree(t)
			path := put(t, dir, "f", "x", 0o600)
			if err := unix.Setxattr(path, xattrACL, acl, 0); err != nil {
				t.Fatal(err)
			}
			s, err := r.Stat("f")
			if err != nil {
				t.Fatal(err)
			}
			if err := unix.Chmod(path, uint32(mode)); err != nil {
				t.Fatal(err)
			}
			want, err := r.Stat("f")
			if err != nil {
				t.Fatal(err)
			}
			attr := s.Attr()
			attr.Mode = mode
			r.fault = func(op, _ string) error {
				for _, p := range temps(t, dir) {
					if wider := modeOf(t, p) &^ mode; wider != 0 {
						t.Errorf("mode %v, before %s: wider by %v", mode, op, wider)
					}
				}
				return nil
			}
			got, err := r.Write("f", []byte("x"), attr, Options{})
			if err != nil || !got.Same(want) {
				t.Errorf("mode %v: %v\n got %+v\nwant %+v", mode, err, got, want)
			}
		}
	}
}

// TestLabelBeforeBytes has the label, which only restricts, on the file before
// the contents, and a label that is refused stops the write.
func TestLabelBeforeBytes(t *testing.T) {
	needRoot(t)
	r, dir := tree(t)
	seen := false
	r.fault = func(op, _ string) error {
		for _, path := range temps(t, dir) {
			if op == "write" {
				_, err := unix.Getxattr(path, "security.xrdpfix", nil)
				seen = err == nil
			}
		}
		return nil
	}
	attr := Attr{Mode: 0o600, Xattrs: map[string][]byte{"security.xrdpfix": []byte("l"), "user.x": []byte("u")}}
	if _, err := r.Write("f", []byte("x"), attr, Options{}); err != nil || !seen {
		t.Errorf("label seen before the bytes: %v, %v", seen, err)
	}
	r.fault = nil
	attr.Xattrs = map[string][]byte{"nonsense.x": []byte("l")}
	if _, err := r.Write("g", []byte("x"), attr, Options{}); !errors.Is(err, unix.ENOTSUP) {
		t.Errorf("an attribute that cannot be set: %v", err)
	}
	if _, err := os.Lstat(filepath.Join(dir, "g")); !os.IsNotExist(err) || temps(t, dir) != nil {
		t.Errorf("left after a refused attribute: %v %v", err, temps(t, dir))
	}
}

func TestLinkKeepsLabelAndOwner(t *testing.T) {
	needRoot(t)
	r, dir := tree(t)
	path := filepath.Join(dir, "key.pem")
	link(t, "/etc/ssl/private/snakeoil.key", path)
	if err := errors.Join(os.Lchown(path, otherUID, otherGID), unix.Lsetxattr(path, "security.xrdpfix", []byte("l"), 0)); err != nil {
		t.Fatal(err)
	}
	before, err := r.Lstat("key.pem")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Write("key.pem", []byte("own"), Attr{Mode: 0o600}, Options{Expect: &before}); err != nil {
		t.Fatal(err)
	}
	s, err := r.Symlink(before.Target, "key.pem", before.Attr(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	after, err := r.Lstat("key.pem")
	if err != nil || !after.Same(before) || !after.Same(s) {
		t.Errorf("put back:\n got %+v %v\nwant %+v", after, err, before)
	}
}
