package explain

import "xrdpfix/diagnose"

var serviceTexts = map[diagnose.Code]finding{
	diagnose.XrdpMissing: {mend: []Step{do("apt-get install xrdp xorgxrdp", "Debian, Ubuntu"), do("dnf install xrdp xorgxrdp", "Fedora; RHEL with EPEL"), stepCheck}},
	diagnose.ServiceDown: {
		text: "check says why, where the unit or the log tells: rsakeys.ini, the log file, the port, the user.",
		mend: []Step{stepCheck, stepApply, do("journalctl -u xrdp -e", "the last words of the daemon")},
	},
	diagnose.ServiceDisabled: {text: "xrdpfix never enables a unit by itself.", mend: []Step{do("systemctl enable xrdp", "where it is meant to start with the machine")}},
	diagnose.RestartPending: {
		text: "The port, runtime_user, logging and the unit are read when xrdp starts; security_layer, ssl_protocols, tls_ciphers and the certificate are read anew for each connection and never need a restart. A restart orphans the running desktops.",
		mend: []Step{stepCheck, do("xrdpfix apply --restart=when-idle", "when the last desktop has ended"), do("xrdpfix apply --restart=always", "now, at the price of the desktops")},
	},
	diagnose.RuntimeUserInvalid: {text: "xrdp 0.10.2 and later gives up root for runtime_user and runtime_group. Both must be there and exist.", mend: []Step{do("getent passwd xrdp", "is there such a user?"), stepCheck}},
	diagnose.PortInvalid:        {text: "port= takes a number, or a list such as tcp://:3389 or tcp://.:3389 (loopback). vsock://-1:3389 alone, as scripts for Hyper-V write it, serves no network at all."},
	diagnose.PortNotListening:   {mend: []Step{stepCheck, stepApply, do("journalctl -u xrdp -e", "the last words of the daemon")}},
	diagnose.PortLoopbackOnly: {
		text: "tcp://.:3389 and 127.0.0.1 are for tunnels through SSH. Clients elsewhere get 0x204 or \"connection refused\".",
		mend: []Step{do("xrdpfix show", "where port= stands: write port=3389 to serve the network, and restart xrdp")},
	},
	diagnose.PortTaken: {
		text: "GNOME Remote Desktop, VirtualBox's VRDE and WSL use 3389 too. GNOME Remote Desktop answers with its own certificate and insists on NLA, so that users see a security error of a server that is not xrdp.",
		mend: []Step{do("ss -ltnp 'sport = :3389'", "which program has the port"), do("systemctl --user disable --now gnome-remote-desktop", "as the user who shares the desktop, if it is that one"), stepCheck},
	},
	diagnose.FirewallBlocks: {
		text: "check prints the command that opens the port in the firewall that was found; xrdpfix never opens one by itself.",
		mend: []Step{stepCheck, stepProbe},
	},
	diagnose.SesmanUnreachable: {
		text: "The login box appears, so TLS is fine; the login itself goes to xrdp-sesman, by port 3350 in 0.9 and by a Unix socket from 0.10 on.",
		mend: []Step{do("systemctl status xrdp-sesman", ""), do("journalctl -u xrdp-sesman -e", "the last words of the daemon"), stepCheck},
	},
	diagnose.LogUnwritable: {text: "Where xrdp cannot open its log file it does not start. On Debian only the package's installation makes the file (xrdp:adm 0640): who deletes it stops the next start."},
	diagnose.LogHidesProof: {
		text: "apply says \"fixed\" only when xrdp.log shows our own connection established. Without LogLevel=INFO, or without a file, it can prove the wire only.",
		mend: []Step{do("xrdpfix show", "where LogLevel and LogFile stand: LogLevel=INFO in [Logging]"), stepCheck},
	},
}

