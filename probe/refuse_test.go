package probe_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"xrdpfix/internal/rdptest"
	"xrdpfix/probe"
)

func TestBadRequestsAreNeverSent(t *testing.T) {
	dial := func(context.Context, string, string) (net.Conn, error) {
		t.Error("a connection was made")
		return nil, errors.New("not reached")
	}
	tests := []struct {
		name string
		opts probe.Options
	}{
		{"RDSTLS", probe.Options{Requested: probe.ProtocolRDSTLS | probe.ProtocolHybridEx}},
		{"RDSAAD", probe.Options{Requested: 0x10}},
		{"no negotiation", probe.Options{Requested: probe.ProtocolSSL, NoNegotiation: true}},
		{"until", probe.Options{Until: probe.StageDone + 1}},
		{"versions", probe.Options{MinVersion: tls.VersionTLS13, MaxVersion: tls.VersionTLS12}},
		{"SSL 3.0", probe.Options{MinVersion: 0x300}},
		{"cookie", probe.Options{Cookie: "Cookie: a\r\nb"}},
		{"long cookie", probe.Options{Cookie: strings.Repeat("a", 201)}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.opts.Dial = dial
			got := probe.Run(t.Context(), "192.0.2.1", test.opts)
			if got.Failure == nil || got.Failure.Kind != probe.KindBadRequest || got.Reached != probe.StageNone {
				t.Errorf("Run: %+v, failure %v, want %s", got, got.Failure, probe.KindBadRequest)
			}
		})
	}
	for _, addr := range []string{"", ":3389"} {
		if got := probe.Run(t.Context(), addr, probe.Options{Dial: dial}); got.Failure == nil || got.Failure.Kind != probe.KindBadRequest {
			t.Errorf("Run(%q): %v, want %s", addr, got.Failure, probe.KindBadRequest)
		}
	}
}

func TestConnectFailures(t *testing.T) {
	const closed = "127.0.0.1:1" // nobody's: a port that was just given back is soon another one's
	failing := func(err error) func(context.Context, string, string) (net.Conn, error) {
		return func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
		}
	}
	tests := []struct {
		name string
		dial func(context.Context, string, string) (net.Conn, error)
		want probe.Kind
	}{
		{"closed port", nil, probe.KindRefused},
		{"no route", failing(os.NewSyscallError("connect", syscall.EHOSTUNREACH)), probe.KindUnreachable},
		{"no network", failing(os.NewSyscallError("connect", syscall.ENETUNREACH)), probe.KindUnreachable},
		{"timed out", failing(os.NewSyscallError("connect", syscall.ETIMEDOUT)), probe.KindTimeout},
		{"no name", failing(&net.DNSError{Err: "no such host", IsNotFound: true}), probe.KindUnknownHost},
		{"name server silent", failing(&net.DNSError{Err: "i/o timeout", IsTimeout: true}), probe.KindTimeout},
		{"not permitted", failing(os.NewSyscallError("connect", syscall.EPERM)), probe.KindIO},
		{"silent", func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}, probe.KindTimeout},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			opts := probe.Options{Dial: test.dial}
			if test.name == "silent" {
				opts.StageTimeout = 100 * time.Millisecond
			}
			got := probe.Run(t.Context(), closed, opts)
			if s, want := summarize(got), (summary{probe.StageNone, probe.StageConnect, test.want, ""}); s != want {
				t.Errorf("Run: %+v, want %+v (%v)", s, want, got.Failure)
			}
			roundTrip(t, got)
		})
	}
}

// TestUnresolved: what is said of a name names it, and no name server's address.
func TestUnresolved(t *testing.T) {
	for want, err := range map[string]*net.DNSError{
		"desk01 has no address":                      {Err: "no such host", Name: "desk01", IsNotFound: true},
		"no name server answered in time for desk01": {Err: "i/o timeout", Name: "desk01", Server: "[::1]:53", IsTimeout: true},
		"no name server could be asked for desk01":   {Err: "read udp [::1]:53: connection refused", Name: "desk01", Server: "[::1]:53"},
	} {
		got := probe.Run(t.Context(), "desk01", probe.Options{Dial: func(context.Context, string, string) (net.Conn, error) { return nil, err }})
		if got.Failure == nil || got.Failure.Text != want {
			t.Errorf("%v: %v, want %s", err, got.Failure, want)
		}
	}
}

// TestCancel cancels at each point at which a server can keep a client waiting.
func TestCancel(t *testing.T) {
	for _, at := range []rdptest.Point{rdptest.AtConfirm, rdptest.AtTLS, rdptest.AtConnect, rdptest.AtAttach, rdptest.AtLastJoin} {
		server := rdptest.Start(t, rdptest.Config{Fault: rdptest.Stall, FaultAt: at})
		ctx, cancel := context.WithCancel(t.Context())
		dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
			time.AfterFunc(100*time.Millisecond, cancel)
			return c, err
		}
		got := probe.Run(ctx, server.Addr, probe.Options{Requested: probe.ProtocolSSL, Dial: dial, Timeout: time.Hour, StageTimeout: time.Hour})
		if got.Failure == nil || got.Failure.Kind != probe.KindCancelled || got.Elapsed > time.Minute {
			t.Errorf("point %d: %v after %v, want %s", at, got.Failure, got.Elapsed, probe.KindCancelled)
		}
		cancel()
	}
}

// TestTimeoutBoundsAll has a server that answers each stage just in time for the stage, but not for the whole.
func TestTimeoutBoundsAll(t *testing.T) {
	server := rdptest.Start(t, rdptest.Config{Fault: rdptest.Stall, FaultAt: rdptest.AtConnect})
	got := probe.Run(t.Context(), server.Addr, probe.Options{Requested: probe.ProtocolSSL, Timeout: 300 * time.Millisecond, StageTimeout: time.Hour})
	if got.Failure == nil || got.Failure.Kind != probe.KindTimeout || got.Elapsed > time.Minute {
		t.Errorf("Run: %v after %v, want %s after 300ms", got.Failure, got.Elapsed, probe.KindTimeout)
	}
}

func TestWithPort(t *testing.T) {
	for target, want := range map[string]string{
		"desk01": "desk01:3389", "desk01:3390": "desk01:3390", "192.0.2.1": "192.0.2.1:3389",
		"::1": "[::1]:3389", "[::1]": "[::1]:3389", "[::1]:3390": "[::1]:3390", "fe80::1%eth0": "[fe80::1%eth0]:3389",
	} {
		if got := probe.WithPort(target); got != want {
			t.Errorf("WithPort(%q) = %q, want %q", target, got, want)
		}
	}
}
