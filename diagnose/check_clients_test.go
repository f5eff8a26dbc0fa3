package diagnose

import (
	"strings"
	"testing"
	"time"
)

// visitor is a client whose attempts failed some time before the facts were taken.
func visitor(addr string, cause Code, ago ...time.Duration) ClientSeen {
	c := ClientSeen{Addr: addr, Connections: len(ago)}
	for _, d := range ago {
		c.Failures = append(c.Failures, ClientFailure{Time: taken.Add(-d), Cause: cause, Asked: "SSL|HYBRID"})
		c.Last = taken.Add(-d)
	}
	return c
}

func clients(list ...ClientSeen) func(*testing.T, *Facts, *Settings) {
	return func(_ *testing.T, f *Facts, _ *Settings) { f.Log.Recent.Value.ByClient = list }
}

func TestClients(t *testing.T) {
	day := 24 * time.Hour
	var faults []fault
	for _, cc := range clientCauses {
		faults = append(faults,
			fault{string(cc.code), clients(visitor("198.51.100.7", cc.code, time.Hour)), []Code{cc.code}},
			fault{string(cc.code) + " from loopback", clients(visitor("127.0.0.1", cc.code, time.Hour), visitor("::1", cc.code, time.Hour)), nil},
		)
	}
	raise(t, append(faults, []fault{
		{"from this machine's address", clients(visitor("192.0.2.10", ClientRequiresNLA, time.Hour)), nil},
		{"seven days and no more", clients(visitor("198.51.100.7", ClientTooOld, 7*day)), []Code{ClientTooOld}},
		{"longer ago", clients(visitor("198.51.100.7", ClientTooOld, 7*day+time.Second)), nil},
		{"came in since", clients(ClientSeen{Addr: "198.51.100.7", Last: taken, TLS: "TLSv1.3"}), nil},
		{"the server's own fault", clients(visitor("198.51.100.7", KeyUnreadable, time.Hour)), nil},
		{"no address", clients(visitor("", ClientTooOld, time.Hour)), nil},
		{"the last attempt decides", clients(ClientSeen{Addr: "198.51.100.7", Failures: []ClientFailure{
			{Time: taken.Add(-2 * time.Hour), Cause: ClientRequiresNLA}, {Time: taken.Add(-time.Hour), Cause: ClientRefusesCert},
		}}), []Code{ClientRefusesCert}},
		{"two codes in the order of the catalogue", clients(visitor("198.51.100.7", ClientRefusesCert, time.Hour), visitor("198.51.100.8", ClientTooOld, time.Hour)),
			[]Code{ClientTooOld, ClientRefusesCert}},
		{"before xrdp.ini changed", func(_ *testing.T, f *Facts, _ *Settings) {
			f.Config.Value.MTime = taken.Add(-time.Hour)
			f.Log.Recent.Value.ByClient = []ClientSeen{visitor("198.51.100.7", ClientTooOld, time.Hour+time.Second)}
		}, nil},
		{"in the second in which xrdp.ini changed", func(_ *testing.T, f *Facts, _ *Settings) {
			f.Config.Value.MTime = taken.Add(-time.Hour + time.Millisecond)
			f.Log.Recent.Value.ByClient = []ClientSeen{visitor("198.51.100.7", ClientTooOld, time.Hour)}
		}, []Code{ClientTooOld}},
		{"refused a certificate that is gone", func(_ *testing.T, f *Facts, _ *Settings) {
			f.Pair.Value.Cert.NotBefore = taken.Add(-time.Hour)
			f.Log.Recent.Value.ByClient = []ClientSeen{visitor("198.51.100.7", ClientRefusesCert, 2*time.Hour)}
		}, nil},
		{"refused an expired certificate", func(_ *testing.T, f *Facts, _ *Settings) {
			f.Pair.Value.Cert.NotAfter = taken.Add(-time.Minute)
			f.Log.Recent.Value.ByClient = []ClientSeen{visitor("198.51.100.7", ClientRefusesCert, time.Hour)}
		}, []Code{CertExpired}},
		{"too new, and TLS 1.3 is not accepted here", func(_ *testing.T, f *Facts, _ *Settings) {
			f.Wire.Value.Versions = f.Wire.Value.Versions[1:2] // TLS 1.2 only
			c := visitor("198.51.100.7", ClientTooOld, time.Hour)
			c.TLS = "TLSv1.3"
			f.Log.Recent.Value.ByClient = []ClientSeen{c}
		}, []Code{ClientTooNew}},
		{"too old or too new, and TLS 1.3 is not accepted here", func(_ *testing.T, f *Facts, _ *Settings) {
			f.Wire.Value.Versions = f.Wire.Value.Versions[1:2]
			f.Log.Recent.Value.ByClient = []ClientSeen{visitor("198.51.100.7", ClientTooOld, time.Hour)}
		}, []Code{ClientTooOld}},
		{"too old, and once seen with TLS 1.3", func(_ *testing.T, f *Facts, _ *Settings) {
			c := visitor("198.51.100.7", ClientTooOld, time.Hour)
			c.TLS = "TLSv1.3"
			f.Log.Recent.Value.ByClient = []ClientSeen{c}
		}, []Code{ClientTooOld}},
		{"the log could not be read", func(_ *testing.T, f *Facts, _ *Settings) {
			f.Log.Recent = Failed[Recent]("permission denied")
		}, nil},
	}...))
}

