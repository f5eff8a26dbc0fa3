package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"xrdpfix/internal/lab"
)

// onHost are the commands that need a running host.
var onHost = map[string]func(context.Context, *lab.Host, []string) (int, error){
	"sh":     shell,
	"exec":   inside,
	"net":    network,
	"put":    put,
	"reboot": reboot,
	"freerdp": func(ctx context.Context, h *lab.Host, args []string) (int, error) {
		return client(lab.FreeRDP(ctx, h, args...))
	},
	"freerdp3": func(ctx context.Context, h *lab.Host, args []string) (int, error) {
		if _, err := lab.EnsureClient(ctx, os.Stderr); err != nil {
			return 0, err
		}
		return client(lab.FreeRDP3(ctx, h, args...))
	},
	"sslscan": scan,
	"login":   login,
}

func boot(ctx context.Context, args []string) error {
	o := lab.Options{Detached: true, Log: os.Stderr}
	flags := flag.NewFlagSet("boot", flag.ContinueOnError)
	flags.BoolVar(&o.Veth, "veth", false, "add an interface shared with this machine")
	flags.Func("pkg", "install `PACKAGE` too", func(s string) error {
		o.Packages = append(o.Packages, s)
		return nil
	})
	flags.Func("bind", "make `FILE:TARGET` visible inside", func(s string) error {
		source, target, ok := strings.Cut(s, ":")
		if !ok {
			return errors.New("want FILE:TARGET")
		}
		o.Binds = append(o.Binds, lab.Bind{Source: source, Target: target})
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if flags.NArg() != 2 {
		return fmt.Errorf("%w: boot SUITE NAME", errUsage)
	}
	suite, err := lab.ParseSuite(flags.Arg(0))
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	o.Name = flags.Arg(1)
	h, err := lab.Boot(ctx, suite, o)
	if err != nil {
		return err
	}
	fmt.Printf("%s is up: xrdp %s on %s\n", h.Name, h.Image.Versions["xrdp"], h.Image.Suite)
	fmt.Printf("  enter    labctl sh %s        (nsenter -t %d -a)\n", h.Name, h.PID1())
	fmt.Printf("  connect  labctl freerdp %s /sec:tls +auth-only\n", h.Name)
	fmt.Printf("  files    %s\n", h.Path("/"))
	if a, _ := h.Addr(); a.IsValid() {
		fmt.Printf("  address  %s\n", a)
	}
	fmt.Printf("  stop     labctl stop %s\n", h.Name)
	return nil
}

// shell runs a script inside, or a shell on this terminal.
func shell(ctx context.Context, h *lab.Host, args []string) (int, error) {
	enter := []string{"nsenter", "-t", strconv.Itoa(h.PID1()), "-a", "--", "env", "-i", "HOME=/root", "USER=root",
		"LANG=C.UTF-8", "TERM=" + os.Getenv("TERM"), "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	if len(args) == 0 {
		return attached(ctx, append(enter, "bash", "-l"))
	}
	return attached(ctx, append(append(enter, "sh", "-ec"), strings.Join(args, " ")))
}

func inside(ctx context.Context, h *lab.Host, args []string) (int, error) {
	if len(args) == 0 {
		return 0, fmt.Errorf("%w: exec needs NAME and COMMAND", errUsage)
	}
	r, err := h.Run(ctx, lab.Cmd{Args: args, Stdin: os.Stdin})
	return show(r, err)
}

func network(ctx context.Context, h *lab.Host, args []string) (int, error) {
	if len(args) == 0 {
		return 0, fmt.Errorf("%w: net needs NAME and COMMAND", errUsage)
	}
	return attached(ctx, append([]string{"nsenter", "-t", strconv.Itoa(h.PID1()), "-n", "--"}, args...))
}

func put(ctx context.Context, h *lab.Host, args []string) (int, error) {
	if len(args) != 2 {
		return 0, fmt.Errorf("%w: put NAME FILE TARGET", errUsage)
	}
	data, err := os.ReadFile(args[0])
	if err != nil {
		return 0, err
	}
	fi, err := os.Stat(args[0])
	if err != nil {
		return 0, err
	}
	return 0, h.WriteFile(ctx, args[1], data, fi.Mode().Perm())
}

func reboot(ctx context.Context, h *lab.Host, _ []string) (int, error) { return 0, h.Reboot(ctx) }

// client shows how a client fared; its exit status is labctl's.
func client(r lab.ClientResult, err error) (int, error) {
	fmt.Printf("%sexit status %d: %s (%.1f s)\n", r.Output, r.Code, r.Name, r.Elapsed.Seconds())
	return r.Code, err
}

func scan(ctx context.Context, h *lab.Host, args []string) (int, error) {
	r, err := lab.SSLScan(ctx, h, args...)
	if err == nil {
		fmt.Printf("%saccepted: %s\n", r.Output, r.Accepted())
	}
	return 0, err
}

// login keeps a desktop's client connected until it is interrupted.
func login(ctx context.Context, h *lab.Host, args []string) (int, error) {
	s, err := lab.Login(ctx, h, lab.TestUser, lab.TestPassword, args...)
	if err != nil {
		return 0, err
	}
	fmt.Printf("Xorg of %s is process %d; connected until Ctrl-C\n", s.User, s.Xorg)
	<-ctx.Done()
	return 0, s.Close()
}

// attached runs a command on this process's own terminal.
func attached(ctx context.Context, argv []string) (int, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// show passes on what a command left behind.
func show(r lab.Result, err error) (int, error) {
	_, _ = os.Stdout.WriteString(r.Stdout)
	_, _ = os.Stderr.WriteString(r.Stderr)
	return r.Code, err
}
