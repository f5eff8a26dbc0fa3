package host

import (
	"context"

	"xrdpfix/diagnose"
	"xrdpfix/logwatch"
	"xrdpfix/repair"
	"xrdpfix/xrdpconf"
)

// Observer looks at the result of a change.
func (m *Machine) Observer() repair.Observer { return &observer{m} }

type observer struct{ m *Machine }

// Observe connects as a client does and reads in xrdp.log what became of it.
func (o *observer) Observe(ctx context.Context, want repair.Expectation) repair.Observation {
	if !o.m.Live() {
		return repair.Observation{Failed: "offline"}
	}
	mark, markErr := o.m.LogEnd(want.LogPath)
	seen := repair.Observation{Wire: o.m.survey(ctx, want.Addr, wantedRange(want), want.Every)}
	if want.LogHidden != "" {
		seen.Own = diagnose.Skipped[[]logwatch.Connection](want.LogHidden)
		return seen
	}
	if markErr != nil {
		seen.Own = diagnose.Failed[[]logwatch.Connection](markErr.Error())
		return seen
	}
	entries, err := o.m.ownEntries(ctx, mark, func(e []logwatch.Entry) bool { return diagnose.Told(e, seen.Wire) })
	if err != nil {
		seen.Own = diagnose.Failed[[]logwatch.Connection](err.Error())
		return seen
	}
	own := diagnose.OwnConnections(entries, seen.Wire)
	seen.Own = diagnose.Seen(own)
	seen.Foreign = foreignErrors(entries, own)
	return seen
}

// wantedRange spans the versions that must be accepted.
func wantedRange(want repair.Expectation) xrdpconf.Range {
	var r xrdpconf.Range
	for _, v := range want.Accept {
		t := xrdpconf.TLSVersion(v)
		if r.Min == 0 || t < r.Min {
			r.Min = t
		}
		r.Max = max(r.Max, t)
	}
	return r
}

// foreignErrors counts the causes of other connections in the same window.
func foreignErrors(entries []logwatch.Entry, own []logwatch.Connection) int {
	ports := map[uint16]bool{}
	for _, c := range own {
		ports[c.Client.Port()] = true
	}
	n := 0
	for _, c := range logwatch.Group(entries) {
		if !ports[c.Client.Port()] && c.Outcome().Kind == logwatch.Failed {
			n++
		}
	}
	return n
}
