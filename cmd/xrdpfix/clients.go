package main

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"xrdpfix/clients"
	"xrdpfix/diagnose"
	"xrdpfix/probe"
)

// served is a server as a survey from outside shows it. What the user typed is
// the name that clients use.
func served(s probe.ServerSurvey, now time.Time) *clients.Server {
	host, _, err := net.SplitHostPort(s.Addr)
	if err != nil {
		host = s.Addr
	}
	if a, err := netip.ParseAddr(host); err == nil && a.IsLoopback() {
		host = "" // nobody else connects to that
	}
	server := clients.NewServer(s, host, now)
	return &server
}

// servedNow is the server of this host as the facts show it, of whose
// configuration more is known than the wire was asked.
func servedNow(f *diagnose.Facts) *clients.Server {
	server := servedHere(f, f.Wire.Value)
	if conf := f.Server(); conf.ProtocolsSet {
		for _, v := range probe.TLSVersions() {
			if !slices.ContainsFunc(conf.Protocols, func(token string) bool { listed, err := probe.ParseTLSVersion(token); return err == nil && listed == v }) {
				server.Off = append(server.Off, v)
			}
		}
	}
	return server
}

// servedHere is the server of this host, of which more is known than the wire
// says.
func servedHere(f *diagnose.Facts, s probe.ServerSurvey) *clients.Server {
	server := clients.NewServer(s, "", f.Taken)
	if server.Certificate.SHA256 == "" && f.Pair.Ok() && servesFile(f, &s) {
		server.Certificate = f.Pair.Value.Cert // saved facts have no certificate of the wire
	}
	if verifiesMAC(f.Package.Value.Version) {
		server.MAC = clients.MACVerified
	}
	return &server
}

// servesFile reports whether the wire shows the certificate of the file.
func servesFile(f *diagnose.Facts, s *probe.ServerSurvey) bool {
	t := s.Full.TLS
	return t != nil && len(t.Fingerprints) > 0 && t.Fingerprints[0].SHA256 == f.Pair.Value.Cert.SHA256
}

// verifiesMAC reports whether an xrdp of that version is known to verify the MAC
// of classic RDP security. Older ones may be patched, which their version does
// not say.
func verifiesMAC(version string) bool {
	var major, minor, patch int
	if n, _ := fmt.Sscanf(version, "%d.%d.%d", &major, &minor, &patch); n < 3 {
		return false
	}
	return major > 0 || minor > 10 || minor == 10 && patch >= 6
}

// showClients prints who can connect now.
func showClients(p *page, f *diagnose.Facts) {
	if !f.Wire.Ok() {
		return
	}
	rows := servedNow(f).Table()
	p.linef("Who can connect now")
	for _, l := range []struct{ label, connects string }{
		{"with TLS", clients.ConnectsYes}, {"weak", clients.ConnectsWeak}, {"refused", clients.ConnectsNo},
	} {
		names := namesOf(rows, l.connects)
		if len(names) == 0 {
			names = []string{"nobody"}
		}
		p.block(13, "  "+l.label, strings.Join(names, "; "))
	}
	showOpen(p, f, rows)
	if r := f.Log.Recent; r.Ok() && r.Value.Clients > 0 {
		p.block(13, "  seen here", seenText(r.Value)+" (xrdpfix log)")
	}
}

// showOpen prints the clients of which check does not know how they fare, each
// group with where the answer is.
func showOpen(p *page, f *diagnose.Facts, rows []clients.Row) {
	const indent = 13
	label := "  not known"
	open := slices.DeleteFunc(slices.Clone(rows), func(r clients.Row) bool { return r.Connects != clients.ConnectsOpen || r.Known == clients.NotKnown })
	for len(open) > 0 {
		first := open[0]
		other := func(r clients.Row) bool { return r.WhyNot != first.WhyNot }
		p.block(indent, label, strings.Join(namesOf(slices.DeleteFunc(slices.Clone(open), other), clients.ConnectsOpen), "; "))
		label = ""
		why := clean(first.WhyNot)
		if first.Asks() {
			where := ""
			if f.Replayed {
				where = ", on that machine,"
			}
			why = whole("xrdpfix probe "+strings.TrimSuffix(clean(f.Wire.Value.Addr), ":"+probe.DefaultPort)+where) + " asks the server"
		}
		p.block(indent, "", why)
		open = slices.DeleteFunc(open, func(r clients.Row) bool { return !other(r) })
	}
}

// namesOf lists the clients that fare so, and leaves out those that nobody knows.
func namesOf(rows []clients.Row, connects string) []string {
	var names []string
	for _, r := range rows {
		if r.Connects == connects && r.Known != clients.NotKnown {
			names = append(names, strings.ReplaceAll(r.Name, " ", unbroken))
		}
	}
	return names
}

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
