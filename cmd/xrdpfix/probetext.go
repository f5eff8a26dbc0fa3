package main

import (
	"crypto/tls"
	"fmt"
	"strings"

	"xrdpfix/probe"
)

func showProbe(p *page, visit probed, a *app) {
	s := visit.survey
	head := clean(s.Addr)
	if r := s.Full.Remote; r.IsValid() && !strings.HasPrefix(head, r.Addr().String()) {
		head += fmt.Sprintf(" (%s)", r.Addr())
	}
	if s.Full.Negotiation == nil {
		p.para(head + ": " + clean(s.Full.Failure.Text))
		return
	}
	p.para(fmt.Sprintf("%s: RDP; %d ms", head, s.Elapsed.Milliseconds()))
	p.blank()
	label := "Security"
	for _, r := range asked(s) {
		p.linef("%-13s%-19s%s", label, "asked "+askedText(r.Negotiation.Requested), probeAnswer(*r))
		label = ""
	}
	label = "TLS"
	for _, v := range []probe.TLSVersion{tls.VersionTLS13, tls.VersionTLS12, tls.VersionTLS11, tls.VersionTLS10} {
		ans, asked := s.Version(v)
		if !asked {
			continue
		}
		text := ans.Cipher
		switch {
		case ans.Answer == probe.AnswerUnknown:
			text = "not known"
		case ans.Answer == probe.AnswerRefused && ans.Failure != nil && ans.Failure.AlertName != "":
			text = "refused: " + ans.Failure.AlertName
		case ans.Answer == probe.AnswerRefused:
			text = "refused"
		}
		p.linef("%-13s%-19s%s", label, strings.TrimPrefix(v.String(), "TLS "), text)
		label = ""
	}
	if f := s.Full.Failure; f != nil && f.Kind != probe.KindCredSSPRequired {
		p.block(13, "Failure", clean(f.String()))
	}
	if visit.cert != nil {
		showCert(p, *visit.cert, a.now())
	}
	p.blank()
	showClientTable(p, visit.server.Table())
}

func probeAnswer(r probe.Result) string {
	n := r.Negotiation
	if n.FailureCode != 0 {
		return n.FailureCode.String()
	}
	text := n.Selected.String()
	switch {
	case n.Selected == probe.ProtocolRDP && r.MCS != nil:
		text += "   classic RDP, " + encryptionText(r.MCS.EncryptionMethod.String()) + ", " + strings.ToLower(r.MCS.EncryptionLevel.String())
	case n.Selected == probe.ProtocolRDP:
		text += "   classic RDP"
	case n.Requested&probe.ProtocolHybrid != 0 && n.Selected == probe.ProtocolSSL:
		text += "   no NLA on this server"
	}
	return text
}

// encryptionText is an encryptionMethod in words: all but FIPS are RC4.
func encryptionText(method string) string {
	if bits, ok := strings.CutSuffix(method, "BIT"); ok {
		return bits + "-bit RC4"
	}
	return method
}
