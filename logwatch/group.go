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
	ends    int                 // ends seen of connections in open that could not be told apart
	session bool                // the last line was a TLS error of a session
	listens int                 // the pid of the listening process, 0 unknown
	now     time.Time           // time of the last line
	done    []Connection
}

// child names a process, or a thread of the listening one (fork=false).
type child struct {
	pid int
	tid uint64
}

// building is a connection whose set-up is not over.
type building struct {
	Connection
	at      phases // where it may be
	maybe   []*shared
	assumed bool  // its beginning was not seen
	over    bool  // its end was seen
	child   child // zero: not known
	texts   strings.Builder
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
		g.begin().take(m)
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
// order in which that was known. The caller owns the slice.
func (g *Grouper) Done() []Connection {
	done := g.done
	g.done = nil
	return done
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
	b := &building{at: accepted}
	g.open = append(g.open, b)
	return b
}

// assume opens a connection whose beginning was not logged.
func (g *Grouper) assume() *building {
	b := g.begin()
	b.assumed, b.at = true, everywhere
	return b
}

// place gives a line without process id to the only connection that it can
// belong to, or shares it among all of them.
func (g *Grouper) place(m Match) {
	at := m.Rule.step
	if at.kind == stepTail {
		return // may come from any session, and tells nothing
	}
	can := g.in(at.from)
	if len(can) == 0 && at.also != 0 {
		can = g.in(at.also)
	}
	switch {
	case len(can) > 1 || len(can) == 1 && at.kind == stepReason && g.session:
		g.share(can, m)
	case len(can) == 1:
		b := can[0]
		if b.assumed && at.kind == stepInside && at.from&accepted != 0 && b.has(m.Rule.ID) {
			g.finish(b) // the same again: another connection, its beginning not logged either
			b = g.assume()
		}
		g.give(b, m)
	case m.Entry.Claimed:
		// No connection is assumed because of what a client may have written.
	case at.kind == stepInside && m.Rule.Class != ClassNoise && m.Rule.Class != ClassFailure && m.Rule.Class != ClassInfo:
		g.give(g.assume(), m)
	}
}

// in returns the connections without a known process that may be in a stage.
func (g *Grouper) in(at phases) []*building {
	var can []*building
	for _, b := range g.open {
		if b.child == (child{}) && b.at&at != 0 {
			can = append(can, b)
		}
	}
	return can
}

// give counts a line to a connection.
func (g *Grouper) give(b *building, m Match) {
	b.take(m)
	if m.Rule.step.kind == stepEnd {
		b.Ended = true
		g.finish(b)
		return
	}
	if next := m.leadsTo(); next != 0 {
		b.at = next
	} else if m.Rule.step.kind == stepInside && b.at&m.Rule.step.from != 0 {
		b.at &= m.Rule.step.from
	}
}

// leadsTo is the stage behind a line, 0 where it stays the same.
func (m Match) leadsTo() phases {
	if m.Rule.ID == "negotiation-protocol" && m.Field("selected") == "" {
		return x224Broken
	}
	return m.Rule.step.next
}

// share notes a line that may belong to any of several connections.
func (g *Grouper) share(can []*building, m Match) {
	line := &shared{Match: m.clone(), of: slices.Clone(can)}
	for _, b := range can {
		b.Interleaved = true
		if len(b.maybe) < maxMatches {
			b.maybe = append(b.maybe, line)
		}
		b.at |= m.leadsTo()
	}
	if m.Rule.step.kind == stepEnd {
		g.ends++
		g.settle()
	}
}

// settle finishes all open connections when as many ends were seen.
func (g *Grouper) settle() {
	if g.ends == 0 || g.ends < len(g.open) {
		return
	}
	for _, b := range g.open {
		b.Ended = true
	}
	g.finishAll()
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
			line.of[0].own(line)
			if at.kind == stepEnd {
				g.ends = max(0, g.ends-1)
				line.of[0].Ended = true
				g.finish(line.of[0])
			}
		}
		return true
	})
}

// own moves a shared line to the connection that it turned out to belong to.
func (b *building) own(line *shared) {
	b.maybe = slices.DeleteFunc(b.maybe, func(o *shared) bool { return o == line })
	end, last := b.End, b.Last
	b.take(line.Match)
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
	g.ends = 0
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
	b.Interleaved = len(b.Maybe) > 0
	g.done = append(g.done, b.Connection)
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
	g.ends = min(g.ends, len(g.open))
}
