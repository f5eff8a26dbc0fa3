package host

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// fakeProc is a procfs made of files.
type fakeProc struct {
	t   *testing.T
	dir string
}

// fakeProcess is what a test says about a process; pid and start are given.
type fakeProcess struct {
	comm, exe, state    string
	ppid, uid, gid      int
	groups, nspid, root string
	args                []string
	env                 []string
	fds                 map[int]string // descriptor to target; "socket:[n]" for sockets
	appends             []int          // descriptors opened with O_WRONLY|O_APPEND
	cgroup              string
}

const bootTime = 1_700_000_000

func newFakeProc(t *testing.T) fakeProc {
	p := fakeProc{t, t.TempDir()}
	p.file("stat", "cpu 1 2 3\nbtime "+strconv.Itoa(bootTime)+"\nprocesses 1\n")
	p.file("net/tcp", "")
	p.file("net/unix", "")
	return p
}

func (p fakeProc) proc() Proc { return Proc(p.dir) }

func (p fakeProc) file(name, text string) {
	p.t.Helper()
	full := filepath.Join(p.dir, name)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func (p fakeProc) link(name, target string) {
	p.t.Helper()
	full := filepath.Join(p.dir, name)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.Symlink(target, full); err != nil {
		p.t.Fatal(err)
	}
}

func (p fakeProc) add(pid int, start uint64, f fakeProcess) {
	p.t.Helper()
	dir := strconv.Itoa(pid) + "/"
	if f.state == "" {
		f.state = "S"
	}
	if f.nspid == "" {
		f.nspid = strconv.Itoa(pid)
	}
	if f.root == "" {
		f.root = "/"
	}
	p.file(dir+"stat", fmt.Sprintf("%d (%s) %s %d 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 %d 9 9\n", pid, f.comm, f.state, f.ppid, start))
	p.file(dir+"status", fmt.Sprintf("Name:\t%s\nUid:\t%d\t%d\t%d\t%d\nGid:\t%d\t%d\t%d\t%d\nGroups:\t%s \nNSpid:\t%s\n",
		f.comm, f.uid, f.uid, f.uid, f.uid, f.gid, f.gid, f.gid, f.gid, f.groups, f.nspid))
	p.file(dir+"cmdline", strings.Join(f.args, "\x00")+"\x00")
	p.file(dir+"environ", strings.Join(f.env, "\x00")+"\x00")
	p.file(dir+"cgroup", f.cgroup)
	p.link(dir+"root", f.root)
	if f.exe != "" {
		p.link(dir+"exe", f.exe)
	}
	p.file(dir+"fd/.keep", "")
	for fd, target := range f.fds {
		p.link(dir+"fd/"+strconv.Itoa(fd), target)
		p.file(dir+"fdinfo/"+strconv.Itoa(fd), "pos:\t0\nflags:\t0100000\n")
	}
	for _, fd := range f.appends {
		p.file(dir+"fdinfo/"+strconv.Itoa(fd), "pos:\t0\nflags:\t04112001\nmnt_id:\t29\n")
	}
}

func at(ticks uint64) time.Time {
	return time.Unix(bootTime, 0).UTC().Add(time.Duration(ticks) * time.Second / userHZ)
}

func TestParseStat(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want stat
		ok   bool
	}{
		{"412 (xrdp) S 1 412 412 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 12345 9 9\n", stat{"xrdp", 'S', 1, 12345}, true},
		{"5 (a) b) (c) R 7 412 412 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 1 9 9", stat{"a) b) (c", 'R', 7, 1}, true},
		{"5 (a) R 7", stat{}, false},
		{"5 a R 7", stat{}, false},
		{")(", stat{}, false},
	} {
		got, err := parseStat([]byte(tt.in))
		if got != tt.want || (err == nil) != tt.ok {
			t.Errorf("%q: %+v, %v", tt.in, got, err)
		}
	}
}

func TestParseStatus(t *testing.T) {
	got, err := parseStatus([]byte("Name:\tx: y\nUid:\t0\t1\t2\t112\nGid:\t0\t1\t2\t118\nGroups:\t4 117 \nNSpid:\t99\t2\n"))
	want := status{uid: 0, fsuid: 112, fsgid: 118, groups: []int{4, 117}, nested: true}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := parseStatus([]byte("Uid:\t0\t1\t2\n")); err == nil {
		t.Error("three uids pass")
	}
}

// tcpLine writes a line of /proc/net/tcp in this machine's byte order.
func tcpLine(local, remote string, state uint8, inode uint64) string {
	hexAddr := func(s string) string {
		a := netip.MustParseAddrPort(s)
		b := a.Addr().AsSlice()
		out := ""
		for w := 0; w < len(b); w += 4 {
			out += fmt.Sprintf("%08X", binary.NativeEndian.Uint32(b[w:]))
		}
		return out + fmt.Sprintf(":%04X", a.Port())
	}
	return fmt.Sprintf("   0: %s %s %02X 00000000:00000000 00:00000000 00000000   101        0 %d 1 0000000000000000 100 0 0 10 0\n",
		hexAddr(local), hexAddr(remote), state, inode)
}

const tcpHeader = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

