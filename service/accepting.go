package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"time"
)

// pollInterval is how often WaitAccepting looks. xrdp 0.9 takes one to two
// seconds from the end of the start job to listening; a look costs two small
// reads of /proc.
const pollInterval = 20 * time.Millisecond

// WaitAccepting waits until every address of want is listened on and returns how
// long that took. listening tells what is listened on now; see Accepting for the
// usual one. An address that is unspecified, such as 0.0.0.0, wants its port on
// whatever address. When ctx ends first, the error names what was still missing
// and wraps the cause; an error of listening ends the wait at once.
func WaitAccepting(ctx context.Context, want []netip.AddrPort, listening func() ([]Listener, error)) (time.Duration, error) {
	begin := time.Now()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		found, err := listening()
		if err != nil {
			return time.Since(begin), fmt.Errorf("wait for the port: %w", err)
		}
		missing := Missing(want, found)
		if len(missing) == 0 {
			return time.Since(begin), nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return time.Since(begin), fmt.Errorf("nothing listens on %v: %w", missing, context.Cause(ctx))
		}
	}
}

// Missing returns the addresses of want that none of the sockets serves.
func Missing(want []netip.AddrPort, sockets []Listener) []netip.AddrPort {
	var out []netip.AddrPort
	for _, w := range want {
		if !slices.ContainsFunc(sockets, func(l Listener) bool { return serves(l.Addr, w) }) {
			out = append(out, w)
		}
	}
	return out
}

// serves reports whether a connection to want reaches a socket bound to bound. A
// socket on :: is taken to accept IPv4 too, as xrdp's does: it clears IPV6_V6ONLY
// (common/os_calls.c:g_tcp_socket). On 0.0.0.0 it never accepts IPv6.
func serves(bound, want netip.AddrPort) bool {
	b, w := bound.Addr().Unmap(), want.Addr().Unmap()
	switch {
	case bound.Port() != want.Port():
		return false
	case w.IsUnspecified(), b == w.WithZone(""):
		return true
	case b.IsUnspecified():
		return b.Is6() || w.Is4()
	default:
		return false
	}
}

// Accepting returns a function for WaitAccepting that reports the sockets which
// one of the processes has open, so that neither another program on the port nor
// the trial socket that xrdp 0.9 opens before it forks counts. pids is asked each
// time, because a restart changes them. Where the caller may not see whose a
// socket is, all sockets of the namespace are reported.
func Accepting(proc fs.FS, pids func() ([]int, error)) func() ([]Listener, error) {
	return func() ([]Listener, error) {
		list, err := pids()
		if err != nil {
			return nil, err
		}
		var out []Listener
		for _, pid := range list {
			sockets, err := Listeners(proc, pid)
			if errors.Is(err, fs.ErrNotExist) {
				continue // gone since
			}
			if err != nil {
				return nil, err
			}
			held, err := HeldBy(proc, pid)
			if errors.Is(err, fs.ErrPermission) {
				return sockets, nil
			}
			for _, s := range sockets {
				if held[s.Inode] {
					out = append(out, s)
				}
			}
		}
		return out, nil
	}
}