var clientTexts = map[diagnose.Code]finding{
	diagnose.ClientTooOld: {
		text: "The client ends where the server begins. Windows 7 as delivered, Vista and many thin clients know TLS 1.0 only. Windows 7 and Server 2008 R2 can do TLS 1.2 and have it off.",
		mend: []Step{stepLog, stepWin7, do("xrdpfix client thinclient", "what to ask its maker for"), do("xrdpfix apply --profile legacy --for 14d", "if the client cannot change: for a while")},
	},
	diagnose.ClientTooNew: {text: "The server offers less than the client's lowest, mostly TLS 1.0 against a client that begins at 1.2.", mend: []Step{do("xrdpfix apply --profile intermediate", "TLS 1.2 and 1.3"), stepLog}},
	diagnose.ClientNoSharedCipher: {
		text: "Versions fit, and ciphers, curves or signature algorithms do not. An ECDSA certificate shuts out old clients; TLS 1.0 with a security level above 0 looks like this too.",
		mend: []Step{stepLog, stepProbe, do("xrdpfix cert renew", "an RSA pair, which every client knows")},
	},
	diagnose.ClientRequiresNLA: {
		text:   "Network Level Authentication (CredSSP) asks for the password before there is a desktop. No released xrdp has it, so a client that insists hangs up after the answer. mstsc says \"The function requested is not supported\" or asks for the password again and again; FreeRDP with /sec:nla says ERRCONNECT_SECURITY_NEGO_CONNECT_FAILED.",
		mend:   []Step{do("enablecredsspsupport:i:0", "in the .rdp file; xrdpfix client windows writes one"), stepWindows, do("xrdpfix client freerdp", "/sec:tls"), stepGuacamole},
		advice: "AllowEncryptionOracle concerns unpatched Windows servers, and UserAuthentication=0 on the client concerns that machine as a server. Neither has anything to do with xrdp.",
	},
	diagnose.ClientUnsupportedAuth: {
		text: "The client asked for Entra sign-in (enablerdsaadauth:i:1), Remote Credential Guard or RDSTLS. xrdp knows none of them and refuses the request: \"Unknown requested protocol flag\".",
		mend: []Step{do("enablerdsaadauth:i:0", "in the .rdp file"), do("mstsc without /remoteGuard and /restrictedAdmin", ""), stepWindows},
	},
	diagnose.ClientRefusesCert: {
		text: "The client, or its user, did not accept the certificate. If the user said no, read the fingerprint out; if no user was asked (Guacamole, a policy that demands trust), the client must be made to trust it.",
		mend: []Step{stepShow, stepWindows, stepGuacamole, do("xrdpfix cert request", "on the server: a certificate of your own CA, which your machines trust already")},
	},
	diagnose.ClientClassicOnly: {
		text: "The client offers no TLS: rdesktop before 1.4, old thin clients, or a setting such as /sec:rdp. With security_layer=tls it is refused, with negotiate it gets RC4.",
		mend: []Step{stepLog, stepClient},
	},
	diagnose.ClientNeverArrived: {
		text: "No line of the log comes from that address, so nothing in xrdp.ini can be the reason. Name, route, firewall, or a connection to another machine.",
		mend: []Step{do("xrdpfix probe HOST", "from the client's network"), do("xrdpfix log --all", "on the server: does it arrive under another address?")},
	},
}

var ownTexts = map[diagnose.Code]finding{
	diagnose.ApplyUnfinished: {text: "The journal of that apply holds the old state of every file. The next apply, or rollback, completes it first.", mend: []Step{do("xrdpfix history", ""), stepApply, do("xrdpfix rollback", "to have the old state")}},
	diagnose.ApplyUnconfirmed: {
		text: "A change that was made with --confirm-within is undone at that time unless it is confirmed.",
		mend: []Step{do("xrdpfix confirm", "keep it"), do("xrdpfix rollback", "undo it now")},
	},
	diagnose.ApplyTemporary: {text: "The old state comes back by itself at that time.", mend: []Step{do("xrdpfix confirm", "keep it for good"), do("xrdpfix rollback", "end it now")}},
	diagnose.JournalDamaged: {
		text: "What an earlier apply wrote down about itself cannot be read, so whether it was finished is not known, and no other apply is begun before somebody has looked. The files beside the journal are what it saved.",
		mend: []Step{do("xrdpfix check", "which journal, what is wrong with it, and the command that sets it aside"), do("xrdpfix history", "the others")},
	},
	diagnose.FirstBootPending: {text: "No key is made into an image, since all its clones would share it. A unit makes the pair when the machine first boots.", mend: []Step{do("xrdpfix check", "on the machine, after its first boot")}},
}
