package opensslconf

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrNoSection is returned by [Config.Override] where the configuration has no
// section for every TLS context: there is no floor then, and nothing to lift.
var ErrNoSection = errors.New("the OpenSSL configuration sets nothing for TLS")

// ErrNotVersion is returned for a bound that is none of [Versions].
var ErrNotVersion = errors.New("not a protocol version that OpenSSL knows")

const (
	overrideMark = "# OpenSSL configuration of one service, written by xrdpfix."
	includeStart = ".include "
)

// Override returns a configuration that is c.File but for the range of TLS
// versions: it includes that file and then goes on with the section that counts,
// where a later command wins. An empty min or max leaves that bound alone. Where
// single versions are switched off by Protocol, that is undone, since the bounds
// say it all. dropIn is the unit drop-in that names the file in OPENSSL_CONF;
// the header tells it to whoever finds the file.
//
// OpenSSL takes no notice of an included file that is missing, and neither does
// it of a missing OPENSSL_CONF: both fail open, so the file goes when the
// drop-in goes.
func (c Config) Override(min, max, dropIn string) ([]byte, error) {
	if c.Section == "" {
		return nil, fmt.Errorf("%s: %w", c.File, ErrNoSection)
	}
	for _, v := range []string{min, max} {
		if v != "" && !slices.Contains(Versions, v) {
			return nil, fmt.Errorf("%q: %w", v, ErrNotVersion)
		}
	}
	if strings.ContainsAny(c.File+c.Section+dropIn, "\n\r\x00") {
		return nil, fmt.Errorf("%q: a name that no line can hold", c.File)
	}
	var b bytes.Buffer
	fmt.Fprintln(&b, overrideMark)
	fmt.Fprintln(&b, "# It is the system's configuration with another range of TLS versions. The unit")
	fmt.Fprintf(&b, "# drop-in %s names it in OPENSSL_CONF.\n", dropIn)
	fmt.Fprintln(&b, "# Remove both or none.")
	fmt.Fprintf(&b, "%s%s\n\n", includeStart, escape(c.File, "/"))
	fmt.Fprintf(&b, "[ %s ]\n", escape(c.Section, " "))
	if c.Protocol != nil {
		fmt.Fprintln(&b, "Protocol = ALL")
	}
	if min != "" {
		fmt.Fprintf(&b, "MinProtocol = %s\n", min)
	}
	if max != "" {
		fmt.Fprintf(&b, "MaxProtocol = %s\n", max)
	}
	return b.Bytes(), nil
}

// OverrideBase tells a file that [Config.Override] wrote from any other, and
// names the configuration that it builds upon.
func OverrideBase(data []byte) (base string, ok bool) {
	if !bytes.HasPrefix(data, []byte(overrideMark+"\n")) {
		return "", false
	}
	for line := range strings.Lines(string(data)) {
		if rest, found := strings.CutPrefix(line, includeStart); found {
			p := parser{all: sections{}}
			base, err := p.expand("", strings.Trim(rest, blanks), place{})
			return base, err == nil && base != ""
		}
	}
	return "", false
}

// escape puts a backslash before all that is not part of a name.
func escape(s, more string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; !isAlnum(c) && strings.IndexByte(namePunct+more, c) < 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
