package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"xrdpfix/diagnose"
)

func newReport(a *app) *cobra.Command {
	var warnDays int
	cmd := &cobra.Command{
		Use:   "report FACTS.json...",
		Short: "One table of many hosts, from the facts that check saved on each",
		Long: `Join what xrdpfix check --save-facts wrote on many hosts into one table, those that need attention first: how each stands, what was found, how long its certificate lasts today, and whether it could go to TLS 1.3 only, now, and lose nobody.

The last is judged by the clients that the host's xrdp.log saw, and is "unknown" where the log cannot tell: a client that took TLS 1.2 is lost for certain only where TLS 1.3 was on offer to it. A client that was not seen is not counted; its next visit may be next month.

A file that is no saved facts is named, and does not stop the others. Nothing is looked at here but the files.`,
		Example: `  xrdpfix report facts/*.json
  xrdpfix report facts/*.json --output csv  >hosts.csv
  xrdpfix report facts/*.json --output html >hosts.html
  ssh desk01 sudo xrdpfix check --save-facts - >facts/desk01.json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fail(2, reasonUsage, fmt.Errorf("report needs saved facts"), "xrdpfix check --save-facts FILE, on each host")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.reportHosts(cmd.Context(), args, warnDays) },
	}
	cmd.Flags().IntVar(&warnDays, "warn-days", diagnose.DefaultWarnDays, "report a certificate that ends within `DAYS`")
	a.offer(cmd, formatCSV, formatHTML)
	return cmd
}

// unread is a file that is no saved facts.
type unread struct{ file, why string }

// inventory is what a report tells.
type inventory struct {
	hosts  []hostRow
	unread []unread
}

// reportHosts reads the facts and tells about all of them.
func (a *app) reportHosts(ctx context.Context, files []string, warnDays int) error {
	if warnDays < 0 {
		return usagef("--warn-days %d is less than none", warnDays)
	}
	var inv inventory
	for i, file := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		a.say(fmt.Sprintf("reading: %d of %d", i, len(files)))
		row, err := a.hostRow(ctx, file, warnDays)
		if err != nil {
			inv.unread = append(inv.unread, unread{file, err.Error()})
			continue
		}
		inv.hosts = append(inv.hosts, row)
	}
	a.say("")
	if len(inv.hosts) == 0 {
		return fail(2, reasonUsage, fmt.Errorf("read facts: %s", inv.unread[0].why), "xrdpfix check --save-facts FILE, on each host")
	}
	inv.order()
	a.quit = inv.exit()
	switch a.global.output {
	case formatCSV:
		return inv.csv(a.out)
	case formatHTML:
		return a.printHTML(inv.page(a.now()))
	}
	if a.jsonOutput() {
		doc := a.document("report", nil)
		doc.Report = inv.document()
		return a.printJSON(doc)
	}
	var p page
	inv.show(&p, a)
	return a.print(&p)
}

// exit is by the worst: something is broken, or not known.
func (inv *inventory) exit() exit {
	e := exit{0, reasonOK}
	if len(inv.unread) > 0 {
		e = exit{6, reasonIncomplete}
	}
	for _, h := range inv.hosts {
		switch h.exit.Code {
		case 3:
			return h.exit
		case 6:
			e = h.exit
		}
	}
	return e
}
