package lab

import (
	"bytes"
	"context"
	"strconv"
	"strings"
	"time"
)

// settleTimeout bounds how long a server is waited for that is not done with a
// client that has left: usually it needs some milliseconds.
const settleTimeout = 20 * time.Second

// Settled calls connect, which connects to the host's xrdp as often as it likes,
// and returns when xrdp has noticed that those clients are gone. It does so later
// than they: the last lines of a connection, those that say why it failed, can come
// into xrdp.log after the client's end. A server that keeps a connection for longer
// than that is not waited for.
func (h *Host) Settled(ctx context.Context, connect func()) {
	before := h.busy(ctx)
	connect()
	for end := time.Now().Add(settleTimeout); time.Now().Before(end) && h.busy(ctx) > before; {
		if pause(ctx, 20*time.Millisecond) != nil {
			return
		}
	}
}

// What xrdp logs of a connection that came to its end, and, at last, when it shows its
// login there.
const (
	LogEstablished = "connection established from"
	LogLogin       = "Loading keymap file"
)

// Logs returns a function that reports whether xrdp.log has got the words since now.
func (h *Host) Logs(ctx context.Context, words string) (func() bool, error) {
	before, err := h.ReadFile(ctx, xrdpLog)
	if err != nil {
		return nil, err
	}
	return func() bool {
		now, err := h.ReadFile(ctx, xrdpLog)
		return err == nil && len(now) > len(before) && bytes.Contains(now[len(before):], []byte(words))
	}, nil
}

const xrdpLog = "/var/log/xrdp.log"

// busy counts what xrdp is at work on: its processes, of which each connection has
// one, and connections whose client has left (CLOSE_WAIT, 08 in proc(5)'s
// /proc/net/tcp), which may still wait for their process.
func (h *Host) busy(ctx context.Context) int {
	r, err := h.Run(ctx, Cmd{Args: []string{"sh", "-c", `pgrep -c -x xrdp; cat /proc/net/tcp /proc/net/tcp6 | awk '$4 == "08"' | wc -l`}})
	if err != nil {
		return 0
	}
	sum := 0
	for _, f := range strings.Fields(r.Stdout) {
		n, _ := strconv.Atoi(f)
		sum += n
	}
	return sum
}

// settled is runClient for a client of the host.
func (h *Host) settled(ctx context.Context, argv, env []string) (r ClientResult, err error) {
	h.Settled(ctx, func() { r, err = runClient(ctx, argv, env) })
	return r, err
}
