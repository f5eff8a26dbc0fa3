package host

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"xrdpfix/diagnose"
	"xrdpfix/logwatch"
)

// wayCounter counts the ways by which clients came in, and which of them passed
// a newer TLS version by. xrdp.log does not say what was on offer; that somebody
// was given a version does, for the time around. Connections come in order.
type wayCounter struct {
	ways map[string][]*countedWay // by address
	// newer, for each version below the newest: when one above it was last given
	// to somebody, and the ways by which clients came in with it since.
	newer map[string]*newerOffer
}

// countedWay is a way, and what would count to Passed if a newer version turns
// out to have been on offer.
type countedWay struct {
	diagnose.Way
	pending int
}

type newerOffer struct {
	last    time.Time
	pending []*countedWay
}

// offerReach is how far apart two proofs of an offer may be for it to have stood
// all the time between them: long enough that one probe a day is enough, as the
// timer of a package makes it.
const offerReach = 25 * time.Hour

func newWayCounter() wayCounter {
	return wayCounter{ways: map[string][]*countedWay{}, newer: map[string]*newerOffer{"TLSv1": {}, "TLSv1.1": {}, "TLSv1.2": {}}}
}

// offered notes that a version was given to somebody.
func (w *wayCounter) offered(version string, at time.Time) {
	for older, o := range w.newer {
		if older >= version {
			continue
		}
		stood := !o.last.IsZero() && at.Sub(o.last).Abs() <= offerReach
		for _, way := range o.pending {
			if stood {
				way.Passed += way.pending
			}
			way.pending = 0
		}
		o.pending = o.pending[:0]
		o.last = at
	}
}

// add counts an established connection.
func (w *wayCounter) add(addr string, j logwatch.Judged) {
	is := diagnose.Way{Name: j.ClientName, Asked: j.Requested}
	if j.Negotiated && j.Requested == "" {
		is.Asked = "RDP" // which xrdp assumes then, and since 0.10.4 does not print
	}
	if j.Outcome.Kind == logwatch.ConnectedTLS {
		is.TLS = j.TLSVersion
	}
	list := w.ways[addr]
	i := slices.IndexFunc(list, func(o *countedWay) bool { return o.Name == is.Name && o.TLS == is.TLS && o.Asked == is.Asked })
	if i < 0 {
		if len(list) >= diagnose.MaxWays {
			return
		}
		is.First = j.Start.UTC()
		list = append(list, &countedWay{Way: is})
		w.ways[addr], i = list, len(list)-1
	}
	way := list[i]
	way.Count++
	if j.Start.After(way.Last) {
		way.Last = j.Start.UTC()
	}
	if o := w.newer[way.TLS]; o != nil && !o.last.IsZero() {
		if way.pending++; way.pending == 1 {
			o.pending = append(o.pending, way)
		}
	}
}

// of returns the ways of an address, the one used last first.
func (w *wayCounter) of(addr string) []diagnose.Way {
	var out []diagnose.Way
	for _, way := range w.ways[addr] {
		out = append(out, way.Way)
	}
	slices.SortFunc(out, func(a, b diagnose.Way) int {
		return cmp.Or(b.Last.Compare(a.Last), strings.Compare(a.Name, b.Name), strings.Compare(a.TLS, b.TLS), strings.Compare(a.Asked, b.Asked))
	})
	return out
}
