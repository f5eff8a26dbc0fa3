package service

import (
	"context"
	"fmt"
	"os"

	"github.com/coreos/go-systemd/v22/dbus"
)

// bus is what is used of go-systemd's connection, so that tests can stand in.
type bus interface {
	GetAllPropertiesContext(ctx context.Context, unit string) (map[string]any, error)
	ReloadContext(ctx context.Context) error
	ResetFailedUnitContext(ctx context.Context, name string) error
	StartUnitContext(ctx context.Context, name, mode string, ch chan<- string) (int, error)
	StopUnitContext(ctx context.Context, name, mode string, ch chan<- string) (int, error)
	RestartUnitContext(ctx context.Context, name, mode string, ch chan<- string) (int, error)
	Close()
}

// Conn is a connection to the system's service manager. It may be used by
// several goroutines.
type Conn struct {
	bus    bus
	cancel context.CancelFunc
}

// Open connects to systemd: root over systemd's own socket, as systemctl does,
// which works without a message bus; others, and root where that socket is
// missing, over the system bus. ctx bounds the connecting only. The errors are
// ErrNoSystemd and ErrUnreachable. The caller closes the connection.
func Open(ctx context.Context) (*Conn, error) {
	// The test of sd_booted(3).
	if st, err := os.Lstat("/run/systemd/system"); err != nil || !st.IsDir() {
		return nil, ErrNoSystemd
	}
	// The context that go-systemd takes closes the connection when it ends, so
	// it must live as long as the connection and no longer.
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	type answer struct {
		bus *dbus.Conn
		err error
	}
	done := make(chan answer, 1)
	go func() {
		b, err := connect(life)
		done <- answer{b, err}
	}()
	select {
	case a := <-done:
		if a.err != nil {
			cancel()
			return nil, fmt.Errorf("%w: %w", ErrUnreachable, a.err)
		}
		return &Conn{bus: a.bus, cancel: cancel}, nil
	case <-ctx.Done():
		// Ending the life of a half-made connection wakes the goroutine, which
		// may have succeeded in the same moment.
		cancel()
		if a := <-done; a.err == nil {
			a.bus.Close()
		}
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, context.Cause(ctx))
	}
}

func connect(life context.Context) (*dbus.Conn, error) {
	if os.Geteuid() == 0 {
		if b, err := dbus.NewSystemdConnectionContext(life); err == nil {
			return b, nil
		}
	}
	return dbus.NewSystemConnectionContext(life)
}

// Close ends the connection. Jobs that were started go on.
func (c *Conn) Close() {
	c.bus.Close()
	c.cancel()
}
