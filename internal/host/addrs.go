package host

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// defaultRouteAddrs are the global addresses of the interfaces that have a
// default route, IPv4 first, in the order of the interfaces. Temporary and
// deprecated IPv6 addresses (RFC 8981, RFC 4862) are left out: they are gone
// tomorrow. Nothing that cannot be read is an error here.
func defaultRouteAddrs() []string {
	var v4, v6 []string
	for _, name := range routeInterfaces([]byte(smallFile("", "/proc/net/route"))) {
		ifc, err := net.InterfaceByName(name)
		if err != nil {
			continue
		}
		addrs, err := ifc.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			p, err := netip.ParsePrefix(a.String())
			if err == nil && p.Addr().Unmap().Is4() && p.Addr().IsGlobalUnicast() {
				v4 = append(v4, p.Addr().Unmap().String())
			}
		}
	}
	names := route6Interfaces([]byte(smallFile("", "/proc/net/ipv6_route")))
	for _, a := range lastingAddrs6([]byte(smallFile("", "/proc/net/if_inet6"))) {
		if slices.Contains(names, a.ifc) {
			v6 = append(v6, a.addr.String())
		}
	}
	return append(v4, v6...)
}

// Flags of a route (linux/route.h).
const (
	rtfUp     = 0x1
	rtfReject = 0x200
)

// routeInterfaces reads /proc/net/route: Iface Destination Gateway Flags RefCnt
// Use Metric Mask …, numbers in hexadecimal.
func routeInterfaces(b []byte) []string {
	const zero = "00000000"
	var names []string
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 8 || f[1] != zero || f[7] != zero {
			continue
		}
		flags, err := strconv.ParseUint(f[3], 16, 32)
		if err == nil && flags&rtfUp != 0 && flags&rtfReject == 0 && !slices.Contains(names, f[0]) {
			names = append(names, f[0])
		}
	}
	return names
}

// route6Interfaces reads /proc/net/ipv6_route: destination and its prefix length,
// source and its, next hop, metric, use counts, flags, interface. The kernel
// keeps an unreachable default route on lo.
func route6Interfaces(b []byte) []string {
	zero := strings.Repeat("0", 32)
	var names []string
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 10 || f[0] != zero || f[1] != "00" || f[9] == "lo" {
			continue
		}
		flags, err := strconv.ParseUint(f[8], 16, 32)
		if err == nil && flags&rtfUp != 0 && flags&rtfReject == 0 && !slices.Contains(names, f[9]) {
			names = append(names, f[9])
		}
	}
	return names
}

type addr6 struct {
	addr netip.Addr
	ifc  string
}

// lastingAddrs6 reads /proc/net/if_inet6: address, interface number, prefix
// length, scope, flags, interface; and keeps global addresses that stay.
func lastingAddrs6(b []byte) []addr6 {
	const (
		scopeGlobal = "00"
		temporary   = 0x01 // IFA_F_TEMPORARY
		failed      = 0x08 // IFA_F_DADFAILED
		deprecated  = 0x20 // IFA_F_DEPRECATED
		tentative   = 0x40 // IFA_F_TENTATIVE
	)
	var out []addr6
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 6 || f[3] != scopeGlobal || len(f[0]) != 32 {
			continue
		}
		flags, err := strconv.ParseUint(f[4], 16, 32)
		if err != nil || flags&(temporary|failed|deprecated|tentative) != 0 {
			continue
		}
		var groups []string
		for i := 0; i < 32; i += 4 {
			groups = append(groups, f[0][i:i+4])
		}
		addr, err := netip.ParseAddr(strings.Join(groups, ":"))
		if err == nil && addr.IsGlobalUnicast() {
			out = append(out, addr6{addr, f[5]})
		}
	}
	return out
}
