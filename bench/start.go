package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// startUp measures the least that a program can do.
func startUp(ctx context.Context, b *bench) (result, error) {
	list, err := inTurns(ctx, 3*b.turns,
		of("xrdpfix version", command{args: []string{b.program, "version"}}),
		of("sslscan --version", command{args: []string{"sslscan", "--version"}}),
		of("hugo version (cobra too)", command{args: []string{"hugo", "version"}}),
		of("true", command{args: []string{"true"}}),
	)
	if err != nil {
		return result{}, err
	}
	fi, err := os.Stat(b.program)
	if err != nil {
		return result{}, fmt.Errorf("look at the program: %w", err)
	}
	return result{
		title: "Start-up and size",
		method: "`xrdpfix version` against programs that do as little; `true` is what starting a process costs here, " +
			"GNU time included.",
		tables: []table{compared(list)},
		goals: []goal{
			{"start-up", "below 10 ms", short(list[0].median()), list[0].median() < 10*time.Millisecond},
			{"the program, stripped", "below 15 MB", size(fi.Size()), fi.Size() < 15e6},
		},
	}, nil
}
