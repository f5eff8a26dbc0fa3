package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"xrdpfix/diagnose"
	"xrdpfix/service"
	"xrdpfix/xrdpconf"
)

// OpenOf are the TCP sockets that a process listens on, in the order of port and
// address.
func (p Proc) OpenOf(pid int) ([]diagnose.Socket, error) {
	all, err := p.tcp()
	if err != nil {
		return nil, err
	}
	held := map[uint64]bool{}
	err = p.fdLinks(pid, func(_, target string) bool {
		if n, ok := socketInode(target); ok {
			held[n] = true
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	var out []diagnose.Socket
	for _, s := range all {
		if s.state == tcpListen && held[s.inode] {
			out = append(out, diagnose.Socket{Addr: s.local.Addr().Unmap().String(), Port: int(s.local.Port()), PID: pid})
		}
	}
	slices.SortFunc(out, func(a, b diagnose.Socket) int {
		if a.Port != b.Port {
			return a.Port - b.Port
		}
		return strings.Compare(a.Addr, b.Addr)
	})
	return out, nil
}

// sesmanReach looks where xrdp-sesman listens, and where xrdp looks for it.
func (m *Machine) sesmanReach(_ context.Context, s xrdpconf.SessionManager, v xrdpconf.Version) (diagnose.SesmanReach, error) {
	port, socket := diagnose.SesmanAt(s, v)
	if socket != "" {
		return m.proc.sesmanSocket(socket)
	}
	return m.proc.sesmanPort(port)
}

// sesmanPort looks for a listener that 127.0.0.1, which xrdp 0.9 connects to
// (xrdp/xrdp_mm.c, xrdp_mm_connect), leads to. Built with IPv6, both sides turn
// 127.0.0.1 into ::1 (common/os_calls.c): bookworm's sesman listens on [::1]:3350.
func (p Proc) sesmanPort(port int) (diagnose.SesmanReach, error) {
	r := diagnose.SesmanReach{Wanted: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}
	all, err := p.tcp()
	if err != nil {
		return r, err
	}
	for _, s := range all {
		a := plain(s.local)
		if s.state != tcpListen || int(a.Port()) != port {
			continue
		}
		if a.Addr().IsUnspecified() || a.Addr().IsLoopback() {
			r.Listening = true
		} else {
			r.Elsewhere = append(r.Elsewhere, a.String())
		}
	}
	if r.Listening {
		r.Elsewhere = nil
		return r, nil
	}
	if pid := p.sesman(); pid > 0 {
		open, _ := p.OpenOf(pid)
		for _, s := range open {
			if at := net.JoinHostPort(s.Addr, strconv.Itoa(s.Port)); !slices.Contains(r.Elsewhere, at) {
				r.Elsewhere = append(r.Elsewhere, at)
			}
		}
	}
	return r, nil
}

// sesmanSocket looks for a listening Unix socket of that name: the directory is
// a matter of how xrdp was built (/run/xrdp/sockdir in Debian).
func (p Proc) sesmanSocket(name string) (diagnose.SesmanReach, error) {
	r := diagnose.SesmanReach{Wanted: name}
	b, err := p.read(maxProcNet, "net", "unix")
	if err != nil {
		return r, err
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		// Flags has __SO_ACCEPTCON while a socket listens (linux/net.h).
		if len(f) < 8 || f[3] != "00010000" || !strings.HasSuffix(path.Base(f[7]), ".socket") && path.Base(f[7]) != name {
			continue
		}
		switch {
		case path.Base(f[7]) == name:
			r.Wanted, r.Listening = f[7], true
			r.Elsewhere = nil
			return r, nil
		case strings.Contains(f[7], "/xrdp/") || strings.Contains(f[7], "sesman"):
			r.Elsewhere = append(r.Elsewhere, f[7])
		}
	}
	return r, nil
}

// sesman is the process of xrdp-sesman, 0 for none. The kernel cuts the name of
// a process off after 15 bytes, which this one just has not.
func (p Proc) sesman() int {
	pids, err := p.pids()
	if err != nil {
		return 0
	}
	for _, pid := range pids {
		if st, err := p.stat(pid); err == nil && st.comm == "xrdp-sesman" && st.alive() {
			if s, err := p.status(pid); err == nil && s.uid == 0 && p.ours(pid, s) {
				return pid
			}
		}
	}
	return 0
}

// userFault says why xrdp cannot become its user, and which file tells it to.
func (m *Machine) userFault(unit *service.Unit, s xrdpconf.Server) (fault, in string) {
	if s.RuntimeUser != "" && s.RuntimeGroup != "" {
		if _, ok := m.names.User(s.RuntimeUser); !ok && !m.known("passwd", s.RuntimeUser) {
			return fmt.Sprintf("runtime_user=%s: there is no such user", s.RuntimeUser), m.configPath()
		}
		if _, ok := m.names.Group(s.RuntimeGroup); !ok && !m.known("group", s.RuntimeGroup) {
			return fmt.Sprintf("runtime_group=%s: there is no such group", s.RuntimeGroup), m.configPath()
		}
	}
	if unit == nil || unit.LoadState != "loaded" {
		return "", ""
	}
	if _, err := m.names.byNameOrID(unit.User); unit.User != "" && err != nil && !m.known("passwd", unit.User) {
		return fmt.Sprintf("User=%s: there is no such user", unit.User), unit.FragmentPath
	}
	if _, err := m.names.groupID(unit.Group); unit.Group != "" && err != nil && !m.known("group", unit.Group) {
		return fmt.Sprintf("Group=%s: there is no such group", unit.Group), unit.FragmentPath
	}
	return "", ""
}

// known asks the name service for a name that the files do not hold: the account
// may come from a directory. Where it cannot be asked, the name counts as known:
// that something cannot be looked up is no fault of xrdp's.
func (m *Machine) known(database, name string) bool {
	if !m.Live() {
		return false
	}
	const getent = "/usr/bin/getent"
	if strings.HasPrefix(name, "-") || trustedProgram(getent) != nil {
		return true
	}
	ctx, cancel := context.WithTimeout(m.ctx, 10*time.Second)
	defer cancel()
	err := exec.CommandContext(ctx, getent, database, name).Run()
	var exit *exec.ExitError
	// Status 2: not found (getent(1)).
	return !errors.As(err, &exit) || exit.ExitCode() != 2
}

// latest is when the last changed of some files changed, zero for none.
func (m *Machine) latest(names ...string) time.Time {
	var t time.Time
	for _, n := range names {
		if n == "" {
			continue
		}
		if st, err := m.root.Stat(n); err == nil && st.Exists && st.ModTime.After(t) {
			t = st.ModTime
		}
	}
	return t
}
