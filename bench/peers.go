package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// peers are the programs that are measured beside ours, or measure, and the
// Debian packages that have them; nmap and sslscan come with the lab.
var peers = []struct{ program, pkg string }{
	{"/usr/bin/time", "time"},
	{"/usr/bin/fail2ban-regex", "fail2ban"},
	{"/usr/bin/hugo", "hugo"}, // a program with cobra, like ours
}

func installPeers(ctx context.Context) error {
	var missing []string
	for _, p := range peers {
		if _, err := os.Stat(p.program); err != nil {
			missing = append(missing, p.pkg)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	fmt.Fprintln(os.Stderr, "bench: installing", strings.Join(missing, " "))
	for _, args := range [][]string{{"update"}, append([]string{"install", "-y", "--no-install-recommends"}, missing...)} {
		cmd := exec.CommandContext(ctx, "apt-get", append([]string{"-q", "-o", "Dpkg::Use-Pty=0"}, args...)...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("install %s: %w\n%s", strings.Join(missing, " "), err, out)
		}
	}
	return nil
}
