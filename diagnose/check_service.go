package diagnose

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"xrdpfix/internal/plaintext"
	"xrdpfix/xrdpconf"
)

// checkService judges xrdp.service.
func checkService(v *view) []Finding {
	if v.Offline || !v.Daemon.Systemd {
		return v.downWithoutSystemd()
	}
	u := v.unit(UnitXrdp)
	switch {
	case u == nil:
		return nil // could not look: a fact, no finding
	case u.LoadState == "not-found":
		if v.Daemon.Running.Ok() || !v.Config.Value.Exists {
			return nil
		}
		return []Finding{finding(ServiceDown, MendHuman, "systemd knows no %s.", UnitXrdp).
			because(Evidence{Kind: "unit", Source: UnitXrdp, Text: "not found"}).packaged(v, "Reinstall xrdp", v.Host.packager().install)}
	case u.LoadState == "masked":
		return []Finding{finding(ServiceDown, MendHuman, "%s is masked: nobody can start it.", UnitXrdp).
			because(Evidence{Kind: "unit", Source: UnitXrdp, Text: "masked"}).
			remedy("Somebody masked it on purpose; xrdpfix never unmasks.").commands("systemctl unmask xrdp && systemctl start xrdp")}
	case u.ActiveState != "active" && u.ActiveState != "activating" && u.ActiveState != "reloading":
		detail := fmt.Sprintf("%s is %s (%s).", UnitXrdp, u.ActiveState, u.SubState)
		if u.Result != "" && u.Result != "success" {
			detail = fmt.Sprintf("%s is %s: %s.", UnitXrdp, u.ActiveState, u.Result)
		}
		return []Finding{finding(ServiceDown, MendApply, "%s", detail).
			because(Evidence{Kind: "unit", Source: UnitXrdp, Text: u.ActiveState + " (" + u.SubState + "), result " + u.Result}).
			remedy("Start it. Nothing is enabled or unmasked.")}
	}
	if u.UnitFileState == "disabled" {
		return []Finding{finding(ServiceDisabled, MendHuman, "%s runs now, but is not enabled: it will not start after a reboot.", UnitXrdp).
			because(Evidence{Kind: "unit", Source: UnitXrdp, Text: "disabled"}).
			remedy("xrdpfix never enables a unit.").commands("systemctl enable xrdp")}
	}
	return nil
}

func (v *view) downWithoutSystemd() []Finding {
	if v.Offline || v.Daemon.Running.Ok() || v.Daemon.Running.Failed != "" || !v.Config.Value.Exists {
		return nil
	}
	x := finding(ServiceDown, MendHuman, "No xrdp process runs, and this machine has no systemd.").
		because(Evidence{Kind: "process", Text: "no process named xrdp"}).remedy("Start xrdp the way this machine starts it.")
	if v.Daemon.InitScript != "" {
		return []Finding{x.commands(v.Daemon.InitScript + " start")}
	}
	return []Finding{x.commands("xrdp-sesman && xrdp")}
}

// checkPort judges the listening socket.
func checkPort(v *view) []Finding {
	if !v.configured() {
		return nil
	}
	val, _ := v.ini.Lookup("Globals", "port")
	at := inFile(v.IniPath(), val.Line, "port="+val.Text)
	ports := v.Ports()
	if bad := portTrap(v.server); bad != "" {
		return []Finding{finding(PortInvalid, MendApply, "port=%s: %s.", val.Text, bad).because(at).
			remedy("port=%s. Needs a restart.", PortMeant(v.server))}
	}
	if v.vsockOnly() {
		return []Finding{finding(PortLoopbackOnly, MendHuman, "xrdp listens on %s only: the Hyper-V host reaches it (Enhanced Session), and no other machine can.", v.server.Listen[0]).
			because(at).
			remedy("Leave it if only Enhanced Session is meant. For clients in the network open a TCP port; security_layer and crypt_level are judged then.").
			commands("sed -i '0,/^[[:blank:]]*port[[:blank:]]*=/s|^[[:blank:]]*port[[:blank:]]*=.*|port=3389|' "+plaintext.ShellWord(v.IniPath()), "systemctl restart xrdp", "xrdpfix apply")}
	}
	if v.Offline || !v.Listen.Ok() || len(ports) == 0 {
		return nil
	}
	var foreign []Socket
	mine := 0
	for _, s := range v.Listen.Value {
		if s.PID == 0 || isXrdp(s) {
			mine++
		} else {
			foreign = append(foreign, s)
		}
	}
	if mine == 0 && len(foreign) > 0 {
		s := foreign[0]
		who := s.Program
		if s.Unit != "" {
			who += " (" + s.Unit + ")"
		}
		return []Finding{finding(PortTaken, MendHuman, "Port %d belongs to %s, not to xrdp.", s.Port, who).
			because(Evidence{Kind: "process", Source: net.JoinHostPort(s.Addr, strconv.Itoa(s.Port)), Text: fmt.Sprintf("%s, process %d", who, s.PID)}).
			remedy("Stop that program and start xrdp, or give one of the two another port.").commands(v.freePort(s)...)}
	}
	if mine == 0 {
		mend := MendHuman
		if v.Daemon.Systemd {
			mend = MendApply
		}
		return []Finding{finding(PortNotListening, mend, "xrdp runs, but nothing listens on port %s.", joinInts(ports)).
			because(at, Evidence{Kind: "process", Text: "no listening socket on port " + joinInts(ports)}).
			remedy("Restart xrdp; where that does not help, its log says why.").commands("systemctl restart xrdp", "tail "+plaintext.ShellWord(v.Log.Path))}
	}
	if !slices.ContainsFunc(v.Listen.Value, func(s Socket) bool { ip := net.ParseIP(s.Addr); return ip == nil || !ip.IsLoopback() }) {
		return []Finding{finding(PortLoopbackOnly, MendHuman, "xrdp listens on %s only: other machines cannot reach it.", v.Listen.Value[0].Addr).
			because(at).remedy("Leave it if a tunnel is meant; else port=%s in %s.", joinInts(ports), v.IniPath())}
	}
	return nil
}

