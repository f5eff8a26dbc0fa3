package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// bootScript turns a fresh mount namespace into what systemd-nspawn needs on a
// machine whose own PID 1 may be anything: a version 2 cgroup tree (systemd 258
// and later refuse version 1), a cgroup of its own, a private place for nspawn's
// run-time files, and the overlay. A volatile overlay does not sync; the mark
// that it leaves must go before it can be mounted again.
//
//	$1 cgroup   $2 lower directory   $3 host's directory   the rest: nspawn
const bootScript = `
cg=/sys/fs/cgroup/$1 lower=$2 dir=$3; shift 3
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p "$cg" /run/systemd/nspawn
echo $$ >"$cg/cgroup.procs"
mount -t tmpfs tmpfs /run/systemd/nspawn
rm -rf "$dir/work/work/incompat"
mount -t overlay -o "lowerdir=$lower,upperdir=$dir/upper,workdir=$dir/work,volatile" overlay "$dir/root"
exec systemd-nspawn -D "$dir/root" "$@"
`

// errNoSystem is wrapped when a host's nspawn ends before its system is up.
var errNoSystem = errors.New("systemd-nspawn ended")

// start boots the host's overlay and returns when its PID 1 runs.
func (h *Host) start(ctx context.Context) error {
	dir := hostDir(h.Name)
	args := []string{"--mount", "--propagation", "private", "sh", "-ec", bootScript, "lab-boot",
		cgroupName(h.Name), h.lower(), dir,
		"--boot", "--register=no", "--keep-unit", "--private-network", "-M", h.Name,
		"--resolv-conf=off", "--timezone=off", "--link-journal=no", "--console=pipe",
		"--kill-signal=SIGKILL"} // what a SIGTERM to nspawn does to the host
	for _, b := range h.binds {
		opt := "--bind-ro="
		if b.Writable {
			opt = "--bind="
		}
		args = append(args, opt+b.Source+":"+b.Target)
	}
	console, err := os.OpenFile(filepath.Join(dir, "console.log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("open the console's log: %w", err)
	}
	defer console.Close() //nolint:errcheck // the child has its own copy
	cmd := exec.Command("unshare", args...)
	cmd.Stdout, cmd.Stderr = console, console
	c, err := spawn(cmd, !h.detach)
	if err != nil {
		return fmt.Errorf("start systemd-nspawn: %w", err)
	}
	st := h.st
	st.Nspawn, st.PID1 = identify(cmd.Process.Pid), process{}
	for st.PID1.PID == 0 {
		if st.PID1, err = findInit(cmd.Process.Pid); err != nil {
			break
		}
		if st.PID1.PID == 0 {
			err = h.waitABit(ctx, c, 5*time.Millisecond)
		}
		if err != nil {
			break
		}
	}
	h.mu.Lock()
	h.nspawn, h.st = c, st
	h.mu.Unlock()
	if err != nil {
		return err
	}
	if st.Link > 0 {
		if err := st.plug(ctx); err != nil {
			return err
		}
	}
	return st.save()
}

// lower is what the host's overlay lies on.
func (h *Host) lower() string {
	if h.st.Over != "" {
		return h.st.Over + ":" + h.Image.lower()
	}
	return h.Image.lower()
}

// waitABit waits for d, and fails when the host's nspawn has ended.
func (h *Host) waitABit(ctx context.Context, c *child, d time.Duration) error {
	if c != nil {
		select {
		case <-c.done:
			return errNoSystem
		default:
		}
	} else if !h.st.Nspawn.alive() {
		return errNoSystem
	}
	return pause(ctx, d)
}

// findInit returns the descendant of nspawn that is process 1 of its own pid
// namespace and has already become systemd; the zero process while there is none.
func findInit(nspawn int) (process, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", nspawn, nspawn))
	if errors.Is(err, os.ErrNotExist) {
		return process{}, errNoSystem
	}
	if err != nil {
		return process{}, fmt.Errorf("find the host's PID 1: %w", err)
	}
	for _, f := range strings.Fields(string(text)) {
		pid, _ := strconv.Atoi(f)
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		var name, ids []string
		for _, line := range strings.Split(string(status), "\n") {
			switch key, value, _ := strings.Cut(line, ":"); key {
			case "Name":
				name = strings.Fields(value)
			case "NSpid":
				ids = strings.Fields(value)
			}
		}
		if len(ids) > 1 && ids[len(ids)-1] == "1" && len(name) == 1 && name[0] == "systemd" {
			return identify(pid), nil
		}
	}
	return process{}, nil
}

// kill ends the host at once, without its consent.
func (h *Host) kill() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.st.kill()
	if h.nspawn != nil {
		h.nspawn.kill() // also where it never got as far as a PID 1
		h.nspawn = nil
	}
	return removeCgroup(cgroupName(h.Name))
}

// Attach returns the running host of that name, which another process booted.
func Attach(ctx context.Context, name string) (*Host, error) {
	list, err := states()
	if err != nil {
		return nil, err
	}
	for _, s := range list {
		if s.Name != name {
			continue
		}
		if !s.PID1.alive() {
			return nil, fmt.Errorf("attach to %s: it does not run", name)
		}
		img, err := readImage(s.Image)
		if err != nil {
			return nil, fmt.Errorf("attach to %s: %w", name, err)
		}
		return &Host{Name: name, Suite: s.Asked, Image: img, binds: s.Binds, detach: s.Detached, st: s}, ctx.Err()
	}
	return nil, fmt.Errorf("attach to %s: there is no such host", name)
}

// List returns the names of the hosts that run on this machine.
func List() ([]string, error) {
	list, err := states()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, s := range list {
		if s.PID1.alive() {
			names = append(names, s.Name)
		}
	}
	return names, nil
}
