package repair

import (
	"slices"
	"strings"
	"testing"
	"time"

	"xrdpfix/diagnose"
)

// restartCase is who is there, what is asked for, and what becomes of the daemon.
type restartCase struct {
	name    string
	plant   func(*testing.T, *machine)
	adjust  func(*diagnose.Facts)
	pol     RestartPolicy
	action  Action
	needed  bool
	why     string // part of it
	refused string
	// disturbs are the users and clients that a restart cuts off.
	disturbs []string
}

// TestPlanRestart: a change that needs no restart, and one that does.
func TestPlanRestart(t *testing.T) {
	layer := ini("security_layer=negotiate", "security_layer=rdp") // needs none
	port := func(t *testing.T, m *machine) {
		ini("port=3389", "port=127.0.0.1:3389")(t, m)
		m.boot()
	}
	desktop := func(_ *testing.T, m *machine) {
		m.desktops = []diagnose.Desktop{{User: "anna", Display: ":10", Since: taken.Add(-time.Hour), Client: "192.0.2.7", Connected: true}}
		m.peers = []diagnose.Peer{{Client: "192.0.2.7:4711"}}
	}
	peer := func(_ *testing.T, m *machine) { m.peers = busy }
	noSystemd := func(f *diagnose.Facts) { f.Daemon.Systemd, f.Units = false, nil }
	script := func(f *diagnose.Facts) { f.Daemon.InitScript = "/etc/init.d/xrdp" }
	uncounted := func(f *diagnose.Facts) { f.Desktops = diagnose.Failed[[]diagnose.Desktop]("permission denied") }
	anna := []string{"anna"}
	cases := []restartCase{
		{name: "nothing changes", why: "nothing changes"},
		{name: "nothing changes, always", pol: RestartAlways, action: ActionRestart, why: "asked for"},
		{name: "idle", plant: layer, action: ActionRestart, why: "nobody was connected"},
		{name: "idle, never", plant: layer, pol: RestartNever, why: "not needed"},
		{name: "idle, always", plant: layer, pol: RestartAlways, action: ActionRestart, why: "asked for"},
		{name: "desktop", plant: both(layer, desktop), why: "1 desktop is live"},
		{name: "desktop, always", plant: both(layer, desktop), pol: RestartAlways, action: ActionRestart, why: "asked for", disturbs: anna},
		{name: "client", plant: both(layer, peer), why: "1 client is connected"},
		{name: "client, always", plant: both(layer, peer), pol: RestartAlways, action: ActionRestart, why: "asked for", disturbs: []string{busy[0].Client}},
		{name: "desktops not counted", plant: layer, adjust: uncounted, why: "could not be counted"},
		{name: "no systemd", plant: layer, adjust: noSystemd, why: "no systemd"},

		{name: "needed, idle", plant: port, action: ActionRestart, needed: true, why: "port="},
		{name: "needed, never", plant: port, pol: RestartNever, action: ActionRestart, needed: true, refused: "restart-never"},
		{name: "needed, desktop", plant: both(port, desktop), action: ActionRestart, needed: true, refused: "live-desktops", disturbs: anna},
		{name: "needed, desktop, always", plant: both(port, desktop), pol: RestartAlways, action: ActionRestart, needed: true, disturbs: anna},
		{name: "needed, client", plant: both(port, peer), action: ActionRestart, needed: true, refused: "live-desktops", disturbs: []string{busy[0].Client}},
		{name: "needed, desktops not counted", plant: port, adjust: uncounted, action: ActionRestart, needed: true, refused: "live-desktops"},
		{name: "needed, no systemd", plant: port, adjust: noSystemd, action: ActionRestart, needed: true, refused: "no-systemd"},
		{name: "needed, no systemd but a script", plant: port, adjust: also(noSystemd, script), action: ActionRestart, needed: true, why: "port="},

		{name: "stopped", plant: func(_ *testing.T, m *machine) { m.up, m.port = false, "" }, action: ActionStart, needed: true, why: "not running"},
		{name: "stopped, never", plant: func(_ *testing.T, m *machine) { m.up, m.port = false, "" }, pol: RestartNever, action: ActionStart, needed: true, refused: "restart-never"},
	}
	// Where a start might not succeed unchanged, an idle daemon is left alone.
	// Some of it is itself a reason for the restart that --restart=always states.
	pending := []string{"/etc/default/xrdp is newer", "LogFile changed", "the user that xrdp runs", "the unit file changed"}
	for what, doubt := range map[string]func(*diagnose.Facts){
		"/etc/default/xrdp is newer": func(f *diagnose.Facts) { f.Daemon.NewerThanStart = "/etc/default/xrdp" },
		"could not open":             func(f *diagnose.Facts) { f.Log.StartCanWrite = false },
		"LogFile changed":            func(f *diagnose.Facts) { f.Daemon.Running.Value.LogPath = "/var/log/other.log" },
		"the user that xrdp runs":    func(f *diagnose.Facts) { f.Daemon.Start.Value.UID = rootID },
		"port= changed": func(f *diagnose.Facts) {
			f.Listen.Value = []diagnose.Socket{{Addr: "::", Port: 3390, PID: 412, Program: "xrdp"}}
		},
		"the unit file changed": func(f *diagnose.Facts) {
			u := f.Units[diagnose.UnitXrdp]
			u.Value.NeedDaemonReload = true
			f.Units[diagnose.UnitXrdp] = u
		},
	} {
		cases = append(cases,
			restartCase{name: "doubt: " + what, plant: layer, adjust: doubt, why: what},
			restartCase{name: "doubt, always: " + what, plant: layer, adjust: doubt, pol: RestartAlways, action: ActionRestart, needed: slices.Contains(pending, what)})
	}
	for _, x := range cases {
		t.Run(x.name, func(t *testing.T) {
			m := stock(t)
			if x.plant != nil {
				x.plant(t, m)
			}
			m.adjust = x.adjust
			p := m.plan(t, Policy{Restart: x.pol})
			refused := ""
			if p.Refusal != nil {
				refused = p.Refusal.Reason
			}
			var disturbs []string
			for _, d := range p.Disturbs {
				who := d.User
				if who == "" {
					who = d.Client
				}
				disturbs = append(disturbs, who)
			}
			u := p.Unit
			if u.Action != x.action || u.Needed != x.needed || !strings.Contains(u.Why, x.why) || u.Why == "" || refused != x.refused || !slices.Equal(disturbs, x.disturbs) {
				t.Errorf("action %q, needed %t, %q, refused %q, disturbs %q\n%s", u.Action, u.Needed, u.Why, refused, disturbs, planText(p))
			}
		})
	}
}

