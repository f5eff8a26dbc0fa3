package host

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"xrdpfix/diagnose"
	"xrdpfix/service"
	"xrdpfix/xrdpconf"
)

func TestOpenOf(t *testing.T) {
	p := newFakeProc(t)
	p.file("net/tcp", tcpHeader+
		tcpLine("0.0.0.0:3390", "0.0.0.0:0", tcpListen, 52)+
		tcpLine("0.0.0.0:22", "0.0.0.0:0", tcpListen, 51)+
		tcpLine("10.0.0.1:3390", "192.0.2.1:5", tcpEstablished, 53))
	p.file("net/tcp6", tcpHeader+tcpLine("[::]:3389", "[::]:0", tcpListen, 100))
	d := daemonProcess()
	d.fds = map[int]string{3: "/var/log/xrdp.log", 5: "socket:[52]", 6: "socket:[53]", 7: "socket:[100]"}
	p.add(412, 100, d)
	got, err := p.proc().OpenOf(412)
	want := []diagnose.Socket{{Addr: "::", Port: 3389, PID: 412}, {Addr: "0.0.0.0", Port: 3390, PID: 412}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if _, err := p.proc().OpenOf(413); err == nil {
		t.Error("a process that is not there has sockets")
	}
}

func TestSesmanReach(t *testing.T) {
	// As bookworm's and sid's kernels print it.
	const header = "Num       RefCount Protocol Flags    Type St Inode Path\n"
	const listening = "00000000dab4858a: 00000002 00000000 00010000 0001 01 1243108 "
	const connected = "00000000dab4858b: 00000003 00000000 00000000 0001 03 1243109 "
	old, newer := "0.9.21.1", "0.10.6.1"
	for _, tt := range []struct {
		name, version, listen string
		tcp, tcp6, unix       string
		want                  diagnose.SesmanReach
	}{
		{"0.9", old, "", tcpLine("127.0.0.1:3350", "0.0.0.0:0", tcpListen, 60), "", "", diagnose.SesmanReach{Wanted: "127.0.0.1:3350", Listening: true}},
		{"0.9 on every address", old, "3350", "", tcpLine("[::]:3350", "[::]:0", tcpListen, 60), "", diagnose.SesmanReach{Wanted: "127.0.0.1:3350", Listening: true}},
		{"0.9 mapped", old, "3350", "", tcpLine("[::ffff:127.0.0.1]:3350", "[::]:0", tcpListen, 60), "", diagnose.SesmanReach{Wanted: "127.0.0.1:3350", Listening: true}},
		{"0.9 on ::1, as bookworm's", old, "3350", "", tcpLine("[::1]:3350", "[::]:0", tcpListen, 60), "", diagnose.SesmanReach{Wanted: "127.0.0.1:3350", Listening: true}},
		{"0.9 on an outside address", old, "3350", "", tcpLine("[2001:db8::1]:3350", "[::]:0", tcpListen, 60), "", diagnose.SesmanReach{Wanted: "127.0.0.1:3350", Elsewhere: []string{"[2001:db8::1]:3350"}}},
		{"0.9 on another port", old, "3351", tcpLine("127.0.0.1:3350", "0.0.0.0:0", tcpListen, 60), "", "", diagnose.SesmanReach{Wanted: "127.0.0.1:3351", Elsewhere: []string{"127.0.0.1:3350"}}},
		{"0.9, only a connection", old, "", tcpLine("127.0.0.1:3350", "127.0.0.1:5000", tcpEstablished, 61), "", "", diagnose.SesmanReach{Wanted: "127.0.0.1:3350"}},
		{"0.10", newer, "", "", "", listening + "/run/xrdp/sockdir/sesman.socket\n", diagnose.SesmanReach{Wanted: "/run/xrdp/sockdir/sesman.socket", Listening: true}},
		{"0.10, only a connection", newer, "", "", "", connected + "/run/xrdp/sockdir/sesman.socket\n", diagnose.SesmanReach{Wanted: "sesman.socket"}},
		{"0.10 under another name", newer, "mine.socket", "", "", listening + "/run/xrdp/sockdir/sesman.socket\n" + listening + "/run/dbus/system_bus.socket\n",
			diagnose.SesmanReach{Wanted: "mine.socket", Elsewhere: []string{"/run/xrdp/sockdir/sesman.socket"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newFakeProc(t)
			p.file("net/tcp", tcpHeader+tt.tcp)
			p.file("net/tcp6", tcpHeader+tt.tcp6)
			p.file("net/unix", header+tt.unix)
			p.add(400, 90, fakeProcess{comm: "xrdp-sesman", fds: map[int]string{5: "socket:[60]"}})
			v, err := xrdpconf.ParseVersion(tt.version)
			if err != nil {
				t.Fatal(err)
			}
			m := &Machine{proc: p.proc()}
			got, err := m.sesmanReach(t.Context(), xrdpconf.SessionManager{ListenPort: tt.listen}, v)
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
}

func TestUserFault(t *testing.T) {
	loaded := func(user, group string) *service.Unit {
		return &service.Unit{LoadState: "loaded", User: user, Group: group, FragmentPath: "/lib/systemd/system/xrdp.service"}
	}
	for _, tt := range []struct {
		name       string
		unit       *service.Unit
		server     xrdpconf.Server
		fault, fil string
	}{
		{"nothing stated", loaded("", ""), xrdpconf.Server{}, "", ""},
		{"good", loaded("xrdp", "xrdp"), xrdpconf.Server{RuntimeUser: "xrdp", RuntimeGroup: "xrdp"}, "", ""},
		{"by number", loaded("112", "118"), xrdpconf.Server{}, "", ""},
		{"runtime_user", nil, xrdpconf.Server{RuntimeUser: "xdrp", RuntimeGroup: "xrdp"}, "runtime_user=xdrp", diagnose.ConfigPath},
		{"runtime_group", nil, xrdpconf.Server{RuntimeUser: "xrdp", RuntimeGroup: "xdrp"}, "runtime_group=xdrp", diagnose.ConfigPath},
		{"one of two is another fault", nil, xrdpconf.Server{RuntimeUser: "xdrp"}, "", ""},
		{"unit's user", loaded("xdrp", ""), xrdpconf.Server{}, "User=xdrp", "/lib/systemd/system/xrdp.service"},
		{"unit's group", loaded("xrdp", "xdrp"), xrdpconf.Server{}, "Group=xdrp", "/lib/systemd/system/xrdp.service"},
		{"unit not loaded", &service.Unit{LoadState: "masked", User: "xdrp"}, xrdpconf.Server{}, "", ""},
	} {
		m := &Machine{cfg: Config{Root: t.TempDir()}, names: testAccounts()}
		fault, in := m.userFault(tt.unit, tt.server)
		if !strings.HasPrefix(fault, tt.fault) || fault == "" != (tt.fault == "") || in != tt.fil {
			t.Errorf("%s: %q in %q, want %q in %q", tt.name, fault, in, tt.fault, tt.fil)
		}
	}
}

// TestKnownElsewhere: what the files do not hold, the name service may.
func TestKnownElsewhere(t *testing.T) {
	m := &Machine{cfg: Config{Root: "/"}, ctx: context.Background(), names: testAccounts()}
	for name, want := range map[string]bool{"root": true, "no-such-user-at-all": false, "--help": true} {
		if got := m.known("passwd", name); got != want {
			t.Errorf("known(%q) = %v", name, got)
		}
	}
}
