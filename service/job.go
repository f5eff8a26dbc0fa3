package service

import (
	"context"
	"fmt"
)

// Reload makes systemd read its unit files again, as systemctl daemon-reload. It
// returns when that is done. Running services are not touched.
func (c *Conn) Reload(ctx context.Context) error {
	if err := c.bus.ReloadContext(ctx); err != nil {
		return fmt.Errorf("reload systemd: %w", classify(err))
	}
	return nil
}

// Start starts a unit and waits until the job has ended. One that runs already
// is left alone. See Restart for the errors.
func (c *Conn) Start(ctx context.Context, name string) error {
	return c.job(ctx, "start", name, c.bus.StartUnitContext)
}

// Stop stops a unit and waits until the job has ended. See Restart for the errors.
func (c *Conn) Stop(ctx context.Context, name string) error {
	return c.job(ctx, "stop", name, c.bus.StopUnitContext)
}

// Restart restarts a unit, or starts it if it does not run, and waits until the
// job has ended, which takes as long as the unit's own timeouts allow unless ctx
// ends first; the job then goes on. A job that did not end well is a *JobError;
// one that was not even begun is ErrNotFound, ErrMasked or ErrNotAuthorized.
//
// The caller should wait for the port before it stops or restarts xrdp again: a
// 0.10 daemon that gets SIGTERM in the first milliseconds of its life misses it, and
// the job lasts until systemd kills the process, after 90 seconds
// (TimeoutStopSec=; seen on Debian 13 and sid).
func (c *Conn) Restart(ctx context.Context, name string) error {
	return c.job(ctx, "restart", name, c.bus.RestartUnitContext)
}

type jobFunc func(ctx context.Context, name, mode string, ch chan<- string) (int, error)

func (c *Conn) job(ctx context.Context, verb, name string, begin jobFunc) error {
	if verb != "stop" {
		c.forgive(ctx, name)
	}
	// Buffered, because go-systemd's dispatcher stops for good on a result that
	// nobody takes, as when ctx ends.
	result := make(chan string, 1)
	// "replace" is systemctl's default: a queued job that conflicts is dropped.
	if _, err := begin(ctx, name, "replace", result); err != nil {
		return fmt.Errorf("%s %s: %w", verb, name, classify(err))
	}
	select {
	case r := <-result:
		if r != "done" {
			return &JobError{Unit: name, Verb: verb, Result: r}
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s %s: waiting for the job: %w", verb, name, context.Cause(ctx))
	}
}

// forgive resets the start counters of a unit and of what it needs. systemd
// refuses a sixth start within ten seconds (DefaultStartLimitBurst=), which would
// make a restart that follows an administrator's own attempts, or the restart of
// a rollback, fail for no fault of the configuration. Failing here is no harm.
func (c *Conn) forgive(ctx context.Context, name string) {
	names := []string{name}
	if props, err := c.bus.GetAllPropertiesContext(ctx, name); err == nil {
		for _, needed := range append(stringsOf(props, "Requires"), stringsOf(props, "BindsTo")...) {
			if isService(needed) {
				names = append(names, needed)
			}
		}
	}
	for _, n := range names {
		_ = c.bus.ResetFailedUnitContext(ctx, n)
	}
}