func TestParseTCP(t *testing.T) {
	in := tcpHeader + tcpLine("127.0.0.1:3389", "192.0.2.7:51234", tcpEstablished, 77) +
		tcpLine("[::ffff:10.0.0.1]:3389", "[2001:db8::1]:1", tcpListen, 78) + "garbage\n 1: 0:1 0:2 0A\n"
	want := []tcpSocket{
		{netip.MustParseAddrPort("127.0.0.1:3389"), netip.MustParseAddrPort("192.0.2.7:51234"), tcpEstablished, 77},
		{netip.MustParseAddrPort("[::ffff:10.0.0.1]:3389"), netip.MustParseAddrPort("[2001:db8::1]:1"), tcpListen, 78},
	}
	if got := parseTCP([]byte(in)); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	// As a little-endian kernel prints 127.0.0.1:3389.
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		if got, ok := parseHexAddr("0100007F:0D3D"); !ok || got != want[0].local {
			t.Errorf("got %v, %v", got, ok)
		}
	}
}

func TestParseUnix(t *testing.T) {
	in := "Num       RefCount Protocol Flags    Type St Inode Path\n" +
		"0000000000000000: 00000003 00000000 00000000 0001 03 336509 /run/xrdp/sockdir/xrdp_display_10\n" +
		"0000000000000000: 00000002 00000000 00010000 0001 01 336500 /run/xrdp/sockdir/xrdp_display_10\n" +
		"0000000000000000: 00000003 00000000 00000000 0001 03 334816\n" + "short\n"
	want := []unixSocket{
		{336509, true, "/run/xrdp/sockdir/xrdp_display_10"},
		{336500, false, "/run/xrdp/sockdir/xrdp_display_10"},
		{334816, true, ""},
	}
	if got := parseUnix([]byte(in)); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}

func TestUnitOf(t *testing.T) {
	for in, want := range map[string]string{
		"0::/system.slice/xrdp.service\n":                                        "xrdp.service",
		"0::/system.slice/docker.service/payload\n":                              "docker.service",
		"12:pids:/x.service\n1:name=systemd:/system.slice/nginx.service\n0::/\n": "nginx.service",
		"0::/user.slice/user-1000.slice/session-c1.scope\n":                      "session-c1.scope",
		"0::/\n": "",
		"":       "",
		"0::/user.slice/user-1000.slice/user@1000.service/app.slice/a.scope\n": "a.scope",
	} {
		if got := unitOf([]byte(in)); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestStarted(t *testing.T) {
	p := newFakeProc(t)
	if got := p.proc().started(12345); !got.Equal(at(12345)) {
		t.Errorf("got %v, want %v", got, at(12345))
	}
	// Our own start, by the real kernel.
	var real Proc
	st, err := real.stat(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if age := time.Since(real.started(st.start)); age < -2*time.Second || age > 10*time.Minute {
		t.Errorf("we started %v ago", age)
	}
	// A child that was started just now, to the tick of a start time.
	before := time.Now()
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = child.Process.Kill(); _ = child.Wait() }()
	after := time.Now()
	if st, err = real.stat(child.Process.Pid); err != nil {
		t.Fatal(err)
	}
	const tick = 2 * time.Second / userHZ
	if got := real.started(st.start); got.Before(before.Add(-tick)) || got.After(after.Add(tick)) {
		t.Errorf("a child started at %v, not between %v and %v", got, before, after)
	}
}

// TestBootClock reads the time of boot where others want every processor: it is the
// same each time, to the tick of a start time.
func TestBootClock(t *testing.T) {
	var stop atomic.Bool
	var busy sync.WaitGroup
	for range 4 * runtime.GOMAXPROCS(0) {
		busy.Go(func() {
			for !stop.Load() { // busy, that is what it is for
			}
		})
	}
	var first, last time.Time
	for i, end := 0, time.Now().Add(time.Second); time.Now().Before(end); i++ {
		boot, ok := bootClock()
		if !ok {
			t.Fatal("this kernel has no CLOCK_BOOTTIME")
		}
		if i == 0 || boot.Before(first) {
			first = boot
		}
		if boot.After(last) {
			last = boot
		}
	}
	stop.Store(true)
	busy.Wait()
	if spread := last.Sub(first); spread > time.Second/userHZ {
		t.Errorf("the time of boot differs by %v", spread)
	}
}

func FuzzProc(f *testing.F) {
	f.Add([]byte("412 (xrdp) S 1 412 412 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 12345 9 9\n"))
	f.Add([]byte("Uid:\t0\t1\t2\t112\nGid:\t0\t1\t2\t118\nGroups:\t4 117 \nNSpid:\t99\t2\n"))
	f.Add([]byte(tcpHeader + tcpLine("127.0.0.1:3389", "192.0.2.7:51234", tcpEstablished, 77)))
	f.Add([]byte("0000000000000000: 00000003 00000000 00000000 0001 03 336509 /run/xrdp/x\n0::/system.slice/xrdp.service\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := parseStat(b); err == nil && s.state == 0 {
			t.Errorf("no state in %q", b)
		}
		if s, err := parseStatus(b); err == nil && (s.uid < 0 || s.fsuid < 0 || s.fsgid < 0) {
			t.Errorf("%q: %+v", b, s)
		}
		for _, s := range parseTCP(b) {
			if !s.local.IsValid() || !s.remote.IsValid() {
				t.Errorf("%q: %+v", b, s)
			}
		}
		parseUnix(b)
		if unit := unitOf(b); strings.Contains(unit, "/") {
			t.Errorf("%q: unit %q", b, unit)
		}
		splitNUL(b)
	})
}

func FuzzUnixDiag(f *testing.F) {
	f.Add(unixDiagRequest())
	f.Add([]byte{28, 0, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		peers := map[uint64]uint64{}
		if done, err := parseUnixDiag(b, peers); done && err != nil {
			t.Errorf("done with %v", err)
		}
	})
}
