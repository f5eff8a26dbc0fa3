package certs

import (
	"strings"
	"testing"
	"time"
)

func TestCoversName(t *testing.T) {
	san := Inspect(file(t, "rsa.crt"), nil).Cert
	bare := CertInfo{CommonName: "Desk.example.org"}
	address := CertInfo{CommonName: "192.0.2.7"}
	for _, tt := range []struct {
		cert CertInfo
		name string
		want bool
	}{
		{san, "desk.example.org", true},
		{san, "DESK.example.ORG.", true},
		{san, "a.lab.example.org", true},
		{san, "a.b.lab.example.org", false},
		{san, "lab.example.org", false},
		{san, ".lab.example.org", false},
		{san, "desk", false},
		{san, "", false},
		{san, "192.0.2.7", true},
		{san, "::ffff:192.0.2.7", true},
		{san, "192.0.2.8", false},
		{san, "2001:DB8::7", true},
		{san, "[2001:db8::7]", true},
		{san, "2001:db8::7%eth0", true},
		{bare, "desk.example.org", true},
		{bare, "example.org", false},
		{address, "192.0.2.7", true},
		{CertInfo{}, "", false},
		{CertInfo{}, "a", false},
		{CertInfo{DNSNames: []string{"*.org"}}, "example.org", false},
		{CertInfo{CommonName: "a", DNSNames: []string{"b"}}, "a", false},
	} {
		if got := tt.cert.CoversName(tt.name); got != tt.want {
			t.Errorf("CN %q, SAN %v: CoversName(%q) = %v", tt.cert.CommonName, tt.cert.DNSNames, tt.name, got)
		}
	}
}

func TestValidName(t *testing.T) {
	for name, want := range map[string]bool{
		"desk": true, "desk.example.org": true, "desk.example.org.": true, "DESK_7": true, "*.example.org": true, "7": true,
		"": false, ".": false, "a..b": false, "-a": false, "a-": false, "*": false, "a.*.b": false, "a b": false, "(none)": false,
		"ü": false, "a/b": false, "a\x00": false,
		strings.Repeat("a", 63): true, strings.Repeat("a", 64): false,
		strings.Repeat("a.", 126) + "a": true, strings.Repeat("a.", 127) + "a": false,
	} {
		if got := ValidName(name); got != want {
			t.Errorf("ValidName(%q) = %v", name, got)
		}
	}
}

func TestValidAt(t *testing.T) {
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	to := time.Date(2026, 12, 31, 23, 59, 59, 0, time.UTC)
	c := CertInfo{NotBefore: from, NotAfter: to}
	for _, tt := range []struct {
		at   time.Time
		want bool
	}{
		{from, true},
		{from.Add(-time.Nanosecond), false},
		{to, true},
		{to.Add(999 * time.Millisecond), true},
		{to.Add(time.Second), false},
	} {
		if got := c.ValidAt(tt.at); got != tt.want {
			t.Errorf("ValidAt(%v) = %v", tt.at, got)
		}
	}
	if (CertInfo{}).ValidAt(time.Time{}) {
		t.Error("an unread certificate is valid")
	}
	if got := c.Left(to.Add(-time.Hour)); got != time.Hour {
		t.Errorf("Left = %v", got)
	}
}
