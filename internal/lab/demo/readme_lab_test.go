//go:build lab

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// shifting is what differs from run to run.
var shifting = []struct {
	found *regexp.Regexp
	as    string
}{
	{regexp.MustCompile(`([0-9A-F]{2}:){15,19}[0-9A-F]{2}`), "FINGERPRINT"},
	{regexp.MustCompile(`\d{8}T\d{6}Z`), "ID"},
	{regexp.MustCompile(`\b\d\d:\d\d:\d\d\b`), "TIME"},
	{regexp.MustCompile(`\b\d+\.\d s\b`), "SECONDS"},
	{regexp.MustCompile(`(xrdp|OpenSSL) \d+\.\d+\.[0-9.]+`), "$1 VERSION"},
	{regexp.MustCompile(`\bport(\s+)\d{5}\b`), "port${1}PORT"},
	{regexp.MustCompile(`\bdesk01-\d+\b`), "desk01"}, // while another demonstration is on
}

func steady(text string) string {
	for _, s := range shifting {
		text = s.found.ReplaceAllString(text, s.as)
	}
	return text
}

// TestReadme plays the demonstration, as make demo does, and holds the run that
// README.md shows against it, line by line.
func TestReadme(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(readme), "## A real run\n")
	_, rest, opened := strings.Cut(rest, "```\n")
	shown, _, closed := strings.Cut(rest, "```\n")
	if !found || !opened || !closed || !strings.Contains(shown, "FIXED") {
		t.Fatal("README.md shows no run")
	}
	dir := t.TempDir()
	for name, pkg := range map[string]string{"xrdpfix": "xrdpfix/cmd/xrdpfix", "demo": "."} {
		build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(dir, name), pkg)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("go build %s: %v\n%s", pkg, err, out)
		}
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(dir, "demo"), filepath.Join(dir, "xrdpfix")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// A part of the run without an empty line in it stands in the demonstration whole,
	// and the parts in their order.
	played := steady(string(out))
	for part := range strings.SplitSeq(steady(shown), "\n\n") {
		_, after, found := strings.Cut(played, strings.TrimSuffix(part, "\n")+"\n")
		if !found {
			t.Errorf("README.md shows\n%s\nand the demonstration\n%s", part, out)
			break
		}
		played = after
	}
}
