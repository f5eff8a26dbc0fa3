package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"xrdpfix/internal/host"
	"xrdpfix/logwatch"
)

// logFlags narrow what log shows.
type logFlags struct {
	follow bool
	since  span
	client string
	only   netip.Addr // client, parsed
	failed bool
	all    bool
}

func newLog(a *app) *cobra.Command {
	var flags logFlags
	cmd := &cobra.Command{
		Use:   "log",
		Short: "What happened to each connection in xrdp.log",
		Long:  `Read xrdp.log and its rotated predecessors, and tell what happened to each connection: who came, what it asked for, what it got, or why it failed and whose move it is. Hang-ups, scanners and our own probes are counted, not shown.`,
		Example: `  xrdpfix log --since 24h       the last day
  xrdpfix log --failed          only what failed
  xrdpfix log -f                live, as connections come`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if flags.client != "" {
				addr, err := netip.ParseAddr(flags.client)
				if err != nil {
					return usagef("--client %s is not an address", flags.client)
				}
				flags.only = addr.Unmap()
			}
			return a.log(cmd.Context(), flags)
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&flags.follow, "follow", "f", false, "go on as connections come")
	flags.since = span(day)
	f.Var(&flags.since, "since", "how far back: `TIME` as in 90m, 24h or 2d")
	f.StringVar(&flags.client, "client", "", "only the client with this `ADDRESS`")
	f.BoolVar(&flags.failed, "failed", false, "only connections that failed")
	f.BoolVar(&flags.all, "all", false, "every connection: repeated ones, hang-ups, scanners and our own probes too")
	return cmd
}

// logView prints connections and keeps count.
type logView struct {
	a         *app
	flags     logFlags
	sum       logSummary
	own, hung int
	repeated  int // connections with TLS of a client that was shown already
	table     logTable
	shown     map[string]bool     // clients with a row for a connection with TLS
	byClient  map[string][]string // client addresses by cause
	filter    logwatch.OwnFilter
}

func (a *app) log(ctx context.Context, flags logFlags) error {
	m, err := a.open(a.global.root)
	if err != nil {
		return err
	}
	defer m.Close()
	path, err := m.LogPath()
	if err != nil {
		return fail(6, reasonIncomplete, err, "xrdpfix show")
	}
	v := &logView{a: a, flags: flags, sum: logSummary{Causes: map[string]int{}}, byClient: map[string][]string{}, shown: map[string]bool{}}
	mark, markErr := m.LogEnd(path)
	var g logwatch.Grouper
	files, err := m.LogHistory(ctx, path, a.now().Add(-time.Duration(flags.since)), func(line logwatch.Match) error {
		g.AddMatch(line)
		return v.showAll(g.Done())
	})
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fail(6, reasonNotPermitted, fmt.Errorf("cannot read %s", path), "sudo "+a.next("log"))
	case err != nil:
		return err
	}
	if err := v.showAll(g.Flush()); err != nil {
		return err
	}
	if err := v.judged(v.filter.Flush()); err != nil {
		return err
	}
	if flags.follow {
		if markErr != nil {
			return markErr
		}
		if err := v.flush(); err != nil {
			return err
		}
		return v.followLog(ctx, m, mark)
	}
	return v.end(path, files)
}

// followLog shows connections as they come, until interrupted.
func (v *logView) followLog(ctx context.Context, m *host.Machine, from logwatch.Mark) error {
	var g logwatch.Grouper
	v.filter.Live = true
	err := m.LogFollow(ctx, from, func(e logwatch.Event) error {
		if e.Notice == logwatch.NoticeLost {
			_, _ = fmt.Fprintln(v.a.errOut, "xrdpfix: note: the log was emptied; lines may be missing")
		}
		if e.Parsed {
			g.Add(e.Entry)
		}
		if err := v.showAll(g.Done()); err != nil {
			return err
		}
		return v.flush()
	}, nil)
	if ctx.Err() != nil {
		v.a.quit = exit{0, reasonOK}
		return nil
	}
	return err
}

func (v *logView) showAll(list []logwatch.Connection) error {
	for _, c := range list {
		if err := v.judged(v.filter.Add(c)); err != nil {
			return err
		}
	}
	return nil
}

func (v *logView) judged(list []logwatch.Judged) error {
	for _, j := range list {
		if err := v.show(j.Connection, j.Outcome); err != nil {
			return err
		}
	}
	return nil
}
