package diagnose

import (
	"fmt"
	"time"

	"xrdpfix/internal/plaintext"
)

// clockSlack is how far this machine's clock may stand behind a moment that is
// past. A clock in local time that is read as UTC, a build made elsewhere and a
// file copied from there differ by less: zones span 26 hours.
const clockSlack = 26 * time.Hour

// clockBehind gives the latest moment that is past for certain although the
// machine's clock has not reached it, and the file whose change shows that,
// xrdp.ini or sesman.ini, which are root's; "" for the build of xrdpfix. Nobody
// else's files count: their times are what their owner says. ok is false for a
// clock that may be right.
func (f *Facts) clockBehind() (past time.Time, file string, ok bool) {
	past = f.Built
	for _, seen := range []Observed[FileFact]{f.Config, f.Sesman} {
		if x := seen.Value; seen.Ok() && x.Exists && x.UID == 0 && x.MTime.After(past) {
			past, file = x.MTime, x.Path
		}
	}
	return past, file, past.Sub(f.Taken) > clockSlack
}

// ClockText says that the clock is wrong, as the first part of a sentence; "" for
// one that may be right.
func (f *Facts) ClockText() string {
	past, file, ok := f.clockBehind()
	if !ok {
		return ""
	}
	shown := "xrdpfix was built"
	if file != "" {
		shown = file + " was changed"
	}
	day := func(t time.Time) string { return t.UTC().Format("2 Jan 2006") }
	return fmt.Sprintf("the clock of this machine says %s, and %s on %s", day(f.Taken), shown, day(past))
}

// ClockHelp is what to do about a clock that is wrong: to set it, or, where it is
// right, to correct the file that says otherwise.
func (f *Facts) ClockHelp() []string {
	help := []string{"timedatectl set-ntp true"}
	if _, file, ok := f.clockBehind(); ok && file != "" {
		help = append(help, "touch "+plaintext.ShellWord(file))
	}
	return help
}

// byClock is what the dates of a certificate come to while the clock is wrong. A
// certificate made or replaced now would be wrong as soon as the clock is right,
// so that nothing is mended before that.
func byClock(v *view) []Finding {
	c, past := v.Pair.Value.Cert, v.now
	if at, _, _ := v.clockBehind(); at.After(past) {
		past = at
	}
	day := func(t time.Time) string { return t.UTC().Format("2 Jan 2006") }
	var x Finding
	switch {
	case past.After(c.NotAfter):
		x = finding(CertExpired, MendHuman, "The certificate ended on %s, and %s.", day(c.NotAfter), v.ClockText()).
			because(inFile(v.Cert.Path, 0, "notAfter "+c.NotAfter.UTC().Format(time.RFC3339)))
	case v.now.Before(c.NotBefore):
		x = finding(CertNotYetValid, MendHuman, "The certificate begins on %s, and %s.", day(c.NotBefore), v.ClockText()).
			because(inFile(v.Cert.Path, 0, "notBefore "+c.NotBefore.UTC().Format(time.RFC3339)))
	default:
		return nil
	}
	return []Finding{x.remedy("Set the clock, or correct what says otherwise, then look again: xrdpfix check.").commands(v.ClockHelp()...)}
}
