package diagnose

import (
	"testing"

	"xrdpfix/probe"
	"xrdpfix/service"
)

func TestService(t *testing.T) {
	unit := func(change func(u *service.Unit)) func(*testing.T, *Facts, *Settings) {
		return simple(func(f *Facts) {
			u := f.Units[UnitXrdp].Value
			change(&u)
			f.Units[UnitXrdp] = Seen(u)
		})
	}
	raise(t, []fault{
		{"failed", unit(func(u *service.Unit) { u.ActiveState, u.Result = "failed", "exit-code" }), []Code{ServiceDown}},
		{"starting", unit(func(u *service.Unit) { u.ActiveState = "activating" }), nil},
		{"masked", unit(func(u *service.Unit) { u.LoadState = "masked" }), []Code{ServiceDown}},
		{"disabled", unit(func(u *service.Unit) { u.UnitFileState = "disabled" }), []Code{ServiceDisabled}},
		{"static", unit(func(u *service.Unit) { u.UnitFileState = "static" }), nil},
		{"no log file", simple(func(f *Facts) { f.Log.Exists, f.Log.DaemonCanWrite, f.Log.StartCanWrite = false, false, false }), []Code{LogUnwritable}},
		{"no log file, and the service down", func(t *testing.T, f *Facts, _ *Settings) {
			f.Log.Exists, f.Log.DaemonCanWrite, f.Log.StartCanWrite = false, false, false
			unitState(f, UnitXrdp, "failed")
		}, []Code{LogUnwritable}},
		{"no log named, and no place for the default", simple(func(f *Facts) {
			f.Log = LogFact{Path: "./sesman.log", HidesProof: "LogFile=./sesman.log is no file that can be read here"}
		}), []Code{LogUnwritable}},
		{"no log named, and root's daemon", simple(func(f *Facts) {
			f.Log = LogFact{Path: "./sesman.log", HidesProof: "LogFile=./sesman.log is no file that can be read here", DaemonCanWrite: true, StartCanWrite: true}
		}), []Code{LogHidesProof}},
		{"no sesman.ini", simple(func(f *Facts) { f.Sesman.Value = FileFact{Path: SesmanPath} }), []Code{SesmanUnreachable}},
		{"the log hides it", simple(func(f *Facts) { f.Log.HidesProof = "LogLevel=ERROR keeps it away" }), []Code{LogHidesProof}},
	})
}

func TestPort(t *testing.T) {
	raise(t, []fault{
		{"an address", inIni("port=3389", "port=127.0.0.1:3389"), []Code{PortInvalid}},
		{"an address as it should be", inIni("port=3389", "port=tcp://.:3389"), nil},
		{"missing", inIni("port=3389\n", ""), []Code{PortInvalid}},
		{"vsock only", func(t *testing.T, f *Facts, _ *Settings) {
			edit(t, &f.Config, "port=3389", "port=vsock://-1:3389")
			edit(t, &f.Config, "security_layer=tls", "security_layer=rdp")
			f.Listen.Value, f.Wire = nil, Skipped[probe.ServerSurvey]("nothing listens")
		}, []Code{PortLoopbackOnly}},
		{"vsock too", inIni("port=3389", "port=3389 vsock://-1:3389"), nil},
		{"taken", simple(func(f *Facts) {
			f.Listen.Value = []Socket{{Addr: "::", Port: 3389, PID: 700, Program: "gnome-remote-de", Unit: "gnome-remote-desktop.service"}}
			f.Pair.Value.Cert.SHA256 = "FF"
			unitState(f, UnitXrdp, "failed")
		}), []Code{PortTaken}},
		{"not open", simple(func(f *Facts) { f.Listen.Value = nil }), []Code{PortNotListening}},
		{"not looked", simple(func(f *Facts) { f.Listen = Failed[[]Socket]("permission denied") }), nil},
		{"loopback", simple(func(f *Facts) { f.Listen.Value[0].Addr = "127.0.0.1" }), []Code{PortLoopbackOnly}},
		{"loopback and another", simple(func(f *Facts) {
			f.Listen.Value = append([]Socket{{Addr: "127.0.0.1", Port: 3389, PID: 412, Program: "xrdp"}}, f.Listen.Value...)
		}), nil},
	})
}
