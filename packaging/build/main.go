// Build makes the packages and the releases of xrdpfix, at the top of the
// repository, into dist. What it makes depends on the commit alone: the version
// comes from git, every date from SOURCE_DATE_EPOCH or the commit.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/mail"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

const usage = `Usage: build [-dir DIR] [-version VERSION] [-arch ARCH,...] [-maintainer WHO] [-homepage URL] packages
       build [-dir DIR] [-version VERSION] [-arch ARCH,...] [-maintainer WHO] [-homepage URL] [-key KEY] release
`

// A publisher is whom the packages name.
type publisher struct {
	maintainer string // NAME <ADDRESS>
	homepage   string // "" for none
}

// nobody is named until somebody publishes the packages and says who it is: an
// address below .invalid is nobody's (RFC 2606 section 2). It stands here alone.
var nobody = publisher{maintainer: "The xrdpfix authors <maintainers@xrdpfix.invalid>"}

// check refuses what dpkg and rpm would take and nobody could use.
func (p publisher) check() error {
	if a, err := mail.ParseAddress(p.maintainer); err != nil || a.Name == "" {
		return fmt.Errorf("-maintainer %q is not NAME <ADDRESS>", p.maintainer)
	}
	if u, err := url.Parse(p.homepage); err != nil || p.homepage != "" && (u.Scheme != "https" || u.Host == "") {
		return fmt.Errorf("-homepage %q is not an address that begins with https://", p.homepage)
	}
	return nil
}

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
	who := nobody
	flags.StringVar(&who.maintainer, "maintainer", who.maintainer, "who publishes the packages")
	flags.StringVar(&who.homepage, "homepage", who.homepage, "where they come from (default nowhere)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return errUsage
	}
	if err := who.check(); err != nil {
		return err
	}
	src, err := readSource(ctx)
	if err != nil {
		return err
	}
	if *version != "" {
		src.version = *version
	}
	b := &builder{source: src, publisher: who, dir: *dir, architectures: strings.Split(*arch, ","), out: os.Stdout}
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
