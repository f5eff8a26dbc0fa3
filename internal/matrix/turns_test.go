//go:build lab

package matrix

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"xrdpfix/internal/lab"
	"xrdpfix/probe"
)

// crowd is a client that connects again and again, and what it met.
type crowd struct {
	addr string
	opts probe.Options

	mu  sync.Mutex
	met map[string]int
}

// loops is how many connections are open at once: with xrdpfix's own one there is
// still room in the listen queue of xrdp 0.9, which holds three.
const loops = 2

// TestTurns applies and rolls back in turn while a client connects in a loop:
// every connection meets the old security or the new one, and none is refused.
func TestTurns(t *testing.T) {
	turns := 7
	if all() {
		turns = 34
	}
	for name, row := range map[string]struct {
		suite lab.Suite
		plant string
		flags []string
		old   string // what a connection meets before, "" for the certificate that is there
	}{
		"bookworm/one pair for another": {suite: lab.Bookworm, plant: readablePair, flags: []string{"--cert", "renew"}},
		"sid/one pair for another":      {suite: lab.Sid, plant: readablePair, flags: []string{"--cert", "renew"}},
		"bookworm/classic and TLS":      {suite: lab.Bookworm, plant: unreadable, old: probe.ProtocolRDP.String()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := start(t, row.suite)
			m.Must(t, own+row.plant+"systemctl restart xrdp\n")
			m.listening(t)
			old := cmp.Or(row.old, m.certNamed(t))
			known := map[string]bool{old: true}
			c := &crowd{addr: "127.0.0.1:3389", met: map[string]int{}, opts: probe.Options{
				Requested: probe.ProtocolSSL | probe.ProtocolHybrid, Dial: inside(m.PID1()), Timeout: 30 * time.Second,
			}}
			ctx, stop := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			for range loops {
				wg.Go(func() { c.run(ctx) })
			}
			began := time.Now()
			for range turns {
				m.apply(t, append([]string{"--restart=never"}, row.flags...)...)
				known[m.certNamed(t)] = true
				if r := m.xrdpfix(t, "rollback", "--restart=never"); r.Exit.Code != 0 {
					t.Errorf("rollback: %s", r)
				}
			}
			stop()
			wg.Wait()
			total := 0
			for _, what := range slices.Sorted(maps.Keys(c.met)) {
				total += c.met[what]
				if !known[what] {
					t.Errorf("%d connections met neither the old nor the new security: %s", c.met[what], what)
				}
			}
			if total < turns || len(known) != turns+1 {
				t.Errorf("%d connections over %d states in %d turns: the client hardly ran", total, len(known), turns)
			}
			t.Logf("%d turns in %s: %d connections, %d kinds, %d of them the old security", turns, time.Since(began).Round(time.Second), total, len(c.met), c.met[old])
		})
	}
}

// readablePair lets the daemon read the pair that the package made.
const readablePair = "adduser xrdp ssl-cert >/dev/null\n"

// run connects until the context ends; the connection that this cuts off is not
// counted.
func (c *crowd) run(ctx context.Context) {
	for {
		r := probe.Run(ctx, c.addr, c.opts)
		if ctx.Err() != nil {
			return
		}
		what := meets(r)
		c.mu.Lock()
		c.met[what]++
		c.mu.Unlock()
	}
}

// meets puts the security of a connection in words: the protocol, or the
// certificate that it was protected with.
func meets(r probe.Result) string {
	switch {
	case r.Failure != nil:
		return r.Failure.String()
	case r.TLS != nil && r.Negotiation.Selected == probe.ProtocolSSL:
		return r.TLS.Fingerprints[0].SHA256
	case r.Negotiation != nil && r.Negotiation.FailureCode == 0:
		return r.Negotiation.Selected.String()
	}
	return fmt.Sprintf("%+v", r.Negotiation)
}

// certNamed is the fingerprint of the certificate that xrdp.ini names.
func (m *machine) certNamed(t *testing.T) string {
	t.Helper()
	out := m.Must(t, `
cert=$(sed -n 's/^certificate=//p' /etc/xrdp/xrdp.ini | head -n 1)
openssl x509 -in "${cert:-/etc/xrdp/cert.pem}" -noout -fingerprint -sha256`)
	_, print, _ := strings.Cut(strings.TrimSpace(out), "=")
	return print
}

// inside dials from within the network namespace of a process: the socket stays
// in the namespace in which it was made.
func inside(pid int) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (conn net.Conn, err error) {
		runtime.LockOSThread()
		back, err1 := os.Open("/proc/thread-self/ns/net")
		there, err2 := os.Open("/proc/" + strconv.Itoa(pid) + "/ns/net")
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		defer func() { _, _ = back.Close(), there.Close() }()
		if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
			return nil, err
		}
		conn, err = (&net.Dialer{}).DialContext(ctx, network, addr)
		if err := unix.Setns(int(back.Fd()), unix.CLONE_NEWNET); err != nil {
			return nil, err // the thread stays locked, and ends with its goroutine
		}
		runtime.UnlockOSThread()
		return conn, err
	}
}