// vsockOnly reports whether xrdp is configured to listen on vsock and on nothing
// else. Over vsock the Hyper-V host is the only peer, and there the usual scripts
// want security_layer=rdp and crypt_level=none: before 0.10.4 (vmconnect=true)
// Enhanced Session works with nothing else.
func (v *view) vsockOnly() bool {
	other := func(l xrdpconf.Listen) bool { return l.Network != xrdpconf.NetworkVsock }
	return v.Daemon.PortOption == "" && len(v.server.Listen) > 0 && !slices.ContainsFunc(v.server.Listen, other)
}

// freePort are the commands that stop the program on the port and start xrdp.
func (v *view) freePort(s Socket) []string {
	out := []string{fmt.Sprintf("kill %d", s.PID)}
	if strings.HasSuffix(s.Unit, ".service") && !strings.HasPrefix(s.Unit, "user@") {
		out = []string{"systemctl stop " + s.Unit}
	}
	if v.Daemon.Systemd {
		out = append(out, "systemctl restart xrdp")
	}
	return out
}

func isXrdp(s Socket) bool { return s.Program == "xrdp" || s.Unit == UnitXrdp }

func joinInts(n []int) string {
	var out []string
	for _, i := range n {
		out = append(out, strconv.Itoa(i))
	}
	return strings.Join(out, ", ")
}

// newLog are the commands that give the daemon a log file, and start it where it
// failed without one.
func (v *view) newLog() []string {
	var out []string
	if v.Log.Exists {
		out = append(out, fmt.Sprintf("mv %s %s", plaintext.ShellWord(v.Log.Path), plaintext.ShellWord(v.Log.Path+".old")))
	}
	out = append(out, fmt.Sprintf("install -o %s -g %s -m 0640 /dev/null %s", plaintext.ShellWord(v.daemon.User), plaintext.ShellWord(v.Daemon.KeyGroup), plaintext.ShellWord(v.Log.Path)))
	return v.andStart(out...)
}

// andStart adds the start of an xrdp that failed without what the commands give it.
func (v *view) andStart(commands ...string) []string {
	if v.Daemon.Systemd && !v.Daemon.Running.Ok() {
		commands = append(commands, "systemctl start xrdp")
	}
	return commands
}

// nameLog are the commands that give xrdp.ini a LogFile=, and start xrdp where it
// failed without one.
func (v *view) nameLog() []string {
	add := `printf '\n[Logging]\nLogFile=xrdp.log\nLogLevel=INFO\n' >>` + plaintext.ShellWord(v.IniPath())
	if slices.ContainsFunc(v.ini.Sections(), func(s xrdpconf.Section) bool { return strings.EqualFold(s.Name, xrdpconf.SectionLogging) }) {
		add = `sed -i '/^\[Logging\]/a LogFile=xrdp.log' ` + plaintext.ShellWord(v.IniPath())
	}
	return v.andStart(add)
}

// checkLog judges xrdp.log as a witness.
func checkLog(v *view) []Finding {
	if v.Offline || !v.configured() {
		return nil
	}
	l := v.Log
	_, cut := v.raw.Cut() // then [Logging] may stand behind it, and the cut is what to mend
	switch {
	case l.Path != "" && !l.StartCanWrite && v.known && !strings.HasPrefix(l.Path, "/") && !cut:
		return []Finding{finding(LogUnwritable, MendHuman, "xrdp runs as user %s and would write its log to %s in its working directory, which it may not: it will not start again.", v.daemon.User, l.Path).
			because(inFile(v.IniPath(), 0, "no LogFile= in [Logging]")).
			remedy("Name the log.").commands(v.nameLog()...)}
	case l.HidesProof != "" && (l.StartCanWrite || !v.known || cut):
		return []Finding{finding(LogHidesProof, MendStated, "%s.", l.HidesProof).
			because(inFile(v.IniPath(), 0, "[Logging] LogLevel="+v.server.Logging.LevelText)).
			remedy("xrdpfix then proves its work from the wire alone. LogLevel=INFO shows each connection.")}
	case l.Path != "" && !l.DaemonCanWrite && v.known:
		return []Finding{finding(LogUnwritable, MendHuman, "xrdp runs as user %s and cannot write %s: it will not start again.", v.daemon.User, l.Path).
			because(inFile(l.Path, 0, map[bool]string{true: "not writable", false: "does not exist"}[l.Exists])).
			remedy("Give the daemon a file there.").commands(v.newLog()...)}
	}
	return nil
}
