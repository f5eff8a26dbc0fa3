package certs

import (
	"net/netip"
	"slices"
	"strings"
)

// ValidName reports whether name can stand as a DNS name in a certificate that
// clients match: labels of 1 to 63 letters, digits, hyphens and underscores,
// 253 characters at most, the first label possibly "*" (RFC 1034 section 3.5;
// underscores occur in host names of Windows domains). A closing dot is allowed.
func ValidName(name string) bool {
	name = strings.TrimSuffix(name, ".")
	if name == "" || len(name) > 253 {
		return false
	}
	for i, label := range strings.Split(name, ".") {
		if label == "*" && i == 0 && strings.Contains(name, ".") {
			continue
		}
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			letter := c|0x20 >= 'a' && c|0x20 <= 'z'
			if !letter && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

// CoversName reports whether a client that was told to connect to name, a DNS
// name or an address, finds it in the certificate. The subject alternative
// names decide; the common name counts only where there are none at all, as in
// schannel (RFC 6125 section 6.4.4). A wildcard stands for one whole label.
// Only the exported fields are used, so the answer is the same after a round
// trip through JSON.
func (c CertInfo) CoversName(name string) bool {
	names, addrs := c.DNSNames, c.Addrs
	if len(names) == 0 && len(addrs) == 0 {
		if a, err := netip.ParseAddr(c.CommonName); err == nil {
			addrs = []netip.Addr{a}
		} else {
			names = []string{c.CommonName}
		}
	}
	if a, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return slices.ContainsFunc(addrs, func(b netip.Addr) bool { return plainAddr(a) == plainAddr(b) })
	}
	name = canonicalName(name)
	return name != "" && slices.ContainsFunc(names, func(pattern string) bool {
		pattern = canonicalName(pattern)
		if rest, ok := strings.CutPrefix(pattern, "*."); ok {
			first, parent, found := strings.Cut(name, ".")
			return found && first != "" && strings.Contains(rest, ".") && parent == rest
		}
		return pattern == name
	})
}

func canonicalName(name string) string {
	return strings.ToLower(strings.TrimSuffix(name, "."))
}

// plainAddr drops what a certificate cannot express: the IPv6 zone, and the
// difference between an IPv4 address and its IPv6-mapped form.
func plainAddr(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }
