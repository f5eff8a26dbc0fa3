package probe

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"
)

// Times that apply where Options leaves them zero.
const (
	DefaultTimeout      = 20 * time.Second // one whole connection
	DefaultStageTimeout = 8 * time.Second  // one stage of it
)

// DefaultPort is the port registered for RDP.
const DefaultPort = "3389"

// DefaultClientName is the client computer name of a probe; xrdp logs it.
const DefaultClientName = "xrdpfix"

// lingerTime is how long a probe waits, after its own close_notify, for the server to close too. Closing first with
// unread bytes would send a reset, which is not an orderly end.
const lingerTime = time.Second

// Options says what to ask for. The zero value requests PROTOCOL_RDP only, so that leaving Requested out never claims
// more than a connection offered.
type Options struct {
	// Requested is sent as requestedProtocols. Values above 0xb are never sent: xrdp drops such a connection.
	Requested Protocol
	// NoNegotiation leaves RDP_NEG_REQ out, as clients older than RDP 5.2 do. Requested must be ProtocolRDP.
	NoNegotiation bool
	// Cookie is sent before RDP_NEG_REQ, for instance "Cookie: mstshash=anna"; empty sends none. At most 200 printable
	// ASCII characters.
	Cookie string
	// Until is the stage after which to stop; zero means StageDone.
	Until Stage

	// MinVersion and MaxVersion bound the TLS versions offered; zero means TLS 1.0 and TLS 1.3.
	MinVersion, MaxVersion TLSVersion
	// CipherSuites are offered for TLS 1.2 and older; nil means all that crypto/tls has, the insecure ones last.
	// crypto/tls decides about their order and about those of TLS 1.3.
	CipherSuites []uint16
	// Groups are offered for the key exchange; nil means X25519, P-256, P-384 and P-521: the ClientHello stays in one
	// segment and no box on the way is provoked by its size.
	Groups []tls.CurveID
	// ServerName is sent as SNI; empty means the host of the address, if that is a name.
	ServerName string

	// ClientName is the client computer name; empty means DefaultClientName. The first 15 UTF-16 units are sent.
	ClientName string

	// Timeout bounds the whole connection, StageTimeout each stage; zero means the defaults.
	Timeout, StageTimeout time.Duration
	// Dial makes the connection; nil means a net.Dialer that tries the addresses of a name one after the other.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Now is the clock; nil means time.Now.
	Now func() time.Time

	// hello are TLS records to send instead of a handshake (Hello).
	hello []byte
	// challenge says to ask for an NTLM challenge where MCS would begin (Challenge).
	challenge bool
}

// withDefaults fills what was left zero.
func (o Options) withDefaults(host string) Options {
	set := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	set(&o.Timeout, DefaultTimeout)
	set(&o.StageTimeout, DefaultStageTimeout)
	if o.Until == StageNone {
		o.Until = StageDone
	}
	if o.MinVersion == 0 {
		o.MinVersion = tls.VersionTLS10
	}
	if o.MaxVersion == 0 {
		o.MaxVersion = tls.VersionTLS13
	}
	if o.CipherSuites == nil {
		o.CipherSuites = completableSuites()
	}
	if o.Groups == nil {
		o.Groups = []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521}
	}
	if o.ServerName == "" && net.ParseIP(host) == nil {
		o.ServerName = host
	}
	if o.ClientName == "" {
		o.ClientName = DefaultClientName
	}
	if o.Dial == nil {
		o.Dial = (&net.Dialer{FallbackDelay: -1, KeepAlive: -1}).DialContext // over before a keep-alive would come
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// completableSuites are those with which crypto/tls can complete a handshake.
var completableSuites = sync.OnceValue(func() []uint16 {
	var ids []uint16
	for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		ids = append(ids, s.ID)
	}
	return ids
})

// check says what of the options is never sent.
func (o Options) check() error {
	switch {
	case o.Requested > maxRequested:
		return fmt.Errorf("requestedProtocols %#x is never sent: xrdp drops connections above %#x", uint32(o.Requested), uint32(maxRequested))
	case o.NoNegotiation && o.Requested != ProtocolRDP:
		return fmt.Errorf("a connection without RDP_NEG_REQ cannot request %s", o.Requested)
	case o.Until < StageNone || o.Until > StageDone:
		return fmt.Errorf("unknown stage %s", o.Until)
	case o.MinVersion < tls.VersionTLS10 || o.MaxVersion > tls.VersionTLS13 || o.MinVersion > o.MaxVersion:
		return fmt.Errorf("no TLS version from %s to %s", o.MinVersion, o.MaxVersion)
	case len(o.Cookie) > 200 || strings.ContainsFunc(o.Cookie, func(r rune) bool { return r < ' ' || r > '~' }):
		return fmt.Errorf("the cookie has more than 200 or unprintable characters")
	}
	return nil
}

func (o Options) tlsConfig() *tls.Config {
	return &tls.Config{
		InsecureSkipVerify: true, // what the server is gets reported, not judged; no secret is ever sent
		MinVersion:         uint16(o.MinVersion),
		MaxVersion:         uint16(o.MaxVersion),
		CipherSuites:       o.CipherSuites,
		CurvePreferences:   o.Groups,
		ServerName:         o.ServerName,
	}
}

// WithPort adds DefaultPort to a target that has none: a name, an IPv4 address, an IPv6 address with or without brackets.
func WithPort(target string) string {
	if _, _, err := net.SplitHostPort(target); err == nil {
		return target
	}
	if inner, ok := strings.CutPrefix(target, "["); ok {
		target = strings.TrimSuffix(inner, "]")
	}
	return net.JoinHostPort(target, DefaultPort)
}
