//go:build lab

package lab

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestNotRoot runs the test program as nobody: the lab must say in one line what
// it wants, and a test must fail, not be skipped.
func TestNotRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		Start(t, Bookworm)
		return
	}
	// Where go test keeps the program nobody but root may look.
	dir, err := os.MkdirTemp("", "lab-notroot-") //nolint:usetesting // t.TempDir lies below a directory of mode 0700
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // temporary
	program, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(dir, "lab.test")
	if err := errors.Join(os.WriteFile(copied, program, 0o755), os.Chmod(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(copied, "-test.run=^TestNotRoot$")
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("a test of nobody's: %v, want exit status 1", err)
	}
	if !strings.Contains(string(out), "the lab cannot run here: it needs root") {
		t.Errorf("output:\n%s", out)
	}
}

func TestRequireUnknown(t *testing.T) {
	if err := Require(t.Context(), nil, "no-such-program"); !errors.Is(err, ErrUnable) {
		t.Errorf("Require of an unknown program: %v", err)
	}
}
