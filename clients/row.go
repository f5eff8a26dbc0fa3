package clients

// Row is one client and what the server does with it.
type Row struct {
	Key  string `json:"key"`  // of the Profile
	Name string `json:"name"` // of the Profile
	// Connects is "yes", "weak" (only with classic RDP security), "no", or "" where it is not known.
	Connects string `json:"connects"`
	Protocol string `json:"protocol"` // "PROTOCOL_SSL"
	TLS      string `json:"tls"`      // "TLS 1.3"
	// Cipher is OpenSSL's name of the suite. It is known where the client's own ClientHello was sent, or where the client
	// has one suite in common with what was seen.
	Cipher string `json:"cipher"`
	// Certificate is what the client makes of the one that is served: "asks once", "warns", "by its CA", "refuses",
	// "takes any", "none shown", or "" where that is not known.
	Certificate string `json:"certificate"`
	// WhyNot says why it does not connect, connects weakly, or why that is not known.
	WhyNot string `json:"why_not"`
	// Whose move it is: MoveClient, MoveServer, MoveNetwork, or "" where there is none.
	Whose string `json:"whose"`
	// Code is the finding code that xrdpfix explain has a page for; empty for none.
	Code string `json:"code"`
	// Next is the command that says what to do; empty for none.
	Next string `json:"next"`
	// Known is how the client is known, and Asked whether its own ClientHello was sent.
	Known Known `json:"known"`
	Asked bool  `json:"asked"`
}

// Asks reports whether the client's own ClientHello, which was not sent yet, tells
// how it fares.
func (row Row) Asks() bool { return row.Connects == ConnectsOpen && row.Next == nextClients }

// The answers of Row.Connects.
const (
	ConnectsYes  = "yes"
	ConnectsWeak = "weak"
	ConnectsNo   = "no"
	ConnectsOpen = "" // not known
)

// The answers of Row.Whose.
const (
	MoveClient  = "client"
	MoveServer  = "server"
	MoveNetwork = "network"
)

// The words of Row.Certificate.
const (
	CertAsks    = "asks once"
	CertWarns   = "warns"
	CertByCA    = "by its CA"
	CertRefuses = "refuses"
	CertAny     = "takes any"
	CertNone    = "none shown"
)

// Count is how many rows there are of each answer of Row.Connects.
type Count struct {
	Yes  int `json:"yes"`
	Weak int `json:"weak"`
	No   int `json:"no"`
	Open int `json:"unknown"`
}

// CountRows counts the answers.
func CountRows(rows []Row) Count {
	var c Count
	for _, r := range rows {
		switch r.Connects {
		case ConnectsYes:
			c.Yes++
		case ConnectsWeak:
			c.Weak++
		case ConnectsNo:
			c.No++
		default:
			c.Open++
		}
	}
	return c
}
