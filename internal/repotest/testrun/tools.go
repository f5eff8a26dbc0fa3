package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// A tool is a Go program of others that is built from source for the tests. It
// is no requirement of go.mod: its hundreds of modules are none of ours.
type tool struct{ pkg, version string }

var (
	golangciLint = tool{"github.com/golangci/golangci-lint/v2/cmd/golangci-lint", "v2.12.0"}
	govulncheck  = tool{"golang.org/x/vuln/cmd/govulncheck", "v1.1.4"}
)

// tool returns the path of the program, which is built first when the cache has
// none of this version by this Go: golangci-lint refuses code for a Go that is
// newer than the one that built it.
func (r *runner) tool(ctx context.Context, t tool) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a place for tools: %w", err)
	}
	goVersion, err := output(ctx, "go", "env", "GOVERSION")
	if err != nil {
		return "", err
	}
	name := path.Base(t.pkg)
	goWord, _, _ := strings.Cut(strings.TrimSpace(goVersion), " ")
	dir := filepath.Join(cache, "xrdpfix", "bin", name+"-"+t.version+"-"+goWord)
	program := filepath.Join(dir, name)
	if _, err := os.Stat(program); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return program, err
	}
	r.say("building %s %s (once, some minutes)", name, t.version)
	cmd := exec.CommandContext(ctx, "go", "install", t.pkg+"@"+t.version)
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=-buildvcs=false", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", name, err, out)
	}
	return program, nil
}

// ensureCompiler installs the C compiler that the race detector needs, where it
// is missing and can be installed.
func (r *runner) ensureCompiler(ctx context.Context) error {
	_, gcc := exec.LookPath("gcc")
	_, libc := os.Stat("/usr/include/stdlib.h")
	if gcc == nil && libc == nil {
		return nil
	}
	const packages = "gcc libc6-dev"
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return fmt.Errorf("go test -race needs a C compiler: install %s", packages)
	}
	r.say("installing %s for go test -race", packages)
	install := append([]string{"install", "-y", "--no-install-recommends"}, strings.Fields(packages)...)
	for _, args := range [][]string{{"update"}, install} {
		cmd := exec.CommandContext(ctx, "apt-get", append([]string{"-q"}, args...)...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("install %s: apt-get %s: %w\n%s", packages, args[0], err, out)
		}
	}
	return nil
}
