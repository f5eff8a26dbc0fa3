package probe_test

import (
	"context"
	"net"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"xrdpfix/internal/rdptest"
	"xrdpfix/probe"
)

// octets hands out and sends one octet at a time: nothing is read ahead, nothing that was written together arrives so.
type octets struct{ *net.TCPConn }

// Read reads at most one octet.
func (c octets) Read(b []byte) (int, error) { return c.TCPConn.Read(b[:min(1, len(b))]) }

// Write writes each octet by itself.
func (c octets) Write(b []byte) (int, error) {
	for i := range b {
		if _, err := c.TCPConn.Write(b[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(b), nil
}

func octetwise(o probe.Options) probe.Options {
	o.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return octets{c.(*net.TCPConn)}, nil
	}
	return o
}

// TestOctets: what is read ahead and sent together changes neither what a probe sees nor what the server does.
// TestRunFailures compares the failures.
func TestOctets(t *testing.T) {
	for _, version := range probe.TLSVersions() {
		for _, until := range []probe.Stage{probe.StageNegotiation, probe.StageTLS, probe.StageMCS, probe.StageDone} {
			var saw [2]probe.Result
			var seen [2]rdptest.Seen
			for i := range saw {
				server := rdptest.Start(t, rdptest.Config{})
				opts := patient
				opts.Until, opts.MinVersion, opts.MaxVersion = until, version, version
				if i == 1 {
					opts = octetwise(opts)
				}
				r := probe.Run(t.Context(), server.Addr, opts)
				if r.Failure != nil || r.Reached != until {
					t.Errorf("%s until %s: reached %s, %v", version, until, r.Reached, r.Failure)
				}
				r.Addr, r.Local, r.Remote, r.Started, r.Elapsed = "", netip.AddrPort{}, netip.AddrPort{}, time.Time{}, 0
				saw[i], seen[i] = r, server.Wait(t, 1)[0]
				seen[i].Peer, seen[i].ClientHello = netip.AddrPort{}, nil // its random is another each time
			}
			if !reflect.DeepEqual(saw[0], saw[1]) {
				t.Errorf("%s until %s: the probe sees\n%+v, and an octet at a time\n%+v", version, until, saw[0], saw[1])
			}
			if !reflect.DeepEqual(seen[0], seen[1]) {
				t.Errorf("%s until %s: the server sees\n%+v, and an octet at a time\n%+v", version, until, seen[0], seen[1])
			}
			if until >= probe.StageTLS && !seen[0].CloseNotify {
				t.Errorf("%s until %s: no close_notify", version, until)
			}
		}
	}
}
