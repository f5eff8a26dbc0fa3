package diagnose

import (
	"bytes"
	"slices"
	"strings"
)

// The unit that gives each machine made from an image a pair of its own. It is
// wanted by a drop-in of its target and not by a link: a file is known to the
// journal, and the presets that systemd applies at the first boot of an image
// take links away.
const (
	FirstBootUnit   = "xrdpfix-firstboot.service"
	FirstBootPath   = "/etc/systemd/system/" + FirstBootUnit
	FirstBootDropIn = "/etc/systemd/system/multi-user.target.d/xrdpfix-firstboot.conf"
)

// FirstBoot is what a machine, or the tree of one, has for its first boot.
type FirstBoot struct {
	// Program is the xrdpfix that the tree has, "" for none; the running program
	// on a live machine.
	Program string `json:"program,omitempty"`
	// Systemd: the tree boots with systemd.
	Systemd bool     `json:"systemd"`
	Unit    FileFact `json:"unit"`
	DropIn  FileFact `json:"drop_in"`
}

// Pending reports whether the unit is there and is going to run.
func (b FirstBoot) Pending() bool {
	_, command, ok := strings.Cut(string(b.Unit.Bytes()), "\nExecStart=")
	command, _, _ = strings.Cut(command, "\n")
	program, command, _ := strings.Cut(command, " ")
	return ok && b.Unit.Exists && b.DropIn.Exists && b.Program != "" && program == b.Program &&
		strings.HasPrefix(command, "cert renew") && bytes.Equal(b.DropIn.Bytes(), FirstBootWants())
}

// FirstBootService is the text of the unit. It runs behind xrdp, because what it
// makes is proven on xrdp's port, and behind the network, whose addresses go
// into the certificate, and the clock, where something waits for that. The change that it makes takes its own files away, so
// that it runs once; one that cannot be proven is undone and puts them back.
// config is the file that xrdp.ini leads to.
func FirstBootService(program, config string, args ...string) []byte {
	return []byte(`# Made by xrdpfix: a key and a certificate of this machine's own, since those of
# an image are everybody's. It takes itself away when they are proven to be served.
[Unit]
Description=A key and a certificate of this machine's own for xrdp
ConditionPathExists=` + program + `
ConditionPathExists=` + ConfigPath + `
Wants=network-online.target
After=network-online.target time-sync.target ` + UnitXrdp + " " + UnitSesman + `

[Service]
Type=oneshot
TimeoutStartSec=5min
ExecStart=` + strings.Join(append([]string{program, "cert renew --restart never"}, args...), " ") + "\n" + Sandbox(program, config))
}

// FirstBootWants is the text of the drop-in.
func FirstBootWants() []byte {
	return []byte("# Made by xrdpfix, for " + FirstBootUnit + ".\n[Unit]\nWants=" + FirstBootUnit + "\n")
}

// checkFirstBoot says what a tree does when it boots.
func checkFirstBoot(v *view) []Finding {
	if !v.pairPending() {
		return nil
	}
	return []Finding{finding(FirstBootPending, MendNone, "At its first boot each machine made from this tree gets a key and a certificate of its own.").
		because(inFile(FirstBootPath, 0, "runs "+v.FirstBoot.Value.Program+" cert renew, once")).
		remedy("Nothing to do. To give it up: xrdpfix rollback.")}
}

// pairPending reports whether the pair of a tree is going to be replaced, so that
// what is wrong with it is not worth a word.
func (v *view) pairPending() bool {
	return v.Offline && v.FirstBoot.Ok() && v.FirstBoot.Value.Pending()
}

// withoutPair leaves out what a new pair mends.
func withoutPair(found []Finding) []Finding {
	return slices.DeleteFunc(found, func(x Finding) bool {
		e, _ := Describe(x.Code)
		return e.Group == "key" || e.Group == "certificate"
	})
}
