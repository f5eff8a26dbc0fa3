package clientele

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"xrdpfix/diagnose"
	"xrdpfix/xrdpconf"
)

var start = time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)

// day is so many days after start.
func day(n int) time.Time { return start.AddDate(0, 0, n) }

func tls(name, version string, first, last, passed int) diagnose.Way {
	return diagnose.Way{Name: name, TLS: version, Asked: "SSL|HYBRID", Count: 1 + last - first, First: day(first), Last: day(last), Passed: passed}
}

func classic(name, asked string, first, last int) diagnose.Way {
	return diagnose.Way{Name: name, Asked: asked, Count: 1 + last - first, First: day(first), Last: day(last)}
}

func came(addr string, ways ...diagnose.Way) diagnose.ClientSeen {
	return diagnose.ClientSeen{Addr: addr, Ways: ways}
}

func failed(addr string, cause diagnose.Code, ways ...diagnose.Way) diagnose.ClientSeen {
	return diagnose.ClientSeen{Addr: addr, Ways: ways, Failures: []diagnose.ClientFailure{{Time: day(20), Cause: cause}}}
}

func policy(lo, hi xrdpconf.TLSVersion, classic bool) Policy {
	return Policy{Range: xrdpconf.Range{Min: lo, Max: hi}, Classic: classic}
}

var (
	modern       = policy(xrdpconf.TLS13, xrdpconf.TLS13, true)
	modernOnly   = policy(xrdpconf.TLS13, xrdpconf.TLS13, false)
	intermediate = policy(xrdpconf.TLS12, xrdpconf.TLS13, true)
	tlsOnly      = policy(xrdpconf.TLS12, xrdpconf.TLS13, false)
	legacy       = policy(xrdpconf.TLS10, xrdpconf.TLS13, true)
	old          = policy(xrdpconf.TLS10, xrdpconf.TLS12, true)
	noTLS        = Policy{Classic: true}
)

