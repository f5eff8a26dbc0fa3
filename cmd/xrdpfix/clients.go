package main

import (
	"fmt"
	"slices"
	"strings"

	"xrdpfix/diagnose"
)

// showClients prints who can connect now, by kind of client.
func showClients(p *page, f *diagnose.Facts) {
	if !f.Wire.Ok() {
		return
	}
	by := map[string][]diagnose.Client{}
	for _, c := range diagnose.ClientKinds(f.Wire.Value) {
		by[c.Connects] = append(by[c.Connects], c)
	}
	if slices.ContainsFunc(by[diagnose.ConnectsWeak], func(c diagnose.Client) bool { return strings.HasPrefix(c.Name, tlsKindPrefix) }) {
		by[diagnose.ConnectsNo] = append([]diagnose.Client{{Name: "clients that insist on TLS"}}, by[diagnose.ConnectsNo]...)
	}
	p.linef("Who can connect now")
	for _, row := range []struct{ label, key string }{
		{"with TLS", diagnose.ConnectsYes}, {"weak", diagnose.ConnectsWeak}, {"refused", diagnose.ConnectsNo},
	} {
		p.block(13, "  "+row.label, kindsText(row.key, by[row.key]))
	}
	if r := f.Log.Recent; r.Ok() && r.Value.Clients > 0 {
		p.block(13, "  seen here", seenText(r.Value)+" (xrdpfix log)")
	}
}

// kindsText lists kinds of clients that fare alike. Those that differ only in
// their TLS versions are named together.
func kindsText(fare string, clients []diagnose.Client) string {
	var versions, rest []string
	for _, c := range clients {
		if v, ok := strings.CutPrefix(c.Name, tlsKindPrefix); ok {
			versions = append(versions, strings.TrimSuffix(v, " at most"))
			continue
		}
		rest = append(rest, c.Name)
	}
	var out []string
	switch n := len(versions); {
	case n == 0:
	case fare == diagnose.ConnectsWeak:
		out = append(out, "clients that fall back to classic RDP")
	case fare == diagnose.ConnectsNo && n == tlsKinds:
		out = append(out, "clients that insist on TLS")
	case fare == diagnose.ConnectsNo:
		out = append(out, "clients with TLS "+versions[0]+" at most")
	case n == 1:
		out = append(out, "clients with TLS "+versions[0])
	default:
		out = append(out, "clients with TLS "+strings.Join(versions[:n-1], ", ")+" or "+versions[n-1])
	}
	if out = append(out, rest...); len(out) == 0 {
		return "nobody"
	}
	return strings.Join(out, "; ")
}

// tlsKinds is how many kinds of clients differ in their TLS versions only.
const tlsKinds = 4

// tlsKindPrefix begins their names (diagnose.ClientKinds).
const tlsKindPrefix = "clients with TLS "

func seenText(r diagnose.Recent) string {
	s := fmt.Sprintf("%s in %s", plural(r.Clients, "client"), plural(r.Days, "day"))
	switch {
	case r.TLS == r.Clients:
		return s + ", all with TLS"
	case r.Classic == r.Clients:
		return s + ", all without TLS"
	case r.Classic > 0:
		return s + fmt.Sprintf(", %d without TLS", r.Classic)
	}
	return s
}
