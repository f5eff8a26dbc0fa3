package host

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"golang.org/x/sys/unix"

	"xrdpfix/diagnose"
)

// testAccounts is what the trees of these tests are judged with.
var testPasswd = "root:x:0:0:root:/root:/bin/bash\nxrdp:x:112:118::/run/xrdp:/usr/sbin/nologin\nalice:x:1000:1000::/home/alice:/bin/sh\n"

var testGroup = "root:x:0:\nssl-cert:x:117:\nxrdp:x:118:\nusers:x:100:alice\nalice:x:1000:\n"

func testAccounts() *Accounts { return ParseAccounts([]byte(testPasswd), []byte(testGroup)) }

func xrdpIdentity(groups ...int) diagnose.Identity {
	return diagnose.Identity{UID: 112, GID: 118, Groups: groups, User: "xrdp", Group: "xrdp"}
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("this test gives files to other users: run it as root")
	}
}

// entry is a file of a test tree: a directory ends in "/", a link has a target.
type entry struct {
	name, target string
	mode         uint32
	uid, gid     int
	acl          []aclEntry
}

func plant(t *testing.T, root string, entries []entry) {
	t.Helper()
	for _, e := range entries {
		full := filepath.Join(root, e.name)
		var err error
		switch {
		case e.target != "":
			err = os.Symlink(e.target, full)
		case e.name[len(e.name)-1] == '/':
			err = os.Mkdir(full, 0o700)
		default:
			err = os.WriteFile(full, []byte("x"), 0o600)
		}
		if err == nil {
			err = os.Lchown(full, e.uid, e.gid)
		}
		if err == nil && e.target == "" {
			err = unix.Chmod(full, e.mode)
		}
		if err == nil && e.acl != nil {
			err = unix.Setxattr(full, aclXattr, encodeACL(e.acl), 0)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func encodeACL(acl []aclEntry) []byte {
	b := binary.LittleEndian.AppendUint32(nil, aclVersion)
	for _, e := range acl {
		b = binary.LittleEndian.AppendUint16(b, e.tag)
		b = binary.LittleEndian.AppendUint16(b, uint16(e.perm))
		b = binary.LittleEndian.AppendUint32(b, uint32(e.id))
	}
	return b
}

// snakeoil is the stock Debian tree.
func snakeoil() []entry {
	return []entry{
		{name: "etc/", mode: 0o755},
		{name: "etc/xrdp/", mode: 0o755},
		{name: "etc/ssl/", mode: 0o755},
		{name: "etc/ssl/private/", mode: 0o710, gid: 117},
		{name: "etc/ssl/private/snakeoil.key", mode: 0o640, gid: 117},
		{name: "etc/xrdp/key.pem", target: "/etc/ssl/private/snakeoil.key"},
	}
}

func TestWalkSnakeoil(t *testing.T) {
	needRoot(t)
	root := t.TempDir()
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	plant(t, root, snakeoil())
	got := Walk(root, "/etc/xrdp/key.pem", testAccounts(), xrdpIdentity(), xrdpIdentity())
	want := diagnose.PathFact{
		Path: "/etc/xrdp/key.pem", Real: "/etc/ssl/private/snakeoil.key", Exists: true,
		Stop: 6, Why: "user xrdp is not in group ssl-cert",
		Steps: []diagnose.Step{
			{Path: "/", Kind: "dir", Mode: 0o755, Owner: "root", Group: "root"},
			{Path: "/etc", Kind: "dir", Mode: 0o755, Owner: "root", Group: "root"},
			{Path: "/etc/xrdp", Kind: "dir", Mode: 0o755, Owner: "root", Group: "root"},
			{Path: "/etc/xrdp/key.pem", Kind: "link", Mode: 0o777, Owner: "root", Group: "root", Target: "/etc/ssl/private/snakeoil.key"},
			{Path: "/etc", Kind: "dir", Mode: 0o755, Owner: "root", Group: "root"},
			{Path: "/etc/ssl", Kind: "dir", Mode: 0o755, Owner: "root", Group: "root"},
			{Path: "/etc/ssl/private", Kind: "dir", Mode: 0o710, GID: 117, Owner: "root", Group: "ssl-cert"},
			{Path: "/etc/ssl/private/snakeoil.key", Kind: "file", Mode: 0o640, GID: 117, Owner: "root", Group: "ssl-cert"},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestWalk(t *testing.T) {
	needRoot(t)
	root0 := diagnose.Identity{User: "root", Group: "root"}
	type result struct {
		exists, readable, after, writable, others bool
		stop                                      string // path of the step
		why                                       string
	}
	dirs := []entry{{name: "etc/", mode: 0o755}, {name: "etc/xrdp/", mode: 0o755}}
	aclUserRead := []aclEntry{{aclUserObj, 6, -1}, {aclUser, 4, 112}, {aclGroupObj, 0, -1}, {aclMask, 4, -1}, {aclOther, 0, -1}}
	aclMasked := []aclEntry{{aclUserObj, 6, -1}, {aclUser, 4, 112}, {aclGroupObj, 4, -1}, {aclMask, 0, -1}, {aclOther, 4, -1}}
	for _, tt := range []struct {
		name           string
		tree           []entry
		path           string
		serving, start diagnose.Identity
		want           result
	}{
		{"in the group by a restart", snakeoil(), "/etc/xrdp/key.pem", xrdpIdentity(), xrdpIdentity(117),
			result{exists: true, after: true, stop: "/etc/ssl/private",
				why: "user xrdp is in group ssl-cert, but the running process started before that"}},
		{"in the group", snakeoil(), "/etc/xrdp/key.pem", xrdpIdentity(117), xrdpIdentity(117),
			result{exists: true, readable: true, after: true}},
		{"root now, xrdp later", snakeoil(), "/etc/xrdp/key.pem", root0, xrdpIdentity(),
			result{exists: true, readable: true, writable: true, stop: "/etc/ssl/private",
				why: "after the next start: user xrdp is not in group ssl-cert"}},
		{"private file", append(dirs, entry{name: "etc/xrdp/key.pem", mode: 0o600}), "/etc/xrdp/key.pem", xrdpIdentity(), xrdpIdentity(),
			result{exists: true, stop: "/etc/xrdp/key.pem", why: "mode 0600, owner root"}},
		{"owner without a bit", append(dirs, entry{name: "etc/xrdp/key.pem", mode: 0o044, uid: 112}), "/etc/xrdp/key.pem", xrdpIdentity(), xrdpIdentity(),
			result{exists: true, others: true, stop: "/etc/xrdp/key.pem", why: "mode 0044, owner xrdp, group root"}},
		{"daemon can write it", append(dirs, entry{name: "etc/xrdp/key.pem", mode: 0o660, gid: 118}), "/etc/xrdp/key.pem", xrdpIdentity(), xrdpIdentity(),
			result{exists: true, readable: true, after: true, writable: true}},
		{"everybody", append(dirs, entry{name: "etc/xrdp/key.pem", mode: 0o644}), "/etc/xrdp/key.pem", xrdpIdentity(), xrdpIdentity(),
			result{exists: true, readable: true, after: true, others: true}},
		{"closed directory", []entry{{name: "etc/", mode: 0o755}, {name: "etc/xrdp/", mode: 0o700}, {name: "etc/xrdp/key.pem", mode: 0o644}}, "/etc/xrdp/key.pem", xrdpIdentity(), xrdpIdentity(),
			result{exists: true, stop: "/etc/xrdp", why: "/etc/xrdp: mode 0700, owner root"}},
		{"missing", dirs, "/etc/xrdp/key.pem", xrdpIdentity(), xrdpIdentity(),
			result{stop: "/etc/xrdp/key.pem", why: "no such file"}},
		{"missing behind a closed directory", []entry{{name: "etc/", mode: 0o700}}, "/etc/xrdp/key.pem", xrdpIdentity(), xrdpIdentity(),
			result{stop: "/etc", why: "/etc: mode 0700, owner root"}},
		{"dangling", append(dirs, entry{name: "etc/xrdp/key.pem", target: "nowhere/key.pem"}), "/etc/xrdp/key.pem", xrdpIdentity(), xrdpIdentity(),
			result{stop: "/etc/xrdp/nowhere", why: "dangling link"}},
		{"loop", append(dirs, entry{name: "etc/xrdp/key.pem", target: "key.pem"}), "/etc/xrdp/key.pem", xrdpIdentity(), xrdpIdentity(),
			result{stop: "/etc/xrdp/key.pem", why: "too many levels of symbolic links"}},
		{"file on the way", append(dirs, entry{name: "etc/xrdp/tls", mode: 0o644}), "/etc/xrdp/tls/key.pem", xrdpIdentity(), xrdpIdentity(),
			result{stop: "/etc/xrdp/tls", why: "not a directory"}},
		{"link that climbs out", append(dirs, entry{name: "etc/xrdp/key.pem", target: "../../../../../etc/real"}, entry{name: "etc/real", mode: 0o644}), "/etc/xrdp/key.pem", xrdpIdentity(), xrdpIdentity(),
			result{exists: true, readable: true, after: true, others: true}},
		{"ACL for the user", append(dirs, entry{name: "etc/xrdp/key.pem", acl: aclUserRead}), "/etc/xrdp/key.pem", xrdpIdentity(), xrdpIdentity(),
			result{exists: true, readable: true, after: true}},
		{"ACL behind its mask", append(dirs, entry{name: "etc/xrdp/key.pem", acl: aclMasked}), "/etc/xrdp/key.pem", xrdpIdentity(), xrdpIdentity(),
			result{exists: true, others: true, stop: "/etc/xrdp/key.pem", why: "mode 0604, owner root, and its ACL gives user xrdp nothing"}},
		{"planted link in a sticky directory", []entry{{name: "tmp/", mode: 0o1777}, {name: "tmp/x", target: "../f", uid: 1000}, {name: "f", mode: 0o644}}, "/tmp/x", root0, root0,
			result{exists: true, others: false, writable: false, stop: "/tmp/x",
				why: "/tmp/x: a link of user alice in a directory that everybody can write is not followed (fs.protected_symlinks)"}},
		{"NUL", nil, "/etc/\x00", root0, root0, result{why: "the path holds a NUL"}},
		{"none", nil, "", root0, root0, result{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := t.TempDir()
			if err := os.Chmod(root, 0o755); err != nil {
				t.Fatal(err)
			}
			plant(t, root, tt.tree)
			f := Walk(root, tt.path, testAccounts(), tt.serving, tt.start)
			got := result{exists: f.Exists, readable: f.Readable, after: f.ReadableAfterRestart, writable: f.Writable, others: f.OthersRead, why: f.Why}
			if f.Stop >= 0 {
				got.stop = f.Steps[f.Stop].Path
			}
			if got != tt.want || f.Failed != "" {
				t.Errorf("got  %+v (%s)\nwant %+v", got, f.Failed, tt.want)
			}
		})
	}
}

// TestWalkAgreesWithKernel generates trees and asks the kernel about each: our
// emulation and a real attempt must say the same.
func TestWalkAgreesWithKernel(t *testing.T) {
	needRoot(t)
	r := rand.New(rand.NewPCG(1, 2))
	modes := []uint32{0, 0o400, 0o440, 0o444, 0o600, 0o640, 0o644, 0o700, 0o710, 0o711, 0o750, 0o755, 0o070, 0o007, 0o1777, 0o777, 0o047}
	ids := []int{0, 112, 1000}
	gids := []int{0, 100, 117, 118, 1000}
	pick := func(s []int) int { return s[r.IntN(len(s))] }
	randomACL := func() []aclEntry {
		if r.IntN(3) > 0 {
			return nil
		}
		acl := []aclEntry{{aclUserObj, uint32(r.IntN(8)), -1}}
		if r.IntN(2) == 0 {
			acl = append(acl, aclEntry{aclUser, uint32(r.IntN(8)), 112})
		}
		acl = append(acl, aclEntry{aclGroupObj, uint32(r.IntN(8)), -1})
		if r.IntN(2) == 0 {
			acl = append(acl, aclEntry{aclGroup, uint32(r.IntN(8)), 117})
		}
		return append(acl, aclEntry{aclMask, uint32(r.IntN(8)), -1}, aclEntry{aclOther, uint32(r.IntN(8)), -1})
	}
	root := t.TempDir()
	for dir := root; dir != "/" && dir != os.TempDir(); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	names := testAccounts()
	readable := 0
	const trees = 800
	for i := range trees {
		base := filepath.Join(root, fmt.Sprint(i))
		plant(t, root, []entry{{name: fmt.Sprint(i) + "/", mode: 0o755}})
		mode := func() uint32 { return modes[r.IntN(len(modes))] }
		plant(t, base, []entry{
			{name: "a/", mode: mode(), uid: pick(ids), gid: pick(gids), acl: randomACL()},
			{name: "a/b/", mode: mode() | 0o111*uint32(r.IntN(2)), uid: pick(ids), gid: pick(gids)},
			{name: "a/b/key", mode: mode(), uid: pick(ids), gid: pick(gids), acl: randomACL()},
			{name: "s/", mode: []uint32{0o1777, 0o755, 0o777}[r.IntN(3)], uid: pick(ids)},
			{name: "s/l", target: "../a/b/key", uid: pick(ids)},
		})
		id := diagnose.Identity{UID: pick(ids), GID: pick(gids)}
		for range r.IntN(3) {
			id.Groups = append(id.Groups, pick(gids))
		}
		path := base + []string{"/a/b/key", "/s/l", "/a/../s/l", "/s/../a/b/"}[r.IntN(4)]
		tr := follow("/", path, names)
		j := judge{trail: tr, names: names, links: protectedSymlinks("/")}
		ours := tr.ended && j.way(id).step < 0
		tr.close()
		err := TryRead("/", path, id)
		if err != nil && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if ours != (err == nil) {
			t.Errorf("%s for %+v: we say %v, the kernel %v\n%+v", path, id, ours, err, tr.steps)
		}
		if f := Walk("/", path, names, id, id); f.Readable != (err == nil) || f.ReadableAfterRestart != f.Readable || f.Failed != "" {
			t.Errorf("%s for %+v: Walk says %+v, the kernel %v", path, id, f, err)
		}
		// The same question through a root directory.
		if err2 := TryRead(base, path[len(base):], id); (err == nil) != (err2 == nil) {
			t.Errorf("%s for %+v: live %v, inside a tree %v", path, id, err, err2)
		}
		if ours {
			readable++
		}
	}
	if readable < trees/20 || readable > trees*19/20 {
		t.Errorf("%d of %d readable: the trees decide nothing", readable, trees)
	}
	if err := TryRead("/", "/etc/shadow", diagnose.Identity{}); err != nil {
		t.Errorf("our own identity changed: %v", err)
	}
}

func FuzzParseACL(f *testing.F) {
	f.Add(encodeACL([]aclEntry{{aclUserObj, 6, -1}, {aclUser, 4, 112}, {aclMask, 4, -1}, {aclOther, 0, -1}}))
	f.Add([]byte{2, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		acl, err := parseACL(b)
		if err == nil && len(acl) != (len(b)-4)/8 {
			t.Errorf("%d entries from %d bytes", len(acl), len(b))
		}
		aclGrants(acl, 0, 0, credentials{uid: 112, gid: 118}, permRead)
	})
}
