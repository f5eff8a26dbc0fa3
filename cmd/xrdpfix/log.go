package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"xrdpfix/diagnose"
	"xrdpfix/internal/host"
	"xrdpfix/logwatch"
)

// logFlags narrow what log shows.
type logFlags struct {
	follow bool
	since  span
	client string
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
		RunE: func(cmd *cobra.Command, _ []string) error { return a.log(cmd.Context(), flags) },
	}
	f := cmd.Flags()
	f.BoolVarP(&flags.follow, "follow", "f", false, "go on as connections come")
	flags.since = span(day)
	f.Var(&flags.since, "since", "how far back: `TIME` as in 90m, 24h or 2d")
	f.StringVar(&flags.client, "client", "", "only the client with this `ADDRESS`")
	f.BoolVar(&flags.failed, "failed", false, "only connections that failed")
	f.BoolVar(&flags.all, "all", false, "hang-ups, scanners and our own probes too")
	return cmd
}

// logView prints connections and keeps count.
type logView struct {
	a         *app
	flags     logFlags
	sum       logSummary
	own, hung int
	head      bool
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
		return err
	}
	v := &logView{a: a, flags: flags, sum: logSummary{Causes: map[string]int{}}, byClient: map[string][]string{}}
	mark, markErr := m.LogEnd(path)
	var g logwatch.Grouper
	files, err := m.LogHistory(ctx, path, a.now().Add(-time.Duration(flags.since)), func(e logwatch.Entry) error {
		g.Add(e)
		return v.showAll(g.Done())
	})
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fail(6, reasonNotPermitted, fmt.Errorf("cannot read %s", path), "sudo xrdpfix log")
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
		return v.showAll(g.Done())
	})
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

func (v *logView) show(c logwatch.Connection, o logwatch.Outcome) error {
	if v.flags.client != "" && c.Client.Addr().String() != v.flags.client {
		return nil
	}
	v.sum.Connections++
	noise := o.Own || o.Kind == logwatch.HungUp || o.Kind == logwatch.Unknown && o.Cause == ""
	switch {
	case o.Own:
		v.own++
	case noise:
		v.hung++
	case o.Kind == logwatch.Failed:
		v.sum.Failed++
		v.sum.Causes[o.Cause]++
		addr := c.Client.Addr().String()
		if !slices.Contains(v.byClient[o.Cause], addr) {
			v.byClient[o.Cause] = append(v.byClient[o.Cause], addr)
		}
	default:
		v.sum.Connected++
	}
	if noise && !v.flags.all || v.flags.failed && o.Kind != logwatch.Failed {
		return nil
	}
	doc := connectionOf(c, o)
	if v.a.jsonOutput() {
		d := v.a.document("log", nil)
		d.Connection = &doc
		return v.a.printJSON(d)
	}
	if v.a.global.quiet {
		return nil
	}
	var p page
	if !v.head {
		v.head = true
		p.linef("  %-12s %-15s %-9s %-12s %-8s %s", "time", "client", "name", "asked", "got", "outcome")
	}
	p.linef("  %-12s %-15s %-9s %-12s %-8s %s", doc.Time.Format("02 Jan 15:04"), clean(doc.Client), clean(orDash(doc.Name)),
		orDash(doc.Asked), orDash(doc.Got), outcomeText(o))
	return p.writeTo(v.a.out)
}

func outcomeText(o logwatch.Outcome) string {
	switch o.Kind {
	case logwatch.ConnectedTLS:
		return "connected"
	case logwatch.ConnectedClassic:
		return "connected, no TLS"
	case logwatch.HungUp:
		return "hung up"
	case logwatch.Failed:
		return "FAIL " + orDash(o.Cause)
	}
	return "not known"
}

// end prints the causes and the count.
func (v *logView) end(path string, files []logwatch.HistoryFile) error {
	v.sum.NotShown = v.own + v.hung
	if v.a.jsonOutput() {
		doc := v.a.document("log", nil)
		doc.Summary = v.sum
		return v.a.printJSON(doc)
	}
	if v.a.global.quiet {
		return nil
	}
	var p page
	if len(v.sum.Causes) > 0 {
		p.blank()
		p.linef("Why")
		for _, cause := range slices.Sorted(maps.Keys(v.sum.Causes)) {
			text := "the log does not say why"
			if e, ok := diagnose.Describe(diagnose.Code(cause)); ok {
				text = whose(e) + e.Meaning
			}
			clients := v.byClient[cause]
			if len(clients) > 5 {
				clients = append(clients[:5:5], "...")
			}
			p.block(30, fmt.Sprintf("  %-22s %3d", orDash(cause), v.sum.Causes[cause]), text+": "+clean(strings.Join(clients, ", ")))
		}
	}
	p.blank()
	p.para(fmt.Sprintf("%d connected, %d failed, %d not shown (%d scanners or hang-ups, %d probes of ours)",
		v.sum.Connected, v.sum.Failed, v.sum.NotShown, v.hung, v.own))
	names := []string{}
	for _, f := range files {
		names = append(names, f.Path)
		if f.Err != nil {
			p.para(fmt.Sprintf("not read whole: %s: %s", f.Path, clean(f.Err.Error())))
		}
	}
	if len(names) == 0 {
		p.para(path + " has no line in that time")
	}
	return p.writeTo(v.a.out)
}

// whose says in two words whose move it is.
func whose(e diagnose.Entry) string {
	for _, m := range e.Mend {
		if m == diagnose.MendClient {
			return "the client's move: "
		}
	}
	return "the server's move: "
}
