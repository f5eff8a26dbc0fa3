package service

import (
	"errors"
	"fmt"

	"github.com/godbus/dbus/v5"
)

// The errors that callers branch on; they come wrapped.
var (
	// ErrNoSystemd: the system was not booted with systemd, as in most
	// containers.
	ErrNoSystemd = errors.New("systemd is not running")
	// ErrUnreachable: systemd runs, but no bus leads to it.
	ErrUnreachable = errors.New("systemd cannot be reached over D-Bus")
	// ErrNotFound: there is no unit of that name to start or stop.
	ErrNotFound = errors.New("unit not found")
	// ErrMasked: the unit was masked by an administrator and cannot be started.
	ErrMasked = errors.New("unit is masked")
	// ErrNotAuthorized: the caller may look but not act.
	ErrNotAuthorized = errors.New("not authorized")
)

// JobError is a job that ended otherwise than done.
type JobError struct {
	Unit string
	Verb string // start, stop or restart
	// Result is systemd's word: "failed" (the unit did not start), "timeout",
	// "canceled" (another job took its place), "dependency" (a unit that it needs
	// failed), "skipped", "assert" and others of org.freedesktop.systemd1(5).
	Result string
}

func (e *JobError) Error() string {
	return fmt.Sprintf("%s %s: the job ended as %q", e.Verb, e.Unit, e.Result)
}

// sentinels maps the D-Bus errors of systemd (src/libsystemd/sd-bus and
// src/core/dbus-manager.c) and of polkit to ours.
var sentinels = map[string]error{
	"org.freedesktop.systemd1.NoSuchUnit":                         ErrNotFound,
	"org.freedesktop.systemd1.UnitMasked":                         ErrMasked,
	"org.freedesktop.DBus.Error.AccessDenied":                     ErrNotAuthorized,
	"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired": ErrNotAuthorized,
	"org.freedesktop.PolicyKit1.Error.NotAuthorized":              ErrNotAuthorized,
}

// classify adds the sentinel that belongs to a D-Bus error, keeping its text.
func classify(err error) error {
	var pointer *dbus.Error
	var value dbus.Error
	switch {
	case errors.As(err, &pointer):
		value = *pointer
	case !errors.As(err, &value):
		return err
	}
	if sentinel, ok := sentinels[value.Name]; ok {
		return fmt.Errorf("%w: %w", sentinel, err)
	}
	return err
}
