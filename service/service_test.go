package service

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// fakeBus stands in for systemd. A job answers with result, or never if it is
// empty.
type fakeBus struct {
	props  map[string]map[string]any
	err    error
	result string
	calls  []string
}

func (b *fakeBus) GetAllPropertiesContext(_ context.Context, unit string) (map[string]any, error) {
	return b.props[unit], b.err
}

func (b *fakeBus) ReloadContext(context.Context) error {
	b.calls = append(b.calls, "reload")
	return b.err
}

func (b *fakeBus) ResetFailedUnitContext(_ context.Context, name string) error {
	b.calls = append(b.calls, "reset "+name)
	return errors.New("not loaded")
}

func (b *fakeBus) job(verb, name, mode string, ch chan<- string) (int, error) {
	b.calls = append(b.calls, verb+" "+name+" "+mode)
	if b.err != nil {
		return 0, b.err
	}
	if b.result != "" {
		ch <- b.result
	}
	return 1, nil
}

func (b *fakeBus) StartUnitContext(_ context.Context, name, mode string, ch chan<- string) (int, error) {
	return b.job("start", name, mode, ch)
}

func (b *fakeBus) StopUnitContext(_ context.Context, name, mode string, ch chan<- string) (int, error) {
	return b.job("stop", name, mode, ch)
}

func (b *fakeBus) RestartUnitContext(_ context.Context, name, mode string, ch chan<- string) (int, error) {
	return b.job("restart", name, mode, ch)
}

func (b *fakeBus) Close() { b.calls = append(b.calls, "close") }

func conn(b *fakeBus) *Conn { return &Conn{bus: b, cancel: func() {}} }

func TestJobs(t *testing.T) {
	ctx := t.Context()
	for _, tt := range []struct {
		verb  string
		call  func(*Conn) error
		calls []string
	}{
		{"start", func(c *Conn) error { return c.Start(ctx, "a.service") }, []string{"reset a.service", "start a.service replace"}},
		{"stop", func(c *Conn) error { return c.Stop(ctx, "a.service") }, []string{"stop a.service replace"}},
		{"restart", func(c *Conn) error { return c.Restart(ctx, "a.service") }, []string{"reset a.service", "restart a.service replace"}},
	} {
		b := &fakeBus{result: "done"}
		if err := tt.call(conn(b)); err != nil || !slices.Equal(b.calls, tt.calls) {
			t.Errorf("%s: %v, calls %q, want %q", tt.verb, err, b.calls, tt.calls)
		}
		for _, result := range []string{"failed", "timeout", "canceled", "dependency", "skipped"} {
			var job *JobError
			err := tt.call(conn(&fakeBus{result: result}))
			if !errors.As(err, &job) || *job != (JobError{"a.service", tt.verb, result}) {
				t.Errorf("%s ending as %s: %v", tt.verb, result, err)
			}
		}
	}
}

// TestRestartForgivesWhatIsNeeded resets the counters of the services that a
// start would pull in.
func TestRestartForgivesWhatIsNeeded(t *testing.T) {
	b := &fakeBus{result: "done", props: map[string]map[string]any{"a.service": {
		"Requires": []string{"b.service", "system.slice", "sysinit.target"}, "BindsTo": []string{"c.service"},
	}}}
	want := []string{"reset a.service", "reset b.service", "reset c.service", "restart a.service replace"}
	if err := conn(b).Restart(t.Context(), "a.service"); err != nil || !slices.Equal(b.calls, want) {
		t.Errorf("%v, calls %q, want %q", err, b.calls, want)
	}
}

func TestJobEndsWithContext(t *testing.T) {
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if err := conn(&fakeBus{}).Restart(ctx, "a.service"); !errors.Is(err, cause) {
		t.Errorf("Restart under an ended context: %v", err)
	}
}

func TestErrors(t *testing.T) {
	ours := []error{ErrNotFound, ErrMasked, ErrNotAuthorized, ErrNoSystemd, ErrUnreachable}
	for name, want := range map[string]error{
		"org.freedesktop.systemd1.NoSuchUnit":                         ErrNotFound,
		"org.freedesktop.systemd1.UnitMasked":                         ErrMasked,
		"org.freedesktop.DBus.Error.AccessDenied":                     ErrNotAuthorized,
		"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired": ErrNotAuthorized,
		"org.freedesktop.PolicyKit1.Error.NotAuthorized":              ErrNotAuthorized,
		"org.freedesktop.systemd1.LoadFailed":                         nil,
	} {
		value := dbus.Error{Name: name, Body: []any{"text of systemd"}}
		for _, err := range []error{value, &value} {
			c := conn(&fakeBus{err: err})
			_, unitErr := c.Unit(t.Context(), "a.service")
			for what, got := range map[string]error{"Unit": unitErr, "Restart": c.Restart(t.Context(), "a.service"), "Reload": c.Reload(t.Context())} {
				for _, sentinel := range ours {
					if is := errors.Is(got, sentinel); is != (sentinel == want) { //nolint:errorlint // the table's own value
						t.Errorf("%s after %s: %v; is %q: %v", what, name, got, sentinel, is)
					}
				}
				if got == nil || !strings.Contains(got.Error(), "text of systemd") {
					t.Errorf("%s after %s: the error of systemd is lost: %v", what, name, got)
				}
			}
		}
	}
}

