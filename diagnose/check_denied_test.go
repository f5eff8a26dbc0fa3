package diagnose

import (
	"net/netip"
	"strings"
	"testing"

	"xrdpfix/logwatch"
	"xrdpfix/probe"
)

// refusedBy makes our own connection meet a line of xrdp.log and get classic RDP.
func refusedBy(f *Facts, line string) {
	f.Wire.Value.Full = probe.Result{
		Addr: "127.0.0.1:3389", Local: netip.MustParseAddrPort("127.0.0.1:40000"), Reached: probe.StageDone,
		Negotiation: &probe.Negotiation{Requested: probe.ProtocolSSL | probe.ProtocolHybrid, Selected: probe.ProtocolRDP, Answered: true},
	}
	f.Wire.Value.Versions = nil
	c := logwatch.Connection{Client: netip.MustParseAddrPort("127.0.0.1:40000")}
	if m, ok := logwatch.Classify(logwatch.Entry{Time: taken, Text: line}); ok {
		c.Matches = []logwatch.Match{m}
	}
	f.Log.Own = Seen([]logwatch.Connection{c})
}

func TestDenied(t *testing.T) {
	const keyLine = "Cannot read private key file /etc/xrdp/tls/20261101T000000Z/key.pem: Permission denied"
	const certLine = "Cannot read certificate file /etc/xrdp/tls/20261101T000000Z/cert.pem: Permission denied"
	line := func(text string, more ...func(*Facts)) func(*testing.T, *Facts, *Settings) {
		return func(_ *testing.T, f *Facts, _ *Settings) {
			refusedBy(f, text)
			for _, m := range more {
				m(f)
			}
		}
	}
	selinux := func(name string) func(*Facts) {
		return func(f *Facts) {
			f.Host.SELinux = "enforcing"
			f.Denials = Seen([]Denial{{Time: taken, Permissions: []string{"read"}, Name: name, Class: "file", Target: "unconfined_u:object_r:user_home_t:s0"}})
		}
	}
	raise(t, []fault{
		{"the key", line(keyLine), []Code{KeyUnreadable}},
		{"the certificate", line(certLine), []Code{CertUnreadable}},
		{"the key, by SELinux", line(keyLine, selinux("key.pem")), []Code{KeyUnreadable}},
		{"the mode explains it", line(keyLine, func(f *Facts) { f.Key.Readable, f.Key.Stop = false, 0 }), []Code{KeyUnreadable}},
		{"no word of xrdp", line("Connected client computer name: xrdpfix", selinux("key.pem")), []Code{ClassicServed}},
		{"a denial of the past", func(_ *testing.T, f *Facts, _ *Settings) { selinux("key.pem")(f) }, nil},
	})
	for _, tt := range []struct {
		name, says, command string
		plant               func(*Facts)
	}{
		{"another module", "a security module or the sandbox", "systemctl cat xrdp", func(*Facts) {}},
		{"SELinux, and its log names it", "SELinux forbids xrdp to read its private key", "restorecon -Rv /etc/xrdp", selinux("key.pem")},
		{"SELinux, and its log does not name it", "SELinux is enforcing", "restorecon -Rv /etc/xrdp", selinux("other.pem")},
		{"SELinux, elsewhere", "SELinux forbids", "restorecon -Rv /srv/key.pem", func(f *Facts) {
			selinux("key.pem")(f)
			f.Key.Real = "/srv/key.pem"
		}},
	} {
		f := healthy()
		refusedBy(&f, keyLine)
		tt.plant(&f)
		found := Run(f, Settings{})
		if len(found) != 1 || !strings.Contains(found[0].Detail, tt.says) || found[0].Commands[0] != tt.command || found[0].Mend != MendHuman {
			t.Errorf("%s: %+v", tt.name, found)
		}
	}
}
