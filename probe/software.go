package probe

// Software is what kind of server answers, by its behaviour.
type Software string

// The kinds that behave differently enough to be told apart.
const (
	SoftwareXrdp    Software = "xrdp"
	SoftwareWindows Software = "Windows"
	// SoftwareFreeRDP is a server made with FreeRDP's library: GNOME Remote Desktop, freerdp-shadow, Weston.
	SoftwareFreeRDP Software = "FreeRDP"
	SoftwareUnknown Software = ""
)

// Bits of the flags of RDP_NEG_RSP ([MS-RDPBCGR] 2.2.1.2.1).
const (
	flagExtendedClientData = 0x01
	flagGraphics           = 0x02
	flagRestrictedAdmin    = 0x08
	flagRedirectedAuth     = 0x10
)

// sourceReference is that of every Connection Confirm of Windows ([MS-RDPBCGR] 4.1.2) and of xrdp, which copies it
// (libxrdp/xrdp_iso.c, xrdp_iso_send_cc); FreeRDP has 0 there.
const sourceReference = 0x1234

// Software tells what kind of server answered, as far as its behaviour shows it, and by what it was told.
//
// Windows since Vista selects CredSSP where a client offers it, and refuses TLS with SSL_NOT_ALLOWED_BY_SERVER where it
// is off; xrdp has no CredSSP, says PROTOCOL_RDP in its place, and is the only one that ends a TLS set-up that failed in
// plain text.
func (s *ServerSurvey) Software() (software Software, because string) {
	n := s.Full.Negotiation
	if n == nil || !n.Answered {
		return SoftwareUnknown, ""
	}
	nla := n.Selected == ProtocolHybrid || n.Selected == ProtocolHybridEx
	switch {
	case s.Full.Failure != nil && s.Full.Failure.Kind == KindTLSSetupFailed:
		return SoftwareXrdp, "a TLS set-up that failed ends in plain text"
	case n.Flags&(flagRestrictedAdmin|flagRedirectedAuth) != 0:
		return SoftwareWindows, "restricted administration is on offer"
	case n.FailureCode != 0 && n.SourceRef == sourceReference && n.FailureCode != SSLCertNotOnServer && n.FailureCode != SSLRequiredByServer:
		return SoftwareWindows, "refuses with " + n.FailureCode.String()
	case n.SourceRef == sourceReference && nla:
		return SoftwareWindows, "CredSSP, and the source reference of Windows"
	case n.SourceRef == 0 && n.FailureCode == 0 && n.Flags&^(flagExtendedClientData|flagGraphics) == 0 && n.Flags&flagGraphics != 0:
		return SoftwareFreeRDP, "the source reference and the flags of FreeRDP's library"
	case n.SourceRef == sourceReference && n.FailureCode == 0 && n.Flags == flagExtendedClientData:
		return SoftwareXrdp, "no CredSSP for a client that offers it"
	case n.SourceRef == sourceReference && n.FailureCode == SSLCertNotOnServer:
		return SoftwareXrdp, "refuses with " + n.FailureCode.String()
	}
	return SoftwareUnknown, ""
}

// CutOff counts the connections that were reset after the ClientHello, before a byte of answer, and those that came so
// far. Versions are the TLS versions that were then on offer.
func (s *ServerSurvey) CutOff() (times, of int, versions []TLSVersion) {
	results := []*Result{&s.Full, s.SSL}
	offered := [][]TLSVersion{TLSVersions(), TLSVersions()}
	for _, v := range s.Versions {
		results, offered = append(results, v.Result), append(offered, []TLSVersion{v.Version})
	}
	seen := map[TLSVersion]bool{}
	for i, r := range results {
		if r == nil || r.Negotiation == nil || r.Negotiation.FailureCode != 0 || r.Negotiation.Selected == ProtocolRDP {
			continue
		}
		of++
		if r.Failure != nil && r.Failure.Kind == KindTLSCutOff {
			times++
			for _, v := range offered[i] {
				seen[v] = true
			}
		}
	}
	for _, v := range TLSVersions() {
		if seen[v] {
			versions = append(versions, v)
		}
	}
	return times, of, versions
}
