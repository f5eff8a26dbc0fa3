package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"
)

// RDPPort is the port on which a stock xrdp listens.
const RDPPort = 3389

// upTimeout is how long a host may take to come up, on a machine that runs
// several at once; an idle one needs a second.
const upTimeout = 3 * time.Minute

// WaitUp returns when systemd has done its jobs and xrdp listens on [RDPPort].
// A failed unit does not matter to it.
func (h *Host) WaitUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, upTimeout, errors.New("the host is not up after "+upTimeout.String()))
	defer cancel()
	for {
		r, err := h.Run(ctx, Cmd{Args: []string{"systemctl", "is-system-running"}})
		if err != nil {
			return fmt.Errorf("wait for the system: %w", err)
		}
		if s := strings.TrimSpace(r.Stdout); s == "running" || s == "degraded" {
			break
		}
		if err := h.waitABit(ctx, h.child(), 30*time.Millisecond); err != nil {
			return fmt.Errorf("wait for the system: %w", err)
		}
	}
	return h.WaitPort(ctx, RDPPort)
}

// WaitPort returns when something inside the host listens on the TCP port. It
// reads the kernel's table, so xrdp sees no connection and logs nothing.
func (h *Host) WaitPort(ctx context.Context, port int) error {
	for {
		ok, err := h.Listens(port)
		if err != nil {
			return err
		}
		if ok {
			return nil
		}
		if err := h.waitABit(ctx, h.child(), 20*time.Millisecond); err != nil {
			return fmt.Errorf("wait for port %d of %s: %w", port, h.Name, err)
		}
	}
}

// Listens reports whether something inside the host listens on the TCP port, on
// whatever address.
func (h *Host) Listens(port int) (bool, error) {
	for _, table := range []string{"tcp6", "tcp"} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", h.PID1(), table))
		if errors.Is(err, fs.ErrNotExist) && table == "tcp6" && h.st.PID1.alive() {
			continue // a kernel without IPv6
		}
		if err != nil {
			return false, fmt.Errorf("look at the ports of %s: %w", h.Name, err)
		}
		if listens(string(text), port) {
			return true, nil
		}
	}
	return false, nil
}

// listens reads a table of proc(5)'s /proc/net/tcp form: the second field is
// the local address and port, the fourth the state, 0A for listening.
func listens(table string, port int) bool {
	for _, line := range strings.Split(table, "\n") {
		f := strings.Fields(line)
		if len(f) < 4 || f[3] != "0A" {
			continue
		}
		_, hex, _ := strings.Cut(f[1], ":")
		if n, err := strconv.ParseUint(hex, 16, 16); err == nil && int(n) == port {
			return true
		}
	}
	return false
}

func (h *Host) child() *child {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.nspawn
}
