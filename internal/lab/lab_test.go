//go:build lab

package lab

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestStockHost boots each suite and holds what clients see against the facts:
// whether TLS works depends on whether the daemon may read its key, which the
// archive may mend or break any day.
func TestStockHost(t *testing.T) {
	for _, s := range Suites() {
		t.Run(string(s), func(t *testing.T) {
			t.Parallel()
			h := Start(t, s)
			t.Logf("%s: %s %v", s, h.Image.Suite, h.Image.Versions)
			if got := strings.TrimSpace(h.Must(t, "cat /proc/1/comm; systemctl is-system-running; hostname")); got != "systemd\nrunning\n"+h.Name {
				t.Errorf("PID 1, state and name of the host: %q", got)
			}
			if ok, err := h.Listens(RDPPort); err != nil || !ok {
				t.Errorf("Listens(%d) = %v, %v", RDPPort, ok, err)
			}
			judge(t, h, keyReadable(t, h))
			if !keyReadable(t, h) {
				h.Must(t, "adduser xrdp ssl-cert && systemctl restart xrdp")
				if err := h.WaitPort(t.Context(), RDPPort); err != nil {
					t.Fatal(err)
				}
				judge(t, h, true)
			}
		})
	}
}

// keyReadable asks the host's kernel whether the daemon's user may read the key.
func keyReadable(t *testing.T, h *Host) bool {
	t.Helper()
	user := strings.TrimSpace(h.Must(t, "ps -o user= -C xrdp | head -n 1"))
	if strings.Contains(h.Must(t, "cat /etc/xrdp/xrdp.ini"), "\nruntime_user=xrdp") {
		user = "xrdp" // the listener stays root, each connection's process does not
	}
	r, err := h.Sh(t.Context(), "runuser -u "+user+" -- test -r /etc/xrdp/key.pem")
	if err != nil {
		t.Fatal(err)
	}
	return r.Code == 0
}

// judge expects clients to get in over TLS, or none to.
func judge(t *testing.T, h *Host, tls bool) {
	t.Helper()
	want, accepted := "negotiation-failed", ""
	if tls {
		want, accepted = "ok", "1.2 1.3"
	}
	for name, client := range map[string]func(context.Context, *Host, ...string) (ClientResult, error){"FreeRDP": FreeRDP, "FreeRDP3": FreeRDP3} {
		r, err := client(t.Context(), h, "/sec:tls")
		if err != nil {
			t.Fatal(err)
		}
		if r.Name != want || r.OK() != tls {
			t.Errorf("%s over TLS: %s (%d), want %s\n%s", name, r.Name, r.Code, want, r.Output)
		}
	}
	scan, err := SSLScan(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	if got := scan.Accepted(); got != accepted {
		t.Errorf("sslscan saw %q accepted, want %q", got, accepted)
	}
}

// TestStop looks for traces of a host that had everything a host can have.
func TestStop(t *testing.T) {
	dir := t.TempDir()
	h, err := Boot(t.Context(), Bookworm, Options{Veth: true, Binds: []Bind{{Source: dir, Target: "/mnt/bound", Writable: true}}})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Stop() //nolint:errcheck // the second call below is the one that counts
	if got := h.Must(t, "echo inside >/mnt/bound/file; cat /mnt/bound/file; chattr +i /etc/hosts"); got != "inside\n" {
		t.Errorf("wrote through the bind: %q", got)
	}
	if _, err := os.Stat(filepath.Join(dir, "file")); err != nil {
		t.Error(err)
	}
	addr, _ := h.Addr()
	c, err := net.DialTimeout("tcp", net.JoinHostPort(addr.String(), strconv.Itoa(RDPPort)), 5*time.Second)
	if err != nil {
		t.Errorf("connect over the veth pair: %v", err)
	} else {
		_ = c.Close()
	}
	if _, err := FreeRDP(t.Context(), h, "/sec:tls"); err != nil {
		t.Error(err)
	}
	init, screen, link := h.PID1(), h.display.name, "/sys/class/net/"+h.st.outside()
	// The next host may have a number again at once: what is looked for is this one's.
	numbered := map[string]os.FileInfo{}
	for _, path := range []string{link, "/tmp/.X11-unix/X" + screen[1:]} {
		if numbered[path], err = os.Lstat(path); err != nil {
			t.Error(err)
		}
	}
	if list, err := List(); err != nil || !strings.Contains(strings.Join(list, " "), h.Name) {
		t.Errorf("List() = %q, %v: without %s", list, err, h.Name)
	}
	for range 2 {
		if err := h.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{
		hostDir(h.Name), "/proc/" + strconv.Itoa(init), "/run/systemd/nspawn/propagate/" + h.Name,
	} {
		if _, err := os.Lstat(path); err == nil {
			t.Errorf("%s is still there", path)
		}
	}
	for path, was := range numbered {
		if now, err := os.Lstat(path); err == nil && os.SameFile(now, was) && now.ModTime().Equal(was.ModTime()) {
			t.Errorf("%s is still there", path)
		}
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(mounts), h.Name) {
		t.Errorf("mounts are left:\n%s", mounts)
	}
	r, err := run(t.Context(), []string{"unshare", "-m", "sh", "-c",
		"mount -t cgroup2 none /sys/fs/cgroup && ls -d /sys/fs/cgroup/" + cgroupName(h.Name)}, nil, nil)
	if err != nil || r.Code == 0 {
		t.Errorf("the cgroup is still there: %v %+v", err, r)
	}
}

func TestReboot(t *testing.T) {
	h := Start(t, Trixie)
	if err := h.WriteFile(t.Context(), "/etc/new/dir/file", []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := h.PID1()
	if err := h.Reboot(t.Context()); err != nil {
		t.Fatal(err)
	}
	if h.PID1() == before {
		t.Errorf("PID 1 is still %d", before)
	}
	if got, err := h.ReadFile(t.Context(), "/etc/new/dir/file"); err != nil || string(got) != "kept" {
		t.Errorf("ReadFile after the reboot = %q, %v", got, err)
	}
	if fi, err := os.Stat(h.Path("/etc/new/dir/file")); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("mode seen from outside: %v, %v", fi, err)
	}
	if err := h.Remove(t.Context(), "/etc/new", "/etc/never"); err != nil {
		t.Error(err)
	}
	if got, err := h.ReadFile(t.Context(), "/etc/new/dir/file"); err == nil {
		t.Errorf("ReadFile of a removed file = %q, no error", got)
	}
	other, err := Attach(t.Context(), h.Name)
	if err != nil {
		t.Fatal(err)
	}
	if other.PID1() != h.PID1() {
		t.Errorf("attached to PID %d, want %d", other.PID1(), h.PID1())
	}
}

// TestLogin disconnects and comes back to the same desktop.
func TestLogin(t *testing.T) {
	h := Start(t, Trixie)
	var xorg [2]int
	for i := range xorg {
		s, err := Login(t.Context(), h, TestUser, TestPassword, "/sec:tls")
		if err != nil {
			t.Fatal(err)
		}
		if xorg[i] = s.Xorg; !s.Alive() {
			t.Error("the client is gone")
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if xorg[0] != xorg[1] {
		t.Errorf("two desktops: Xorg %v", xorg)
	}
	if s, err := Login(t.Context(), h, TestUser, TestPassword, "/sec:nla"); err == nil {
		t.Errorf("Login of a client that xrdp turns away = %+v, no error", s)
	} else if !strings.Contains(err.Error(), "negotiation-failed") {
		t.Errorf("Login of a client that xrdp turns away: %v", err)
	}
}
