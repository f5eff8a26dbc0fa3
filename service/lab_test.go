//go:build lab

package service

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"xrdpfix/internal/lab"
)

// insideEnv makes the test binary, run inside a host, do what it says there and
// print what came of it instead of testing: words of calls, separated by ";".
const insideEnv = "XRDPFIX_SERVICE_TEST_CALLS"

const testBinary = "/usr/local/bin/service.test"

// outcome is what came of one call.
type outcome struct {
	Unit  Unit
	Env   []string // of the unit, which JSON leaves out
	Error string
	// Is names the sentinels that the error matches.
	Is   []string
	Job  string // the result in a *JobError
	Took time.Duration
}

func TestMain(m *testing.M) {
	calls := os.Getenv(insideEnv)
	if calls == "" {
		os.Exit(m.Run())
	}
	ctx := context.Background()
	c, err := Open(ctx)
	var out []outcome
	if err != nil {
		out = append(out, judged(err))
	} else {
		for _, call := range strings.Split(calls, ";") {
			out = append(out, carryOut(ctx, c, strings.Fields(call)))
		}
		c.Close()
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		panic(err)
	}
}

func carryOut(ctx context.Context, c *Conn, words []string) outcome {
	begin := time.Now()
	arg := func(i int) string { return slices.Concat(words, []string{"", "", ""})[i] }
	var u Unit
	var err error
	switch arg(0) {
	case "unit":
		u, err = c.Unit(ctx, arg(1))
	case "reload":
		err = c.Reload(ctx)
	case "start":
		err = c.Start(ctx, arg(1))
	case "stop":
		err = c.Stop(ctx, arg(1))
	case "restart":
		err = c.Restart(ctx, arg(1))
	case "hurry":
		short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		err = c.Restart(short, arg(1))
		cancel()
	case "accepting":
		port, _ := strconv.Atoi(arg(2))
		want := []netip.AddrPort{netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(port))}
		limited, cancel := context.WithTimeout(ctx, 2*time.Minute)
		_, err = WaitAccepting(limited, want, Accepting(os.DirFS("/proc"), func() ([]int, error) {
			u, err := c.Unit(limited, arg(1))
			return []int{u.MainPID}, err
		}))
		cancel()
	default:
		err = fmt.Errorf("no call %q", words)
	}
	o := judged(err)
	o.Unit, o.Env, o.Took = u, u.Environment, time.Since(begin)
	return o
}

func judged(err error) outcome {
	if err == nil {
		return outcome{}
	}
	o := outcome{Error: err.Error()}
	for name, sentinel := range map[string]error{
		"ErrNoSystemd": ErrNoSystemd, "ErrUnreachable": ErrUnreachable, "ErrNotFound": ErrNotFound, "ErrMasked": ErrMasked,
		"ErrNotAuthorized": ErrNotAuthorized, "DeadlineExceeded": context.DeadlineExceeded,
	} {
		if errors.Is(err, sentinel) {
			o.Is = append(o.Is, name)
		}
	}
	var job *JobError
	if errors.As(err, &job) {
		o.Job = job.Result
	}
	return o
}

// host boots a host that has this very binary inside.
func host(t *testing.T, s lab.Suite) *lab.Host {
	t.Helper()
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	h := lab.Start(t, s, lab.WithBind(self, testBinary))
	t.Logf("%s: %v", s, h.Image.Versions)
	return h
}

