package main

import (
	"fmt"
	"slices"
	"strings"

	"xrdpfix/clients"
)

// showClientTable prints what each client meets, and what to do about those that
// cannot connect.
func showClientTable(p *page, rows []clients.Row) {
	const whyAt = 57
	line := func(name, connects, with, certificate string) string {
		return fmt.Sprintf("%-24s %-9s %-8s %-12s", name, connects, with, certificate)
	}
	p.block(whyAt, line("Client", "connects", "with", "certificate"), "why not")
	for _, r := range rows {
		if r.Known == clients.NotKnown {
			continue
		}
		with := r.TLS
		if r.Connects == clients.ConnectsWeak {
			with = "RC4"
		}
		connects := r.Connects
		if connects == clients.ConnectsOpen {
			connects = "?"
		}
		why := r.WhyNot
		p.block(whyAt, line(clean(r.Name), connects, orDash(with), orDash(r.Certificate)), clean(why))
	}
	p.blank()
	p.para(countText(rows))
	for _, m := range moves(rows) {
		p.block(34, "  "+m[0], m[1])
	}
	if names := unknownNames(rows); len(names) > 0 {
		p.block(13, "  not known", strings.Join(names, "; "))
	}
	p.linef("  %-32s%s", "how each client is known", "xrdpfix probe --profiles")
}

// countText counts who connects, and says whose move the rest is.
func countText(rows []clients.Row) string {
	var judged []clients.Row
	for _, r := range rows {
		if r.Known != clients.NotKnown {
			judged = append(judged, r)
		}
	}
	c := clients.CountRows(judged)
	text := fmt.Sprintf("%d connect, %d weak, %d cannot", c.Yes, c.Weak, c.No)
	if c.Open > 0 {
		text += fmt.Sprintf(", %d not known", c.Open)
	}
	turnedAway := func(r clients.Row) bool { return r.Connects == clients.ConnectsNo }
	if here := func(r clients.Row) bool { return r.Connects != clients.ConnectsYes && r.Whose == clients.MoveServer }; slices.ContainsFunc(judged, here) {
		// What the clients lack is seen only when the server has TLS to offer.
		turnedAway = here
	}
	if !slices.ContainsFunc(judged, turnedAway) {
		return text
	}
	for _, m := range []struct{ whose, text string }{
		{clients.MoveClient, "each is a client's setting, not this server's"},
		{clients.MoveServer, "it is this server's move"},
		{clients.MoveNetwork, "it is the network's move"},
	} {
		if !slices.ContainsFunc(judged, func(r clients.Row) bool { return turnedAway(r) && r.Whose != m.whose }) {
			return text + " (" + m.text + ")"
		}
	}
	return text
}

// moves pairs who cannot connect with the command that says what to do.
func moves(rows []clients.Row) [][2]string {
	var out [][2]string
	for _, r := range rows {
		if r.Next == "" || r.Known == clients.NotKnown || r.Connects == clients.ConnectsYes {
			continue
		}
		i := slices.IndexFunc(out, func(m [2]string) bool { return m[1] == r.Next })
		if i < 0 {
			out = append(out, [2]string{r.Name, r.Next})
			continue
		}
		if joined := out[i][0] + "; " + r.Name; len(joined) < 31 {
			out[i][0] = joined
		} else if !strings.HasSuffix(out[i][0], ", ...") {
			out[i][0] += ", ..."
		}
	}
	return out
}

// unknownNames are the clients of which neither capture nor document is there.
func unknownNames(rows []clients.Row) []string {
	var names []string
	for _, r := range rows {
		if r.Known == clients.NotKnown {
			names = append(names, r.Name)
		}
	}
	return names
}
