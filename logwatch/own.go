package logwatch

import (
	"net/netip"
	"slices"
	"time"
)

// ownWindow is how far apart the connections of one of our surveys may be: each
// is bounded by its timeout, and all of them together take less than this.
const ownWindow = 2 * time.Second

// OwnFilter tells the connections of our own surveys from those of clients. Only
// a connection that got far enough to give its name says that it is ours; the
// others of the same survey, such as one that asked for TLS 1.0 and was refused,
// are known by their neighbourhood: the same address, unestablished, within a few
// seconds. Connections go in with Add and come out in the same order.
//
// A client may call itself [OwnName] and so hide its failures from view; it
// cannot make anything look better than it is.
type OwnFilter struct {
	// Live gives each connection out at once, judged by what came before it.
	Live bool

	wait  []Connection
	named []ownSight // connections that gave our name, those that still matter
	out   []Judged
}

// ownSight is a connection that gave our name.
type ownSight struct {
	addr netip.Addr
	at   time.Time
}

// Judged is a connection and whether it is one of ours.
type Judged struct {
	Connection
	Outcome Outcome
}

// Add takes a connection and returns those about which nothing more can come. The
// slice is valid until the next call.
func (f *OwnFilter) Add(c Connection) []Judged {
	f.note(&c)
	f.wait = append(f.wait, c)
	if f.Live {
		return f.release(len(f.wait))
	}
	n := slices.IndexFunc(f.wait, func(w Connection) bool { return c.Start.Sub(w.Start) <= ownWindow })
	return f.release(n)
}

// Flush returns the rest.
func (f *OwnFilter) Flush() []Judged { return f.release(len(f.wait)) }

func (f *OwnFilter) note(c *Connection) {
	if c.ClientName == OwnName && len(f.named) < maxNamed {
		f.named = append(f.named, ownSight{c.Client.Addr(), c.Start})
	}
}

// maxNamed bounds what forged names can cost.
const maxNamed = 1000

func (f *OwnFilter) release(n int) []Judged {
	f.out = f.out[:0]
	for i := range f.wait[:max(n, 0)] {
		c := &f.wait[i]
		j := Judged{*c, c.Outcome()}
		if !c.Established && slices.ContainsFunc(f.named, func(n ownSight) bool {
			return n.addr == c.Client.Addr() && n.at.Sub(c.Start).Abs() <= ownWindow
		}) {
			j.Outcome.Own = true
		}
		f.out = append(f.out, j)
		f.named = slices.DeleteFunc(f.named, func(n ownSight) bool { return c.Start.Sub(n.at) > ownWindow })
	}
	f.wait = slices.Delete(f.wait, 0, max(n, 0))
	return f.out
}
