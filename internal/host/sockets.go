package host

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strconv"

	"xrdpfix/diagnose"
)

// owners finds which processes hold the given sockets. A process that may not
// be looked at is passed over; seen tells whether any could not.
func (p Proc) owners(ctx context.Context, inodes map[uint64]bool) (holders map[uint64][]int, hidden bool, err error) {
	holders = map[uint64][]int{}
	if len(inodes) == 0 {
		return holders, false, nil
	}
	pids, err := p.pids()
	if err != nil {
		return nil, false, err
	}
	for _, pid := range pids {
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
		err := p.fdLinks(pid, func(_, target string) bool {
			if n, ok := socketInode(target); ok && inodes[n] && !slices.Contains(holders[n], pid) {
				holders[n] = append(holders[n], pid)
			}
			return true
		})
		if os.IsPermission(err) {
			hidden = true
		}
	}
	return holders, hidden, nil
}

// topmost is the process among pids whose parent is not among them: a daemon,
// rather than the children that inherited its socket. Of several, systemd's own
// process 1, which keeps the sockets it passes on, comes last.
func (p Proc) topmost(pids []int) int {
	best, bestKey := 0, uint64(0)
	for _, pid := range pids {
		st, err := p.stat(pid)
		if err != nil {
			continue
		}
		key := st.start
		if slices.Contains(pids, st.ppid) && st.ppid != 1 {
			key += 1 << 62
		}
		if pid == 1 {
			key += 1 << 63
		}
		if best == 0 || key < bestKey {
			best, bestKey = pid, key
		}
	}
	return best
}

// Listening are the TCP sockets that listen on any of ports, in the order of
// port and address, with their owners where we may see them.
func (p Proc) Listening(ctx context.Context, ports []int) ([]diagnose.Socket, error) {
	all, err := p.tcp()
	if err != nil {
		return nil, fmt.Errorf("listing listening sockets: %w", err)
	}
	inodes := map[uint64]bool{}
	var mine []tcpSocket
	for _, s := range all {
		if s.state == tcpListen && slices.Contains(ports, int(s.local.Port())) {
			mine = append(mine, s)
			inodes[s.inode] = true
		}
	}
	holders, _, err := p.owners(ctx, inodes)
	if err != nil {
		return nil, fmt.Errorf("listing listening sockets: %w", err)
	}
	var out []diagnose.Socket
	for _, s := range mine {
		addr := s.local.Addr()
		sock := diagnose.Socket{Addr: addr.Unmap().String(), Port: int(s.local.Port())}
		if pid := p.topmost(holders[s.inode]); pid > 0 {
			sock.PID = pid
			if st, err := p.stat(pid); err == nil {
				sock.Program = st.comm
			}
			if b, err := p.read(maxStatus, strconv.Itoa(pid), "cgroup"); err == nil {
				sock.Unit = unitOf(b)
			}
		}
		out = append(out, sock)
	}
	slices.SortFunc(out, func(a, b diagnose.Socket) int {
		return cmp.Or(cmp.Compare(a.Port, b.Port), cmp.Compare(a.Addr, b.Addr), cmp.Compare(a.PID, b.PID))
	})
	return out, nil
}

// connection is an accepted TCP connection that an xrdp process holds.
type connection struct {
	client netip.AddrPort
	pid    int
	shared bool // the process serves other clients too
}

// connections are the established connections to ports that xrdp processes hold.
func (p Proc) connections(ctx context.Context, ports []int) ([]connection, error) {
	all, err := p.tcp()
	if err != nil {
		return nil, err
	}
	inodes := map[uint64]bool{}
	var mine []tcpSocket
	for _, s := range all {
		if s.state == tcpEstablished && s.inode != 0 && slices.Contains(ports, int(s.local.Port())) {
			mine = append(mine, s)
			inodes[s.inode] = true
		}
	}
	holders, hidden, err := p.owners(ctx, inodes)
	if err != nil {
		return nil, err
	}
	var out []connection
	served := map[int]int{}
	for _, s := range mine {
		pids := slices.DeleteFunc(holders[s.inode], func(pid int) bool {
			st, err := p.stat(pid)
			return err != nil || !p.isXrdp(pid, st)
		})
		switch {
		case len(pids) > 0:
			// The child that serves it, where the parent still holds it too.
			pid := slices.Max(pids)
			served[pid]++
			out = append(out, connection{client: plain(s.remote), pid: pid})
		case hidden && len(holders[s.inode]) == 0:
			return nil, fmt.Errorf("the owner of the connection from %s: %w", plain(s.remote), fs.ErrPermission)
		}
	}
	for i := range out {
		out[i].shared = served[out[i].pid] > 1
	}
	return out, nil
}

// Peers are the clients that are connected to xrdp on any of ports, by address.
// A connection from one of own, the local ends of our probes, is left out. It
// fails with fs.ErrPermission where there are connections whose owner we may
// not see.
func (p Proc) Peers(ctx context.Context, ports []int, own []netip.AddrPort) ([]diagnose.Peer, error) {
	conns, err := p.connections(ctx, ports)
	if err != nil {
		return nil, fmt.Errorf("listing connected clients: %w", err)
	}
	var out []diagnose.Peer
	for _, c := range conns {
		if !slices.ContainsFunc(own, func(a netip.AddrPort) bool { return plain(a) == c.client }) {
			out = append(out, diagnose.Peer{Client: c.client.String(), PID: c.pid})
		}
	}
	slices.SortFunc(out, func(a, b diagnose.Peer) int {
		return cmp.Or(cmp.Compare(a.Client, b.Client), cmp.Compare(a.PID, b.PID))
	})
	return out, nil
}
