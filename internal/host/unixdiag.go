package host

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Numbers of linux/sock_diag.h and linux/unix_diag.h.
const (
	sockDiagByFamily = 20
	unixDiagPeer     = 2
	udiagShowPeer    = 0x4
	unixDiagMsgLen   = 16
	unixDiagReqLen   = 24
)

var (
	errDiag    = errors.New("malformed sock_diag answer")
	errNotOurs = errors.New("not the procfs of this machine")
)

// unixPeers asks the kernel which Unix socket is connected to which: inode to
// inode, for every socket of our network namespace. Of another procfs than
// /proc the kernel that we run on knows nothing.
func (p Proc) unixPeers() (map[uint64]uint64, error) {
	if p.dir() != "/proc" {
		return nil, errNotOurs
	}
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, fmt.Errorf("sock_diag: %w", err)
	}
	defer func() { _ = unix.Close(fd) }()
	limit := unix.NsecToTimeval(int64(10 * time.Second))
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit); err != nil {
		return nil, fmt.Errorf("sock_diag: %w", err)
	}
	if err := unix.Sendto(fd, unixDiagRequest(), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, fmt.Errorf("sock_diag: %w", err)
	}
	peers := map[uint64]uint64{}
	buf := make([]byte, 1<<16)
	for {
		n, from, err := unix.Recvfrom(fd, buf, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("sock_diag: %w", err)
		}
		if k, ok := from.(*unix.SockaddrNetlink); !ok || k.Pid != 0 {
			continue // not from the kernel
		}
		done, err := parseUnixDiag(buf[:n], peers)
		if err != nil {
			return nil, fmt.Errorf("sock_diag: %w", err)
		}
		if done {
			return peers, nil
		}
	}
}

// unixDiagRequest is a dump request for the peers of sockets in every state.
func unixDiagRequest() []byte {
	b := make([]byte, unix.NLMSG_HDRLEN+unixDiagReqLen)
	ne := binary.NativeEndian
	ne.PutUint32(b[0:], uint32(len(b)))
	ne.PutUint16(b[4:], sockDiagByFamily)
	ne.PutUint16(b[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	req := b[unix.NLMSG_HDRLEN:]
	req[0] = unix.AF_UNIX
	ne.PutUint32(req[4:], ^uint32(0)) // udiag_states
	ne.PutUint32(req[12:], udiagShowPeer)
	ne.PutUint64(req[16:], ^uint64(0)) // no cookie
	return b
}

// parseUnixDiag adds the pairs of one datagram of netlink messages to peers and
// reports whether it was the last.
func parseUnixDiag(b []byte, peers map[uint64]uint64) (done bool, err error) {
	ne := binary.NativeEndian
	for len(b) >= unix.NLMSG_HDRLEN {
		n := int(ne.Uint32(b))
		if n < unix.NLMSG_HDRLEN || n > len(b) {
			return false, errDiag
		}
		body := b[unix.NLMSG_HDRLEN:n]
		switch ne.Uint16(b[4:]) {
		case unix.NLMSG_DONE:
			return true, nil
		case unix.NLMSG_ERROR:
			if len(body) < 4 {
				return false, errDiag
			}
			return false, unix.Errno(-int32(ne.Uint32(body)))
		case sockDiagByFamily:
			if len(body) < unixDiagMsgLen {
				return false, errDiag
			}
			if peer, ok := peerAttr(body[unixDiagMsgLen:]); ok {
				peers[uint64(ne.Uint32(body[4:]))] = uint64(peer)
			}
		}
		b = b[min(align4(n), len(b)):]
	}
	return false, nil
}

// peerAttr finds UNIX_DIAG_PEER among netlink attributes.
func peerAttr(b []byte) (uint32, bool) {
	ne := binary.NativeEndian
	for len(b) >= 4 {
		n := int(ne.Uint16(b))
		if n < 4 || n > len(b) {
			return 0, false
		}
		if ne.Uint16(b[2:]) == unixDiagPeer && n >= 8 {
			return ne.Uint32(b[4:]), true
		}
		b = b[min(align4(n), len(b)):]
	}
	return 0, false
}

func align4(n int) int { return (n + 3) &^ 3 }
