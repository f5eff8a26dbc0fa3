package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A process is a process id that cannot be mistaken for a later process of the
// same number: Start is its start time in clock ticks since boot (proc(5),
// /proc/pid/stat, field 22), Boot the boot that this was in.
type process struct {
	PID   int    `json:"pid"`
	Start string `json:"start"`
	Boot  string `json:"boot"`
}

// self returns this process.
func self() process { return identify(os.Getpid()) }

// identify returns the process that has the id now, or the zero process.
func identify(pid int) process {
	start := startTime(pid)
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if start == "" || err != nil {
		return process{}
	}
	return process{PID: pid, Start: start, Boot: strings.TrimSpace(string(boot))}
}

// startTime returns field 22 of the process's stat, "" for no such process and
// for one that has ended and only waits for its parent to notice.
func startTime(pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The second field, the command's name, may hold spaces and parentheses.
	s := string(text)
	fields := strings.Fields(s[strings.LastIndexByte(s, ')')+1:])
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return ""
	}
	return fields[19]
}

func (p process) alive() bool { return p.PID > 0 && p == identify(p.PID) }

// await waits until the process has ended, or for d. A process that is no child
// of ours can only be looked at now and then.
func (p process) await(d time.Duration) {
	for deadline := time.Now().Add(d); p.alive() && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
}

// kill kills the process, if it still is the same one, and waits for its end.
func (p process) kill() {
	if p.alive() {
		_ = syscall.Kill(p.PID, syscall.SIGKILL)
		p.await(30 * time.Second)
	}
}

// A child is a long-running process that this one started.
type child struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// spawn starts cmd in a session of its own. With bound, the kernel sends it
// SIGTERM when this process dies: Xvfb then tidies up, and nspawn kills its
// system, which would outlive a killed nspawn. That signal is tied to the thread that forks, so the
// thread is kept for as long as the child lives.
func spawn(cmd *exec.Cmd, bound bool) (*child, error) {
	c := &child{cmd: cmd, done: make(chan struct{})}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	started := make(chan error)
	go func() {
		if bound {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			cmd.SysProcAttr.Pdeathsig = syscall.SIGTERM
		}
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
			close(c.done)
		}
	}()
	return c, <-started
}

// kill kills the child with its process group and waits for it.
func (c *child) kill() {
	_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL)
	_ = c.cmd.Process.Kill()
	<-c.done
}

// terminate asks the child to end, and kills it when it has not after d.
func (c *child) terminate(d time.Duration) {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.done:
	case <-time.After(d):
		c.kill()
	}
}

// removeCgroup kills whatever is in a cgroup of the version 2 hierarchy and
// removes it. The hierarchy is mounted for the purpose: where it is mounted on
// the machine, if at all, differs.
func removeCgroup(name string) error {
	const script = `
mount -t cgroup2 cgroup2 /sys/fs/cgroup
cd /sys/fs/cgroup
[ -d "$1" ] || exit 0
echo 1 >"$1/cgroup.kill"
n=0
until find "$1" -depth -type d -exec rmdir {} + 2>/dev/null || [ $n -gt 1500 ]; do n=$((n+1)); sleep 0.02; done
[ ! -d "$1" ]`
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	r, err := run(ctx, []string{"unshare", "--mount", "--propagation", "private", "sh", "-ec", script, "sh", name}, nil, nil)
	if err == nil && r.Code != 0 {
		err = errors.New("exit status " + strconv.Itoa(r.Code) + ": " + lastLine(r.Stderr))
	}
	if err != nil {
		return fmt.Errorf("remove cgroup %s: %w", name, err)
	}
	return nil
}
