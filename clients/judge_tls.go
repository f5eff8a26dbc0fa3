package clients

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"

	"xrdpfix/probe"
)

// overTLS is a connection in which the server has selected TLS, with or without CredSSP inside.
func (s *Server) overTLS(row Row, p *Profile) Row {
	if r, asked := s.Hellos[p.Key]; asked {
		row.Asked = true
		row = s.answered(row, p, &r)
	} else {
		row = s.derived(row, p)
	}
	if row.Connects == ConnectsNo && p.RetriesClassic {
		if r := s.answer(probe.ProtocolRDP, true); r != nil && r.Negotiation.FailureCode == 0 && r.Negotiation.Selected == probe.ProtocolRDP {
			return s.retried(row, p, r)
		}
	}
	if row.Connects != ConnectsYes {
		return row.next(p)
	}
	if why := p.refusesKey(s); why != "" {
		row.no(MoveClient, "client-refuses-cert", why)
		row.Certificate = CertRefuses
		return row.next(p)
	}
	if row.Certificate = p.certificate(s); row.Certificate == CertRefuses {
		row.no(MoveClient, "client-refuses-cert", "cannot ask its user about the certificate")
	}
	return row.next(p)
}

// retried: the handshake failed, and the client tries classic RDP security.
func (s *Server) retried(row Row, p *Profile, r *probe.Result) Row {
	second := s.classic(Row{Key: row.Key, Name: row.Name, Known: row.Known, Asked: row.Asked, Protocol: probe.ProtocolRDP.String()}, p, r)
	if second.Connects == ConnectsWeak {
		second.WhyNot, second.Whose, second.Code = row.WhyNot, row.Whose, row.Code
		return second.next(p)
	}
	return second
}

// answered reads the answer to the client's own ClientHello.
func (s *Server) answered(row Row, p *Profile, r *probe.Result) Row {
	if h := r.ServerHello; h != nil {
		if !slices.Contains(p.Versions, h.Version) {
			return s.tooOldOrNew(row, p) // offered, and not completed
		}
		row.Connects, row.TLS, row.Cipher = ConnectsYes, h.Version.String(), h.Cipher
		return row
	}
	f := r.Failure
	switch {
	case f == nil:
		return open(row, "no answer to its ClientHello")
	case f.Kind == probe.KindTLSAlert || f.Kind == probe.KindTLSVersion:
		if common := s.common(p); len(common) > 0 {
			row.no(MoveClient, "client-no-shared-cipher", "no cipher in common: "+f.AlertName)
			return row
		}
		return s.tooOldOrNew(row, p)
	}
	return s.broken(row, f)
}

// nextClients asks for what a survey leaves open.
const nextClients = "xrdpfix probe --clients"

// common are the versions of the client that the server accepts.
func (s *Server) common(p *Profile) []probe.TLSVersion {
	var list []probe.TLSVersion
	for _, v := range p.Versions {
		if answer, _ := s.version(v); answer == probe.AnswerAccepted {
			list = append(list, v)
		}
	}
	return list
}

// derived judges the handshake by the survey: a server takes the newest version that both have, and a suite that it chose
// before is one that it has. A suite that was not seen decides nothing.
func (s *Server) derived(row Row, p *Profile) Row {
	if handshake(&s.Survey) == nil && len(s.Survey.Accepted()) == 0 {
		f := s.Survey.Full.Failure
		if s.Survey.SSL != nil {
			f = s.Survey.SSL.Failure
		}
		if f == nil {
			return open(row, "no handshake was tried")
		}
		return s.broken(row, f)
	}
	for _, v := range slices.Backward(p.Versions) {
		answer, suites := s.version(v)
		switch answer {
		case probe.AnswerRefused:
			continue
		case probe.AnswerUnknown:
			return open(row, v.String()+" was not asked for")
		}
		row.TLS = v.String()
		switch {
		case !p.signs(s, v):
			row.TLS = ""
			row.no(MoveClient, "client-no-shared-cipher", "knows no "+s.Certificate.KeyType+" certificates")
			return row
		case len(p.Hello.CipherSuites) > 0 && !slices.ContainsFunc(suites, func(id uint16) bool { return slices.Contains(p.Hello.CipherSuites, id) }):
			row.TLS, row.Next = "", nextClients
			return open(row, "its cipher suites were not asked for")
		}
		row.Connects = ConnectsYes
		return row
	}
	return s.tooOldOrNew(row, p)
}

