package fleet

import (
	"context"
	"iter"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Defaults of Options.
const (
	DefaultParallel       = 32
	DefaultConnectTimeout = 5 * time.Second
)

// Options say how the servers are visited.
type Options struct {
	// Parallel is how many servers are visited at one time; 0 means
	// DefaultParallel.
	Parallel int
	// Rate is how many visits begin in a second at most; 0 means no bound.
	Rate float64
	// ConnectTimeout bounds the look-up of a name, and each TCP connection; 0
	// means DefaultConnectTimeout.
	ConnectTimeout time.Duration
	// EveryAddress visits each address of a name, instead of the first at which
	// somebody answers.
	EveryAddress bool
	// Lookup finds the addresses of a name; nil asks the system.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
}

// Server is one address of a target, and its visitor is alone with it.
type Server struct {
	Target Target
	// Addr is where Dial goes; it is not valid where the name has no address.
	Addr netip.AddrPort
	// Others are further addresses of the name. They are not visited, or not
	// yet.
	Others []netip.Addr

	timeout time.Duration
	lookup  error
}

// Dial connects to Addr, whatever it is asked for, so that all connections of a
// visit go to the same server. Where the name has no address it gives the error
// of the look-up.
func (s Server) Dial(ctx context.Context, network, _ string) (net.Conn, error) {
	if s.lookup != nil {
		return nil, s.lookup
	}
	d := net.Dialer{Timeout: s.timeout, FallbackDelay: -1, KeepAlive: -1} // a visit is over before a keep-alive would come
	return d.DialContext(ctx, network, s.Addr.String())
}

// Visit is what one visit came to.
type Visit[R any] struct {
	Server Server
	Result R
	// Missed is 0 where somebody was met. Of several addresses of a name at
	// which nobody was, the one with the lowest number is reported.
	Missed int
}

// Run visits the targets. ask is called by several workers at once, for one
// server by one at a time; report by one at a time, as the visits end. Run
// returns when all are done, or with the error of report, or with that of ctx:
// visits that were under way then are not reported.
func Run[R any](ctx context.Context, targets iter.Seq[Target], o Options, ask func(context.Context, Server) (result R, missed int), report func(Visit[R]) error) error {
	if o.Parallel <= 0 {
		o.Parallel = DefaultParallel
	}
	if o.ConnectTimeout <= 0 {
		o.ConnectTimeout = DefaultConnectTimeout
	}
	if o.Lookup == nil {
		o.Lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w := &workers[R]{o: o, ask: ask, jobs: make(chan Target), done: make(chan Visit[R])}
	var wg sync.WaitGroup
	wg.Go(func() { w.feed(ctx, targets) })
	for range o.Parallel {
		wg.Go(func() {
			for t := range w.jobs {
				w.visit(ctx, t)
			}
		})
	}
	go func() { wg.Wait(); close(w.done) }()
	for v := range w.done {
		if ctx.Err() != nil {
			continue // until the last worker has seen it too
		}
		if err := report(v); err != nil {
			cancel(err)
		}
	}
	return context.Cause(ctx)
}

type workers[R any] struct {
	o     Options
	ask   func(context.Context, Server) (R, int)
	jobs  chan Target
	done  chan Visit[R]
	turns turns
}

// feed gives the targets out, one a worker and no faster than Rate.
func (w *workers[R]) feed(ctx context.Context, targets iter.Seq[Target]) {
	defer close(w.jobs)
	var pace <-chan time.Time
	if w.o.Rate > 0 {
		ticker := time.NewTicker(interval(w.o.Rate))
		defer ticker.Stop()
		pace = ticker.C
	}
	first := true
	for t := range targets {
		if pace != nil && !first {
			select {
			case <-pace:
			case <-ctx.Done():
				return
			}
		}
		first = false
		select {
		case w.jobs <- t:
		case <-ctx.Done():
			return
		}
	}
}

// interval is the time between two visits. A rate so small that no Duration is as
// long as that gives the longest one, and not, by an overflow, no bound at all.
func interval(rate float64) time.Duration {
	const longest = 100 * 365 * 24 * time.Hour
	if d := float64(time.Second) / rate; d < float64(longest) {
		return max(time.Duration(d), time.Microsecond)
	}
	return longest
}

// visit asks one target: the first of its addresses at which somebody is, or
// each of them.
func (w *workers[R]) visit(ctx context.Context, t Target) {
	servers := w.servers(ctx, t)
	var nearest *Visit[R]
	for i, s := range servers {
		v, ok := w.one(ctx, s)
		if !ok {
			return
		}
		if !w.o.EveryAddress {
			if nearest == nil || v.Missed < nearest.Missed {
				nearest = &v
			}
			if v.Missed != 0 && i < len(servers)-1 {
				continue
			}
			v = *nearest
		}
		select {
		case w.done <- v:
		case <-ctx.Done():
			return
		}
		if !w.o.EveryAddress {
			return
		}
	}
}

func (w *workers[R]) one(ctx context.Context, s Server) (Visit[R], bool) {
	if s.Addr.IsValid() {
		done, err := w.turns.take(ctx, s.Addr)
		if err != nil {
			return Visit[R]{}, false
		}
		defer done()
	}
	v := Visit[R]{Server: s}
	v.Result, v.Missed = w.ask(ctx, s)
	return v, ctx.Err() == nil
}

// servers are the addresses of a target, in the order in which the system would
// try them.
func (w *workers[R]) servers(ctx context.Context, t Target) []Server {
	s := Server{Target: t, timeout: w.o.ConnectTimeout}
	var addrs []netip.Addr
	if a, err := netip.ParseAddr(t.Host); err == nil {
		addrs = append(addrs, a.Unmap())
	} else {
		ctx, cancel := context.WithTimeout(ctx, w.o.ConnectTimeout)
		defer cancel()
		found, err := w.o.Lookup(ctx, t.Host)
		if err == nil && len(found) == 0 {
			err = &net.DNSError{Err: "no address", Name: t.Host, IsNotFound: true}
		}
		if s.lookup = err; err != nil {
			return []Server{s}
		}
		for _, a := range found {
			if a = a.Unmap(); !slices.Contains(addrs, a) {
				addrs = append(addrs, a)
			}
		}
	}
	out := make([]Server, 0, len(addrs))
	for i, a := range addrs {
		s.Addr = netip.AddrPortFrom(a, t.Port)
		s.Others = slices.Concat(addrs[:i], addrs[i+1:])
		out = append(out, s)
	}
	return out
}
