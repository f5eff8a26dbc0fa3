package clients

import (
	"slices"
	"time"

	"xrdpfix/certs"
	"xrdpfix/probe"
)

// Server is what is known of a server. Survey is needed; the rest makes the table say more.
type Server struct {
	Survey probe.ServerSurvey
	// Certificate is the one served; its zero value says that none was seen.
	Certificate certs.CertInfo
	// Name is how clients reach the server, a host name or an address; empty leaves the certificate's names out.
	Name string
	// Now is when the certificate must be valid; zero leaves its validity out.
	Now time.Time
	// MAC is what the server does about a wrong MAC in classic RDP security.
	MAC MAC
	// Off are versions that the configuration excludes; they count as refused where the wire was not asked.
	Off []probe.TLSVersion
	// Hellos are the answers to the ClientHellos of profiles, by Profile.Key (Ask).
	Hellos map[string]probe.Result
}

// MAC is what a server does about a salted MAC that was not agreed on, see Profile.SaltedMAC.
type MAC string

// The answers.
const (
	MACUnknown  MAC = ""
	MACVerified MAC = "verified" // it ends the connection
	MACIgnored  MAC = "ignored"
)

// NewServer takes from a survey what it says of the certificate. name and now may be left zero.
func NewServer(survey probe.ServerSurvey, name string, now time.Time) Server {
	s := Server{Survey: survey, Name: name, Now: now}
	if chain := Chain(&survey); len(chain) > 0 {
		s.Certificate = certs.InspectDER(chain)
	}
	return s
}

// Chain gives the certificates that were served in a survey, leaf first, in DER; nil if none was seen.
func Chain(survey *probe.ServerSurvey) [][]byte {
	if h := handshake(survey); h != nil {
		return h.Certificates
	}
	for _, v := range survey.Versions {
		if v.Result == nil {
			continue
		}
		if v.Result.TLS != nil {
			return v.Result.TLS.Certificates
		}
		if v.Result.ServerHello != nil && len(v.Result.ServerHello.Certificates) > 0 {
			return v.Result.ServerHello.Certificates
		}
	}
	return nil
}

// handshake is the first one that was completed with all versions on offer.
func handshake(survey *probe.ServerSurvey) *probe.TLSInfo {
	for _, r := range []*probe.Result{&survey.Full, survey.SSL} {
		if r != nil && r.TLS != nil {
			return r.TLS
		}
	}
	return nil
}

// Table judges all profiles by a survey alone.
func Table(survey probe.ServerSurvey) []Row {
	s := NewServer(survey, "", time.Time{})
	return s.Table()
}

// Table judges all profiles, in their order.
func (s *Server) Table() []Row {
	list := profiles()
	rows := make([]Row, 0, len(list))
	for i := range list {
		rows = append(rows, s.judge(&list[i]))
	}
	return rows
}

// answer is what the server does with one value of requestedProtocols. It is nil if that is not known.
func (s *Server) answer(request probe.Protocol, noNegotiation bool) *probe.Result {
	survey := &s.Survey
	full := &survey.Full
	if noNegotiation {
		request = probe.ProtocolRDP
	}
	for _, r := range []*probe.Result{full, survey.SSL, survey.Classic} {
		if r != nil && r.Negotiation != nil && r.Negotiation.Requested == request {
			return r
		}
	}
	n := full.Negotiation
	switch {
	case n == nil:
		return nil
	case request&n.Requested == n.Requested && request&^n.Requested == probe.ProtocolHybridEx:
		return full // HYBRID_EX beside HYBRID changes the kind of CredSSP and nothing else
	case n.FailureCode != 0:
		return nil
	case n.Selected == probe.ProtocolRDP, n.Selected == probe.ProtocolSSL && request == probe.ProtocolSSL:
		return full
	}
	return nil
}

// version is what the server does with one TLS version, and the suites of it that it chose.
func (s *Server) version(v probe.TLSVersion) (answer probe.Answer, suites []uint16) {
	for _, r := range s.Hellos {
		if r.ServerHello != nil && r.ServerHello.Version == v {
			suites = append(suites, r.ServerHello.CipherID)
		}
	}
	if h := handshake(&s.Survey); h != nil && h.Version == v {
		return probe.AnswerAccepted, append(suites, h.CipherID)
	}
	a, asked := s.Survey.Version(v)
	switch {
	case !asked && len(suites) > 0:
		return probe.AnswerAccepted, suites
	case !asked && slices.Contains(s.Off, v):
		return probe.AnswerRefused, nil
	case !asked:
		return probe.AnswerUnknown, nil
	case a.Result != nil && a.Result.TLS != nil:
		suites = append(suites, a.Result.TLS.CipherID)
	case a.Result != nil && a.Result.ServerHello != nil:
		suites = append(suites, a.Result.ServerHello.CipherID)
	}
	return a.Answer, suites
}
