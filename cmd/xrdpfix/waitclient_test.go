package main

import (
	"strings"
	"testing"
	"time"
)

// TestWaitEndsAsItEnded: a wait that was interrupted does not claim the whole time.
func TestWaitEndsAsItEnded(t *testing.T) {
	for want, doc := range map[string]waitDoc{
		"No client connected within 5m, as far as /var/log/xrdp.log tells (exit 3).":                  {},
		"Interrupted: no client connected until then, as far as /var/log/xrdp.log tells (exit 3).":    {Interrupted: true},
		"(2 connections hung up without asking for anything) (exit 3). What was changed stays.  Next": {HungUp: 2},
	} {
		var p page
		a := &app{quit: exit{3, reasonNoClient}}
		a.showWaited(&p, &clientWait{within: 5 * time.Minute}, doc, "/var/log/xrdp.log")
		if text := strings.Join(strings.Fields(p.b.String()), " "); !strings.Contains(text, strings.Join(strings.Fields(want), " ")) {
			t.Errorf("%+v:\n%s\nwant %s", doc, p.b.String(), want)
		}
		for _, bad := range textManners(p.b.String()) {
			t.Error(bad)
		}
	}
}
