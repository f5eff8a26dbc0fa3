package certs

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// DefaultLifetime is the validity of a certificate whose request names none.
// Apple's TLS clients refuse a server certificate that is valid for longer than
// 825 days, self-signed ones included (Apple support article HT210176).
const DefaultLifetime = 825 * 24 * time.Hour

// clockSkew is how far the validity begins before the present. A client whose
// clock is a few minutes slow would otherwise call a fresh certificate not yet
// valid, and so would this host after its clock was set back by its first
// synchronisation.
const clockSkew = time.Hour

// maxCommonName is ub-common-name of RFC 5280 appendix A.1, in characters.
const maxCommonName = 64

// KeyType names the kind and size of a private key to generate. The zero value
// means RSA2048.
type KeyType string

// The key types that SelfSigned generates. RSA 2048 is what every RDP client
// accepts; xrdp serves other keys than RSA only from 0.9.16 on.
const (
	RSA2048   KeyType = "rsa2048"
	RSA3072   KeyType = "rsa3072"
	RSA4096   KeyType = "rsa4096"
	ECDSAP256 KeyType = "ecdsa-p256"
)

// KeyTypes lists the key types that SelfSigned generates, the default first.
func KeyTypes() []KeyType { return []KeyType{RSA2048, RSA3072, RSA4096, ECDSAP256} }

// ErrKeyType is returned for a key type that is not one of KeyTypes.
var ErrKeyType = errors.New("unknown key type")

// ErrName is returned for a name that cannot stand in a certificate, and for a
// request without any name.
var ErrName = errors.New("unusable name")

// ErrLifetime is returned for a negative lifetime and for one that ends beyond
// the year 9999, the last that X.509 can express (RFC 5280 section 4.1.2.5).
var ErrLifetime = errors.New("unusable lifetime")

// Request describes a certificate to make. It is a plain value without secrets
// and may be written down before it is carried out.
type Request struct {
	// CommonName is the subject's name. When it is empty, the first of
	// DNSNames or Addrs takes its place. A name of more than 64 characters is
	// cut to its first label, because the field holds no more; it should
	// stand whole in DNSNames.
	CommonName string `json:"common_name"`
	// DNSNames and Addrs are the subject alternative names. An address given
	// as a DNS name is moved to the addresses, duplicates are dropped.
	DNSNames []string     `json:"dns_names,omitempty"`
	Addrs    []netip.Addr `json:"addrs,omitempty"`
	// Lifetime is the whole validity; zero means DefaultLifetime.
	Lifetime time.Duration `json:"lifetime_ns,omitempty"`
	// Key is the kind of key to generate; empty means RSA2048.
	Key KeyType `json:"key,omitempty"`
}

// normalize fills the defaults and checks everything that can be checked before
// the expensive key generation.
func (r Request) normalize(now time.Time) (Request, error) {
	n := Request{CommonName: canonicalName(r.CommonName), Lifetime: r.Lifetime, Key: r.Key}
	for _, name := range r.DNSNames {
		if a, err := netip.ParseAddr(name); err == nil {
			n.Addrs = append(n.Addrs, plainAddr(a))
			continue
		}
		if !ValidName(name) {
			return Request{}, fmt.Errorf("%w %q", ErrName, name)
		}
		n.DNSNames = append(n.DNSNames, canonicalName(name))
	}
	for _, a := range r.Addrs {
		if !a.IsValid() {
			return Request{}, fmt.Errorf("%w: an address without a value", ErrName)
		}
		n.Addrs = append(n.Addrs, plainAddr(a))
	}
	n.DNSNames, n.Addrs = unique(n.DNSNames), unique(n.Addrs)
	switch {
	case n.CommonName != "":
	case len(n.DNSNames) > 0:
		n.CommonName = n.DNSNames[0]
	case len(n.Addrs) > 0:
		n.CommonName = n.Addrs[0].String()
	default:
		return Request{}, fmt.Errorf("%w: the request has none", ErrName)
	}
	if _, err := netip.ParseAddr(n.CommonName); err != nil && !ValidName(n.CommonName) {
		return Request{}, fmt.Errorf("%w %q", ErrName, r.CommonName)
	}
	if len(n.CommonName) > maxCommonName {
		n.CommonName, _, _ = strings.Cut(n.CommonName, ".")
	}
	if n.Key == "" {
		n.Key = RSA2048
	}
	if !slices.Contains(KeyTypes(), n.Key) {
		return Request{}, fmt.Errorf("%w %q", ErrKeyType, n.Key)
	}
	if n.Lifetime == 0 {
		n.Lifetime = DefaultLifetime
	}
	if n.Lifetime < time.Second || now.Add(n.Lifetime).UTC().Year() > 9999 {
		return Request{}, fmt.Errorf("%w %v", ErrLifetime, n.Lifetime)
	}
	return n, nil
}

func unique[T comparable](list []T) []T {
	var out []T
	for _, v := range list {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}
