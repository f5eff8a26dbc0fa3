package service

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"path"
	"strconv"
	"strings"
)

// Listener is a TCP socket that waits for connections.
type Listener struct {
	Addr netip.AddrPort `json:"addr"`
	// UID is the user who opened it.
	UID int `json:"uid"`
	// Inode identifies the socket among the open files of processes.
	Inode uint64 `json:"inode"`
}

// stateListen is TCP_LISTEN of include/net/tcp_states.h.
const stateListen = "0A"

// Listeners returns the listening TCP sockets in the network namespace of
// process pid, from proc, the contents of /proc. Nothing is connected to, so
// nothing is logged anywhere. 0 stands for the reading process itself.
func Listeners(proc fs.FS, pid int) ([]Listener, error) {
	var out []Listener
	missing := 0
	for _, table := range []string{"tcp", "tcp6"} {
		data, err := fs.ReadFile(proc, path.Join(procDir(pid), "net", table))
		if errors.Is(err, fs.ErrNotExist) {
			missing++ // IPv6 may be off in the kernel
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read sockets: %w", err)
		}
		out = append(out, parseSockets(data)...)
	}
	if missing == 2 {
		return nil, fmt.Errorf("read sockets of process %d: %w", pid, fs.ErrNotExist)
	}
	return out, nil
}

// HeldBy returns the inodes of the sockets that process pid has open. Only root
// and the process's own user may look; others get fs.ErrPermission.
func HeldBy(proc fs.FS, pid int) (map[uint64]bool, error) {
	dir := path.Join(procDir(pid), "fd")
	entries, err := fs.ReadDir(proc, dir)
	if err != nil {
		return nil, fmt.Errorf("open files of process %d: %w", pid, err)
	}
	held := map[uint64]bool{}
	for _, e := range entries {
		target, err := fs.ReadLink(proc, path.Join(dir, e.Name()))
		if err != nil {
			continue // closed since
		}
		if rest, ok := strings.CutPrefix(target, "socket:["); ok {
			if inode, err := strconv.ParseUint(strings.TrimSuffix(rest, "]"), 10, 64); err == nil {
				held[inode] = true
			}
		}
	}
	return held, nil
}

func procDir(pid int) string {
	if pid == 0 {
		return "self"
	}
	return strconv.Itoa(pid)
}

// parseSockets reads the table of /proc/net/tcp and tcp6 (proc_pid_net(5)). Lines
// that are not as they should be are passed over.
func parseSockets(data []byte) []Listener {
	var out []Listener
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		// sl local_address rem_address st queues timer retransmit uid timeout inode …
		f := strings.Fields(lines.Text())
		if len(f) < 10 || f[3] != stateListen {
			continue
		}
		addr, ok := parseAddrPort(f[1])
		uid, err1 := strconv.Atoi(f[7])
		inode, err2 := strconv.ParseUint(f[9], 10, 64)
		if ok && err1 == nil && err2 == nil {
			out = append(out, Listener{addr, uid, inode})
		}
	}
	return out
}

// parseAddrPort reads an address as the kernel prints it: the port as a number,
// the address as 32-bit words in the byte order of the machine.
func parseAddrPort(s string) (netip.AddrPort, bool) {
	host, portText, ok := strings.Cut(s, ":")
	raw, err := hex.DecodeString(host)
	port, err2 := strconv.ParseUint(portText, 16, 16)
	if !ok || err != nil || err2 != nil || len(raw) != 4 && len(raw) != 16 {
		return netip.AddrPort{}, false
	}
	b := make([]byte, len(raw))
	for i := 0; i < len(raw); i += 4 {
		binary.NativeEndian.PutUint32(b[i:], binary.BigEndian.Uint32(raw[i:]))
	}
	a, _ := netip.AddrFromSlice(b)
	return netip.AddrPortFrom(a.Unmap(), uint16(port)), true
}
