package diagnose

import (
	"fmt"
	"net/netip"
)

// checkFirewall reports a port that this machine's own packet filter shuts to
// everybody. Where clients came through this machine itself and none from
// elsewhere, a tunnel is what is meant, and it is only a warning.
func checkFirewall(v *view) []Finding {
	fw := v.Firewall
	if v.Offline || !fw.Ok() || !v.configured() {
		return nil
	}
	var out []Finding
	for _, b := range fw.Value.Blocked {
		if !v.reachable(b.Port) {
			continue // it listens on loopback only, or not at all
		}
		x := finding(FirewallBlocks, MendHuman, "This machine's firewall (%s) lets no new connection to port %d in.", fw.Value.Manager, b.Port).
			about(fmt.Sprint(b.Port)).
			because(Evidence{Kind: "file", Source: b.Where, Text: fmt.Sprintf("TCP port %d is shut", b.Port)}).
			remedy("Open it, if clients are to come in from elsewhere. xrdpfix changes no firewall.").
			commands(openCommands(fw.Value.Manager, b)...)
		if fw.Value.Manager == "nftables" {
			x.Remedy += " Write it into the file that the rules come from as well (/etc/nftables.conf in most distributions), or it is gone after a reboot."
		}
		if v.tunnelled() {
			x.Severity = Warning
		}
		out = append(out, x)
	}
	return out
}

// openCommands open a port with the tool of who manages the rules.
func openCommands(manager string, b BlockedPort) []string {
	switch manager {
	case "firewalld":
		zone := ""
		if b.Zone != "" {
			zone = " --zone=" + b.Zone
		}
		return []string{fmt.Sprintf("firewall-cmd --permanent%s --add-port=%d/tcp && firewall-cmd --reload", zone, b.Port)}
	case "ufw":
		return []string{fmt.Sprintf("ufw allow %d/tcp", b.Port)}
	}
	return []string{fmt.Sprintf("nft insert rule %s tcp dport %d accept", chainOf(b.Where), b.Port)}
}

// chainOf is the chain in "inet filter input, policy drop".
func chainOf(where string) string {
	for i := range len(where) {
		if where[i] == ',' {
			return where[:i]
		}
	}
	return where
}

// reachable reports whether something listens on a port for others than this machine.
func (v *view) reachable(port int) bool {
	for _, s := range v.Listen.Value {
		if a, err := netip.ParseAddr(s.Addr); s.Port == port && (err != nil || !a.IsLoopback()) {
			return true
		}
	}
	return false
}

// tunnelled reports whether all clients that came in lately came through this
// machine itself.
func (v *view) tunnelled() bool {
	through := false
	for _, c := range v.Log.Recent.Value.ByClient {
		if c.TLS == "" && c.LastClassic.IsZero() {
			continue
		}
		if !c.loopback(nil) {
			return false
		}
		through = true
	}
	return through
}
