package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"xrdpfix/internal/lab"
)

// server boots a Debian 12 with xrdp and our program, repaired so that clients
// get in.
func (b *bench) server(ctx context.Context) (*lab.Host, error) {
	h, err := lab.Boot(ctx, lab.Bookworm, lab.Options{
		Log: os.Stderr, Binds: []lab.Bind{{Source: b.program, Target: "/usr/bin/xrdpfix"}},
	})
	if err != nil {
		return nil, err
	}
	if err := must(ctx, h, "cp -a /etc/xrdp /root/stock; xrdpfix apply --quiet"); err != nil {
		_ = h.Stop()
		return nil, err
	}
	return h, nil
}

// must runs a script inside that has to succeed.
func must(ctx context.Context, h *lab.Host, script string) error {
	r, err := h.Sh(ctx, script)
	if err == nil && r.Code != 0 {
		err = fmt.Errorf("%s: exit status %d: %s%s", script, r.Code, r.Stdout, r.Stderr)
	}
	return err
}

// local measures what is run often and changes nothing.
func local(ctx context.Context, b *bench) (_ result, err error) {
	h, err := b.server(ctx)
	if err != nil {
		return result{}, err
	}
	defer func() { _ = h.Stop() }()
	list, err := inTurns(ctx, b.turns,
		of("systemctl status xrdp", command{host: h, args: []string{"systemctl", "status", "--no-pager", "xrdp"}}),
		of("xrdpfix check", command{host: h, args: []string{"xrdpfix", "check"}}),
		of("xrdpfix apply, nothing to do", command{host: h, args: []string{"xrdpfix", "apply"}}),
	)
	if err != nil {
		return result{}, err
	}
	r := result{
		title: "Looking, and an apply with nothing to do",
		method: "On a Debian 12 whose xrdp works. Both of ours read the configuration and the log, ask systemd, " +
			"connect to the port as clients do, and find these connections in xrdp.log.",
		tables: []table{compared(list)},
	}
	for _, s := range list[1:] {
		r.goals = append(r.goals,
			goal{s.name, "below 150 ms", short(s.median()), s.median() < 150*time.Millisecond},
			goal{s.name + ", memory", "below 30 MB", size(s.memory()), s.memory() < 30e6})
	}
	return r, nil
}
