package logwatch

import (
	"net/netip"
	"slices"
	"time"
)

// Grouper puts lines together to connections, in one pass over a log of any
// length. Its zero value is ready. It is not safe for concurrent use.
type Grouper struct {
	open    []*building         // being set up, oldest first
	byChild map[child]*building // those of open whose process is known
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
	lo, hi  phase // how far it can be
	reason  bool  // a reason by OpenSSL is due
	assumed bool  // its beginning was not seen
	child   child // zero: not known
}

// Limits of what is kept open. xrdp has no timeout of its own for a client that
// says nothing, so one that is silent for openFor is given up: it is reported
// with what is known, and lines no longer count as possibly its own.
const (
	maxOpen     = 512
	openFor     = 10 * time.Minute
	classicLate = 10 * time.Second
)

// Add reads the next line.
func (g *Grouper) Add(e Entry) {
	if !e.Time.Equal(g.now) {
		g.now = e.Time
		g.expire()
	}
	if m, ok := Classify(e); ok && m.Rule.step.kind != stepNone {
		g.add(m)
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
		g.finishRecent(0)
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

func (g *Grouper) add(m Match) {
	kind := m.Rule.step.kind
	if kind != stepReason && m.Entry.PID == 0 {
		g.session = kind == stepTail
	}
	switch kind {
	case stepAccept:
		g.listens = m.Entry.PID
		g.begin(m)
	case stepRestart:
		g.finishAll()
	case stepEstablished:
		g.establish(m)
	case stepLate:
		g.late(m)
	default:
		if m.Entry.PID != 0 {
			if b := g.of(m); b != nil {
				g.give(b, m)
			}
			return
		}
		g.place(m)
	}
}

// begin opens a connection.
func (g *Grouper) begin(m Match) *building {
	b := &building{assumed: m.Rule.step.kind != stepAccept}
	if b.assumed {
		b.lo, b.hi = accepted, named
	} else {
		b.take(m)
	}
	if len(g.open) == maxOpen {
		g.finish(g.open[0])
	}
	g.open = append(g.open, b)
	return b
}

// key names the process of a line.
func (g *Grouper) key(e *Entry) child {
	if e.PID == g.listens {
		return child{e.PID, e.TID}
	}
	return child{pid: e.PID}
}

// of finds the connection of a line that carries a process id, nil for lines
// after the set-up.
func (g *Grouper) of(m Match) *building {
	key := g.key(&m.Entry)
	if b, ok := g.byChild[key]; ok {
		return b
	}
	if kind := m.Rule.step.kind; kind == stepTail || kind == stepReason || kind == stepEnd {
		return nil
	}
	// A new process serves the one connection that waits for its process; if
	// several wait, the address stays open until xrdp prints it.
	var waiting []*building
	for _, b := range g.open {
		if b.child == (child{}) && !b.assumed {
			waiting = append(waiting, b)
		}
	}
	var b *building
	if len(waiting) == 1 {
		b = waiting[0]
	} else {
		b = g.begin(m)
		b.Interleaved = len(waiting) > 1
	}
	b.child = key
	if g.byChild == nil {
		g.byChild = map[child]*building{}
	}
	g.byChild[key] = b
	return b
}

// place gives a line without process id to the only connection that it can
// belong to, or marks all of them.
func (g *Grouper) place(m Match) {
	at := m.Rule.step
	if at.kind == stepTail {
		return // may come from any session, and tells nothing
	}
	var can []*building
	for _, b := range g.open {
		if b.child == (child{}) && b.lo <= at.to && b.hi >= at.from && (at.kind != stepReason || b.reason) {
			can = append(can, b)
		}
	}
	if at.kind == stepReason && g.session && len(can) > 0 {
		g.mark(can, m)
		return
	}
	switch len(can) {
	case 0:
		switch m.Rule.Class {
		case ClassNoise, ClassFailure, ClassInfo:
			return
		}
		if at.kind == stepInside {
			g.give(g.begin(m), m)
		}
	case 1:
		if can[0].assumed && at.from == accepted && can[0].has(m.Rule.ID) {
			g.finish(can[0]) // the same again: another connection, its beginning not logged
			g.give(g.begin(m), m)
			return
		}
		g.give(can[0], m)
	default:
		g.mark(can, m)
	}
}

// give counts a line to a connection.
func (g *Grouper) give(b *building, m Match) {
	at := m.Rule.step
	b.take(m)
	if at.kind == stepEnd {
		b.Ended = true
		g.finish(b)
		return
	}
	b.lo, b.hi = max(b.lo, at.from), min(b.hi, at.to)
	if at.next != 0 {
		b.lo, b.hi = at.next, at.next
	}
	b.wants(m)
}

// wants notes whether OpenSSL's reasons follow a line.
func (b *building) wants(m Match) {
	switch {
	case m.Rule.step == atSecurity:
		b.reason = m.Rule.ID != "tls-accept-failed"
	case m.Rule.step.kind == stepInside:
		b.reason = false
	}
}

// mark notes a line that may belong to any of several connections.
func (g *Grouper) mark(can []*building, m Match) {
	copied := m.clone()
	for _, b := range can {
		b.Interleaved = true
		if len(b.Maybe) < maxMatches {
			b.Maybe = append(b.Maybe, copied)
		}
		b.hi = max(b.hi, m.Rule.step.next)
		if m.Rule.step == atSecurity {
			b.reason = true
		}
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

// establish ends the set-up of the connection that the line names.
func (g *Grouper) establish(m Match) {
	client, name := peer(m)
	at := slices.IndexFunc(g.open, func(b *building) bool {
		return !b.assumed && b.Client == client && b.Peer == name && (client != netip.AddrPort{} || len(g.open) == 1)
	})
	var b *building
	if m.Entry.PID != 0 {
		b = g.byChild[g.key(&m.Entry)]
	}
	switch {
	case b == nil && at >= 0:
		b = g.open[at]
	case b != nil && at >= 0 && b != g.open[at]:
		// The process is known and now the address: two halves of one.
		other := g.open[at]
		b.Start, b.First, b.Lines = other.Start, other.First, b.Lines+other.Lines
		b.Matches = append(slices.Clone(other.Matches), b.Matches...)
		g.drop(other)
		b.Interleaved = len(b.Maybe) > 0
	case b == nil:
		b = g.only()
	}
	b.take(m)
	b.fill()
	if b.Protocol == Classic {
		g.recent = append(g.recent, b)
		g.drop(b)
		if b.child != (child{}) {
			g.byChild[b.child] = b // its late lines are told by the process
		}
		if len(g.recent) > maxOpen {
			g.finishRecent(0)
		}
	} else {
		g.finish(b)
	}
	g.settle()
}

// only returns the one open connection whose beginning was not seen, or a new one.
func (g *Grouper) only() *building {
	if len(g.open) == 1 && g.open[0].assumed {
		return g.open[0]
	}
	b := &building{assumed: true}
	b.Interleaved = len(g.open) > 0
	g.open = append(g.open, b)
	return b
}

// fill takes the negotiation and the name from lines that may belong to others
// where all of them say the same: an established connection had one of each.
func (b *building) fill() {
	if !b.Negotiated {
		b.adopt(ClassNegotiation)
	}
	if b.ClientName == "" {
		b.adopt(ClassConnection)
	}
}

func (b *building) adopt(class Class) {
	var same []Match
	for _, m := range b.Maybe {
		if m.Rule.Class != class {
			continue
		}
		i := slices.IndexFunc(same, func(o Match) bool { return o.Rule == m.Rule })
		if i < 0 {
			same = append(same, m)
		} else if same[i].Entry.Text != m.Entry.Text {
			return
		}
	}
	for _, m := range same {
		b.learn(m)
	}
}

// late handles what classic clients run into right after they are established.
func (g *Grouper) late(m Match) {
	if m.Entry.PID != 0 {
		if b, ok := g.byChild[g.key(&m.Entry)]; ok {
			b.take(m)
		}
		return
	}
	switch len(g.recent) {
	case 0:
	case 1:
		g.recent[0].take(m)
		g.finishRecent(0)
	default:
		g.mark(g.recent, m)
	}
}

// expire gives up on what has been silent for too long.
func (g *Grouper) expire() {
	for len(g.recent) > 0 && g.now.Sub(g.recent[0].End) > classicLate {
		g.finishRecent(0)
	}
	for i := 0; i < len(g.open); {
		if b := g.open[i]; g.now.Sub(b.End) > openFor {
			g.finish(b) // takes it out of g.open
		} else {
			i++
		}
	}
}

func (g *Grouper) finishRecent(i int) {
	b := g.recent[i]
	g.recent = slices.Delete(g.recent, i, i+1)
	g.finish(b)
}

func (g *Grouper) finishAll() {
	for len(g.open) > 0 {
		g.finish(g.open[0])
	}
	g.ends = 0
}

// finish reports a connection.
func (g *Grouper) finish(b *building) {
	g.drop(b)
	g.done = append(g.done, b.Connection)
}

// drop forgets a connection that is open.
func (g *Grouper) drop(b *building) {
	if i := slices.Index(g.open, b); i >= 0 {
		g.open = slices.Delete(g.open, i, i+1)
	}
	if b.child != (child{}) && g.byChild[b.child] == b {
		delete(g.byChild, b.child)
	}
	g.ends = min(g.ends, len(g.open))
}
