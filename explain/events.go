package explain

const (
	docSchannelEvents = "https://learn.microsoft.com/en-us/previous-versions/windows/it-pro/windows-server-2012-r2-and-2012/dn786445(v=ws.11)"
	docAlerts         = "https://learn.microsoft.com/en-us/windows/win32/secauthn/schannel-error-codes-for-tls-and-ssl-alerts"
	docTermDD         = "https://techcommunity.microsoft.com/t5/ask-the-performance-team/the-curious-case-of-event-id-56-with-source-termdd/ba-p/374553"
	docErrorRef       = "MS-ERREF 2.1, 2.3"
	docSecurityErrors = "https://learn.microsoft.com/en-us/windows/win32/com/com-error-codes-4"
	// windowsEvents: no page of Microsoft was found about these events.
	windowsEvents = "reports that quote the events"
)

// serverOrClient: where an event of Windows is found decides whose it is.
const serverOrClient = "On the machine where the client runs it is about that client; on a Windows server it is about those who connect to it. xrdp writes no Windows events."

var eventEntries = []Entry{
	{
		ID: "termdd-56", Group: GroupEvent, Title: "TermDD event 56: an error in the protocol stream, the client was disconnected", Codes: []Code{{SpaceTermDD, 56}},
		Said: []string{"terminal server security layer detected an error in the protocol stream"},
		Text: "A Windows server's Remote Desktop closed a connection. Why stands in the last four bytes of the event's binary data, in reversed order: 84 01 00 D0 is D0000184; a D or 9 in front means an NTSTATUS with 0x10000000 added, so C0000184. Paste the whole line of bytes here and it is taken apart.\n\nIt is about a Windows server as the target, never about xrdp.",
		Find: []Step{do("xrdpfix explain TermDD 56 840100D0", "with your own bytes")}, Mend: []Step{do("xrdpfix probe HOST", "what that server offers"), do("xrdpfix explain windows-tls", "versions and certificate of a Windows server")},
		Known: Documented, Source: docTermDD,
	},
	{
		ID: "termdd-50", Group: GroupEvent, Title: "TermDD event 50: the component X.224, or DATA ENCRYPTION, detected an error", Codes: []Code{{SpaceTermDD, 50}},
		Said: []string{"the rdp protocol component"},
		Text: "A Windows server got what it could not read: scanners, a damaged stream, or classic RDP security that went wrong.",
		Find: []Step{do("xrdpfix probe HOST", "what that server offers")}, Mend: []Step{do("xrdpfix explain windows-encryption-level", "TLS instead of classic RDP security"), do("xrdpfix explain windows-certificate", "a damaged RDP certificate")},
		Known: Seen, Source: windowsEvents,
	},
	{
		ID: "schannel-36871", Group: GroupEvent, Title: "Schannel event 36871: a fatal error occurred while creating a TLS credential", Codes: []Code{{SpaceSchannel, 36871}},
		Said:   []string{"a fatal error occurred while creating a tls", "a fatal error occurred while creating an ssl"},
		Text:   "Windows could not set TLS up at all, mostly because no version is left on that side (internal error state 10013), or because the key of a certificate cannot be opened. " + serverOrClient,
		Causes: []string{"all TLS versions switched off", "a private key without permissions"}, Find: []Step{do("xrdpfix explain windows-tls", "which values rule")}, Mend: []Step{do("xrdpfix client windows --out DIR", "on the server: has check.ps1, which shows the client's versions")},
		Known: Seen, Source: "reports that quote the event; the state 10013 is not documented",
	},
	{
		ID: "schannel-36872", Group: GroupEvent, Title: "Schannel event 36872: no suitable default server credential, or: the certificate's chain could not be retrieved", Codes: []Code{{SpaceSchannel, 36872}},
		Text: "Up to Windows 8.1 and Server 2012 R2 it is documented as: a Windows server has no certificate with which it could serve TLS. Newer ones say with the same number that the chain of a certificate could not be retrieved, and have 36886 for the other.",
		Find: []Step{do("certlm.msc", "on that server: Remote Desktop, Certificates")}, Mend: []Step{do("xrdpfix explain windows-certificate", "how it gets one")}, Known: Documented, Source: docSchannelEvents,
	},
	{
		ID: "schannel-36874", Group: GroupEvent, Title: "Schannel event 36874: no cipher suite of the client is supported", Codes: []Code{{SpaceSchannel, 36874}},
		Said:   []string{"none of the cipher suites supported by the client"},
		Text:   "A Windows server turned a client away: versions fit, ciphers do not. The mirror image of client-no-shared-cipher.",
		Causes: []string{"client-no-shared-cipher"}, Find: []Step{do("xrdpfix probe HOST", "what that server offers")}, Mend: []Step{do("Get-TlsCipherSuite | Format-Table Name", "on that server, in PowerShell"), do("xrdpfix explain windows-tls", "")}, Known: Documented, Source: docSchannelEvents,
	},
	{
		ID: "schannel-36876", Group: GroupEvent, Title: "Schannel event 36876: the remote server's certificate did not validate", Codes: []Code{{SpaceSchannel, 36876}},
		Said:   []string{"has not validated correctly"},
		Text:   "A client on that machine refused a certificate. The error code in the event says why: see the HRESULT.",
		Causes: []string{"client-refuses-cert", "cert-expired", "cert-name-mismatch"}, Find: []Step{stepShow}, Mend: []Step{stepWindows}, Known: Documented, Source: docSchannelEvents,
	},
	{
		ID: "schannel-36880", Group: GroupEvent, Title: "Schannel event 36880: a TLS handshake was completed", Codes: []Code{{SpaceSchannel, 36880}},
		Text: "No error: it tells version, cipher and certificate of a handshake that succeeded. It is written only where logging was raised (EventLogging).", Find: []Step{stepProbe}, Mend: []Step{do("xrdpfix log --all", "on the server: the same connection from the other side")}, Known: Documented, Source: docSchannelEvents,
	},
	{
		ID: "schannel-36881", Group: GroupEvent, Title: "Schannel event 36881: the certificate of the remote server has expired or is not yet valid", Codes: []Code{{SpaceSchannel, 36881}},
		Text: "A client on that machine met a certificate out of its time, or its own clock is wrong.", Causes: []string{"cert-expired", "cert-not-yet-valid"}, Find: []Step{stepShow}, Mend: []Step{stepApply, do("xrdpfix cert install CERT", "for one from a CA")}, Known: Documented, Source: docSchannelEvents,
	},
	{
		ID: "schannel-36882", Group: GroupEvent, Title: "Schannel event 36882: issued by an authority that is not trusted", Codes: []Code{{SpaceSchannel, 36882}},
		Text: "A client on that machine does not know who issued the certificate. Every self-signed one is such.", Causes: []string{"self-signed and not trusted", "cert-chain-broken"}, Find: []Step{stepShow}, Mend: []Step{stepWindows}, Known: Documented, Source: docSchannelEvents,
	},
	{
		ID: "schannel-36884", Group: GroupEvent, Title: "Schannel event 36884: the certificate does not contain the expected name", Codes: []Code{{SpaceSchannel, 36884}},
		Text: "The name that the user typed is not among those of the certificate.", Causes: []string{"cert-name-mismatch"}, Find: []Step{stepShow}, Mend: []Step{do("xrdpfix cert renew --name desk01.example.org", "on the server, with every name that users type")}, Known: Documented, Source: docSchannelEvents,
	},
	{
		ID: "schannel-36886", Group: GroupEvent, Title: "Schannel event 36886: no default server credential on this system", Codes: []Code{{SpaceSchannel, 36886}},
		Text: "A note, not a fault, on most machines: a program that could serve TLS has no certificate. It does not stop a client from connecting elsewhere.", Find: []Step{stepProbe}, Mend: []Step{do("xrdpfix explain windows-certificate", "if that machine is the server")}, Known: Documented, Source: docSchannelEvents,
	},
	{
		ID: "schannel-36887", Group: GroupEvent, Title: "Schannel event 36887: a fatal alert was received from the remote side", Codes: []Code{{SpaceSchannel, 36887}},
		Said:   []string{"a fatal alert was received from the remote endpoint", "the following fatal alert was received"},
		Text:   "The other side broke the handshake off, and the number in the event is its reason, a TLS alert: 40 nothing in common, 42 to 46 the certificate, 48 its issuer is not known, 49 its user said no, 70 the version, 80 an internal error.\n\nOn a client of xrdp, 70 means that its TLS versions end below the server's lowest, and 80 the same on OpenSSL 3 where ssl_protocols says TLSv1 and the security level does not allow it.",
		Causes: []string{"client-tls-too-old", "client-no-shared-cipher", "tls-range-blocked"}, Find: []Step{stepLog, stepProbe}, Mend: []Step{stepWin7, stepApply}, Known: Documented, Source: docAlerts,
	},
	{
		ID: "schannel-36888", Group: GroupEvent, Title: "Schannel event 36888: a fatal alert was generated and sent to the remote side", Codes: []Code{{SpaceSchannel, 36888}},
		Said:   []string{"a fatal alert was generated and sent to the remote endpoint", "the following fatal alert was generated"},
		Text:   "This side broke the handshake off. The alert number is what the other side was told (see 36887); the internal error state beside it is not documented.",
		Causes: []string{"client-refuses-cert", "client-no-shared-cipher", "client-tls-too-new"}, Find: []Step{stepLog, stepProbe}, Mend: []Step{stepApply, stepWindows}, Known: Documented, Source: docAlerts,
	},
	{
		ID: "rdpclient-1024", Group: GroupEvent, Title: "RDPClient event 1024: trying to connect to a server", Codes: []Code{{SpaceRDPClient, 1024}},
		Said: []string{"rdp clientactivex is trying to connect to the server"},
		Text: "mstsc begins, with the name that its user typed. It proves no more. The log is Microsoft-Windows-TerminalServices-RDPClient/Operational on the client.", Find: []Step{do("xrdpfix log --all", "on the server: did it arrive?")}, Mend: []Step{stepProbe}, Known: Seen, Source: windowsEvents,
	},
	{
		ID: "rdpclient-1025", Group: GroupEvent, Title: "RDPClient event 1025: connected", Codes: []Code{{SpaceRDPClient, 1025}},
		Said: []string{"rdp clientactivex has connected to the server"},
		Text: "The connection stands. What fails after it is the session, not the security.", Find: []Step{do("xrdpfix log --all", "on the server: what it got")}, Mend: []Step{do("journalctl -u xrdp-sesman -e", "on the server: why the desktop ended")}, Known: Seen, Source: windowsEvents,
	},
	{
		ID: "rdpclient-1026", Group: GroupEvent, Title: "RDPClient event 1026: disconnected, with a reason", Codes: []Code{{SpaceRDPClient, 1026}},
		Said: []string{"rdp clientactivex has been disconnected"},
		Text: "The number behind \"Reason=\" is a disconnect reason of mstsc in decimal: 2308 is 0x904. Paste the line here, or the number.", Find: []Step{do("xrdpfix explain mstsc 2308", "with your own number")}, Mend: []Step{stepLog}, Known: Seen, Source: windowsEvents + "; its numbers: " + docDisconnect,
	},
}

