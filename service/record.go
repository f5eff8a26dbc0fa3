package service

import (
	"fmt"
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
	if err := journal.Send(strings.ToValidUTF8(message, "?"), journal.Priority(priority), sent); err != nil {
		return fmt.Errorf("write to the journal: %w", err)
	}
	return nil
}
