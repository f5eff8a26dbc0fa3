package main

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"xrdpfix/service"
)

// TestEntries: what a unit leaves in the journal.
func TestEntries(t *testing.T) {
	a := &app{now: func() time.Time { return time.Unix(0, 0) }, quit: exit{3, reasonFindings}}
	l := readLook(t, "bookworm-stock", plain)
	doc := a.document("check", l)
	list := entries(l, doc)
	if len(list) < 2 {
		t.Fatalf("%d entries", len(list))
	}
	first, last := list[0], list[len(list)-1]
	if first.priority != service.PriorityError || first.fields["XRDPFIX_CODE"] != "key-unreadable" || first.fields["XRDPFIX_SEVERITY"] != "error" || !strings.HasPrefix(first.message, "key-unreadable: ") {
		t.Errorf("the first entry: %+v", first)
	}
	if last.fields["XRDPFIX_EXIT_CODE"] != "3" || last.fields["XRDPFIX_EXIT_REASON"] != "findings" || last.fields["XRDPFIX_CHANGED"] != "false" ||
		schemaError([]byte(last.fields["XRDPFIX_JSON"])) != nil || !strings.HasPrefix(last.message, "check: BROKEN: ") {
		t.Errorf("the last entry: %+v", last)
	}
	for _, e := range list {
		if strings.Contains(e.message, "\n") || e.fields["XRDPFIX_COMMAND"] != "check" || e.fields["XRDPFIX_VERSION"] == "" {
			t.Errorf("entry: %+v", e)
		}
	}

	doc = a.document("cert renew", nil)
	doc.Exit, doc.Error = exit{6, reasonLocked}, &errorDoc{Message: errors.New("held\nby \x1b[31manother").Error()}
	list = entries(nil, doc)
	if len(list) != 1 || list[0].priority != service.PriorityWarning || list[0].message != "cert renew: held by ?[31manother (exit 6)" {
		t.Errorf("an error: %+v", list)
	}
	doc = a.document("cert renew", readLook(t, "bookworm-fixed", plain))
	doc.Exit, doc.Changed, doc.Findings = exit{0, reasonApplied}, true, nil
	list = entries(nil, doc)
	if i := slices.IndexFunc(list, func(e entry) bool { return e.priority == service.PriorityNotice }); i != 0 || !strings.Contains(list[0].message, "changed, and proven") {
		t.Errorf("a change: %+v", list)
	}
	if service.Journaled() {
		t.Error("a test is no unit")
	}
}