// status is a row of the table of NTSTATUS and HRESULT values.
type status struct {
	n          uint32
	name, text string
	kind       mstscKind
	mend       []Step
}

var statuses = []status{
	{0xC0000184, "STATUS_INVALID_DEVICE_STATE", "the server sent something after the connection had broken; why it broke is not said", mstscCut, nil},
	{0xC0000185, "STATUS_IO_DEVICE_ERROR", "reading or writing failed on the network", mstscCut, nil},
	{0xC00000B5, "STATUS_IO_TIMEOUT", "the connection timed out", mstscNetwork, nil},
	{0xC000006D, "STATUS_LOGON_FAILURE", "user name or password", mstscLogon, nil},
	{0xC000006E, "STATUS_ACCOUNT_RESTRICTION", "the account may not sign in like this, for one with an empty password", mstscLogon, nil},
	{0xC000006F, "STATUS_INVALID_LOGON_HOURS", "not at this time of day", mstscLogon, nil},
	{0xC0000070, "STATUS_INVALID_WORKSTATION", "not from this machine", mstscLogon, nil},
	{0xC0000071, "STATUS_PASSWORD_EXPIRED", "the password has expired", mstscLogon, nil},
	{0xC0000072, "STATUS_ACCOUNT_DISABLED", "the account is disabled", mstscLogon, nil},
	{0xC000015B, "STATUS_LOGON_TYPE_NOT_GRANTED", "the user may not sign in by Remote Desktop", mstscLogon, nil},
	{0xC0000193, "STATUS_ACCOUNT_EXPIRED", "the account has expired", mstscLogon, nil},
	{0xC0000224, "STATUS_PASSWORD_MUST_CHANGE", "the password must be changed first, which NLA cannot do", mstscLogon, nil},
	{0xC0000234, "STATUS_ACCOUNT_LOCKED_OUT", "the account is locked", mstscLogon, nil},
	{0xC000020D, "STATUS_CONNECTION_RESET", "the other side, or something on the path, reset the connection", mstscCut, nil},
	{0xC00000BB, "STATUS_NOT_SUPPORTED", "asked for something that is not there", mstscCut, nil},
	{0x80090302, "SEC_E_UNSUPPORTED_FUNCTION", "Schannel: the alert protocol_version; or a CredSSP package that is not there. Seen with Windows Vista in front of xrdp", mstscCut, []Step{stepWin7}},
	{0x80090304, "SEC_E_INTERNAL_ERROR", "Schannel: the alert internal_error, which OpenSSL 3 sends where ssl_protocols allows TLS 1.0 and the security level does not", mstscCut, []Step{do("xrdpfix explain tls-range-blocked", "")}},
	{0x80090308, "SEC_E_INVALID_TOKEN", "the other side sent what is not TLS, or not CredSSP", mstscCut, nil},
	{0x8009030C, "SEC_E_LOGON_DENIED", "NLA refused; or the alert access_denied, a user who said no", mstscLogon, nil},
	{0x8009030E, "SEC_E_NO_CREDENTIALS", "no credentials, or a private key that cannot be opened", mstscLogon, nil},
	{0x8009030F, "SEC_E_MESSAGE_ALTERED", "the stream was damaged on the way", mstscCut, nil},
	{0x80090311, "SEC_E_NO_AUTHENTICATING_AUTHORITY", "no domain controller could be reached", mstscLogon, nil},
	{0x80090322, "SEC_E_WRONG_PRINCIPAL", "the name in the certificate, or of the service, is not the one asked for", mstscCert, []Step{do("xrdpfix cert renew --name desk01.example.org", "on the server, with every name that users type")}},
	{0x80090325, "SEC_E_UNTRUSTED_ROOT", "the certificate's issuer is not trusted", mstscCert, []Step{stepWindows}},
	{0x80090326, "SEC_E_ILLEGAL_MESSAGE", "Schannel: a message out of place, or the alert handshake_failure: nothing in common", mstscCut, nil},
	{0x80090327, "SEC_E_CERT_UNKNOWN", "the certificate was not accepted, without a better reason", mstscCert, []Step{stepWindows}},
	{0x80090328, "SEC_E_CERT_EXPIRED", "the certificate has expired", mstscCert, nil},
	{0x80090330, "SEC_E_DECRYPT_FAILURE", "what came could not be decrypted", mstscCut, nil},
	{0x80090331, "SEC_E_ALGORITHM_MISMATCH", "no algorithm in common: versions, ciphers, or the kind of key", mstscCut, nil},
	{0x80090343, "SEC_E_UNSUPPORTED_PREAUTH", "Kerberos has no way to sign in like this", mstscLogon, nil},
	{0x8009035E, "SEC_E_DELEGATION_POLICY", "policy does not let credentials be delegated", mstscLogon, nil},
	{0x80090367, "SEC_E_APPLICATION_PROTOCOL_MISMATCH", "no application protocol (ALPN) in common; Remote Desktop uses none, so something else answered", mstscCut, nil},
	{0x80092010, "CRYPT_E_REVOKED", "the certificate is revoked", mstscCert, nil},
	{0x80092012, "CRYPT_E_NO_REVOCATION_CHECK", "whether it is revoked could not be checked", mstscCert, nil},
	{0x80092013, "CRYPT_E_REVOCATION_OFFLINE", "the revocation list could not be reached", mstscCert, nil},
	{0x800B0101, "CERT_E_EXPIRED", "a certificate of the chain is not valid at this time", mstscCert, nil},
	{0x800B0109, "CERT_E_UNTRUSTEDROOT", "the chain ends in a root that is not trusted", mstscCert, []Step{stepWindows}},
	{0x800B010A, "CERT_E_CHAINING", "the chain cannot be built: an intermediate is missing", mstscCert, []Step{do("xrdpfix cert install FULLCHAIN KEY", "on the server: with the intermediate")}},
	{0x800B010F, "CERT_E_CN_NO_MATCH", "the certificate has another name", mstscCert, []Step{do("xrdpfix cert renew --name desk01.example.org", "on the server, with every name that users type")}},
	{0x80070005, "E_ACCESSDENIED", "access denied, somewhere on the Windows side", mstscLogon, nil},
	{0x80004005, "E_FAIL", "failed, without a reason", mstscCut, nil},
	{0x80070057, "E_INVALIDARG", "an argument that is none, for one a bad line of an .rdp file", mstscClient, nil},
}

