package repair

import (
	"fmt"
	"slices"
	"strings"

	"xrdpfix/diagnose"
)

// stopsStart are faults left to a human with which xrdp does not start.
var stopsStart = []diagnose.Code{diagnose.LogUnwritable, diagnose.IniUnreadable}

// stopsTLS are faults of a pair with which no client gets TLS. They are left to a
// human where a CA issued the pair, or where --cert keep says so.
var stopsTLS = []diagnose.Code{
	diagnose.KeyMissing, diagnose.KeyUnreadable, diagnose.KeyInvalid, diagnose.KeyUnsupported,
	diagnose.CertMissing, diagnose.CertUnreadable, diagnose.CertKeyMismatch, diagnose.CertPathMissing,
}

// blocked refuses a change that could not be proven because of a fault that is
// left to a human or has to be stated: it would be made, tried and put back.
func (b *builder) blocked() {
	if b.plan.Empty() || b.f.Offline || b.plan.Refusal != nil {
		return
	}
	starts := b.plan.Unit.Action != ActionNone && b.plan.Unit.Needed
	if starts && b.f.SesmanIniMissing() {
		why := diagnose.SesmanPath + " does not exist, and xrdp-sesman does not start without it."
		if b.needsSesman() {
			b.refuseFor("xrdp cannot start", why, b.f.Host.RestoreCommand())
			return
		}
		if !slices.ContainsFunc(b.plan.Manual, func(m Manual) bool { return m.Because == diagnose.SesmanUnreachable }) {
			b.plan.Manual = append(b.plan.Manual, Manual{Because: diagnose.SesmanUnreachable, Severity: diagnose.Error, Text: why + " Nobody can log in.", Commands: commandsOf(b.f.Host.RestoreCommand())})
		}
	}
	level, where := b.levelAfter()
	if id := b.plan.Identity; id != nil && !id.Copy && id.Install == nil && level > diagnose.StrongestOwn && b.f.Wire.Value.Full.TLS == nil {
		b.refuseFor("nobody could connect afterwards either", fmt.Sprintf("@SECLEVEL=%d of %s takes no key that xrdpfix makes: lower it there.", level, where))
		return
	}
	for _, m := range b.plan.Manual {
		switch {
		case starts && !b.f.Daemon.Running.Ok() && slices.Contains(stopsStart, m.Because):
			// Of one that runs, our own sandbox may see its log as read-only.
			b.refuseFor("xrdp cannot start", m.Text, m.Commands...)
		case m.Because == diagnose.IniUnreadable:
			b.refuseFor("xrdp would not read it", m.Text, m.Commands...)
		case m.Because == diagnose.TLSRangeBlocked,
			b.plan.Identity == nil && slices.Contains(stopsTLS, m.Because),
			b.plan.Identity == nil && m.Because == diagnose.TLSFails && !b.stated:
			b.refuseFor("nobody could connect afterwards either", m.Text, m.Commands...)
		default:
			continue
		}
		return
	}
}

func (b *builder) refuseFor(what, why string, commands ...string) {
	b.plan.Refusal = &Refusal{Reason: "blocked", Text: what + ", so a change could not be proven: " + strings.TrimSuffix(why, "."), Instead: commandsOf(commands...)}
}

// commandsOf leaves out what nobody knows how to do.
func commandsOf(list ...string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(c string) bool { return c == "" })
}

// needsSesman reports whether systemd starts xrdp with xrdp-sesman only.
func (b *builder) needsSesman() bool {
	u, ok := b.f.Units[diagnose.UnitXrdp]
	return ok && slices.Contains(slices.Concat(u.Value.Requires, u.Value.BindsTo), diagnose.UnitSesman)
}
