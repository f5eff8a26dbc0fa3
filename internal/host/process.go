package host

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"xrdpfix/diagnose"
)

// ErrNotRunning is returned where no xrdp runs on this machine.
var ErrNotRunning = errors.New("xrdp is not running")

const xrdpComm = "xrdp"

// Xrdp finds xrdp's main process: mainPID as systemd names it, or, where that is
// 0 or not xrdp, the oldest process called xrdp whose parent is not one. Only a
// process of root, of a system account or of our own user counts: any user may
// start a program of that name, and the identity found here decides who gets to
// read a key. [ErrNotRunning] means that there is none.
//
// What only root may see of a foreign process (its program, environment and
// open files) is left empty for others.
func (p Proc) Xrdp(mainPID int, names *Accounts) (diagnose.Process, error) {
	if mainPID > 0 {
		if st, err := p.stat(mainPID); err == nil && st.alive() && p.isXrdp(mainPID, st) {
			return p.Process(mainPID, names)
		}
	}
	pids, err := p.pids()
	if err != nil {
		return diagnose.Process{}, err
	}
	type candidate struct {
		pid   int
		start uint64
	}
	var found []candidate
	for _, pid := range pids {
		st, err := p.stat(pid)
		if err != nil || !st.alive() || !p.isXrdp(pid, st) {
			continue
		}
		if parent, err := p.stat(st.ppid); err == nil && p.isXrdp(st.ppid, parent) {
			continue
		}
		s, err := p.status(pid)
		if err != nil || !p.ours(pid, s) || !trustedOwner(s.uid, names) {
			continue
		}
		found = append(found, candidate{pid, st.start})
	}
	if len(found) == 0 {
		return diagnose.Process{}, ErrNotRunning
	}
	first := slices.MinFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.pid, b.pid))
	})
	return p.Process(first.pid, names)
}

// alive leaves out zombies and the dead.
func (s stat) alive() bool { return s.state != 'Z' && s.state != 'X' }

// isXrdp goes by the name, or by the program file where that can be seen.
func (p Proc) isXrdp(pid int, st stat) bool {
	return st.comm == xrdpComm || path.Base(p.exe(pid)) == xrdpComm
}

// trustedOwner: root, ourselves, the account xrdp, or a system account. The
// border is UID_MIN of login.defs as every distribution ships it.
func trustedOwner(uid int, names *Accounts) bool {
	const uidMin = 1000
	return uid < uidMin || uid == os.Geteuid() || names.UserName(uid) == xrdpComm
}

// Process describes the process pid as an xrdp main process.
func (p Proc) Process(pid int, names *Accounts) (diagnose.Process, error) {
	st, err := p.stat(pid)
	if err != nil {
		return diagnose.Process{}, fmt.Errorf("looking at process %d: %w", pid, err)
	}
	s, err := p.status(pid)
	if err != nil {
		return diagnose.Process{}, fmt.Errorf("looking at process %d: %w", pid, err)
	}
	args, _ := p.args(pid)
	return diagnose.Process{
		PID: pid, Started: p.started(st.start), Exe: p.exe(pid), Args: args,
		Identity:    names.Describe(s.fsuid, s.fsgid, s.groups, "process "+strconv.Itoa(pid)),
		OpenSSLConf: p.environ(pid, "OPENSSL_CONF"),
		LogPath:     p.logPath(pid),
	}, nil
}

// environ is one variable of the environment that a process was started with.
func (p Proc) environ(pid int, name string) string {
	b, err := p.read(maxEnviron, strconv.Itoa(pid), "environ")
	if err != nil {
		return ""
	}
	for _, v := range splitNUL(b) {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}

// logPath is the regular file that the process holds open for appending. xrdp
// opens its log with O_WRONLY|O_CREAT|O_APPEND|O_SYNC (common/log.c,
// internal_log_file_open) and no other file in this way. After a rotation that
// renames, it is the renamed file; after a deletion it ends in " (deleted)".
func (p Proc) logPath(pid int) string {
	found := ""
	_ = p.fdLinks(pid, func(fd, target string) bool {
		if !strings.HasPrefix(target, "/") || strings.HasPrefix(target, "/dev/") || !p.appends(pid, fd) {
			return true
		}
		found = target
		// Another file may be appended to by a wrapper's redirection.
		return !strings.Contains(path.Base(target), ".log")
	})
	return found
}

// appends reports whether a descriptor was opened with O_APPEND and for writing.
func (p Proc) appends(pid int, fd string) bool {
	b, err := p.read(4096, strconv.Itoa(pid), "fdinfo", fd)
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "flags:"); ok {
			n, err := strconv.ParseUint(strings.TrimSpace(rest), 8, 64)
			return err == nil && n&uint64(os.O_APPEND) != 0 && n&(uint64(os.O_WRONLY)|uint64(os.O_RDWR)) != 0
		}
	}
	return false
}
