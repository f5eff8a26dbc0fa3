package logwatch

import (
	"slices"
	"strings"
	"time"
)

// Grouper puts lines together to connections, in one pass over a log of any
// length. Its zero value is ready. It is not safe for concurrent use.
//
// Connections that were accepted before the first line that it is given are
// not known to it: give it some minutes before those that matter.
type Grouper struct {
	open    []*building         // being set up, oldest first
	byChild map[child]*building // those whose process is known
	orphans []*building         // whose process is known, but not the address
	recent  []*building         // classic, just established: may still fail
	tangles []*tangle           // those in open, each in one
	can     []*tangle           // what in returns
	session bool                // the last line was a TLS error of a session
	listens int                 // the pid of the listening process, 0 unknown
	now     time.Time           // time of the last line
	done    []Connection

	texts     strings.Builder // what is kept of lines, several to a piece
	spare     [][]Match       // to be used again
	buildings []*building     // to be used again
}

// child names a process, or a thread of the listening one (fork=false).
type child struct {
	pid int
	tid uint64
}

// building is a connection whose set-up is not over.
type building struct {
	Connection
	with    *tangle // nil when it is over
	maybe   []*shared
	assumed bool  // its beginning was not seen
	over    bool  // its end was seen
	child   child // zero: not known

	numbered bool // its lines carry process ids
}

// shared is a line that may belong to any of several connections.
type shared struct {
	Match
	of []*building
}

// Limits of what is kept open. xrdp has no timeout of its own for a client that
// says nothing, so one that is silent for openFor is given up: it is reported
// with what is known, and lines no longer count as possibly its own.
const (
	maxOpen   = 512
	openFor   = 10 * time.Minute
	lateFor   = 10 * time.Second // what follows an established classic connection
	orphanFor = 10 * time.Second
)

// Add reads the next line.
func (g *Grouper) Add(e Entry) {
	if m, ok := Classify(e); ok {
		g.AddMatch(m)
	}
}

// AddMatch reads the next line, recognised already. Lines that no rule matches
// need not be given.
func (g *Grouper) AddMatch(m Match) {
	if !m.Entry.Time.Equal(g.now) {
		g.now = m.Entry.Time
		g.expire()
	}
	kind := m.Rule.step.kind
	if kind == stepNone {
		return
	}
	if kind != stepReason && m.Entry.PID == 0 {
		g.session = kind == stepTail
	}
	switch kind {
	case stepAccept:
		g.listens = m.Entry.PID
		b := g.begin()
		b.numbered = m.Entry.PID != 0
		g.take(b, m)
	case stepRestart:
		g.finishAll()
	case stepEstablished:
		g.establish(m)
	case stepLate:
		g.late(m)
	default:
		if m.Entry.PID == 0 {
			g.place(m)
		} else if b := g.of(m); b != nil {
			g.give(b, m)
		}
	}
}

// Done returns the connections whose set-up is over since the last call, in the
// order in which that was known. The slice is valid until the next line is added;
// the connections in it are the caller's.
func (g *Grouper) Done() []Connection {
	done := g.done
	g.done = g.done[:0]
	return done
}

// Recycle takes back the memory of a connection's Matches, which the caller must
// not use any more; what it kept of their texts stays.
func (g *Grouper) Recycle(matches []Match) {
	if cap(matches) > 0 && len(g.spare) < batchSize {
		clear(matches)
		g.spare = append(g.spare, matches[:0])
	}
}

// Flush ends all connections and returns what Done would, the unfinished ones last.
func (g *Grouper) Flush() []Connection {
	for len(g.recent) > 0 {
		g.finish(g.recent[0])
	}
	g.finishAll()
	g.listens, g.session = 0, false
	return g.Done()
}

// Group puts the lines of a whole log together.
func Group(entries []Entry) []Connection {
	var g Grouper
	for _, e := range entries {
		g.Add(e)
	}
	return g.Flush()
}

