package diagnose

import (
	"testing"
	"time"

	"xrdpfix/service"
	"xrdpfix/xrdpconf"
)

func TestRuntimeUser(t *testing.T) {
	newer := func(f *Facts) { f.Package.Value.Version = "0.10.6.1" }
	raise(t, []fault{
		{"a user without a group", func(t *testing.T, f *Facts, _ *Settings) {
			newer(f)
			edit(t, &f.Config, "port=3389\n", "port=3389\nruntime_user=xrdp\n")
		}, []Code{RuntimeUserInvalid}},
		{"a group without a user, the service down because of it", func(t *testing.T, f *Facts, _ *Settings) {
			newer(f)
			edit(t, &f.Config, "port=3389\n", "port=3389\nruntime_group=xrdp\n")
			unitState(f, UnitXrdp, "failed")
		}, []Code{RuntimeUserInvalid}},
		{"both", func(t *testing.T, f *Facts, _ *Settings) {
			newer(f)
			edit(t, &f.Config, "port=3389\n", "port=3389\nruntime_user=xrdp\nruntime_group=xrdp\n")
		}, nil},
		{"a user, to a version that does not know the key", func(t *testing.T, f *Facts, _ *Settings) {
			edit(t, &f.Config, "port=3389\n", "port=3389\nruntime_user=xrdp\n")
		}, nil},
		{"nobody of that name", func(_ *testing.T, f *Facts, _ *Settings) {
			f.Daemon.UserFault, f.Daemon.UserFaultIn = "runtime_user=xdrp: there is no such user", ConfigPath
		}, []Code{RuntimeUserInvalid}},
	})
}

func unitState(f *Facts, name, state string) {
	u := f.Units[name].Value
	u.ActiveState, u.SubState = state, "dead"
	f.Units[name] = Seen(u)
}

func TestRestartPending(t *testing.T) {
	started := taken.Add(-24 * time.Hour)
	raise(t, []fault{
		{"another port", func(t *testing.T, f *Facts, _ *Settings) {
			edit(t, &f.Config, "port=3389", "port=3390")
			f.Config.Value.MTime = started.Add(time.Hour)
			f.Listen.Value = nil
		}, []Code{RestartPending}},
		{"another port, and nothing open at all", func(t *testing.T, f *Facts, _ *Settings) {
			edit(t, &f.Config, "port=3389", "port=3390")
			f.Config.Value.MTime = started.Add(time.Hour)
			f.Listen.Value, f.Daemon.Open = nil, nil
		}, []Code{PortNotListening}},
		{"another port, changed before the start", func(t *testing.T, f *Facts, _ *Settings) {
			edit(t, &f.Config, "port=3389", "port=3390")
			f.Config.Value.MTime = started.Add(-time.Hour)
			f.Listen.Value = nil
		}, []Code{PortNotListening}},
		{"another user", func(_ *testing.T, f *Facts, _ *Settings) { f.Daemon.Start.Value.UID = 0 }, []Code{RestartPending}},
		{"another group is no reason", func(_ *testing.T, f *Facts, _ *Settings) { f.Daemon.Start.Value.Groups = []int{117} }, nil},
		{"another log", func(_ *testing.T, f *Facts, _ *Settings) { f.Daemon.Running.Value.LogPath = "/var/log/old.log" }, []Code{RestartPending}},
		{"the same log, rotated", func(_ *testing.T, f *Facts, _ *Settings) { f.Daemon.Running.Value.LogPath = "/var/log/xrdp.log.1" }, nil},
		{"the same log, rotated by date", func(_ *testing.T, f *Facts, _ *Settings) {
			f.Daemon.Running.Value.LogPath = "/var/log/xrdp.log-20261101"
		}, nil},
		{"a log that was deleted", func(_ *testing.T, f *Facts, _ *Settings) {
			f.Daemon.Running.Value.LogPath = "/tmp/old.log (deleted)"
		}, nil},
		{"other options", func(_ *testing.T, f *Facts, _ *Settings) { f.Daemon.Options = []string{"-p", "3389"} }, []Code{RestartPending}},
		{"options of the unit", func(_ *testing.T, f *Facts, _ *Settings) {
			f.Daemon.Running.Value.Args = []string{"/usr/sbin/xrdp", "--nodaemon"}
		}, nil},
		{"options without systemd", func(_ *testing.T, f *Facts, _ *Settings) {
			f.Daemon.Options, f.Daemon.Systemd = []string{"-p", "3389"}, false
		}, nil},
		{"a newer drop-in", func(_ *testing.T, f *Facts, _ *Settings) {
			f.Daemon.NewerThanStart = "/etc/systemd/system/xrdp.service.d/limit.conf"
		}, []Code{RestartPending}},
		{"systemd has not read the unit again", func(_ *testing.T, f *Facts, _ *Settings) {
			u := f.Units[UnitXrdp].Value
			u.NeedDaemonReload = true
			f.Units[UnitXrdp] = Seen(u)
		}, []Code{RestartPending}},
		{"a newer openssl.cnf", func(_ *testing.T, f *Facts, _ *Settings) { f.OpenSSL.Value.MTime = started.Add(time.Minute) }, []Code{RestartPending}},
		{"an older openssl.cnf", func(_ *testing.T, f *Facts, _ *Settings) { f.OpenSSL.Value.MTime = started.Add(time.Second) }, nil},
		{"a stopped xrdp has nothing pending", func(_ *testing.T, f *Facts, _ *Settings) {
			f.Daemon.Start.Value.UID = 0
			f.Daemon.Running = Skipped[Process]("no xrdp process runs")
			unitState(f, UnitXrdp, "inactive")
			f.Key, f.Cert = readable(f.Key.Path), readable(f.Cert.Path)
		}, []Code{ServiceDown}},
	})
}

