package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// A Client is a real RDP client of a Debian release. It runs from an image, so
// that a test of one release's client is one on every machine.
type Client struct {
	Name     string // in messages
	Suite    Suite
	Packages []string // what the image has beside a host's packages
	Program  string
}

// The clients that run without a person and without a screen.
var (
	FreeRDP2Client        = Client{Name: "FreeRDP 2", Suite: Bookworm, Packages: bookwormClients, Program: "xfreerdp"}
	FreeRDP3TrixieClient  = Client{Name: "FreeRDP 3 of trixie", Suite: Trixie, Packages: []string{"freerdp3-x11"}, Program: "xfreerdp3"}
	FreeRDP3SidClient     = Client{Name: "FreeRDP 3 of sid", Suite: Sid, Packages: []string{"freerdp3-x11"}, Program: "xfreerdp3"}
	RdesktopClient        = Client{Name: "rdesktop", Suite: Bookworm, Packages: bookwormClients, Program: "rdesktop"}
	RemminaBookwormClient = Client{Name: "Remmina of bookworm", Suite: Bookworm, Packages: bookwormClients, Program: "remmina"}
	KRDCBookwormClient    = Client{Name: "KRDC of bookworm", Suite: Bookworm, Packages: []string{"freerdp2-x11", "krdc", "xdotool"}, Program: "krdc"}
)

// bookwormClients share one image. KRDC has its own: it brings half of KDE, and xdotool, which presses its keys.
var bookwormClients = []string{"freerdp2-x11", "rdesktop", "remmina", "remmina-plugin-rdp"}

// Ensure returns the image that the client runs from, and makes it first where
// the cache has none.
func (c Client) Ensure(ctx context.Context, log io.Writer) (Image, error) {
	return EnsureLayer(ctx, c.Suite, c.Packages, log)
}

// Run runs the client from its image in the network of h, or in that of the
// machine where h is nil, on an X display that draws nowhere. The error says
// that the client did not run; its status and words are in the result.
func (c Client) Run(ctx context.Context, h *Host, args ...string) (ClientResult, error) {
	return c.script(ctx, h, nil, append([]string{c.Program}, args...)...)
}

// Script runs a shell script in a copy of the client's image, as [Client.Run]
// runs the client.
func (c Client) Script(ctx context.Context, h *Host, script string, args ...string) (ClientResult, error) {
	return c.script(ctx, h, nil, append([]string{"sh", "-c", script, "sh"}, args...)...)
}

// errSeen ends a client that has done what it was run for.
var errSeen = errors.New("it has done what it was run for")

// Attend is [Client.Script] for a client that does not end by itself. It is ended when
// seen, which is asked again and again, reports that there is no more to wait for.
func (c Client) Attend(ctx context.Context, h *Host, seen func() bool, script string, args ...string) (r ClientResult, err error) {
	run := func() {
		ctx, cancel := context.WithCancelCause(ctx)
		var watch sync.WaitGroup
		watch.Go(func() {
			for !seen() {
				if pause(ctx, 50*time.Millisecond) != nil {
					return
				}
			}
			cancel(errSeen)
		})
		r, err = c.Script(ctx, h, script, args...)
		cancel(nil)
		watch.Wait()
	}
	if h == nil {
		run()
	} else {
		h.Settled(ctx, run)
	}
	if errors.Is(err, errSeen) {
		err = nil
	}
	return r, err
}

func (c Client) script(ctx context.Context, h *Host, env []string, argv ...string) (ClientResult, error) {
	img, err := c.Ensure(ctx, nil)
	if err != nil {
		return ClientResult{}, err
	}
	dir, err := os.MkdirTemp("", "lab-client-")
	if err != nil {
		return ClientResult{}, fmt.Errorf("run %s: %w", c.Name, err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // temporary
	screen, done, err := clientScreen(ctx, h)
	if err != nil {
		return ClientResult{}, fmt.Errorf("run %s: %w", c.Name, err)
	}
	defer done()
	full := append([]string{"unshare", "--mount", "--propagation", "private", "sh", "-ec", client3Script, "lab-client", dir, img.lower()}, argv...)
	env = append(append(clientEnv(screen, "/root"), baseEnv[0]), env...)
	if h == nil {
		return runClient(ctx, full, env)
	}
	return h.settled(ctx, h.netArgs(full...), env)
}

// clientScreen is the display of h, or one of its own that done ends.
func clientScreen(ctx context.Context, h *Host) (screen string, done func(), err error) {
	if h != nil {
		screen, err = h.screen(ctx)
		return screen, func() {}, err
	}
	d, err := newDisplay(ctx)
	if err != nil {
		return "", nil, err
	}
	return d.name, d.close, nil
}
