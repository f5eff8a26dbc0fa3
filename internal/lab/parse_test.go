package lab

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseSSLScan(t *testing.T) {
	const report = `<?xml version="1.0" encoding="UTF-8"?>
<document title="SSLScan Results" version="2.0.7">
 <ssltest host="127.0.0.1" sniname="127.0.0.1" port="3389">
  <protocol type="ssl" version="3" enabled="0" />
  <protocol type="tls" version="1.0" enabled="0" />
  <protocol type="tls" version="1.2" enabled="1" />
  <protocol type="tls" version="1.3" enabled="1" />
  <cipher status="preferred" sslversion="TLSv1.3" bits="128" cipher="TLS_AES_128_GCM_SHA256" id="0x1301" />
  <cipher status="accepted" sslversion="TLSv1.3" bits="256" cipher="TLS_AES_256_GCM_SHA384" id="0x1302" />
 </ssltest>
</document>
`
	want := ScanResult{
		Versions: map[string]bool{"SSLv3": false, "TLSv1.0": false, "TLSv1.2": true, "TLSv1.3": true},
		Ciphers:  map[string][]string{"TLSv1.3": {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"}},
		Output:   report,
	}
	got, err := parseSSLScan(report)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("parseSSLScan = %+v, %v, want %+v", got, err, want)
	}
	if got.Accepted() != "1.2 1.3" {
		t.Errorf("Accepted() = %q", got.Accepted())
	}
	for _, bad := range []string{"", "no XML", "<document></document>", "<document><ssltest/></document>", "<document><ssltest>"} {
		if got, err := parseSSLScan(bad); err == nil {
			t.Errorf("parseSSLScan(%q) = %+v, no error", bad, got)
		}
	}
}

func TestParseStreams(t *testing.T) {
	const list = `u_str ESTAB 0      768          /run/xrdp/sockdir/1000/xrdp_display_10 179491 * 180683 users:(("Xorg",pid=132,fd=9))
u_str ESTAB 8      0                                                 * 180683 * 179491 users:(("xrdp",pid=100,fd=29))
u_str ESTAB 0      0             /run/xrdp/sockdir/xrdp_display_11 184043 * 183794 users:(("Xorg",pid=163,fd=9))
u_str ESTAB 0      0      /run/xrdp/sockdir/xrdp_chansrv_socket_10 184151 * 183962 users:(("xrdp-chansrv",pid=181,fd=12))
`
	if got, want := parseStreams(list), map[string]int{"179491": 132, "184043": 163}; !reflect.DeepEqual(got, want) {
		t.Errorf("parseStreams = %v, want %v", got, want)
	}
}

func FuzzParseSSLScan(f *testing.F) {
	f.Add(`<document><ssltest><protocol type="tls" version="1.2" enabled="1"/></ssltest></document>`)
	f.Fuzz(func(t *testing.T, text string) {
		if r, err := parseSSLScan(text); err == nil && len(r.Versions) == 0 {
			t.Errorf("no error and no versions: %q", text)
		}
	})
}

func TestListens(t *testing.T) {
	const table = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:0D3D 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000   101        0 1 1 0 100 0 0 10 0
   1: 0000000000000000FFFF00000100007F:0016 0000000000000000FFFF00000100007F:D431 01 00000000:00000000 00:00000000 00000000   101        0 2 1 0 100 0 0 10 0
`
	for port, want := range map[int]bool{3389: true, 22: false, 3390: false, 0: false} {
		if got := listens(table, port); got != want {
			t.Errorf("listens(%d) = %v", port, got)
		}
	}
}

func FuzzListens(f *testing.F) {
	f.Add("   0: 00000000:0D3D 00000000:0000 0A", 3389)
	f.Fuzz(func(t *testing.T, table string, port int) {
		if listens(table, port) && (port < 0 || port > 65535) {
			t.Errorf("port %d", port)
		}
	})
}

func TestClientArgs(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", "/v:127.0.0.1 /cert:ignore +auth-only /u:x /p:y"},
		{"/sec:tls", "/sec:tls /v:127.0.0.1 /cert:ignore +auth-only /u:x /p:y"},
		{"/v:h /cert:tofu -auth-only /u:a /p:b", "/v:h /cert:tofu -auth-only /u:a /p:b"},
	} {
		in := strings.Fields(c.in)
		if got := strings.Join(clientArgs(in), " "); got != c.want {
			t.Errorf("clientArgs(%q) = %q, want %q", c.in, got, c.want)
		}
		if strings.Join(in, " ") != c.in {
			t.Errorf("clientArgs(%q) changed its argument", c.in)
		}
	}
}

func TestExitName(t *testing.T) {
	for code, want := range map[int]string{0: "ok", 131: "connection-failed", 133: "negotiation-failed", 147: "transport-failed", 99: "exit-99"} {
		if got := ExitName(code); got != want {
			t.Errorf("ExitName(%d) = %q, want %q", code, got, want)
		}
	}
}

func TestLineWriter(t *testing.T) {
	var got []string
	w := &lineWriter{line: func(s string) { got = append(got, s) }}
	for _, part := range []string{"one\ntw", "o\r\n", "\nthree"} {
		if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
			t.Errorf("Write = %d, %v", n, err)
		}
	}
	if want := []string{"one", "two", ""}; !reflect.DeepEqual(got, want) {
		t.Errorf("lines %q, want %q", got, want)
	}
}

func TestRecipeName(t *testing.T) {
	a, b := hostRecipe(Bookworm), hostRecipe(Bookworm)
	if a.name() != b.name() {
		t.Error("the same recipe has two names")
	}
	b.Finish += "true\n"
	if a.name() == b.name() {
		t.Error("a changed recipe kept its name")
	}
	l := layerRecipe(Image{Name: a.name(), Suite: Bookworm}, []string{"nftables"})
	if !strings.HasPrefix(l.name(), "bookworm-layer-") || !strings.HasPrefix(a.name(), "bookworm-") {
		t.Errorf("names %s, %s", a.name(), l.name())
	}
}

func TestLinkAddrs(t *testing.T) {
	for n, want := range map[int]string{1: "198.18.0.5 198.18.0.6", 64: "198.18.1.1 198.18.1.2"} {
		m, h := linkAddrs(n)
		if got := m.String() + " " + h.String(); got != want {
			t.Errorf("linkAddrs(%d) = %s, want %s", n, got, want)
		}
	}
}

func TestParseSuite(t *testing.T) {
	if s, err := ParseSuite("sid"); s != Sid || err != nil {
		t.Errorf("ParseSuite(sid) = %q, %v", s, err)
	}
	if s, err := ParseSuite("buster"); err == nil {
		t.Errorf("ParseSuite(buster) = %q, no error", s)
	}
}
