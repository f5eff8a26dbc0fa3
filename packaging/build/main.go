// Build makes the packages and the releases of xrdpfix, at the top of the
// repository, into dist. What it makes depends on the commit alone: the version
// comes from git, every date from SOURCE_DATE_EPOCH or the commit.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

const usage = `Usage: build [-dir DIR] [-version VERSION] [-arch ARCH,...] packages
       build [-dir DIR] [-version VERSION] [-arch ARCH,...] [-key KEY] release
`

var errUsage = errors.New("wrong usage")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("build", flag.ContinueOnError)
	dir := flags.String("dir", "dist", "where the files go")
	version := flags.String("version", "", "version of the packages (default: from git)")
	arch := flags.String("arch", "amd64,arm64", "architectures, as Go calls them")
	key := flags.String("key", "", "sign with this key of gpg")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return errUsage
	}
	src, err := readSource(ctx)
	if err != nil {
		return err
	}
	if *version != "" {
		src.version = *version
	}
	b := &builder{source: src, dir: *dir, architectures: strings.Split(*arch, ","), out: os.Stdout}
	work, err := os.MkdirTemp("", "xrdpfix-build-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	switch flags.Arg(0) {
	case "packages":
		_, err := b.packages(ctx, work)
		return err
	case "release":
		return b.release(ctx, *key, work)
	}
	return errUsage
}
