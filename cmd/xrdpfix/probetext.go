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
	p.para(fmt.Sprintf("%s: %s", head, whatText(&s)))
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
	software, _ := s.Software()
	showNTLM(p, visit.ntlm, software)
	if visit.cert != nil {
		showCert(p, *visit.cert, a.now())
	}
	if showCutOff(p, &s) {
		return
	}
	p.blank()
	showClientTable(p, visit.server.Table())
}

// whatText says what kind of server it is.
func whatText(s *probe.ServerSurvey) string {
	if times, of, _ := s.CutOff(); times > 0 && times == of {
		return "TCP connects, X.224 is answered, TLS is cut off"
	}
	names := map[probe.Software]string{
		probe.SoftwareXrdp: "xrdp", probe.SoftwareWindows: "Windows",
		probe.SoftwareFreeRDP: "FreeRDP's server (GNOME Remote Desktop, shadow)",
	}
	ms := s.Elapsed.Milliseconds()
	if software, _ := s.Software(); names[software] != "" {
		return fmt.Sprintf("%s, by its behaviour; %d ms", names[software], ms)
	}
	return fmt.Sprintf("RDP; %d ms", ms)
}

// showCutOff prints the finding of a TLS that nobody on the way lets through,
// and reports whether there is one.
func showCutOff(p *page, s *probe.ServerSurvey) bool {
	times, of, versions := s.CutOff()
	if times == 0 || times < of {
		return false
	}
	p.blank()
	p.linef("error  tls-cut-off")
	p.block(7, "", fmt.Sprintf("The server chose %s, then the connection was reset as soon as the ClientHello was sent: %d times of %d, with %s. "+
		"xrdp answers a failed TLS set-up with an alert or with the bytes 03 00 00 09 ..., so the reset was probably made on the way here: by a firewall, an IPS or a proxy that inspects TLS.",
		s.Full.Negotiation.Selected, times, of, versionsText(versions)))
	p.block(13, "       tell", "xrdpfix probe 127.0.0.1   on that machine itself. If that works, it is the network's move, not xrdp's.")
	return true
}

func versionsText(versions []probe.TLSVersion) string {
	var names []string
	for _, v := range versions {
		names = append(names, strings.TrimPrefix(v.String(), "TLS "))
	}
	return "TLS " + strings.Join(names, ", ")
}

// showNTLM prints what the server told in its NTLM challenge. Servers that are no
// Windows send the number of one there.
func showNTLM(p *page, r *probe.Result, software probe.Software) {
	switch {
	case r == nil:
	case r.NTLM == nil && r.Failure != nil:
		p.block(13, "NTLM", clean(r.Failure.Text))
	case r.NTLM != nil:
		label := "NTLM"
		n := r.NTLM
		version := [2]string{"version", n.ProductVersion}
		if software != probe.SoftwareWindows && software != probe.SoftwareUnknown && n.ProductVersion != "" {
			version = [2]string{"claims to be", "Windows " + n.ProductVersion + ", which it is not"}
		}
		for _, row := range [][2]string{
			{"computer", n.NetBIOSName}, {"domain", n.NetBIOSDomain}, {"DNS name", n.DNSName}, {"DNS domain", n.DNSDomain},
			{"forest", n.DNSForest}, version,
		} {
			if row[1] != "" {
				p.block(32, fmt.Sprintf("%-13s%-19s", label, row[0]), clean(row[1]))
				label = ""
			}
		}
		if !n.Time.IsZero() {
			p.block(32, fmt.Sprintf("%-13s%-19s", label, "its clock"), n.Time.Format("2 Jan 2006 15:04:05 UTC"))
		}
	}
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
