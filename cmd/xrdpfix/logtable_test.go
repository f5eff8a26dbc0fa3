package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestLogTableIsBounded: of a long log the last rows are shown, and the others
// are counted.
func TestLogTableIsBounded(t *testing.T) {
	for _, tt := range []struct{ most, rows, dropped int }{{0, 50, 0}, {10, 9, 0}, {10, 10, 0}, {10, 11, 1}, {10, 57, 47}} {
		table := logTable{most: tt.most}
		for i := range tt.rows {
			table.add(connectionDoc{Client: fmt.Sprintf("192.0.2.%d", i), Time: time.Date(2026, 11, 22, 12, 0, i, 0, time.UTC)}, 1)
			if tt.most > 0 && len(table.rows) > 2*tt.most {
				t.Fatalf("%+v: %d rows are kept", tt, len(table.rows))
			}
		}
		var p page
		table.print(&p, false)
		text := p.b.String()
		if got := strings.Count(text, "192.0.2."); got != tt.rows-tt.dropped {
			t.Errorf("%+v: %d rows shown", tt, got)
		}
		if !strings.Contains(text, fmt.Sprintf("192.0.2.%d ", tt.rows-1)) {
			t.Errorf("%+v: the last one is missing:\n%s", tt, text)
		}
		if got := strings.Contains(text, fmt.Sprintf("... %d earlier ones", tt.dropped)); got != (tt.dropped > 0) {
			t.Errorf("%+v: the others are told: %t", tt, got)
		}
	}
}
