package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"xrdpfix/internal/lab"
)

// An event is a line of go test -json, see go doc test2json; the build actions
// are those of go help buildjson.
type event struct {
	Action  string
	Package string
	Test    string
	Elapsed float64 // seconds
	Output  string
}

// A row is a test that ended.
type row struct {
	Package, Test, Result string
	Seconds               float64
}

// A report follows the events of one go test.
type report struct {
	tally
	rows    []row
	say     func(format string, args ...any)
	verbose bool // a line for each test that took a second

	output map[string]map[string]*strings.Builder // package, test: what it printed so far
	failed map[string]int                         // package: tests that failed
	passed map[string]int
}

func newReport(say func(string, ...any), verbose bool) *report {
	return &report{
		say: say, verbose: verbose,
		output: map[string]map[string]*strings.Builder{}, failed: map[string]int{}, passed: map[string]int{},
	}
}

// text returns what a test, or with an empty name a package, has printed.
func (p *report) text(pkg, test string) *strings.Builder {
	if p.output[pkg] == nil {
		p.output[pkg] = map[string]*strings.Builder{}
	}
	if p.output[pkg][test] == nil {
		p.output[pkg][test] = &strings.Builder{}
	}
	return p.output[pkg][test]
}

func (p *report) take(e event) {
	switch {
	case e.Action == "build-output":
		p.say("%s", strings.TrimSuffix(e.Output, "\n"))
	case e.Action == "output":
		p.text(e.Package, e.Test).WriteString(e.Output)
	case e.Action != "pass" && e.Action != "fail" && e.Action != "skip":
	case e.Test == "":
		p.packageEnd(e)
	default:
		p.testEnd(e)
	}
}

func (p *report) testEnd(e event) {
	text := p.text(e.Package, e.Test).String()
	delete(p.output[e.Package], e.Test)
	p.rows = append(p.rows, row{e.Package, e.Test, e.Action, e.Elapsed})
	switch e.Action {
	case "pass":
		p.tally.passed++
		p.passed[e.Package]++
		if p.verbose && e.Elapsed >= 1 {
			p.say("ok    %-64s %6.1f s", e.Test, e.Elapsed)
		}
	case "skip":
		p.tally.skipped++
		p.say("skip  %s %s\n%s", e.Package, e.Test, strings.TrimRight(text, "\n"))
	case "fail":
		p.tally.failed++
		p.failed[e.Package]++
		p.say("FAIL  %s %s\n%s", e.Package, e.Test, short(text))
	}
}

// shown is how many lines of a failed test are shown from each end of its output.
const shown = 30

// short returns the text without its middle where it is long.
func short(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if cut := len(lines) - 2*shown; cut > 1 {
		gap := fmt.Sprintf("    ... %d lines not shown; go test -run shows them ...", cut)
		lines = append(append(lines[:shown:shown], gap), lines[len(lines)-shown:]...)
	}
	return strings.Join(lines, "\n")
}

// packageEnd reports a package. One that failed although none of its tests did
// (it does not build, it ran into its time limit) counts as one failure, with
// everything that its unfinished tests printed.
func (p *report) packageEnd(e event) {
	switch {
	case e.Action == "pass" && p.passed[e.Package] > 0:
		p.say("ok    %-40s %4d tests %7.1f s", e.Package, p.passed[e.Package], e.Elapsed)
	case e.Action == "fail":
		if p.failed[e.Package] == 0 {
			p.tally.failed++
		}
		for test, text := range p.output[e.Package] {
			if test != "" {
				p.say("%s", short(text.String()))
			}
		}
		p.say("FAIL  %s  %.1f s\n%s", e.Package, e.Elapsed, short(p.text(e.Package, "").String()))
	}
	delete(p.output, e.Package)
}

// read takes all events. Lines that are no JSON are go's own and are passed on.
func (p *report) read(from io.Reader) error {
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadBytes('\n')
		if line = bytes.TrimSpace(line); len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) == nil {
				p.take(e)
			} else {
				p.say("%s", line)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the output of go test: %w", err)
		}
	}
}

// goTest runs go test -json with the arguments and reports what it does.
func (r *runner) goTest(ctx context.Context, verbose bool, env []string, args ...string) (*report, error) {
	p := newReport(r.say, verbose)
	cmd := command(ctx, "go", append([]string{"test", "-json"}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = r.out
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return p, fmt.Errorf("run go test: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return p, fmt.Errorf("run go test: %w", err)
	}
	if err := p.read(pipe); err != nil {
		_ = cmd.Cancel()
		_ = cmd.Wait()
		return p, err
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return p, fmt.Errorf("run go test: %w", context.Cause(ctx))
	case errors.As(err, &exit):
		return p, errFailed
	case err != nil:
		return p, fmt.Errorf("run go test: %w", err)
	case p.tally.failed > 0:
		return p, errFailed
	}
	return p, nil
}

// unit runs every test that needs no lab, under the race detector and in random
// order.
func unit(ctx context.Context, r *runner) (tally, error) {
	if err := lab.Install(ctx, r.out, missingPackages); err != nil {
		return tally{}, fmt.Errorf("the tests need more of this machine: %w", err)
	}
	args := []string{"-race", "-shuffle=on", "-timeout", "30m", "./..."}
	if r.all {
		args = append([]string{"-count=2"}, args...)
	}
	// A program with the race detector sleeps for a second before it exits.
	p, err := r.goTest(ctx, false, []string{"CGO_ENABLED=1", "GORACE=atexit_sleep_ms=20"}, args...)
	return p.tally, err
}
