package explain

import "strings"

// The pages of Microsoft that these tables follow.
const (
	docDisconnect = "https://learn.microsoft.com/en-us/windows/win32/termserv/imstscaxevents-ondisconnected"
	docExtended   = "https://learn.microsoft.com/en-us/windows/win32/termserv/extendeddisconnectreasoncode"
)

// mstsc is a row of the table of disconnect reasons.
type mstsc struct {
	n    uint32
	name string // as Microsoft has it
	kind mstscKind
}

// mstscKind is what a reason is about, and with it what to do.
type mstscKind uint8

const (
	mstscNetwork mstscKind = iota // never got to RDP
	mstscCut                      // the connection ended in its middle
	mstscClassic                  // classic RDP security failed
	mstscLogon                    // who wants in, not whether TLS works
	mstscCert
	mstscLicence
	mstscEnded // no error
	mstscClient
)

// mstscReasons are the reasons of the client control's OnDisconnected event,
// which mstsc shows as "Error code".
var mstscReasons = []mstsc{
	{1, "local disconnection", mstscEnded},
	{2, "remote disconnection by the user", mstscEnded},
	{3, "remote disconnection by the server", mstscEnded},
	{0x104, "DNS name lookup failed", mstscNetwork},
	{0x106, "out of memory", mstscClient},
	{0x108, "the connection timed out", mstscNetwork},
	{0x204, "the socket could not connect", mstscNetwork},
	{0x206, "out of memory", mstscClient},
	{0x208, "host not found", mstscNetwork},
	{0x304, "sending failed", mstscCut},
	{0x306, "out of memory", mstscClient},
	{0x308, "the address is not valid", mstscNetwork},
	{0x404, "receiving failed", mstscCut},
	{0x406, "security data not valid", mstscClassic},
	{0x408, "internal error", mstscClient},
	{0x506, "the encryption method is not valid", mstscClassic},
	{0x508, "DNS lookup failed", mstscNetwork},
	{0x604, "the host was not found (gethostbyname)", mstscNetwork},
	{0x606, "the server's security data is not valid", mstscClassic},
	{0x608, "internal timer error", mstscClient},
	{0x704, "a timeout occurred", mstscCut},
	{0x706, "the server's certificate could not be unpacked", mstscClassic},
	{0x804, "the address is not valid", mstscNetwork},
	{0x807, "logon failure", mstscLogon},
	{0x808, "negotiating the licence failed", mstscLicence},
	{0x904, "the socket was closed", mstscCut},
	{0x906, "internal security error", mstscClassic},
	{0x908, "licensing timed out", mstscLicence},
	{0xA06, "internal security error", mstscClassic},
	{0xA07, "no such user", mstscLogon},
	{0xB06, "encryption error", mstscClassic},
	{0xB07, "the account is disabled", mstscLogon},
	{0xC06, "decryption error", mstscClassic},
	{0xC07, "the account is restricted", mstscLogon},
	{0xC08, "decompression error", mstscCut},
	{0xD07, "the account is locked out", mstscLogon},
	{0xE07, "the account has expired", mstscLogon},
	{0xF07, "the password has expired", mstscLogon},
	{0x1207, "the password must be changed", mstscLogon},
	{0x1607, "policy does not let credentials be delegated", mstscLogon},
	{0x1707, "policy does not let credentials be delegated to a server that has not proved itself (NTLM only)", mstscLogon},
	{0x1807, "no authority could be contacted for authentication", mstscLogon},
	{0x1B07, "the server's certificate has expired", mstscCert},
	{0x1C07, "wrong PIN of the smart card", mstscLogon},
	{0x2107, "the server wants fresh credentials", mstscLogon},
	{0x2207, "the smart card is blocked", mstscLogon},
}

// mstscEntries makes entries of the table; windowsEntries holds those that need
// a page of their own.
func mstscEntries() []Entry {
	var out []Entry
	for _, r := range mstscReasons {
		e := mstscKinds[r.kind]
		e.ID = "mstsc-" + strings.ToLower(hex(r.n))
		e.Group = GroupWindows
		e.Title = "mstsc error " + "0x" + hex(r.n) + ": " + r.name
		e.Codes = []Code{{SpaceMSTSC, r.n}}
		e.Known, e.Source = Documented, docDisconnect
		if own, ok := mstscOwn[r.n]; ok {
			e.Text = own + "\n\n" + e.Text
		}
		out = append(out, e)
	}
	return append(out, windowsEntries...)
}

// mstscOwn are sentences about single codes.
var mstscOwn = map[uint32]string{
	0x204:  "The TCP connection was refused or never answered, so this is not about TLS or certificates, whatever the window says.",
	0x904:  "The usual one where xrdp gives up the handshake: the server closed the connection. Its log says why, the client cannot know. An \"Extended error code: 0x7\" beside it means that the server refused.",
	0x404:  "The connection broke while the client was reading, often during or right after the TLS handshake.",
	0x704:  "Often the session took long to start; TLS is done by then.",
	0x807:  "With a Windows server, NLA refused name or password. With xrdp there is no NLA, so this comes from another server or from a gateway on the way.",
	0x1B07: "xrdp serves an expired certificate without a word in its log.",
	0x706:  "Seen with xrdp where the client speaks classic RDP security (neutrinolabs/xrdp issue 195).",
}

