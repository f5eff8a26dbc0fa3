package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"xrdpfix/internal/host"
	"xrdpfix/logwatch"
)

// logFlags narrow what log shows.
type logFlags struct {
	follow bool
	since  moment
	until  moment
	// from and to are the same, resolved; to is zero for now.
	from, to time.Time
	journal  bool
	client   string
	only     netip.Addr // client, parsed
	failed   bool
	all      bool
}

func newLog(a *app) *cobra.Command {
	var flags logFlags
	cmd := &cobra.Command{
		Use:   "log",
		Short: "What happened to each connection in xrdp.log",
		Long: `Read xrdp.log and its rotated predecessors, compressed ones too, or the journal where xrdp writes to no file, and tell what happened to each connection: who came, what it asked for, what it got, or why it failed and whose move it is. Hang-ups, scanners, health checks and our own probes are counted, not shown.

Connections that overlap cannot always be told apart in xrdp.log. The journal has the process of each line (--journal, where EnableSyslog is set), and so has xrdp.log with EnableProcessId=true.`,
		Example: `  xrdpfix log --since 24h       the last day
  xrdpfix log --failed          only what failed
  xrdpfix log --since yesterday --until 14:30
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
			flags.from, flags.to = flags.since.from(a.now()), flags.until.from(a.now())
			if !flags.to.IsZero() && !flags.from.Before(flags.to) {
				return usagef("--since %s is not before --until %s", flags.since.text, flags.until.text)
			}
			return a.log(cmd.Context(), flags)
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&flags.follow, "follow", "f", false, "go on as connections come")
	flags.since = moment{text: "24h", ago: span(day)}
	f.Var(&flags.since, "since", "from `TIME` on: 90m, 24h or 2d ago, 14:30, yesterday or \"2026-11-22 14:30\"")
	f.Var(&flags.until, "until", "up to `TIME`, as --since")
	f.BoolVar(&flags.journal, "journal", false, "read the journal, which tells exactly which line is whose, instead of the file")
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
	shown     map[string]bool // clients with a row for a connection with TLS
	byCause   map[string]*causeCount
	clients   map[string]*clientCount // by address
	grouper   logwatch.Grouper
	filter    logwatch.OwnFilter
	live      bool // connections are shown as they come: each of them
}

func (a *app) log(ctx context.Context, flags logFlags) error {
	m, err := a.open(a.global.root)
	if err != nil {
		return err
	}
	defer m.Close()
	source, err := m.Log(flags.journal)
	if err != nil {
		tells := "xrdpfix show" // what is set
		if errors.Is(err, fs.ErrNotExist) || !errors.Is(err, host.ErrNoLog) {
			tells = "xrdpfix check"
		}
		return fail(6, reasonIncomplete, err, tells)
	}
	v := &logView{a: a, flags: flags, sum: logSummary{Causes: map[string]int{}}, byCause: map[string]*causeCount{}, clients: map[string]*clientCount{}, shown: map[string]bool{}}
	if !flags.all {
		v.table.most = shownAtMost
	}
	// What lives is a few megabytes at the most, so letting four times that pile up costs
	// little memory, and collecting it at each twofold cost a tenth of the time.
	defer debug.SetGCPercent(debug.SetGCPercent(300))
	end, endErr := source.End()
	g := &v.grouper
	files, err := source.History(ctx, flags.from, flags.to, func(line logwatch.Match) error {
		g.AddMatch(line)
		return v.showAll(g.Done())
	})
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fail(6, reasonNotPermitted, fmt.Errorf("cannot read %s", source.Name()), "sudo "+a.next("log"))
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
		if endErr != nil {
			return endErr
		}
		if err := v.flush(); err != nil {
			return err
		}
		if a.progress() != nil { // a person is there, and sees nothing until somebody comes
			_, _ = fmt.Fprintf(a.errOut, "following %s; Ctrl-C ends it\n", clean(source.Name()))
		}
		return v.followLog(ctx, source, end)
	}
	return v.end(source.Name(), files)
}

// followLog shows connections as they come, until interrupted.
func (v *logView) followLog(ctx context.Context, source host.Log, from host.Place) error {
	var g logwatch.Grouper
	v.filter.Live, v.live = true, true
	err := source.Follow(ctx, from, func(e logwatch.Event) error {
		if e.Notice == logwatch.NoticeLost {
			v.a.tell("note", "the log was emptied; lines may be missing")
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
	for i := range list {
		j := &list[i]
		if err := v.show(&j.Connection, j.Outcome); err != nil {
			return err
		}
		v.grouper.Recycle(j.Matches)
	}
	return nil
}