// TestClientsShareAFinding: one finding for all addresses, each an evidence.
func TestClientsShareAFinding(t *testing.T) {
	f := healthy()
	a, b := visitor("198.51.100.7", ClientTooOld, 3*time.Hour, 2*time.Hour), visitor("2001:db8::7", ClientTooOld, time.Hour)
	b.Name, b.TLS, b.Failures[0].Likely = "PC-ANNA", "TLSv1.2", true
	f.Log.Recent.Value.ByClient = []ClientSeen{b, a}
	found := Run(f, Settings{})
	if len(found) != 1 {
		t.Fatalf("got %+v", found)
	}
	var text []string
	for _, e := range found[0].Evidence {
		text = append(text, e.Text)
	}
	want := "2001:db8::7 (PC-ANNA)  once, last 22 Nov 11:00 UTC, asked SSL|HYBRID, as it seems, earlier with TLSv1.2\n" +
		"198.51.100.7  2 times, last 22 Nov 10:00 UTC, asked SSL|HYBRID"
	if got := strings.Join(text, "\n"); got != want || found[0].Severity != Warning || found[0].Mend != MendClient {
		t.Errorf("got  %s\nwant %s\n%+v", got, want, found[0])
	}
}

func TestClientNeverArrived(t *testing.T) {
	ask := func(addr string, change func(*Facts)) func(*testing.T, *Facts, *Settings) {
		return func(_ *testing.T, f *Facts, s *Settings) {
			s.Client = addr
			if change != nil {
				change(f)
			}
		}
	}
	raise(t, []fault{
		{"no line", ask("198.51.100.7", nil), []Code{ClientNeverArrived}},
		{"not asked", ask("", nil), nil},
		{"not an address", ask("desk02", nil), nil},
		{"came in", ask("198.51.100.7", func(f *Facts) { f.Log.Recent.Value.ByClient = []ClientSeen{{Addr: "198.51.100.7"}} }), nil},
		{"came in, asked for as mapped", ask("::ffff:198.51.100.7", func(f *Facts) { f.Log.Recent.Value.ByClient = []ClientSeen{{Addr: "198.51.100.7"}} }), nil},
		{"hung up", ask("198.51.100.7", func(f *Facts) { f.Log.Recent.Value.HungUp = []string{"198.51.100.7"} }), nil},
		{"too many to know", ask("198.51.100.7", func(f *Facts) { f.Log.Recent.Value.Left = 1 }), nil},
		{"the log does not tell", ask("198.51.100.7", func(f *Facts) { f.Log.HidesProof = "LogLevel=ERROR" }), []Code{LogHidesProof}},
	})
}
