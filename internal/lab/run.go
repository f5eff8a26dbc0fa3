package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// A Cmd is a command to run inside a host.
type Cmd struct {
	Args  []string
	Env   []string  // additions to the bare environment of a root login
	Dir   string    // working directory inside, / when empty
	Stdin io.Reader // nil for /dev/null
}

// A Result is what a command left behind.
type Result struct {
	Stdout, Stderr string
	Code           int // exit status; 128 plus the signal's number when killed by one
	Elapsed        time.Duration
}

// baseEnv is the environment of commands inside: nothing of the machine's own
// environment reaches a host.
var baseEnv = []string{
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"HOME=/root", "USER=root", "LOGNAME=root", "SHELL=/bin/bash", "LANG=C.UTF-8", "TERM=dumb",
}

// Run runs a command as root inside the host, in all its namespaces. The error
// says that the command could not be run to its end; a command that ended by
// itself, with whatever status, is no error.
func (h *Host) Run(ctx context.Context, c Cmd) (Result, error) {
	dir := c.Dir
	if dir == "" {
		dir = "/"
	}
	// The working directory is entered by env, inside: nsenter would open it outside.
	argv := append([]string{"nsenter", "-t", strconv.Itoa(h.PID1()), "-a", "--", "env", "-i", "-C", dir}, baseEnv...)
	argv = append(append(argv, c.Env...), c.Args...)
	return run(ctx, argv, c.Stdin, nil)
}

// Sh runs a shell script inside the host; it ends at the first command that
// fails (sh -e).
func (h *Host) Sh(ctx context.Context, script string) (Result, error) {
	return h.Run(ctx, Cmd{Args: []string{"sh", "-ec", script}})
}

// Net runs a program of the machine in the host's network namespace and nothing
// else of the host: there 127.0.0.1 is the host's loopback.
func (h *Host) Net(ctx context.Context, argv ...string) (Result, error) {
	return run(ctx, h.netArgs(argv...), nil, nil)
}

// netArgs returns the command line that runs argv as [Host.Net] does.
func (h *Host) netArgs(argv ...string) []string {
	return append([]string{"nsenter", "-t", strconv.Itoa(h.PID1()), "-n", "--"}, argv...)
}

// run runs a command of the machine to its end.
func run(ctx context.Context, argv []string, stdin io.Reader, env []string) (Result, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Env = stdin, &stdout, &stderr, env
	killGroup(cmd)
	start := time.Now()
	err := cmd.Run()
	r := Result{Stdout: stdout.String(), Stderr: stderr.String(), Elapsed: time.Since(start)}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil && err != nil:
		return r, fmt.Errorf("run %q: %w", argv, context.Cause(ctx))
	case errors.As(err, &exit):
		r.Code = exit.ExitCode()
		if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
			r.Code = 128 + int(ws.Signal())
		}
	case err != nil:
		return r, fmt.Errorf("run %q: %w", argv, err)
	}
	return r, nil
}

// killGroup makes the end of cmd's context end its children too: nsenter and
// unshare fork, and a signal to them alone would leave the program running.
func killGroup(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 2 * time.Second
}