// calls has the binary make calls inside, as what wrap makes of it: root in the
// host itself if it is empty.
func calls(t *testing.T, h *lab.Host, wrap string, list ...string) []outcome {
	t.Helper()
	script := insideEnv + "='" + strings.Join(list, ";") + "'; export " + insideEnv + "\n" + fmt.Sprintf(wrap, testBinary)
	if wrap == "" {
		script = insideEnv + "='" + strings.Join(list, ";") + "' " + testBinary
	}
	var out []outcome
	if err := json.NewDecoder(bytes.NewReader([]byte(h.Must(t, script)))).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

func onSuites(t *testing.T, f func(t *testing.T, h *lab.Host)) {
	for _, s := range lab.Suites() {
		t.Run(string(s), func(t *testing.T) { f(t, host(t, s)) })
	}
}

// show is systemctl's own answer.
func show(t *testing.T, h *lab.Host, unit, property string) string {
	t.Helper()
	return strings.TrimSpace(h.Must(t, "systemctl show --value -p "+property+" "+unit))
}

func TestLabXrdp(t *testing.T) {
	onSuites(t, func(t *testing.T, h *lab.Host) {
		h.Must(t, "mkdir -p /etc/systemd/system/xrdp.service.d && printf '[Service]\nEnvironment=OPENSSL_CONF=/etc/xrdp/tls/openssl.cnf A=1\nSupplementaryGroups=ssl-cert\n' >/etc/systemd/system/xrdp.service.d/50-test.conf")
		got := calls(t, h, "", "unit xrdp.service", "reload", "unit xrdp.service", "restart xrdp.service", "accepting xrdp.service 3389", "unit xrdp.service", "unit xrdp-sesman.service")
		for i, o := range got {
			if o.Error != "" {
				t.Fatalf("call %d: %s", i, o.Error)
			}
		}
		before, reloaded, after, sesman := got[0], got[2], got[5], got[6]
		// Whether NeedDaemonReload shows a new drop-in directory depends on the
		// version; an edited drop-in it shows everywhere.
		t.Logf("a new drop-in directory: need_daemon_reload %v", before.Unit.NeedDaemonReload)
		if before.Unit.DropIns != nil || len(before.Env) > 0 {
			t.Errorf("before the reload: %+v %v", before.Unit, before.Env)
		}
		if reloaded.Unit.NeedDaemonReload || !slices.Equal(reloaded.Unit.DropIns, []string{"/etc/systemd/system/xrdp.service.d/50-test.conf"}) {
			t.Errorf("after the reload: %+v", reloaded.Unit)
		}
		u := after.Unit
		u.Environment = after.Env
		if v, ok := u.Env("OPENSSL_CONF"); !ok || v != "/etc/xrdp/tls/openssl.cnf" {
			t.Errorf("environment: %v", u.Environment)
		}
		if before.Unit.MainPID == 0 || u.MainPID == 0 || u.MainPID == before.Unit.MainPID || u.InvocationID == before.Unit.InvocationID || !u.MainStarted.After(before.Unit.MainStarted) {
			t.Errorf("the restart made no new process: %+v, then %+v", before.Unit, u)
		}
		if comm := strings.TrimSpace(h.Must(t, fmt.Sprintf("cat /proc/%d/comm", u.MainPID))); comm != "xrdp" {
			t.Errorf("main process %d is %q", u.MainPID, comm)
		}
		for property, got := range map[string]string{
			"MainPID": strconv.Itoa(u.MainPID), "LoadState": u.LoadState, "ActiveState": u.ActiveState, "SubState": u.SubState, "Result": u.Result,
			"UnitFileState": u.UnitFileState, "Type": u.Type, "User": u.User, "Group": u.Group, "FragmentPath": u.FragmentPath,
			"DropInPaths": strings.Join(u.DropIns, " "), "ControlGroup": u.ControlGroup, "InvocationID": u.InvocationID, "KillMode": u.KillMode,
			"PIDFile": u.PIDFile, "SupplementaryGroups": strings.Join(u.SupplementaryGroups, " "), "Environment": strings.Join(u.Environment, " "),
			"ExecMainStatus": strconv.Itoa(u.ExecMainStatus), "Description": u.Description,
		} {
			if want := show(t, h, "xrdp.service", property); got != want {
				t.Errorf("%s = %q, systemctl says %q", property, got, want)
			}
		}
		if len(u.ExecStart) != 1 || !strings.HasPrefix(u.ExecStart[0], "/usr/sbin/xrdp ") || !slices.Contains(u.EnvironmentFiles, "-/etc/default/xrdp") {
			t.Errorf("command %q, environment files %q", u.ExecStart, u.EnvironmentFiles)
		}
		if !slices.Contains(u.StopsWith(), "xrdp-sesman.service") || !slices.Contains(sesman.Unit.BindsTo, "xrdp.service") || !sesman.Unit.StopWhenUnneeded {
			t.Errorf("xrdp stops with %v; sesman %+v", u.StopsWith(), sesman.Unit)
		}
		h.Must(t, "touch /etc/systemd/system/xrdp.service.d/50-test.conf")
		if got := calls(t, h, "", "unit xrdp.service"); !got[0].Unit.NeedDaemonReload {
			t.Errorf("after an edit: %+v", got[0])
		}
		if age := time.Since(u.ActiveSince); age < 0 || age > 5*time.Minute {
			t.Errorf("active since %v", u.ActiveSince)
		}
		t.Logf("%s: restart %v, then accepting after %v", u.Type, got[3].Took, got[4].Took)
	})
}

// TestLabManyRestarts restarts more often than systemd allows by itself.
func TestLabManyRestarts(t *testing.T) {
	onSuites(t, func(t *testing.T, h *lab.Host) {
		for i, o := range calls(t, h, "", slices.Repeat([]string{"restart xrdp.service", "accepting xrdp.service 3389"}, 8)...) {
			if o.Error != "" {
				t.Errorf("restart %d: %s", i/2+1, o.Error)
			}
		}
		if got := calls(t, h, "", "stop xrdp.service", "unit xrdp.service", "start xrdp.service", "start xrdp.service", "accepting xrdp.service 3389"); got[1].Unit.ActiveState != "inactive" || got[1].Unit.MainPID != 0 || got[4].Error != "" {
			t.Errorf("stop and start: %+v", got)
		}
	})
}

func TestLabBadUnits(t *testing.T) {
	onSuites(t, func(t *testing.T, h *lab.Host) {
		for name, text := range map[string]string{
			"fails":   "[Service]\nType=oneshot\nExecStart=/bin/sh -c \"exit 7\"",
			"needs":   "[Unit]\nRequires=fails.service\nAfter=fails.service\n[Service]\nExecStart=/bin/sleep 1000",
			"slow":    "[Service]\nType=oneshot\nExecStart=/bin/sleep 3\nRemainAfterExit=yes",
			"skipped": "[Unit]\nAssertPathExists=/nonexistent\n[Service]\nExecStart=/bin/sleep 1000",
			"odd":     "[Service]\nType=simple",
		} {
			if err := h.WriteFile(t.Context(), "/etc/systemd/system/"+name+".service", []byte(text+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		h.Must(t, "systemctl daemon-reload; systemctl stop xrdp; systemctl mask xrdp")
		for _, tt := range []struct {
			call, job string
			is        []string
			load      string
			fine      bool
		}{
			{call: "start fails.service", job: "failed", load: "loaded"},
			{call: "restart needs.service", job: "dependency", load: "loaded"},
			{call: "start skipped.service", job: "assert", load: "loaded"},
			{call: "start xrdp.service", is: []string{"ErrMasked"}, load: "masked"},
			{call: "restart nowhere.service", is: []string{"ErrNotFound"}, load: "not-found"},
			{call: "start odd.service", load: "bad-setting"},
			{call: "hurry slow.service", is: []string{"DeadlineExceeded"}, load: "loaded"},
			{call: "start slow.service", load: "loaded", fine: true},
		} {
			unit := strings.Fields(tt.call)[1]
			got := calls(t, h, "", tt.call, "unit "+unit)
			if got[0].Job != tt.job || !slices.Equal(got[0].Is, tt.is) || (got[0].Error == "") != tt.fine {
				t.Errorf("%s: %+v", tt.call, got[0])
			}
			if got[1].Error != "" || got[1].Unit.LoadState != tt.load {
				t.Errorf("%s is %+v", unit, got[1])
			}
			if unit == "fails.service" && (got[1].Unit.ActiveState != "failed" || got[1].Unit.Result != "exit-code" || got[1].Unit.ExecMainCode != 1 || got[1].Unit.ExecMainStatus != 7) {
				t.Errorf("a failed unit is %+v", got[1].Unit)
			}
		}
	})
}

func TestLabWithoutRights(t *testing.T) {
	onSuites(t, func(t *testing.T, h *lab.Host) {
		before := show(t, h, "xrdp.service", "MainPID")
		got := calls(t, h, "runuser -u nobody -- %s", "unit xrdp.service", "restart xrdp.service", "stop xrdp.service", "reload")
		if got[0].Error != "" || strconv.Itoa(got[0].Unit.MainPID) != before {
			t.Errorf("look: %+v", got[0])
		}
		for i, o := range got[1:] {
			if !slices.Equal(o.Is, []string{"ErrNotAuthorized"}) {
				t.Errorf("act %d: %+v", i, o)
			}
		}
		if after := show(t, h, "xrdp.service", "MainPID"); after != before {
			t.Errorf("main process %s became %s", before, after)
		}
	})
}

// TestLabWays goes to systemd by each way, and by none.
func TestLabWays(t *testing.T) {
	onSuites(t, func(t *testing.T, h *lab.Host) {
		in := func(prepare, as string) string {
			return "unshare -m sh -ec '" + prepare + "; exec " + as + " %s'"
		}
		for _, tt := range []struct {
			name, wrap string
			is         []string
		}{
			{"no bus, as root", in("mount -t tmpfs tmpfs /run/dbus", ""), nil},
			{"no private socket, as root", in("mount --bind /dev/null /run/systemd/private", ""), nil},
			{"neither", in("mount -t tmpfs tmpfs /run/dbus; mount --bind /dev/null /run/systemd/private", ""), []string{"ErrUnreachable"}},
			{"no bus, as nobody", in("mount -t tmpfs tmpfs /run/dbus", "setpriv --reuid=65534 --clear-groups"), []string{"ErrUnreachable"}},
			{"no systemd", in("mount -t tmpfs tmpfs /run", ""), []string{"ErrNoSystemd"}},
		} {
			if err := h.WaitPort(t.Context(), lab.RDPPort); err != nil { // see Conn.Restart
				t.Fatal(err)
			}
			got := calls(t, h, tt.wrap, "restart xrdp.service")
			if len(got) != 1 || !slices.Equal(got[0].Is, tt.is) || (got[0].Error == "") != (tt.is == nil) {
				t.Errorf("%s: %+v", tt.name, got)
			}
		}
	})
}
