// Labctl runs the hosts of package lab by hand.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"xrdpfix/internal/lab"
)

const usage = `Usage: labctl COMMAND [ARGUMENT...]      (as root)

  image SUITE|all          make the image of a suite, unless it is cached
  boot [-veth] [-pkg PACKAGE]... [-bind FILE:TARGET]... SUITE NAME
                           boot a host that stays until it is stopped
  sh NAME [SCRIPT]         run a script inside (sh -e); without one, an interactive shell
  exec NAME COMMAND...     run one command inside
  net NAME COMMAND...      run a program of this machine in the host's network only:
                           there the host's xrdp is 127.0.0.1:3389
  freerdp NAME ARG...      xfreerdp 2 against the host, e.g. /sec:tls +auth-only; its exit status
  freerdp3 NAME ARG...     the same with FreeRDP 3
  login NAME ARG...        a whole desktop (user test) whose client stays until Ctrl-C
  sslscan NAME [ARG...]    the TLS versions that the host's xrdp accepts
  put NAME FILE TARGET     copy a file into the host, its mode included
  reboot NAME              shut down and boot the same overlay again
  list                     the running hosts, and the cached images
  prune                    remove cached images of older recipes that no host uses
  stop NAME|all            kill hosts and remove every trace of them

SUITE is bullseye, bookworm, trixie, forky or sid. A desktop user is test, password test.
Images and hosts live in $XRDPFIX_LAB_DIR (default /var/cache/xrdpfix-lab).
`

var errUsage = errors.New("wrong usage; see labctl help")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := dispatch(ctx, os.Args[1:])
	stop()
	switch {
	case errors.Is(err, errUsage):
		code = 2
	case err != nil:
		code = 1
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "labctl:", err)
	}
	os.Exit(code)
}

func dispatch(ctx context.Context, args []string) (int, error) {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		_, err := io.WriteString(os.Stdout, usage)
		return 0, err
	}
	command, args := args[0], args[1:]
	switch command {
	case "image":
		return 0, image(ctx, args)
	case "boot":
		return 0, boot(ctx, args)
	case "list":
		return 0, list()
	case "prune":
		gone, err := lab.Prune(ctx)
		for _, name := range gone {
			fmt.Println("removed", name)
		}
		return 0, err
	case "stop":
		return 0, stopHosts(ctx, args)
	}
	on, ok := onHost[command]
	if !ok {
		return 0, fmt.Errorf("%w: no command %q", errUsage, command)
	}
	if len(args) == 0 {
		return 0, fmt.Errorf("%w: %s needs the name of a host", errUsage, command)
	}
	h, err := lab.Attach(ctx, args[0])
	if err != nil {
		return 0, err
	}
	defer h.Detach()
	return on(ctx, h, args[1:])
}

func image(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("%w: image SUITE|all", errUsage)
	}
	suites := lab.Suites()
	if args[0] != "all" {
		s, err := lab.ParseSuite(args[0])
		if err != nil {
			return fmt.Errorf("%w: %w", errUsage, err)
		}
		suites = []lab.Suite{s}
	}
	for _, s := range suites {
		img, err := lab.EnsureImage(ctx, s, os.Stderr)
		if err != nil {
			return err
		}
		fmt.Printf("%-10s %s  %v\n", s, img.Root(), img.Versions)
	}
	return nil
}

func list() error {
	names, err := lab.List()
	if err != nil {
		return err
	}
	for _, name := range names {
		h, err := lab.Attach(context.Background(), name)
		if err != nil {
			continue // it was stopped meanwhile
		}
		fmt.Printf("host   %-20s %-9s PID1 %d\n", name, h.Suite, h.PID1())
	}
	images, err := lab.Images()
	if err != nil {
		return err
	}
	for _, i := range images {
		fmt.Printf("image  %-20s built %s in %.0f s  xrdp %s\n", i.Name, i.Built.Format("2006-01-02 15:04"), i.Seconds, i.Versions["xrdp"])
	}
	return nil
}

func stopHosts(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("%w: stop NAME|all", errUsage)
	}
	if err := lab.Reap(ctx); err != nil {
		return err
	}
	if strings.Join(args, " ") == "all" {
		var err error
		if args, err = lab.List(); err != nil {
			return err
		}
	}
	for _, name := range args {
		h, err := lab.Attach(ctx, name)
		if err != nil {
			return err
		}
		if err := h.Stop(); err != nil {
			return err
		}
	}
	return nil
}
