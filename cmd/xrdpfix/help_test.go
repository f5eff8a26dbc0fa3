package main

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// everyCommand is the whole command tree.
func everyCommand() []*cobra.Command {
	var all []*cobra.Command
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		all = append(all, c)
		for _, below := range c.Commands() {
			walk(below)
		}
	}
	walk(newRoot(&app{}))
	return all
}

var flagName = regexp.MustCompile(`--([a-z0-9-]+)`)

// flagsOf are the names of a command's own and inherited flags.
func flagsOf(c *cobra.Command) []string {
	c.InitDefaultHelpFlag()
	var names []string
	for _, usages := range []string{c.LocalFlags().FlagUsages(), c.InheritedFlags().FlagUsages()} {
		for line := range strings.Lines(usages) {
			if m := flagName.FindStringSubmatch(line); m != nil {
				names = append(names, m[1])
			}
		}
	}
	return names
}

// TestHelpHasEveryFlag: a flag in no group would be shown nowhere.
func TestHelpHasEveryFlag(t *testing.T) {
	for _, c := range everyCommand() {
		if c.Hidden {
			continue
		}
		for _, name := range flagsOf(c) {
			if !slices.ContainsFunc(flagGroups, func(g flagGroup) bool { return slices.Contains(g.of(c), name) }) {
				t.Errorf("%s --%s is in no group of flagGroups", c.CommandPath(), name)
			}
		}
	}
}

// TestHelpIsWellFormed: one sentence, examples first, sections in their order,
// manners as everywhere.
func TestHelpIsWellFormed(t *testing.T) {
	for _, c := range everyCommand() {
		if c.Hidden {
			continue
		}
		c.InitDefaultHelpFlag()
		var out bytes.Buffer
		(&app{out: &out}).help(c)
		text := out.String()
		if bad := textManners(text); len(bad) > 0 {
			t.Errorf("%s --help: %s", c.CommandPath(), strings.Join(bad, "\n"))
		}
		if strings.HasSuffix(c.Short, ".") || len(c.Short) > 78 {
			t.Errorf("%s: the first sentence is %q", c.CommandPath(), c.Short)
		}
		if c.Example == "" || !strings.HasPrefix(text, c.Short+".\n\n"+c.Example) {
			t.Errorf("%s --help does not open with a sentence and examples:\n%s", c.CommandPath(), text)
		}
		for line := range strings.Lines(c.Example) {
			if !strings.HasPrefix(line, "  ") || len(line) > width {
				t.Errorf("%s: example %q", c.CommandPath(), line)
			}
		}
		at := -1
		for _, section := range []string{"\nUsage: xrdpfix", "\nEverywhere:\n", "\nExit status:\n"} {
			if next := strings.Index(text, section); next < at {
				t.Errorf("%s --help has %q too early or not at all", c.CommandPath(), section)
			} else {
				at = next
			}
		}
	}
}

// TestReadmeHasExitCodesAndFlags holds the README against the table and the flags.
func TestReadmeHasExitCodesAndFlags(t *testing.T) {
	data, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, c := range exitCodes {
		want = append(want, strings.Join([]string{"|", strconv.Itoa(c.Code), "|", c.Meaning, "|"}, " "))
	}
	for line := range strings.Lines(string(data)) {
		if regexp.MustCompile(`^\| \d+ \|`).MatchString(line) {
			got = append(got, strings.TrimSpace(line))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("README.md has the exit codes\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
	known := map[string]bool{}
	for _, c := range everyCommand() {
		if len(c.Commands()) == 0 && !c.Hidden && c.Name() != "help" && !strings.Contains(string(data), "xrdpfix "+commandName(c)) {
			t.Errorf("README.md does not know the command %q", c.CommandPath())
		}
		for _, f := range flagsOf(c) {
			known[f] = true
		}
	}
	for line := range strings.Lines(string(data)) {
		if _, ours, found := strings.Cut(line, "xrdpfix "); found {
			for _, m := range flagName.FindAllStringSubmatch(ours, -1) {
				if !known[m[1]] {
					t.Errorf("README.md has --%s, which no command has: %s", m[1], line)
				}
			}
		}
	}
}

func TestSpan(t *testing.T) {
	for _, tt := range []struct {
		text, shown string
		want        time.Duration
	}{
		{"90m", "90m", 90 * time.Minute},
		{"24h", "24h", day},
		{"2d", "2d", 2 * day},
		{"48h", "2d", 2 * day},
		{"1w", "7d", 7 * day},
		{"1w1d", "8d", 8 * day},
		{"1d12h", "36h", 36 * time.Hour},
		{"1.5s", "1.5s", 1500 * time.Millisecond},
		{"0s", "", 0},
	} {
		var s span
		if err := s.Set(tt.text); err != nil || time.Duration(s) != tt.want || s.String() != tt.shown {
			t.Errorf("Set(%q) = %v, %v shown as %q, want %v as %q", tt.text, time.Duration(s), err, s.String(), tt.want, tt.shown)
		}
	}
	for _, text := range []string{"", "d", "2", "-1h", "1h-1m", "soon", "2 d", "1d2w", "99999999999999999999w", "300000w", "1e3d", "\x00"} {
		var s span
		if err := s.Set(text); err == nil {
			t.Errorf("Set(%q) = %v, want an error", text, time.Duration(s))
		}
	}
}
