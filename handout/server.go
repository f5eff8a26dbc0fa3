package handout

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"xrdpfix/internal/plaintext"
)

// Server is the server that the client is to reach.
type Server struct {
	// Name is what users type: a DNS name or an address.
	Name string
	Port uint16
	// User is filled in for the user; "" leaves it to them.
	User string

	// Certificate is what the server serves, as DER; nil where it is not known.
	Certificate []byte
	// Names are those of the certificate, addresses included. They are the
	// certificate's own text.
	Names []string
	// SHA256 and SHA1 are its fingerprints, upper case with colons.
	SHA256, SHA1 string
	NotAfter     time.Time
	// SelfSigned, CA and ServerAuth decide whether a client may be told to
	// trust the certificate itself.
	SelfSigned, CA, ServerAuth bool

	// TLS are the versions that the server accepts, "1.2", oldest first; nil
	// where they are not known.
	TLS []string
	// Silent says why the server could not be asked, "" where it answered.
	Silent string
	// NoTLS: it was asked, and offers none.
	NoTLS bool
	// NLA: it was asked, and offers Network Level Authentication, which no
	// released xrdp does.
	NLA bool
}

// ErrName is wrapped where a name cannot be a host's, or a user's.
var ErrName = errors.New("is no name")

// check refuses names that no host and no user can have: with them no file would
// be right, however well it is escaped.
func (s Server) check() error {
	if !validHost(s.Name) {
		return fmt.Errorf("%q %w of a host: letters, digits, dots and hyphens, or an address", s.Name, ErrName)
	}
	if s.Port == 0 {
		return fmt.Errorf("port 0 %w of a port", ErrName)
	}
	for _, f := range []string{s.SHA256, s.SHA1} {
		if strings.Trim(f, "0123456789ABCDEF:") != "" {
			return fmt.Errorf("%q %w of a certificate", f, ErrName)
		}
	}
	if s.User != plaintext.Line(s.User) || len(s.User) > 256 {
		return fmt.Errorf("%q %w of a user", s.User, ErrName)
	}
	return nil
}

// validHost accepts addresses, and names by the rules of RFC 1123, underscores
// included, which some networks use.
func validHost(name string) bool {
	if _, err := netip.ParseAddr(name); err == nil {
		return !strings.Contains(name, "%")
	}
	if name == "" || len(name) > 253 {
		return false
	}
	for _, label := range strings.Split(strings.TrimSuffix(name, "."), ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			c := label[i]
			if c != '-' && c != '_' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
				return false
			}
		}
	}
	return true
}

// ValidName reports whether a host can have that name.
func ValidName(name string) bool { return validHost(name) }

// Address is what is typed into a client: the port only where it is not 3389.
func (s Server) Address() string {
	host := s.Name
	if a, err := netip.ParseAddr(s.Name); err == nil && a.Is6() {
		host = "[" + s.Name + "]"
	}
	if s.Port == 3389 {
		return strings.Trim(host, "[]")
	}
	return host + ":" + strconv.Itoa(int(s.Port))
}

// NameFits reports whether the name is among those of the certificate.
func (s Server) NameFits() bool {
	for _, n := range s.Names {
		if strings.EqualFold(strings.TrimSuffix(n, "."), strings.TrimSuffix(s.Name, ".")) {
			return true
		}
		if rest, ok := strings.CutPrefix(n, "*."); ok {
			if _, parent, found := strings.Cut(s.Name, "."); found && strings.EqualFold(parent, rest) {
				return true
			}
		}
	}
	return false
}

// Trustable reports whether a client can be told to trust the certificate
// itself: it signed itself, can sign no other, and is for a server.
func (s Server) Trustable() bool {
	return len(s.Certificate) > 0 && s.SelfSigned && !s.CA && s.ServerAuth
}

// file is the beginning of the names of files.
func (s Server) file() string {
	return strings.Map(func(r rune) rune {
		if r == ':' {
			return '-'
		}
		return r
	}, strings.TrimSuffix(s.Name, "."))
}
