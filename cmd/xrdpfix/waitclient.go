package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"xrdpfix/diagnose"
	"xrdpfix/internal/host"
	"xrdpfix/logwatch"
)

// clientWait is what --wait-client and --from ask for.
type clientWait struct {
	within time.Duration
	from   netip.Addr // not valid: anybody
}

// addWait adds the flags of apply that wait for a client.
func addWait(cmd *cobra.Command, p *policyFlags) {
	f := cmd.Flags()
	f.StringVar(&p.waitClient, "wait-client", "", "after the change, wait up to `TIME` for a client to connect, and report how it fared")
	f.StringVar(&p.waitFrom, "from", "", "with --wait-client: only a client with this `ADDRESS`")
}

// wait checks the flags; nil where nobody is waited for.
func (p *policyFlags) wait() (*clientWait, error) {
	if p.waitClient == "" {
		return nil, nil
	}
	var s span
	if err := s.Set(p.waitClient); err != nil || s <= 0 || time.Duration(s) > day {
		return nil, usagef("--wait-client %s is not a time such as 5m, up to 24h", p.waitClient)
	}
	w := &clientWait{within: time.Duration(s)}
	if p.waitFrom != "" {
		addr, err := netip.ParseAddr(p.waitFrom)
		if err != nil {
			return nil, usagef("--from %s is not an address", p.waitFrom)
		}
		w.from = addr.Unmap()
	}
	return w, nil
}

// waitDoc is what came of waiting for a client, in JSON.
type waitDoc struct {
	From    string `json:"from"`
	Seconds int    `json:"seconds"`
	// Connection is null where nobody came.
	Connection *connectionDoc `json:"connection"`
	// HungUp counts connections that left before they asked for anything.
	HungUp int `json:"hung_up"`
	// Interrupted: the wait was ended before its time was over.
	Interrupted bool `json:"interrupted"`

	failed time.Time // when the first failure was read
}

// errEnough ends following a log.
var errEnough = errors.New("seen enough")

// secondTry is how long a client that failed may take to try again by itself:
// rdesktop and some others come back at once in another way.
const secondTry = 3 * time.Second

// waitFor follows the log from a mark until a client came, or the time is over.
func waitFor(ctx context.Context, source host.Log, from host.Place, w *clientWait) (waitDoc, error) {
	doc := waitDoc{Seconds: int(w.within / time.Second)}
	if w.from.IsValid() {
		doc.From = w.from.String()
	}
	limited, cancel := context.WithTimeout(ctx, w.within)
	defer cancel()
	var g logwatch.Grouper
	filter := logwatch.OwnFilter{Live: true}
	err := source.Follow(limited, from, func(e logwatch.Event) error {
		if e.Parsed {
			g.Add(e.Entry)
		}
		for _, c := range g.Done() {
			for _, j := range filter.Add(c) {
				if doc.note(w, j) {
					return errEnough
				}
			}
		}
		return nil
	}, func() {
		if !doc.failed.IsZero() && time.Since(doc.failed) > secondTry {
			cancel()
		}
	})
	if errors.Is(err, errEnough) || ctx.Err() == nil && limited.Err() != nil {
		err = nil
	}
	return doc, err
}

// note takes one connection, and reports whether it ends the waiting.
func (doc *waitDoc) note(w *clientWait, j logwatch.Judged) bool {
	addr := j.Client.Addr().Unmap()
	if j.Outcome.Own || w.from.IsValid() && addr != w.from {
		return false
	}
	if isNoise(j.Outcome) {
		doc.HungUp++
		return false
	}
	if doc.Connection != nil && doc.Connection.Client != clientAddr(&j.Connection) {
		return false // another client than the one that failed and may come again
	}
	c := connectionOf(&j.Connection, j.Outcome)
	doc.Connection = &c
	if doc.failed.IsZero() {
		doc.failed = time.Now()
	}
	return j.Outcome.Kind == logwatch.ConnectedTLS
}

// isNoise: nobody was kept from anything.
func isNoise(o logwatch.Outcome) bool {
	return o.Own || o.Kind == logwatch.HungUp || o.Kind == logwatch.Unknown && o.Cause == ""
}

