package clientele

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"xrdpfix/diagnose"
	"xrdpfix/xrdpconf"
)

// Situation is what is known of the server, now and after the change.
type Situation struct {
	// Now is what the wire accepts today, After what it will accept.
	Now, After Policy
	// Settled is since when the configuration stands as it does.
	Settled time.Time
	// Mends reports whether the change mends a fault of this server; nil is none.
	Mends func(code diagnose.Code) bool
}

// Judge tells the fate of each client, those of one fate and reason together, the
// one that came last first.
func Judge(seen diagnose.Recent, s Situation) []Client {
	var out []Client
	for _, c := range seen.ByClient {
		c.Ways = waysOf(c)
		for _, ways := range byName(c.Ways) {
			out = append(out, s.judge(c.Addr, ways))
		}
		if len(c.Failures) > 0 {
			// It failed after it last came in, if it ever did: what failed may be
			// another machine or another program.
			if client := s.failing(c); len(c.Ways) == 0 || client.Fate == Gain {
				out = append(out, client)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Client) int {
		return cmp.Or(cmp.Compare(order(a.Fate), order(b.Fate)), cmp.Compare(b.TLS, a.TLS), strings.Compare(string(a.Why), string(b.Why)),
			b.Last.Compare(a.Last), strings.Compare(a.Addr, b.Addr), strings.Compare(a.Name, b.Name))
	})
	return out
}

// waysOf are the ways of a client; saved facts of an older xrdpfix have the best of
// them only.
func waysOf(c diagnose.ClientSeen) []diagnose.Way {
	switch {
	case len(c.Ways) > 0:
		return c.Ways
	case c.TLS != "":
		return []diagnose.Way{{Name: c.Name, TLS: c.TLS, Count: c.Connections, First: c.Last, Last: c.Last}}
	case !c.LastClassic.IsZero():
		return []diagnose.Way{{Name: c.Name, Count: c.Connections, First: c.LastClassic, Last: c.LastClassic}}
	}
	return nil
}

// order is in which fates are shown.
func order(f Fate) int { return slices.Index([]Fate{Keep, Lose, Gain, Unknown, Refused}, f) }

// byName splits the ways of an address by the names that were given there.
func byName(ways []diagnose.Way) [][]diagnose.Way {
	var out [][]diagnose.Way
	for _, w := range ways {
		i := slices.IndexFunc(out, func(o []diagnose.Way) bool { return o[0].Name == w.Name })
		if i < 0 {
			out = append(out, nil)
			i = len(out) - 1
		}
		out[i] = append(out[i], w)
	}
	return out
}

// judge tells the fate of one client by the ways that it came in.
func (s Situation) judge(addr string, ways []diagnose.Way) Client {
	fates := make([]Client, len(ways))
	for i, w := range ways {
		fates[i] = s.way(w)
	}
	worst := -1
	for i := range fates {
		if s.superseded(ways, fates, i) {
			continue
		}
		if worst < 0 || fates[i].Fate.worse(fates[worst].Fate) {
			worst = i
		}
	}
	c := fates[worst]
	c.Addr, c.Name = addr, ways[0].Name
	for i := range fates {
		switch {
		case i == worst || s.superseded(ways, fates, i):
		case fates[i].Fate == c.Fate && fates[i].Why == c.Why && fates[i].TLS == c.TLS:
			c.Count += fates[i].Count
			if fates[i].Last.After(c.Last) {
				c.Last = fates[i].Last
			}
		case fates[i].Fate != c.Fate:
			c.Mixed = true
		}
	}
	return c
}

// superseded reports whether a way is over: the client came in by a way that
// stays open after it had used this one for the last time. It was updated, or
// its settings were changed.
func (s Situation) superseded(ways []diagnose.Way, fates []Client, i int) bool {
	for k := range ways {
		if k != i && fates[i].Fate.worse(fates[k].Fate) && fates[k].Fate == Keep && ways[k].First.After(ways[i].Last) {
			return true
		}
	}
	return false
}

// way tells what becomes of one way to come in.
func (s Situation) way(w diagnose.Way) Client {
	c := Client{Count: w.Count, Last: w.Last}
	if w.TLS == "" {
		c.Fate, c.Why = s.classic(w)
		return c
	}
	v, err := xrdpconf.ParseTLSVersion(w.TLS)
	if err != nil {
		c.Fate, c.Why = Unknown, WhyNeverOffered // OpenSSL had no name for it
		return c
	}
	c.TLS = v
	switch {
	case !s.After.offersTLS():
		c.Fate, c.Why = Unknown, WhyNoTLSLeft
		if !s.After.Classic {
			c.Fate = Lose
		}
	case s.After.has(v):
		c.Fate, c.Why = Keep, WhyServed
	case v > s.After.Range.Max:
		c.Fate, c.Why = Unknown, WhyAboveRange
	case s.passedNewer(w, v):
		c.Fate, c.Why = Lose, WhyTooOld
	default:
		c.Fate, c.Why = Unknown, WhyNeverOffered
	}
	return c
}

// passedNewer reports whether a client is known to know nothing newer than v.
func (s Situation) passedNewer(w diagnose.Way, v xrdpconf.TLSVersion) bool {
	if w.Passed > 0 {
		return true
	}
	now := s.Now.offersTLS() && s.Now.Range.Max > v
	return now && !s.Settled.IsZero() && !w.Last.Before(s.Settled)
}

// classic tells what becomes of one that came in without TLS.
func (s Situation) classic(w diagnose.Way) (Fate, Why) {
	asked := strings.Contains(w.Asked, "SSL") || strings.Contains(w.Asked, "HYBRID")
	switch {
	case asked && s.After.offersTLS():
		return Gain, WhyGainsTLS
	case s.After.Classic:
		return Keep, WhyClassicServed
	case w.Asked == "":
		return Unknown, WhyAskedUnknown
	}
	return Lose, WhyClassicOnly
}

// failing tells what becomes of a client that does not get in today.
func (s Situation) failing(seen diagnose.ClientSeen) Client {
	last := seen.Failures[len(seen.Failures)-1]
	c := Client{Addr: seen.Addr, Count: len(seen.Failures), Last: last.Time, Cause: last.Cause, Fate: Refused, Why: WhyFails}
	switch {
	case s.Mends != nil && s.Mends(last.Cause):
		c.Fate, c.Why = Gain, WhyGainsAccess
	case last.Cause == diagnose.ClientTooOld && s.After.offersTLS() && s.Now.offersTLS() && s.After.Range.Min < s.Now.Range.Min:
		c.Fate, c.Why = Unknown, WhyWiderRange
	case last.Cause == diagnose.ClientClassicOnly && s.After.Classic && !s.Now.Classic:
		c.Fate, c.Why = Gain, WhyGainsAccess
	}
	return c
}
