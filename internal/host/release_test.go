package host

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"xrdpfix/diagnose"
)

// tree writes files below a new root.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(root+name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(root+name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestReadHostInfoOfTree(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  diagnose.HostInfo
	}{
		{"Debian", map[string]string{
			"/etc/hostname":   "# set by the installer\nweb1\n",
			"/etc/hosts":      "127.0.0.1 localhost\n127.0.1.1 web1.example.org web1 # me\n",
			"/etc/os-release": "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nID=debian\n",
		}, diagnose.HostInfo{Name: "web1", FQDN: "web1.example.org", OS: "Debian 12", OSID: "debian", OSPretty: "Debian GNU/Linux 12 (bookworm)"}},
		{"RHEL, os-release in /usr/lib, SELinux", map[string]string{
			"/etc/hostname":       "db.example.com\n",
			"/usr/lib/os-release": "NAME=\"Red Hat Enterprise Linux\"\nVERSION_ID=\"9.4\"\nID=\"rhel\"\nID_LIKE=\"fedora\"\n",
			"/etc/selinux/config": "# x\nSELINUX=enforcing\nSELINUXTYPE=targeted\n",
		}, diagnose.HostInfo{Name: "db.example.com", FQDN: "db.example.com", OS: "RHEL 9.4", OSID: "rhel", OSLike: "fedora", SELinux: "enforcing"}},
		{"nothing", map[string]string{"/x": ""}, diagnose.HostInfo{}},
		{"a name that is none", map[string]string{"/etc/hostname": "a b;c\n", "/etc/selinux/config": "SELINUX=disabled\n"}, diagnose.HostInfo{}},
	} {
		got, err := ReadHostInfo(t.Context(), tree(t, tt.files))
		tt.want.Root = os.Geteuid() == 0
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got  %+v, %v\nwant %+v", tt.name, got, err, tt.want)
		}
	}
	if _, err := ReadHostInfo(t.Context(), "/nonexistent"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such tree: %v", err)
	}
}

func TestReadHostInfoLive(t *testing.T) {
	begin := time.Now()
	got, err := ReadHostInfo(t.Context(), "/")
	if want, _ := os.Hostname(); err != nil || got.Name != want || got.OS == "" {
		t.Errorf("got %+v, %v; hostname %q", got, err, want)
	}
	if d := time.Since(begin); d > 30*time.Second {
		t.Errorf("took %v", d)
	}
}

func TestOSName(t *testing.T) {
	for want, r := range map[string]map[string]string{
		"Debian forky":  {"NAME": "Debian GNU/Linux", "VERSION_CODENAME": "forky"},
		"Ubuntu 24.04":  {"NAME": "Ubuntu", "VERSION_ID": "24.04"},
		"openSUSE 15.6": {"NAME": "openSUSE Leap", "VERSION_ID": "15.6"},
		"Mint 21":       {"NAME": "Linux Mint", "VERSION_ID": "21"},
		"Fedora 42":     {"NAME": "Fedora Linux", "VERSION_ID": "42"},
		"arch":          {"ID": "arch"},
		"":              {},
	} {
		if got := osName(r); got != want {
			t.Errorf("%v: %q, want %q", r, got, want)
		}
	}
}

func TestFQDN(t *testing.T) {
	for _, tt := range []struct{ name, hosts, want string }{
		{"web", "10.0.0.1 WEB.Example.org web\n", "WEB.Example.org"},
		{"web", "10.0.0.1 other.example.org web\n", ""},
		{"web", "10.0.0.1 web\n10.0.0.2 web.example.org\n", "web.example.org"},
		{"web", "127.0.0.1 web.localdomain web\n", ""},
		{"web", "10.0.0.1 web.exa;mple.org web\n", ""},
		{"web", "# 10.0.0.1 web.example.org\n\n10.0.0.1\n", ""},
		{"web.example.org", "", "web.example.org"},
		{"", "10.0.0.1 .example.org\n", ""},
	} {
		if got := fqdn(context.Background(), tt.name, tt.hosts, false); got != tt.want {
			t.Errorf("%q in %q: %q", tt.name, tt.hosts, got)
		}
	}
}

