package diagnose

import (
	"strings"
	"testing"
	"time"
)

// behind sets the clock of a healthy machine to a moment that is past.
func behind(at time.Time, change func(f *Facts)) func(*testing.T, *Facts, *Settings) {
	return simple(func(f *Facts) {
		f.Built = taken.AddDate(0, -1, 0)
		f.Taken = at
		f.Config.Value.MTime, f.Sesman.Value.MTime = f.Built, f.Built
		if change != nil {
			change(f)
		}
	})
}

// TestClock: a clock that cannot be right is said, and mends nothing.
func TestClock(t *testing.T) {
	old, never := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), time.Unix(0, 0).UTC()
	raise(t, []fault{
		{"in 2020, the certificate of today", behind(old, nil), []Code{CertNotYetValid}},
		{"in 1970, the certificate of today", behind(never, nil), []Code{CertNotYetValid}},
		{"in 2020, as the certificate was made", behind(old, func(f *Facts) {
			f.Pair.Value.Cert.NotBefore, f.Pair.Value.Cert.NotAfter = old, old.AddDate(0, 0, 825)
		}), []Code{CertExpired}},
		{"in 2020, and the certificate is good for ever", behind(old, func(f *Facts) {
			f.Pair.Value.Cert.NotBefore, f.Pair.Value.Cert.NotAfter = old, old.AddDate(90, 0, 0)
		}), nil},
		{"in 2020, in the last days of the certificate by that clock", behind(old, func(f *Facts) {
			f.Pair.Value.Cert.NotBefore, f.Pair.Value.Cert.NotAfter = old.AddDate(-1, 0, 0), old.AddDate(0, 0, 5)
		}), []Code{CertExpired}},
	})
	for _, tt := range []struct {
		name, says string
		plant      func(f *Facts)
	}{
		{"nothing is known", "", func(f *Facts) { f.Built = time.Time{} }},
		{"the build is a day ahead", "", func(f *Facts) { f.Built = taken.Add(24 * time.Hour) }},
		{"the build is two days ahead", "xrdpfix was built on", func(f *Facts) { f.Built = taken.AddDate(0, 0, 2) }},
		{"xrdp.ini is a day ahead", "", func(f *Facts) { f.Config.Value.MTime = taken.Add(24 * time.Hour) }},
		{"xrdp.ini is two days ahead", "/etc/xrdp/xrdp.ini was changed on", func(f *Facts) { f.Config.Value.MTime = taken.AddDate(0, 0, 2) }},
		{"sesman.ini is two days ahead", "/etc/xrdp/sesman.ini was changed on", func(f *Facts) { f.Sesman.Value.MTime = taken.AddDate(0, 0, 2) }},
		{"somebody else's xrdp.ini is", "", func(f *Facts) { f.Config.Value.MTime, f.Config.Value.UID = taken.AddDate(0, 0, 2), 990 }},
	} {
		f := healthy()
		f.Config.Value.MTime, f.Sesman.Value.MTime = taken.AddDate(0, -1, 0), taken.AddDate(0, -1, 0)
		tt.plant(&f)
		if got := f.ClockText(); tt.says == "" && got != "" || !strings.Contains(got, tt.says) {
			t.Errorf("%s: %q", tt.name, got)
		}
	}
	f, s := healthy(), Settings{}
	behind(old, nil)(t, &f, &s)
	for _, x := range Run(f, s) {
		if x.Mend != MendHuman || !strings.Contains(x.Detail, "the clock of this machine says 1 Jan 2020") || len(x.Commands) != 1 {
			t.Errorf("%+v", x)
		}
	}
}
