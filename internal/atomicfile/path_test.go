package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestWalkLikeTheKernel makes trees of directories, files and links at random
// and compares every resolution with the kernel's own, openat2 with
// RESOLVE_IN_ROOT.
func TestWalkLikeTheKernel(t *testing.T) {
	names := []string{"a", "b", "c", "..", ".", "", "a/b", "../a", "/a", "/b/c", "/", "../../..", "c/../a", "nope", "a/", "b/."}
	for seed := range uint64(150) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		pick := func() string {
			s := names[rnd.IntN(len(names))]
			for rnd.IntN(2) == 0 {
				s += "/" + names[rnd.IntN(len(names))]
			}
			return s
		}
		r, dir := tree(t)
		for range 14 {
			path := filepath.Join(dir, filepath.Clean("/"+pick()))
			switch rnd.IntN(4) {
			case 0, 1:
				_ = os.Mkdir(path, 0o755)
			case 2:
				_ = os.WriteFile(path, []byte("x"), 0o600)
			case 3:
				_ = os.Symlink(pick(), path)
			}
		}
		for range 60 {
			path := pick()
			for _, follow := range []bool{true, false} {
				how := &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT}
				if !follow {
					how.Flags |= unix.O_NOFOLLOW
				}
				if path == "" {
					continue // the kernel refuses the empty path; here it is the root
				}
				want := "none"
				fd, kerr := unix.Openat2(r.fd, path, how)
				for errors.Is(kerr, unix.EAGAIN) {
					// Something was renamed somewhere on the machine meanwhile.
					fd, kerr = unix.Openat2(r.fd, path, how)
				}
				if kerr == nil {
					want = inodeOf(t, fd)
					_ = unix.Close(fd)
				}
				got := "none"
				p, err := r.walk(path, follow)
				if err == nil {
					if p.exists() {
						got = inodeOf(t, p.node)
						// The real path must lead there without any link.
						var st unix.Stat_t
						if lerr := unix.Lstat(dir+p.path, &st); lerr != nil || fmt.Sprint(st.Dev, st.Ino) != got {
							t.Errorf("seed %d: %q leads to %q, which is another file (%v)", seed, path, p.path, lerr)
						}
					} else {
						err = unix.ENOENT
					}
					p.close()
				}
				if got != want || kerr != nil && !errors.Is(err, kerr) {
					t.Errorf("seed %d: walk(%q, %v) = %s %v, kernel %s %v", seed, path, follow, got, err, want, kerr)
				}
			}
		}
	}
}

func inodeOf(t *testing.T, fd int) string {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(st.Dev, st.Ino)
}

