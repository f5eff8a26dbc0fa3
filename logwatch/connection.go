package logwatch

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// The values of Connection.Protocol.
const (
	TLS     = "TLS"
	Classic = "classic"
)

// Connection is what the log tells of one connection.
type Connection struct {
	// Client is the peer's address and port, IPv4-mapped addresses unmapped.
	// It is not valid where the log does not tell it.
	Client netip.AddrPort `json:"client"`
	// Peer is the peer as xrdp printed it where that is not an address, such
	// as AF_VSOCK:cid=2/port=1024.
	Peer string `json:"peer,omitempty"`
	// ClientName is the client's own word for its name; believe nothing.
	ClientName string `json:"client_name,omitempty"`
	// Start and End are the times of its first and last line here. A session
	// that was established lives on after End.
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
	// Negotiated says that the lines about the negotiation were seen, so that
	// the six fields below mean something.
	Negotiated bool `json:"negotiated,omitempty"`
	// Configured, Requested and Selected are the sets as xrdp prints them.
	// Configured is xrdp's effective setting (0.9.18 to 0.10.3 only), not the
	// text of xrdp.ini. An empty Selected is a refusal.
	Configured string `json:"configured,omitempty"`
	Requested  string `json:"requested,omitempty"`
	Selected   string `json:"selected,omitempty"`
	// RequestedProtocols and SelectedProtocols are the same as bits.
	RequestedProtocols Protocols `json:"requested_protocols,omitempty"`
	SelectedProtocols  Protocols `json:"selected_protocols,omitempty"`
	// Protocol is TLS or Classic as selected or established, "" if neither.
	Protocol string `json:"protocol,omitempty"`
	// Established says that xrdp logged the connection as established.
	Established bool `json:"established,omitempty"`
	// TLSVersion ("TLSv1.3") and Cipher are those of an established connection.
	TLSVersion string `json:"tls_version,omitempty"`
	Cipher     string `json:"cipher,omitempty"`
	// ClassicLevel is the level of classic encryption: none, low, medium,
	// high or fips.
	ClassicLevel string `json:"classic_level,omitempty"`
	// Matches are the recognised lines that belong to this connection, in order,
	// but for those that follow from any end (ClassNoise), unless they give a reason.
	Matches []Match `json:"matches,omitempty"`
	// Maybe are those that belong to this one or to another open one.
	Maybe []Match `json:"maybe,omitempty"`
	// Interleaved says that there are such lines.
	Interleaved bool `json:"interleaved,omitempty"`
	// Doubtful says that a line of this connection may have been written by a
	// client, see [Entry].Claimed. Such a connection proves nothing.
	Doubtful bool `json:"doubtful,omitempty"`
	// Ended says that the end of the connection was seen before it was established.
	Ended bool `json:"ended,omitempty"`
	// PID is the process that served it, 0 where the log does not say.
	PID int `json:"pid,omitempty"`
	// Lines counts the recognised lines; First and Last are the offsets of
	// the first and last of them, each in its own file.
	Lines int   `json:"lines"`
	First int64 `json:"first"`
	Last  int64 `json:"last"`
}

// maxMatches bounds what is kept of one connection. An orderly one has fewer
// than twenty recognised lines.
const maxMatches = 64

// take counts a line to the connection and learns from it.
func (g *Grouper) take(b *building, m Match) {
	e := &m.Entry
	if b.Lines == 0 {
		b.Start, b.First = e.Time, e.Offset
	}
	b.End, b.Last = e.Time, e.Offset
	b.Lines++
	b.Doubtful = b.Doubtful || e.Claimed
	if e.PID != 0 && m.Rule.step.kind != stepAccept {
		b.PID = e.PID
	}
	if m.Rule.Class == ClassNoise && m.Rule.step.kind != stepReason {
		return
	}
	if len(m.Rule.pattern.parts) == 1 {
		e.Text = m.Rule.Pattern // the same, and for ever
	} else {
		e.Text = g.keep(e.Text)
	}
	if n := len(g.spare); b.Matches == nil && n > 0 {
		b.Matches, g.spare = g.spare[n-1], g.spare[:n-1]
	} else if b.Matches == nil {
		b.Matches = make([]Match, 0, 6)
	}
	if len(b.Matches) < maxMatches {
		b.Matches = append(b.Matches, m)
	}
	b.learn(&m)
}

