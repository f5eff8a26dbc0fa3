package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// EnvDir names the environment variable that moves the lab's directory.
const EnvDir = "XRDPFIX_LAB_DIR"

// Dir returns the directory that holds the images and the hosts: $XRDPFIX_LAB_DIR,
// or /var/cache/xrdpfix-lab. It cannot lie on an overlay file system.
func Dir() string {
	if d := os.Getenv(EnvDir); d != "" {
		return d
	}
	return "/var/cache/xrdpfix-lab"
}

func imagesDir() string             { return filepath.Join(Dir(), "images") }
func hostsDir() string              { return filepath.Join(Dir(), "hosts") }
func hostDir(name string) string    { return filepath.Join(hostsDir(), name) }
func machineLock() string           { return filepath.Join(Dir(), "machine.lock") }
func imageLock(s string) string     { return filepath.Join(imagesDir(), s+".lock") }
func hostsLock() string             { return filepath.Join(Dir(), "hosts.lock") }
func displaysLock() string          { return filepath.Join(Dir(), "displays.lock") }
func cgroupName(host string) string { return "xrdpfix-lab-" + host }

// lock takes the exclusive lock of that file and returns what releases it. The
// kernel releases it too when the process ends.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			_ = f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			_ = f.Close()
			return nil, fmt.Errorf("wait for the lock %s: %w", path, err)
		}
	}
}

// pause waits for d, or less if ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}
