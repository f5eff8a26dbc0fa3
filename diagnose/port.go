package diagnose

import (
	"net"
	"strconv"
	"strings"

	"xrdpfix/xrdpconf"
)

// defaultPort is IANA's port for ms-wbt-server.
const defaultPort = 3389

// portTrap says what is wrong with port=, "" for nothing: from 0.9.11 on a
// missing value listens on nothing, and what looks like an address is read as
// several ports (xrdp/xrdp_listen.c).
func portTrap(s xrdpconf.Server) string {
	tcp := 0
	for _, l := range s.Listen {
		switch {
		case !l.TCP():
			continue
		case l.Port <= 0 || l.Port > 65535:
			return "xrdp takes it for the ports " + listens(s) + "; an address is written tcp://ADDRESS:PORT"
		}
		tcp++
	}
	if s.Port == "" && tcp == 0 {
		return "without a port xrdp listens on nothing"
	}
	if strings.Contains(s.Port, ".") && !strings.Contains(s.Port, "://") {
		return "xrdp takes it for the ports " + listens(s) + "; an address is written tcp://ADDRESS:PORT"
	}
	return ""
}

func listens(s xrdpconf.Server) string {
	var out []string
	for _, l := range s.Listen {
		out = append(out, strconv.Itoa(l.Port))
	}
	return strings.Join(out, ", ")
}

// PortMeant is the value of port= that a person who wrote the present one
// meant: 127.0.0.1:3389 becomes tcp://127.0.0.1:3389, nothing becomes 3389.
func PortMeant(s xrdpconf.Server) string {
	host, port, err := net.SplitHostPort(strings.TrimSpace(s.Port))
	if ip := net.ParseIP(host); err == nil && ip != nil {
		if _, err := strconv.ParseUint(port, 10, 16); err == nil {
			if ip.To4() != nil {
				return "tcp://" + host + ":" + port
			}
			return "tcp6://{" + host + "}:" + port
		}
	}
	return strconv.Itoa(defaultPort)
}

// LoopbackAddr is where this machine reaches the first TCP port that xrdp is
// configured to listen on.
func LoopbackAddr(s xrdpconf.Server) string {
	for _, l := range s.Listen {
		if !l.TCP() {
			continue
		}
		host := "127.0.0.1"
		if ip := net.ParseIP(l.Addr); ip != nil && !ip.IsUnspecified() {
			host = l.Addr
		} else if l.Network == xrdpconf.NetworkTCP6 {
			host = "::1"
		}
		return net.JoinHostPort(host, strconv.Itoa(l.Port))
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(defaultPort))
}
