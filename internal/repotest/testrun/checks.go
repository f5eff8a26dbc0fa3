package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// command returns a command that reads nothing and whose end, when ctx ends, is
// that of its children too: go test would leave the test programs running.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd
}

// do runs a command whose own output says what failed.
func (r *runner) do(ctx context.Context, name string, args ...string) error {
	cmd := command(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = r.out, r.out
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && ctx.Err() == nil {
		return errFailed
	}
	if err != nil {
		return fmt.Errorf("run %s: %w", name, err)
	}
	return nil
}

// output runs a command and returns what it printed.
func output(ctx context.Context, name string, args ...string) (string, error) {
	out, err := command(ctx, name, args...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) && len(exit.Stderr) > 0 {
			err = fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
		}
		return "", fmt.Errorf("run %s %s: %w", name, strings.Join(args, " "), err)
	}
	return string(out), nil
}

func format(ctx context.Context, r *runner) (tally, error) {
	root, err := output(ctx, "go", "env", "GOROOT")
	if err != nil {
		return tally{}, err
	}
	files, err := output(ctx, filepath.Join(strings.TrimSpace(root), "bin", "gofmt"), "-l", ".")
	if err != nil {
		return tally{}, err
	}
	if files != "" {
		r.say("not formatted by gofmt:\n%s", strings.TrimSpace(files))
		return tally{}, errFailed
	}
	return tally{}, nil
}

func tidy(ctx context.Context, r *runner) (tally, error) {
	return tally{}, r.do(ctx, "go", "mod", "tidy", "-diff")
}

func vet(ctx context.Context, r *runner) (tally, error) {
	return tally{}, r.do(ctx, "go", "vet", "-tags", labTag, "./...")
}

func lint(ctx context.Context, r *runner) (tally, error) {
	linter, err := r.tool(ctx, golangciLint)
	if err != nil {
		return tally{}, err
	}
	// Its cache keeps findings with the paths of the clone that they were made in,
	// and the exclusions by path then miss them in another clone: a cache of its
	// own for each run.
	cache, err := os.MkdirTemp("", "xrdpfix-lint-")
	if err != nil {
		return tally{}, err
	}
	defer func() { _ = os.RemoveAll(cache) }()
	return tally{}, r.do(ctx, "env", "GOLANGCI_LINT_CACHE="+cache, linter, "run", "--timeout", "30m", "--allow-parallel-runners")
}

// vuln looks for known vulnerabilities. Where the database cannot be asked it
// says so, and that nothing was checked: that is no finding.
func vuln(ctx context.Context, r *runner) (tally, error) {
	checker, err := r.tool(ctx, govulncheck)
	if err != nil {
		return tally{}, err
	}
	out, err := command(ctx, checker, "./...").CombinedOutput()
	text := strings.TrimSpace(string(out))
	var exit *exec.ExitError
	switch {
	case err == nil:
		r.say("%s", text)
		return tally{}, nil
	case errors.As(err, &exit) && exit.ExitCode() == 3: // govulncheck: vulnerabilities found
		r.say("%s", text)
		return tally{}, errFailed
	case strings.Contains(text, "fetching vulnerabilities"):
		r.say("%s", text[strings.LastIndexByte(text, '\n')+1:])
		r.say("NOT CHECKED: the vulnerability database does not answer from this machine.")
		return tally{skipped: 1}, nil
	}
	r.say("%s", text)
	return tally{}, fmt.Errorf("run govulncheck: %w", err)
}
