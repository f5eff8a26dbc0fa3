package main

import (
	"fmt"
	"strings"

	"xrdpfix/diagnose"
)

// showClients prints who can connect now, by kind of client.
func showClients(p *page, f *diagnose.Facts) {
	if !f.Wire.Ok() {
		return
	}
	by := map[string][]string{}
	for _, c := range diagnose.ClientKinds(f.Wire.Value) {
		by[c.Connects] = append(by[c.Connects], c.Name)
	}
	p.linef("Who can connect now")
	for _, row := range []struct{ label, key string }{
		{"with TLS", diagnose.ConnectsYes}, {"weak", diagnose.ConnectsWeak}, {"refused", diagnose.ConnectsNo},
	} {
		list := strings.Join(merge(by[row.key]), "; ")
		if list == "" {
			list = "nobody"
		}
		p.block(13, "  "+row.label, list)
	}
	if r := f.Log.Recent; r.Ok() && r.Value.Clients > 0 {
		p.block(13, "  seen here", seenText(r.Value)+" (xrdpfix log)")
	}
}

// merge joins neighbours that differ only in the version: "clients with TLS
// 1.3, with TLS 1.2 at most".
func merge(names []string) []string {
	var out []string
	for _, n := range names {
		rest, isTLS := strings.CutPrefix(n, "clients with TLS")
		if last := len(out) - 1; isTLS && last >= 0 && strings.HasPrefix(out[last], "clients with TLS") {
			out[last] += ", with TLS" + rest
			continue
		}
		out = append(out, n)
	}
	return out
}

func seenText(r diagnose.Recent) string {
	s := fmt.Sprintf("%s in %d days", plural(r.Clients, "client"), r.Days)
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
