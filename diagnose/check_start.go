package diagnose

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"xrdpfix/internal/plaintext"
)

// checkRuntimeUser judges the user that xrdp is told to become.
func checkRuntimeUser(v *view) []Finding {
	user, group := v.server.RuntimeUser, v.server.RuntimeGroup
	at, set := v.ini.Lookup("Globals", "runtime_user")
	if !set {
		at, _ = v.ini.Lookup("Globals", "runtime_group")
	}
	var x Finding
	switch {
	case v.configured() && (user == "") != (group == ""):
		// read_xrdp_ini_startup_params in xrdp/xrdp.c ends the start.
		x = finding(RuntimeUserInvalid, MendHuman, "runtime_user and runtime_group must both be set; xrdp does not start with one of them.").
			because(inFile(v.IniPath(), at.Line, strings.TrimSpace(v.ini.Line(at.Line))))
	case v.Daemon.UserFault != "":
		line := 0
		if v.Daemon.UserFaultIn == v.IniPath() {
			line = at.Line
		}
		x = finding(RuntimeUserInvalid, MendHuman, "xrdp cannot become its user: %s.", v.Daemon.UserFault).
			because(inFile(v.Daemon.UserFaultIn, line, v.Daemon.UserFault))
	default:
		return nil
	}
	return []Finding{x.remedy("Name a user and a group that exist, such as xrdp; then start xrdp again.").
		commands("getent passwd xrdp || useradd --system --user-group --home-dir /run/xrdp --shell /usr/sbin/nologin xrdp",
			"sed -i 's/^runtime_user=.*/runtime_user=xrdp/; s/^runtime_group=.*/runtime_group=xrdp/' "+plaintext.ShellWord(v.IniPath()),
			"systemctl restart xrdp")}
}

// checkRestartPending finds settings that xrdp reads at start only and that
// changed since. It is an error where a client meets the difference, because the
// port that is configured is not open; otherwise a warning: things work, but
// other than stated. A group membership is not among them: a key file of xrdp's
// own mends that without a restart.
func checkRestartPending(v *view) []Finding {
	p := v.Daemon.Running.Value
	if v.Offline || !v.Daemon.Running.Ok() || !v.configured() {
		return nil
	}
	var ev []Evidence
	since := func(kind, source, text string) { ev = append(ev, Evidence{Kind: kind, Source: source, Text: text}) }
	moved := v.portsMoved()
	if moved != "" {
		val, _ := v.ini.Lookup("Globals", "port")
		ev = append(ev, inFile(v.IniPath(), val.Line, "port="+val.Text))
		since("process", "", moved)
	}
	if s := v.Daemon.Start; s.Ok() && s.Value.UID != p.Identity.UID {
		since("process", "", fmt.Sprintf("runs as user %s, will run as %s", p.Identity.User, s.Value.User))
	}
	if l := v.logMoved(); l != "" {
		since("process", "", "writes to "+l+"; LogFile="+v.Log.Path)
	}
	if v.Daemon.Systemd && !slices.Equal(startOptions(v.Daemon.Options), startOptions(p.Args[min(1, len(p.Args)):])) {
		since("process", "", fmt.Sprintf("started with %q, XRDP_OPTIONS is %q", strings.Join(startOptions(p.Args[min(1, len(p.Args)):]), " "), strings.Join(startOptions(v.Daemon.Options), " ")))
	}
	if f := v.Daemon.NewerThanStart; f != "" {
		since("file", f, "changed since")
	}
	if u := v.unit(UnitXrdp); u != nil && u.NeedDaemonReload {
		since("unit", UnitXrdp, UnitXrdp+": its files changed and systemd has not read them again (systemctl daemon-reload)")
	}
	if o := v.OpenSSL; o.Ok() && o.Value.MTime.After(p.Started.Add(startSlack)) {
		since("file", o.Value.Conf, "changed since; OpenSSL reads it when xrdp starts")
	}
	if len(ev) == 0 {
		return nil
	}
	x := finding(RestartPending, MendStated, "xrdp (process %d) runs since %s and has not read what changed since: it reads it when it starts.",
		p.PID, p.Started.UTC().Format("2 Jan 2006 15:04 UTC")).
		because(ev...).remedy("Restart xrdp when it suits: a restart costs each live desktop.").
		commands("xrdpfix apply --restart=always")
	if moved == "" {
		x.Severity = Warning
	}
	return []Finding{x}
}

