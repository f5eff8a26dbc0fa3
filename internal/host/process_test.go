package host

import (
	"errors"
	"os"
	"reflect"
	"testing"

	"xrdpfix/diagnose"
)

const xrdpExe = "/usr/sbin/xrdp"

// daemonProcess is xrdp on a stock Debian 12.
func daemonProcess() fakeProcess {
	return fakeProcess{
		comm: "xrdp", exe: xrdpExe, ppid: 1, uid: 112, gid: 118, groups: "117 4",
		args: []string{xrdpExe, "-p", "3390"}, env: []string{"PATH=/bin", "OPENSSL_CONF=/etc/xrdp/tls/openssl.cnf"},
		fds:     map[int]string{0: "/dev/null", 3: "/var/log/xrdp.log", 4: "/etc/passwd", 5: "socket:[100]", 6: "/dev/kmsg"},
		appends: []int{3, 6}, cgroup: "0::/system.slice/xrdp.service\n",
	}
}

func TestXrdp(t *testing.T) {
	child := daemonProcess()
	child.ppid = 412
	type procs map[int]fakeProcess
	change := func(f func(*fakeProcess)) fakeProcess {
		p := daemonProcess()
		f(&p)
		return p
	}
	for _, tt := range []struct {
		name    string
		mainPID int
		procs   procs
		want    int // 0: ErrNotRunning
	}{
		{"by its unit", 412, procs{412: daemonProcess()}, 412},
		{"by looking", 0, procs{412: daemonProcess(), 413: child}, 412},
		{"the unit names something else", 7, procs{7: {comm: "sh", exe: "/bin/dash"}, 412: daemonProcess()}, 412},
		{"the unit's process is gone", 9, procs{412: daemonProcess()}, 412},
		{"replaced by an upgrade", 0, procs{412: change(func(p *fakeProcess) { p.exe = xrdpExe + " (deleted)" })}, 412},
		{"program not to be seen", 0, procs{412: change(func(p *fakeProcess) { p.exe = "" })}, 412},
		{"the oldest", 0, procs{900: daemonProcess(), 412: daemonProcess()}, 412},
		{"a zombie", 0, procs{412: change(func(p *fakeProcess) { p.state = "Z" })}, 0},
		{"in a container with PIDs of its own", 0, procs{412: change(func(p *fakeProcess) { p.nspid = "412\t7" })}, 0},
		{"in a container with our PIDs", 0, procs{412: change(func(p *fakeProcess) { p.root = t.TempDir() })}, 0},
		{"some user's", 0, procs{412: change(func(p *fakeProcess) { p.uid = 1000 })}, 0},
		{"some user's, older than the real one", 0, procs{100: change(func(p *fakeProcess) { p.uid = 1000 }), 412: daemonProcess()}, 412},
		{"sesman is not it", 0, procs{412: {comm: "xrdp-sesman", exe: "/usr/sbin/xrdp-sesman"}}, 0},
		{"nothing", 0, nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newFakeProc(t)
			for pid, f := range tt.procs {
				p.add(pid, uint64(pid)*100, f)
			}
			got, err := p.proc().Xrdp(tt.mainPID, testAccounts())
			if got.PID != tt.want || (tt.want == 0) != errors.Is(err, ErrNotRunning) {
				t.Errorf("found %d, %v; want %d", got.PID, err, tt.want)
			}
		})
	}
}

func TestProcess(t *testing.T) {
	p := newFakeProc(t)
	p.add(412, 12345, daemonProcess())
	got, err := p.proc().Process(412, testAccounts())
	want := diagnose.Process{
		PID: 412, Started: at(12345), Exe: xrdpExe, Args: []string{xrdpExe, "-p", "3390"},
		Identity:    diagnose.Identity{UID: 112, GID: 118, Groups: []int{4, 117}, User: "xrdp", Group: "xrdp", From: "process 412"},
		OpenSSLConf: "/etc/xrdp/tls/openssl.cnf", LogPath: "/var/log/xrdp.log",
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
	if _, err := p.proc().Process(413, testAccounts()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no such process: %v", err)
	}
}

func TestUnboundedCommandLine(t *testing.T) {
	p := newFakeProc(t)
	d := daemonProcess()
	d.args = []string{string(make([]byte, maxArgs+1))}
	p.add(412, 1, d)
	got, err := p.proc().Process(412, testAccounts())
	if err != nil || got.Args != nil || got.PID != 412 {
		t.Errorf("%d arguments, %v", len(got.Args), err)
	}
}
