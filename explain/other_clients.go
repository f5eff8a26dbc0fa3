package explain

var macEntries = []Entry{
	{
		ID: "macos-2104", Group: GroupMac, Title: "macOS error 0x2104: TLS or the certificate failed", Codes: []Code{{SpaceMac, 0x2104}},
		Text:   "Not documented. Seen with xrdp where the certificate was expired or weak, or where its key was of a kind that xrdp could not read. A new certificate ended it both times.",
		Causes: []string{"cert-expired", "cert-unsuitable", "key-unsupported", "cert-key-mismatch"},
		Find:   []Step{stepShow, stepLog}, Mend: []Step{stepApply, do("xrdpfix client macos", "on the server: steps to trust it")},
		Known: Seen, Source: "neutrinolabs/xrdp issues 1922, 1776",
	},
	{
		ID: "macos-4", Group: GroupMac, Title: "macOS error 0x4: the connection was lost", Codes: []Code{{SpaceMac, 4}},
		Text: "Not documented. Seen with xrdp where a session ended as soon as it began, and where the client reconnected after a pause. Usually not TLS.",
		Find: []Step{do("xrdpfix log --all", "on the server: did TLS succeed for this client?")}, Mend: []Step{do("journalctl -u xrdp-sesman -e", "on the server: why the desktop ended"), stepCheck},
		Known: Seen, Source: "neutrinolabs/xrdp issues 1458, 3015",
	},
	{
		ID: "macos-204", Group: GroupMac, Title: "macOS error 0x204: unable to connect", Codes: []Code{{SpaceMac, 0x204}}, Said: []string{"unable to connect to the remote pc"},
		Text:   "The same number as mstsc's: the TCP connection did not come about. Name, port, VPN, firewall; on macOS also the permission \"Local Network\" of the app.",
		Causes: []string{"port-not-listening", "port-loopback-only", "firewall-blocks", "client-never-arrived"},
		Find:   []Step{do("xrdpfix probe HOST", "from the client's network")}, Mend: []Step{stepCheck, do("System Settings, Privacy & Security, Local Network", "on the Mac")},
		Known: Seen, Source: "neutrinolabs/xrdp issue 2645",
	},
	{
		ID: "macos-certificate-couldnt-be-verified", Group: GroupMac, Title: "You are connecting to the RDP host. The certificate couldn't be verified back to a root certificate",
		Said:   []string{"couldn't be verified back to a root certificate", "could not be verified back to a root certificate"},
		Text:   "The certificate is self-signed, and the app asks whether this is the right server. Compare the fingerprint (Show Certificate, Details), then Continue; \"Always trust\" puts it into the keychain.",
		Causes: []string{"self-signed and not trusted", "cert-name-mismatch"},
		Find:   []Step{stepShow}, Mend: []Step{do("xrdpfix client macos", "on the server: steps to trust it")}, Known: Seen, Source: "the app itself",
	},
}