// TestNoDescriptorIsLost walks good and bad paths and counts open files.
func TestNoDescriptorIsLost(t *testing.T) {
	r, dir := tree(t)
	put(t, dir, "a/b/f", "x", 0o600)
	link(t, "/a/b/../b", filepath.Join(dir, "l"))
	link(t, "loop", filepath.Join(dir, "loop"))
	link(t, "/nope/nope", filepath.Join(dir, "dangling"))
	count := func() int {
		list, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	before := count()
	for range 20 {
		for _, path := range []string{"", "/", "a", "a/b/f", "l/f", "l/f/x", "l/../..", "loop", "dangling", "nope", "nope/x", "l/nope"} {
			_, _ = r.Stat(path)
			_, _ = r.Lstat(path)
			_, _ = r.Steps(path)
			_, _ = r.Resolve(path)
			_, _ = r.Readlink(path)
			_, _ = r.ReadFile(path, 10)
			_, _ = r.ReadDir(path)
			_, _ = r.RemoveTemps(path)
			_, _ = r.MkdirAll(path+"/l", ownAttr(0o755))
			_ = r.Check(path, Options{FollowLink: true})
			_, _ = r.Write("new", []byte("x"), ownAttr(0o600), Options{FollowLink: true})
			_, _ = r.WriteInPlace("new", []byte("xx"), Options{})
			_, _ = r.Symlink("x", "newlink", ownAttr(0), Options{})
			_ = r.Remove("newlink")
		}
	}
	if after := count(); after != before {
		t.Errorf("%d files open, before %d", after, before)
	}
}

func TestStepsAndResolve(t *testing.T) {
	r, dir := tree(t)
	put(t, dir, "etc/ssl/private/snakeoil.key", "key", 0o640)
	for path, mode := range map[string]os.FileMode{"etc": 0o755, "etc/ssl": 0o755, "etc/ssl/private": 0o710} {
		if err := os.Chmod(filepath.Join(dir, path), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "etc/xrdp"), 0o755); err != nil {
		t.Fatal(err)
	}
	link(t, "/etc/ssl/private/snakeoil.key", filepath.Join(dir, "etc/xrdp/key.pem"))
	link(t, "../ssl/nothing", filepath.Join(dir, "etc/xrdp/cert.pem"))
	uid, gid := os.Geteuid(), os.Getegid()
	step := func(path string, kind Kind, mode Mode, target string) Step {
		return Step{Path: path, Kind: kind, Mode: mode, UID: uid, GID: gid, Target: target}
	}
	want := []Step{
		step("/", KindDir, 0o755, ""),
		step("/etc", KindDir, 0o755, ""),
		step("/etc/xrdp", KindDir, 0o755, ""),
		step("/etc/xrdp/key.pem", KindSymlink, 0o777, "/etc/ssl/private/snakeoil.key"),
		step("/etc", KindDir, 0o755, ""),
		step("/etc/ssl", KindDir, 0o755, ""),
		step("/etc/ssl/private", KindDir, 0o710, ""),
		step("/etc/ssl/private/snakeoil.key", KindFile, 0o640, ""),
	}
	got, err := r.Steps("/etc/xrdp/key.pem")
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Steps: %v\n got %+v\nwant %+v", err, got, want)
	}
	if got, err := r.Resolve("etc/xrdp/key.pem"); err != nil || got != "/etc/ssl/private/snakeoil.key" {
		t.Errorf("Resolve = %q, %v", got, err)
	}
	got, err = r.Steps("/etc/xrdp/cert.pem")
	if !errors.Is(err, fs.ErrNotExist) || len(got) != 5 || got[3].Target != "../ssl/nothing" {
		t.Errorf("Steps to nothing: %+v, %v", got, err)
	}
	if s, err := r.Stat("/etc/xrdp/cert.pem"); err != nil || s.Exists || s.Path != "/etc/ssl/nothing" {
		t.Errorf("Stat of a link to nothing: %+v, %v", s, err)
	}
	if got, err := r.Readlink("etc/xrdp/cert.pem"); err != nil || got != "../ssl/nothing" {
		t.Errorf("Readlink = %q, %v", got, err)
	}
	if _, err := r.Readlink("etc/xrdp"); !errors.Is(err, unix.EINVAL) {
		t.Errorf("Readlink of a directory: %v", err)
	}
	var perr *fs.PathError
	if _, err := r.Resolve("none/none"); !errors.As(err, &perr) || perr.Path != "none/none" {
		t.Errorf("Resolve(none/none): %v", err)
	}
}

// TestRootIsTheTree has links that would lead out of an offline tree.
func TestRootIsTheTree(t *testing.T) {
	r, dir := tree(t)
	outside := t.TempDir()
	put(t, outside, "secret", "outside", 0o600)
	put(t, dir, "etc/xrdp/xrdp.ini", "inside", 0o600)
	link(t, filepath.Join(outside, "secret"), filepath.Join(dir, "etc/absolute"))
	link(t, strings.Repeat("../", 30)+outside+"/secret", filepath.Join(dir, "etc/relative"))
	link(t, outside, filepath.Join(dir, "outdir"))
	for _, path := range []string{"etc/absolute", "etc/relative", "outdir/secret", "../" + outside + "/secret"} {
		if data, err := r.ReadFile(path, 100); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %q, %v", path, data, err)
		}
		if _, err := r.Write(path, []byte("x"), ownAttr(0o600), Options{FollowLink: true}); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("write %s: %v", path, err)
		}
	}
	if made, err := r.MkdirAll("outdir/x", ownAttr(0o755)); !errors.Is(err, fs.ErrNotExist) || made != nil {
		t.Errorf("MkdirAll: %v, %v", made, err)
	}
	if read(t, filepath.Join(outside, "secret")) != "outside" {
		t.Error("a file outside was written")
	}
	if got, err := r.Resolve("/../../etc/./xrdp/../xrdp/xrdp.ini"); err != nil || got != "/etc/xrdp/xrdp.ini" {
		t.Errorf("Resolve = %q, %v", got, err)
	}
}

