package explain

import "xrdpfix/diagnose"

var iniTexts = map[diagnose.Code]finding{
	diagnose.IniMissing: {
		text: "xrdp then runs on its built-in defaults, of which none suits anybody.",
		mend: []Step{do("apt-get install --reinstall -o Dpkg::Options::=--force-confmiss xrdp", "Debian, Ubuntu"), do("dnf reinstall xrdp", "Fedora, RHEL"), stepCheck},
	},
	diagnose.IniUnreadable: {text: "Where xrdp gives up root (0.9 on Debian by its unit, 0.10.2 and later by runtime_user), it reads xrdp.ini again as that user for each connection. A file of mode 0600 that root owns ends them all."},
	diagnose.IniCutShort:   {text: "xrdp reads the first 32 KiB, and an unclosed bracket, a NUL or a line that is too long ends the file for it. What stands behind is not read, and no log line says so."},
	diagnose.IniDuplicate:  {text: "Within a section the last of several lines wins; of several sections with one name the first one. Scripts that append a line to the end of the file put it into the last section, where nothing reads it."},
	diagnose.IniMisplaced: {
		text:   "xrdp reads TLS settings from [Globals] of xrdp.ini, and from nowhere else. tls_min_version and tls_max_version in sesman.ini are read by no version of xrdp.",
		advice: "\"echo security_layer=tls >> xrdp.ini\" lands in the last section and does nothing.",
	},
	diagnose.IniKeyIgnored: {
		text: "xrdp ignores keys that it does not know, without a word. tls_cipher (for tls_ciphers) and encrypt_level (for crypt_level) are the usual ones; address= has been ignored since 0.9.11, so that a server believed to be private listens everywhere.",
		mend: []Step{stepCheck, do("xrdpfix show", "every setting as xrdp reads it, with its line")},
	},
	diagnose.IniPassword: {
		text: "A password= in xrdp.ini is sent to the session by itself, for everybody who may connect, and can be read by everybody who may read the file.",
		mend: []Step{do("chmod o-r /etc/xrdp/xrdp.ini", "or take the password out; xrdp's user must still read the file"), stepCheck},
	},
	diagnose.IniManaged: {
		text: "Whatever is changed here by hand or by apply is undone by the next run of that program. Make the change there.",
		mend: []Step{do("xrdpfix plan", "the change, to be made in its template")},
	},
	diagnose.IniUpgradeLeftover: {
		text: "The package's new version of the file was left beside yours. It may hold settings that the new xrdp needs.",
		mend: []Step{do("diff /etc/xrdp/xrdp.ini /etc/xrdp/xrdp.ini.dpkg-dist", "on Debian; .rpmnew on Fedora. Merge, then delete it"), stepCheck},
	},
	diagnose.IniDrift: {
		text: "Somebody or something changed what an apply had set. That may be right; it is only said.",
		mend: []Step{do("xrdpfix history", "what was applied, and when"), do("xrdpfix plan", "what apply would make of it now")},
	},
	diagnose.IniNotReplaceable: {
		text: "A new version is put in place by renaming it, which a single bind-mounted file, an immutable one (chattr +i) or a read-only file system does not allow.",
		mend: []Step{do("xrdpfix plan", "the change, to be made outside (the image, the volume)"), do("xrdpfix apply --in-place", "writes into the file as it stands; a crash may leave half of it")},
	},
}

var layerTexts = map[diagnose.Code]finding{
	diagnose.SecurityLayerMissing: {text: "The manual page says that the default is negotiate. Up to xrdp 0.10.3 a missing line means classic RDP all the same."},
	diagnose.SecurityLayerInvalid: {text: "xrdp knows negotiate, tls and rdp. It takes any other word, ssl and nla among them, for negotiate, and says so in its log."},
	diagnose.SecurityLayerRDP:     {text: "Classic RDP security encrypts with RC4 and proves nothing about the server. Today's clients refuse it: FreeRDP 3 unless it is told /sec:rdp, mstsc where its policy or the .rdp file demands proof of the server. What Windows App does is not documented. Scripts for Hyper-V's enhanced session set it."},
	diagnose.ClassicServed:        {text: "The client asked for TLS and the server chose PROTOCOL_RDP, and nothing that could be looked at explains it. With the log readable, the reason stands in the lines of that connection.", mend: []Step{do("xrdpfix check --verbose", "as root: everything that was looked at"), stepLog}},
	diagnose.ClassicAccepted: {
		text: "security_layer=negotiate lets clients in that offer no TLS. That is for you to say: the log knows who they are.",
		mend: []Step{do("xrdpfix log --all", "who connects without TLS"), do("xrdpfix apply --security-layer tls", "when nobody does any more")},
	},
	diagnose.CryptLevelWeak: {text: "crypt_level counts for classic RDP security alone. With none, passwords cross the network in clear."},
	diagnose.RSAKeysMissing: {
		text: "rsakeys.ini holds the key of classic RDP security. xrdp does not start without it, although TLS never uses it.",
	},
	diagnose.RSAKeysUnreadable: {text: "Only clients with classic RDP security notice: they are dropped in the middle of the connection sequence."},
}

