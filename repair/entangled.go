package repair

import (
	"errors"
	"fmt"

	"xrdpfix/diagnose"
	"xrdpfix/xrdpconf"
)

// entangled leaves the whole change to a human where no line of a file can be edited
// without another one changing its meaning: a plan that does half of it is none. It
// reports whether that was the error.
func (b *builder) entangled(fact diagnose.FileFact, err error) bool {
	var effect *xrdpconf.EffectError
	if !errors.As(err, &effect) {
		return false
	}
	m := Manual{Because: diagnose.IniKeyIgnored, Severity: diagnose.Error}
	other := fmt.Sprintf("%s in [%s]", effect.Key, effect.Section)
	switch {
	case errors.Is(err, xrdpconf.ErrCrossRead):
		m.Text = fmt.Sprintf("Edited, %s would mean one thing to xrdp and another to other readers, at %s. Change it by hand.", fact.Path, other)
	case len(fact.Bytes()) > xrdpconf.ReadLimit:
		m.Because = diagnose.IniCutShort
		m.Text = fmt.Sprintf("%s is longer than the 32 KiB that xrdp reads. Any change would move their end, and with it what xrdp reads of %s. Take comments or unused sections out until the file is shorter.", fact.Path, other)
		m.Commands = []string{"xrdpfix apply"}
	default:
		m.Text = fmt.Sprintf("An edit of %s would change %s as well. Change it by hand.", fact.Path, other)
	}
	b.plan.Identity, b.plan.Files = nil, []FileChange{}
	b.plan.Manual = append(b.plan.Manual, m)
	return true
}