// tooOldOrNew: client and server have no version in common.
func (s *Server) tooOldOrNew(row Row, p *Profile) Row {
	var lowest probe.TLSVersion
	for _, v := range probe.TLSVersions() {
		if answer, _ := s.version(v); answer == probe.AnswerAccepted {
			lowest = v
			break
		}
	}
	first, last := p.Versions[0], p.Versions[len(p.Versions)-1]
	switch {
	case lowest == 0:
		f := s.Survey.Full.Failure
		if f == nil || s.Survey.SSL != nil && s.Survey.SSL.Failure != nil {
			row.no(MoveServer, "tls-fails", "every TLS handshake fails")
			return row
		}
		return s.broken(row, f)
	case last < lowest:
		row.no(MoveClient, "client-tls-too-old", "knows "+atMost(first, last))
	default:
		row.no(MoveClient, "client-tls-too-new", "needs "+first.String()+" or newer")
	}
	return row
}

// atMost says where the versions of a client end. No probed server is older than TLS 1.0.
func atMost(first, last probe.TLSVersion) string {
	if first == last {
		return last.String() + " only"
	}
	return last.String() + " at most"
}

// broken: the handshake fails for a reason that is no client's.
func (s *Server) broken(row Row, f *probe.Failure) Row {
	switch f.Kind {
	case probe.KindTLSCutOff:
		row.no(MoveNetwork, "tls-cut-off", "TLS is cut off on the way")
	case probe.KindTLSSetupFailed, probe.KindTLSAlert:
		row.no(MoveServer, "tls-fails", "every TLS handshake fails")
	case probe.KindTimeout, probe.KindCancelled:
		return open(row, "no complete answer: "+string(f.Kind))
	default:
		row.no(MoveServer, "tls-fails", "the TLS handshake fails: "+string(f.Kind))
	}
	return row
}

// signs reports whether the client can verify a signature by the key of the certificate. Below TLS 1.2 that is not
// negotiated, and what no certificate or no client says is taken for possible.
func (p *Profile) signs(s *Server, v probe.TLSVersion) bool {
	schemes := p.Hello.SignatureSchemes
	if v < tls.VersionTLS12 || len(schemes) == 0 {
		return true
	}
	needs := map[string][]tls.SignatureScheme{
		"Ed25519":     {tls.Ed25519},
		"ECDSA P-256": {tls.ECDSAWithP256AndSHA256},
		"ECDSA P-384": {tls.ECDSAWithP384AndSHA384},
		"ECDSA P-521": {tls.ECDSAWithP521AndSHA512},
		"RSA":         {tls.PSSWithSHA256, tls.PSSWithSHA384, tls.PSSWithSHA512},
	}[s.Certificate.KeyType]
	if v == tls.VersionTLS12 && s.Certificate.KeyType != "Ed25519" {
		return true // any hash with the kind of key does; the suites say which kinds it knows
	}
	return len(needs) == 0 || slices.ContainsFunc(needs, func(n tls.SignatureScheme) bool { return slices.Contains(schemes, n) })
}

// refusesKey says why the client takes no certificate with the server's key; empty if it does.
func (p *Profile) refusesKey(s *Server) string {
	c := &s.Certificate
	switch {
	case slices.ContainsFunc(p.RefusesKeys, func(k string) bool { return strings.HasPrefix(c.KeyType, k) }):
		return "does not work with " + c.KeyType + " certificates"
	case p.MinRSA > 0 && c.KeyType == "RSA" && c.KeyBits < p.MinRSA:
		return fmt.Sprintf("takes no RSA key below %d bits", p.MinRSA)
	}
	return ""
}

// certificate says what the client makes of the certificate.
func (p *Profile) certificate(s *Server) string {
	c := &s.Certificate
	if c.Problem != "" || c.KeyType == "" {
		return ""
	}
	wrong := s.Name != "" && !c.CoversName(s.Name) ||
		!s.Now.IsZero() && (s.Now.Before(c.NotBefore) || s.Now.After(c.NotAfter))
	switch {
	case p.Trust == TrustAny:
		return CertAny
	case p.Trust == TrustRefuses && (wrong || c.SelfSigned):
		return CertRefuses
	case wrong && p.Trust == TrustAsks:
		return CertWarns
	case c.SelfSigned && p.Trust == TrustAsks:
		return CertAsks
	case !c.SelfSigned:
		return CertByCA
	}
	return ""
}