// TestPlanRemedies: the other remedies, each to the line.
func TestPlanRemedies(t *testing.T) {
	layer := func(value string) string {
		return "edit xrdp.ini\n  -security_layer=" + value + "\n  +security_layer=negotiate"
	}
	set := func(value string) func(*testing.T, *machine) {
		return ini("security_layer=negotiate", "security_layer="+value)
	}
	bound := func(_ *testing.T, m *machine) { m.obstacle = "device or resource busy" }
	readOnly := func(_ *testing.T, m *machine) { m.obstacle = "the file system is read-only" }
	testPlans(t, []planCase{
		{name: "security_layer missing", plant: ini("security_layer=negotiate\n", ""), want: "edit xrdp.ini\n  +security_layer=negotiate"},
		{name: "security_layer=rdp", plant: set("rdp"), want: layer("rdp")},
		{name: "security_layer=ssl", plant: set("ssl"), want: layer("ssl")},
		{name: "security_layer of no meaning", plant: set("nla"), want: layer("nla")},
		{name: "a working tls stays", plant: set("tls"), want: ""},
		{name: "tls stated", pol: Policy{SecurityLayer: "tls"}, want: "edit xrdp.ini\n  -security_layer=negotiate\n  +security_layer=tls"},
		{name: "tls stated over rdp", plant: set("rdp"), pol: Policy{SecurityLayer: "tls"}, want: "edit xrdp.ini\n  -security_layer=rdp\n  +security_layer=tls"},
		{name: "tls stated, and it is", plant: set("tls"), pol: Policy{SecurityLayer: "tls"}, want: ""},
		{name: "rdp stated, and it is", plant: set("rdp"), pol: Policy{SecurityLayer: "rdp"}, want: ""},
		{name: "crypt_level low", plant: ini("crypt_level=high", "crypt_level=low"), want: "edit xrdp.ini\n  -crypt_level=low\n  +crypt_level=high"},
		{name: "xrdp.ini shut", plant: func(_ *testing.T, m *machine) { m.chmod(configPath, 0o600, rootID) }, want: "edit xrdp.ini 0644:0"},
		{name: "the 32 KiB of xrdp end in a value", plant: both(set("rdp"), func(_ *testing.T, m *machine) {
			f := m.files[configPath]
			f.data = append(f.data, "[z]\n"+strings.Repeat("key=0123456789\n", 3000)...)
			m.files[configPath] = f
		}), want: "manual ini-cut-short: xrdpfix apply"},
		{name: "rsakeys.ini shut", plant: func(_ *testing.T, m *machine) { m.chmod(diagnose.RSAKeysPath, 0o600, rootID) }, want: "attributes rsakeys.ini 0640:118"},
		{name: "rsakeys.ini missing", plant: remove(diagnose.RSAKeysPath), want: "keygen rsakeys.ini xrdp"},
		{name: "bind-mounted", plant: both(bound, set("rdp")), want: "edit xrdp.ini\n  -security_layer=rdp\n  +security_layer=negotiate\n" +
			"manual ini-not-replaceable: xrdpfix apply --in-place\nrefused not-replaceable: /etc/xrdp/xrdp.ini cannot be replaced: device or resource busy"},
		{name: "bind-mounted, in place", plant: both(bound, set("rdp")), pol: Policy{InPlace: true},
			want: "edit xrdp.ini in place\n  -security_layer=rdp\n  +security_layer=negotiate"},
		{name: "read-only", plant: both(readOnly, set("rdp")), pol: Policy{InPlace: true}, want: "edit xrdp.ini in place\n  -security_layer=rdp\n  +security_layer=negotiate\n" +
			"refused not-replaceable: /etc/xrdp/xrdp.ini cannot be replaced: the file system is read-only"},
		{name: "in place where rename works", plant: set("rdp"), pol: Policy{InPlace: true}, want: layer("rdp")},
		{name: "bind-mounted and shut, in place", plant: both(bound, func(_ *testing.T, m *machine) { m.chmod(configPath, 0o600, rootID) }),
			pol: Policy{InPlace: true}, want: "manual ini-unreadable: chmod 0644 /etc/xrdp/xrdp.ini"},
	}, busy)
}
