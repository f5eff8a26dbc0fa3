//go:build lab

package host

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"xrdpfix/diagnose"
	"xrdpfix/internal/lab"
)

// insideEnv makes the test binary, run inside a host, look around there and
// print what it sees instead of testing.
const insideEnv = "XRDPFIX_HOST_TEST_LOOK"

// view is what this package sees of a machine.
type view struct {
	Process  diagnose.Process
	Key      diagnose.PathFact
	Try      string // TryRead's error for the key
	Listen   []diagnose.Socket
	Peers    []diagnose.Peer
	Desktops []diagnose.Desktop
	Host     diagnose.HostInfo
	Package  diagnose.Package
	Options  Options
	Errors   []string
}

func TestMain(m *testing.M) {
	if arg := os.Getenv(insideEnv); arg != "" {
		if err := json.NewEncoder(os.Stdout).Encode(lookAround(context.Background(), arg)); err != nil {
			panic(err)
		}
		return
	}
	os.Exit(m.Run())
}

// lookAround takes "MAINPID [our own address]".
func lookAround(ctx context.Context, arg string) view {
	var v view
	note := func(err error) {
		if err != nil {
			v.Errors = append(v.Errors, err.Error())
		}
	}
	words := strings.Fields(arg)
	main, err := strconv.Atoi(words[0])
	note(err)
	var own []netip.AddrPort
	if len(words) > 1 {
		own = append(own, netip.MustParseAddrPort(words[1]))
	}
	names, err := ReadAccounts("")
	note(err)
	var p Proc
	v.Process, err = p.Xrdp(main, names)
	note(err)
	v.Key = Walk("", "/etc/xrdp/key.pem", names, v.Process.Identity, v.Process.Identity)
	if err := TryRead("", "/etc/xrdp/key.pem", v.Process.Identity); err != nil {
		v.Try = err.Error()
	}
	ports := []int{3389}
	v.Listen, err = p.Listening(ctx, ports)
	note(err)
	v.Peers, err = p.Peers(ctx, ports, own)
	note(err)
	v.Desktops, err = p.Desktops(ctx, names, ports)
	note(err)
	v.Host, err = ReadHostInfo(ctx, "")
	note(err)
	v.Package, err = ReadPackage(ctx, "", v.Process.Exe)
	note(err)
	v.Options, err = ReadOptions("")
	note(err)
	return v
}

const insideProgram = "/run/xrdpfix-host.test"

// enter puts this test binary into a host.
func enter(t *testing.T, h *lab.Host) {
	t.Helper()
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.WriteFile(t.Context(), insideProgram, self, 0o755); err != nil {
		t.Fatal(err)
	}
}

func look(t *testing.T, h *lab.Host, arg string) view {
	t.Helper()
	r, err := h.Run(t.Context(), lab.Cmd{Args: []string{insideProgram}, Env: []string{insideEnv + "=" + arg}})
	if err != nil || r.Code != 0 {
		t.Fatalf("looking inside: %v, status %d\n%s%s", err, r.Code, r.Stdout, r.Stderr)
	}
	var v view
	if err := json.Unmarshal([]byte(r.Stdout), &v); err != nil {
		t.Fatalf("%v in %s", err, r.Stdout)
	}
	return v
}

func field(t *testing.T, h *lab.Host, script string) string {
	t.Helper()
	return strings.TrimSpace(h.Must(t, script))
}

func TestLabStock(t *testing.T) {
	for _, suite := range lab.Suites() {
		t.Run(string(suite), func(t *testing.T) {
			h := lab.Start(t, suite)
			enter(t, h)
			if err := h.WaitPort(t.Context(), 3389); err != nil {
				t.Fatal(err)
			}
			main := field(t, h, "systemctl show -P MainPID xrdp.service")
			v := look(t, h, main)
			if len(v.Errors) > 0 {
				t.Errorf("errors: %q", v.Errors)
			}
			scanned := look(t, h, "0")
			if scanned.Process.PID != v.Process.PID || strconv.Itoa(v.Process.PID) != main {
				t.Errorf("by unit %d, by scan %d, systemd says %s", v.Process.PID, scanned.Process.PID, main)
			}
			checkProcess(t, h, v)
			checkKey(t, h, v)
			wantListen := []diagnose.Socket{{Addr: "::", Port: 3389, PID: v.Process.PID, Program: "xrdp", Unit: "xrdp.service"}}
			if !slices.Equal(v.Listen, wantListen) {
				t.Errorf("listening: %+v", v.Listen)
			}
			if len(v.Peers) != 0 || len(v.Desktops) != 0 {
				t.Errorf("nobody is here, but: %+v %+v", v.Peers, v.Desktops)
			}
			if want := field(t, h, "xrdp --version | sed -n 's/^xrdp \\([0-9.]*\\).*/\\1/p'"); v.Package.Version != want || v.Package.OpenSSL == "" {
				t.Errorf("version %+v, want %s", v.Package, want)
			}
			if want := field(t, h, "hostname"); v.Host.Name != want || !v.Host.Root || !strings.HasPrefix(v.Host.OS, "Debian ") {
				t.Errorf("host %+v, want %s", v.Host, want)
			}
			h.Must(t, "systemctl stop xrdp")
			if v := look(t, h, "0"); v.Process.PID != 0 || !slices.Contains(v.Errors, ErrNotRunning.Error()) {
				t.Errorf("stopped, but: %+v %q", v.Process, v.Errors)
			}
		})
	}
}