// awaitClient waits for a client after an apply that stands, and reports on it.
// The lock is given back by then: whoever wants to undo the change can.
func (a *app) awaitClient(ctx context.Context, w *clientWait, from host.Place) error {
	m, err := a.open(a.global.root)
	if err != nil {
		return err
	}
	defer m.Close()
	source, err := m.Log(false)
	if err != nil {
		return err
	}
	if !a.jsonOutput() && !a.global.quiet {
		var p page
		p.blank()
		who := "a client"
		if w.from.IsValid() {
			who = w.from.String()
		}
		within := span(w.within)
		p.para(fmt.Sprintf("Waiting up to %s for %s to connect (Ctrl-C ends the wait, what was changed stays) ...", within.String(), who))
		if err := p.writeTo(a.out); err != nil {
			return err
		}
	}
	doc, err := waitFor(ctx, source, from, w)
	if err != nil && ctx.Err() == nil {
		return fail(1, reasonInternal, fmt.Errorf("wait for a client: %w", err), a.next("log -f"))
	}
	doc.Interrupted = doc.Connection == nil && ctx.Err() != nil
	switch {
	case doc.Connection == nil && ctx.Err() == nil:
		a.quit = exit{3, reasonNoClient}
	case doc.Connection != nil && doc.Connection.Outcome == logwatch.Failed:
		a.quit = exit{3, reasonClientFailed}
	}
	if a.held != nil {
		held := a.held
		a.held = nil
		held.Waited, held.Exit = &doc, a.quit
		return a.printJSON(held)
	}
	if a.global.quiet && a.quit.Code == 0 {
		return nil
	}
	var p page
	a.showWaited(&p, w, doc, source.Name())
	return p.writeTo(a.out)
}

// showWaited reports on the client that came, or did not.
func (a *app) showWaited(p *page, w *clientWait, doc waitDoc, path string) {
	c := doc.Connection
	if c == nil {
		who := "No client"
		if w.from.IsValid() {
			who = "Nobody from " + w.from.String()
		}
		within := span(w.within)
		text := fmt.Sprintf("%s connected within %s, as far as %s tells", who, within.String(), clean(path))
		if doc.Interrupted {
			text = fmt.Sprintf("Interrupted: %s connected until then, as far as %s tells", lowerFirst(who), clean(path))
		}
		if doc.HungUp > 0 {
			text += fmt.Sprintf(" (%s hung up without asking for anything)", plural(doc.HungUp, "connection"))
		}
		p.para(fmt.Sprintf("%s (exit %d). What was changed stays.  Next: %s", text, a.quit.Code, whole(a.next("log -f"))))
		return
	}
	who := clean(c.Client)
	if c.Name != "" {
		who += " (" + clean(c.Name) + ")"
	}
	at := c.Time.Local().Format("15:04:05")
	switch c.Outcome {
	case logwatch.ConnectedTLS:
		p.para(fmt.Sprintf("CONNECTED: %s came in at %s with %s, %s (exit %d).", who, at, c.Got, clean(c.Cipher), a.quit.Code))
	case logwatch.ConnectedClassic:
		p.para(fmt.Sprintf("CONNECTED, but without TLS: %s came in at %s with classic RDP security, asked %s (exit %d).", who, at, clean(orDash(c.Asked)), a.quit.Code))
	default:
		p.para(fmt.Sprintf("FAILED: %s at %s, %s: %s (exit %d). What was changed stays.", who, at, orDash(c.Cause), causeText(c.Cause, c.Likely), a.quit.Code))
		p.para("Next: " + whole(a.next("check --client "+clean(c.Client))))
	}
}

// causeText says in plain words why a connection failed, and whose move it is.
func causeText(cause string, likely bool) string {
	e, ok := diagnose.Describe(diagnose.Code(cause))
	if !ok {
		return "the log does not say why"
	}
	text := whose(e) + e.Meaning
	if likely {
		text += ", as it seems"
	}
	return text
}
