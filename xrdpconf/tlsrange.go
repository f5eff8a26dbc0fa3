package xrdpconf

import (
	"fmt"
	"slices"
	"strings"
)

// TLSVersion is a protocol version by its number on the wire (RFC 8446, section
// 4.2.1), the same numbers that crypto/tls uses.
type TLSVersion uint16

// The versions that xrdp can be told to speak.
const (
	SSL30 TLSVersion = 0x0300
	TLS10 TLSVersion = 0x0301
	TLS11 TLSVersion = 0x0302
	TLS12 TLSVersion = 0x0303
	TLS13 TLSVersion = 0x0304
)

// tokens are the words of ssl_protocols (common/ssl_calls.c,
// ssl_get_protocols_from_string), which xrdp compares with case.
var tokens = [...]struct {
	version TLSVersion
	token   string
	number  string
}{
	{SSL30, "SSLv3", "SSL 3.0"},
	{TLS10, "TLSv1", "1.0"},
	{TLS11, "TLSv1.1", "1.1"},
	{TLS12, "TLSv1.2", "1.2"},
	{TLS13, "TLSv1.3", "1.3"},
}

// Token returns the version as ssl_protocols spells it: "TLSv1", "TLSv1.2".
func (v TLSVersion) Token() string {
	for _, t := range tokens {
		if t.version == v {
			return t.token
		}
	}
	return fmt.Sprintf("0x%04x", uint16(v))
}

// Number returns the version as people write it: "1.0", "1.2".
func (v TLSVersion) Number() string {
	for _, t := range tokens {
		if t.version == v {
			return t.number
		}
	}
	return fmt.Sprintf("0x%04x", uint16(v))
}

// String returns the version in prose: "TLS 1.2".
func (v TLSVersion) String() string {
	if v == SSL30 {
		return v.Number()
	}
	return "TLS " + v.Number()
}

// VersionOfToken returns the version of an ssl_protocols word, exactly as xrdp spells it.
func VersionOfToken(token string) (TLSVersion, bool) {
	for _, t := range tokens {
		if t.token == token {
			return t.version, true
		}
	}
	return 0, false
}

// ParseTLSVersion reads what a person writes for a TLS version: "1.2", "TLSv1.2",
// "TLS1.2", "tls 1.2", "TLSv1", "TLSv1.0", "TLSv1_2", with or without quotes.
func ParseTLSVersion(s string) (TLSVersion, error) {
	text := strings.Trim(strings.TrimSpace(fold(s)), `"'`)
	text = strings.TrimLeft(strings.TrimPrefix(text, "tls"), " -_")
	text = strings.TrimLeft(strings.TrimPrefix(text, "v"), " ")
	text = strings.ReplaceAll(text, "_", ".")
	switch text {
	case "1", "1.0":
		return TLS10, nil
	case "1.1":
		return TLS11, nil
	case "1.2":
		return TLS12, nil
	case "1.3":
		return TLS13, nil
	}
	return 0, fmt.Errorf("parse TLS version %q: not one of 1.0, 1.1, 1.2, 1.3", s)
}

// Range is a range of TLS versions, both ends included.
type Range struct {
	Min, Max TLSVersion
}

// Valid reports whether both ends are TLS 1.0 to 1.3 and in order.
func (r Range) Valid() bool { return TLS10 <= r.Min && r.Min <= r.Max && r.Max <= TLS13 }

// Contains reports whether v lies in the range.
func (r Range) Contains(v TLSVersion) bool { return r.Min <= v && v <= r.Max }

// Versions returns the versions of a valid range in ascending order.
func (r Range) Versions() []TLSVersion {
	var out []TLSVersion
	if !r.Valid() {
		return nil
	}
	for v := r.Min; v <= r.Max; v++ {
		out = append(out, v)
	}
	return out
}

// Tokens returns the value of ssl_protocols for the range: "TLSv1.2, TLSv1.3".
func (r Range) Tokens() string {
	var out []string
	for _, v := range r.Versions() {
		out = append(out, v.Token())
	}
	return strings.Join(out, ", ")
}

// String returns the range in prose: "TLS 1.2 to 1.3", or "TLS 1.3" for a single version.
func (r Range) String() string {
	if r.Min == r.Max {
		return r.Min.String()
	}
	return r.Min.String() + " to " + r.Max.Number()
}

// RangeOf returns the range from the lowest to the highest of the given
// ssl_protocols words, and whether nothing in between is missing. Unknown words and
// SSLv3 are left out; without any other the range is zero.
func RangeOf(protocols []string) (r Range, contiguous bool) {
	var have []TLSVersion
	for _, p := range protocols {
		if v, ok := VersionOfToken(p); ok && v != SSL30 {
			have = append(have, v)
		}
	}
	if len(have) == 0 {
		return Range{}, false
	}
	slices.Sort(have)
	have = slices.Compact(have)
	r = Range{have[0], have[len(have)-1]}
	return r, len(have) == int(r.Max-r.Min)+1
}
