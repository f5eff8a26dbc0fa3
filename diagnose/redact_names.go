package diagnose

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"xrdpfix/logwatch"
)

// redactor remembers which placeholder stands for what.
type redactor struct {
	known    map[string]string // by the name in lower case
	order    []string          // the keys of known that may be looked for in text
	counts   map[string]int
	addrs    map[netip.Addr]netip.Addr
	sums     map[string]string
	files    map[string]string // checksums of files: that of the redacted text, by the real one
	domains  map[string]string
	reserved map[string]bool
	find     *regexp.Regexp // nil before ready
}

func newRedactor() *redactor {
	r := &redactor{
		known: map[string]string{}, counts: map[string]int{}, addrs: map[netip.Addr]netip.Addr{},
		sums: map[string]string{}, files: map[string]string{}, domains: map[string]string{}, reserved: map[string]bool{},
	}
	for _, w := range strings.Fields(vocabulary) {
		r.reserved[w] = true
	}
	// A client may be called "client" or "server": the messages must stay.
	for _, rule := range logwatch.Rules() {
		for _, w := range words.FindAllString(rule.Pattern, -1) {
			r.reserved[strings.ToLower(w)] = true
		}
	}
	return r
}

var words = regexp.MustCompile(`[A-Za-z][A-Za-z0-9_]+`)

// vocabulary are the words that mean something in the files and in our own
// sentences: a machine that has one of them for a name keeps it where it only
// occurs in a text.
const vocabulary = `
xrdp xrdpfix root localhost nobody localdomain local sesman chansrv xorg xorgxrdp xvnc vnc x11rdp freerdp mstsc remmina
debian ubuntu fedora rhel centos rocky almalinux opensuse suse linux gnu systemd snakeoil ssl-cert openssl
ssl tls rdp nla credssp hybrid negotiate high medium low none fips true false yes no ask default legacy modern
globals logging security sessions channels info warning error debug trace core port name username password ip lib code
etc usr var run tmp opt home bin sbin lib log private certs cert key pem ini conf cnf crt service unit user group process
file dir link fifo device socket missing default active inactive failed enabled disabled masked loaded running dead
path stop wire host server client desktop session xrdp-sesman wheel adm www com org net example`

// placeholder gives the next one of a kind: host-1, host-2.
func (r *redactor) placeholder(kind string) string {
	r.counts[kind]++
	return fmt.Sprintf("%s-%d", kind, r.counts[kind])
}

// maxKnown bounds the names that are looked for in texts.
const maxKnown = 4000

// know remembers that a name has a placeholder.
func (r *redactor) know(name, kind string) string {
	low := strings.ToLower(name)
	if p, ok := r.known[low]; ok {
		return p
	}
	p := r.placeholder(kind)
	r.known[low] = p
	if len(low) >= 3 && !r.reserved[low] && strings.ContainsAny(low, "abcdefghijklmnopqrstuvwxyz") && len(r.order) < maxKnown {
		r.order = append(r.order, low)
	}
	return p
}

// host gives the placeholder of a host name: host-1, host-1.domain-1.example.
// Whatever else a client calls itself is a host name too.
func (r *redactor) host(name string) string {
	low := strings.TrimSuffix(strings.ToLower(name), ".")
	switch low {
	case "", "*", "localhost", "localhost.localdomain", "(none)", logwatch.OwnName:
		return name
	}
	if a, err := netip.ParseAddr(low); err == nil {
		return r.addr(a).String()
	}
	label, domain, qualified := strings.Cut(low, ".")
	if !qualified || label == "" || domain == "" || strings.ContainsAny(low, " \t/\\") {
		return r.know(low, "host")
	}
	if label != "*" {
		label = r.know(label, "host")
	}
	return label + "." + r.domain(domain)
}

func (r *redactor) domain(name string) string {
	if p, ok := r.domains[name]; ok {
		return p
	}
	p := r.know(name, "domain") + ".example"
	r.domains[name], r.known[name] = p, p
	return p
}

func (r *redactor) user(name string) string {
	if name == "" || name == "root" {
		return name
	}
	return r.know(name, "user")
}

// account gives the name of a user or group of the system as it is, and a
// placeholder for that of a person.
func (r *redactor) account(id int, name string) string {
	if id >= 0 && id < systemID || id == 65534 {
		return r.text(name)
	}
	return r.user(name)
}

// Addresses for documentation: RFC 5737, RFC 2544 where more are needed, and
// RFC 3849.
var documentation = []netip.Prefix{
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
}

// addr gives the placeholder of an address. Loopback and the unspecified address
// stay, and so does what cannot be a machine's (0.9.21.1 is a version of xrdp).
func (r *redactor) addr(a netip.Addr) netip.Addr {
	if a.Is4In6() {
		return netip.AddrFrom16(r.addr(a.Unmap()).As16())
	}
	a = a.WithZone("")
	if !a.IsValid() || a.IsLoopback() || a.IsUnspecified() || a.Is4() && a.As4()[0] == 0 {
		return a
	}
	if p, ok := r.addrs[a]; ok {
		return p
	}
	var p netip.Addr
	if a.Is4() {
		r.counts["ipv4"]++
		p = documentationV4(r.counts["ipv4"])
	} else {
		r.counts["ipv6"]++
		n := r.counts["ipv6"]
		b := netip.MustParseAddr("2001:db8::").As16()
		b[13], b[14], b[15] = byte(n>>16), byte(n>>8), byte(n)
		p = netip.AddrFrom16(b)
	}
	r.addrs[a] = p
	return p
}

func documentationV4(n int) netip.Addr {
	for _, prefix := range documentation {
		size := 1<<(32-prefix.Bits()) - 2
		if n <= size {
			b := prefix.Addr().As4()
			v := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
			v += uint32(n)
			return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
		}
		n -= size
	}
	return netip.AddrFrom4([4]byte{198, 19, 255, 255})
}

// sum gives a fingerprint, a checksum or a serial number of the same form.
func (r *redactor) sum(s string) string {
	if s == "" {
		return ""
	}
	low := strings.ToLower(s)
	if p, ok := r.sums[low]; ok {
		return p
	}
	r.counts["sum"]++
	digits := fmt.Sprintf("%x", r.counts["sum"])
	out := []byte(s)
	for i := len(out) - 1; i >= 0; i-- {
		switch {
		case out[i] == ':':
		case digits != "":
			out[i], digits = digits[len(digits)-1], digits[:len(digits)-1]
		default:
			out[i] = '0'
		}
	}
	p := strings.ToUpper(string(out))
	if s == low {
		p = strings.ToLower(p)
	}
	r.sums[low] = p
	return p
}

var rdn = regexp.MustCompile(`([A-Za-z0-9.]+)=((?:\\.|[^,+\\])*)`)

// subject redacts a distinguished name: RFC 2253 as package certs prints it.
func (r *redactor) subject(s string) string {
	var b strings.Builder
	at := 0
	for _, m := range rdn.FindAllStringSubmatchIndex(s, -1) {
		key, value := s[m[2]:m[3]], s[m[4]:m[5]]
		b.WriteString(r.text(s[at:m[0]]) + key + "=")
		switch {
		case value == "", key == "C":
			b.WriteString(r.text(value))
		case key == "CN" && !strings.ContainsAny(value, " \\"):
			b.WriteString(r.host(value))
		default:
			b.WriteString(r.know(value, "name"))
		}
		at = m[1]
	}
	return b.String() + r.text(s[at:])
}
