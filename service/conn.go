package service

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/coreos/go-systemd/v22/dbus"
	godbus "github.com/godbus/dbus/v5"
)

// Errors that callers tell apart.
var (
	// ErrNoSystemd: systemd is not the init here, or no bus leads to it.
	ErrNoSystemd = errors.New("systemd is not running here")
	// ErrNotAuthorized: the caller may look, but not act.
	ErrNotAuthorized = errors.New("not authorized by systemd")
)

// JobError is a job that ended otherwise than "done".
type JobError struct {
	Unit string
	// Result is systemd's word: "canceled", "timeout", "failed", "dependency", "skipped".
	Result string
}

func (e *JobError) Error() string { return fmt.Sprintf("job for %s: %s", e.Unit, e.Result) }

// Conn is a connection to systemd. Close it after use.
type Conn struct{ bus *dbus.Conn }

// runDir exists exactly where systemd is the init (sd_booted(3)).
const runDir = "/run/systemd/system"

// Open connects. The context bounds nothing but the connecting: a context given
// to the library would also close the connection.
func Open(ctx context.Context) (*Conn, error) {
	if st, err := os.Stat(runDir); err != nil || !st.IsDir() {
		return nil, ErrNoSystemd
	}
	type opened struct {
		bus *dbus.Conn
		err error
	}
	done := make(chan opened, 1)
	go func() {
		bus, err := dbus.NewWithContext(context.WithoutCancel(ctx))
		done <- opened{bus, err}
	}()
	select {
	case o := <-done:
		if o.err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNoSystemd, o.err)
		}
		return &Conn{o.bus}, nil
	case <-ctx.Done():
		go func() {
			if o := <-done; o.bus != nil {
				o.bus.Close()
			}
		}()
		return nil, fmt.Errorf("connect to systemd: %w", ctx.Err())
	}
}

// Close ends the connection.
func (c *Conn) Close() { c.bus.Close() }

// Reload makes systemd read its unit files anew.
func (c *Conn) Reload(ctx context.Context) error {
	return authorized("reload systemd's unit files", c.bus.ReloadContext(ctx))
}

// Start starts a unit and waits for the job; see [JobError].
func (c *Conn) Start(ctx context.Context, unit string) error {
	return c.job(ctx, "start", unit, c.bus.StartUnitContext)
}

// Restart restarts a unit, or starts it, and waits for the job; see [JobError].
// The job being done says nothing about the port.
func (c *Conn) Restart(ctx context.Context, unit string) error {
	return c.job(ctx, "restart", unit, c.bus.RestartUnitContext)
}

// Stop stops a unit and waits for the job; see [JobError].
func (c *Conn) Stop(ctx context.Context, unit string) error {
	return c.job(ctx, "stop", unit, c.bus.StopUnitContext)
}

type starter func(ctx context.Context, name, mode string, ch chan<- string) (int, error)

// job runs one job in mode "replace", which overrides a conflicting job that
// waits. The channel is buffered: an unread result would block the connection.
func (c *Conn) job(ctx context.Context, verb, unit string, start starter) error {
	result := make(chan string, 1)
	if _, err := start(ctx, unit, "replace", result); err != nil {
		return authorized(verb+" "+unit, err)
	}
	select {
	case r := <-result:
		if r != "done" {
			return &JobError{Unit: unit, Result: r}
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s %s: %w", verb, unit, ctx.Err())
	}
}

// authorized wraps an error of the bus; a refusal for want of privilege becomes
// ErrNotAuthorized.
func authorized(what string, err error) error {
	var remote godbus.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &remote):
		switch remote.Name {
		case "org.freedesktop.DBus.Error.AccessDenied", "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
			"org.freedesktop.DBus.Error.AuthFailed":
			return fmt.Errorf("%s: %w", what, ErrNotAuthorized)
		}
	}
	return fmt.Errorf("%s: %w", what, err)
}