var tlsTexts = map[diagnose.Code]finding{
	diagnose.TLSVersionsEmpty:   {text: "ssl_protocols is a list of exact words: TLSv1, TLSv1.1, TLSv1.2, TLSv1.3, SSLv3. With none of them in it, xrdp still chooses TLS and then fails every handshake: \"No SSL/TLS protocols enabled\"."},
	diagnose.TLSVersionsMissing: {text: "Without the line every version is allowed that OpenSSL allows, which the next upgrade of the system may change."},
	diagnose.TLSVersionsUnknown: {text: "TLSv1.0, TLS1.2 and the like are not words of ssl_protocols; xrdp passes over them. TLS 1.0 is written TLSv1."},
	diagnose.TLSVersionsObsolete: {
		text: "TLS 1.0 and 1.1 are obsolete (RFC 8996). Old clients may be the reason; Windows 7 can do TLS 1.2.",
		mend: []Step{do("xrdpfix log --all", "who still uses them"), stepWin7, do("xrdpfix apply --profile intermediate", "TLS 1.2 and 1.3 only")},
	},
	diagnose.TLSRangeIneffective: {
		text:   "tls_min_version and tls_max_version in sesman.ini are what many guides say, and no xrdp reads them. What counts is ssl_protocols in xrdp.ini, and what OpenSSL allows.",
		mend:   []Step{do("xrdpfix apply --profile intermediate", "TLS 1.2 and 1.3, declared and made real"), do("xrdpfix apply --profile declared", "what the lines say, if that is what you want")},
		advice: "Most such lines were pasted years ago and would turn TLS 1.0 on and 1.3 off, so a plain apply does not obey them.",
	},
	diagnose.TLSRangeBlocked: {
		text:   "ssl_protocols alone does not enable TLS 1.0 or 1.1 on OpenSSL 3: the security level in tls_ciphers must be 0, and a MinProtocol in the system's openssl.cnf or its crypto policy still wins. apply does all three, for xrdp alone. Under FIPS it is refused.",
		mend:   []Step{stepWin7, do("xrdpfix apply --profile legacy --for 14d", "lets old clients in for a while, and ends by itself")},
		advice: "\"update-crypto-policies --set LEGACY\" weakens every service, and from RHEL 9 on still begins at TLS 1.2.",
	},
	diagnose.TLSCiphersInvalid: {text: "OpenSSL finds no cipher in tls_ciphers, or an error in it, and every handshake fails: \"no cipher match\". TLS 1.3 names such as TLS_AES_128_GCM_SHA256 do not belong there."},
	diagnose.TLSCiphersNarrow: {
		text: "The list is valid, and the usual clients have none of it. ECDSA names do nothing with an RSA certificate, and the other way round.",
		mend: []Step{stepProbe, stepCheck, do("xrdpfix apply --help", "what can be stated")},
	},
	diagnose.TLSSecretsLogged: {text: "tls_pms_log_file is for debugging with Wireshark: whoever has that file and the traffic reads the sessions, passwords included."},
	diagnose.TLSFails:         {text: "TLS is chosen and the handshake fails, and nothing that could be looked at explains it.", mend: []Step{do("xrdpfix check --verbose", "as root: everything that was looked at"), stepProbe, stepLog}},
	diagnose.TLSCutOff: {
		text: "The server chose TLS, and the connection was reset as soon as the ClientHello was sent. xrdp answers a failed set-up in another way, so something on the path does it: a firewall, an intrusion prevention system, a proxy that looks into TLS.",
		mend: []Step{do("xrdpfix probe 127.0.0.1", "on the server itself: if that works, it is the network"), stepProbe},
	},
}
