// Testrun is what make test runs: the phases that a change has to pass, the fast
// ones first, each with a line of its own and its duration. Its last line counts
// the tests: "N passed, N failed", and the skipped ones where there are any. The
// exit status is 1 when anything failed, 2 for wrong usage.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A phase is one step of the run.
type phase struct {
	name  string
	about string
	run   func(context.Context, *runner) (tally, error)
	alone bool // runs only when it is asked for by name
	slow  bool // not begun when a phase before it failed
}

// phases in their order: what fails fast comes first.
var phases = []phase{
	{name: "format", about: "gofmt -l", run: format},
	{name: "tidy", about: "go mod tidy -diff", run: tidy},
	{name: "vet", about: "go vet", run: vet},
	{name: "lint", about: "golangci-lint", run: lint},
	{name: "unit", about: "go test -race -shuffle=on ./...", run: unit},
	{name: "fuzz", about: "every fuzz target for a moment", run: fuzz},
	{name: "lab", about: "go test -tags lab, on real xrdp servers", run: labTests, slow: true},
	{name: "vuln", about: "govulncheck", run: vuln, alone: true},
}

// A tally counts tests.
type tally struct{ passed, failed, skipped int }

func (t *tally) add(o tally) {
	t.passed += o.passed
	t.failed += o.failed
	t.skipped += o.skipped
}

// String is the closing line by which a run is judged.
func (t tally) String() string {
	s := fmt.Sprintf("%d passed, %d failed", t.passed, t.failed)
	if t.skipped > 0 {
		s += fmt.Sprintf(", %d skipped", t.skipped)
	}
	return s
}

// A runner carries what the phases share.
type runner struct {
	all bool      // every row on every suite, longer fuzzing
	out io.Writer // where everything is reported
}

func (r *runner) say(format string, args ...any) {
	fmt.Fprintf(r.out, format+"\n", args...) //nolint:errcheck // a report that cannot be written has no reader
}

// errFailed says that the reason was reported already.
var errFailed = errors.New("failed")

func main() {
	all := flag.Bool("all", false, "every row on every suite, longer fuzzing; writes docs/tested.md")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "Usage: testrun [-all] [PHASE...]   (default: all but vuln)") //nolint:errcheck // usage
		for _, p := range phases {
			fmt.Fprintf(flag.CommandLine.Output(), "  %-7s %s\n", p.name, p.about) //nolint:errcheck // usage
		}
	}
	flag.Parse()
	todo, err := choose(flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "testrun:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	total := (&runner{all: *all, out: os.Stdout}).runAll(ctx, todo)
	stop()
	if total.failed > 0 || total == (tally{}) {
		os.Exit(1)
	}
}

// choose returns the phases of those names, in their own order; without names,
// all that do not run only alone.
func choose(names []string) ([]phase, error) {
	var todo []phase
	for _, p := range phases {
		if slices.Contains(names, p.name) || len(names) == 0 && !p.alone {
			todo = append(todo, p)
		}
	}
	for _, n := range names {
		if !slices.ContainsFunc(phases, func(p phase) bool { return p.name == n }) {
			return nil, fmt.Errorf("no phase %q", n)
		}
	}
	return todo, nil
}

// runAll runs the phases and reports each of them and the sum.
func (r *runner) runAll(ctx context.Context, todo []phase) tally {
	var total tally
	var lines []string
	begin := time.Now()
	for _, p := range todo {
		if p.slow && total.failed > 0 {
			lines = append(lines, fmt.Sprintf("%-7s not run: a phase before it failed", p.name))
			continue
		}
		r.say("== %s: %s", p.name, p.about)
		start := time.Now()
		t, err := p.run(ctx, r)
		if err != nil && !errors.Is(err, errFailed) {
			r.say("%s: %v", p.name, err)
		}
		if err != nil && t.failed == 0 {
			t.failed = 1
		}
		if err == nil && t == (tally{}) {
			t.passed = 1 // a check that counts no tests of its own
		}
		total.add(t)
		word := "ok"
		if t.failed > 0 {
			word = "FAILED"
		}
		line := fmt.Sprintf("%-7s %-6s %6.1f s  %s", p.name, word, time.Since(start).Seconds(), t)
		r.say("== %s", line)
		lines = append(lines, line)
		if ctx.Err() != nil {
			break
		}
	}
	r.say("\n%s", strings.Join(lines, "\n"))
	r.say("all in %.0f s\n%s", time.Since(begin).Seconds(), total)
	return total
}
