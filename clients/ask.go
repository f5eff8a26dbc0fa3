package clients

import (
	"context"

	"xrdpfix/probe"
)

// Ask sends the client's own ClientHello, in a connection of its own, and keeps the answer for the table. It does nothing
// where the client does not come to a handshake with this server, or where its ClientHello is not known. opts says how to
// connect; its Requested and Until are not used.
func (s *Server) Ask(ctx context.Context, p Profile, opts probe.Options) error {
	request, ok := s.handshakeRequest(&p)
	if !ok {
		return nil
	}
	records, err := p.ClientHello()
	if err != nil || len(records) == 0 {
		return err
	}
	opts.Requested, opts.Until, opts.NoNegotiation = request, probe.StageTLS, false
	opts.MinVersion, opts.MaxVersion = 0, 0
	r := probe.Hello(ctx, s.Survey.Addr, opts, records)
	if s.Hellos == nil {
		s.Hellos = map[string]probe.Result{}
	}
	s.Hellos[p.Key] = r
	return nil
}

// handshakeRequest is the request after which the client begins a handshake.
func (s *Server) handshakeRequest(p *Profile) (probe.Protocol, bool) {
	for _, request := range p.Requests {
		r := s.answer(request, false)
		if r == nil || r.Negotiation.FailureCode != 0 {
			continue
		}
		selected := r.Negotiation.Selected
		nla := selected == probe.ProtocolHybrid || selected == probe.ProtocolHybridEx
		return request, selected == probe.ProtocolSSL && !p.InsistsNLA || nla && p.NLA
	}
	return 0, false
}

// AskAll asks for every client that has a ClientHello, one after the other.
func (s *Server) AskAll(ctx context.Context, opts probe.Options) error {
	for _, p := range profiles() {
		if err := s.Ask(ctx, p, opts); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// Decide asks for the clients that the survey leaves open for want of a suite, the ones with the fewest suites first: a
// suite that the server chose decides for all that have it, so that one or two connections are enough.
func (s *Server) Decide(ctx context.Context, opts probe.Options) error {
	for ctx.Err() == nil {
		p, ok := s.undecided()
		if !ok {
			return nil
		}
		if err := s.Ask(ctx, p, opts); err != nil {
			return err
		}
		if _, asked := s.Hellos[p.Key]; !asked {
			return nil
		}
	}
	return ctx.Err()
}

// undecided gives the client with the fewest suites of those that are open for want of one.
func (s *Server) undecided() (Profile, bool) {
	var found Profile
	for _, p := range profiles() {
		if _, asked := s.Hellos[p.Key]; asked || !p.Judged() || s.Judge(p).Next != nextClients {
			continue
		}
		if n := len(p.Hello.CipherSuites); found.Key == "" || n < len(found.Hello.CipherSuites) {
			found = p
		}
	}
	return found, found.Key != ""
}
