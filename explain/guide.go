package explain

import "strings"

// GuideStep is a step of the guide that is copied around.
type GuideStep struct {
	// Says is the step as the guide has it.
	Says string
	// Command is what it has you type, "" where it is an edit.
	Command string
	// Does is what it really does, and does not.
	Does string
	// Instead are the commands that do what is meant.
	Instead []Step
}

// Guide returns the steps of the well-known guide in their order. What they do
// was measured on xrdp 0.9.21, 0.10.1 and 0.10.6.
func Guide() []GuideStep {
	return []GuideStep{
		{
			Says:    "Set security_layer=negotiate in /etc/xrdp/xrdp.ini",
			Command: "sed -i 's/^security_layer=.*/security_layer=negotiate/' /etc/xrdp/xrdp.ini",
			Does:    "Right where the line says rdp or is missing: then TLS is never offered. Nothing where it says negotiate already, as in every package, and nothing against the usual cause, a key that xrdp cannot read. negotiate also lets xrdp drop to classic RDP security (RC4) without a word when TLS is broken, which hides the fault from old clients and turns new ones away.",
			Instead: []Step{do("xrdpfix check", "what is really wrong, with evidence"), do("xrdpfix apply --security-layer tls", "when all your clients use TLS: then a fault is loud")},
		},
		{
			Says:    "Put tls_min_version and tls_max_version under [Security] in /etc/xrdp/sesman.ini",
			Command: "sed -i '/^\\[Security\\]/a tls_min_version=TLSv1.2\\ntls_max_version=TLSv1.3' /etc/xrdp/sesman.ini",
			Does:    "Nothing. No version of xrdp reads these lines. The versions are ssl_protocols in xrdp.ini; TLS 1.0 and 1.1 need @SECLEVEL=0 in tls_ciphers besides, and a MinProtocol of the system's OpenSSL wins over both.",
			Instead: []Step{do("xrdpfix apply --profile intermediate", "TLS 1.2 and 1.3, declared there and made real in xrdp.ini"), do("xrdpfix apply --profile legacy --for 14d", "1.0 to 1.3, really accepted, for a while")},
		},
		{
			Says:    "Delete the certificate and make a new one",
			Command: "rm /etc/xrdp/cert.pem /etc/xrdp/key.pem; xrdp-keygen xrdp auto",
			Does:    "Breaks TLS. xrdp-keygen (some pages say xrdp-genkeya, which does not exist) makes rsakeys.ini, the key of classic RDP security. Nothing makes a new cert.pem, and without it xrdp offers no TLS to anybody. On Debian the deleted files were links to the machine's own pair.",
			Instead: []Step{do("xrdpfix cert show", "is anything wrong with it?"), do("xrdpfix cert renew", "a new pair in a place of its own, served by one atomic change, proved on the wire")},
		},
		{
			Says:    "Or make one with openssl req, and make the key readable",
			Command: "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 365; chmod 644 key.pem",
			Does:    "Works, and gives the key to every user of the machine. The certificate is a CA (openssl's default), so who trusts it trusts all that the key signs, has no names that clients compare (only a common name), and ends within a year.",
			Instead: []Step{do("xrdpfix cert renew", "not a CA, with names, key for xrdp alone"), do("xrdpfix cert request", "for a certificate of your own CA; the key stays here")},
		},
		{
			Says:    "Restart xrdp",
			Command: "systemctl restart xrdp",
			Does:    "Not needed: xrdp reads all of these settings anew for each connection. It costs: everybody who is connected is cut off, and running desktops are orphaned; the next login gets a new, empty one. With 0.9 the command also returns one to two seconds before the port accepts connections.",
			Instead: []Step{do("xrdpfix apply", "restarts only where a change needs it, and refuses while a desktop is live")},
		},
		{
			Says:    "Follow the log until \"TLS handshake failed\" is gone",
			Command: "tail -f /var/log/xrdp.log | grep 'TLS handshake failed'",
			Does:    "Proves nothing. xrdp never writes these words, so they are always gone. An expired certificate, and the fall back to RC4, leave no error at all; scanners and hang-ups leave errors that mean nothing.",
			Instead: []Step{do("xrdpfix log --failed", "who failed, why, and whose move it is"), do("xrdpfix probe HOST", "what a client meets, from the client's side")},
		},
	}
}

// guideEntry is the guide as one entry.
func guideEntry() Entry {
	e := Entry{
		ID: "guide", Group: GroupGuide, Title: "The well-known guide, step by step",
		Said:  []string{"the guide", "the well-known guide"},
		Text:  "Each step as it is copied around, what it does, and what to run instead. What the steps do was measured on real servers (xrdp 0.9.21, 0.10.1 and 0.10.6).",
		Find:  []Step{do("xrdpfix check", "what is really wrong, with evidence")},
		Mend:  []Step{do("xrdpfix apply", "the intent of the guide, made true and proved")},
		Known: Measured, Source: "docs/the-guide.md",
	}
	for _, s := range Guide() {
		e.Said = append(e.Said, s.Command)
	}
	return e
}

// GuideMarkdown is docs/the-guide.md.
func GuideMarkdown() string {
	var b strings.Builder
	b.WriteString("# The guide, step by step\n\nGenerated from the code by `make docs`; not edited by hand. `xrdpfix explain guide`\nprints the same.\n\n" +
		"When Remote Desktop says that security could not be negotiated, the same few steps are\npassed on. This is what each of them does, measured on real servers (xrdp 0.9.21, 0.10.1\nand 0.10.6), and what to run instead. All of it in one: `xrdpfix apply`.\n")
	for i, s := range Guide() {
		b.WriteString("\n## " + decimal(uint32(i+1)) + ". " + s.Says + "\n\n") //nolint:gosec // a handful
		if s.Command != "" {
			b.WriteString("```\n" + s.Command + "\n```\n\n")
		}
		b.WriteString(s.Does + "\n\nInstead:\n\n```\n")
		wide := 0
		for _, d := range s.Instead {
			wide = max(wide, len(d.Line))
		}
		for _, d := range s.Instead {
			b.WriteString(d.Line + strings.Repeat(" ", wide-len(d.Line)) + "    # " + d.Note + "\n")
		}
		b.WriteString("```\n")
	}
	return b.String()
}
