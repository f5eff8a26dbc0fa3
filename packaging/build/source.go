package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A source is what is built: the commit at the top of the repository.
type source struct {
	describe string // as git describe --tags --always --dirty says it
	revision string // the commit in full
	version  string // of the packages, see packageVersion
	date     time.Time
	changes  []section // CHANGELOG.md, the newest first
}

// readSource asks git, and the environment for SOURCE_DATE_EPOCH
// (https://reproducible-builds.org/specs/source-date-epoch/).
func readSource(ctx context.Context) (source, error) {
	var s source
	text, err := os.ReadFile("CHANGELOG.md")
	if err != nil {
		return s, fmt.Errorf("read the changes (is this the top of the repository?): %w", err)
	}
	if s.changes, err = parseChanges(string(text)); err != nil {
		return s, err
	}
	if s.revision, err = output(ctx, "git", "rev-parse", "HEAD"); err != nil {
		return s, err
	}
	if s.describe, err = output(ctx, "git", "describe", "--tags", "--always", "--dirty"); err != nil {
		return s, err
	}
	epoch := os.Getenv("SOURCE_DATE_EPOCH")
	if epoch == "" {
		if epoch, err = output(ctx, "git", "log", "-1", "--format=%ct"); err != nil {
			return s, err
		}
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return s, fmt.Errorf("read SOURCE_DATE_EPOCH: %w", err)
	}
	s.date = time.Unix(seconds, 0).UTC()
	s.version, err = packageVersion(s.describe, s.changes[0].version, s.date)
	return s, err
}

var (
	tagged   = regexp.MustCompile(`^v(\d+(?:\.\d+)*)(?:-(\d+)-(g[0-9a-f]+))?(-dirty)?$`)
	untagged = regexp.MustCompile(`^([0-9a-f]{7,})(-dirty)?$`)
)

// packageVersion makes a version that dpkg and rpm order rightly: a commit behind
// a tag comes after it, one before the first tag comes before the version that
// the changelog announces.
func packageVersion(describe, next string, date time.Time) (string, error) {
	plus := func(v, dirty string) string {
		if dirty == "" {
			return v
		}
		return v + "+dirty"
	}
	if m := tagged.FindStringSubmatch(describe); m != nil {
		if m[2] == "" {
			return plus(m[1], m[4]), nil
		}
		return plus(m[1]+"+"+m[2]+"."+m[3], m[4]), nil
	}
	if m := untagged.FindStringSubmatch(describe); m != nil {
		return plus(next+"~git"+date.UTC().Format("20060102.150405")+"."+m[1], m[2]), nil
	}
	return "", fmt.Errorf("make a version: git describes this commit as %q, which is neither v1.2.3 nor a commit; name one with -version", describe)
}

// output runs a program and returns what it printed, without the last line feed.
func output(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("run %s %s: %w\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSuffix(string(out), "\n"), nil
}

// do runs a program with more environment; what it prints is shown when it fails.
func do(ctx context.Context, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("run %s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}
