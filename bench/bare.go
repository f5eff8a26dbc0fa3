package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// asks are the connections that a probe makes to a server of the fleet: what is
// requested, and with which TLS versions.
var asks = []struct {
	requested byte
	low, high uint16
	handshake bool
}{
	{3, tls.VersionTLS10, tls.VersionTLS13, true},
	{0, 0, 0, false}, // PROTOCOL_RDP
	{3, tls.VersionTLS10, tls.VersionTLS10, true},
	{3, tls.VersionTLS11, tls.VersionTLS11, true},
	{3, tls.VersionTLS12, tls.VersionTLS12, true},
}

// bareLoop makes the same connections and handshakes with crypto/tls and
// nothing else: what is left beside them is what ours costs.
func bareLoop(ctx context.Context, addrs []string) (cost, error) {
	start := time.Now()
	todo := make(chan string)
	failed := make(chan error, 1)
	var wg sync.WaitGroup
	for range fleetParallel {
		wg.Go(func() {
			for addr := range todo {
				for _, ask := range asks {
					if err := bare(ctx, addr, ask.requested, ask.low, ask.high, ask.handshake); err != nil {
						select {
						case failed <- err:
						default:
						}
					}
				}
			}
		})
	}
	for _, addr := range addrs {
		todo <- addr
	}
	close(todo)
	wg.Wait()
	select {
	case err := <-failed:
		return cost{}, err
	default:
	}
	return cost{wall: time.Since(start)}, nil
}

// bare is one connection. A refused version is an answer, not an error.
func bare(ctx context.Context, addr string, requested byte, low, high uint16, handshake bool) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("bare loop: %w", err)
	}
	defer conn.Close() //nolint:errcheck // its answer came
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	// X.224 Connection Request with RDP_NEG_REQ, see [MS-RDPBCGR] 4.1.1.
	request := []byte{3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, requested, 0, 0, 0}
	if _, err := conn.Write(request); err != nil {
		return fmt.Errorf("bare loop: %w", err)
	}
	if _, err := io.ReadFull(conn, make([]byte, len(request))); err != nil {
		return fmt.Errorf("bare loop: %w", err)
	}
	if handshake {
		_ = tls.Client(conn, &tls.Config{InsecureSkipVerify: true, MinVersion: low, MaxVersion: high}).HandshakeContext(ctx) //nolint:gosec // a measurement
	}
	return nil
}