// checkProcess compares with what ps and stat say.
func checkProcess(t *testing.T, h *lab.Host, v view) {
	t.Helper()
	p := v.Process
	ids := field(t, h, fmt.Sprintf("ps -o fsuid=,fsgid= -p %d | tr -s ' ' | sed 's/^ //'", p.PID))
	if got := fmt.Sprintf("%d %d", p.Identity.UID, p.Identity.GID); got != ids {
		t.Errorf("identity %+v, ps says %s", p.Identity, ids)
	}
	if want := field(t, h, "id -un "+strconv.Itoa(p.Identity.UID)); p.Identity.User != want {
		t.Errorf("user %q, want %q", p.Identity.User, want)
	}
	if p.Exe != "/usr/sbin/xrdp" || p.LogPath != "/var/log/xrdp.log" {
		t.Errorf("exe %q, log %q", p.Exe, p.LogPath)
	}
	if age := time.Since(p.Started); age < 0 || age > 5*time.Minute {
		t.Errorf("started %v ago", age)
	}
}

// checkKey compares with an attempt by another program under the same identity.
func checkKey(t *testing.T, h *lab.Host, v view) {
	t.Helper()
	id := v.Process.Identity
	groups := "--clear-groups"
	if len(id.Groups) > 0 {
		var s []string
		for _, g := range id.Groups {
			s = append(s, strconv.Itoa(g))
		}
		groups = "--groups " + strings.Join(s, ",")
	}
	r, err := h.Sh(t.Context(), fmt.Sprintf("setpriv --reuid %d --regid %d %s test -r /etc/xrdp/key.pem", id.UID, id.GID, groups))
	if err != nil {
		t.Fatal(err)
	}
	if real := r.Code == 0; v.Key.Readable != real || (v.Try == "") != real {
		t.Errorf("key readable: Walk says %v, TryRead %q, setpriv %v", v.Key.Readable, v.Try, real)
	}
	if !v.Key.Readable && (v.Key.Stop < 0 || v.Key.Why == "") {
		t.Errorf("no reason given: %+v", v.Key)
	}
	t.Logf("key of %s: readable %v, %q", id.User, v.Key.Readable, v.Key.Why)
}

func TestLabDesktop(t *testing.T) {
	for _, suite := range lab.Suites() {
		t.Run(string(suite), func(t *testing.T) {
			h := lab.Start(t, suite)
			enter(t, h)
			h.Must(t, "adduser --quiet xrdp ssl-cert; systemctl restart xrdp")
			if err := h.WaitPort(t.Context(), 3389); err != nil {
				t.Fatal(err)
			}
			s, err := lab.Login(t.Context(), h, lab.TestUser, lab.TestPassword, "/sec:tls")
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}()
			uid, err := strconv.Atoi(field(t, h, "id -u test"))
			if err != nil {
				t.Fatal(err)
			}
			want := diagnose.Desktop{User: "test", UID: uid, Display: ":10", PID: s.Xorg, Connected: true, Client: "127.0.0.1"}
			v := look(t, h, "0")
			checkDesktop(t, "logged in", v, want)
			if len(v.Peers) != 1 || !strings.HasPrefix(v.Peers[0].Client, "127.0.0.1:") {
				t.Fatalf("peers: %+v", v.Peers)
			}
			if own := look(t, h, "0 "+v.Peers[0].Client); len(own.Peers) != 0 {
				t.Errorf("a connection of our own is listed: %+v", own.Peers)
			}

			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			want.Connected, want.Client = false, ""
			checkDesktop(t, "disconnected", lookUntil(t, h, func(v view) bool { return len(v.Peers) == 0 && !anyConnected(v) }), want)

			h.Must(t, "systemctl restart xrdp")
			checkDesktop(t, "orphaned by a restart", look(t, h, "0"), want)
		})
	}
}

func anyConnected(v view) bool {
	return slices.ContainsFunc(v.Desktops, func(d diagnose.Desktop) bool { return d.Connected })
}

// lookUntil looks until something is so: xrdp takes a moment to notice that a
// client is gone.
func lookUntil(t *testing.T, h *lab.Host, ok func(view) bool) view {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; {
		v := look(t, h, "0")
		if ok(v) || time.Now().After(deadline) {
			return v
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func checkDesktop(t *testing.T, when string, v view, want diagnose.Desktop) {
	t.Helper()
	got := slices.Clone(v.Desktops)
	for i := range got {
		if age := time.Since(got[i].Since); age < 0 || age > 5*time.Minute {
			t.Errorf("%s: since %v ago", when, age)
		}
		got[i].Since = time.Time{}
	}
	if !slices.Equal(got, []diagnose.Desktop{want}) {
		t.Errorf("%s: got %+v, want %+v (errors %q)", when, got, want, v.Errors)
	}
}