// freerdpErrors are the errors ERRCONNECT_..., and the exit status of xfreerdp
// where it has one of its own; 0 where not.
var freerdpErrors = []struct {
	n    uint32
	name string
	exit uint32
	kind mstscKind
	own  string
}{
	{0x01, "PRE_CONNECT_FAILED", 136, mstscClient, ""},
	{0x02, "CONNECT_UNDEFINED", 137, mstscCut, ""},
	{0x03, "POST_CONNECT_FAILED", 138, mstscClient, ""},
	{0x04, "DNS_ERROR", 139, mstscNetwork, ""},
	{0x05, "DNS_NAME_NOT_FOUND", 140, mstscNetwork, ""},
	{0x06, "CONNECT_FAILED", 141, mstscNetwork, ""},
	{0x07, "MCS_CONNECT_INITIAL_ERROR", 142, mstscCut, ""},
	{0x08, "TLS_CONNECT_FAILED", 143, mstscCut, ""},
	{0x09, "AUTHENTICATION_FAILED", 132, mstscLogon, ""},
	{0x0A, "INSUFFICIENT_PRIVILEGES", 144, mstscLogon, ""},
	{0x0B, "CONNECT_CANCELLED", 145, mstscEnded, "The user said no to a question, or +auth-only ended after the login was reached: there it is success."},
	{0x0C, "SECURITY_NEGO_CONNECT_FAILED", 133, mstscClassic, ""},
	{0x0D, "CONNECT_TRANSPORT_FAILED", 147, mstscCut, ""},
	{0x0E, "PASSWORD_EXPIRED", 148, mstscLogon, ""},
	{0x0F, "PASSWORD_CERTAINLY_EXPIRED", 152, mstscLogon, ""},
	{0x10, "CLIENT_REVOKED", 153, mstscLogon, ""},
	{0x11, "KDC_UNREACHABLE", 150, mstscLogon, ""},
	{0x12, "ACCOUNT_DISABLED", 151, mstscLogon, ""},
	{0x13, "PASSWORD_MUST_CHANGE", 149, mstscLogon, ""},
	{0x14, "LOGON_FAILURE", 134, mstscLogon, ""},
	{0x15, "WRONG_PASSWORD", 154, mstscLogon, ""},
	{0x16, "ACCESS_DENIED", 155, mstscLogon, ""},
	{0x17, "ACCOUNT_RESTRICTION", 156, mstscLogon, ""},
	{0x18, "ACCOUNT_LOCKED_OUT", 135, mstscLogon, ""},
	{0x19, "ACCOUNT_EXPIRED", 157, mstscLogon, ""},
	{0x1A, "LOGON_TYPE_NOT_GRANTED", 158, mstscLogon, ""},
	{0x1B, "NO_OR_MISSING_CREDENTIALS", 159, mstscLogon, ""},
	{0x1C, "ACTIVATION_TIMEOUT", 0, mstscCut, "The session was not ready in time; TLS is done by then."},
	{0x1D, "TARGET_BOOTING", 160, mstscNetwork, ""},
	{0x1E, "HYBRID_REQUIRED_BY_SERVER", 161, mstscLogon, "The server insists on NLA; FreeRDP newer than 3.30.0 has a code of its own for it. No released xrdp says so."},
}

const freerdpSource = "FreeRDP include/freerdp/error.h, client/X11/xfreerdp.h"

// freerdpSeen are those that FreeRDP 2 (2.11.7) and FreeRDP 3 (3.15) printed, alike,
// about xrdp 0.9.21.1 of Debian 12 and 0.10.1 of Debian 13; matrix.TestExplainFreeRDP
// brings each of them about.
var freerdpSeen = map[string]Entry{
	"SECURITY_NEGO_CONNECT_FAILED": {
		Text: "Client and server have no security protocol in common that this client may use. Seen with FreeRDP 2 and 3:\n\n" +
			"With /sec:tls, where xrdp offers no TLS: it cannot read its key or certificate, or has security_layer=rdp. xrdp.log says: selected [RDP].\n\n" +
			"With /sec:nla, at every xrdp, a healthy one too: it has no NLA. xrdp.log says: selected [SSL], then SSL_accept and unexpected eof.\n\n" +
			"With any /sec or none, where security_layer=tls stands and no usable certificate: xrdp refuses every request. xrdp.log says: selected [].\n\n" +
			"Without /sec a server without TLS does not get this answer: FreeRDP takes its classic RDP security, and where xrdp verifies the MAC of that, the end is exit status 131.",
		Causes: []string{"key-unreadable", "cert-missing", "security-layer-rdp", "security-layer-missing", "client-requires-nla"},
	},
	"TLS_CONNECT_FAILED": {
		Text: "The server chose TLS, and then the handshake failed, or the certificate was refused: /cert:deny, an unanswered question, a name that does not fit. Seen with FreeRDP 2 and 3:\n\n" +
			"Where no valid version is left in ssl_protocols. xrdp.log says: selected [SSL], then SSL_accept and no protocols available.\n\n" +
			"With /cert:deny. xrdp.log says: selected [SSL], then header read error and no SSL_accept, since the handshake itself was fine.",
		Causes: []string{"tls-versions-empty", "cert-expired", "cert-key-mismatch", "client-refuses-cert", "client-tls-too-old", "client-no-shared-cipher", "tls-cut-off"},
	},
	"CONNECT_TRANSPORT_FAILED": {
		Text: "The connection was closed during the negotiation. Seen with FreeRDP 2 and 3 and /sec:rdp, where xrdp has security_layer=tls. " +
			"xrdp.log says: Server requires TLS for security, but the client did not request TLS.",
		Causes: []string{"client-classic-only", "tls-cut-off", "another server than you think"},
	},
}

