package clients_test

import (
	"crypto/tls"
	"testing"
	"time"

	"xrdpfix/clients"
	"xrdpfix/internal/rdptest"
	"xrdpfix/probe"
)

func TestProfiles(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range clients.Profiles() {
		if p.Key == "" || seen[p.Key] || p.Name == "" || len(p.Name) > 24 {
			t.Errorf("profile %q %q", p.Key, p.Name)
		}
		seen[p.Key] = true
		switch p.Known {
		case clients.Captured:
			if len(p.Records) == 0 || p.Of == "" || len(p.Versions) == 0 {
				t.Errorf("%s is captured without a capture", p.Key)
			}
		case clients.Documented:
			if len(p.Links) == 0 || p.Of == "" {
				t.Errorf("%s is documented without a link", p.Key)
			}
		case clients.NotKnown:
			if p.Of != "" || len(p.Versions) > 0 || len(p.Requests) > 0 {
				t.Errorf("%s is not known, and yet it has %+v", p.Key, p)
			}
		}
		if records, err := p.ClientHello(); err != nil {
			t.Errorf("%s: %v", p.Key, err)
		} else if len(records) > 0 {
			h, err := probe.ParseClientHello(records)
			if err != nil || h.Versions[0] != p.Versions[len(p.Versions)-1] {
				t.Errorf("%s says hello with %v: %v", p.Key, h.Versions, err)
			}
		}
	}
}

// survey asks a server that behaves as told.
func survey(t *testing.T, config rdptest.Config) probe.ServerSurvey {
	t.Helper()
	return probe.Survey(t.Context(), rdptest.Start(t, config).Addr, probe.SurveyOptions{})
}

// TestTable: what stands in the table for some servers.
func TestTable(t *testing.T) {
	both := func(requested uint32, _ bool) rdptest.Reply {
		if requested&rdptest.SSL != 0 {
			return rdptest.Reply{Protocol: rdptest.SSL}
		}
		return rdptest.Reply{Protocol: rdptest.RDP}
	}
	always := func(r rdptest.Reply) func(uint32, bool) rdptest.Reply {
		return func(uint32, bool) rdptest.Reply { return r }
	}
	only := func(lowest, highest uint16) *tls.Config { return &tls.Config{MinVersion: lowest, MaxVersion: highest} }
	for _, tt := range []struct {
		name   string
		config rdptest.Config
		want   map[string]string // key: connects, TLS, whose, code
	}{
		{"TLS 1.2 and 1.3", rdptest.Config{TLS: only(tls.VersionTLS12, 0)}, map[string]string{
			"win11": "yes TLS 1.3", "win10": "yes TLS 1.2", "win7": "no client client-tls-too-old", "freerdp3": "yes TLS 1.3",
			"rdesktop": "yes TLS 1.3", "freerdp-nla": "no client client-requires-nla", "classic": "no client client-classic-only",
			"thin-tls10": "no client client-tls-too-old", "guacamole": "no TLS 1.3 client client-refuses-cert", "windowsapp-macos": "",
		}},
		{"TLS 1.0 only, classic too", rdptest.Config{Reply: both, TLS: only(tls.VersionTLS10, tls.VersionTLS10)}, map[string]string{
			"win11": "yes TLS 1.0", "win7": "yes TLS 1.0", "freerdp2": "no client client-tls-too-new", "freerdp3": "no client client-tls-too-new",
			"classic": "weak client client-classic-only",
		}},
		{"classic only", rdptest.Config{Reply: always(rdptest.Reply{})}, map[string]string{
			"win11": "weak server classic-rdp-served", "rdesktop": "weak server classic-rdp-served", "freerdp3": " server classic-rdp-served",
			"freerdp-nla": "no client client-requires-nla", "classic": "weak server classic-rdp-served",
		}},
		{"no certificate", rdptest.Config{Reply: always(rdptest.Reply{Failure: 3})}, map[string]string{
			"win11": "no server", "freerdp3-sid": "no server", "rdesktop": "no server",
		}},
		{"TLS set-up fails", rdptest.Config{Fault: rdptest.PlainDisconnect, FaultAt: rdptest.AtTLS}, map[string]string{
			"win11": "no server tls-fails", "freerdp2": "no server tls-fails",
		}},
		{"cut off", rdptest.Config{Fault: rdptest.Reset, FaultAt: rdptest.AtTLS}, map[string]string{
			"win11": "no network tls-cut-off", "freerdp2": "no network tls-cut-off",
		}},
		{"NLA", rdptest.Config{Reply: func(requested uint32, _ bool) rdptest.Reply {
			if requested&rdptest.Hybrid != 0 {
				return rdptest.Reply{Protocol: rdptest.Hybrid}
			}
			return rdptest.Reply{Failure: 5}
		}}, map[string]string{"win11": "yes TLS 1.3", "freerdp-nla": "yes TLS 1.3", "rdesktop": "", "classic": "no client"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := clients.NewServer(survey(t, tt.config), "", time.Now())
			for _, row := range s.Table() {
				got := row.Connects
				for _, part := range []string{row.TLS, row.Whose, row.Code} {
					if part != "" {
						got += " " + part
					}
				}
				if want, stated := tt.want[row.Key]; stated && got != want {
					t.Errorf("%s: %q, want %q (%s)", row.Key, got, want, row.WhyNot)
				}
				if (row.Connects == clients.ConnectsNo || row.Connects == clients.ConnectsOpen) && row.WhyNot == "" {
					t.Errorf("%s does not connect and nobody says why: %+v", row.Key, row)
				}
				if row.Connects == clients.ConnectsYes && row.WhyNot != "" {
					t.Errorf("%s connects, and yet %q", row.Key, row.WhyNot)
				}
			}
		})
	}
}
