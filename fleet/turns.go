package fleet

import (
	"context"
	"net/netip"
	"sync"
)

// turns lets one worker at a time at a server: several names can lead to it.
type turns struct {
	mu sync.Mutex
	at map[netip.AddrPort]*turn
}

type turn struct {
	free  chan struct{} // holds one token while nobody is there
	users int           // there, or waiting
}

// take waits for the server to be free; done makes it so again.
func (t *turns) take(ctx context.Context, a netip.AddrPort) (done func(), err error) {
	t.mu.Lock()
	if t.at == nil {
		t.at = map[netip.AddrPort]*turn{}
	}
	at := t.at[a]
	if at == nil {
		at = &turn{free: make(chan struct{}, 1)}
		at.free <- struct{}{}
		t.at[a] = at
	}
	at.users++
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if at.users--; at.users == 0 {
			delete(t.at, a)
		}
	}
	select {
	case <-at.free:
		return func() { at.free <- struct{}{}; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
