package fleet

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// list makes a list of targets.
func list(t *testing.T, targets ...string) *List {
	t.Helper()
	l := &List{Rules: Rules{Port: 3389, Ranges: true}}
	for _, text := range targets {
		if err := l.Add(text); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// names resolves a few names.
func names(_ context.Context, host string) ([]netip.Addr, error) {
	known := map[string]string{"one": "192.0.2.1", "alias": "192.0.2.1", "two": "2001:db8::2 192.0.2.2 ::ffff:192.0.2.2", "none": ""}
	addrs, ok := known[host]
	if !ok {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	var out []netip.Addr
	for _, a := range strings.Fields(addrs) {
		out = append(out, netip.MustParseAddr(a))
	}
	return out, nil
}

// visits runs and lists "target addr missed", sorted.
func visits(t *testing.T, l *List, o Options, missed func(Server) int) []string {
	t.Helper()
	o.Lookup = names
	var got []string
	err := Run(t.Context(), l.All(), o, func(_ context.Context, s Server) (netip.AddrPort, int) { return s.Addr, missed(s) },
		func(v Visit[netip.AddrPort]) error {
			if v.Result != v.Server.Addr {
				t.Errorf("the result for %v came with %v", v.Result, v.Server.Addr)
			}
			got = append(got, fmt.Sprintf("%s %s %d", v.Server.Target, v.Server.Addr, v.Missed))
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	return got
}

func TestRunAddresses(t *testing.T) {
	met := func(Server) int { return 0 }
	only4 := func(s Server) int {
		if s.Addr.Addr().Is4() {
			return 0
		}
		return 2
	}
	nobody := func(s Server) int {
		if s.Addr.Addr().Is4() {
			return 1
		}
		return 2
	}
	for _, tt := range []struct {
		name    string
		targets []string
		every   bool
		missed  func(Server) int
		want    []string
	}{
		{"addresses", []string{"192.0.2.9", "[::1]:5"}, false, met, []string{"192.0.2.9:3389 192.0.2.9:3389 0", "[::1]:5 [::1]:5 0"}},
		{"the first", []string{"two"}, false, met, []string{"two:3389 [2001:db8::2]:3389 0"}},
		{"the next", []string{"two"}, false, only4, []string{"two:3389 192.0.2.2:3389 0"}},
		{"the nearest miss", []string{"two"}, false, nobody, []string{"two:3389 192.0.2.2:3389 1"}},
		{"every one", []string{"two"}, true, only4, []string{"two:3389 192.0.2.2:3389 0", "two:3389 [2001:db8::2]:3389 2"}},
		{"no such name", []string{"nowhere", "none"}, false, func(Server) int { return 3 },
			[]string{"none:3389 invalid AddrPort 3", "nowhere:3389 invalid AddrPort 3"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := visits(t, list(t, tt.targets...), Options{EveryAddress: tt.every}, tt.missed); !slices.Equal(got, tt.want) {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// TestDialOfNoAddress: the error of the look-up is that of the connection.
func TestDialOfNoAddress(t *testing.T) {
	err := Run(t.Context(), list(t, "nowhere").All(), Options{Lookup: names}, func(ctx context.Context, s Server) (bool, int) {
		_, err := s.Dial(ctx, "tcp", "127.0.0.1:1")
		var dns *net.DNSError
		return errors.As(err, &dns) && dns.IsNotFound, 1
	}, func(v Visit[bool]) error {
		if !v.Result {
			t.Error("Dial gives another error than the look-up")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestRunBounds: never more visits than workers, never two at one server, each
// target once, and nothing is left behind.
func TestRunBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		most := 0
		var mu sync.Mutex
		there := map[netip.AddrPort]bool{}
		l := list(t, "one", "alias", "192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1:3390", "198.51.100.0/24")
		seen := map[string]int{}
		err := Run(t.Context(), l.All(), Options{Parallel: 7, Lookup: names}, func(_ context.Context, s Server) (int, int) {
			mu.Lock()
			if there[s.Addr] {
				t.Errorf("two are at %s", s.Addr)
			}
			there[s.Addr] = true
			most = max(most, len(there))
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			delete(there, s.Addr)
			mu.Unlock()
			return 0, 0
		}, func(v Visit[int]) error {
			seen[v.Server.Target.String()]++
			return nil
		})
		if err != nil || most != 7 || len(seen) != 261 {
			t.Errorf("%v, %d at once, %d targets; want 7, 261", err, most, len(seen))
		}
		for target, n := range seen {
			if n != 1 {
				t.Errorf("%s was visited %d times", target, n)
			}
		}
	})
}

// TestRunRate: by the clock of the test, so many begin in a second and no more.
func TestRunRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var times []time.Duration
		var mu sync.Mutex
		err := Run(t.Context(), list(t, "192.0.2.0/28").All(), Options{Rate: 4}, func(context.Context, Server) (int, int) {
			mu.Lock()
			defer mu.Unlock()
			times = append(times, time.Since(begin))
			return 0, 0
		}, func(Visit[int]) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		for i, at := range times {
			if want := time.Duration(i) * 250 * time.Millisecond; at != want {
				t.Errorf("visit %d began at %v, want %v", i, at, want)
			}
		}
	})
}

// TestInterval: no rate is so small that there is no bound any more.
func TestInterval(t *testing.T) {
	for _, tt := range []struct {
		rate float64
		want time.Duration
	}{
		{4, 250 * time.Millisecond}, {0.5, 2 * time.Second}, {1e12, time.Microsecond}, {math.Inf(1), time.Microsecond},
		{1e-9, 1e9 * time.Second}, {1e-10, 100 * 365 * 24 * time.Hour}, {1e-300, 100 * 365 * 24 * time.Hour}, {5e-324, 100 * 365 * 24 * time.Hour},
	} {
		if got := interval(tt.rate); got != tt.want {
			t.Errorf("interval(%v) = %v, want %v", tt.rate, got, tt.want)
		}
	}
}

// TestRunEnds: with the error of whoever reports, or of the context, in the
// middle of visits, of a look-up, of a pause, and of a wait for another worker.
// synctest fails where anything is left behind.
func TestRunEnds(t *testing.T) {
	stop := errors.New("no more")
	waits := func(ctx context.Context, _ Server) (int, int) { <-ctx.Done(); return 0, 0 }
	for name, tt := range map[string]struct {
		targets []string
		o       Options
	}{
		"visits":    {[]string{"192.0.2.0/24"}, Options{}},
		"look-ups":  {[]string{"one", "two"}, Options{Lookup: func(ctx context.Context, _ string) ([]netip.Addr, error) { <-ctx.Done(); return nil, ctx.Err() }, ConnectTimeout: time.Hour}},
		"a pause":   {[]string{"192.0.2.0/24"}, Options{Rate: 0.0001}},
		"the other": {[]string{"one", "alias"}, Options{Lookup: names}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				err := Run(ctx, list(t, tt.targets...).All(), tt.o, waits, func(Visit[int]) error {
					t.Error("a visit that was cut short is reported")
					return nil
				})
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v, want the end of the context", err)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		n := 0
		err := Run(t.Context(), list(t, "192.0.2.0/24").All(), Options{Parallel: 3}, func(context.Context, Server) (int, int) { return 0, 0 },
			func(Visit[int]) error {
				if n++; n == 5 {
					return stop
				}
				return nil
			})
		if !errors.Is(err, stop) || n != 5 {
			t.Errorf("%v after %d reports, want %v after 5", err, n, stop)
		}
	})
}
