package main

import (
	"testing"
	"time"
)

func TestMoment(t *testing.T) {
	inUTC(t)
	now := time.Date(2026, 11, 22, 15, 30, 0, 0, time.UTC)
	for _, tt := range []struct{ text, want string }{
		{"90m", "2026-11-22T14:00:00Z"},
		{"2d", "2026-11-20T15:30:00Z"},
		{"14:30", "2026-11-22T14:30:00Z"},
		{"today", "2026-11-22T00:00:00Z"},
		{"yesterday", "2026-11-21T00:00:00Z"},
		{"2026-11-20", "2026-11-20T00:00:00Z"},
		{"2026-11-20 08:15", "2026-11-20T08:15:00Z"},
		{"2026-11-20T08:15:07", "2026-11-20T08:15:07Z"},
		{"2026-11-20T08:15:07+01:00", "2026-11-20T07:15:07Z"},
		{"", "error"}, {"tomorrow", "error"}, {"25:00", "error"}, {"2026-02-30", "error"}, {"-1h", "error"},
	} {
		var m moment
		got := "error"
		if err := m.Set(tt.text); err == nil {
			got = m.from(now).UTC().Format(time.RFC3339)
		}
		if got != tt.want {
			t.Errorf("%q: %s, want %s", tt.text, got, tt.want)
		}
	}
	if var0 := (&moment{}).from(now); !var0.IsZero() {
		t.Errorf("nothing given is %v", var0)
	}
}