// certCauses are those of certificates that are within their time.
var certCauses = map[uint32][]string{
	0x80090322: {"cert-name-mismatch", "another server than you think"},
	0x80090325: {"self-signed and not trusted", "cert-chain-broken"},
	0x80090327: {"client-refuses-cert", "self-signed and not trusted", "cert-name-mismatch"},
	0x80092010: {"the CA revoked the certificate"},
	0x80092012: {"the certificate names no revocation list", "the client cannot check it"},
	0x80092013: {"the client does not reach the CA's revocation list"},
	0x800B0109: {"self-signed and not trusted", "cert-chain-broken"},
	0x800B010A: {"cert-chain-broken"},
	0x800B010F: {"cert-name-mismatch"},
}

// alertStatuses are those into which Schannel turns an alert (docAlerts).
var alertStatuses = map[uint32]bool{
	0x80090302: true, 0x80090304: true, 0x8009030C: true, 0x8009030F: true, 0x80090325: true, 0x80090326: true,
	0x80090327: true, 0x80090328: true, 0x80090330: true, 0x80090331: true, 0x80090367: true, 0x80092010: true,
}

func statusEntries() []Entry {
	var out []Entry
	for _, s := range statuses {
		e := mstscKinds[s.kind]
		e.ID = lowerDash(s.name)
		e.Group = GroupStatus
		e.Title = "0x" + pad8(s.n) + " " + s.name
		e.Said = []string{s.name}
		e.Codes = []Code{{SpaceStatus, s.n}}
		if s.kind == mstscCut {
			e.Text = "The connection ended in its middle. Where xrdp is the server, its log says why; for a Windows server look into that server's own event log."
		}
		e.Text = upperFirst(s.text) + ".\n\n" + e.Text
		if causes := certCauses[s.n]; causes != nil {
			e.Causes = causes
		}
		if len(s.mend) > 0 {
			e.Mend = s.mend
		}
		e.Known, e.Source = Documented, docErrorRef
		switch {
		case alertStatuses[s.n]:
			e.Source = docAlerts
		case s.n>>16 == 0x8009 || s.n>>16 == 0x800B:
			e.Source = docSecurityErrors
		}
		out = append(out, e)
	}
	return out
}