func freerdpTable() []Entry {
	var out []Entry
	for _, r := range freerdpErrors {
		e := mstscKinds[r.kind]
		name := "ERRCONNECT_" + r.name
		e.ID = "freerdp-" + lowerDash(r.name)
		e.Group = GroupFreeRDP
		e.Title = name + " [0x" + pad8(0x20000|r.n) + "]"
		e.Said = []string{name}
		e.Codes = []Code{{SpaceFreeRDP, 0x20000 | r.n}}
		if r.exit > 0 {
			e.Title += ", exit status " + decimal(r.exit)
			e.Codes = append(e.Codes, Code{SpaceExit, r.exit})
		}
		e.Known, e.Source = InSource, freerdpSource
		if seen, ok := freerdpSeen[r.name]; ok {
			e.Text, e.Causes, e.Known, e.Source = seen.Text, seen.Causes, Measured, freerdpSource
		}
		if r.own != "" {
			e.Text = r.own + "\n\n" + e.Text
		}
		e.Mend = withClient(e.Mend, do("xrdpfix client freerdp", "on the server: a command that fits it"))
		out = append(out, e)
	}
	return append(out, freerdpEntries...)
}

var freerdpEntries = []Entry{
	{
		ID: "freerdp-exit-131", Group: GroupFreeRDP, Title: "xfreerdp exit status 131: the connection failed", Codes: []Code{{SpaceExit, 131}},
		Text: "No ERRCONNECT_ line with it. An xrdp that verifies the MAC of classic RDP security (0.9.21 and 0.10.1 with Debian's security updates, 0.10.6) ends the connection of FreeRDP 2 and 3 so: both send a wrong one. xrdp.log says: MAC checksum error.\n\n" +
			"It is seen with /sec:rdp, and without /sec where xrdp offers no TLS.",
		Causes: []string{"classic-rdp-served", "security-layer-rdp", "key-unreadable"}, Find: []Step{stepCheck}, Mend: []Step{stepApply, do("xrdpfix client freerdp", "/sec:tls")},
		Known: Measured, Source: "FreeRDP client/X11/xfreerdp.h; seen on Debian 12, 13 and sid",
	},
	{
		ID: "freerdp-exit-128", Group: GroupFreeRDP, Title: "xfreerdp exit status 128: wrong arguments", Codes: []Code{{SpaceExit, 128}},
		Text: "The command line was not understood, so nothing was tried. /cert:ignore of FreeRDP 2.x and 3 was /cert-ignore before.",
		Find: []Step{do("xfreerdp /help", "the words of your version")}, Mend: []Step{do("xrdpfix client freerdp", "on the server: a command that fits it")}, Known: InSource, Source: "FreeRDP client/X11/xfreerdp.h",
	},
	{
		ID: "freerdp-neg-failure", Group: GroupFreeRDP, Title: "SSL_CERT_NOT_ON_SERVER: the server has no certificate that it can use",
		Said:   []string{"ssl_cert_not_on_server"},
		Codes:  []Code{{SpaceNegFailure, 3}},
		Text:   "The server answered RDP_NEG_FAILURE, code 3. xrdp does so with security_layer=tls where it cannot read key or certificate.",
		Causes: []string{"key-unreadable", "cert-missing", "cert-path-missing"}, Find: []Step{stepCheck}, Mend: []Step{stepApply}, Known: Documented, Source: "MS-RDPBCGR 2.2.1.2.2",
	},
	{
		ID: "rdp-ssl-required", Group: GroupFreeRDP, Title: "SSL_REQUIRED_BY_SERVER: the client asked for no TLS",
		Said:   []string{"ssl_required_by_server"},
		Codes:  []Code{{SpaceNegFailure, 1}},
		Text:   "The server answered RDP_NEG_FAILURE, code 1. xrdp does so with security_layer=tls where the client offers classic RDP security only, or NLA only.",
		Causes: []string{"client-classic-only", "client-requires-nla"}, Find: []Step{stepLog}, Mend: []Step{stepClient}, Known: Documented, Source: "MS-RDPBCGR 2.2.1.2.2",
	},
	{
		ID: "rdp-hybrid-required", Group: GroupFreeRDP, Title: "HYBRID_REQUIRED_BY_SERVER: the server insists on NLA",
		Said:   []string{"hybrid_required_by_server"},
		Codes:  []Code{{SpaceNegFailure, 5}},
		Text:   "The server answered RDP_NEG_FAILURE, code 5. No released xrdp does: a Windows server or GNOME Remote Desktop answered.",
		Causes: []string{"port-taken", "another server than you think"}, Find: []Step{stepProbe}, Mend: []Step{do("ss -ltnp 'sport = :3389'", "on the server: which program has the port"), do("xrdpfix explain windows-nla", "where the server is Windows")},
		Known: Documented, Source: "MS-RDPBCGR 2.2.1.2.2",
	},
	{
		ID: "freerdp-name-mismatch", Group: GroupFreeRDP, Title: "CERTIFICATE NAME MISMATCH",
		Said:   []string{"certificate name mismatch", "does not match any of the given names", "hostname used for this connection"},
		Text:   "FreeRDP compares the name after /v: with those of the certificate and asks. Debian's snakeoil certificate keeps the name that the machine had when it was installed.",
		Causes: []string{"cert-name-mismatch", "key-shared"}, Find: []Step{stepShow}, Mend: []Step{do("xrdpfix cert renew --name desk01.example.org", "on the server, with every name that users type"), do("xrdpfix client freerdp", "/cert:fingerprint pins it")},
		Known: Seen, Source: "neutrinolabs/xrdp issue 1969",
	},
	{
		ID: "freerdp-host-key-changed", Group: GroupFreeRDP, Title: "REMOTE HOST IDENTIFICATION HAS CHANGED",
		Said:   []string{"remote host identification has changed", "the host key for", "someone could be eavesdropping"},
		Text:   "FreeRDP remembers the certificate of each server and got another one. After a renewal that is right; otherwise somebody else answers. Compare the fingerprint before you forget the old one.",
		Causes: []string{"a renewed certificate", "cert-not-served", "another server than you think"}, Find: []Step{stepShow}, Mend: []Step{do("xrdpfix client freerdp", "on the server: the fingerprint, and how the old one is forgotten")},
		Known: Measured,
	},
}

