package repair

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"xrdpfix/certs"
	"xrdpfix/diagnose"
)

// firstBoot plans the unit that makes the pair on each machine, at its first
// boot: a key that is made into an image is everybody's.
func (b *builder) firstBoot(because []diagnose.Code) {
	fb := b.f.FirstBoot
	why := ""
	switch {
	case !fb.Ok():
		why = "what it does at its first boot could not be looked at: " + fb.Failed + fb.Skipped
	case fb.Value.Program == "":
		why = "xrdpfix is not installed in this tree, so nothing could make it at the first boot"
	case !fb.Value.Systemd:
		why = "this tree does not boot with systemd, so nothing would make it at the first boot"
	}
	if why != "" {
		b.afterFirstBoot(because, why)
		return
	}
	b.plan.FirstBoot = true
	b.firstBootBecause = append(b.firstBootBecause, because...)
}

// plantFirstBoot turns that into files.
func (b *builder) plantFirstBoot() {
	if !b.plan.FirstBoot {
		return
	}
	fb := b.f.FirstBoot.Value
	before := len(b.plan.Files)
	b.putFile(fb.Unit, diagnose.FirstBootPath, diagnose.FirstBootService(fb.Program, b.f.Config.Value.Target, b.renewArgs()...))
	b.putFile(fb.DropIn, diagnose.FirstBootDropIn, diagnose.FirstBootWants())
	slices.Sort(b.firstBootBecause)
	for i := range b.plan.Files[before:] {
		b.plan.Files[before+i].Because = append(b.plan.Files[before+i].Because, slices.Compact(b.firstBootBecause)...)
	}
	if len(b.plan.Files) > before {
		b.plan.Notes = append(b.plan.Notes, "No key is made in this tree, since all machines made from it would share it: "+
			diagnose.FirstBootUnit+" makes one on each machine, with its own names, at its first boot.")
	}
}

// renewArgs repeats what was stated about the new pair, as flags of cert renew.
func (b *builder) renewArgs() []string {
	var args []string
	r := b.pol.Request
	for _, n := range r.DNSNames {
		args = append(args, "--name "+n)
	}
	for _, a := range r.Addrs {
		args = append(args, "--name "+a.String())
	}
	if r.Key != "" && r.Key != certs.RSA2048 {
		args = append(args, "--key "+string(r.Key))
	}
	if r.Lifetime != 0 && r.Lifetime != certs.DefaultLifetime {
		args = append(args, fmt.Sprintf("--days %d", r.Lifetime/(24*time.Hour)))
	}
	return args
}

// afterFirstBoot leaves a new pair to a human, on the machine that will own it.
func (b *builder) afterFirstBoot(because []diagnose.Code, why string) {
	remedy := "A key is never made into an image, since all machines made from it would share it, and " + why +
		". Install xrdpfix in the tree and plan again, or make the key on the machine, after its first boot."
	for _, x := range b.found {
		if slices.Contains(because, x.Code) && !b.left(x.Code) {
			x.Remedy, x.Commands = remedy, []string{"xrdpfix apply"}
			b.manual(x)
			b.plan.Manual[len(b.plan.Manual)-1].FirstBoot = true
		}
	}
	if len(because) == 0 && !slices.ContainsFunc(b.plan.Manual, func(m Manual) bool { return strings.HasSuffix(m.Text, remedy) }) {
		b.plan.Manual = append(b.plan.Manual, Manual{
			Because: diagnose.FirstBootPending, Severity: diagnose.Error,
			Text: remedy, Commands: []string{"xrdpfix cert renew"}, FirstBoot: true,
		})
	}
}

func (b *builder) left(code diagnose.Code) bool {
	return slices.ContainsFunc(b.plan.Manual, func(m Manual) bool { return m.Because == code })
}

// dropFirstBoot takes the unit of the first boot away with the change that it was
// there for. It comes last: until then a kill leaves it to try again.
func (b *builder) dropFirstBoot() {
	fb := b.f.FirstBoot
	if b.f.Offline || !fb.Ok() || b.plan.Identity == nil {
		return
	}
	b.dropFile(fb.Value.DropIn)
	b.dropFile(fb.Value.Unit)
}
