package fatal

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// A Call is a system call that changes something, or makes a change durable. It
// has not happened yet.
type Call struct {
	N    int // counts from 1
	Name string
}

// A Fate is what becomes of a call. The zero Fate lets it happen.
type Fate struct {
	// Kill ends the program with SIGKILL instead of the call, and the child of it that
	// was about to make the call.
	Kill bool
	// Errno is what the call returns without happening.
	Errno syscall.Errno
}

// changes are the system calls that count. Those that open a file count where
// they make it or empty it.
var changes = map[uint64]string{
	unix.SYS_OPENAT: "openat", unix.SYS_OPEN: "open", unix.SYS_CREAT: "creat",
	unix.SYS_PWRITE64: "pwrite64", unix.SYS_PWRITEV: "pwritev",
	unix.SYS_RENAME: "rename", unix.SYS_RENAMEAT: "renameat", unix.SYS_RENAMEAT2: "renameat2",
	unix.SYS_UNLINK: "unlink", unix.SYS_UNLINKAT: "unlinkat", unix.SYS_RMDIR: "rmdir",
	unix.SYS_MKDIR: "mkdir", unix.SYS_MKDIRAT: "mkdirat", unix.SYS_MKNODAT: "mknodat",
	unix.SYS_SYMLINK: "symlink", unix.SYS_SYMLINKAT: "symlinkat", unix.SYS_LINK: "link", unix.SYS_LINKAT: "linkat",
	unix.SYS_CHMOD: "chmod", unix.SYS_FCHMOD: "fchmod", unix.SYS_FCHMODAT: "fchmodat", unix.SYS_FCHMODAT2: "fchmodat2",
	unix.SYS_CHOWN: "chown", unix.SYS_LCHOWN: "lchown", unix.SYS_FCHOWN: "fchown", unix.SYS_FCHOWNAT: "fchownat",
	unix.SYS_TRUNCATE: "truncate", unix.SYS_FTRUNCATE: "ftruncate", unix.SYS_FALLOCATE: "fallocate",
	unix.SYS_SETXATTR: "setxattr", unix.SYS_LSETXATTR: "lsetxattr", unix.SYS_FSETXATTR: "fsetxattr",
	unix.SYS_REMOVEXATTR: "removexattr", unix.SYS_FREMOVEXATTR: "fremovexattr",
	unix.SYS_UTIMENSAT: "utimensat", unix.SYS_FSYNC: "fsync", unix.SYS_FDATASYNC: "fdatasync",
}

// Run runs cmd to its end and asks at each call that counts. cmd must not have
// been started; its standard streams are files or nil. The status is that of the
// program; how many calls counted is returned as well.
func Run(cmd *exec.Cmd, at func(Call) Fate) (status syscall.WaitStatus, calls int, err error) {
	// Only the thread that started a program may hold it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Ptrace = true
	cmd.SysProcAttr.Setpgid = true // a group of its own, to wait for it and for nothing else
	p, err := os.StartProcess(cmd.Path, cmd.Args, &os.ProcAttr{
		Dir: cmd.Dir, Env: cmd.Environ(), Sys: cmd.SysProcAttr, Files: []*os.File{nil, file(cmd.Stdout), file(cmd.Stderr)},
	})
	if err != nil {
		return 0, 0, err
	}
	t := tracer{pid: p.Pid, at: at}
	// Waiting is ours, not that of package os.
	defer func() { _ = p.Release() }()
	ended, err := t.follow()
	if err != nil {
		_ = unix.Kill(p.Pid, unix.SIGKILL)
	}
	return syscall.WaitStatus(ended), t.calls, err
}

func file(w any) *os.File {
	f, _ := w.(*os.File)
	return f
}

type tracer struct {
	pid   int
	at    func(Call) Fate
	calls int
}

// syscallStop is how a stop at the beginning or the end of a call is told from a
// signal (ptrace(2), PTRACE_O_TRACESYSGOOD).
const syscallStop = unix.SIGTRAP | 0x80

func (t *tracer) follow() (unix.WaitStatus, error) {
	var ws unix.WaitStatus
	if _, err := unix.Wait4(t.pid, &ws, unix.WALL, nil); err != nil {
		return 0, fmt.Errorf("wait for the beginning: %w", err)
	}
	const options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACESECCOMP | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_EXITKILL
	if err := unix.PtraceSetOptions(t.pid, options); err != nil {
		return 0, fmt.Errorf("trace: %w", err)
	}
	if err := t.install(); err != nil {
		return 0, fmt.Errorf("have it stopped at what changes something: %w", err)
	}
	if err := unix.PtraceCont(t.pid, 0); err != nil {
		return 0, fmt.Errorf("let begin: %w", err)
	}
	for {
		// Other children of this process are not ours to wait for, nor those that
		// somebody else started on this thread before it was ours.
		tid, err := unix.Wait4(-t.pid, &ws, unix.WALL|unix.WNOTHREAD, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("wait: %w", err)
		}
		switch {
		case ws.Exited() || ws.Signaled():
			if tid == t.pid {
				return ws, nil
			}
			continue
		case !ws.Stopped():
			continue
		}
		deliver := 0
		switch sig := ws.StopSignal(); {
		case sig == unix.SIGTRAP && ws.TrapCause() == unix.PTRACE_EVENT_SECCOMP:
			if err := t.syscall(tid); err != nil && !errors.Is(err, unix.ESRCH) {
				return 0, err
			}
		case sig == unix.SIGTRAP, sig == unix.SIGSTOP: // an event, and the birth of a thread
		default:
			deliver = int(sig)
		}
		if err := unix.PtraceCont(tid, deliver); err != nil && !errors.Is(err, unix.ESRCH) {
			return 0, fmt.Errorf("let go on: %w", err)
		}
	}
}

// syscall is a stop before a call that counts.
func (t *tracer) syscall(tid int) error {
	var regs unix.PtraceRegs
	if err := unix.PtraceGetRegs(tid, &regs); err != nil {
		return err
	}
	t.calls++
	switch fate := t.at(Call{t.calls, changes[regs.Orig_rax]}); {
	case fate.Kill:
		// The call may be that of a child, which would go on and make it.
		return errors.Join(unix.Kill(tid, unix.SIGKILL), unix.Kill(t.pid, unix.SIGKILL))
	case fate.Errno != 0:
		regs.Orig_rax, regs.Rax = ^uint64(0), -uint64(fate.Errno) // no call, but its result
		return unix.PtraceSetRegs(tid, &regs)
	}
	return nil
}
