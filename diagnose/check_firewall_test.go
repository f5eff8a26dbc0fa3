package diagnose

import (
	"reflect"
	"testing"
)

func TestFirewallBlocks(t *testing.T) {
	shut := func(manager string, ports ...int) func(*Facts) {
		return func(f *Facts) {
			fw := Firewall{Manager: manager}
			for _, p := range ports {
				fw.Blocked = append(fw.Blocked, BlockedPort{Port: p, Where: "inet filter input, policy drop"})
			}
			f.Firewall = Seen(fw)
		}
	}
	on := func(changes ...func(*Facts)) func(*testing.T, *Facts, *Settings) {
		return func(_ *testing.T, f *Facts, _ *Settings) {
			for _, c := range changes {
				c(f)
			}
		}
	}
	seen := func(list ...ClientSeen) func(*Facts) {
		return func(f *Facts) { f.Log.Recent.Value.ByClient = list }
	}
	raise(t, []fault{
		{"nftables", on(shut("nftables", 3389)), []Code{FirewallBlocks}},
		{"a port that is open", on(shut("nftables")), nil},
		{"a port that nothing listens on", on(shut("nftables", 3390)), nil},
		{"a port of loopback", on(shut("nftables", 3389), func(f *Facts) { f.Listen.Value[0].Addr = "127.0.0.1" }), []Code{PortLoopbackOnly}},
		{"not looked", on(func(f *Facts) { f.Firewall = Failed[Firewall]("permission denied") }), nil},
	})
	tunnel := ClientSeen{Addr: "127.0.0.1", TLS: "TLSv1.3"}
	for _, tt := range []struct {
		name     string
		clients  []ClientSeen
		severity Severity
	}{
		{"nobody came", nil, Error},
		{"all through a tunnel", []ClientSeen{tunnel}, Warning},
		{"one from elsewhere", []ClientSeen{tunnel, {Addr: "198.51.100.7", TLS: "TLSv1.2"}}, Error},
		{"one from elsewhere who failed", []ClientSeen{tunnel, {Addr: "198.51.100.7"}}, Warning},
	} {
		f := healthy()
		on(shut("nftables", 3389), seen(tt.clients...))(t, &f, nil)
		if x := Run(f, Settings{}); len(x) != 1 || x[0].Severity != tt.severity {
			t.Errorf("%s: %+v, want %s", tt.name, x, tt.severity)
		}
	}
}

func TestOpenCommands(t *testing.T) {
	for _, tt := range []struct {
		manager string
		port    BlockedPort
		want    []string
	}{
		{"firewalld", BlockedPort{Port: 3389, Zone: "public"}, []string{"firewall-cmd --permanent --zone=public --add-port=3389/tcp && firewall-cmd --reload"}},
		{"firewalld", BlockedPort{Port: 3389}, []string{"firewall-cmd --permanent --add-port=3389/tcp && firewall-cmd --reload"}},
		{"ufw", BlockedPort{Port: 3390}, []string{"ufw allow 3390/tcp"}},
		{"nftables", BlockedPort{Port: 3389, Where: "inet filter input, policy drop"}, []string{"nft insert rule inet filter input tcp dport 3389 accept"}},
	} {
		if got := openCommands(tt.manager, tt.port); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.manager, got, tt.want)
		}
	}
}
