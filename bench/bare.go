package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
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

// bareLoopArg makes this program the bare loop: a process of its own, as ours
// is, so that both are measured alike.
const bareLoopArg = "bare-loop"

// bareLoop makes the same connections and handshakes with crypto/tls and
// nothing else, to the addresses that the file lists: what is left beside them
// is what ours costs.
func bareLoop(args []string) error {
	list, err := os.ReadFile(strings.Join(args, " "))
	if err != nil {
		return fmt.Errorf("read the list: %w", err)
	}
	todo := make(chan string)
	failed := make(chan error, 1)
	var wg sync.WaitGroup
	for range fleetParallel {
		wg.Go(func() {
			for addr := range todo {
				for _, ask := range asks {
					if err := bare(context.Background(), addr, ask.requested, ask.low, ask.high, ask.handshake); err != nil {
						select {
						case failed <- err:
						default:
						}
					}
				}
			}
		})
	}
	for _, addr := range strings.Fields(string(list)) {
		todo <- addr
	}
	close(todo)
	wg.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// bare is one connection. A refused version is an answer, not an error. The
// groups are those of ours: crypto/tls alone would make a key share of ML-KEM
// too. It leaves with a close_notify, as every client of TLS has to, and does
// not wait for the server's end.
func bare(ctx context.Context, addr string, requested byte, low, high uint16, handshake bool) error {
	d := net.Dialer{KeepAlive: -1}
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("bare loop: %w", err)
	}
	defer func() { _ = conn.Close() }() // its answer came
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
		client := tls.Client(conn, &tls.Config{
			InsecureSkipVerify: true, //nolint:gosec // a measurement
			MinVersion:         low, MaxVersion: high,
			CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521},
		})
		if client.HandshakeContext(ctx) == nil {
			_ = client.CloseWrite()
		}
	}
	return nil
}
