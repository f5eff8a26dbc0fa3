package service

import (
	"fmt"
	"os"
	"path"
	"strings"

	"github.com/coreos/go-systemd/v22/journal"
)

// Priority is a level of syslog(3), as the journal has it.
type Priority int

// The priorities that are used.
const (
	PriorityError   = Priority(journal.PriErr)
	PriorityWarning = Priority(journal.PriWarning)
	PriorityNotice  = Priority(journal.PriNotice)
	PriorityInfo    = Priority(journal.PriInfo)
)

// Journaled reports whether this process runs from a unit whose standard error is
// the journal (JOURNAL_STREAM, systemd.exec(5)): then fields can be recorded there,
// and nobody reads a terminal.
func Journaled() bool {
	is, err := journal.StderrIsJournalStream()
	return is && err == nil
}

// Record sends an entry with fields over the journal's own protocol
// (systemd.io/JOURNAL_NATIVE_PROTOCOL). The name of a field is in capitals; values
// may hold anything, line breaks too, and an empty one is left out.
func Record(message string, priority Priority, fields map[string]string) error {
	sent := map[string]string{}
	for name, value := range fields {
		if value != "" {
			sent[name] = strings.ToValidUTF8(value, "?")
		}
	}
	if unit := ownUnit(); unit != "" {
		sent["OBJECT_SYSTEMD_UNIT"] = unit
	}
	if err := journal.Send(strings.ToValidUTF8(message, "?"), journal.Priority(priority), sent); err != nil {
		return fmt.Errorf("write to the journal: %w", err)
	}
	return nil
}

// ownUnit is the service that this process belongs to, "" for none. The journal
// looks a sender's unit up by its process, which may have ended by the time that
// the entry is read; journalctl -u also finds what root says of a unit in
// OBJECT_SYSTEMD_UNIT (add_matches_for_unit of systemd's logs-show.c).
func ownUnit() string {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return ""
	}
	return unitOf(string(text))
}

// unitOf reads cgroup(7)'s /proc/PID/cgroup: lines of "hierarchy:controllers:path",
// of which that of the unified hierarchy, or of name=systemd, has the unit.
func unitOf(cgroups string) string {
	for line := range strings.Lines(cgroups) {
		at := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(at) == 3 && (at[1] == "" || at[1] == "name=systemd") && strings.HasSuffix(at[2], ".service") {
			return path.Base(at[2])
		}
	}
	return ""
}
