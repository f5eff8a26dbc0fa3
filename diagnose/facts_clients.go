package diagnose

import (
	"net/netip"
	"time"
)

// RecentOptions say what is read for [Recent].
type RecentOptions struct {
	// Days is how far back.
	Days int
	// Whole reads all of it, however long it is, and keeps every client.
	Whole bool
}

// Recent sums up the clients in xrdp.log.
type Recent struct {
	Days int `json:"days"`
	// Since is the time from which on the log was read: later than Days ago
	// where the log is too long to be read whole.
	Since       time.Time      `json:"since"`
	Clients     int            `json:"clients"`
	Connections int            `json:"connections"`
	TLS         int            `json:"tls"`     // clients seen with TLS
	Classic     int            `json:"classic"` // clients seen with classic RDP only
	Causes      map[string]int `json:"causes,omitempty"`
	// ByClient are the clients one by one, the one seen last first. Only the
	// first are kept: see Left.
	ByClient []ClientSeen `json:"by_client,omitempty"`
	// Left counts the clients that ByClient and HungUp leave out.
	Left int `json:"left,omitempty"`
	// HungUp are the addresses that only hung up before they asked for
	// anything. They are no clients, but they arrived.
	HungUp []string `json:"hung_up,omitempty"`
}

// ClientSeen is what xrdp.log tells of the client at one address. Hang-ups and
// our own probes are not counted; where several machines share the address, it
// is one client.
type ClientSeen struct {
	Addr string `json:"addr"`
	// Name is the client's own word for its name; believe nothing.
	Name        string    `json:"name,omitempty"`
	Last        time.Time `json:"last"`
	Connections int       `json:"connections"`
	// TLS is the newest version that it was seen with, "TLSv1.3".
	TLS string `json:"tls,omitempty"`
	// LastClassic is when it last came in without TLS, zero for never.
	LastClassic time.Time `json:"last_classic,omitzero"`
	// Failures is what failed since it last came in, oldest first: the latest
	// attempts only, see MaxFailures.
	Failures []ClientFailure `json:"failures,omitempty"`
	// Ways are how it came in, the one used last first: see [Way] and MaxWays.
	Ways []Way `json:"ways,omitempty"`
}

// Way is one way by which a client came in: what was chosen and under which name.
// Machines that share an address are told apart by nothing but their names.
type Way struct {
	// Name is the client's own word for its name; believe nothing.
	Name string `json:"name,omitempty"`
	// TLS is the version that was chosen, "TLSv1.2"; "" is classic RDP security.
	TLS string `json:"tls,omitempty"`
	// Asked are the protocols that it asked for, "SSL|HYBRID" or "RDP"; "" where
	// the log does not tell.
	Asked string    `json:"asked,omitempty"`
	Count int       `json:"count"`
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	// Passed counts those of its connections at which a newer TLS version was on
	// offer, as far as the log proves it: somebody was given one at most a day
	// before and at most a day after. Where there are some, the client knows
	// no newer version than TLS.
	Passed int `json:"passed,omitempty"`
}

// ClientFailure is one attempt that failed.
type ClientFailure struct {
	Time  time.Time `json:"time"`
	Cause Code      `json:"cause"`
	// Likely says that the cause was inferred and no line states it.
	Likely bool `json:"likely,omitempty"`
	// Asked are the protocols that it asked for, "SSL|HYBRID".
	Asked string `json:"asked,omitempty"`
}

// Limits of what the facts keep of clients, most of which may be scanners.
const (
	MaxClients  = 500
	MaxFailures = 20
	// MaxWays bounds the ways of one address: its names are its own invention.
	MaxWays = 50
)

// loopback reports whether the client is on this machine: a health check, a
// tunnel, or a test. Its failures are not held against anybody.
func (c ClientSeen) loopback(own []string) bool {
	a, err := netip.ParseAddr(c.Addr)
	if err != nil || a.IsLoopback() {
		return true
	}
	for _, o := range own {
		if b, err := netip.ParseAddr(o); err == nil && a == b {
			return true
		}
	}
	return false
}
