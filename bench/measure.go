package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"xrdpfix/internal/lab"
)

// A cost is what one run of a subject took.
type cost struct {
	wall   time.Duration
	memory int64 // the largest resident set of the process, in bytes; 0 where it was not measured
	cpu    time.Duration
}

// A subject is something that is measured: ours, or a peer.
type subject struct {
	name string
	run  func(context.Context) (cost, error)
	// prepare runs before each turn and is not measured.
	prepare func(context.Context) error
	// turns, where not 0, is how often this one runs: fewer for the very slow.
	turns int
}

// A series is what the turns of one subject took.
type series struct {
	name  string
	costs []cost
}

// inTurns runs the subjects one after another, again and again, so that a
// change of the machine's mood meets all of them. The first turn warms caches
// and does not count.
func inTurns(ctx context.Context, turns int, subjects ...subject) ([]series, error) {
	out := make([]series, len(subjects))
	for turn := range turns + 1 {
		for i, s := range subjects {
			if s.turns > 0 && turn > s.turns {
				continue
			}
			if s.prepare != nil {
				if err := s.prepare(ctx); err != nil {
					return nil, fmt.Errorf("prepare %s: %w", s.name, err)
				}
			}
			c, err := s.run(ctx)
			if err != nil {
				return nil, fmt.Errorf("run %s: %w", s.name, err)
			}
			out[i].name = s.name
			if turn > 0 {
				out[i].costs = append(out[i].costs, c)
			}
		}
	}
	return out, nil
}

// median is the wall time of the middle.
func (s series) median() time.Duration {
	walls := s.walls()
	return walls[len(walls)/2]
}

// spread is the wall time at a quarter and at three quarters.
func (s series) spread() (low, high time.Duration) {
	walls := s.walls()
	return walls[len(walls)/4], walls[len(walls)*3/4]
}

func (s series) walls() []time.Duration {
	var walls []time.Duration
	for _, c := range s.costs {
		walls = append(walls, c.wall)
	}
	slices.Sort(walls)
	return walls
}

// memory is the largest resident set of all turns.
func (s series) memory() int64 {
	var most int64
	for _, c := range s.costs {
		most = max(most, c.memory)
	}
	return most
}

// cores is how many processors were at work, on the whole.
func (s series) cores() float64 {
	var wall, cpu time.Duration
	for _, c := range s.costs {
		wall, cpu = wall+c.wall, cpu+c.cpu
	}
	return cpu.Seconds() / wall.Seconds()
}

// A command is a program to measure, on the machine or inside a host.
type command struct {
	args  []string
	host  *lab.Host // inside it, where not nil
	net   bool      // in its network only
	codes []int     // exit statuses that are fine; 0 where empty
	stdin string    // a file
	out   *bytes.Buffer
}

// measure runs the command under GNU time, which tells the resident set of what
// it started and not, as wait4 would, that of the process that forked it.
func (c command) measure(ctx context.Context) (cost, error) {
	report, err := os.CreateTemp("", "bench-time-")
	if err != nil {
		return cost{}, fmt.Errorf("measure: %w", err)
	}
	defer os.Remove(report.Name()) //nolint:errcheck // temporary
	defer report.Close()           //nolint:errcheck // read only
	argv := append([]string{"time", "--format=%M %U %S", "--quiet", "--output=" + report.Name()}, c.argv()...)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if c.out != nil {
		c.out.Reset()
		cmd.Stdout = c.out
	}
	if c.stdin != "" {
		f, err := os.Open(c.stdin)
		if err != nil {
			return cost{}, fmt.Errorf("measure: %w", err)
		}
		defer f.Close() //nolint:errcheck // read only
		cmd.Stdin = f
	}
	start := time.Now()
	err = cmd.Run()
	wall := time.Since(start)
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || !slices.Contains(c.codes, exit.ExitCode())) {
		return cost{}, fmt.Errorf("%s: %w: %s", strings.Join(c.args, " "), err, strings.TrimSpace(stderr.String()))
	}
	text, err := os.ReadFile(report.Name())
	if err != nil {
		return cost{}, fmt.Errorf("measure: %w", err)
	}
	var kib int64
	var user, system float64
	if _, err := fmt.Sscan(string(text), &kib, &user, &system); err != nil {
		return cost{}, fmt.Errorf("measure %s: time says %q", filepath.Base(c.args[0]), text)
	}
	return cost{wall, kib << 10, time.Duration((user + system) * float64(time.Second))}, nil
}

func (c command) argv() []string {
	if c.host == nil {
		return c.args
	}
	spaces := "-a"
	if c.net {
		spaces = "-n"
	}
	return append([]string{"nsenter", "-t", strconv.Itoa(c.host.PID1()), spaces, "--"}, c.args...)
}

// of makes a subject of a command.
func of(name string, c command) subject { return subject{name: name, run: c.measure} }
