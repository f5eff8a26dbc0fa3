//go:build lab

package lab

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestSettled has xrdp come to a client only when that has left: what it logs of the
// connection is there all the same when Settled returns.
func TestSettled(t *testing.T) {
	h := Start(t, Bookworm, WithVeth)
	addr, _ := h.Addr()
	for range 3 {
		before := h.Must(t, "pid=$(pgrep -o -x xrdp); kill -STOP $pid; echo $pid; wc -l </var/log/xrdp.log")
		pid, lines, _ := strings.Cut(strings.TrimSpace(before), "\n")
		resumed := make(chan struct{})
		h.Settled(t.Context(), func() {
			c, err := net.DialTimeout("tcp", net.JoinHostPort(addr.String(), strconv.Itoa(RDPPort)), time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			_ = c.Close()
			go func() {
				defer close(resumed)
				_, _ = h.Sh(t.Context(), "sleep 0.5; kill -CONT "+pid)
			}()
		})
		log := h.Must(t, "tail -n +"+strings.TrimSpace(lines)+" /var/log/xrdp.log")
		if !strings.Contains(log, "libxrdp_process_incoming failed") {
			t.Errorf("xrdp is not done with the client yet:\n%s", log)
		}
		<-resumed
	}
}
