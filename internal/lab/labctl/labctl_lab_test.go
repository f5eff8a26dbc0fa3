//go:build lab

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCommandLine walks through labctl as its help has it: a host is booted, entered,
// given a file, listed and stopped, and what it answers is the exit status.
func TestCommandLine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program := filepath.Join(dir, "labctl")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	name := fmt.Sprintf("labctl-%d", os.Getpid())
	labctl := func(want int, args ...string) string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
		code := 0
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			code = exit.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		if code != want {
			t.Fatalf("labctl %s: status %d, want %d\n%s", strings.Join(args, " "), code, want, out)
		}
		return string(out)
	}
	t.Cleanup(func() { // whatever failed
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_ = exec.CommandContext(ctx, program, "stop", name).Run()
	})
	if out := labctl(0, "boot", "bookworm", name); !strings.Contains(out, name+" is up: xrdp 0.9.") || !strings.Contains(out, "labctl stop "+name) {
		t.Errorf("boot says %q", out)
	}
	labctl(1, "boot", "bookworm", name) // it is there already
	if out := labctl(0, "sh", name, "cat /etc/hostname; . /etc/os-release; echo $VERSION_CODENAME"); out != name+"\nbookworm\n" {
		t.Errorf("inside: %q", out)
	}
	labctl(7, "sh", name, "exit 7")
	labctl(4, "exec", name, "sh", "-c", "exit 4")
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("text\n"), 0o750); err != nil {
		t.Fatal(err)
	}
	labctl(0, "put", name, file, "/root/put")
	if out := labctl(0, "sh", name, "cat /root/put; stat -c %a /root/put"); out != "text\n750\n" {
		t.Errorf("what was put is %q", out)
	}
	if out := labctl(0, "list"); !strings.Contains(out, name) {
		t.Errorf("list does not name %s:\n%s", name, out)
	}
	labctl(0, "stop", name)
	if out := labctl(0, "list"); strings.Contains(out, name) {
		t.Errorf("list still names %s:\n%s", name, out)
	}
	labctl(1, "sh", name, "true")
	labctl(2, "sh")
	labctl(2, "boot", "bookworm")
	labctl(2, "boot", "buzz", name)
	if out := labctl(2, "frobnicate"); !strings.Contains(out, "labctl help") {
		t.Errorf("an unknown command: %q", out)
	}
}
