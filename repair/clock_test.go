package repair

import (
	"testing"
	"time"

	"xrdpfix/diagnose"
)

// TestClock: with a clock that cannot be right, no certificate is made and no
// deadline is set; what has nothing to do with time is mended.
func TestClock(t *testing.T) {
	old := func(f *diagnose.Facts) {
		f.Built, f.Taken = f.Taken.Add(-time.Hour), time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	window := &Deadline{Window: 10 * time.Minute}
	layer := ini("security_layer=negotiate", "security_layer=rdp")
	for _, tt := range []struct {
		name    string
		plant   func(*testing.T, *machine)
		pol     Policy
		refused string
	}{
		{"nothing is due", nil, Policy{}, ""},
		{"the layer", layer, Policy{}, ""},
		{"the layer, for a while", layer, Policy{Deadline: window}, "clock"},
		{"a new pair", nil, Policy{Cert: CertRenew}, "clock"},
		{"a new pair alone", nil, Policy{Cert: CertRenew, CertOnly: true}, "clock"},
	} {
		for _, late := range []bool{false, true} {
			m := stock(t)
			if tt.plant != nil {
				tt.plant(t, m)
			}
			if late {
				m.adjust = old
			}
			p := m.plan(t, tt.pol)
			refused := ""
			if p.Refusal != nil {
				refused = p.Refusal.Reason
			}
			if want := tt.refused; late && refused != want || !late && refused != "" {
				t.Errorf("%s, the clock in 2020: %t: refused %q\n%s", tt.name, late, refused, planText(p))
			}
			if late && tt.pol.Cert != CertRenew && p.Identity != nil {
				t.Errorf("%s: a pair is replaced by the wrong clock\n%s", tt.name, planText(p))
			}
		}
	}
}