// TestRestartPendingSeverity: an error only where clients meet the difference.
func TestRestartPendingSeverity(t *testing.T) {
	f := healthy()
	f.Daemon.Start.Value.UID = 0
	if x := Run(f, Settings{}); len(x) != 1 || x[0].Severity != Warning {
		t.Errorf("another user: %+v", x)
	}
	f = healthy()
	edit(t, &f.Config, "port=3389", "port=3390")
	f.Config.Value.MTime, f.Listen.Value = taken, nil
	if x := Run(f, Settings{}); len(x) != 1 || x[0].Severity != Error || x[0].Mend != MendStated {
		t.Errorf("another port: %+v", x)
	}
}

func TestSesmanUnreachable(t *testing.T) {
	deaf := func(f *Facts) { f.SesmanReach.Value.Listening = false }
	raise(t, []fault{
		{"failed", func(_ *testing.T, f *Facts, _ *Settings) {
			deaf(f)
			unitState(f, UnitSesman, "failed")
		}, []Code{SesmanUnreachable}},
		{"on another port", func(t *testing.T, f *Facts, _ *Settings) {
			deaf(f)
			f.SesmanReach.Value.Elsewhere = []string{"127.0.0.1:3351"}
		}, []Code{SesmanUnreachable}},
		{"no systemd", func(t *testing.T, f *Facts, _ *Settings) {
			deaf(f)
			f.Units, f.Daemon.Systemd = map[string]Observed[service.Unit]{}, false
		}, []Code{SesmanUnreachable}},
		{"it listens, whatever its unit says", func(_ *testing.T, f *Facts, _ *Settings) { unitState(f, UnitSesman, "failed") }, nil},
		{"nobody looked", func(_ *testing.T, f *Facts, _ *Settings) { f.SesmanReach = Skipped[SesmanReach]("offline") }, nil},
		{"xrdp is down too", func(_ *testing.T, f *Facts, _ *Settings) {
			deaf(f)
			unitState(f, UnitXrdp, "failed")
		}, []Code{ServiceDown}},
	})
}

func TestSesmanAt(t *testing.T) {
	for _, tt := range []struct {
		version, listen string
		port            int
		socket          string
	}{
		{"0.9.21.1", "3350", 3350, ""},
		{"0.9.21.1", "", 3350, ""},
		{"0.9.21.1", "3351", 3351, ""},
		{"0.10.1", "", 0, "sesman.socket"},
		{"0.10.1", "3350", 0, "sesman.socket"},
		{"0.10.1", "mine.socket", 0, "mine.socket"},
		{"0.10.6.1", "/run/xrdp/mine.socket", 0, "mine.socket"},
	} {
		v, err := xrdpconf.ParseVersion(tt.version)
		if err != nil {
			t.Fatal(err)
		}
		if port, socket := SesmanAt(xrdpconf.SessionManager{ListenPort: tt.listen}, v); port != tt.port || socket != tt.socket {
			t.Errorf("%s ListenPort=%s: %d %q, want %d %q", tt.version, tt.listen, port, socket, tt.port, tt.socket)
		}
	}
}
