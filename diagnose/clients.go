package diagnose

import (
	"crypto/tls"

	"xrdpfix/probe"
)

// Client is a kind of client and what the server does with it.
type Client struct {
	Name string `json:"name"`
	// Connects is "yes", "weak" (only with classic RDP security), "no", or ""
	// where the wire was not asked.
	Connects string `json:"connects"`
	Protocol string `json:"protocol,omitempty"`
	TLS      string `json:"tls,omitempty"`
	Cipher   string `json:"cipher,omitempty"`
	// Certificate is "asks once" where nobody has vouched for it, "" where none is shown.
	Certificate string `json:"certificate,omitempty"`
	WhyNot      string `json:"why_not,omitempty"`
}

// The answers of Client.Connects.
const (
	ConnectsYes  = "yes"
	ConnectsWeak = "weak"
	ConnectsNo   = "no"
)

// ClientKinds derives from the wire which kinds of client get in. The kinds are
// told apart by what decides: the newest TLS version that they know, whether
// they do without TLS, whether they insist on NLA.
func ClientKinds(s probe.ServerSurvey) []Client {
	var out []Client
	for _, v := range []struct {
		name    string
		version probe.TLSVersion
	}{
		{"clients with TLS 1.3", tls.VersionTLS13},
		{"clients with TLS 1.2 at most", tls.VersionTLS12},
		{"clients with TLS 1.1 at most", tls.VersionTLS11},
		{"clients with TLS 1.0 at most", tls.VersionTLS10},
	} {
		out = append(out, tlsClient(s, v.name, v.version))
	}
	out = append(out, classicClient(s))
	return append(out, Client{
		Name: "clients that insist on NLA", Connects: ConnectsNo, WhyNot: "no released xrdp has NLA (CredSSP)",
	})
}

// tlsClient is a client that offers TLS up to one version and insists on TLS.
// What the wire was not asked about stays unknown.
func tlsClient(s probe.ServerSurvey, name string, highest probe.TLSVersion) Client {
	c := Client{Name: name}
	n := s.Full.Negotiation
	switch {
	case n == nil:
		return Client{Name: name, Connects: ConnectsNo, WhyNot: "nothing answers"}
	case n.FailureCode != 0:
		return Client{Name: name, Connects: ConnectsNo, WhyNot: n.FailureCode.String()}
	case n.Selected == probe.ProtocolRDP:
		return Client{Name: name, Connects: ConnectsWeak, Protocol: probe.ProtocolRDP.String(), WhyNot: "the server offers no TLS; a client that insists on it is refused"}
	}
	known := false
	for v := highest; v >= tls.VersionTLS10; v-- {
		a, asked := s.Version(v)
		if !asked && s.Full.TLS != nil && s.Full.TLS.Version == v {
			a, asked = probe.VersionAnswer{Version: v, Answer: probe.AnswerAccepted, Cipher: s.Full.TLS.Cipher}, true
		}
		if asked && a.Answer == probe.AnswerAccepted {
			return Client{Name: name, Connects: ConnectsYes, Protocol: n.Selected.String(), TLS: v.String(), Cipher: a.Cipher, Certificate: "asks once"}
		}
		known = known || asked && a.Answer == probe.AnswerRefused
	}
	if known || s.Full.TLS == nil {
		c.Connects, c.WhyNot = ConnectsNo, "the server refuses "+highest.String()
		if highest > tls.VersionTLS10 {
			c.WhyNot += " and older"
		}
		if s.Full.TLS == nil {
			c.WhyNot = "every TLS handshake fails"
		}
	}
	return c
}

// classicClient is a client that knows Standard RDP Security only.
func classicClient(s probe.ServerSurvey) Client {
	c := Client{Name: "clients without TLS"}
	if s.Classic == nil || s.Classic.Negotiation == nil {
		return c
	}
	switch n := s.Classic.Negotiation; {
	case n.FailureCode != 0:
		c.Connects, c.WhyNot = ConnectsNo, n.FailureCode.String()
	case s.Classic.Failure != nil:
		c.Connects, c.WhyNot = ConnectsNo, s.Classic.Failure.Text
	default:
		c.Connects, c.Protocol = ConnectsWeak, n.Selected.String()
	}
	return c
}