func TestJudge(t *testing.T) {
	tests := []struct {
		name       string
		seen       diagnose.ClientSeen
		now, after Policy
		settled    int // day since which xrdp.ini stands; -1: not known
		want       string
	}{
		{"TLS 1.3 stays", came("a", tls("PC", "TLSv1.3", 1, 9, 0)), intermediate, modern, -1, "keep served PC 1.3 x9"},
		{"TLS 1.2 stays on offer", came("a", tls("PC", "TLSv1.2", 1, 9, 0)), intermediate, intermediate, -1, "keep served PC 1.2 x9"},
		{"TLS 1.2 taken while 1.3 was on offer", came("a", tls("PC", "TLSv1.2", 1, 9, 2)), intermediate, modern, -1, "lose tls-too-old PC 1.2 x9"},
		{"TLS 1.2 taken, nothing known of 1.3", came("a", tls("PC", "TLSv1.2", 1, 9, 0)), intermediate, modern, -1, "unknown never-offered PC 1.2 x9"},
		{"TLS 1.2 taken since xrdp.ini stands as it does", came("a", tls("PC", "TLSv1.2", 1, 9, 0)), intermediate, modern, 9, "lose tls-too-old PC 1.2 x9"},
		{"TLS 1.2 taken before xrdp.ini was changed", came("a", tls("PC", "TLSv1.2", 1, 9, 0)), intermediate, modern, 10, "unknown never-offered PC 1.2 x9"},
		{"TLS 1.2 taken, and the wire has no 1.3", came("a", tls("PC", "TLSv1.2", 1, 9, 0)), old, modern, 0, "unknown never-offered PC 1.2 x9"},
		{"TLS 1.0 with 1.2 on offer, 1.2 demanded", came("a", tls("PC", "TLSv1", 1, 9, 0)), old, tlsOnly, 0, "lose tls-too-old PC 1.0 x9"},
		{"updated since", came("a", tls("PC", "TLSv1.3", 6, 9, 0), tls("PC", "TLSv1.2", 1, 5, 5)), intermediate, modern, -1, "keep served PC 1.3 x4"},
		{"went back since", came("a", tls("PC", "TLSv1.2", 6, 9, 1), tls("PC", "TLSv1.3", 1, 5, 0)), intermediate, modern, -1, "lose tls-too-old PC 1.2 x4 mixed"},
		{"two programs of one machine", came("a", tls("PC", "TLSv1.2", 1, 9, 9), tls("PC", "TLSv1.3", 2, 8, 0)), intermediate, modern, -1, "lose tls-too-old PC 1.2 x9 mixed"},
		{"two machines behind one address", came("a", tls("OLD", "TLSv1.2", 1, 9, 9), tls("NEW", "TLSv1.3", 2, 8, 0)), intermediate, modern, -1, "keep served NEW 1.3 x7, lose tls-too-old OLD 1.2 x9"},
		{"the same asked otherwise", came("a", tls("PC", "TLSv1.3", 1, 4, 0), diagnose.Way{Name: "PC", TLS: "TLSv1.3", Asked: "SSL", Count: 3, First: day(2), Last: day(7)}), intermediate, modern, -1, "keep served PC 1.3 x7"},
		{"TLS 1.3 where it ends", came("a", tls("PC", "TLSv1.3", 1, 9, 0)), intermediate, old, -1, "unknown above-range PC 1.3 x9"},
		{"TLS where it ends altogether", came("a", tls("PC", "TLSv1.3", 1, 9, 0)), intermediate, noTLS, -1, "unknown no-tls-left PC 1.3 x9"},
		{"no TLS, none asked, let in", came("a", classic("K", "RDP", 1, 9)), intermediate, modern, -1, "keep classic-served K - x9"},
		{"no TLS, none asked, TLS demanded", came("a", classic("K", "RDP", 1, 9)), intermediate, tlsOnly, -1, "lose classic-only K - x9"},
		{"no TLS, but asked for it", came("a", classic("K", "SSL|HYBRID", 1, 9)), noTLS, intermediate, -1, "gain gains-tls K - x9"},
		{"no TLS, asked for it, TLS demanded", came("a", classic("K", "SSL", 1, 9)), noTLS, tlsOnly, -1, "gain gains-tls K - x9"},
		{"no TLS, asked for it, still none", came("a", classic("K", "SSL", 1, 9)), noTLS, noTLS, -1, "keep classic-served K - x9"},
		{"no TLS, what it asked is not known", came("a", classic("K", "", 1, 9)), intermediate, tlsOnly, -1, "unknown asked-unknown K - x9"},
		{"no TLS up to the repair, TLS since", came("a", tls("K", "TLSv1.3", 5, 9, 0), classic("K", "SSL", 1, 4)), intermediate, modernOnly, -1, "keep served K 1.3 x5"},
		{"never came in, its own fault", failed("a", diagnose.ClientTooOld), intermediate, modern, -1, "refused fails  - x1"},
		{"never came in, ours, mended", failed("a", diagnose.KeyUnreadable), noTLS, intermediate, -1, "gain gains-access  - x1"},
		{"never came in, too old, and the range widens", failed("a", diagnose.ClientTooOld), intermediate, legacy, -1, "unknown wider-range  - x1"},
		{"never came in, no TLS, and that is allowed", failed("a", diagnose.ClientClassicOnly), tlsOnly, intermediate, -1, "gain gains-access  - x1"},
		{"comes in, and failed since", failed("a", diagnose.ClientTooOld, tls("PC", "TLSv1.3", 1, 9, 0)), intermediate, modern, -1, "keep served PC 1.3 x9"},
		{"comes in, and failed since by our fault", failed("a", diagnose.KeyUnreadable, tls("PC", "TLSv1.3", 1, 9, 0)), noTLS, intermediate, -1, "keep served PC 1.3 x9, gain gains-access  - x1"},
		{"a version that nobody knows", came("a", tls("PC", "unknown", 1, 9, 0)), intermediate, modern, -1, "unknown never-offered PC - x9"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := Situation{Now: tt.now, After: tt.after, Mends: func(c diagnose.Code) bool { return c == diagnose.KeyUnreadable }}
			if tt.settled >= 0 {
				s.Settled = day(tt.settled)
			}
			var got []string
			for _, c := range Judge(diagnose.Recent{ByClient: []diagnose.ClientSeen{tt.seen}}, s) {
				version := "-"
				if c.TLS != 0 {
					version = c.TLS.Number()
				}
				text := fmt.Sprintf("%s %s %s %s x%d", c.Fate, c.Why, c.Name, version, c.Count)
				if c.Mixed {
					text += " mixed"
				}
				got = append(got, text)
			}
			if text := strings.Join(got, ", "); text != tt.want {
				t.Errorf("got  %s\nwant %s", text, tt.want)
			}
		})
	}
}

