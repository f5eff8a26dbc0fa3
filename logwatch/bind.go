package logwatch

import (
	"cmp"
	"slices"
)

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
	waiting := g.waiting()
	var b *building
	if len(waiting) == 1 && len(g.orphans) == 0 {
		b = waiting[0]
	} else {
		b = g.assume()
	}
	b.child, b.numbered = key, true
	if g.byChild == nil {
		g.byChild = map[child]*building{}
	}
	g.byChild[key] = b
	if len(waiting) > 0 && b.assumed {
		g.orphans = append(g.orphans, b)
		g.adopt(waiting)
	}
	return b
}

// waiting returns the connections whose process is not known, in the order in
// which they were accepted.
func (g *Grouper) waiting() []*building {
	var list []*building
	for _, b := range g.open {
		if b.numbered && b.child == (child{}) && !b.assumed {
			list = append(list, b)
		}
	}
	return list
}

// adopt gives the orphans the addresses that wait, once there are as many of
// both: xrdp accepts and forks in one thread, so that process ids grow in the
// order of the addresses.
func (g *Grouper) adopt(waiting []*building) {
	if len(g.orphans) != len(waiting) {
		return
	}
	orphans := g.orphans
	g.orphans = nil
	slices.SortStableFunc(orphans, func(a, b *building) int { return cmp.Compare(a.child.pid, b.child.pid) })
	for i, b := range orphans {
		g.merge(b, waiting[i])
		if b.over {
			g.report(b)
		}
	}
}

// merge adds what is known of a connection's beginning to what is known of the
// rest of it.
func (g *Grouper) merge(b, beginning *building) {
	b.Client, b.Peer = beginning.Client, beginning.Peer
	b.Start, b.First, b.Lines = beginning.Start, beginning.First, b.Lines+beginning.Lines
	b.Matches = append(slices.Clone(beginning.Matches), b.Matches...)
	b.assumed = false
	g.drop(beginning)
}

// establish ends the set-up of the connection that the line names.
func (g *Grouper) establish(m Match) {
	client, name := peer(m)
	var named, b *building // by its address, by its process
	for _, o := range g.open {
		if !o.assumed && o.Client == client && o.Peer == name && (client.IsValid() || len(g.open) == 1) {
			named = o
			break
		}
	}
	if m.Entry.PID != 0 {
		b = g.byChild[g.key(&m.Entry)]
	}
	switch {
	case b == nil && named != nil:
		b = named
	case b != nil && named != nil && b != named && named.child == (child{}):
		g.merge(b, named)
		g.orphans = slices.DeleteFunc(g.orphans, func(o *building) bool { return o == b })
		g.adopt(g.waiting())
	case b == nil && m.Entry.Claimed:
		return // of a connection that nobody made
	case b == nil && len(g.open) == 1 && g.open[0].assumed:
		b = g.open[0]
	case b == nil:
		b = g.assume()
	}
	g.take(b, m)
	g.exclude(b)
	b.fill()
	t := b.with
	if t != nil {
		t.arrive()
	}
	if b.Protocol != Classic {
		g.finish(b)
	} else {
		g.drop(b)
		g.recent = append(g.recent, b)
		if b.child != (child{}) {
			g.byChild[b.child] = b // its late lines are told by the process
		}
		if len(g.recent) > maxOpen {
			g.finish(g.recent[0])
		}
	}
	g.settle(t)
}

// fill takes the negotiation and the name from lines that may belong to others
// where all of them say the same: an established connection had one of each.
func (b *building) fill() {
	if !b.Negotiated {
		b.agree(ClassNegotiation)
	}
	if b.ClientName == "" {
		b.agree(ClassConnection)
	}
}

func (b *building) agree(class Class) {
	var same []*shared
	for _, m := range b.maybe {
		if m.Rule.Class != class {
			continue
		}
		i := slices.IndexFunc(same, func(o *shared) bool { return o.Rule == m.Rule })
		if i < 0 {
			same = append(same, m)
		} else if same[i].Entry.Text != m.Entry.Text {
			return
		}
	}
	for _, m := range same {
		b.learn(&m.Match)
	}
}

// late handles what may come right after a connection was established.
func (g *Grouper) late(m Match) {
	var b *building
	if m.Entry.PID != 0 {
		b = g.byChild[g.key(&m.Entry)]
	} else {
		var of []*building
		for _, o := range g.recent {
			// Without encryption nothing has a check sum (libxrdp/xrdp_sec.c).
			if m.Rule.Class != ClassClassic || o.ClassicLevel != "none" {
				of = append(of, o)
			}
		}
		if len(of) > 1 {
			share(of, m)
		} else if len(of) == 1 {
			b = of[0]
		}
	}
	if b == nil {
		return
	}
	g.take(b, m)
	if m.Rule.Class == ClassClassic {
		g.finish(b)
	}
}
