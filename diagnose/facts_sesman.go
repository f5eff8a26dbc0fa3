package diagnose

import (
	"path"
	"strconv"

	"xrdpfix/xrdpconf"
)

// SesmanReach is the way from xrdp to xrdp-sesman.
type SesmanReach struct {
	// Wanted is what xrdp connects to: "127.0.0.1:3350" up to 0.9, the name of a
	// Unix socket from 0.10 on.
	Wanted string `json:"wanted"`
	// Listening: something listens there.
	Listening bool `json:"listening"`
	// Elsewhere are other places where xrdp-sesman listens.
	Elsewhere []string `json:"elsewhere,omitempty"`
}

// Where xrdp finds xrdp-sesman when sesman.ini does not say: SCP_LISTEN_PORT of
// 0.9, SCP_LISTEN_PORT_BASE_STR of 0.10 (common/xrdp_sockets.h).
const (
	sesmanPort   = 3350
	sesmanSocket = "sesman.socket"
)

// SesmanAt is where xrdp of a version connects to xrdp-sesman: a port of
// 127.0.0.1 up to 0.9, the last part of a socket's path from 0.10 on, where a
// number left over from 0.9 means the default.
func SesmanAt(m xrdpconf.SessionManager, v xrdpconf.Version) (port int, socket string) {
	n, err := strconv.Atoi(m.ListenPort)
	if !v.AtLeast(0, 10) {
		if err != nil || n <= 0 || n > 65535 {
			n = sesmanPort
		}
		return n, ""
	}
	if err == nil || m.ListenPort == "" {
		return 0, sesmanSocket
	}
	return 0, path.Base(m.ListenPort)
}
