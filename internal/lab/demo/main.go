// Demo shows xrdpfix at work: it boots a stock Debian 12 with a real xrdp, plants
// the guide that is found everywhere, followed to the letter, lets FreeRDP fail,
// runs the given xrdpfix inside and lets FreeRDP try again. The host is thrown
// away at the end. The exit status is 1 unless the clients failed before, got in
// afterwards, and a second run changed nothing.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"xrdpfix/internal/lab"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "Usage: demo FILE   (a static xrdpfix; as root)")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "\ndemo:", err)
		os.Exit(1)
	}
}

// run boots the host, plays the demonstration and removes the host, however the
// demonstration ended.
func run(ctx context.Context, program string) (err error) {
	start := time.Now()
	program, err = filepath.Abs(program)
	if err != nil {
		return fmt.Errorf("find %s: %w", program, err)
	}
	if _, err := os.Stat(program); err != nil {
		return fmt.Errorf("find the program to show: %w", err)
	}
	heading("A stock Debian 12 with a real xrdp")
	img, err := lab.EnsureImage(ctx, lab.Bookworm, os.Stdout)
	if err != nil {
		return err
	}
	booted := time.Now()
	o := lab.Options{Name: "desk01", Binds: []lab.Bind{{Source: program, Target: "/usr/local/bin/xrdpfix"}}}
	h, err := lab.Boot(ctx, lab.Bookworm, o)
	if errors.Is(err, fs.ErrExist) { // another demonstration is on
		o.Name = fmt.Sprintf("desk01-%d", os.Getpid())
		h, err = lab.Boot(ctx, lab.Bookworm, o)
	}
	if err != nil {
		return err
	}
	defer func() {
		if serr := h.Stop(); serr != nil {
			err = errors.Join(err, serr)
			return
		}
		fmt.Printf("\nThe host is gone; its image stays in %s. (%.0f s in all)\n", lab.Dir(), time.Since(start).Seconds())
	}()
	fmt.Printf("xrdp %s, OpenSSL %s; booted in %.1f s\n", img.Versions["xrdp"], img.Versions["openssl"], time.Since(booted).Seconds())
	return play(ctx, &stage{host: h})
}
