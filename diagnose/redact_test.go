package diagnose

import (
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"xrdpfix/logwatch"
)

// named makes facts in which every text tells whose they are.
func named() Facts {
	var f Facts
	r := filler{Rand: rand.New(rand.NewPCG(1, 2)), say: "see desk77.corp.test (DESK77) at 10.9.8.7 or [2a01:db9::7]:3389 by anna77, mail anna77@corp.test, " +
		strings.Repeat("5C:", 31) + "5C, /home/anna77/desk77.pem"}
	r.fill(reflect.ValueOf(&f).Elem())
	f.Host.Name, f.Host.FQDN, f.Host.Addrs = "desk77", "desk77.corp.test", []string{"10.9.8.7", "2a01:db9::7"}
	f.Desktops = Seen([]Desktop{{User: "anna77", UID: 1000, Client: "10.9.8.8"}})
	f.Pair.Value.Cert.DNSNames = []string{"desk77", "*.corp.test", "other88.corp.test"}
	f.Pair.Value.Cert.CommonName = "desk77.corp.test"
	f.Pair.Value.Cert.Subject = `CN=desk77.corp.test,O=Acme99 \, Inc,C=DE`
	f.Pair.Value.Cert.Addrs = []netip.Addr{netip.MustParseAddr("10.9.8.7")}
	f.Log.Recent.Value.ByClient = []ClientSeen{{Addr: "10.9.8.9", Name: "LAPTOP66"}}
	e := logwatch.Pasted("[INFO ] Connected client computer name: LAPTOP66")
	m, _ := logwatch.Classify(e)
	f.Log.Own.Value = []logwatch.Connection{{
		Client: netip.MustParseAddrPort("10.9.8.9:50000"), ClientName: "LAPTOP66", Matches: []logwatch.Match{m},
	}}
	f.Config = Seen(fileFact(ConfigPath, "[Globals]\nport=tcp://10.9.8.7:3389\nsecurity_layer=negotiate\nls_title=Acme99\n; ask LAPTOP66 or root@corp.test\n[vnc-any]\nip=vnc55.corp.test\nusername=bert44\n"))
	return f
}

func TestRedactLeavesNobody(t *testing.T) {
	f := named()
	data, err := EncodeFacts(Redact(f))
	if err != nil {
		t.Fatal(err)
	}
	low := strings.ToLower(string(data))
	for _, mark := range []string{"desk77", "anna77", "corp", "10.9.8", "2a01", "acme", "laptop66", "5c:5c", "vnc55", "bert44", "other88"} {
		if i := strings.Index(low, mark); i >= 0 {
			t.Errorf("%q is left: %q", mark, low[max(0, i-60):min(len(low), i+30)])
		}
	}
	got, err := DecodeFacts(data)
	if err != nil {
		t.Fatal(err)
	}
	if !got.Redacted {
		t.Error("the facts do not say that they are redacted")
	}
	c := got.Pair.Value.Cert
	other := c.DNSNames[2]
	if want := []string{got.Host.Name, "*.domain-1.example", other}; !reflect.DeepEqual(c.DNSNames, want) || !c.CoversName(got.Host.FQDN) ||
		!strings.HasSuffix(other, ".domain-1.example") || other == got.Host.FQDN {
		t.Errorf("the certificate of %s names %q, want %q", got.Host.FQDN, c.DNSNames, want)
	}
	own := got.Log.Own.Value[0]
	if own.ClientName != got.Log.Recent.Value.ByClient[0].Name || own.Matches[0].Field("name") != own.ClientName {
		t.Errorf("one client, several names: %q, %q, %q", own.ClientName, got.Log.Recent.Value.ByClient[0].Name, own.Matches[0].Field("name"))
	}
	if addr := got.Host.Addrs[0]; c.Addrs[0].String() != addr || !strings.Contains(got.Config.Value.Text, "tcp://"+addr+":3389") {
		t.Errorf("one address, several placeholders: %s, %s, %s", addr, c.Addrs[0], got.Config.Value.Text)
	}
	if !reflect.DeepEqual(f, named()) {
		t.Error("Redact changed the facts that it was given")
	}
}

// TestRedactKeepsFindings: on hosts with names that mean something elsewhere too.
func TestRedactKeepsFindings(t *testing.T) {
	for _, name := range []string{"desk01", "xrdp", "debian", "server", "negotiate", "etc", "tls", "a", "3389", "cert", "client", "Connected"} {
		f := healthy()
		f.Host.Name, f.Host.FQDN = name, name+".example.org"
		f.Pair.Value.Cert.DNSNames = []string{name, name + ".example.org"}
		f.Desktops = Seen([]Desktop{{User: name, UID: 1000, Display: ":10"}})
		if found := Run(Redact(f), Settings{}); len(found) != 0 {
			t.Errorf("a healthy host called %s has, once redacted, the findings %+v", name, found)
		}
		f.Config.Value = fileFact(ConfigPath, strings.Replace(healthyIni, "security_layer=tls", "security_layer=rdp", 1))
		f.Key.Readable, f.Key.Stop, f.Key.Why = false, 0, "user "+name+" is not in group ssl-cert"
		if a, b := codes(Run(f, Settings{})), codes(Run(Redact(f), Settings{})); !reflect.DeepEqual(a, b) {
			t.Errorf("a host called %s: findings %v, once redacted %v", name, a, b)
		}
	}
}

func TestRedactTexts(t *testing.T) {
	for in, want := range map[string]string{
		"xrdp 0.9.21.1 on 127.0.0.1":     "xrdp 0.9.21.1 on 127.0.0.1",
		"::1 and :: and ::ffff:10.0.0.1": "::1 and :: and ::ffff:192.0.2.1",
		"12:30:45 2026-11-22T12:00:00Z":  "12:30:45 2026-11-22T12:00:00Z",
		"dial tcp 10.0.0.1:3389":         "dial tcp 192.0.2.1:3389",
		"[fe80::1%eth0]:3389":            "[2001:db8::1%eth0]:3389",
		"/home/anna/x, Anna, annabel":    "/home/user-1/x, user-1, annabel",
		"backup_desk01-old.corp.test":    "backup_host-1-old.domain-1.example",
		"desk01desk01 desk01":            "desk01desk01 host-1",
		"user@1000.service":              "user@1000.service",
	} {
		r := newRedactor()
		r.host("desk01.corp.test")
		r.user("anna")
		r.ready()
		if got := r.text(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
	r := newRedactor()
	if a, b := r.sum("AB:CD"), r.sum("ab:cd"); a != "00:01" || b != "00:01" {
		t.Errorf("one fingerprint, two placeholders: %s, %s", a, b)
	}
	seen := map[netip.Addr]bool{}
	for i := range 2000 {
		p := r.addr(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}))
		if seen[p] {
			t.Fatalf("two addresses are both %s", p)
		}
		seen[p] = true
	}
	if got := r.subject(`CN=Anna Smith,O=Acme\, Inc,C=DE`); got != "CN=name-1,O=name-2,C=DE" {
		t.Errorf("subject %q", got)
	}
}

func FuzzRedactText(f *testing.F) {
	f.Add("desk01.corp.test 10.0.0.1 ::1 a@b.example CN=x,O=y", "desk01")
	f.Add("\xff[::ffff:1.2.3.4]:5", "a|b(")
	f.Fuzz(func(t *testing.T, s, name string) {
		r := newRedactor()
		r.host(name)
		r.ready()
		_ = r.text(s)
		_ = r.ini(s)
		_ = r.subject(s)
	})
}
