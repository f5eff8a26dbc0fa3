package fatal

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// asked tells the test program that it is the one that is held, and in which
// directory it works.
const asked = "FATAL_TEST_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(asked); dir != "" {
		if err := work(dir, len(os.Args) > 1); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// work changes six things, the last of them by a child.
func work(dir string, child bool) error {
	if child {
		return os.Mkdir(filepath.Join(dir, "child"), 0o755)
	}
	if _, err := os.ReadFile("/proc/self/stat"); err != nil { // opens, and changes nothing
		return err
	}
	if err := os.Mkdir(filepath.Join(dir, "made"), 0o755); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, "new"))
	if err != nil {
		return err
	}
	if _, err := f.WriteString("text"); err != nil { // write(2) does not count
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, "named")); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(dir, "named")); err != nil {
		return err
	}
	self := exec.Command(os.Args[0], "child")
	self.Env = os.Environ()
	return self.Run()
}

// held runs the program with a fate for one of its calls.
func held(t *testing.T, at int, fate Fate) (dir string, names []string, status syscall.WaitStatus) {
	t.Helper()
	dir = t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asked+"="+dir)
	status, calls, err := Run(cmd, func(c Call) Fate {
		if names = append(names, c.Name); c.N != len(names) {
			t.Errorf("call %d is number %d", len(names), c.N)
		}
		if c.N == at {
			return fate
		}
		return Fate{}
	})
	if err != nil || calls != len(names) {
		t.Fatalf("%d calls, asked at %d: %v", calls, len(names), err)
	}
	return dir, names, status
}

// entries are what a directory has.
func entries(t *testing.T, dir string) string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// whole are the calls of the program that count, in their order.
var whole = []string{"mkdirat", "openat", "fsync", "renameat", "unlinkat", "mkdirat"}

func TestRun(t *testing.T) {
	dir, names, status := held(t, 0, Fate{})
	if !slices.Equal(names, whole) || !status.Exited() || status.ExitStatus() != 0 {
		t.Errorf("%q, status %#x, want %q and 0", names, uint32(status), whole)
	}
	if got := entries(t, dir); got != "child made" {
		t.Errorf("it left %q", got)
	}
}

// TestRunKills: the call does not happen, nor does any after it.
func TestRunKills(t *testing.T) {
	left := []string{"", "made", "made new", "made new", "made named", "made"}
	for i, name := range whole {
		dir, names, status := held(t, i+1, Fate{Kill: true})
		if !slices.Equal(names, whole[:i+1]) || !status.Signaled() || status.Signal() != syscall.SIGKILL {
			t.Errorf("%s: %q, status %#x, want to be killed there", name, names, uint32(status))
		}
		if got := entries(t, dir); got != left[i] {
			t.Errorf("%s: it left %q, want %q", name, got, left[i])
		}
	}
}

// TestRunFails: the call does not happen, and the program is told why.
func TestRunFails(t *testing.T) {
	for i, name := range whole {
		dir, names, status := held(t, i+1, Fate{Errno: syscall.ENOSPC})
		if len(names) <= i || !status.Exited() || status.ExitStatus() != 3 {
			t.Errorf("%s: %q, status %#x, want 3", name, names, uint32(status))
		}
		if got := entries(t, dir); strings.Contains(got, "child") || name == "renameat" && got != "made new" {
			t.Errorf("%s: it left %q", name, got)
		}
	}
}
