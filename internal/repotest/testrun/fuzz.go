package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// How long all fuzz targets together are fuzzed.
const (
	fuzzTime    = 30 * time.Second
	fuzzTimeAll = 10 * time.Minute
	fuzzLeast   = time.Second // less is spent on starting
	// fuzzMinimize bounds the making of inputs smaller. Its default, a minute, is
	// longer than a target's time: one large seed would take all of it.
	fuzzMinimize = "200x"
)

// A target is a fuzz target of a package.
type target struct{ pkg, dir, name string }

var fuzzFunc = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)

// listed is what go list tells of a package, as far as it is used here.
type listed struct {
	ImportPath, Dir           string
	TestGoFiles, XTestGoFiles []string
}

// testFiles returns the paths of the package's test files.
func (l listed) testFiles() []string {
	var out []string
	for _, f := range append(append([]string(nil), l.TestGoFiles...), l.XTestGoFiles...) {
		out = append(out, filepath.Join(l.Dir, f))
	}
	return out
}

func list(ctx context.Context, args ...string) ([]listed, error) {
	text, err := output(ctx, "go", append([]string{"list", "-json=ImportPath,Dir,TestGoFiles,XTestGoFiles"}, append(args, "./...")...)...)
	if err != nil {
		return nil, err
	}
	var out []listed
	for dec := json.NewDecoder(strings.NewReader(text)); ; {
		var l listed
		switch err := dec.Decode(&l); {
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, fmt.Errorf("read the output of go list: %w", err)
		}
		out = append(out, l)
	}
}

// targets finds the fuzz targets of the tree.
func targets(ctx context.Context) ([]target, error) {
	packages, err := list(ctx)
	if err != nil {
		return nil, err
	}
	var out []target
	for _, l := range packages {
		for _, file := range l.testFiles() {
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, fmt.Errorf("look for fuzz targets: %w", err)
			}
			for _, m := range fuzzFunc.FindAllSubmatch(text, -1) {
				out = append(out, target{l.ImportPath, l.Dir, string(m[1])})
			}
		}
	}
	return out, nil
}

func fuzz(ctx context.Context, r *runner) (tally, error) {
	all, err := targets(ctx)
	if err != nil || len(all) == 0 {
		return tally{}, err
	}
	cache, err := output(ctx, "go", "env", "GOCACHE")
	if err != nil {
		return tally{}, err
	}
	dir, err := os.MkdirTemp("", "testrun-")
	if err != nil {
		return tally{}, fmt.Errorf("make room for fuzzing: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // temporary
	whole := fuzzTime
	if r.all {
		whole = fuzzTimeAll
	}
	f := fuzzer{
		r: r, program: filepath.Join(dir, "fuzz.test"), corpora: filepath.Join(strings.TrimSpace(cache), "fuzz"),
		each: max(fuzzLeast, whole/time.Duration(len(all))).Round(100 * time.Millisecond),
	}
	r.say("%d targets, %v each", len(all), f.each)
	var t tally
	var built string
	for _, target := range all {
		if target.pkg != built {
			if err := r.do(ctx, "go", "test", "-c", "-vet=off", "-fuzz=^Fuzz", "-o", f.program, target.pkg); err != nil {
				return t, err
			}
			built = target.pkg
		}
		ok, err := f.one(ctx, target)
		switch {
		case err != nil:
			return t, err
		case ok:
			t.passed++
		default:
			t.failed++
		}
	}
	return t, nil
}

// A fuzzer runs test programs that were built for fuzzing: each package once, not
// for every target as go test -fuzz would.
type fuzzer struct {
	r       *runner
	program string // of the package in turn
	corpora string // where go keeps the inputs that it found worth keeping
	each    time.Duration
}

// one fuzzes one target. A run that its own time limit cut off in the middle of
// an input is reported as a failure without an input to show (go.dev/issue/75804):
// that is run again, a few times.
func (f fuzzer) one(ctx context.Context, t target) (bool, error) {
	for try := 0; ; try++ {
		cmd := command(ctx, f.program, "-test.run=^$", "-test.fuzz=^"+t.name+"$",
			"-test.fuzztime="+f.each.String(), "-test.fuzzminimizetime="+fuzzMinimize, "-test.fuzzcachedir="+filepath.Join(f.corpora, t.pkg))
		cmd.Dir = t.dir // a failing input is kept below it
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		switch {
		case ctx.Err() != nil:
			return false, fmt.Errorf("fuzz %s: %w", t.name, context.Cause(ctx))
		case err == nil:
			return true, nil
		case !errors.As(err, &exit):
			return false, fmt.Errorf("fuzz %s: %w", t.name, err)
		}
		cutOff := bytes.Contains(out, []byte("context deadline exceeded")) && !bytes.Contains(out, []byte("Failing input"))
		if !cutOff || try > 3 {
			f.r.say("FAIL  %s %s\n%s", t.pkg, t.name, bytes.TrimSpace(out))
			return false, nil
		}
	}
}
