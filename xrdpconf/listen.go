package xrdpconf

import (
	"net/netip"
	"strconv"
	"strings"
)

// Networks of a [Listen], as Go's net package names them, and vsock.
const (
	NetworkTCP   = "tcp"  // all interfaces, IPv6 and IPv4 where xrdp was built with IPv6
	NetworkTCP4  = "tcp4" // IPv4
	NetworkTCP6  = "tcp6" // IPv6
	NetworkUnix  = "unix"
	NetworkVsock = "vsock"
)

// Listen is one thing that xrdp listens on.
type Listen struct {
	Network string
	// Addr is the address as xrdp takes it: empty for NetworkTCP, the path of a Unix
	// socket, the context identifier of a vsock.
	Addr string
	// Port is the number, 0 for a Unix socket. xrdp checks nothing: 0 is a random
	// port, and one above 65535 wraps.
	Port int
}

// String returns the element in xrdp's port syntax.
func (l Listen) String() string {
	port := strconv.Itoa(l.Port)
	switch l.Network {
	case NetworkUnix:
		return "unix://." + l.Addr
	case NetworkVsock:
		return "vsock://" + l.Addr + ":" + port
	case NetworkTCP4:
		switch l.Addr {
		case "0.0.0.0":
			return "tcp://:" + port
		case "127.0.0.1":
			return "tcp://.:" + port
		}
		return "tcp://" + l.Addr + ":" + port
	case NetworkTCP6:
		switch l.Addr {
		case "::":
			return "tcp6://:" + port
		case "::1":
			return "tcp6://.:" + port
		}
		return "tcp6://{" + l.Addr + "}:" + port
	}
	return port
}

// TCP reports whether RDP clients can reach it over TCP at all.
func (l Listen) TCP() bool { return strings.HasPrefix(l.Network, "tcp") }

// Loopback reports whether only this machine can connect.
func (l Listen) Loopback() bool {
	if l.Network == NetworkUnix {
		return true
	}
	a, err := netip.ParseAddr(l.Addr)
	return err == nil && l.TCP() && a.IsLoopback()
}

// partLimit is the size of xrdp's buffers for address and port (xrdp/xrdp_listen.c, xrdp_listen_pp).
const partLimit = 128

// portForms are the prefixes in the order in which xrdp tries them at each position
// (xrdp/xrdp_listen.c, xrdp_listen_pp). A fixed address needs no parsing of one.
var portForms = [...]struct {
	prefix, network, addr string
}{
	{"unix://.", NetworkUnix, ""},
	{"tcp://.:", NetworkTCP4, "127.0.0.1"},
	{"tcp://:", NetworkTCP4, "0.0.0.0"},
	{"tcp://", NetworkTCP4, ""},
	{"tcp6://.:", NetworkTCP6, "::1"},
	{"tcp6://:", NetworkTCP6, "::"},
	{"tcp6://", NetworkTCP6, ""},
	{"vsock://", NetworkVsock, ""},
}

// ParsePort reads a port value as xrdp from 0.9.11 on does. It has no notion of an
// error: what fits no form is skipped up to the next digit, and every number found
// becomes a port, so that 127.0.0.1:3389 is five of them.
func ParsePort(value string) []Listen {
	var out []Listen
	for rest := value; rest != ""; {
		l, used, ok := nextListen(rest)
		rest = rest[used:]
		if ok {
			out = append(out, l)
		}
	}
	return out
}

func nextListen(s string) (l Listen, used int, ok bool) {
	for _, f := range portForms {
		if !strings.HasPrefix(s, f.prefix) {
			continue
		}
		l = Listen{Network: f.network, Addr: f.addr}
		rest := s[len(f.prefix):]
		var port string
		switch {
		case f.network == NetworkUnix:
			l.Addr, rest = take(rest, notDelimiter, notDelimiter)
		case f.addr != "":
			port, rest = take(rest, digit, digit)
		default:
			l.Addr, rest = takeAddress(rest, f.network)
			if f.network == NetworkVsock {
				port, rest = take(rest, digitOrMinus, digit)
			} else {
				port, rest = take(rest, digit, digit)
			}
		}
		l.Port = atoi(port)
		return l, len(s) - len(rest), true
	}
	if digit(s[0]) {
		port, rest := take(s, digit, digit)
		return Listen{Network: NetworkTCP, Port: atoi(port)}, len(s) - len(rest), true
	}
	return Listen{}, 1, false
}

func takeAddress(s, network string) (addr, rest string) {
	switch network {
	case NetworkTCP4:
		return take(s, digit, func(c byte) bool { return digit(c) || c == '.' })
	case NetworkVsock:
		return take(s, digitOrMinus, digit)
	}
	_, s, found := strings.Cut(s, "{")
	if !found {
		return "", ""
	}
	return takeRun(s, func(c byte) bool { return c != '}' })
}

// take skips to the first byte that may begin a word and takes bytes as long as they
// may continue it. xrdp skips without bound, across blanks and letters.
func take(s string, begin, cont func(byte) bool) (word, rest string) {
	i := 0
	for i < len(s) && !begin(s[i]) {
		i++
	}
	if i == len(s) {
		return "", ""
	}
	word, rest = takeRun(s[i+1:], cont)
	if len(word) == partLimit {
		word, rest = word[:partLimit-1], s[i+partLimit:]
	}
	return s[i:i+1] + word, rest
}

func takeRun(s string, cont func(byte) bool) (word, rest string) {
	i := 0
	for i < len(s) && i < partLimit && cont(s[i]) {
		i++
	}
	return s[:i], s[i:]
}

func digit(c byte) bool        { return c >= '0' && c <= '9' }
func digitOrMinus(c byte) bool { return digit(c) || c == '-' }

// notDelimiter compares as xrdp does, with signed bytes: those above 0x7f end a file name.
func notDelimiter(c byte) bool { return c > ' ' && c < 0x80 && c != ',' }
