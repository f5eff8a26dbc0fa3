package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// LockMachine waits until no other process of the lab runs apt-get on the machine, and
// keeps the others from it until unlock is called: apt-get does not wait for another one.
func LockMachine(ctx context.Context) (unlock func(), err error) {
	return lock(ctx, machineLock())
}

// Install installs the Debian packages that missing names with apt-get, where that can
// be done: by root, on Debian. One process of the machine does so at a time, and the
// others ask again what is missing when it is their turn.
func Install(ctx context.Context, log io.Writer, missing func() []string) error {
	packages := missing()
	if len(packages) == 0 {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return errors.New("install " + strings.Join(packages, " "))
	}
	unlock, err := LockMachine(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if packages = missing(); len(packages) == 0 { // another process was faster
		return nil
	}
	say(log, "installing %s", strings.Join(packages, " "))
	install := append([]string{"install", "-y", "--no-install-recommends"}, packages...)
	for _, args := range [][]string{{"update"}, install} {
		cmd := exec.CommandContext(ctx, "apt-get", append([]string{"-q", "-o", "Dpkg::Use-Pty=0", "-o", "DPkg::Lock::Timeout=600"}, args...)...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s: %w: %s", args[0], err, lastLine(string(out)))
		}
	}
	if packages = missing(); len(packages) > 0 {
		return fmt.Errorf("still missing after apt-get install: %s", strings.Join(packages, " "))
	}
	return nil
}
