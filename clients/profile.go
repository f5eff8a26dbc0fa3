package clients

import (
	"slices"

	"xrdpfix/probe"
)

// Known says how a profile is known.
type Known string

// The ways to know a client.
const (
	Captured   Known = "captured"   // from the real program, as the lab runs it
	Documented Known = "documented" // by its maker, see Profile.Links
	NotKnown   Known = ""           // neither: it is listed and not judged
)

// Trust is what a client does about a certificate that nobody has vouched for.
type Trust string

// The ways to meet an unknown certificate.
const (
	TrustAsks    Trust = "asks"    // shows it to the person, and may remember the answer
	TrustRefuses Trust = "refuses" // has nobody to ask
	TrustAny     Trust = "any"     // does not look at it
)

// Profile is one client, as it is delivered unless its name says otherwise.
type Profile struct {
	Key  string `json:"key"`  // stable: "freerdp3"
	Name string `json:"name"` // for people, at most 24 characters
	// Kind is the argument of xrdpfix client that is about it; empty for none.
	Kind string `json:"kind,omitempty"`

	Known Known `json:"known"`
	// Of says of what it is known: the program with its version, or the document.
	Of    string   `json:"of,omitempty"`
	Links []string `json:"links,omitempty"`

	// Requests are its values of requestedProtocols: the first, and those that it tries after an RDP_NEG_FAILURE.
	Requests []probe.Protocol `json:"requests,omitempty"`
	// NoNegotiation says that it sends no RDP_NEG_REQ at all.
	NoNegotiation bool `json:"no_negotiation,omitempty"`
	// NLA says that it can go on with CredSSP, given a name and a password.
	NLA bool `json:"nla,omitempty"`
	// InsistsNLA says that it leaves where the server selects anything but CredSSP.
	InsistsNLA bool `json:"insists_nla,omitempty"`
	// Classic says that it goes on where the server selects PROTOCOL_RDP.
	Classic bool `json:"classic,omitempty"`
	// RetriesClassic says that after a TLS handshake that failed it tries again without RDP_NEG_REQ.
	RetriesClassic bool `json:"retries_classic,omitempty"`
	// RC4Only says that its classic RDP security is RC4: neither FIPS nor none.
	RC4Only bool `json:"rc4_only,omitempty"`
	// SaltedMAC says that its Client Info PDU has a salted MAC before the server has said that it knows them. An xrdp that
	// verifies the MAC (0.10.6, and Debian's 0.9.21.1-1+deb12u3 and 0.10.1-3.1+deb13u2) ends the connection.
	SaltedMAC bool `json:"salted_mac,omitempty"`

	// Versions are the TLS versions with which it completes a handshake, oldest first. It may offer more: OpenSSL 3 at the
	// security level of FreeRDP offers TLS 1.0, and then refuses its signatures.
	Versions []probe.TLSVersion `json:"versions,omitempty"`
	// Hello has suites, groups and signature schemes. Without suites it is judged by its versions alone.
	Hello probe.ClientHello `json:"-"`
	// Records are the captured ClientHello.
	Records []byte `json:"-"`
	// RefusesKeys are the types of key, spelled as in certs.CertInfo, of which it takes no certificate although its
	// ClientHello offers the signature.
	RefusesKeys []string `json:"refuses_keys,omitempty"`
	// MinRSA is the smallest RSA key in bits that it takes; zero if any.
	MinRSA int   `json:"min_rsa,omitempty"`
	Trust  Trust `json:"trust,omitempty"`
}

// Profiles gives all clients in the order of the table. The caller owns the slice, not what is in it.
func Profiles() []Profile { return slices.Clone(profiles()) }

// ByKey gives the profile with that key.
func ByKey(key string) (Profile, bool) {
	for _, p := range profiles() {
		if p.Key == key {
			return p, true
		}
	}
	return Profile{}, false
}

// Judged reports whether enough is known of the client to judge it.
func (p *Profile) Judged() bool { return p.Known != NotKnown }

// classicOnly: a client that knows Standard RDP Security only.
func (p *Profile) classicOnly() bool {
	return len(p.Versions) == 0
}

// ClientHello gives the TLS records with which the client begins: those captured, or made from what is documented. It is
// empty for a client without TLS, or of which no suites are known. serverName goes into what is made, if the client is
// one that sends it.
func (p *Profile) ClientHello() ([]byte, error) {
	if len(p.Records) > 0 || len(p.Hello.CipherSuites) == 0 {
		return p.Records, nil
	}
	return p.Hello.Encode(nil)
}
