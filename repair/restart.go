package repair

import (
	"fmt"
	"strings"

	"xrdpfix/diagnose"
)

// restart decides what happens to the daemon, and says why.
func (b *builder) restart() {
	u := &b.plan.Unit
	busy := b.busy()
	changes := len(b.plan.Files) > 0 || b.plan.Identity != nil || b.plan.Keygen != nil
	switch {
	case b.f.Offline:
		u.Action, u.Needed, u.Why = ActionNone, false, "this tree is not running"
	case u.Action == ActionStart || b.down() && (changes || u.Needed) && !b.pol.CertOnly:
		// Where a fault that is mended explains it, service-down is silent.
		u.Action, u.Needed, u.Why = ActionStart, true, "xrdp is not running"
	case u.Needed:
		u.Action = ActionRestart
		u.Why = strings.Join(u.Because, "; ")
		if doubt := b.startDoubt(); doubt != "" {
			u.Why += "; mind that " + doubt
		}
	case !changes && b.pol.Restart != RestartAlways:
		u.Why = "nothing changes"
	case b.pol.Restart == RestartNever:
		u.Why = "not needed: the next connection reads the new settings"
	case b.pol.Restart == RestartAlways:
		u.Action, u.Why = ActionRestart, "asked for; not needed"
	case busy != "":
		u.Why = "not needed, and " + busy
	case !b.f.Daemon.Systemd:
		u.Why = "not needed, and this machine has no systemd"
	case !b.f.Daemon.Running.Ok():
		u.Why = "xrdp is not running"
	default:
		if doubt := b.startDoubt(); doubt != "" {
			u.Why = "not needed; left alone because " + doubt
			return
		}
		u.Action, u.Why = ActionRestart, "not needed, nobody was connected"
	}
	if u.Action == ActionRestart {
		b.disturbs()
	}
}

// down reports whether xrdp does not run although its unit could.
func (b *builder) down() bool {
	u, ok := b.f.Units[diagnose.UnitXrdp]
	return ok && u.Ok() && u.Value.LoadState == "loaded" && u.Value.ActiveState != "active" && b.f.Daemon.Running.Skipped != ""
}

// busy says who would be cut off by a restart, "" for nobody.
func (b *builder) busy() string {
	desktops, peers := len(b.f.Desktops.Value), len(b.f.Peers.Value)
	switch {
	case !b.f.Desktops.Ok() && b.f.Desktops.Failed != "":
		return "the live desktops could not be counted"
	case !b.f.Peers.Ok() && b.f.Peers.Failed != "":
		return "the connected clients could not be counted"
	case desktops == 1:
		return "1 desktop is live"
	case desktops > 1:
		return fmt.Sprintf("%d desktops are live", desktops)
	case peers == 1:
		return "1 client is connected"
	case peers > 1:
		return fmt.Sprintf("%d clients are connected", peers)
	}
	return ""
}

func (b *builder) disturbs() {
	seen := map[string]bool{}
	for _, d := range b.f.Desktops.Value {
		b.plan.Disturbs = append(b.plan.Disturbs, Disturbed{User: d.User, Display: d.Display, Since: d.Since, Client: d.Client, Connected: d.Connected})
		seen[d.Client] = true
	}
	for _, p := range b.f.Peers.Value {
		if host, _, _ := strings.Cut(p.Client, " "); !seen[host] && !seen[p.Address()] {
			b.plan.Disturbs = append(b.plan.Disturbs, Disturbed{Client: p.Client, Connected: true})
		}
	}
}

// startDoubt says why a start might not succeed unchanged, or would bring other
// people's pending changes into force; "" where neither is so. A restart that is
// needed is made all the same, and whoever reads the plan knows.
func (b *builder) startDoubt() string {
	p := b.f.Daemon.Running.Value
	switch {
	case !b.f.RSAKeys.Exists && b.plan.Keygen == nil:
		return diagnose.RSAKeysPath + " is missing"
	case b.f.SesmanIniMissing():
		return diagnose.SesmanPath + " is missing, without which xrdp-sesman does not start"
	case b.f.Log.Path != "" && !b.f.Log.StartCanWrite:
		return "xrdp could not open " + b.f.Log.Path + " again"
	case p.LogPath != "" && b.f.Log.Path != "" && p.LogPath != b.f.Log.Path:
		return "LogFile changed since xrdp started"
	case b.f.Daemon.Start.Ok() && p.Identity.UID != b.f.Daemon.Start.Value.UID:
		return "the user that xrdp runs as changed since it started"
	case b.f.Daemon.NewerThanStart != "":
		return b.f.Daemon.NewerThanStart + " is newer than the running xrdp"
	case !b.plan.Unit.Needed && b.portsMoved(): // where it is, this says why already
		return "port= changed since xrdp started"
	}
	if u, ok := b.f.Units[diagnose.UnitXrdp]; ok && u.Value.NeedDaemonReload && !b.plan.Unit.Reload {
		return "the unit file changed since xrdp started"
	}
	return ""
}

// portsMoved reports whether the daemon listens on other ports than configured.
func (b *builder) portsMoved() bool {
	open := map[int]bool{}
	for _, s := range b.f.Listen.Value {
		open[s.Port] = true
	}
	for _, p := range b.f.Ports() {
		if !open[p] {
			return true
		}
	}
	return false
}

// refuse stops an apply before it touches anything.
func (b *builder) refuse() {
	p := &b.plan
	for _, c := range p.Files {
		fact := b.f.Config.Value
		if c.Path != fact.Path || fact.Obstacle == "" || b.pol.InPlace && fact.InPlaceHelps() {
			continue
		}
		p.Refusal = &Refusal{Reason: "not-replaceable", Text: fmt.Sprintf("%s cannot be replaced: %s", c.Target, fact.Obstacle),
			Instead: []string{"xrdpfix apply --in-place"}}
		if !fact.InPlaceHelps() {
			p.Refusal.Instead = []string{fact.ObstacleCommand()}
		}
		return
	}
	if b.fipsForbids() {
		p.Refusal = &Refusal{Reason: "fips", Text: "this machine runs in FIPS mode, which forbids TLS below 1.2"}
		return
	}
	if !p.Unit.Needed || p.Unit.Action == ActionNone {
		return
	}
	busy := b.busy()
	switch {
	case !b.f.Daemon.Systemd && !b.f.Offline && b.f.Daemon.InitScript == "":
		p.Refusal = &Refusal{Reason: "no-systemd", Text: "this needs a restart of xrdp, and this machine has no systemd and no service script"}
	case b.pol.Restart == RestartNever:
		p.Refusal = &Refusal{Reason: "restart-never", Text: "this needs a restart of xrdp, and --restart=never forbids it", Instead: []string{"xrdpfix apply"}}
	case p.Unit.Action == ActionRestart && b.pol.Restart != RestartAlways && busy != "":
		p.Refusal = &Refusal{Reason: "live-desktops", Text: "this needs a restart of xrdp, and " + busy, Instead: []string{"xrdpfix apply --restart=when-idle", "xrdpfix apply --restart=always"}}
	}
}

func (b *builder) fipsForbids() bool {
	return b.f.Host.FIPS && b.stated && b.wantRange.Min < diagnose.DefaultRange.Min
}
