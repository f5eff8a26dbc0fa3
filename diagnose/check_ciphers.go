package diagnose

import (
	"crypto/tls"
	"fmt"
	"strings"

	"xrdpfix/probe"
	"xrdpfix/xrdpconf"
)

// TLS alerts by which a server says that nothing is in common (RFC 8446, 6.2).
const (
	alertHandshakeFailure     = 40
	alertInsufficientSecurity = 71
)

// checkCiphersNarrow finds a list of ciphers that OpenSSL takes and common
// clients do not share, by what the wire did with a client that offers nearly
// everything. tls_ciphers decides about TLS 1.2 and older only, and xrdp cannot
// choose those of TLS 1.3. What only DHE serves is narrow: Apple's, Go's and
// newer Windows clients have none, and xrdp 0.10.6 has none either.
func checkCiphersNarrow(v *view) []Finding {
	if !v.Wire.Ok() || !v.configured() || !rangeOf(v.server).Contains(xrdpconf.TLS12) {
		return nil
	}
	val, set := v.ini.Lookup("Globals", "tls_ciphers")
	system := v.OpenSSL.Value.CipherString
	if len(val.Text) <= 1 && system == nil {
		return nil // OpenSSL's own list: xrdp uses none of one character
	}
	answer, _ := v.Wire.Value.Version(tls.VersionTLS12)
	why := narrow(answer)
	if why == "" {
		return nil
	}
	what, at := "tls_ciphers="+val.Text, inFile(v.IniPath(), val.Line, "tls_ciphers="+val.Text)
	if !set || len(val.Text) <= 1 {
		what, at = system.Name+" = "+system.Text, inFile(system.File, system.Line, system.Name+" = "+system.Text)
	}
	r := rangeOf(v.server)
	x := finding(TLSCiphersNarrow, MendStated, "%s: %s.", what, why).
		because(at, Evidence{Kind: "wire", Source: v.Wire.Value.Addr, Text: wireAnswer(answer)}).
		remedy("State the range: the line goes then, and OpenSSL's own list is used. Or write a list with ECDHE suites.").
		commands(fmt.Sprintf("xrdpfix apply --tls-min %s --tls-max %s", r.Min.Number(), r.Max.Number()))
	if !set || len(val.Text) <= 1 {
		x.Mend = MendHuman
		x = x.remedy("It is for every program of this machine: widen it there, or name a list in tls_ciphers.").commands()
	}
	return []Finding{x}
}

// narrow says what is narrow about an answer to TLS 1.2, "" for nothing.
func narrow(a probe.VersionAnswer) string {
	f := a.Failure
	switch {
	case a.Answer == probe.AnswerRefused && f != nil && f.Kind == probe.KindTLSAlert && (f.Alert == alertHandshakeFailure || f.Alert == alertInsufficientSecurity):
		return "no client with TLS 1.2 at most shares a cipher with it"
	case a.Answer == probe.AnswerAccepted && a.Result != nil && a.Result.TLS == nil && a.Result.ServerHello != nil:
		kind := "a cipher that few have"
		if strings.HasPrefix(a.Cipher, "DHE-") {
			kind = "DHE, which many no longer have"
		}
		return "clients with TLS 1.2 at most are served only by " + kind
	}
	return ""
}

func wireAnswer(a probe.VersionAnswer) string {
	if a.Failure != nil {
		return "TLS 1.2, every suite offered: " + a.Failure.Text
	}
	return "TLS 1.2, every suite offered: " + a.Cipher
}
