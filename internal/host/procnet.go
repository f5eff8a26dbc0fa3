package host

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/netip"
	"strconv"
	"strings"
)

// States of a TCP socket in /proc/net/tcp (linux/tcp_states.h).
const (
	tcpEstablished = 0x01
	tcpListen      = 0x0a
)

// tcpSocket is a line of /proc/net/tcp or tcp6.
type tcpSocket struct {
	local, remote netip.AddrPort
	state         uint8
	inode         uint64 // 0 while nobody has accepted it
}

// parseTCP reads /proc/net/tcp or /proc/net/tcp6; lines that are not understood
// are left out.
func parseTCP(b []byte) []tcpSocket {
	var all []tcpSocket
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 10 {
			continue
		}
		local, ok1 := parseHexAddr(f[1])
		remote, ok2 := parseHexAddr(f[2])
		state, err1 := strconv.ParseUint(f[3], 16, 8)
		inode, err2 := strconv.ParseUint(f[9], 10, 64)
		if !ok1 || !ok2 || err1 != nil || err2 != nil {
			continue
		}
		all = append(all, tcpSocket{local, remote, uint8(state), inode})
	}
	return all
}

// parseHexAddr reads "0100007F:0D3D": words of 32 bits in the byte order of the
// machine, and the port as a number.
func parseHexAddr(s string) (netip.AddrPort, bool) {
	host, port, ok := strings.Cut(s, ":")
	if !ok || len(port) != 4 {
		return netip.AddrPort{}, false
	}
	n, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		return netip.AddrPort{}, false
	}
	b, err := hex.DecodeString(host)
	if err != nil || (len(b) != 4 && len(b) != 16) {
		return netip.AddrPort{}, false
	}
	for w := 0; w < len(b); w += 4 {
		binary.NativeEndian.PutUint32(b[w:], binary.BigEndian.Uint32(b[w:]))
	}
	addr, _ := netip.AddrFromSlice(b)
	return netip.AddrPortFrom(addr, uint16(n)), true
}

// plain turns ::ffff:192.0.2.1 into 192.0.2.1.
func plain(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// tcp reads the TCP sockets of our network namespace.
func (p Proc) tcp() ([]tcpSocket, error) {
	v4, err := p.read(maxProcNet, "net", "tcp")
	if err != nil {
		return nil, err
	}
	// A kernel without IPv6 has no tcp6.
	v6, err := p.read(maxProcNet, "net", "tcp6")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return append(parseTCP(v4), parseTCP(v6)...), nil
}

// unixSocket is a line of /proc/net/unix.
type unixSocket struct {
	inode     uint64
	connected bool
	path      string // of the listener for an accepted socket too; "@" begins an abstract one
}

// parseUnix reads /proc/net/unix: Num RefCount Protocol Flags Type St Inode Path.
func parseUnix(b []byte) []unixSocket {
	const connected = "03" // SS_CONNECTED
	var all []unixSocket
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 7 {
			continue
		}
		inode, err := strconv.ParseUint(f[6], 10, 64)
		if err != nil {
			continue
		}
		s := unixSocket{inode: inode, connected: f[5] == connected}
		if len(f) > 7 {
			s.path = f[7]
		}
		all = append(all, s)
	}
	return all
}

func (p Proc) unix() ([]unixSocket, error) {
	b, err := p.read(maxProcNet, "net", "unix")
	if err != nil {
		return nil, err
	}
	return parseUnix(b), nil
}

// unitOf reads /proc/PID/cgroup: the unit whose control group holds the process
// directly, "" for none.
func unitOf(b []byte) string {
	for line := range strings.Lines(string(b)) {
		f := strings.SplitN(strings.TrimRight(line, "\n"), ":", 3)
		if len(f) != 3 || (f[1] != "" && f[1] != "name=systemd") {
			continue
		}
		// The innermost component may be a sub-group of the service's own making.
		parts := strings.Split(f[2], "/")
		for i := len(parts) - 1; i >= 0; i-- {
			if strings.HasSuffix(parts[i], ".service") || strings.HasSuffix(parts[i], ".scope") {
				return parts[i]
			}
		}
	}
	return ""
}