var remminaEntries = []Entry{
	{
		ID: "remmina-tls", Group: GroupRemmina, Title: "Could not connect to the RDP server via TLS",
		Said:   []string{"via tls. see the debug traces", "could not connect to the rdp server", "could not connect to the rdp server via tls"},
		Text:   "Remmina's words for FreeRDP's ERRCONNECT_TLS_CONNECT_FAILED: the handshake failed or the certificate was refused. In a profile, \"TLS Security Level\" 0 (\"Windows 7 compatible\") is for servers with TLS 1.0 only; \"Ignore certificate\" takes the proof away.",
		Causes: []string{"cert-expired", "cert-name-mismatch", "client-no-shared-cipher", "tls-fails"}, Find: []Step{stepProbe, stepLog}, Mend: []Step{stepApply, do("xrdpfix client remmina", "on the server: a profile that fits it")},
		Known: InSource, Source: "Remmina plugins/rdp/rdp_plugin.c",
	},
	{
		ID: "remmina-cannot-connect", Group: GroupRemmina, Title: "Cannot connect to the RDP server, or: Unable to establish a connection",
		Said:   []string{"cannot connect to the rdp server", "failed to connect to the rdp server", "unable to establish a connection to the rdp server", "could not find the address for the rdp server"},
		Text:   "Remmina has a sentence for each: \"Failed to connect\" and \"Could not find the address\" are the network, \"Unable to establish a connection\" is the negotiation of security, \"Cannot connect\" is all the rest. \"Security protocol negotiation\" in the profile must be automatic or TLS; NLA fails with every xrdp.",
		Causes: []string{"port-not-listening", "firewall-blocks", "key-unreadable", "client-requires-nla"}, Find: []Step{stepProbe, do("remmina --debug", "what FreeRDP says beneath")}, Mend: []Step{stepCheck, do("xrdpfix client remmina", "on the server: a profile that fits it")},
		Known: InSource, Source: "Remmina plugins/rdp/rdp_plugin.c",
	},
	{
		ID: "remmina-access", Group: GroupRemmina, Title: "Could not access the RDP server",
		Said:   []string{"could not access the rdp server"},
		Text:   "Account locked, expired, disabled or restricted, says the server's NLA. xrdp has no NLA, so it is another server that answers.",
		Causes: []string{"port-taken", "another server than you think"}, Find: []Step{stepProbe}, Mend: []Step{do("xrdpfix client remmina", "on the server: a profile that fits it")}, Known: InSource, Source: "Remmina plugins/rdp/rdp_plugin.c",
	},
	{
		ID: "remmina-lost", Group: GroupRemmina, Title: "Lost connection to the RDP server",
		Said: []string{"lost connection to the rdp server"},
		Text: "The connection had been there. Look at the session rather than at TLS.",
		Find: []Step{do("xrdpfix log --all", "on the server")}, Mend: []Step{do("journalctl -u xrdp-sesman -e", "on the server: why the desktop ended"), stepCheck}, Known: InSource, Source: "Remmina plugins/rdp/rdp_plugin.c",
	},
}

