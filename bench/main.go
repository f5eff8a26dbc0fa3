// Bench measures xrdpfix beside the tools that people use today: on the same
// servers, in one run, in turns. It reports medians and ratios, never single
// times, into docs/benchmarks.md. It runs as root on a Debian machine, installs
// the peers, and is no part of make test: on a busy machine it would only tell
// how busy that is.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"xrdpfix/internal/lab"
)

// document is where the results of a whole run are kept.
const document = "docs/benchmarks.md"

// A section measures one thing beside its peers.
type section struct {
	name string
	run  func(context.Context, *bench) (result, error)
}

var sections = []section{
	{"start", startUp},
	{"local", local},
	{"repair", repairs},
	{"probe", oneServer},
	{"fleet", manyServers},
	{"log", readLog},
	{"follow", followLog},
	{"growth", growth},
}

// A bench is what the sections share.
type bench struct {
	program string // xrdpfix, static
	turns   int    // how often each subject is run
	quick   bool   // a try of the harness: small inputs
	dir     string // for what is generated; removed at the end
}

// roles are what this program also is, for itself, in a process of its own.
var roles = map[string]func(args []string) error{standInArg: serveStandIn, bareLoopArg: bareLoop}

func main() {
	if run, role := roles[strings.Join(os.Args[1:min(2, len(os.Args))], "")]; role {
		if err := run(os.Args[2:]); err != nil {
			fmt.Fprintf(os.Stderr, "bench: %s: %v\n", os.Args[1], err)
			os.Exit(1)
		}
		return
	}
	only := flag.String("only", "", "the sections to run, with commas between; all where empty")
	quick := flag.Bool("quick", false, "small inputs and few turns: tries the harness, measures nothing")
	turns := flag.Int("turns", 11, "how often each subject runs")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "Usage: bench [-only NAMES] [-quick] [-turns N] PROGRAM   (a static xrdpfix; as root)") //nolint:errcheck // usage
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 || *turns < 3 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, flag.Arg(0), *only, *quick, *turns)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, program, only string, quick bool, turns int) error {
	program, err := filepath.Abs(program)
	if err != nil {
		return fmt.Errorf("find %s: %w", program, err)
	}
	if _, err := os.Stat(program); err != nil {
		return fmt.Errorf("find the program to measure: %w", err)
	}
	todo, err := choose(only)
	if err != nil {
		return err
	}
	if err := lab.Require(ctx, os.Stderr, "nmap", "sslscan", "time", "fail2ban-regex", "hugo"); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("/var/tmp", "xrdpfix-bench-")
	if err != nil {
		return fmt.Errorf("make room: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // temporary
	b := &bench{program: program, turns: turns, quick: quick, dir: dir}
	began := time.Now()
	var done []result
	for _, s := range todo {
		fmt.Fprintln(os.Stderr, "bench:", s.name)
		r, err := s.run(ctx, b)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		fmt.Println(r.markdown())
		done = append(done, r)
	}
	if only != "" || quick {
		return nil
	}
	text, err := whole(ctx, done, began)
	if err != nil {
		return err
	}
	return os.WriteFile(document, []byte(text), 0o644)
}

func choose(only string) ([]section, error) {
	if only == "" {
		return sections, nil
	}
	var todo []section
	for _, name := range strings.Split(only, ",") {
		i := slices.IndexFunc(sections, func(s section) bool { return s.name == name })
		if i < 0 {
			return nil, errors.New("no section " + name)
		}
		todo = append(todo, sections[i])
	}
	return todo, nil
}
