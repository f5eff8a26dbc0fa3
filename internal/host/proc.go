package host

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Proc is a mounted procfs: "" means /proc.
type Proc string

// Limits of what is read from procfs. The command line and the environment of a
// process are as long as its owner likes.
const (
	maxStatus  = 64 << 10
	maxArgs    = 256 << 10
	maxEnviron = 1 << 20
	maxProcNet = 64 << 20
	maxFDs     = 1 << 16
	// userHZ is the unit of starttime in /proc/PID/stat: USER_HZ, 100 on every
	// architecture that Go runs on (proc(5), sysconf(_SC_CLK_TCK)).
	userHZ = 100
)

func (p Proc) dir() string {
	if p == "" {
		return "/proc"
	}
	return string(p)
}

func (p Proc) pid(pid int, name ...string) string {
	return filepath.Join(append([]string{p.dir(), strconv.Itoa(pid)}, name...)...)
}

func (p Proc) read(limit int64, name ...string) ([]byte, error) {
	return ReadFile("", filepath.Join(append([]string{p.dir()}, name...)...), limit)
}

// pids lists the processes there are.
func (p Proc) pids() ([]int, error) {
	d, err := os.Open(p.dir())
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	defer func() { _ = d.Close() }()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	var pids []int
	for _, n := range names {
		if pid, err := strconv.Atoi(n); err == nil && pid > 0 {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// stat is what /proc/PID/stat says.
type stat struct {
	comm  string
	state byte
	ppid  int
	start uint64 // ticks of userHZ since boot
}

// parseStat reads /proc/PID/stat. The name may hold anything, blanks and
// parentheses too, so the last ")" ends it.
func parseStat(b []byte) (stat, error) {
	open, end := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if open < 0 || end < open {
		return stat{}, errors.New("malformed /proc/PID/stat")
	}
	f := strings.Fields(string(b[end+1:]))
	if len(f) < 20 || len(f[0]) != 1 || f[0][0] < 'A' {
		return stat{}, errors.New("malformed /proc/PID/stat: no state or too few fields")
	}
	ppid, err1 := strconv.Atoi(f[1])
	start, err2 := strconv.ParseUint(f[19], 10, 64)
	if err := errors.Join(err1, err2); err != nil {
		return stat{}, fmt.Errorf("malformed /proc/PID/stat: %w", err)
	}
	return stat{comm: string(b[open+1 : end]), state: f[0][0], ppid: ppid, start: start}, nil
}

func (p Proc) stat(pid int) (stat, error) {
	b, err := p.read(maxStatus, strconv.Itoa(pid), "stat")
	if err != nil {
		return stat{}, err
	}
	return parseStat(b)
}

// status is what /proc/PID/status says about credentials.
type status struct {
	uid    int // real
	fsuid  int
	fsgid  int
	groups []int
	// nested is set for a process of a PID namespace below that of procfs.
	nested bool
}

func parseStatus(b []byte) (status, error) {
	s := status{uid: -1, fsuid: -1, fsgid: -1}
	for line := range strings.Lines(string(b)) {
		key, rest, _ := strings.Cut(line, ":")
		f := strings.Fields(rest)
		ids := make([]int, 0, len(f))
		for _, v := range f {
			id, ok := accountID(v)
			if !ok {
				break
			}
			ids = append(ids, id)
		}
		switch {
		case key == "Uid" && len(ids) == 4:
			s.uid, s.fsuid = ids[0], ids[3]
		case key == "Gid" && len(ids) == 4:
			s.fsgid = ids[3]
		case key == "Groups":
			s.groups = ids
		case key == "NSpid":
			s.nested = len(ids) > 1
		}
	}
	if s.uid < 0 || s.fsgid < 0 {
		return status{}, errors.New("malformed /proc/PID/status")
	}
	return s, nil
}

func (p Proc) status(pid int) (status, error) {
	b, err := p.read(maxStatus, strconv.Itoa(pid), "status")
	if err != nil {
		return status{}, err
	}
	return parseStatus(b)
}

// args is the command line.
func (p Proc) args(pid int) ([]string, error) {
	b, err := p.read(maxArgs, strconv.Itoa(pid), "cmdline")
	if err != nil {
		return nil, err
	}
	return splitNUL(b), nil
}

func splitNUL(b []byte) []string {
	b = bytes.TrimSuffix(b, []byte{0})
	if len(b) == 0 {
		return nil
	}
	return strings.Split(string(b), "\x00")
}

// exe is the program file, without the mark of a file replaced by an upgrade.
func (p Proc) exe(pid int) string {
	target, err := os.Readlink(p.pid(pid, "exe"))
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(target, " (deleted)")
}

// started turns a start time in ticks into a time. The zero time is unknown.
func (p Proc) started(ticks uint64) time.Time {
	boot, ok := p.boot()
	if !ok || ticks/userHZ > 1<<32 {
		return time.Time{}
	}
	return boot.Add(time.Duration(ticks/userHZ)*time.Second + time.Duration(ticks%userHZ)*time.Second/userHZ).UTC()
}

// bootClock reads the two clocks of the kernel whose difference is when it booted. A
// process that has to wait for a processor between the two readings would be wrong by
// that long, and take what was written in the meantime for older than a restart: of
// several readings the one counts that took the least.
func bootClock() (boot time.Time, ok bool) {
	least := time.Duration(math.MaxInt64)
	for range 20 {
		var up unix.Timespec
		before := time.Now()
		if unix.ClockGettime(unix.CLOCK_BOOTTIME, &up) != nil {
			return time.Time{}, false
		}
		took := time.Since(before)
		if took < least {
			least, boot = took, before.Add(took/2-time.Duration(up.Nano()))
		}
		if took < time.Millisecond {
			break
		}
	}
	return boot, true
}

// boot is when the clock began that start times are counted by. The kernel's
// own clocks tell it to the hundredth of a second that start times have; the
// btime line of /proc/stat, all that a copy of procfs has, cuts it to seconds,
// and a file written just before a restart would seem newer than the process.
func (p Proc) boot() (time.Time, bool) {
	if p.dir() == "/proc" {
		if boot, ok := bootClock(); ok {
			return boot, true
		}
	}
	b, err := p.read(maxProcNet, "stat")
	if err != nil {
		return time.Time{}, false
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "btime "); ok {
			boot, err := strconv.ParseInt(strings.TrimSpace(rest), 10, 64)
			return time.Unix(boot, 0), err == nil
		}
	}
	return time.Time{}, false
}

// ours reports whether a process lives where we do: in the PID namespace of
// procfs and under the same root directory. A process in a container of this
// machine is not ours. A mount namespace of its own is no sign: systemd gives
// one to every service with PrivateTmp=.
func (p Proc) ours(pid int, s status) bool {
	if s.nested {
		return false
	}
	theirs, err := os.Stat(p.pid(pid, "root") + "/")
	if err != nil {
		// Not ours to look at; the PID namespace has to do.
		return errors.Is(err, fs.ErrPermission)
	}
	root, err := os.Stat("/")
	return err != nil || os.SameFile(root, theirs)
}

// fdLinks yields the number and the target of each descriptor of a process.
func (p Proc) fdLinks(pid int, yield func(fd, target string) bool) error {
	d, err := os.Open(p.pid(pid, "fd"))
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	names, err := d.Readdirnames(maxFDs)
	if err != nil && len(names) == 0 {
		return err
	}
	for _, n := range names {
		target, err := os.Readlink(filepath.Join(d.Name(), n))
		if err == nil && !yield(n, target) {
			return nil
		}
	}
	return nil
}

// socketInode reads the target of a descriptor that is a socket.
func socketInode(target string) (uint64, bool) {
	s, ok := strings.CutPrefix(target, "socket:[")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.TrimSuffix(s, "]"), 10, 64)
	return n, err == nil
}
