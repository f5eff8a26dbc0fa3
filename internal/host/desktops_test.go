package host

import (
	"net"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"testing"

	"xrdpfix/diagnose"
)

// as runs f on a thread with another identity for file access.
func as(t *testing.T, id diagnose.Identity, f func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if err := become(id); err != nil {
			done <- err
			return
		}
		done <- f()
	}()
	return <-done
}

// sessions are the processes of three desktops on a machine without sock_diag:
// alice is connected to an Xorg of 0.9, bob has an orphan of 0.10, carol is
// connected to an Xvnc; dave runs an X server of his own.
func sessions(t *testing.T) fakeProc {
	p := newFakeProc(t)
	p.file("net/tcp6", tcpHeader+
		tcpLine("[::ffff:10.0.0.1]:3389", "[::ffff:192.0.2.7]:50001", tcpEstablished, 201)+
		tcpLine("[::ffff:10.0.0.1]:3389", "[::ffff:192.0.2.8]:50002", tcpEstablished, 202)+
		tcpLine("[::ffff:127.0.0.1]:53158", "[::ffff:127.0.0.1]:5912", tcpEstablished, 210))
	p.file("net/unix", "Num       RefCount Protocol Flags    Type St Inode Path\n"+
		"0: 00000003 00000000 00000000 0001 03 900 /run/xrdp/sockdir/xrdp_display_10\n"+
		"0: 00000002 00000000 00010000 0001 01 901 /run/xrdp/sockdir/1001/xrdp_display_11\n"+
		"0: 00000003 00000000 00000000 0001 03 902 /run/xrdp/sockdir/1001/xrdp_chansrv_socket_11\n")
	p.add(412, 1, daemonProcess())
	p.add(420, 2, fakeProcess{comm: "xrdp", exe: xrdpExe, ppid: 412, fds: map[int]string{1: "socket:[201]"}})
	p.add(421, 3, fakeProcess{comm: "xrdp", exe: xrdpExe, ppid: 412, fds: map[int]string{1: "socket:[202]", 2: "socket:[210]"}})
	p.add(430, 4, fakeProcess{comm: "xrdp-sesman", ppid: 1})
	p.add(500, 1000, fakeProcess{comm: "Xorg", ppid: 430, uid: 1000,
		args: []string{"/usr/lib/xorg/Xorg", ":10", "-auth", ".Xauthority", "-config", "xrdp/xorg.conf", "-noreset"}})
	p.add(501, 2000, fakeProcess{comm: "Xorg", ppid: 1, uid: 1001,
		args: []string{"/usr/lib/xorg/Xorg", ":11", "-config", "xrdp/xorg.conf"}})
	p.add(502, 3000, fakeProcess{comm: "Xvnc", ppid: 1, uid: 1002,
		args: []string{"Xvnc", ":12", "-auth", ".Xauthority", "-rfbauth", "/home/carol/.vnc/sesman_passwd-carol@h:12"}})
	p.add(503, 4000, fakeProcess{comm: "Xvnc", ppid: 1, uid: 1003, args: []string{"Xvnc", ":3", "-rfbauth", "/home/dave/.vnc/passwd"}})
	p.add(504, 5000, fakeProcess{comm: "Xorg", ppid: 1, args: []string{"/usr/lib/xorg/Xorg", ":0", "vt7"}})
	p.add(505, 6000, fakeProcess{comm: "Xorg", ppid: 430, uid: 1000, state: "Z", args: []string{"Xorg", ":13"}})
	return p
}

func TestDesktops(t *testing.T) {
	names := ParseAccounts([]byte("alice:x:1000:1000::/:\nbob:x:1001:1001::/:\n"), nil)
	got, err := sessions(t).proc().Desktops(t.Context(), names, []int{3389})
	want := []diagnose.Desktop{
		{User: "alice", UID: 1000, Display: ":10", PID: 500, Since: at(1000), Connected: true},
		{User: "bob", UID: 1001, Display: ":11", PID: 501, Since: at(2000)},
		{User: "1002", UID: 1002, Display: ":12", PID: 502, Since: at(3000), Connected: true, Client: "192.0.2.8"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
}

func TestDesktopsHidden(t *testing.T) {
	needRoot(t)
	p := sessions(t)
	for _, pid := range []int{412, 420, 421} {
		if err := os.Chmod(p.proc().pid(pid, "fd"), 0); err != nil {
			t.Fatal(err)
		}
	}
	for dir := p.dir; dir != os.TempDir(); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var got []diagnose.Desktop
	err := as(t, diagnose.Identity{UID: 65534, GID: 65534}, func() (err error) {
		got, err = p.proc().Desktops(t.Context(), testAccounts(), []int{3389})
		return err
	})
	var connected []string
	for _, d := range got {
		if d.Connected {
			connected = append(connected, d.Display)
		}
	}
	if err != nil || !reflect.DeepEqual(connected, []string{":10", ":12"}) {
		t.Errorf("connected: %q, %v", connected, err)
	}
}

func TestNoDesktops(t *testing.T) {
	p := newFakeProc(t)
	p.add(412, 1, daemonProcess())
	got, err := p.proc().Desktops(t.Context(), testAccounts(), nil)
	if err != nil || got != nil {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestUnixPeers asks the real kernel about a pair of our own.
func TestUnixPeers(t *testing.T) {
	name := filepath.Join(t.TempDir(), "xrdp_display_99")
	l, err := net.Listen("unix", name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	near, err := net.Dial("unix", name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = near.Close() }()
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = far.Close() }()
	var p Proc
	peers, err := p.unixPeers()
	if err != nil {
		t.Fatal(err)
	}
	sockets, err := p.unix()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, s := range sockets {
		if s.path != name || !s.connected {
			continue
		}
		found++
		if back := peers[peers[s.inode]]; back != s.inode || socketDisplay(s.path) != 99 {
			t.Errorf("socket %d: peer %d, whose peer is %d", s.inode, peers[s.inode], back)
		}
	}
	if found != 1 {
		t.Errorf("%d accepted sockets", found)
	}
}

func TestSocketDisplay(t *testing.T) {
	for in, want := range map[string]int{
		"/run/xrdp/sockdir/1000/xrdp_display_10": 10, "/tmp/.xrdp/xrdp_display_7": 7, "xrdp_chansrv_socket_11": 11,
		"/run/xrdp/sockdir/xrdp_chansrv_audio_out_socket_10": -1, "xrdp_display_": -1, "xrdp_display_99999": -1, "": -1,
	} {
		if got := socketDisplay(in); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}