// pieceSize is how much text is kept in one piece: enough for several connections,
// little enough for one that is kept for the name of its client.
const pieceSize = 2 << 10

// keep copies a text out of the file's memory.
func (g *Grouper) keep(text string) string {
	if g.texts.Cap()-g.texts.Len() < len(text) {
		g.texts = strings.Builder{}
		g.texts.Grow(max(len(text), pieceSize))
	}
	at := g.texts.Len()
	g.texts.WriteString(text)
	return g.texts.String()[at:]
}

// learn sets the fields that a line states.
func (c *Connection) learn(m *Match) {
	switch m.Rule.ID {
	case "negotiation-layer":
		requested, _ := strconv.ParseUint(m.Field("requested"), 10, 32)
		choice, _ := strconv.ParseUint(m.Field("selected"), 10, 32)
		c.Requested, c.Selected = Protocols(requested).String(), Protocols(choice).String()
		c.choose()
	case "negotiation-protocol":
		c.Configured, c.Requested = m.Field("configured"), m.Field("requested")
		c.Selected = m.Field("selected")
		c.choose()
	case "negotiation-requested":
		c.Requested = m.Field("requested")
		c.RequestedProtocols = parseProtocols(c.Requested)
	case "negotiation-selected-tls":
		c.Selected = "SSL"
		c.choose()
	case "negotiation-selected-classic":
		c.Selected = "RDP"
		c.choose()
	case "negotiation-selected-hybrid":
		c.Selected = "HYBRID"
		c.choose()
	case "negotiation-selected-hybrid-ex":
		c.Selected = "HYBRID_EX"
		c.choose()
	case "client-name", "client-name-old":
		c.ClientName = m.Field("name")
	case "established-tls", "established-tls-peer":
		c.Established, c.Protocol = true, TLS
		c.TLSVersion, c.Cipher = m.Field("version"), m.Field("cipher")
	case "established-classic", "established-classic-old", "established-classic-peer":
		c.Established, c.Protocol, c.ClassicLevel = true, Classic, m.Field("level")
	}
	switch m.Rule.ID {
	case "layer-requires-tls-short", "layer-fips-requires-tls":
		c.Selected = "" // since 0.10.4 no line says that nothing was selected
		c.choose()
	}
	if m.Rule.step.kind == stepAccept || m.Rule.step.kind == stepEstablished {
		c.Client, c.Peer = peer(*m)
	}
}

// choose draws the conclusions from Requested and Selected.
func (c *Connection) choose() {
	c.Negotiated = true
	c.RequestedProtocols = parseProtocols(c.Requested)
	c.SelectedProtocols = parseProtocols(c.Selected)
	switch {
	case c.SelectedProtocols != 0:
		c.Protocol = TLS
	case c.Selected == "RDP":
		c.Protocol = Classic
	default:
		c.Protocol = ""
	}
}

// peer returns the address that a line states, or its words for another kind.
func peer(m Match) (netip.AddrPort, string) {
	text := m.Field("peer")
	if text == "" {
		if address, err := netip.ParseAddr(m.Field("address")); err == nil {
			port, _ := strconv.ParseUint(m.Field("port"), 10, 16)
			return netip.AddrPortFrom(address.Unmap(), uint16(port)), ""
		}
		if cid := m.Field("cid"); cid != "" {
			return netip.AddrPort{}, "AF_VSOCK:cid=" + cid + "/port=" + m.Field("port")
		}
		if m.Rule.ID == "connection-accepted-unix" {
			text = "AF_UNIX"
		}
		return netip.AddrPort{}, text
	}
	if p, err := netip.ParseAddrPort(text); err == nil {
		return netip.AddrPortFrom(p.Addr().Unmap(), p.Port()), ""
	}
	return netip.AddrPort{}, text
}
