package host

import (
	"fmt"
	"testing"
	"time"

	"xrdpfix/diagnose"
	"xrdpfix/logwatch"
)

// TestPassed: a version counts as passed by only between two proofs that it was
// on offer.
func TestPassed(t *testing.T) {
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	type step struct {
		hour    int
		version string
		name    string // "" for a probe of ours
	}
	tests := []struct {
		name  string
		steps []step
		want  string
	}{
		{"no proof", []step{{0, "TLSv1.2", "PC"}, {1, "TLSv1.2", "PC"}}, "PC TLSv1.2 2 passed 0"},
		{"a proof before only", []step{{0, "TLSv1.3", ""}, {1, "TLSv1.2", "PC"}}, "PC TLSv1.2 1 passed 0"},
		{"a proof after only", []step{{0, "TLSv1.2", "PC"}, {1, "TLSv1.3", ""}}, "PC TLSv1.2 1 passed 0"},
		{"between two", []step{{0, "TLSv1.3", ""}, {1, "TLSv1.2", "PC"}, {2, "TLSv1.2", "PC"}, {3, "TLSv1.3", ""}}, "PC TLSv1.2 2 passed 2"},
		{"between two that lie too far apart", []step{{0, "TLSv1.3", ""}, {1, "TLSv1.2", "PC"}, {27, "TLSv1.3", ""}}, "PC TLSv1.2 1 passed 0"},
		{"once between, once not", []step{{0, "TLSv1.3", ""}, {1, "TLSv1.2", "PC"}, {3, "TLSv1.3", ""}, {20, "TLSv1.2", "PC"}}, "PC TLSv1.2 2 passed 1"},
		{"1.2 is newer than 1.0, and not than itself", []step{{0, "TLSv1.2", "PC"}, {1, "TLSv1", "THIN"}, {2, "TLSv1.2", "PC"}}, "THIN TLSv1 1 passed 1; PC TLSv1.2 2 passed 0"},
		{"nothing is newer than 1.3", []step{{0, "TLSv1.3", "PC"}, {1, "TLSv1.3", "PC"}, {2, "TLSv1.3", "PC"}}, "PC TLSv1.3 3 passed 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWayCounter()
			for _, s := range tt.steps {
				at := start.Add(time.Duration(s.hour) * time.Hour)
				w.offered(s.version, at)
				if s.name == "" {
					continue
				}
				c := logwatch.Connection{ClientName: s.name, TLSVersion: s.version, Established: true, Start: at}
				w.add("192.0.2.1", logwatch.Judged{Connection: c, Outcome: logwatch.Outcome{Kind: logwatch.ConnectedTLS}})
			}
			got := ""
			var all []diagnose.Way
			for _, way := range w.ways["192.0.2.1"] {
				all = append(all, way.Way)
			}
			for i := range all {
				way := all[len(all)-1-i]
				if got != "" {
					got += "; "
				}
				got += fmt.Sprintf("%s %s %d passed %d", way.Name, way.TLS, way.Count, way.Passed)
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