// startSlack is by how much the start of a process may be reckoned too early:
// the kernel tells the time of boot in whole seconds.
const startSlack = time.Second

// portsMoved tells of ports that are configured and that the process does not
// listen on although it listens on others; "" for none. That it listens on
// nothing at all has other causes.
func (v *view) portsMoved() string {
	var open, missing []int
	for _, s := range v.Daemon.Open {
		if !slices.Contains(open, s.Port) {
			open = append(open, s.Port)
		}
	}
	for _, p := range v.Ports() {
		if !slices.Contains(open, p) {
			missing = append(missing, p)
		}
	}
	if len(open) == 0 || len(missing) == 0 || portTrap(v.server) != "" || v.Config.Value.MTime.Before(v.Daemon.Running.Value.Started.Add(-startSlack)) {
		return ""
	}
	return fmt.Sprintf("listens on port %s, not on %s", joinInts(open), joinInts(missing))
}

// logMoved is the file that the process writes to where that is not LogFile, ""
// where it is, or was before it was rotated.
func (v *view) logMoved() string {
	open, want := v.Daemon.Running.Value.LogPath, v.Log.Path
	if open == "" || !path.IsAbs(want) || strings.HasSuffix(open, " (deleted)") {
		return ""
	}
	if strings.HasPrefix(path.Base(open), strings.TrimSuffix(path.Base(want), ".log")) {
		return ""
	}
	return open
}

// startOptions leaves out of a command line what the unit itself adds.
func startOptions(args []string) []string {
	var out []string
	for _, a := range args {
		if a != "--nodaemon" && a != "-n" && a != "-nodaemon" {
			out = append(out, a)
		}
	}
	return out
}

// checkSesman judges the way to xrdp-sesman, without which nobody can log in.
func checkSesman(v *view) []Finding {
	r := v.SesmanReach
	if v.SesmanIniMissing() && !v.Offline && v.configured() {
		return []Finding{finding(SesmanUnreachable, MendHuman, "%s does not exist, and xrdp-sesman does not start without it: nobody can log in.", SesmanPath).
			because(inFile(SesmanPath, 0, "does not exist")).packaged(v, "Restore it from the package", v.Host.RestoreCommand())}
	}
	if v.Offline || !r.Ok() || r.Value.Listening || !v.Daemon.Running.Ok() || r.Value.Wanted == "" {
		return nil
	}
	ev := []Evidence{{Kind: "process", Text: "nothing listens on " + r.Value.Wanted}}
	for _, e := range r.Value.Elsewhere {
		ev = append(ev, Evidence{Kind: "process", Text: "xrdp-sesman listens on " + e})
	}
	do, command, why := "Start it", "systemctl start xrdp-sesman", ""
	u := v.unit(UnitSesman)
	switch {
	case u != nil && u.LoadState == "masked":
		command, why = "systemctl unmask xrdp-sesman && systemctl start xrdp-sesman", ": "+UnitSesman+" is masked"
	case u != nil && u.ActiveState != "active":
		why = fmt.Sprintf(": %s is %s", UnitSesman, u.ActiveState)
		if u.Result != "" && u.Result != "success" {
			why += " (" + u.Result + ")"
		}
	case len(r.Value.Elsewhere) > 0:
		do, command, why = "Restart it with xrdp when it suits, since that costs each live desktop", "systemctl restart xrdp", ": it listens elsewhere"
		if val, ok := v.sesIni.Lookup("Globals", "ListenPort"); ok {
			ev = append(ev, inFile(SesmanPath, val.Line, "ListenPort="+val.Text))
		}
	case u == nil:
		command = "xrdp-sesman"
	}
	if u != nil {
		ev = append(ev, Evidence{Kind: "unit", Source: UnitSesman, Text: UnitSesman + " is " + u.ActiveState + " (" + u.SubState + ")"})
	}
	return []Finding{finding(SesmanUnreachable, MendHuman, "xrdp cannot reach xrdp-sesman%s. Clients see the login screen, and then an error.", why).
		because(ev...).remedy("%s; where that does not help, its log says why.", do).commands(command, "journalctl -u xrdp-sesman -n 20")}
}
