package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// A display is an X server on the machine that draws nowhere.
type display struct {
	xvfb *child
	name string // value for DISPLAY
}

// firstDisplay is above every display number that a host's sessions take (xrdp
// counts from 10, sesman.ini X11DisplayOffset). A client in a host's network
// namespace finds the abstract sockets there first: with a number that the host
// has too it would draw on a user's desktop instead.
const firstDisplay = 1000

// newDisplay starts an X server that dies with this process. Numbers that other
// processes have taken are passed over. One display starts or ends at a time on
// the machine: with -displayfd an X server makes no lock file, and one that ends
// removes its socket by its name, which can be the next one's by then; that one's
// clients find no socket.
func newDisplay(ctx context.Context) (*display, error) {
	unlock, err := lock(ctx, displaysLock())
	if err != nil {
		return nil, fmt.Errorf("start an X display: %w", err)
	}
	defer unlock()
	n := firstDisplay + os.Getpid()%50000
	for range 20 {
		d, err := tryDisplay(ctx, n)
		if err == nil {
			return d, nil
		}
		if ctx.Err() != nil || !errors.Is(err, errNoDisplay) {
			return nil, err
		}
		n++
	}
	return nil, fmt.Errorf("start an X display: none of 20 numbers up to :%d is free", n)
}

var errNoDisplay = errors.New("the X server ended")

func tryDisplay(ctx context.Context, n int) (*display, error) {
	ready, report, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start an X display: %w", err)
	}
	defer ready.Close() //nolint:errcheck // read end of a pipe
	cmd := exec.Command("Xvfb", ":"+strconv.Itoa(n), "-displayfd", "3", "-screen", "0", "1280x1024x24", "-nolisten", "tcp", "-noreset")
	cmd.ExtraFiles = []*os.File{report}
	c, err := spawn(cmd, true)
	_ = report.Close()
	if err != nil {
		return nil, fmt.Errorf("start an X display: %w", err)
	}
	deadline := time.Now().Add(2 * time.Minute)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	_ = ready.SetReadDeadline(deadline)
	// Read to the end: Xvfb writes twice, and gives up if nobody reads the second.
	if text, err := io.ReadAll(ready); len(text) == 0 || err != nil {
		c.kill()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, fmt.Errorf("start an X display: %w", err)
		}
		return nil, errNoDisplay // the number is taken
	}
	return &display{xvfb: c, name: ":" + strconv.Itoa(n)}, nil
}

// close asks the X server to end; it takes its socket away itself.
// What a server leaves that has to be killed, the next one of its number takes
// over.
func (d *display) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if unlock, err := lock(ctx, displaysLock()); err == nil {
		defer unlock()
	}
	d.xvfb.terminate(30 * time.Second)
}

// screen returns the X display on which the host's clients draw; it lives until
// Stop.
func (h *Host) screen(ctx context.Context) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.display == nil {
		d, err := newDisplay(ctx)
		if err != nil {
			return "", err
		}
		h.display = d
	}
	return h.display.name, nil
}
