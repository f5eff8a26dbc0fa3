package clientele

import (
	"time"

	"xrdpfix/diagnose"
	"xrdpfix/xrdpconf"
)

// Fate is what becomes of a client.
type Fate string

// The fates.
const (
	Keep    Fate = "keep"    // gets in as today, or better
	Lose    Fate = "lose"    // gets in today, and no longer
	Gain    Fate = "gain"    // gets TLS, or access, that it does not have today
	Unknown Fate = "unknown" // the log cannot tell
	Refused Fate = "refused" // does not get in today, and will not
)

// Why is the reason of a fate.
type Why string

// The reasons.
const (
	// WhyServed: what it uses today stays on offer. See Client.TLS.
	WhyServed Why = "served"
	// WhyClassicServed: it has no TLS, and is still let in.
	WhyClassicServed Why = "classic-served"
	// WhyTooOld: it took an older version than the lowest while a newer one was
	// on offer.
	WhyTooOld Why = "tls-too-old"
	// WhyClassicOnly: it offers no TLS, and TLS is demanded.
	WhyClassicOnly Why = "classic-only"
	// WhyNeverOffered: it took an older version than the lowest, and as far as
	// is known nothing newer was on offer.
	WhyNeverOffered Why = "never-offered"
	// WhyAboveRange: it took a newer version than the highest; whether it knows
	// an older one was never seen.
	WhyAboveRange Why = "above-range"
	// WhyAskedUnknown: it came in without TLS, and the log does not tell whether
	// it had asked for it.
	WhyAskedUnknown Why = "asked-unknown"
	// WhyNoTLSLeft: TLS would no longer be offered; whether the client falls
	// back was never seen.
	WhyNoTLSLeft Why = "no-tls-left"
	// WhyGainsTLS: it asked for TLS and was given none. Which versions it knows
	// was never seen.
	WhyGainsTLS Why = "gains-tls"
	// WhyGainsAccess: it failed for a reason that lies here and that is mended.
	WhyGainsAccess Why = "gains-access"
	// WhyWiderRange: it was too old for the range, and the range goes further down.
	WhyWiderRange Why = "wider-range"
	// WhyFails: it does not get in today, for a reason of its own.
	WhyFails Why = "fails"
)

// Client is a client and its fate.
type Client struct {
	Addr string
	// Name is the client's own claim, "" where it never got far enough to say.
	Name string
	Fate Fate
	Why  Why
	// TLS is the version that the reason is about, 0 for none: the one that it
	// uses today, or took when a newer one was on offer.
	TLS xrdpconf.TLSVersion
	// Count and Last are its connections of that kind.
	Count int
	Last  time.Time
	// Mixed says that it also came in otherwise: two programs, or two machines
	// behind one address with one name.
	Mixed bool
	// Cause is why it fails today, of one that does.
	Cause diagnose.Code
}

// worse orders fates: what decides about a client that came in by several ways.
func (f Fate) worse(o Fate) bool {
	rank := map[Fate]int{Keep: 1, Gain: 2, Unknown: 3, Lose: 4}
	return rank[f] > rank[o]
}
