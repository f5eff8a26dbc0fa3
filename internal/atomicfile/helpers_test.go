package atomicfile

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Other people's ids in these tests; nothing needs to know them.
const (
	otherUID = 54321
	otherGID = 54322
)

// tree is a directory that serves as a root.
func tree(t *testing.T) (*Root, string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	r, err := OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r, dir
}

func put(t *testing.T, dir, name, data string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// temps lists the temporary files below dir.
func temps(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if strings.HasPrefix(filepath.Base(path), tempPrefix) {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("NOT RUN: owners, mounts and foreign attributes need root; make test runs as root")
	}
}

// asUser runs f in a thread that has become another user; the thread ends with it.
func asUser(t *testing.T, uid, gid int, f func()) {
	t.Helper()
	inThread(func() {
		for _, call := range [][2]uintptr{{unix.SYS_SETGROUPS, 0}, {unix.SYS_SETRESGID, uintptr(gid)}, {unix.SYS_SETRESUID, uintptr(uid)}} {
			id := call[1]
			if _, _, errno := unix.RawSyscall(call[0], id, id, id); errno != 0 {
				t.Errorf("become user %d: %v", uid, errno)
				return
			}
		}
		f()
	})
}

// inMounts runs f in a thread with mounts of its own.
func inMounts(t *testing.T, f func()) {
	t.Helper()
	needRoot(t)
	inThread(func() {
		if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS); err != nil {
			t.Errorf("unshare mounts: %v", err)
			return
		}
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			t.Errorf("make mounts private: %v", err)
			return
		}
		f()
	})
}

func inThread(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		// Never unlocked, so the runtime ends the thread.
		runtime.LockOSThread()
		f()
	}()
	<-done
}

func modeOf(t *testing.T, path string) Mode {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		t.Fatal(err)
	}
	return Mode(st.Mode & modeBits)
}
