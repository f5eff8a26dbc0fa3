package explain

import "xrdpfix/diagnose"

var keyTexts = map[diagnose.Code]finding{
	diagnose.KeyMissing: {
		text:   "Without its key xrdp offers no TLS. With security_layer=negotiate it falls back to classic RDP security without a word to the client; with tls it refuses every client (SSL_CERT_NOT_ON_SERVER).",
		advice: "xrdp-keygen does not make this key: it makes rsakeys.ini, which TLS does not use.",
	},
	diagnose.KeyUnreadable: {
		text:   "The commonest fault of all: on Debian and Ubuntu the key is a link to the machine's snakeoil key in /etc/ssl/private, which the user xrdp may not enter. xrdp logs \"Cannot read private key file\" once for each connection and offers no TLS. Clients that insist on TLS are turned away, the others get RC4. apply makes a key of xrdp's own, which needs no restart.",
		advice: "\"adduser xrdp ssl-cert\" works too, but only after a restart, which cuts off who is working, and gives xrdp the key that other services use. \"chmod 644\" or \"777\" on the key hands it to every user of the machine.",
	},
	diagnose.KeyInvalid: {
		text: "xrdp reads PEM without a passphrase, and nothing else: nobody is there to type one when a client connects. A DER file, an empty one or a PKCS#12 bundle ends the same way.",
		mend: []Step{stepApply, do("xrdpfix cert install CERT KEY", "where you have a pair from a CA; it converts and checks it")},
	},
	diagnose.KeyUnsupported: {
		text: "OpenSSL 3 refuses RSA keys below 2048 bits at its default security level, FreeRDP 2 cannot use Ed25519, and xrdp before 0.9.16 reads RSA keys only.",
		mend: []Step{stepApply, do("xrdpfix cert renew", "makes an RSA 2048 pair whatever the reason")},
	},
	diagnose.KeyExposed: {
		text:   "Whoever can read the key can pose as this server, and record sessions of clients that do not use forward secrecy. If others could read it, treat it as lost: a new mode does not bring it back.",
		mend:   []Step{do("xrdpfix cert renew", "a new key; users are asked once to trust it")},
		advice: "\"chmod 600\" alone keeps a key that others may have copied.",
	},
	diagnose.KeyShared: {
		text: "The snakeoil key belongs to the whole machine, and images are cloned with it: whoever has it on one machine can pose as the others.",
		mend: []Step{do("xrdpfix cert renew", "a key that belongs to xrdp alone")},
	},
}

var certTexts = map[diagnose.Code]finding{
	diagnose.CertMissing: {
		text:   "Without its certificate xrdp offers no TLS, exactly as without its key. This is where the well-known guide leaves a server between its steps: it deletes cert.pem first.",
		advice: "Do not delete cert.pem to have a new one made: nothing makes one.",
	},
	diagnose.CertUnreadable: {text: "xrdp reads the certificate as its own user for each connection. The file may be fine and a directory on the way to it closed."},
	diagnose.CertInvalid:    {text: "xrdp reads PEM. A DER file (.cer from Windows), an empty file or a key in the wrong place ends every handshake with \"no start line\"."},
	diagnose.CertKeyMismatch: {
		text:   "One half of a pair was replaced. xrdp logs \"Private key ... and certificate ... do not match\", and every handshake fails.",
		mend:   []Step{stepApply, do("xrdpfix cert install CERT KEY", "where you still have the other half from a CA")},
		advice: "Never paste the key anywhere to have it compared: xrdpfix cert show compares the two halves here.",
	},
	diagnose.CertExpired: {
		text: "xrdp serves an expired certificate without a word in its log. mstsc warns or stops with 0x1B07, the Mac client with 0x2104, Guacamole fails without a reason.",
		mend: []Step{stepApply, do("xrdpfix cert install CERT", "for one from a CA: apply never replaces it by a self-signed one")},
	},
	diagnose.CertNotYetValid: {
		text: "Either the certificate was made on a machine whose clock was ahead, or this machine's clock is behind.",
		mend: []Step{do("timedatectl", "is the clock right?"), stepApply},
	},
	diagnose.CertExpiring: {
		text: "It works now and will not work then. Where an ACME client renews it, the renewed pair must also reach xrdp: cert install does that as a deploy hook.",
		mend: []Step{stepApply, do("xrdpfix cert install --help", "as an ACME deploy hook")},
	},
	diagnose.CertUnsuitable: {
		text: "Clients refuse SHA-1 and MD5 signatures and certificates that are not for servers. CA:TRUE means that who trusts this certificate trusts everything that its key signs: never import such a one as a root.",
		mend: []Step{do("xrdpfix cert renew", "SHA-256, serverAuth, not a CA")},
	},
	diagnose.CertName: {
		text: "A client compares the name that its user typed with the names in the certificate. Users who connect by another name, or after the machine was renamed, are warned each time; those who cannot be asked (Guacamole) fail.",
		mend: []Step{do("xrdpfix cert renew --name desk01.example.org", "with every name that users type")},
	},
	diagnose.CertChain: {
		text: "The client gets the server's certificate but not the one that signed it, and cannot follow it to a root that it trusts.",
		mend: []Step{do("xrdpfix cert install FULLCHAIN KEY", "the fullchain.pem of your ACME client, not its cert.pem")},
	},
	diagnose.CertCopyStale:   {text: "The ACME client has renewed the certificate, and xrdp still serves the copy of the old one."},
	diagnose.CertPathMissing: {text: "An empty certificate= line means the default path; no line at all switches TLS off. Templates that drop unset variables do this.", advice: "security_layer=tls does not help: xrdp then refuses everybody."},
	diagnose.CertPathInvalid: {text: "xrdp takes only absolute paths without quotes. It logs a warning and serves the default certificate instead."},
	diagnose.CertNotServed: {
		text: "Either another program has the port (GNOME Remote Desktop, a container, a virtual machine's console), or xrdp was told to use another file. What the wire shows is what users get.",
		mend: []Step{stepCheck, do("ss -ltnp 'sport = :3389'", "which program has the port")},
	},
}
