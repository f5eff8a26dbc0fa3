package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"xrdpfix/internal/lab"
)

// guide is what the usual guide has one do, as shell lines that are shown and
// then run: the security layer, the TLS range where nothing reads it, the
// certificate deleted, the restart.
var guide = []string{
	`sed -i 's/^security_layer=.*/security_layer=negotiate/' /etc/xrdp/xrdp.ini`,
	`sed -i '/^\[Security\]/a tls_min_version=TLSv1.2\ntls_max_version=TLSv1.3' \` + "\n    /etc/xrdp/sesman.ini",
	`rm /etc/xrdp/cert.pem`,
	`systemctl restart xrdp`,
}

// A stage is the host on which the demonstration plays.
type stage struct{ host *lab.Host }

// play is the demonstration.
func play(ctx context.Context, s *stage) error {
	heading("The usual guide, followed to the letter")
	for _, line := range guide {
		fmt.Println("# " + line)
		if err := s.sh(ctx, line); err != nil {
			return err
		}
	}
	if err := s.host.WaitPort(ctx, lab.RDPPort); err != nil {
		return err
	}

	heading("Clients, before")
	if ok, err := s.clients(ctx); err != nil {
		return err
	} else if ok {
		return errors.New("a client got in before the repair: there is nothing to show")
	}

	heading("The repair")
	if err := s.xrdpfix(ctx, "apply"); err != nil {
		return err
	}

	heading("The same clients, after")
	if ok, err := s.clients(ctx); err != nil {
		return err
	} else if !ok {
		return errors.New("a client is still turned away")
	}

	heading("The repair, once more")
	before, err := s.state(ctx)
	if err != nil {
		return err
	}
	if err := s.xrdpfix(ctx, "apply"); err != nil {
		return err
	}
	after, err := s.state(ctx)
	if err != nil {
		return err
	}
	if before != after {
		return fmt.Errorf("the second apply changed something; before:\n%s\nafter:\n%s", before, after)
	}
	fmt.Println("\nSeen from outside: no file of /etc/xrdp was written, xrdp was not restarted.")
	return nil
}

// heading begins a part of the demonstration.
func heading(text string) { fmt.Printf("\n== %s\n\n", text) }

// sh runs a shell line inside that must succeed.
func (s *stage) sh(ctx context.Context, line string) error {
	r, err := s.host.Sh(ctx, line)
	if err == nil && r.Code != 0 {
		err = fmt.Errorf("exit status %d: %s", r.Code, strings.TrimSpace(r.Stderr))
	}
	if err != nil {
		return fmt.Errorf("run %q: %w", line, err)
	}
	return nil
}

// state returns what an apply that has nothing to do must leave alone: the files
// below /etc/xrdp with their times, and the daemon's process.
func (s *stage) state(ctx context.Context) (string, error) {
	r, err := s.host.Sh(ctx, `find /etc/xrdp -printf '%p %T@ %C@ %i\n' | sort; systemctl show -p MainPID xrdp`)
	if err != nil {
		return "", fmt.Errorf("look at the files of xrdp: %w", err)
	}
	return r.Stdout, nil
}

// xrdpfix runs the program inside, on this terminal if there is one.
func (s *stage) xrdpfix(ctx context.Context, args ...string) error {
	fmt.Printf("# xrdpfix %s\n", strings.Join(args, " "))
	argv := []string{
		"-t", strconv.Itoa(s.host.PID1()), "-a", "--", "env", "-i", "HOME=/root", "USER=root", "LANG=C.UTF-8",
		"TERM=" + os.Getenv("TERM"), "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "xrdpfix",
	}
	cmd := exec.CommandContext(ctx, "nsenter", append(argv, args...)...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // so that it can roll back
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run xrdpfix %s: %w", strings.Join(args, " "), err)
	}
	return nil
}
