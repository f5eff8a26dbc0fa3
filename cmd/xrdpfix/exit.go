package main

import (
	"errors"
	"fmt"
)

// exitCode is one row of the table that help, man pages and README print.
type exitCode struct {
	Code    int
	Meaning string
}

// exitCodes is the single source of the exit codes.
var exitCodes = []exitCode{
	{0, "clients can connect as far as this host can see; nothing is due, or applied and proven"},
	{1, "xrdpfix itself failed"},
	{2, "wrong usage"},
	{3, "findings of severity error, or a change is due (plan)"},
	{4, "applied, not proven, rolled back"},
	{5, "applied, not proven, not rolled back; or put back, and xrdp does not run"},
	{6, "not permitted, locked, or found nothing wrong but could not look everywhere"},
	{7, "refused before touching anything"},
	{130, "interrupted; what had begun was rolled back"},
}

// reason is why a command ended as it did. The list is closed.
type reason string

// The reasons, as exit.reason in JSON.
const (
	reasonOK             reason = "ok"
	reasonNothingToDo    reason = "nothing-to-do"
	reasonApplied        reason = "applied"
	reasonOffline        reason = "offline"
	reasonFindings       reason = "findings"
	reasonChangesDue     reason = "changes-due"
	reasonManual         reason = "manual"
	reasonRolledBack     reason = "rolled-back"
	reasonNotRolledBack  reason = "not-rolled-back"
	reasonXrdpDown       reason = "xrdp-down"
	reasonNotPermitted   reason = "not-permitted"
	reasonLocked         reason = "locked"
	reasonIncomplete     reason = "incomplete"
	reasonLiveDesktops   reason = "live-desktops"
	reasonRestartNever   reason = "restart-never"
	reasonStale          reason = "stale-plan"
	reasonNotReplaceable reason = "not-replaceable"
	reasonFIPS           reason = "fips"
	reasonNoSystemd      reason = "no-systemd"
	reasonBlocked        reason = "blocked"
	reasonWaiting        reason = "waiting"
	reasonPending        reason = "pending"
	reasonClock          reason = "clock"
	reasonExposedKey     reason = "exposed-key"
	reasonConflict       reason = "conflict"
	reasonDamaged        reason = "journal-damaged"
	reasonUntrusted      reason = "journals-untrusted"
	reasonUnreachable    reason = "unreachable"
	reasonNoTLS          reason = "no-tls"
	reasonUnknownText    reason = "unknown-text"
	reasonNoClient       reason = "no-client"
	reasonClientFailed   reason = "client-failed"
	reasonUsage          reason = "usage"
	reasonPolicy         reason = "policy"
	reasonInternal       reason = "internal"
	reasonInterrupted    reason = "interrupted"
)

// exit is how a command ends.
type exit struct {
	Code   int    `json:"code"`
	Reason reason `json:"reason"`
}

// failure is an error with its exit code and hints that can be pasted.
type failure struct {
	exit
	err   error
	hints []string
	// elsewhere: the hints are for another machine than that of --root.
	elsewhere bool
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// fail builds a failure.
func fail(code int, why reason, err error, hints ...string) error {
	return &failure{exit: exit{code, why}, err: err, hints: hints}
}

// usagef is wrong usage.
func usagef(format string, args ...any) error {
	return fail(2, reasonUsage, fmt.Errorf(format, args...))
}

// exitOf maps any error to its exit; what nobody classified is our own fault.
func exitOf(err error) exit {
	var f *failure
	if errors.As(err, &f) {
		return f.exit
	}
	return exit{1, reasonInternal}
}

// exitStatusHelp is the section of every command's help.
func exitStatusHelp() string {
	var p page
	p.linef("Exit status:")
	for _, c := range exitCodes {
		p.block(7, fmt.Sprintf("  %3d", c.Code), c.Meaning)
	}
	return p.b.String()
}
