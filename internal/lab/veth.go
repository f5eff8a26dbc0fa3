package lab

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"time"
)

// The veth pairs live in 198.18.0.0/15, which RFC 2544 sets aside for tests of
// network devices: a /30 for each pair, the machine on its first address, the
// host on its second.
func linkAddrs(n int) (machine, host netip.Addr) {
	base := uint32(198)<<24 | 18<<16 | uint32(n)*4
	at := func(v uint32) netip.Addr {
		return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
	}
	return at(base + 1), at(base + 2)
}

// Addr returns the host's address on the interface that it shares with the
// machine, and the machine's own there; zero values without [Options.Veth].
func (h *Host) Addr() (host, machine netip.Addr) {
	if h.st.Link == 0 {
		return netip.Addr{}, netip.Addr{}
	}
	m, a := linkAddrs(h.st.Link)
	return a, m
}

// outside is the name of the machine's end.
func (s *state) outside() string { return "xlab" + strconv.Itoa(s.Link) }

// plug makes the veth pair: xlab<number> on the machine, host0 in the host,
// with a default route so that the host takes it for its way to the world.
func (s *state) plug(ctx context.Context) error {
	machine, host := linkAddrs(s.Link)
	outside, pid := s.outside(), strconv.Itoa(s.PID1.PID)
	inside := []string{"nsenter", "-t", pid, "-n", "--", "ip"}
	for _, argv := range [][]string{
		{"ip", "link", "add", outside, "type", "veth", "peer", "name", "host0", "netns", pid},
		{"ip", "addr", "add", machine.String() + "/30", "dev", outside},
		{"ip", "link", "set", outside, "up"},
		append(inside[:len(inside):len(inside)], "addr", "add", host.String()+"/30", "dev", "host0"),
		append(inside[:len(inside):len(inside)], "link", "set", "host0", "up"),
		append(inside[:len(inside):len(inside)], "route", "add", "default", "via", machine.String()),
	} {
		r, err := run(ctx, argv, nil, nil)
		if err == nil && r.Code != 0 {
			err = fmt.Errorf("%q: exit status %d: %s", argv, r.Code, lastLine(r.Stderr))
		}
		if err != nil {
			return fmt.Errorf("plug in host %s: %w", s.Name, err)
		}
	}
	return nil
}

// unplug removes the veth pair. The kernel does so too, together with the host's
// network namespace, but some time after the last process of it has ended: until
// then the next host of that number cannot be plugged in.
func (s *state) unplug() {
	if _, err := os.Lstat(hostDir(s.Name)); err != nil || s.Link == 0 {
		return // the number of a host that was removed is another one's
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, _ = run(ctx, []string{"ip", "link", "del", s.outside()}, nil, nil) // the kernel may have been faster
}
