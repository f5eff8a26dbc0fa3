package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// nfpmVersion is the version that the tests have seen work. The program is no
// requirement of go.mod: its many modules are none of ours.
const nfpmVersion = "v2.45.2"

// nfpm returns the program that writes packages. The first time it is built.
func (b *builder) nfpm(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a place for nfpm: %w", err)
	}
	goVersion, err := output(ctx, "go", "env", "GOVERSION")
	if err != nil {
		return "", err
	}
	goVersion, _, _ = strings.Cut(goVersion, " ")
	dir := filepath.Join(cache, "xrdpfix", "bin", "nfpm-"+nfpmVersion+"-"+goVersion)
	program := filepath.Join(dir, "nfpm")
	if _, err := os.Stat(program); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return program, err
	}
	if _, err := fmt.Fprintf(b.out, "building nfpm %s (once, a minute)\n", nfpmVersion); err != nil {
		return "", err
	}
	env := []string{"GOBIN=" + dir, "GOFLAGS=-buildvcs=false", "CGO_ENABLED=0"}
	return program, do(ctx, env, "go", "install", "github.com/goreleaser/nfpm/v2/cmd/nfpm@"+nfpmVersion)
}