const guacSource = "guacamole-server src/protocols/rdp/error.c, src/libguac/guacamole/protocol-types.h"

var guacamoleEntries = []Entry{
	{
		ID: "guacamole-519", Group: GroupGuacamole, Title: "Guacamole 519 (0x0207): the remote desktop server could not be reached", Codes: []Code{{SpaceGuacamole, 519}},
		Said:   []string{"remote desktop server is currently unreachable", "upstream_not_found", "upstream not found"},
		Text:   "UPSTREAM_NOT_FOUND. guacd says this for names that it cannot find, connections that are refused or cut, and also for certificates that it does not trust: it cannot ask its user. Its log has the words that tell them apart.",
		Causes: []string{"client-refuses-cert", "key-unreadable", "port-not-listening", "client-requires-nla"},
		Find:   []Step{do("journalctl -u guacd -e", "on Guacamole's host: the words behind the number"), stepProbe}, Mend: []Step{stepGuacamole}, Known: InSource, Source: guacSource,
	},
	{
		ID: "guacamole-untrusted", Group: GroupGuacamole, Title: "SSL/TLS connection failed (untrusted/self-signed certificate?)",
		Said:   []string{"ssl/tls connection failed", "untrusted/self-signed certificate", "certificate validation failed"},
		Text:   "guacd does not trust the certificate, and cannot ask anybody. Pin its fingerprint with cert-fingerprints (Guacamole 1.6.0 and later), let guacd trust your CA, or, as the last resort, ignore-cert.",
		Causes: []string{"client-refuses-cert", "self-signed and not trusted", "cert-name-mismatch", "cert-expired"}, Find: []Step{stepShow}, Mend: []Step{stepGuacamole},
		Advice: "ignore-cert=true makes it work and takes the proof away: guacd then gives the password to whoever answers.",
		Known:  InSource, Source: guacSource,
	},
	{
		ID: "guacamole-wrong-security", Group: GroupGuacamole, Title: "Server refused connection, or: Security negotiation failed (wrong security type?)",
		Said:   []string{"wrong security type", "security negotiation failed", "server refused connection"},
		Text:   "The parameter security and the server do not fit. \"Security negotiation failed\" comes with 769, \"Server refused connection\" with 519 or 520. With xrdp it must be tls, or any; nla fails with every xrdp. guacd can also fail like this when its own user has no home directory to keep known certificates in.",
		Causes: []string{"client-requires-nla", "key-unreadable", "security-layer-rdp"}, Find: []Step{stepProbe}, Mend: []Step{stepGuacamole, stepApply}, Known: InSource, Source: guacSource,
	},
	{
		ID: "guacamole-512", Group: GroupGuacamole, Title: "Guacamole 512 (0x0200): internal error of Guacamole", Codes: []Code{{SpaceGuacamole, 512}},
		Text: "SERVER_ERROR: guacd itself failed, or could not be reached. It is not about the RDP server.", Find: []Step{do("journalctl -u guacd -e", "on Guacamole's host")}, Mend: []Step{do("systemctl restart guacd", "on Guacamole's host"), stepProbe}, Known: InSource, Source: guacSource,
	},
	{
		ID: "guacamole-514", Group: GroupGuacamole, Title: "Guacamole 514 (0x0202): no answer in time", Codes: []Code{{SpaceGuacamole, 514}},
		Text: "UPSTREAM_TIMEOUT. It is between Guacamole and guacd, or about files over SFTP: the RDP part of guacd never says it, and calls a server that does not answer 519.", Causes: []string{"guacd does not answer"}, Find: []Step{do("journalctl -u guacd -e", "on Guacamole's host")}, Mend: []Step{do("systemctl restart guacd", "on Guacamole's host"), stepProbe}, Known: InSource, Source: guacSource + ", guacamole-client ReaderGuacamoleReader.java",
	},
	{
		ID: "guacamole-515", Group: GroupGuacamole, Title: "Guacamole 515 (0x0203): error of the remote desktop server", Codes: []Code{{SpaceGuacamole, 515}},
		Said: []string{"upstream_error", "upstream error"},
		Text: "UPSTREAM_ERROR: everything that guacd has no other word for. Its log has the words of FreeRDP.", Find: []Step{do("journalctl -u guacd -e", "on Guacamole's host"), stepLog}, Mend: []Step{stepGuacamole}, Known: InSource, Source: guacSource,
	},
	{
		ID: "guacamole-520", Group: GroupGuacamole, Title: "Guacamole 520 (0x0208): the server refuses", Codes: []Code{{SpaceGuacamole, 520}},
		Text: "UPSTREAM_UNAVAILABLE: the server denied the connection (ERRINFO_SERVER_DENIED_CONNECTION) or has no memory left.", Find: []Step{stepLog}, Mend: []Step{stepCheck}, Known: InSource, Source: guacSource,
	},
	{
		ID: "guacamole-769", Group: GroupGuacamole, Title: "Guacamole 769 (0x0301): authentication failure", Codes: []Code{{SpaceGuacamole, 769}},
		Said:   []string{"authentication failure (invalid credentials", "client_unauthorized"},
		Text:   "CLIENT_UNAUTHORIZED. guacd also says this where client and server have no security protocol in common (\"Security negotiation failed\"; 1.6.0 still does), so it need not be about a password. xrdp itself never causes it: its login is a window in the session.",
		Causes: []string{"client-requires-nla", "key-unreadable", "port-taken"}, Find: []Step{stepProbe, do("journalctl -u guacd -e", "on Guacamole's host")}, Mend: []Step{stepGuacamole}, Known: InSource, Source: guacSource,
	},
	{
		ID: "guacamole-771", Group: GroupGuacamole, Title: "Guacamole 771 (0x0303): forbidden", Codes: []Code{{SpaceGuacamole, 771}},
		Text: "CLIENT_FORBIDDEN: the account has no right to connect, or its credentials have run out, says a Windows server.", Causes: []string{"another server than you think"}, Find: []Step{stepProbe}, Mend: []Step{stepGuacamole}, Known: InSource, Source: guacSource,
	},
}
