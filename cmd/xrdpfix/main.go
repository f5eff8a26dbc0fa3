// Command xrdpfix finds out why Remote Desktop clients cannot negotiate
// security with the xrdp of this machine, makes the smallest safe change, and
// proves on the wire and in xrdp.log that it worked, or puts everything back.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"xrdpfix/internal/host"
)

// version is set by the linker.
var version = "devel"

func main() {
	host.NoCore()
	// Never undone: a second signal, as timeout(1) sends one to the process and one
	// to its group, must not end us between the last word and the exit status.
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