func TestLinkPolicy(t *testing.T) {
	r, dir := tree(t)
	put(t, dir, "real/xrdp.ini", "old", 0o640)
	link(t, "real/xrdp.ini", filepath.Join(dir, "xrdp.ini"))
	if s, err := r.Write("xrdp.ini", []byte("new"), ownAttr(0o640), Options{FollowLink: true}); err != nil || s.Path != "/real/xrdp.ini" {
		t.Errorf("through the link: %+v, %v", s, err)
	}
	if got := read(t, filepath.Join(dir, "real/xrdp.ini")); got != "new" {
		t.Errorf("the target says %q", got)
	}
	if s, err := r.Lstat("xrdp.ini"); err != nil || s.Kind != KindSymlink || s.Target != "real/xrdp.ini" {
		t.Errorf("the link is now %+v, %v", s, err)
	}
	if s, err := r.Write("xrdp.ini", []byte("own"), ownAttr(0o640), Options{}); err != nil || s.Path != "/xrdp.ini" {
		t.Errorf("over the link: %+v, %v", s, err)
	}
	if got := read(t, filepath.Join(dir, "real/xrdp.ini")); got != "new" {
		t.Errorf("the former target says %q", got)
	}
	if s, err := r.Lstat("xrdp.ini"); err != nil || s.Kind != KindFile {
		t.Errorf("in place of the link: %+v, %v", s, err)
	}
	if _, err := r.Symlink("x", "y", ownAttr(0), Options{FollowLink: true}); !errors.Is(err, unix.EINVAL) {
		t.Errorf("Symlink with FollowLink: %v", err)
	}
}

// TestPlantedLinks has links of another user: to what is theirs they are good, to
// what is root's they are not followed, not even to be read.
func TestPlantedLinks(t *testing.T) {
	needRoot(t)
	r, dir := tree(t)
	put(t, dir, "shadow", "root's", 0o600)
	put(t, dir, "sub/cron", "root's", 0o600)
	put(t, dir, "theirs", "theirs", 0o600)
	link(t, "shadow", filepath.Join(dir, "planted"))
	link(t, "sub", filepath.Join(dir, "planteddir"))
	link(t, "absent", filepath.Join(dir, "plantednew"))
	link(t, "theirs", filepath.Join(dir, "good"))
	for _, name := range []string{"planted", "planteddir", "plantednew", "theirs", "good"} {
		if err := os.Lchown(filepath.Join(dir, name), otherUID, otherGID); err != nil {
			t.Fatal(err)
		}
	}
	follow := Options{FollowLink: true}
	attr := ownAttr(0o600)
	for name, call := range map[string]func(string) error{
		"ReadFile":     func(p string) error { _, err := r.ReadFile(p, 100); return err },
		"Open":         func(p string) error { _, err := r.Open(p); return err },
		"Stat":         func(p string) error { _, err := r.Stat(p); return err },
		"Write":        func(p string) error { _, err := r.Write(p, []byte("x"), attr, follow); return err },
		"WriteInPlace": func(p string) error { _, err := r.WriteInPlace(p, []byte("x"), follow); return err },
		"Check":        func(p string) error { return r.Check(p, follow) },
	} {
		for _, path := range []string{"planted", "planteddir/cron"} {
			if err := call(path); !errors.Is(err, ErrUntrustedLink) {
				t.Errorf("%s(%s): %v", name, path, err)
			}
		}
	}
	if _, err := r.Write("plantednew", nil, attr, follow); !errors.Is(err, ErrUntrustedLink) {
		t.Errorf("Write through a link to nothing: %v", err)
	}
	if _, err := r.Write("planteddir/new", nil, attr, Options{}); !errors.Is(err, ErrUntrustedLink) {
		t.Errorf("Write below a planted directory: %v", err)
	}
	if _, err := r.MkdirAll("planteddir/new/dir", attr); !errors.Is(err, ErrUntrustedLink) {
		t.Errorf("MkdirAll: %v", err)
	}
	if err := r.Remove("planteddir/cron"); !errors.Is(err, ErrUntrustedLink) {
		t.Errorf("Remove: %v", err)
	}
	if _, err := r.RemoveTemps("planteddir"); !errors.Is(err, ErrUntrustedLink) {
		t.Errorf("RemoveTemps: %v", err)
	}
	if data, err := r.ReadFile("good", 100); err != nil || string(data) != "theirs" {
		t.Errorf("their link to their file: %q, %v", data, err)
	}
	if _, err := r.Steps("planted"); err != nil {
		t.Errorf("Steps: %v", err)
	}
	// Replacing the planted link itself harms nobody.
	if _, err := r.Write("planted", []byte("x"), attr, Options{}); err != nil {
		t.Errorf("replace the planted link: %v", err)
	}
	if got := read(t, filepath.Join(dir, "shadow")); got != "root's" {
		t.Errorf("shadow says %q", got)
	}
}
