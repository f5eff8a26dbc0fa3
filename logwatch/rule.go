package logwatch

import (
	"slices"
	"strings"
	"sync"
)

// Class says what kind of fault, or of good news, a message is.
type Class string

// The classes. The first twelve are root causes by whose move it is, the rest
// tell the course of a connection.
const (
	ClassCertAccess     Class = "cert-access"     // the daemon cannot read certificate or key
	ClassCertContent    Class = "cert-content"    // it can, but they are no use
	ClassCipherConf     Class = "cipher-conf"     // tls_ciphers, or OpenSSL's own set-up
	ClassProtoConf      Class = "proto-conf"      // ssl_protocols, or the system's policy
	ClassProtoMismatch  Class = "proto-mismatch"  // no TLS version in common
	ClassCipherMismatch Class = "cipher-mismatch" // no cipher or signature in common
	ClassLayerConf      Class = "layer-conf"      // security_layer
	ClassClientLimit    Class = "client-limit"    // the client asks for what xrdp does not have
	ClassClientReject   Class = "client-reject"   // the client refused the certificate or left
	ClassClassic        Class = "classic"         // classic RDP encryption
	ClassStart          Class = "start"           // the daemon starting, stopping or failing to
	ClassNoise          Class = "noise"           // follows from any connection that ends early
	ClassConnection     Class = "connection"      // a connection was accepted, a client gave its name
	ClassNegotiation    Class = "negotiation"     // what was asked for and what was chosen
	ClassSession        Class = "session"         // after the connection: login and desktop
	ClassSuccess        Class = "success"         // a connection was established
	ClassFailure        Class = "failure"         // it failed; the cause stands in a line before
	ClassInfo           Class = "info"            // nothing to do
)

// Rule is one message that some version of xrdp writes.
type Rule struct {
	// ID is the stable name, <area>-<what>.
	ID string
	// Class is the kind of message.
	Class Class
	// Pattern is the whole message. A {name:class} stands where xrdp prints
	// a value.
	Pattern string
	// Meaning says in plain words what happened.
	Meaning string
	// Source is the file and function of xrdp that writes it, and the
	// versions that do.
	Source string
	// Cause is the finding that this message proves of the connection that
	// it belongs to, empty where it proves none. See [Match.Cause].
	Cause string

	step    step
	mild    bool // the connection goes on in spite of it
	pattern pattern
}

// Match is a message recognised.
type Match struct {
	// Rule is the rule; it is shared and must not be changed.
	Rule *Rule
	// Entry is the line.
	Entry Entry

	values [maxFields]span // parts of Entry.Text
}

// value returns the i-th field, "" where somebody has changed the text.
func (m *Match) value(i int) string {
	v := m.values[i]
	if int(v.to) > len(m.Entry.Text) {
		return ""
	}
	return m.Entry.Text[v.from:v.to]
}

// Field returns the value of a named field, "" if the rule has none such.
func (m Match) Field(name string) string {
	if m.Rule == nil {
		return ""
	}
	for i, p := range m.Rule.pattern.parts[1:] {
		if p.name == name {
			return m.value(i)
		}
	}
	return ""
}

// Fields returns all fields by name.
func (m Match) Fields() map[string]string {
	fields := map[string]string{}
	if m.Rule != nil {
		for i, p := range m.Rule.pattern.parts[1:] {
			fields[p.name] = m.value(i)
		}
	}
	return fields
}

// Cause returns the code of the finding that the message proves of its
// connection, or "". It is more exact than [Rule].Cause where a field decides.
func (m Match) Cause() string {
	if m.Rule == nil {
		return ""
	}
	switch m.Rule.ID {
	case "cert-not-readable":
		if m.absent() {
			return "cert-missing"
		}
	case "key-not-readable":
		if m.absent() {
			return "key-missing"
		}
	case "tls-files-unusable":
		if m.Field("certificate") == "" || m.Field("key") == "" {
			return "cert-path-missing"
		}
	}
	return m.Rule.Cause
}

func (m *Match) absent() bool { return m.Field("error") == "No such file or directory" }

// clone returns a match that shares no memory with the file it was read from.
func (m Match) clone() Match {
	m.Entry.Text = strings.Clone(m.Entry.Text)
	return m
}

// catalogue is the compiled form of the rules.
type catalogue struct {
	rules []*Rule
	// whole holds the rules without fields, by a hash of the whole message,
	// first the others, by a hash of its beginning. Most messages of a log
	// meet an empty slot in both.
	whole [1024][]*Rule
	first [512][]*Rule
	// reasons holds the rules for OpenSSL's errors by the reason text.
	reasons map[string]*Rule
	others  []*Rule // for those of OpenSSL's errors that have no rule of their own
}

