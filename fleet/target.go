package fleet

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Target is a server as somebody named it.
type Target struct {
	// Host is a name, or an address without brackets and in its canonical form.
	Host string
	Port uint16
	// Ranged: it is one of a range, and nobody claims that there is a server.
	Ranged bool
}

// String gives host and port as net.Dial takes them.
func (t Target) String() string { return net.JoinHostPort(t.Host, strconv.Itoa(int(t.Port))) }

// MaxRange is how many addresses a range may have: those of an IPv4 /16. More is
// a scan of the Internet, or a slip of the pen.
const MaxRange = 1 << 16

// Errors that can be tested with errors.Is.
var (
	// ErrTarget: the text is no target.
	ErrTarget = errors.New("not HOST or HOST:PORT")
	// ErrRange: the text is a range, and ranges were not asked for.
	ErrRange = errors.New("a range of addresses")
	// ErrRangeSize: the range has more than MaxRange addresses, or none.
	ErrRangeSize = errors.New("not a range of 1 to 65536 addresses")
)

// span is one target, or the addresses from first to last.
type span struct {
	host        string
	port        uint16
	first, last netip.Addr // a range where first is valid
}

// parse reads a target: a name, an IPv4 address, an IPv6 address with or without
// brackets, each with or without a port; or a range: 192.0.2.0/24,
// 192.0.2.10-20, 192.0.2.10-192.0.2.20, 2001:db8::/120, which brackets enclose
// where a port follows an IPv6 range.
func parse(text string, port uint16) (span, error) {
	wrong := func(err error) (span, error) { return span{}, fmt.Errorf("%q is %w", text, err) }
	host, rest, err := split(text)
	if err != nil {
		return wrong(ErrTarget)
	}
	if rest != "" {
		n, err := strconv.ParseUint(rest, 10, 16)
		if err != nil || n == 0 {
			return wrong(ErrTarget)
		}
		port = uint16(n)
	}
	if first, last, isRange, err := parseRange(host); isRange {
		if err != nil {
			return wrong(err)
		}
		return span{port: port, first: first, last: last}, nil
	}
	if a, err := netip.ParseAddr(host); err == nil {
		if a.Zone() != "" && !isName(a.Zone()) {
			return wrong(ErrTarget)
		}
		return span{host: a.String(), port: port}, nil
	}
	if !isName(host) {
		return wrong(ErrTarget)
	}
	return span{host: host, port: port}, nil
}

// split takes the port off.
func split(text string) (host, port string, err error) {
	if inner, ok := strings.CutPrefix(text, "["); ok {
		host, after, closed := strings.Cut(inner, "]")
		after, hasPort := strings.CutPrefix(after, ":")
		if !closed || hasPort != (after != "") {
			return "", "", ErrTarget
		}
		return host, after, nil
	}
	switch strings.Count(text, ":") {
	case 0:
		return text, "", nil
	case 1:
		host, port, _ = strings.Cut(text, ":")
		if port == "" {
			return "", "", ErrTarget
		}
		return host, port, nil
	}
	return text, "", nil // an IPv6 address or range without brackets
}

// isName: something that a resolver can be asked for, if only by way of a hosts
// file. What ends like an IPv4 address would have been one.
func isName(s string) bool {
	if s == "" || len(s) > 253 || strings.HasPrefix(s, "-") || strings.HasPrefix(s, ".") {
		return false
	}
	if i := strings.LastIndexByte(s, '.'); i >= 0 && s[i+1:] != "" && strings.Trim(s[i+1:], "0123456789") == "" {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r == 0x7f || strings.ContainsRune(`/@:[]%\"'`, r)
	})
}

// parseRange reads a range; isRange is false where the text is none.
func parseRange(text string) (first, last netip.Addr, isRange bool, err error) {
	if prefix, bits, found := strings.Cut(text, "/"); found {
		p, err := netip.ParsePrefix(prefix + "/" + bits)
		if err != nil {
			return first, last, false, nil
		}
		p = p.Masked()
		host := p.Addr().BitLen() - p.Bits()
		if host > 16 {
			return first, last, true, ErrRangeSize
		}
		return p.Addr(), plus(p.Addr(), uint32(1)<<host-1), true, nil
	}
	from, to, found := strings.Cut(text, "-")
	if first, err = netip.ParseAddr(from); !found || err != nil || first.Zone() != "" {
		return first, last, false, nil
	}
	if i := strings.LastIndexAny(from, ".:"); !strings.ContainsAny(to, ".:") {
		to = from[:i+1] + to
	}
	if strings.Trim(to, "0123456789abcdefABCDEF.:") != "" {
		return first, last, false, nil // a name that begins with an address
	}
	last, err = netip.ParseAddr(to)
	if err != nil || last.BitLen() != first.BitLen() || last.Zone() != "" {
		return first, last, true, ErrRangeSize
	}
	if n, ok := distance(first, last); !ok || n >= MaxRange {
		return first, last, true, ErrRangeSize
	}
	return first, last, true, nil
}

// plus adds n to an address; what overflows its last four bytes is carried.
func plus(a netip.Addr, n uint32) netip.Addr {
	b := a.AsSlice()
	carry := uint64(n)
	for i := len(b) - 1; i >= 0 && carry > 0; i-- {
		carry += uint64(b[i])
		b[i] = byte(carry)
		carry >>= 8
	}
	out, _ := netip.AddrFromSlice(b)
	return out
}

// distance counts the addresses from one to another; ok is false where that is
// less than none, or more than a range may have.
func distance(from, to netip.Addr) (n uint32, ok bool) {
	a, b := from.As16(), to.As16()
	if from.Compare(to) > 0 || [12]byte(a[:12]) != [12]byte(b[:12]) && plus(from, MaxRange).Compare(to) <= 0 {
		return 0, false
	}
	for i := range 4 {
		n = n<<8 | uint32(b[12+i])
	}
	var m uint32
	for i := range 4 {
		m = m<<8 | uint32(a[12+i])
	}
	return n - m, true // the difference is small, so that it is right modulo 2^32 too
}

// has reports whether the target lies in the range.
func (s span) has(t Target) bool {
	if !s.first.IsValid() || s.port != t.Port {
		return false
	}
	a, err := netip.ParseAddr(t.Host)
	return err == nil && a.BitLen() == s.first.BitLen() && a.Zone() == "" &&
		s.first.Compare(a) <= 0 && a.Compare(s.last) <= 0
}
