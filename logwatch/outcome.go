package logwatch

import "slices"

// OutcomeKind says how a connection ended up.
type OutcomeKind string

// The kinds of outcome.
const (
	ConnectedTLS     OutcomeKind = "connected-tls"
	ConnectedClassic OutcomeKind = "connected-classic"
	Failed           OutcomeKind = "failed"
	HungUp           OutcomeKind = "hang-up" // left before it asked for anything: a scanner, a health check
	Unknown          OutcomeKind = "unknown" // the log does not say
)

// OwnName is the client computer name of xrdpfix's own probes.
const OwnName = "xrdpfix"

// Outcome is what became of a connection, and why.
type Outcome struct {
	Kind OutcomeKind
	// Cause is the code of the finding that explains a failure, or why a
	// connected client has no TLS; "" where the log does not tell.
	Cause string
	// Likely says that the cause was inferred from what the client did not
	// do, rather than stated by a line.
	Likely bool
	// Rule is the ID of the line that states the cause, "" when inferred.
	Rule string
	// Possible are the causes of lines that may belong to this connection or
	// to another one.
	Possible []string
	// Own says that the client called itself [OwnName].
	Own bool
}

// Outcome judges the connection by its lines.
func (c *Connection) Outcome() Outcome {
	o := Outcome{Kind: Unknown, Own: c.ClientName == OwnName}
	for _, m := range c.Maybe {
		if cause := m.Cause(); cause != "" && !m.Rule.mild && !slices.Contains(o.Possible, cause) {
			o.Possible = append(o.Possible, cause)
		}
	}
	best := 0
	for i := range c.Matches {
		m := &c.Matches[i]
		if m.Rule.Cause == "" {
			continue
		}
		cause := m.Cause()
		if cause == "client-tls-too-old" && o.Cause == "tls-versions-empty" {
			continue // nothing is enabled: the client is not to blame
		}
		if w := weight(m); cause != "" && w > best {
			best, o.Cause, o.Rule = w, cause, m.Rule.ID
		}
	}
	if o.Cause == "client-classic-only" && c.asksOnlyNLA() {
		o.Cause = "client-requires-nla"
	}
	switch {
	case c.Established && c.Protocol == TLS:
		return Outcome{Kind: ConnectedTLS, Own: o.Own}
	case c.Established && c.failsClassic():
		o.Kind = Failed // for what kept it from TLS, where that is known
	case c.Established:
		o.Kind = ConnectedClassic
		if o.Cause == "" {
			o.Cause, o.Likely = c.whyClassic()
		}
	case best > 1:
		o.Kind = Failed
	case c.Interleaved && best > 0:
		o.Kind, o.Cause, o.Rule = Failed, "", "" // the reason is among the Possible
	case c.Interleaved:
	case c.left():
		o.Cause, o.Rule = "", ""
		o.Kind, o.Cause, o.Likely = c.whyLeft()
	case best > 0:
		o.Kind = Failed
	}
	return o
}

// weight says how much a line explains: 3 a reason given by OpenSSL, 2 a cause,
// 1 a mere consequence, 0 nothing.
func weight(m *Match) int {
	switch {
	case m.Rule.Cause == "" || m.Rule.mild:
		return 0
	case m.Rule.Class == ClassFailure:
		return 1
	case m.Rule.step.kind == stepReason, m.Rule.Cause == "ini-unreadable":
		return 3
	}
	return 2
}

// has reports whether a line of that rule belongs to the connection.
func (c *Connection) has(id string) bool {
	for i := range c.Matches {
		if c.Matches[i].Rule.ID == id {
			return true
		}
	}
	return false
}

// failsClassic reports whether an established connection failed at once because
// classic RDP encryption did not work.
func (c *Connection) failsClassic() bool {
	return slices.ContainsFunc(c.Matches, func(m Match) bool { return m.Rule.Cause == "classic-failed" })
}

// failsTLS reports whether xrdp gave up on TLS.
func (c *Connection) failsTLS() bool {
	return slices.ContainsFunc(c.Matches, func(m Match) bool { return m.Rule.Cause == "tls-fails" })
}

// cutInHandshake reports whether the client left during the TLS handshake.
// OpenSSL 3 calls that an unexpected end of file, OpenSSL 1.1 an I/O error.
func (c *Connection) cutInHandshake() bool {
	return c.has("handshake-cut") || c.has("handshake-closed") ||
		c.has("handshake-failed") && c.has("openssl-unexpected-eof")
}

// left reports whether the client went away without being refused.
func (c *Connection) left() bool { return c.Ended || c.cutInHandshake() }

// whyLeft explains a client that went away. FreeRDP with /sec:nla asks for
// SSL|HYBRID, is given SSL and leaves without a ClientHello; a client that
// refuses the certificate leaves after the handshake. Both were seen on 0.9.21.1.
func (c *Connection) whyLeft() (kind OutcomeKind, cause string, likely bool) {
	switch {
	case !c.Negotiated, c.ClientName != "":
		return HungUp, "", false
	case c.Protocol == TLS && c.failsTLS() && !c.cutInHandshake():
		return c.whyHandshake()
	case c.asksOnlyNLA():
		return Failed, "client-requires-nla", true
	case c.Protocol == TLS && c.cutInHandshake() && c.RequestedProtocols&(ProtocolHybrid|ProtocolHybridEx) != 0:
		return Failed, "client-requires-nla", true
	case c.Protocol == TLS:
		return Failed, "client-refuses-cert", true
	case c.Protocol == Classic && c.RequestedProtocols != 0:
		cause, _ := c.whyClassic()
		return Failed, cause, true
	case c.Protocol == "":
		return Failed, "client-classic-only", true
	}
	return HungUp, "", false
}

// whyHandshake explains a handshake that failed for no reason that has a cause.
func (c *Connection) whyHandshake() (kind OutcomeKind, cause string, likely bool) {
	for _, m := range c.Matches {
		switch {
		case m.Rule.step.kind != stepReason:
		case m.Rule.Class == ClassNoise:
			return HungUp, "", false // what it sent was not TLS
		case m.Rule.Class == ClassClientReject:
			return Failed, "", false // its alert says what it thinks, not why
		}
	}
	return Failed, "tls-fails", false
}

// asksOnlyNLA reports whether the client offers CredSSP and nothing else.
func (c *Connection) asksOnlyNLA() bool {
	return c.RequestedProtocols&(ProtocolHybrid|ProtocolHybridEx) != 0 && c.RequestedProtocols&ProtocolSSL == 0
}

// whyClassic explains a connection without TLS where no line does.
func (c *Connection) whyClassic() (cause string, likely bool) {
	switch {
	case c.Negotiated && c.RequestedProtocols&ProtocolSSL == 0:
		return "client-classic-only", false
	case c.Negotiated:
		return "classic-rdp-served", false
	}
	return "", false
}
