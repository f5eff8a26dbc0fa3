package lab

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// inotifyInstances is enough for some fifty hosts. The kernel counts the
// instances of all hosts against root, 128 by default, and each systemd takes
// about eight; without one, systemd cannot wait for the PID file of a forking
// service, and xrdp 0.9 fails to start for no fault of its own.
const inotifyInstances = 512

const inotifyLimit = "/proc/sys/fs/inotify/max_user_instances"

// allowInotify raises the limit where it is lower.
func allowInotify() error {
	data, err := os.ReadFile(inotifyLimit)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnable, err)
	}
	if n, err := strconv.Atoi(strings.TrimSpace(string(data))); err == nil && n >= inotifyInstances {
		return nil
	}
	if err := os.WriteFile(inotifyLimit, []byte(strconv.Itoa(inotifyInstances)), 0o644); err != nil {
		return fmt.Errorf("%w: raise %s: %w", ErrUnable, inotifyLimit, err)
	}
	return nil
}