func TestStrictest(t *testing.T) {
	pc := came("192.0.2.1", tls("PC", "TLSv1.3", 1, 9, 0))
	lab := came("192.0.2.14", tls("LAB", "TLSv1.2", 1, 9, 3))
	lab2 := came("192.0.2.15", tls("LAB2", "TLSv1.2", 1, 9, 3))
	thin := came("192.0.2.50", tls("THIN", "TLSv1", 1, 9, 3))
	kiosk := came("192.0.2.99", classic("K", "RDP", 1, 9))
	asks := came("192.0.2.70", classic("A", "SSL", 1, 9))
	mystery := came("192.0.2.71", tls("M", "TLSv1.2", 1, 9, 0))
	scan := failed("203.0.113.9", diagnose.ClientTooOld)
	tests := []struct {
		name  string
		seen  []diagnose.ClientSeen
		now   Policy
		after Policy
		want  []string // flags: who is in the way
	}{
		{"everybody is modern", []diagnose.ClientSeen{pc}, intermediate, intermediate,
			[]string{"--profile modern --security-layer tls"}},
		{"as in the manual", []diagnose.ClientSeen{pc, lab, lab2, kiosk, scan}, intermediate, modernOnly, []string{
			"--profile intermediate --security-layer negotiate",
			"--profile intermediate --security-layer tls: 192.0.2.99",
			"--profile modern --security-layer negotiate: 192.0.2.14 192.0.2.15"}},
		{"a thin client", []diagnose.ClientSeen{pc, thin}, legacy, modern, []string{
			"--profile legacy --security-layer tls",
			"--profile intermediate --security-layer tls: 192.0.2.50"}},
		{"one of which nothing is known", []diagnose.ClientSeen{pc, mystery}, intermediate, modern, []string{
			"--profile intermediate --security-layer tls",
			"--profile modern --security-layer tls: 192.0.2.71"}},
		{"one that was never given TLS", []diagnose.ClientSeen{pc, asks}, noTLS, intermediate, []string{
			"--profile intermediate --security-layer tls",
			"--profile modern --security-layer tls: 192.0.2.70"}},
		{"a server without TLS 1.3", []diagnose.ClientSeen{lab}, old, old,
			[]string{"--profile intermediate --security-layer tls"}},
		{"nobody came with TLS", []diagnose.ClientSeen{asks, scan, kiosk}, noTLS, intermediate, nil},
		{"nobody", nil, intermediate, modern, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sure, next, ok := Strictest(diagnose.Recent{ByClient: tt.seen}, Situation{Now: tt.now, After: tt.after})
			var got []string
			if ok {
				got = append(got, sure.Policy.Flags())
			}
			for _, a := range next {
				text := a.Policy.Flags() + ":"
				for _, c := range a.First {
					text += " " + c.Addr
				}
				got = append(got, text)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// TestStrictestLosesNobody: whatever is named as losing nobody loses nobody by
// the judgement that plan shows, and each next step loses exactly those named.
func TestStrictestLosesNobody(t *testing.T) {
	versions := []string{"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"}
	for n := range 1 << 12 {
		var seen []diagnose.ClientSeen
		for i, v := range versions {
			bits := n >> (3 * i) & 7
			if bits&1 != 0 {
				passed := bits >> 1 & 1
				seen = append(seen, came(fmt.Sprintf("192.0.2.%d", i), tls("N", v, 1, 9, passed)))
			}
			if bits&4 != 0 {
				seen = append(seen, came(fmt.Sprintf("192.0.2.%d", 10+i), classic("N", []string{"RDP", "SSL", "", "RDP"}[i], 1, 9)))
			}
		}
		recent := diagnose.Recent{ByClient: seen}
		s := Situation{Now: legacy, After: legacy}
		sure, next, ok := Strictest(recent, s)
		if !ok {
			continue
		}
		lost := func(p Policy) (lose int) {
			for _, c := range Judge(recent, Situation{Now: legacy, After: p}) {
				if c.Fate == Lose {
					lose++
				}
			}
			return lose
		}
		if n := lost(sure.Policy); n != 0 {
			t.Fatalf("%s loses %d of %+v", sure.Policy.Flags(), n, seen)
		}
		for _, a := range next {
			if n := lost(a.Policy); n > len(a.First) || len(a.First) == 0 {
				t.Fatalf("%s loses %d of %+v, named are %d", a.Policy.Flags(), n, seen, len(a.First))
			}
		}
	}
}
