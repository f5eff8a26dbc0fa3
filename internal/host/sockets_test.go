package host

import (
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"xrdpfix/diagnose"
)

func TestListening(t *testing.T) {
	p := newFakeProc(t)
	p.file("net/tcp", tcpHeader+
		tcpLine("127.0.0.1:3389", "0.0.0.0:0", tcpListen, 50)+
		tcpLine("0.0.0.0:22", "0.0.0.0:0", tcpListen, 51)+
		tcpLine("0.0.0.0:3390", "0.0.0.0:0", tcpListen, 52)+
		tcpLine("10.0.0.1:3389", "192.0.2.1:5", tcpEstablished, 53))
	p.file("net/tcp6", tcpHeader+tcpLine("[::]:3389", "[::]:0", tcpListen, 100))
	d := daemonProcess()
	p.add(412, 100, d)
	d.ppid = 412
	p.add(300, 50, d) // a child with a smaller number, after the PIDs wrapped around
	p.add(1, 1, fakeProcess{comm: "systemd", fds: map[int]string{9: "socket:[50]"}})
	p.add(77, 70, fakeProcess{comm: "nginx", ppid: 1, fds: map[int]string{4: "socket:[50]"}, cgroup: "0::/system.slice/nginx.service\n"})
	got, err := p.proc().Listening(t.Context(), []int{3389, 3390})
	want := []diagnose.Socket{
		{Addr: "127.0.0.1", Port: 3389, PID: 77, Program: "nginx", Unit: "nginx.service"},
		{Addr: "::", Port: 3389, PID: 412, Program: "xrdp", Unit: "xrdp.service"},
		{Addr: "0.0.0.0", Port: 3390},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
}

func TestPeers(t *testing.T) {
	p := newFakeProc(t)
	p.file("net/tcp6", tcpHeader+
		tcpLine("[::ffff:10.0.0.1]:3389", "[::ffff:192.0.2.7]:50001", tcpEstablished, 201)+
		tcpLine("[2001:db8::1]:3389", "[2001:db8::2]:50002", tcpEstablished, 202)+
		tcpLine("[::ffff:127.0.0.1]:3389", "[::ffff:127.0.0.1]:50003", tcpEstablished, 203)+
		tcpLine("[::ffff:10.0.0.1]:3389", "[::ffff:192.0.2.9]:50004", tcpEstablished, 0)+ // not accepted yet
		tcpLine("[::ffff:10.0.0.1]:3389", "[::ffff:192.0.2.8]:50005", 0x06, 0)) // TIME_WAIT
	p.file("net/tcp", tcpHeader+
		tcpLine("127.0.0.1:50003", "127.0.0.1:3389", tcpEstablished, 301)+ // our end
		tcpLine("127.0.0.1:3389", "127.0.0.1:9", tcpEstablished, 302)) // not xrdp's
	child := fakeProcess{comm: "xrdp", exe: xrdpExe, ppid: 412, uid: 112, gid: 118}
	d := daemonProcess()
	d.fds[7] = "socket:[201]"
	p.add(412, 1, d)
	child.fds = map[int]string{12: "socket:[201]"}
	p.add(500, 2, child)
	child.fds = map[int]string{12: "socket:[202]", 13: "socket:[203]"}
	p.add(501, 3, child)
	p.add(600, 4, fakeProcess{comm: "nginx", fds: map[int]string{3: "socket:[302]"}})
	got, err := p.proc().Peers(t.Context(), []int{3389}, []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:50003")})
	want := []diagnose.Peer{{Client: "192.0.2.7:50001", PID: 500}, {Client: "[2001:db8::2]:50002", PID: 501}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
}

// TestPeersHidden looks as a user who may not see into xrdp.
func TestPeersHidden(t *testing.T) {
	needRoot(t)
	p := newFakeProc(t)
	p.file("net/tcp", tcpHeader+tcpLine("127.0.0.1:3389", "127.0.0.1:9", tcpEstablished, 201))
	p.add(412, 1, daemonProcess())
	if err := os.Chmod(p.proc().pid(412, "fd"), 0); err != nil {
		t.Fatal(err)
	}
	for dir := p.dir; dir != os.TempDir(); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	err := as(t, diagnose.Identity{UID: 65534, GID: 65534}, func() error {
		_, err := p.proc().Peers(t.Context(), []int{3389}, nil)
		return err
	})
	if !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a hidden owner: %v", err)
	}
}

// TestRealSockets finds our own listener and the owner of it.
func TestRealSockets(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		a := l.Addr().(*net.TCPAddr)
		got, err := Proc("").Listening(t.Context(), []int{a.Port})
		if err != nil || len(got) != 1 {
			t.Fatalf("%v: %+v, %v", a, got, err)
		}
		if got[0].Addr != a.IP.String() || got[0].PID != os.Getpid() || got[0].Program == "" {
			t.Errorf("%v: %+v; we are %d", a, got[0], os.Getpid())
		}
	}
}
