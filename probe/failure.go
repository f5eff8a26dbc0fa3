package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
)

// Kind says in one word what went wrong. The list is closed.
type Kind string

// The kinds of failure, in the order of the stages in which they can occur.
const (
	KindBadRequest Kind = "bad-request" // the options ask for what is never sent; no connection was made
	KindCancelled  Kind = "cancelled"   // the caller's context was cancelled

	KindUnknownHost Kind = "unknown-host" // the name has no address
	KindRefused     Kind = "refused"      // nothing listens on the port
	KindUnreachable Kind = "unreachable"  // no route, or an ICMP error from the way

	KindTimeout Kind = "timeout" // the server said nothing, or did not finish, in the time allowed
	KindReset   Kind = "reset"   // the connection was reset
	KindClosed  Kind = "closed"  // the connection was closed in good order, but too early
	KindIO      Kind = "io"      // any other error of the network

	KindNotRDP             Kind = "not-rdp"             // the answer is not RDP at all
	KindProtocolError      Kind = "protocol-error"      // RDP, but against the specification
	KindNegotiationFailure Kind = "negotiation-failure" // RDP_NEG_FAILURE; Negotiation.FailureCode names it

	KindTLSAlert       Kind = "tls-alert"        // the server sent a fatal alert
	KindTLSSetupFailed Kind = "tls-setup-failed" // MCS Disconnect Provider Ultimatum in plain text where TLS should begin: xrdp could not use its certificate, key or tls_ciphers
	KindTLSCutOff      Kind = "tls-cut-off"      // reset after the ClientHello, before a single byte of answer
	KindTLSVersion     Kind = "tls-version"      // the server answered with a TLS version that was not offered
	KindTLSOther       Kind = "tls-other"        // the handshake failed on this side

	KindCredSSPRequired Kind = "credssp-required" // the server selected a protocol that goes on with CredSSP or RDSTLS, which need credentials
	KindNoCredSSP       Kind = "no-credssp"       // the server selected no CredSSP, which was asked for
	KindMCSRejected     Kind = "mcs-rejected"     // the server refused Connect-Initial, Attach User or a Channel Join
	KindMCSDisconnected Kind = "mcs-disconnected" // MCS Disconnect Provider Ultimatum
)

// Failure is why a connection did not get as far as asked. It is a fact about the server or the network, not an error.
type Failure struct {
	Stage Stage `json:"stage"` // the stage that was not completed
	Kind  Kind  `json:"kind"`
	// Alert is the alert's number, for KindTLSAlert only; close_notify is 0, which AlertName tells from "none".
	Alert     uint8  `json:"alert,omitempty"`
	AlertName string `json:"alert_name,omitempty"` // as RFC 8446 section 6 spells it
	// Received is the number of bytes that the server had sent in the failed stage.
	Received int64 `json:"received,omitempty"`
	// Text tells more, for people. It may quote a few bytes from the server, escaped to printable ASCII.
	Text string `json:"text"`
}

// String gives stage, kind and text in one line.
func (f *Failure) String() string {
	if f.AlertName != "" {
		return fmt.Sprintf("%s: %s %s", f.Stage, f.Kind, f.AlertName)
	}
	return fmt.Sprintf("%s: %s: %s", f.Stage, f.Kind, f.Text)
}

// final reports whether the server has said its last word, so that it closes at once and can be waited for.
func (f *Failure) final() bool {
	switch f.Kind {
	case KindNegotiationFailure, KindTLSAlert, KindTLSSetupFailed, KindCredSSPRequired, KindNoCredSSP, KindMCSRejected, KindMCSDisconnected:
		return true
	}
	return false
}

// wireError is a fault in what the server sent; it travels as an error from the parsers to classify.
type wireError struct {
	kind Kind
	text string
}

// Error gives the text alone; classify takes the kind.
func (e *wireError) Error() string { return e.text }

func notRDP(format string, args ...any) error {
	return &wireError{KindNotRDP, fmt.Sprintf(format, args...)}
}

func protocolError(format string, args ...any) error {
	return &wireError{KindProtocolError, fmt.Sprintf(format, args...)}
}

// classify turns an error of the network or of a parser into a Failure of the given stage.
func classify(ctx context.Context, stage Stage, err error) *Failure {
	f := &Failure{Stage: stage, Kind: KindIO, Text: err.Error()}
	var wire *wireError
	var dns *net.DNSError
	var netErr net.Error
	switch {
	case errors.As(err, &wire):
		f.Kind, f.Text = wire.kind, wire.text
	case errors.Is(ctx.Err(), context.Canceled):
		f.Kind, f.Text = KindCancelled, "cancelled"
	case errors.As(err, &dns):
		f.Kind, f.Text = unresolved(dns)
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, syscall.ETIMEDOUT), errors.As(err, &netErr) && netErr.Timeout():
		f.Kind = KindTimeout
		f.Text = timeoutText[min(max(stage, 0), StageDone)]
	case errors.Is(err, syscall.ECONNREFUSED):
		f.Kind, f.Text = KindRefused, "nothing listens on this port"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTDOWN):
		f.Kind = KindUnreachable
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNABORTED):
		f.Kind, f.Text = KindReset, "the connection was reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		f.Kind, f.Text = KindClosed, "the server closed the connection"
	}
	return f
}

// unresolved says why a name has no address, without the addresses of name servers.
func unresolved(err *net.DNSError) (Kind, string) {
	switch {
	case err.IsTimeout:
		return KindTimeout, "no name server answered in time for " + err.Name
	case err.IsNotFound:
		return KindUnknownHost, err.Name + " has no address"
	}
	return KindUnknownHost, "no name server could be asked for " + err.Name
}

var timeoutText = [...]string{
	StageNone:        "no time was left",
	StageConnect:     "no answer to the TCP connection",
	StageNegotiation: "no complete answer to the X.224 Connection Request",
	StageTLS:         "no complete TLS handshake",
	StageMCS:         "no complete MCS Connect Response",
	StageDone:        "no complete answer to MCS Attach User or Channel Join",
}
