package logwatch

import "slices"

// A tangle is connections that the log does not tell apart. Two that are at the same
// stage, and one of them goes on: nobody knows which, but one is as sure to be a
// stage further as the other is to be where it was. So a tangle knows how many of its
// connections live and at which stages, though not which is where. A connection that
// cannot be mistaken is a tangle of one.
type tangle struct {
	of []*building // some of them may have ended, oldest first
	at []phases    // a set for each that lives; what moved last is last
}

// maxTangled bounds what a line costs that may belong to any connection of a tangle.
const maxTangled = 32

// alone makes a tangle of one.
func (g *Grouper) alone(b *building, at phases) {
	b.with = &tangle{of: []*building{b}, at: []phases{at}}
	g.tangles = append(g.tangles, b.with)
}

// in returns the tangles of connections whose lines carry no process ids, in which one
// may be in a stage. The slice is valid until the next call.
func (g *Grouper) in(at phases) []*tangle {
	g.can = g.can[:0]
	for _, t := range g.tangles {
		if !t.of[0].numbered && t.may(at) {
			g.can = append(g.can, t)
		}
	}
	return g.can
}

func (t *tangle) may(at phases) bool {
	for _, s := range t.at {
		if s&at != 0 {
			return true
		}
	}
	return false
}

// join makes one tangle of several.
func (g *Grouper) join(list []*tangle) *tangle {
	t := list[0]
	for _, o := range list[1:] {
		t.of, t.at = append(t.of, o.of...), append(t.at, o.at...)
		for _, b := range o.of {
			b.with = t
		}
		g.forget(o)
	}
	return t
}

func (g *Grouper) forget(t *tangle) {
	g.tangles = slices.DeleteFunc(g.tangles, func(o *tangle) bool { return o == t })
}

// move takes one of those that may be in a stage to the next, or away where next is
// 0. Which of them moved is not known, so those left behind are where any of them
// was. It reports false where none is in such a stage.
func (t *tangle) move(from, next phases) bool {
	var were phases
	last := -1
	for i, s := range t.at {
		if s&from != 0 {
			were |= s
			last = i
		}
	}
	if last < 0 {
		return false
	}
	t.at = slices.Delete(t.at, last, last+1)
	for i, s := range t.at {
		if s&from != 0 {
			t.at[i] = were
		}
	}
	if next != 0 {
		t.at = append(t.at, next)
	}
	return true
}

// arrive takes away the stage of a connection that is established.
func (t *tangle) arrive() {
	if !t.move(named, 0) && !t.move(selected, 0) && len(t.at) > 0 {
		t.at = t.at[:len(t.at)-1]
	}
}

// leave takes a connection out of its tangle.
func (g *Grouper) leave(b *building) {
	t := b.with
	if t == nil {
		return
	}
	b.with = nil
	t.of = slices.DeleteFunc(t.of, func(o *building) bool { return o == b })
	if len(t.of) == 0 {
		g.forget(t)
		return
	}
	if n := len(t.at) - len(t.of); n > 0 {
		t.at = slices.Delete(t.at, 0, n) // the one that has been silent for longest
	}
}

// settle finishes the connections of a tangle in which nothing lives any more.
func (g *Grouper) settle(t *tangle) {
	if t == nil || len(t.at) > 0 {
		return
	}
	for len(t.of) > 0 {
		t.of[0].Ended = true
		g.finish(t.of[0])
	}
}
