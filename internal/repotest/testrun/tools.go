package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
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
	cmd := command(ctx, "go", "install", t.pkg+"@"+t.version)
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=-buildvcs=false", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", name, err, out)
	}
	return program, nil
}

// needed are the files of the machine that the unit tests cannot do without, and
// the Debian packages that have them. The lab installs what it needs itself.
var needed = []struct{ file, pkg string }{
	{"/usr/bin/gcc", "gcc"}, // links the race detector
	{"/usr/include/stdlib.h", "libc6-dev"},
	{"/usr/bin/openssl", "openssl"}, // what we read is compared with what it reads
}

// missingPackages returns the packages of the files that are not there.
func missingPackages() []string {
	var missing []string
	for _, n := range needed {
		if _, err := os.Stat(n.file); err != nil {
			missing = append(missing, n.pkg)
		}
	}
	return missing
}