// begin opens a connection.
func (g *Grouper) begin() *building {
	if len(g.open) >= maxOpen {
		g.finish(g.open[0])
	}
	var b *building
	if n := len(g.buildings); n > 0 {
		b, g.buildings = g.buildings[n-1], g.buildings[:n-1]
	} else {
		b = &building{}
	}
	g.open = append(g.open, b)
	g.alone(b, accepted)
	return b
}

// assume opens a connection whose beginning was not logged.
func (g *Grouper) assume() *building {
	b := g.begin()
	b.assumed, b.with.at[0] = true, everywhere
	return b
}

// place gives a line without process id to the only connection that it can
// belong to, or shares it among all of them.
func (g *Grouper) place(m Match) {
	at := m.Rule.step
	if at.kind == stepTail {
		return // may come from any session, and tells nothing
	}
	from := at.from
	can := g.in(from)
	if len(can) == 0 && at.also != 0 {
		from = at.also
		can = g.in(from)
	}
	switch {
	case len(can) == 1 && len(can[0].of) == 1 && (at.kind != stepReason || !g.session):
		b := can[0].of[0]
		if b.assumed && at.kind == stepInside && at.from&accepted != 0 && b.has(m.Rule.ID) {
			g.finish(b) // the same again: another connection, its beginning not logged either
			b = g.assume()
		}
		g.give(b, m)
	case len(can) > 0:
		g.tangle(can, from, m)
	case m.Entry.Claimed:
		// No connection is assumed because of what a client may have written.
	case at.kind == stepInside && m.Rule.Class != ClassNoise && m.Rule.Class != ClassFailure && m.Rule.Class != ClassInfo:
		g.give(g.assume(), m)
	}
}

// give counts a line to a connection.
func (g *Grouper) give(b *building, m Match) {
	g.take(b, m)
	if m.Rule.step.kind == stepEnd {
		b.Ended = true
		g.finish(b)
		return
	}
	if b.with == nil || len(b.with.at) != 1 {
		return
	}
	if at, next := &b.with.at[0], m.leadsTo(); next != 0 {
		*at = next
	} else if m.Rule.step.kind == stepInside && *at&m.Rule.step.from != 0 {
		*at &= m.Rule.step.from
	}
}

// leadsTo is the stage behind a line, 0 where it stays the same.
func (m *Match) leadsTo() phases {
	if m.Rule.ID == "negotiation-protocol" && m.Field("selected") == "" {
		return x224Broken
	}
	return m.Rule.step.next
}

// tangle handles a line that may belong to a connection of any of several tangles,
// or to any of one: from is the stages in which the line comes.
func (g *Grouper) tangle(can []*tangle, from phases, m Match) {
	next := m.leadsTo()
	if next == 0 && m.Rule.step.kind != stepEnd {
		var of []*building
		for _, t := range can {
			of = append(of, t.of...)
		}
		share(of, m)
		return
	}
	t := g.join(can)
	share(slices.Clone(t.of), m)
	t.move(from, next)
	g.settle(t)
	if len(t.of) > maxTangled && len(t.of) > len(t.at) {
		g.finish(t.of[0])
	}
}

// share notes a line that may belong to any of several connections, and keeps of.
func share(of []*building, m Match) {
	line := &shared{Match: m.clone(), of: of}
	for _, b := range of {
		b.Interleaved = true
		if len(b.maybe) < maxMatches {
			b.maybe = append(b.maybe, line)
		}
	}
}

// exclude takes an established connection from the lines of failure that it
// shares: they were not its own, and where one other is left, they are that
// one's.
func (g *Grouper) exclude(b *building) {
	b.maybe = slices.DeleteFunc(b.maybe, func(line *shared) bool {
		at := line.Rule.step
		if at.kind == stepInside && line.leadsTo()&(x224Broken|tlsBroken|tlsRefused|mcsBroken|failing|failed) == 0 {
			return false
		}
		line.of = slices.DeleteFunc(line.of, func(o *building) bool { return o == b })
		if len(line.of) == 1 && !line.of[0].over {
			g.own(line.of[0], line)
			if at.kind == stepEnd {
				line.of[0].Ended = true
				g.finish(line.of[0])
			}
		}
		return true
	})
}