func TestRoutes(t *testing.T) {
	v4 := "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n" +
		"eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n" +
		"eth0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n" +
		"eth1\t00000000\t0100000B\t0003\t0\t0\t200\t00000000\t0\t0\t0\n" +
		"tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0\n" +
		"bad0\t00000000\t00000000\t0200\t0\t0\t0\t00000000\t0\t0\t0\n" +
		"eth0\t00000000\t0200000A\t0003\t0\t0\t300\t00000000\t0\t0\t0\nx\n"
	if got := routeInterfaces([]byte(v4)); !reflect.DeepEqual(got, []string{"eth0", "eth1"}) {
		t.Errorf("IPv4: %q", got)
	}
	const zero = "00000000000000000000000000000000"
	v6 := zero + " 00 " + zero + " 00 fe800000000000000000000000000001 00000400 00000001 00000000 00450003     eth0\n" +
		zero + " 00 " + zero + " 00 " + zero + " ffffffff 00000001 00000000 00200200       lo\n" +
		"fe800000000000000000000000000000 40 " + zero + " 00 " + zero + " 00000100 00000001 00000000 00000001     eth2\n"
	if got := route6Interfaces([]byte(v6)); !reflect.DeepEqual(got, []string{"eth0"}) {
		t.Errorf("IPv6: %q", got)
	}
	addrs := "20010db8000000000000000000000001 02 40 00 80     eth0\n" +
		"20010db800000000000000000000000a 02 40 00 01     eth0\n" + // temporary
		"20010db800000000000000000000000b 02 40 00 a0     eth0\n" + // deprecated
		"fe800000000000000000000000000001 02 40 20 80     eth0\n" +
		"00000000000000000000000000000001 01 80 10 80       lo\nx\n"
	got := lastingAddrs6([]byte(addrs))
	if len(got) != 1 || got[0].addr.String() != "2001:db8::1" || got[0].ifc != "eth0" {
		t.Errorf("addresses: %+v", got)
	}
}

func TestReadFileRefuses(t *testing.T) {
	root := tree(t, map[string]string{"/big": "123456", "/dir/x": ""})
	if err := unix.Mkfifo(root+"/fifo", 0o600); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"/out": "../../../../../../../../etc/passwd", "/abs": "/etc/passwd", "/null": "/dev/null"} {
		if err := os.Symlink(target, root+link); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		root, name string
		want       error
	}{
		{root, "/big", ErrTooLarge}, {root, "/fifo", ErrNotRegular}, {root, "/dir", ErrNotRegular}, {"/", root + "/fifo", ErrNotRegular},
		{"", "/proc/version", ErrTooLarge}, // which has no size
		{root, "/out", fs.ErrNotExist}, {root, "/abs", fs.ErrNotExist}, {"", root + "/null", ErrNotRegular}, {"/nonexistent", "/x", fs.ErrNotExist},
	} {
		if b, err := ReadFile(tt.root, tt.name, 5); !errors.Is(err, tt.want) {
			t.Errorf("%s in %s: %q, %v; want %v", tt.name, tt.root, b, err, tt.want)
		}
	}
	if b, err := ReadFile(root, "/big", 6); err != nil || string(b) != "123456" {
		t.Errorf("at the limit: %q, %v", b, err)
	}
}

func FuzzRelease(f *testing.F) {
	f.Add("eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n", "web")
	f.Add("20010db8000000000000000000000001 02 40 00 80     eth0\n", "a")
	f.Fuzz(func(t *testing.T, s, name string) {
		routeInterfaces([]byte(s))
		route6Interfaces([]byte(s))
		lastingAddrs6([]byte(s))
		firstLine(s)
		if full := hostsFQDN(name, s); full != "" && !validHostName(full) {
			t.Errorf("%q of %q", full, s)
		}
	})
}
