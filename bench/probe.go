package main

import (
	"context"
	"fmt"
	"time"
)

// oneServer measures the whole answer about one server.
func oneServer(ctx context.Context, b *bench) (_ result, err error) {
	h, err := b.server(ctx)
	if err != nil {
		return result{}, err
	}
	defer func() { _ = h.Stop() }()
	in := func(name string, turns int, args ...string) subject {
		s := of(name, command{host: h, net: true, args: args})
		s.turns = turns
		return s
	}
	list, err := inTurns(ctx, b.turns,
		in("xrdpfix probe", 0, b.program, "probe", "127.0.0.1"),
		in("sslscan --rdp", 0, "sslscan", "--rdp", "--no-colour", "127.0.0.1:3389"),
		in("nmap rdp-enum-encryption", 5, "nmap", "-Pn", "-n", "-p", "3389", "--script", "rdp-enum-encryption", "127.0.0.1"),
	)
	if err != nil {
		return result{}, err
	}
	ours, sslscan, nmap := list[0].median(), list[1].median(), list[2].median()
	return result{
		title: "Probing one server",
		method: "The protocols selected, TLS 1.0 to 1.3 with their ciphers, the certificate, and which clients can connect, " +
			"against sslscan (versions, ciphers, certificate) and nmap's script (protocols, encryption levels).",
		tables: []table{compared(list)},
		goals: []goal{
			{"beside sslscan", "at most 1/3", ratio(ours, sslscan), 3*ours <= sslscan},
			{"beside nmap", "at most 1/10", ratio(ours, nmap), 10*ours <= nmap},
		},
	}, nil
}

func ratio(a, b time.Duration) string { return fmt.Sprintf("1/%.1f", float64(b)/float64(a)) }
