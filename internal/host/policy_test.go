package host

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestReadPolicy(t *testing.T) {
	const text = "[security]\nprofile = intermediate\n"
	write := func(t *testing.T, name string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, tt := range map[string]struct {
		make func(t *testing.T, dir, file string)
		want string
		err  error
	}{
		"a file":       {func(t *testing.T, _, file string) { write(t, file) }, text, nil},
		"none":         {func(*testing.T, string, string) {}, "", nil},
		"no directory": {func(_ *testing.T, dir, _ string) { _ = os.Remove(dir) }, "", nil},
		"the group writes": {func(t *testing.T, _, file string) {
			write(t, file)
			_ = os.Chmod(file, 0o664)
		}, "", ErrUntrustedPolicy},
		"everybody writes": {func(t *testing.T, _, file string) {
			write(t, file)
			_ = os.Chmod(file, 0o646)
		}, "", ErrUntrustedPolicy},
		"the directory": {func(t *testing.T, dir, file string) {
			write(t, file)
			_ = os.Chmod(dir, 0o777)
		}, "", ErrUntrustedPolicy},
		"a link": {func(t *testing.T, dir, file string) {
			write(t, filepath.Join(dir, "other"))
			_ = os.Symlink("other", file)
		}, "", ErrUntrustedPolicy},
		"a dangling link": {func(_ *testing.T, _, file string) { _ = os.Symlink("nowhere", file) }, "", ErrUntrustedPolicy},
		"a FIFO":          {func(_ *testing.T, _, file string) { _ = syscall.Mkfifo(file, 0o644) }, "", ErrUntrustedPolicy},
		"a directory":     {func(_ *testing.T, _, file string) { _ = os.Mkdir(file, 0o755) }, "", ErrUntrustedPolicy},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			file := filepath.Join(root, PolicyPath)
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			tt.make(t, filepath.Dir(file), file)
			got, err := ReadPolicy(root)
			if string(got) != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("%q, %v, want %q, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

// TestReadPolicyOfAnother: whose file it is decides as much as its mode.
func TestReadPolicyOfAnother(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("NOT RUN: only root can give files away; make test runs as root")
	}
	root := t.TempDir()
	file := filepath.Join(root, PolicyPath)
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, nil, 0o644), os.Chown(file, 65534, 0)); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadPolicy(root); !errors.Is(err, ErrUntrustedPolicy) {
		t.Errorf("%q, %v", got, err)
	}
	if err := errors.Join(os.Chown(file, 0, 0), os.Chmod(file, 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadPolicy(root); err != nil {
		t.Errorf("a policy for root only: %v", err)
	}
	if err := os.WriteFile(file, make([]byte, maxPolicy+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadPolicy(root); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an endless policy: %v", err)
	}
}
