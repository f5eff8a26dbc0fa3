package host

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"xrdpfix/diagnose"
)

// xservers are the programs that xrdp-sesman starts as X servers, by the name
// that the kernel gives them.
var xservers = []string{"Xorg", "X", "Xvnc", "Xtigervnc", "Xtightvnc", "Xrealvnc", "Xvnc4"}

// sesmen are the programs that start X servers: xrdp-sesman (0.9) and, since
// 0.10, its helper xrdp-sesexec. comm is cut to 15 bytes, longer than both.
var sesmen = []string{"xrdp-sesman", "xrdp-sesexec"}

// Desktops are the graphical sessions that xrdp-sesman started and that still
// run, in the order of their displays; orphans included, whose sesman was
// restarted and knows them no more. ports are xrdp's ports: whoever is connected
// there and holds a socket of the desktop is looking at it. Where the owner of a
// connection cannot be seen, Connected may be true with an empty Client.
//
// A user's name that the account files do not hold is taken from logind.
func (p Proc) Desktops(ctx context.Context, names *Accounts, ports []int) ([]diagnose.Desktop, error) {
	pids, err := p.pids()
	if err != nil {
		return nil, fmt.Errorf("looking for desktops: %w", err)
	}
	var out []diagnose.Desktop
	for _, pid := range pids {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if d, ok := p.desktop(pid, names); ok {
			out = append(out, d)
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	if err := p.watchers(ctx, out, ports); err != nil {
		return nil, fmt.Errorf("looking who is connected to a desktop: %w", err)
	}
	slices.SortFunc(out, func(a, b diagnose.Desktop) int {
		return cmp.Or(cmp.Compare(displayNumber(a.Display), displayNumber(b.Display)), cmp.Compare(a.PID, b.PID))
	})
	return out, nil
}

// desktop describes pid if it is an X server of xrdp's.
func (p Proc) desktop(pid int, names *Accounts) (diagnose.Desktop, bool) {
	st, err := p.stat(pid)
	if err != nil || !st.alive() || !slices.Contains(xservers, st.comm) {
		return diagnose.Desktop{}, false
	}
	s, err := p.status(pid)
	if err != nil || !p.ours(pid, s) {
		return diagnose.Desktop{}, false
	}
	args, err := p.args(pid)
	if err != nil || (!startedByXrdp(args) && !p.childOfSesman(st)) {
		return diagnose.Desktop{}, false
	}
	return diagnose.Desktop{
		User: p.loginName(s.uid, names), UID: s.uid, Display: displayOf(args),
		PID: pid, Since: p.started(st.start),
	}, true
}

// startedByXrdp goes by the command line, all that is left of an orphan's
// origin: Xorg gets "-config xrdp/xorg.conf" (sesman.ini, [Xorg]), Xvnc the
// password file that sesman wrote (sesman_passwd-…) or a socket below xrdp's
// directory.
func startedByXrdp(args []string) bool {
	for i, a := range args {
		if i > 0 && args[i-1] == "-config" && strings.Contains(a, "xrdp/") {
			return true
		}
		if strings.Contains(a, "sesman_") || strings.HasPrefix(a, "/run/xrdp/") || strings.HasPrefix(a, "/var/run/xrdp/") {
			return true
		}
	}
	return false
}

// childOfSesman: an X server that a user starts inside a desktop is a
// descendant of sesman too, but not its child.
func (p Proc) childOfSesman(st stat) bool {
	parent, err := p.stat(st.ppid)
	return err == nil && slices.Contains(sesmen, parent.comm)
}

// displayOf is the first argument that looks like ":10".
func displayOf(args []string) string {
	for _, a := range args[min(1, len(args)):] {
		if displayNumber(a) >= 0 {
			return a
		}
	}
	return ""
}

// displayNumber is 10 for ":10", -1 for anything else.
func displayNumber(s string) int {
	digits, ok := strings.CutPrefix(s, ":")
	n, err := strconv.ParseUint(digits, 10, 16)
	if !ok || err != nil {
		return -1
	}
	return int(n)
}

// loginName names a user of the network (LDAP and the like) by what logind wrote
// when the user logged in.
func (p Proc) loginName(uid int, names *Accounts) string {
	if u, ok := names.UserByID(uid); ok {
		return u.Name
	}
	b, err := ReadFile("", "/run/systemd/users/"+strconv.Itoa(uid), maxStatus)
	if err == nil {
		for line := range strings.Lines(string(b)) {
			if name, ok := strings.CutPrefix(line, "NAME="); ok {
				return strings.TrimSpace(name)
			}
		}
	}
	return strconv.Itoa(uid)
}

// watchers marks the desktops that somebody is connected to. The process that
// serves a client (a child of xrdp) holds a Unix socket whose other end is an
// accepted socket of the display: xrdp_display_10 of xorgxrdp,
// xrdp_chansrv_socket_10 of the session's channel server; or, with Xvnc, a TCP
// connection to port 5900 and the display.
func (p Proc) watchers(ctx context.Context, desktops []diagnose.Desktop, ports []int) error {
	sockets, err := p.unix()
	if err != nil {
		return err
	}
	tcp, err := p.tcp()
	if err != nil {
		return err
	}
	peers, diagErr := p.unixPeers()
	far := map[uint64]int{} // the inode that xrdp holds, and the display
	live := map[int]bool{}  // displays that a client's desktop is drawn on
	for _, s := range sockets {
		n := socketDisplay(s.path)
		if n < 0 || !s.connected {
			continue
		}
		live[n] = live[n] || strings.Contains(s.path, "xrdp_display_")
		if peer := peers[s.inode]; peer != 0 {
			far[peer] = n
		}
	}
	for _, s := range tcp {
		n := int(s.remote.Port()) - 5900
		if s.state == tcpEstablished && s.inode != 0 && s.remote.Addr().Unmap().IsLoopback() && hasDisplay(desktops, n) {
			far[s.inode] = n
		}
	}
	inodes := map[uint64]bool{}
	for inode := range far {
		inodes[inode] = true
	}
	holders, hidden, err := p.owners(ctx, inodes)
	if err != nil {
		return err
	}
	conns, _ := p.connections(ctx, ports)
	for i := range desktops {
		d := &desktops[i]
		number := displayNumber(d.Display)
		for inode, n := range far {
			if n != number {
				continue
			}
			// Not to be seen by us, so rather somebody than nobody.
			d.Connected = d.Connected || hidden && len(holders[inode]) == 0
			for _, pid := range holders[inode] {
				if st, err := p.stat(pid); err == nil && p.isXrdp(pid, st) {
					d.Connected = true
					d.Client = clientOf(conns, pid)
				}
			}
		}
		// Without sock_diag the display's own accepted socket still tells that
		// somebody is there, and who, if there is only one to choose from.
		if diagErr != nil && live[number] {
			d.Connected = true
			if len(conns) == 1 && len(desktops) == 1 {
				d.Client = conns[0].client.Addr().String()
			}
		}
	}
	return nil
}

// clientOf is the client that a process serves, "" where it serves several.
func clientOf(conns []connection, pid int) string {
	for _, c := range conns {
		if c.pid == pid && !c.shared {
			return c.client.Addr().String()
		}
	}
	return ""
}

func hasDisplay(desktops []diagnose.Desktop, n int) bool {
	return slices.ContainsFunc(desktops, func(d diagnose.Desktop) bool { return displayNumber(d.Display) == n && n >= 0 })
}

// socketDisplay is 10 for /run/xrdp/sockdir/1000/xrdp_display_10 and its like.
func socketDisplay(name string) int {
	base := path.Base(name)
	for _, prefix := range []string{"xrdp_display_", "xrdp_chansrv_socket_"} {
		if digits, ok := strings.CutPrefix(base, prefix); ok {
			return displayNumber(":" + digits)
		}
	}
	return -1
}