// index compiles the catalogue once; it is never changed afterwards.
var index = sync.OnceValue(func() *catalogue {
	c := &catalogue{reasons: map[string]*Rule{}}
	for _, list := range [...][]Rule{connectionRules, certRules, tlsRules, opensslRules, classicRules, noiseRules, sessionRules, startRules} {
		for i := range list {
			r := list[i]
			r.pattern, _ = compile(r.Pattern)
			c.rules = append(c.rules, &r)
			if prefix, ok := strings.CutPrefix(r.Pattern, opensslPrefix); ok {
				if strings.HasSuffix(prefix, "}") {
					c.others = append(c.others, &r)
				} else {
					c.reasons[prefix] = &r
				}
				continue
			}
			if len(r.pattern.parts) == 1 {
				slot := &c.whole[hashWhole(r.Pattern)]
				*slot = append(*slot, &r)
				continue
			}
			for _, key := range keys(r.Pattern) {
				slot := &c.first[hash(key)]
				*slot = append(*slot, &r)
			}
		}
	}
	slices.SortFunc(c.rules, func(a, b *Rule) int { return strings.Compare(a.ID, b.ID) })
	return c
})

// opensslPrefix begins the patterns of dump_error_stack in
// common/ssl_calls.c, whose text is ERR_error_string_n of OpenSSL.
const opensslPrefix = "SSL: error:{code:hex}:{library:library}:{function:function}:"

// keySize is how much of a message decides which rules are tried. Every pattern
// but those that begin with a TLS version has that much literal text in front.
const keySize = 5

// keys returns the possible beginnings of a message.
func keys(pattern string) []string {
	if strings.HasPrefix(pattern, "{version:tls}") {
		return []string{"SSLv3", "TLSv1"}
	}
	return []string{pattern[:keySize]}
}

func hash(s string) int {
	_ = s[keySize-1]
	n := uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
	return int((n ^ uint32(s[4])<<15) * 0x9e3779b1 >> 23)
}

// hashWhole mixes the length of a message and eight bytes from its middle, where
// messages of one function differ.
func hashWhole(s string) int {
	n := uint32(len(s))
	if i := len(s)/2 - 4; i > 0 {
		t := s[i : i+8]
		n ^= uint32(t[0]) | uint32(t[1])<<8 | uint32(t[2])<<16 | uint32(t[3])<<24
		n = n*0x85ebca6b ^ (uint32(t[4]) | uint32(t[5])<<8 | uint32(t[6])<<16 | uint32(t[7])<<24)
	}
	return int(n * 0x9e3779b1 >> 22)
}

// Rules returns the catalogue, sorted by ID. The caller owns the slice.
func Rules() []Rule {
	c := index()
	rules := make([]Rule, len(c.rules))
	for i, r := range c.rules {
		rules[i] = *r
	}
	return rules
}

// Classify finds the rule for a message. At most one rule matches. The fields
// of the match share memory with e.Text.
func Classify(e Entry) (Match, bool) {
	if len(e.Text) < keySize || len(e.Text) > maxText {
		return Match{}, false
	}
	c := index()
	if strings.HasPrefix(e.Text, "SSL: error:") {
		return c.openssl(e)
	}
	for _, r := range c.whole[hashWhole(e.Text)] {
		if r.Pattern == e.Text {
			return Match{Rule: r, Entry: e}, true
		}
	}
	for _, r := range c.first[hash(e.Text)] {
		if values, ok := r.pattern.match(e.Text); ok {
			return Match{Rule: r, Entry: e, values: values}, true
		}
	}
	return Match{}, false
}

// openssl finds the rule for an error of OpenSSL by the text behind the last
// colon: codes and function names differ between OpenSSL 1.1 and 3.
func (c *catalogue) openssl(e Entry) (Match, bool) {
	for _, r := range c.first[hash(e.Text)] { // those that name a function as well
		if values, ok := r.pattern.match(e.Text); ok {
			return Match{Rule: r, Entry: e, values: values}, true
		}
	}
	reason := e.Text[strings.LastIndexByte(e.Text, ':')+1:]
	if r, ok := c.reasons[reason]; ok {
		if values, ok := r.pattern.match(e.Text); ok {
			return Match{Rule: r, Entry: e, values: values}, true
		}
	}
	for _, r := range c.others {
		if values, ok := r.pattern.match(e.Text); ok {
			return Match{Rule: r, Entry: e, values: values}, true
		}
	}
	return Match{}, false
}
