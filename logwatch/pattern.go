package logwatch

import (
	"net/netip"
	"strings"
)

// maxFields is the largest number of fields in one pattern.
const maxFields = 4

// maxText is the longest message that is compared with patterns. xrdp cuts its
// messages at 1,024 bytes (LOG_BUFFER_SIZE in common/log.h).
const maxText = 2048

// pattern is a message as xrdp's source has it, with {name:class} where the
// source has a conversion such as %s. It matches whole messages only. There is
// no backtracking: a field ends where the next literal part begins, the first
// time for most classes, the last time for those that may contain it.
type pattern struct {
	source string
	parts  []part
}

// part is a field and the literal text behind it. The first part has no field.
type part struct {
	name    string
	class   class
	literal string
}

// class is a set of strings that xrdp can print at a place.
type class struct {
	name string
	// greedy fields may contain the literal text that ends them.
	greedy bool
	valid  func(string) bool
}

// The classes. claim is what a remote client says about itself: anything.
var classes = [...]class{
	{"int", false, isInt},
	{"hex", false, isHex},
	{"path", true, func(s string) bool { return s != "" && s[0] == '/' && printable(s) }},
	{"file", true, printable}, // empty when the setting is missing
	{"text", true, func(s string) bool { return s != "" && printable(s) }},
	{"claim", true, func(string) bool { return true }},
	{"addr", false, func(s string) bool { _, err := netip.ParseAddr(s); return err == nil }},
	{"port", false, func(s string) bool { n, i := number(s); return i > 0 && i == len(s) && n <= 65535 }},
	{"peer", false, isPeer},
	{"layers", false, isLayers},
	{"tls", false, isTLSVersion},
	{"cipher", false, func(s string) bool { return s != "" && made(s, "-_()") }},
	{"tlserror", false, func(s string) bool {
		return s == "Failure in SSL library (protocol error?)" || s == "I/O error" ||
			s == "Server closed TLS connection" || s == "Unknown SSL error"
	}},
	{"word", false, func(s string) bool { return s != "" && made(s, "-_.") }},
	{"alert", false, isAlert},
	{"library", false, func(s string) bool { return s != "" && made(s, " _()-") }},
	{"function", false, func(s string) bool { return made(s, "_()-") }},
	{"level", false, func(s string) bool {
		return s == "none" || s == "low" || s == "medium" || s == "high" || s == "fips" || s == "unknown"
	}},
}

// compile reads a pattern. It reports false for one that is not well formed,
// which the tests rule out for the catalogue.
func compile(source string) (pattern, bool) {
	p := pattern{source: source}
	current := part{}
	for rest := source; ; {
		open := strings.IndexByte(rest, '{')
		if open < 0 {
			current.literal = rest
			p.parts = append(p.parts, current)
			return p, len(p.parts)-1 <= maxFields
		}
		current.literal = rest[:open]
		p.parts = append(p.parts, current)
		field, after, ok := strings.Cut(rest[open+1:], "}")
		if !ok {
			return p, false
		}
		name, kind, ok := strings.Cut(field, ":")
		if !ok {
			return p, false
		}
		current = part{name: name}
		found := false
		for _, c := range classes {
			if c.name == kind {
				current.class, found = c, true
			}
		}
		if !found || len(p.parts) > 1 && p.parts[len(p.parts)-1].literal == "" {
			return p, false
		}
		rest = after
	}
}

// span is a part of a message, as offsets: a message is never longer than maxText.
type span struct{ from, to uint16 }

// match reports whether text is such a message, and where its fields are.
func (p *pattern) match(text string) (fields [maxFields]span, ok bool) {
	if len(text) > maxText || !strings.HasPrefix(text, p.parts[0].literal) {
		return fields, false
	}
	at := len(p.parts[0].literal)
	for i := 1; i < len(p.parts); i++ {
		part := &p.parts[i]
		rest := text[at:]
		end := len(rest)
		switch {
		case i == len(p.parts)-1:
			if end -= len(part.literal); end < 0 || rest[end:] != part.literal {
				return fields, false
			}
		case part.class.greedy:
			end = strings.LastIndex(rest, part.literal)
		default:
			end = strings.Index(rest, part.literal)
		}
		if end < 0 || !part.class.valid(rest[:end]) {
			return fields, false
		}
		fields[i-1] = span{uint16(at), uint16(at + end)} //nolint:gosec // bounded by maxText
		at += end + len(part.literal)
	}
	return fields, at == len(text)
}

// printable reports whether s has no control characters.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return false
		}
	}
	return true
}

// made reports whether s is made of letters, digits and the others given.
func made(s, others string) bool {
	for i := range len(s) {
		c := s[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && c-'0' >= 10 && strings.IndexByte(others, c) < 0 {
			return false
		}
	}
	return true
}

func isInt(s string) bool {
	s = strings.TrimPrefix(s, "-")
	return len(s) <= 20 && digits(s)
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; c-'0' >= 10 && (c|0x20 < 'a' || c|0x20 > 'f') {
			return false
		}
	}
	return s != "" && len(s) <= 16
}

// isLayers accepts what protocol_mask_to_str of libxrdp/xrdp_iso.c prints,
// "SSL|HYBRID|RDP" and the like, and the empty string.
func isLayers(s string) bool {
	for s != "" {
		word, rest, more := strings.Cut(s, "|")
		switch word {
		case "RDP", "SSL", "HYBRID", "RDSTLS", "HYBRID_EX", "RDSAAD":
		default:
			return false
		}
		if more && rest == "" {
			return false
		}
		s = rest
	}
	return true
}

// isTLSVersion accepts what SSL_get_version of OpenSSL returns.
func isTLSVersion(s string) bool {
	switch s {
	case "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3", "unknown":
		return true
	}
	return false
}

// isPeer accepts what get_peer_description of common/os_calls.c prints.
func isPeer(s string) bool {
	if s == "AF_UNIX" || strings.HasPrefix(s, "AF_VSOCK:cid=") && made(s, "_:=/") {
		return true
	}
	if rest, ok := strings.CutPrefix(s, "Unknown address family "); ok {
		return isInt(rest)
	}
	_, err := netip.ParseAddrPort(s)
	return err == nil
}

// isAlert accepts what OpenSSL calls an alert that it received (ssl_err.c).
func isAlert(s string) bool {
	switch s {
	case "tlsv1 unsupported extension", "tlsv1 unrecognized name", "tlsv1 certificate unobtainable",
		"tlsv1 bad certificate status response", "tlsv1 bad certificate hash value":
		return true
	}
	from, what, ok := strings.Cut(s, " alert ")
	switch from {
	case "sslv3", "ssl/tls", "tlsv1", "tlsv13":
		return ok && what != "" && made(what, " _-")
	}
	return false
}