var mstscKinds = map[mstscKind]Entry{
	mstscNetwork: {
		Text:   "The client never reached an RDP server. Name, address, port, route or firewall; xrdp.log has no line about it.",
		Causes: []string{"port-not-listening", "port-loopback-only", "firewall-blocks", "service-down", "client-never-arrived", "another name or port"},
		Find:   []Step{do("xrdpfix probe HOST", "from the client's network: does anything answer?"), do("Test-NetConnection HOST -Port 3389", "the same in PowerShell")},
		Mend:   []Step{do("xrdpfix check", "on the server: names the listener and the firewall rule")},
	},
	mstscCut: {
		Text:   "The connection ended while it was being set up. With xrdp the reasons are a key that it cannot read, no TLS version or cipher in common, a pair that does not match, or a desktop that did not start.",
		Causes: []string{"key-unreadable", "cert-key-mismatch", "client-tls-too-old", "client-no-shared-cipher", "client-requires-nla", "tls-cut-off"},
		Find:   []Step{stepLog, stepProbe},
		Mend:   []Step{stepApply},
	},
	mstscClassic: {
		Text:   "The client and the server were in the middle of classic RDP security (RC4), which a client with TLS does not use. So the server offers no TLS, or the client asks for none.",
		Causes: []string{"security-layer-rdp", "key-unreadable", "security-layer-missing", "rsakeys-unreadable"},
		Find:   []Step{stepCheck, stepProbe},
		Mend:   []Step{stepApply, stepWindows},
	},
	mstscLogon: {
		Text:   "This is about who wants in, and it comes from NLA (CredSSP) or from a Windows server. xrdp has no NLA: its own login is a window inside the session, and wrong passwords are told there.",
		Causes: []string{"client-requires-nla", "another server than you think"},
		Find:   []Step{do("xrdpfix probe HOST", "is it xrdp that answers? \"no NLA on this server\"")},
		Mend:   []Step{stepWindows, do("xrdpfix explain windows-nla", "where the server is Windows")},
	},
	mstscCert: {
		Text:   "The certificate is the reason, and the file on the server can tell.",
		Causes: []string{"cert-expired", "cert-not-yet-valid", "the clock of the client"},
		Find:   []Step{stepShow},
		Mend:   []Step{stepApply, do("xrdpfix cert install CERT", "for one from a CA")},
	},
	mstscLicence: {
		Text:   "Licences are a matter of Windows servers. With xrdp the connection broke while xrdp was answering.",
		Causes: []string{"a Windows server without licences", "a connection cut in its middle"},
		Find:   []Step{do("xrdpfix probe HOST", "is it xrdp that answers?")},
		Mend:   []Step{stepLog},
	},
	mstscEnded: {
		Text:   "Not an error by itself: somebody ended the session. 0x3 right after connecting means that the server did.",
		Causes: []string{"the desktop ended as soon as it began"},
		Find:   []Step{do("xrdpfix log --all", "on the server: what the connection got")},
		Mend:   []Step{do("journalctl -u xrdp-sesman -e", "on the server: why the desktop ended")},
	},
	mstscClient: {
		Text:   "The client is in trouble by itself. Its own event log may say more: Applications and Services Logs, Microsoft, Windows, TerminalServices-ClientActiveXCore.",
		Causes: []string{"the client"},
		Find:   []Step{stepProbe},
		Mend:   []Step{do("xrdpfix client windows", "on the server: a plain .rdp file to try instead of the saved one")},
	},
}

// extendedEntries are the reasons beside: "Extended error code".
var extendedEntries = []Entry{
	{ID: "mstsc-extended-0", Group: GroupWindows, Title: "Extended error code 0x0: no more is known", Codes: []Code{{SpaceExtended, 0}},
		Text: "The server said nothing. The error code beside it is all that the client knows.",
		Find: []Step{stepLog}, Mend: []Step{stepCheck}, Known: Documented, Source: docExtended},
	{ID: "mstsc-extended-7", Group: GroupWindows, Title: "Extended error code 0x7: the server denied the connection", Codes: []Code{{SpaceExtended, 7}},
		Text:   "The server closed the connection on purpose. xrdp does so where it requires TLS and the client asked for none, and the other way round.",
		Causes: []string{"key-unreadable", "client-classic-only", "client-unsupported-auth"}, Find: []Step{stepLog}, Mend: []Step{stepApply, stepWindows}, Known: Documented, Source: docExtended},
	{ID: "mstsc-extended-8", Group: GroupWindows, Title: "Extended error code 0x8: the server denied the connection for security reasons (FIPS)", Codes: []Code{{SpaceExtended, 8}},
		Text:   "By its name (ServerDeniedConnectionFips) one side demands FIPS, and the other offered classic RDP security, whose RC4 is not allowed there. With TLS there is no such trouble.",
		Causes: []string{"classic-rdp-served", "security-layer-rdp", "key-unreadable"}, Find: []Step{stepCheck}, Mend: []Step{stepApply}, Known: Documented, Source: docExtended},
	{ID: "mstsc-extended-3", Group: GroupWindows, Title: "Extended error code 0x3: idle for too long", Codes: []Code{{SpaceExtended, 3}},
		Text: "A time limit of the server ended the session. It has nothing to do with security.",
		Find: []Step{do("xrdpfix log --all", "on the server")}, Mend: []Step{do("grep -n Limit /etc/xrdp/sesman.ini", "IdleTimeLimit and DisconnectedTimeLimit")}, Known: Documented, Source: docExtended},
	{ID: "mstsc-extended-5", Group: GroupWindows, Title: "Extended error code 0x5: replaced by another connection", Codes: []Code{{SpaceExtended, 5}},
		Text: "The same user connected from elsewhere and took the desktop over.",
		Find: []Step{do("xrdpfix log --all", "on the server: from where")}, Mend: []Step{do("grep -n Policy /etc/xrdp/sesman.ini", "on the server: when a login gets a desktop of its own")}, Known: Documented, Source: docExtended},
}
