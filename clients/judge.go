package clients

import (
	"xrdpfix/probe"
)

// Judge tells what the server does with one client.
func (s *Server) Judge(p Profile) Row { return s.judge(&p) }

func (s *Server) judge(p *Profile) Row {
	row := Row{Key: p.Key, Name: p.Name, Known: p.Known}
	full := &s.Survey.Full
	switch {
	case !p.Judged():
		row.WhyNot = "not known: neither captured nor documented"
		row.Next = "xrdpfix probe --profiles"
		return row
	case full.Negotiation == nil:
		row.no(MoveServer, "", "nothing answers as RDP")
		if full.Failure != nil && full.Failure.Stage == probe.StageConnect {
			row.WhyNot = "the port does not answer"
		}
		return row
	}
	requests := p.Requests
	if p.NoNegotiation {
		requests = []probe.Protocol{probe.ProtocolRDP}
	}
	for i, request := range requests {
		r := s.answer(request, p.NoNegotiation)
		if r == nil {
			return open(row, "the server was not asked for "+request.String())
		}
		if r.Negotiation.FailureCode != 0 {
			if i+1 < len(requests) {
				continue
			}
			return s.refused(row, p, r.Negotiation.FailureCode)
		}
		return s.selected(row, p, r)
	}
	return row
}

// refused: every request of the client was answered with RDP_NEG_FAILURE.
func (s *Server) refused(row Row, p *Profile, code probe.FailureCode) Row {
	first := s.Survey.Full.Negotiation.FailureCode
	switch {
	case first == probe.SSLCertNotOnServer || code == probe.SSLCertNotOnServer:
		row.no(MoveServer, "", "the server demands TLS and has no usable certificate")
	case p.classicOnly() && code == probe.SSLRequiredByServer:
		row.no(MoveClient, "client-classic-only", "no TLS in the client")
	case code == probe.HybridRequiredByServer || code == probe.SSLWithUserAuthRequiredByServer:
		row.no(MoveClient, "", "the server demands NLA")
	default:
		row.no(MoveServer, "", "refused: "+code.String())
	}
	return row.next(p)
}

// selected goes on from what the server selected.
func (s *Server) selected(row Row, p *Profile, r *probe.Result) Row {
	row.Protocol = r.Negotiation.Selected.String()
	switch r.Negotiation.Selected {
	case probe.ProtocolRDP:
		return s.classic(row, p, r)
	case probe.ProtocolSSL:
		if p.InsistsNLA {
			row.Protocol = ""
			row.no(MoveClient, "client-requires-nla", "insists on NLA")
			return row.next(p)
		}
		return s.overTLS(row, p)
	case probe.ProtocolHybrid, probe.ProtocolHybridEx:
		if !p.NLA {
			return open(row, "its NLA is not known")
		}
		return s.overTLS(row, p)
	}
	return open(row, "what it does with "+row.Protocol+" is not known")
}

// classic is a connection with Standard RDP Security.
func (s *Server) classic(row Row, p *Profile, r *probe.Result) Row {
	offersTLS := s.Survey.Full.Negotiation.Selected != probe.ProtocolRDP
	// The other two kinds of encryption have no MAC that can be salted.
	rc4 := r.MCS == nil || r.MCS.EncryptionMethod != methodNone && r.MCS.EncryptionMethod != methodFIPS
	switch {
	case p.InsistsNLA:
		row.Protocol = ""
		row.no(MoveClient, "client-requires-nla", "insists on NLA")
	case !p.Classic:
		row.Protocol = ""
		row.no(MoveServer, "classic-rdp-served", "no TLS on the server")
	case r.Failure != nil && r.Reached < probe.StageMCS:
		row.Protocol = ""
		row.no(MoveServer, "", "classic RDP fails: "+string(r.Failure.Kind))
		if p.classicOnly() && r.Failure.Kind == probe.KindMCSDisconnected {
			row.no(MoveClient, "client-classic-only", "no TLS in the client")
		}
	case p.RC4Only && !rc4:
		row.Protocol = ""
		row.no(MoveClient, "", "knows only RC4 of classic RDP, and the server has "+r.MCS.EncryptionMethod.String())
	case p.SaltedMAC && rc4 && s.MAC == MACVerified:
		row.Protocol = ""
		row.no(MoveServer, "classic-rdp-served", "no TLS on the server, and it ends classic RDP with this client")
	case p.SaltedMAC && rc4 && s.MAC == MACUnknown:
		row.Code, row.Whose, row.Next = "classic-rdp-served", MoveServer, "xrdpfix check"
		return open(row, "no TLS; classic RDP works if it checks no MAC")
	default:
		row.Connects, row.Certificate = ConnectsWeak, CertNone
		row.WhyNot, row.Whose, row.Code = "no TLS on the server", MoveServer, "classic-rdp-served"
		if offersTLS {
			row.WhyNot, row.Whose, row.Code = "no TLS in the client", MoveClient, "client-classic-only"
		}
	}
	return row.next(p)
}

// Values of encryptionMethod ([MS-RDPBCGR] 2.2.1.4.3).
const (
	methodNone probe.EncryptionMethod = 0
	methodFIPS probe.EncryptionMethod = 0x10
)

// no says that the client does not connect.
func (row *Row) no(whose, code, why string) {
	row.Connects, row.Whose, row.Code, row.WhyNot = ConnectsNo, whose, code, why
}

// open says that it is not known whether the client connects.
func open(row Row, why string) Row {
	row.Connects, row.WhyNot = ConnectsOpen, why
	return row
}

// next adds the command that says what to do.
func (row Row) next(p *Profile) Row {
	switch {
	case row.Whose == MoveServer:
		row.Next = "xrdpfix check"
	case row.Whose == MoveNetwork:
		row.Next = "xrdpfix explain " + row.Code
	case row.Whose == MoveClient && p.Kind != "" && row.Code != "client-requires-nla":
		row.Next = "xrdpfix client " + p.Kind
	case row.Code != "":
		row.Next = "xrdpfix explain " + row.Code
	}
	return row
}
