package clientele

import (
	"slices"

	"xrdpfix/diagnose"
	"xrdpfix/xrdpconf"
)

// Advice is a policy and the clients that stand in its way.
type Advice struct {
	Policy Policy
	// First are those that would lose access, or might: they are to be mended or
	// retired first. It is empty where the policy loses nobody seen.
	First []Client
}

// Strictest names the strictest policy that loses none of the clients seen, and
// the next steps beyond it with who stands in their way, the shorter list
// first. A client about which nothing is known counts as standing in the way,
// and so does one that asked for TLS and was given none, of everything stricter
// than the policy planned. It reports false where no client was seen with TLS.
func Strictest(seen diagnose.Recent, s Situation) (Advice, []Advice, bool) {
	if !slices.ContainsFunc(seen.ByClient, withTLS) {
		return Advice{}, nil, false
	}
	planned := s.After.Range.Min
	s.Mends = nil
	inTheWay := func(p Policy) []Client {
		s.After = p
		return slices.DeleteFunc(Judge(seen, s), func(c Client) bool {
			switch c.Why {
			case WhyWiderRange, WhyFails, WhyGainsAccess:
				return true // it does not get in today
			case WhyGainsTLS:
				return p.Range.Min <= planned
			}
			return c.Fate != Lose && c.Fate != Unknown
		})
	}
	// A version that this server never showed cannot be judged.
	top := xrdpconf.TLS13
	if s.Now.offersTLS() {
		top = s.Now.Range.Max
	}
	sure := Policy{Range: xrdpconf.Range{Min: top, Max: xrdpconf.TLS13}, Classic: true}
	for sure.Range.Min > xrdpconf.TLS10 && len(inTheWay(sure)) > 0 {
		sure.Range.Min--
	}
	demand := sure
	demand.Classic = false
	var next []Advice
	if who := inTheWay(demand); len(who) == 0 {
		sure = demand
	} else {
		next = append(next, Advice{demand, who})
	}
	if sure.Range.Min < top {
		higher := sure
		higher.Range.Min = max(higher.Range.Min+1, xrdpconf.TLS12) // 1.1 is as obsolete as 1.0
		higher.Range.Min = min(higher.Range.Min, top)
		next = append(next, Advice{higher, inTheWay(higher)})
	}
	slices.SortStableFunc(next, func(a, b Advice) int { return len(a.First) - len(b.First) })
	return Advice{Policy: sure}, next, true
}

// withTLS reports whether a client came in with TLS.
func withTLS(c diagnose.ClientSeen) bool {
	return slices.ContainsFunc(waysOf(c), func(w diagnose.Way) bool { return w.TLS != "" })
}