func TestUnitFrom(t *testing.T) {
	at := time.Date(2026, 11, 23, 10, 0, 0, 123000, time.UTC)
	got := unitFrom("xrdp.service", map[string]any{
		"Id": "xrdp.service", "Description": "xrdp daemon", "LoadState": "loaded", "ActiveState": "active", "SubState": "running",
		"Result": "success", "UnitFileState": "enabled", "Type": "forking", "MainPID": uint32(42), "User": "xrdp", "Group": "xrdp",
		"SupplementaryGroups": []string{"ssl-cert"}, "ActiveEnterTimestamp": uint64(at.UnixMicro()), "InactiveEnterTimestamp": uint64(0),
		"ExecMainStartTimestamp": uint64(at.UnixMicro() - 1), "ExecMainCode": int32(1), "ExecMainStatus": int32(7),
		"FragmentPath": "/lib/systemd/system/xrdp.service", "DropInPaths": []string{"/etc/systemd/system/xrdp.service.d/a.conf"},
		"NeedDaemonReload": true, "Environment": []string{"A=1", "AB=2", "A=3=4"},
		"EnvironmentFiles": [][]any{{"/etc/default/xrdp", true}, {"/etc/must", false}, {"short"}},
		"ExecStart":        [][]any{{"/usr/sbin/xrdp", []string{"/usr/sbin/xrdp", "$XRDP_OPTIONS"}, false}, {"odd"}, {"odd", 1}},
		"PIDFile":          "/run/xrdp/xrdp.pid", "Requires": []string{"xrdp-sesman.service"}, "BindsTo": []string{},
		"BoundBy": []string{"xrdp-sesman.service"}, "RequiredBy": []string{"xrdp-sesman.service", "x.target"}, "ConsistsOf": []string{"y.service"},
		"StopWhenUnneeded": true, "KillMode": "control-group", "ControlGroup": "/system.slice/xrdp.service", "InvocationID": []byte{0xab, 0x01},
	})
	want := Unit{
		Name: "xrdp.service", Description: "xrdp daemon", LoadState: "loaded", ActiveState: "active", SubState: "running",
		Result: "success", UnitFileState: "enabled", Type: "forking", MainPID: 42, User: "xrdp", Group: "xrdp",
		SupplementaryGroups: []string{"ssl-cert"}, ActiveSince: at, MainStarted: at.Add(-time.Microsecond), ExecMainCode: 1, ExecMainStatus: 7,
		FragmentPath: "/lib/systemd/system/xrdp.service", DropIns: []string{"/etc/systemd/system/xrdp.service.d/a.conf"},
		NeedDaemonReload: true, Environment: []string{"A=1", "AB=2", "A=3=4"},
		EnvironmentFiles: []string{"-/etc/default/xrdp", "/etc/must"}, ExecStart: []string{"/usr/sbin/xrdp $XRDP_OPTIONS"},
		PIDFile: "/run/xrdp/xrdp.pid", Requires: []string{"xrdp-sesman.service"},
		BoundBy: []string{"xrdp-sesman.service"}, RequiredBy: []string{"xrdp-sesman.service", "x.target"}, ConsistsOf: []string{"y.service"},
		StopWhenUnneeded: true, KillMode: "control-group", ControlGroup: "/system.slice/xrdp.service", InvocationID: "ab01",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got := got.StopsWith(); !slices.Equal(got, []string{"xrdp-sesman.service", "y.service"}) {
		t.Errorf("StopsWith = %q", got)
	}
	for name, want := range map[string]string{"A": "3=4", "AB": "2", "B": "-"} {
		value, ok := got.Env(name)
		if !ok {
			value = "-"
		}
		if value != want {
			t.Errorf("Env(%s) = %q", name, value)
		}
	}
	// An old systemd without some properties, or one with others.
	if got := unitFrom("a.service", map[string]any{"MainPID": "x", "InvocationID": "x", "ExecStart": "x", "ActiveEnterTimestamp": ^uint64(0)}); !reflect.DeepEqual(got, Unit{Name: "a.service"}) {
		t.Errorf("odd properties: %+v", got)
	}
}

func TestClose(t *testing.T) {
	b := &fakeBus{}
	ended := false
	(&Conn{bus: b, cancel: func() { ended = true }}).Close()
	if !ended || !slices.Equal(b.calls, []string{"close"}) {
		t.Errorf("calls %q, context ended %v", b.calls, ended)
	}
}
