package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"xrdpfix/internal/rdptest"
)

// fleetSize is how many servers there are: an address of the loopback range each.
const fleetSize = 2000

// manyServers measures a fleet.
func manyServers(ctx context.Context, b *bench) (_ result, err error) {
	port, stop, err := standIn(ctx)
	if err != nil {
		return result{}, err
	}
	defer stop()
	n, sample := fleetSize, 100
	if b.quick {
		n, sample = 100, 10
	}
	addrs := addresses(n, port)
	list := filepath.Join(b.dir, "fleet")
	if err := os.WriteFile(list, []byte(strings.Join(addrs, "\n")+"\n"), 0o600); err != nil {
		return result{}, fmt.Errorf("list the fleet: %w", err)
	}
	few := filepath.Join(b.dir, "sample")
	if err := os.WriteFile(few, []byte(strings.Join(addrs[:sample], "\n")+"\n"), 0o600); err != nil {
		return result{}, fmt.Errorf("list the sample: %w", err)
	}
	var out bytes.Buffer
	ours := command{args: b.fleetArgs(list), codes: []int{3}, out: &out}
	shell := func(name, script string) subject {
		s := of(name, command{args: []string{"sh", "-c", script}, codes: []int{123}})
		s.turns = 3
		return s
	}
	fleet := of("xrdpfix probe --from", ours)
	fleet.turns = 5
	self, err := os.Executable()
	if err != nil {
		return result{}, fmt.Errorf("start the bare loop: %w", err)
	}
	bare := of("bare Go loop, same handshakes", command{args: []string{self, bareLoopArg, list}})
	bare.turns = 5
	subjects := []subject{
		fleet,
		bare,
		shell("sslscan --rdp, xargs -P 8", "xargs -P 8 -n 1 sslscan --rdp --no-colour <"+few+" >/dev/null"),
		shell("nmap rdp-enum-encryption", fmt.Sprintf("sed 's/:.*//' <%s | nmap -Pn -n -p %d --script rdp-enum-encryption -iL - >/dev/null", few, port)),
	}
	done, err := inTurns(ctx, 5, subjects...)
	if err != nil {
		return result{}, err
	}
	if answered := strings.Count(out.String(), `"TLS 1.3"`); answered < n {
		return result{}, fmt.Errorf("only %d of %d servers were seen with TLS 1.3", answered, n)
	}
	rates := []float64{rate(n, done[0]), rate(n, done[1]), rate(sample, done[2]), rate(sample, done[3])}
	t := table{{"what", "hosts", "hosts/s", "memory", "times the first"}}
	for i, s := range done {
		hosts, memory := n, "-"
		if i > 1 {
			hosts = sample
		}
		if s.memory() > 0 {
			memory = size(s.memory())
		}
		t = append(t, []string{s.name, fmt.Sprint(hosts), fmt.Sprintf("%.1f", rates[i]), memory, fmt.Sprintf("%.3f", rates[i]/rates[0])})
	}
	return result{
		title: "Probing a fleet",
		method: fmt.Sprintf("%d servers on addresses of the loopback range: a stand-in of our own, which speaks TLS 1.2 and 1.3 with an ECDSA key "+
			"and shares the two cores with whoever asks. The peers get the first %d. The bare loop makes the same five connections and four "+
			"handshakes a server with the same groups, leaves with a close_notify, asks for nothing after the handshake, and is the limit. "+
			"It is a process of its own, as ours is.", n, sample),
		tables: []table{t},
		goals: []goal{
			{"hosts a second, beside sslscan", "at least 20 times", fmt.Sprintf("%.1f times", rates[0]/rates[2]), rates[0] >= 20*rates[2]},
			{"beside the bare loop", "at least 80 %", fmt.Sprintf("%.0f %%", 100*rates[0]/rates[1]), rates[0] >= 0.8*rates[1]},
			{"memory", "below 100 MB", size(done[0].memory()), done[0].memory() < 100e6},
		},
	}, nil
}

// fleetParallel is how many servers are asked at one time, by ours and by the
// bare loop.
const fleetParallel = 32

// fleetArgs probes the servers that the file lists.
func (b *bench) fleetArgs(list string) []string {
	return []string{b.program, "probe", "--json", "--parallel", fmt.Sprint(fleetParallel), "--from", list}
}

func rate(hosts int, s series) float64 { return float64(hosts) / s.median().Seconds() }

// addresses are the first n of 127.1.0.1 and on, with the port.
func addresses(n, port int) []string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("127.1.%d.%d:%d", i/250, i%250+1, port))
	}
	return list
}

// standIn starts a process of this program that serves all of the loopback
// range on one port, and returns the port and what ends it.
func standIn(ctx context.Context) (int, func(), error) {
	self, err := os.Executable()
	if err != nil {
		return 0, nil, fmt.Errorf("start the stand-in: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, standInArg)
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return 0, nil, fmt.Errorf("start the stand-in: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return 0, nil, fmt.Errorf("start the stand-in: %w", err)
	}
	stop := func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	var port int
	if _, err := fmt.Fscanln(pipe, &port); err != nil {
		stop()
		return 0, nil, fmt.Errorf("start the stand-in: %w", err)
	}
	return port, stop, nil
}

// standInArg makes this program the stand-in.
const standInArg = "stand-in"

// serveStandIn prints its port and serves until it is killed.
func serveStandIn([]string) error {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	// The wildcard address: each address of the loopback range is a server.
	if l, err = net.Listen("tcp4", fmt.Sprintf("0.0.0.0:%d", port)); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	c, err := ecdsaPair()
	if err != nil {
		return err
	}
	_, err = rdptest.Serve(loopbackOnly{l}, rdptest.Config{TLS: &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{c}, SessionTicketsDisabled: true,
	}})
	if err != nil {
		return err
	}
	fmt.Println(port)
	select {}
}

// loopbackOnly turns away who does not come from this machine.
type loopbackOnly struct{ net.Listener }

// Accept returns the next connection from the loopback range.
func (l loopbackOnly) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil || c.RemoteAddr().(*net.TCPAddr).IP.IsLoopback() {
			return c, err
		}
		_ = c.Close()
	}
}

func ecdsaPair() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make a key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "stand-in"}, DNSNames: []string{"stand-in"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make a certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