// own moves a shared line to the connection that it turned out to belong to.
func (g *Grouper) own(b *building, line *shared) {
	b.maybe = slices.DeleteFunc(b.maybe, func(o *shared) bool { return o == line })
	end, last := b.End, b.Last
	g.take(b, line.Match)
	if b.End.Before(end) || b.End.Equal(end) && b.Last < last {
		b.End, b.Last = end, last
	}
	slices.SortStableFunc(b.Matches, func(x, y Match) int {
		if c := x.Entry.Time.Compare(y.Entry.Time); c != 0 {
			return c
		}
		return int(min(max(x.Entry.Offset-y.Entry.Offset, -1), 1))
	})
}

// expire gives up on what has been silent for too long.
func (g *Grouper) expire() {
	old := func(d time.Duration) func(*building) bool {
		return func(b *building) bool { return g.now.Sub(b.End) > d }
	}
	for i := slices.IndexFunc(g.recent, old(lateFor)); i >= 0; i = slices.IndexFunc(g.recent, old(lateFor)) {
		g.finish(g.recent[i])
	}
	for i := slices.IndexFunc(g.open, old(openFor)); i >= 0; i = slices.IndexFunc(g.open, old(openFor)) {
		g.finish(g.open[i])
	}
	for i := slices.IndexFunc(g.orphans, old(orphanFor)); i >= 0; i = slices.IndexFunc(g.orphans, old(orphanFor)) {
		b := g.orphans[i]
		g.orphans = slices.Delete(g.orphans, i, i+1)
		if b.over {
			g.report(b)
		}
	}
}

// finishAll ends everything that is being set up.
func (g *Grouper) finishAll() {
	orphans := g.orphans
	g.orphans = nil
	for _, b := range orphans {
		if b.over {
			g.report(b)
		}
	}
	for len(g.open) > 0 {
		g.finish(g.open[0])
	}
}

// finish ends a connection, and reports it unless its address may yet come.
func (g *Grouper) finish(b *building) {
	g.drop(b)
	b.over = true
	if !slices.Contains(g.orphans, b) {
		g.report(b)
	}
}

// report gives out what is known of a connection.
func (g *Grouper) report(b *building) {
	if !b.Negotiated && slices.ContainsFunc(b.Matches, func(m Match) bool {
		return m.Rule.step.from != 0 && m.Rule.step.from&^(selected|tlsBroken|tlsRefused|named|mcsBroken) == 0
	}) {
		b.agree(ClassNegotiation) // it came to the stage behind
	}
	b.Maybe = nil
	if len(b.maybe) > 0 {
		b.Maybe = make([]Match, 0, len(b.maybe))
	}
	for _, line := range b.maybe {
		b.Maybe = append(b.Maybe, line.Match)
	}
	entangled := b.Interleaved
	b.Interleaved = len(b.Maybe) > 0
	g.done = append(g.done, b.Connection)
	if entangled { // lines that others share keep b alive; b must not keep older ones alive in turn
		b.maybe, b.Matches, b.Maybe = nil, nil, nil
	} else if len(g.buildings) < maxOpen {
		*b = building{}
		g.buildings = append(g.buildings, b)
	}
}

// drop forgets a connection that is open.
func (g *Grouper) drop(b *building) {
	remove := func(list []*building) []*building {
		return slices.DeleteFunc(list, func(o *building) bool { return o == b })
	}
	g.open, g.recent = remove(g.open), remove(g.recent)
	if b.child != (child{}) && g.byChild[b.child] == b {
		delete(g.byChild, b.child)
	}
	g.leave(b)
}
