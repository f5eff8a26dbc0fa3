package handout

import (
	"strconv"
	"strings"

	"xrdpfix/internal/plaintext"
)

func macOS(h *Handout, s Server) {
	h.rdp(s)
	h.certificate(s, ".cer")
	h.field("In Windows App: Connections, Import from RDP file, and choose "+s.file()+".rdp. Or open this address in a browser (documented for the app's predecessor):", rdpURI(s, true))
	h.step("When the app says that the certificate could not be verified, Show Certificate, Details, compare the fingerprint, then Continue.", "")
	if s.Trustable() {
		h.step("To have all users of the Mac trust this one certificate, in a terminal:", "sudo security add-trusted-cert -d -r trustRoot -p ssl -k /Library/Keychains/System.keychain "+plaintext.ShellWord(s.file()+".cer"))
		h.step("And to take it back:", "sudo security remove-trusted-cert -d "+plaintext.ShellWord(s.file()+".cer"))
	}
	h.note("Error 0x2104 is about TLS or the certificate, 0x204 about the network (System Settings, Privacy & Security, Local Network must allow the app): xrdpfix explain 0x2104.")
	h.note("The steps for the keychain were not tried on a Mac by the makers of this file.")
}

func mobile(h *Handout, s Server) {
	h.rdp(s)
	h.certificate(s, ".cer")
	h.field("In Windows App: add a PC, with this PC name:", s.Address())
	h.field("Or open this address on the device (documented for the app's predecessors on iOS and Android):", rdpURI(s, false))
	h.step("When the app asks about the certificate, compare the fingerprint, then connect.", "")
	h.note("Send users the fingerprint another way than the file, or read it out.")
	h.note("An app that says that the certificate is not valid for this name needs a certificate with the name that is typed: xrdpfix cert renew --name " + s.Name + ", on the server.")
}

// fingerprintOption is FreeRDP's way to accept one certificate and no other.
func fingerprintOption(s Server) string {
	if s.SHA256 == "" {
		return "/cert:tofu"
	}
	return "/cert:fingerprint:sha256:" + strings.ToLower(s.SHA256)
}

func freeRDPCommand(program string, s Server) string {
	words := []string{"/v:" + s.hostPort(), "/sec:" + security(s), fingerprintOption(s)}
	if s.User != "" {
		words = append(words, "/u:"+s.User)
	}
	for i, w := range words {
		words[i] = plaintext.ShellWord(w)
	}
	return program + " " + strings.Join(words, " ")
}

// security is the word of FreeRDP, Remmina and Guacamole.
func security(s Server) string {
	if s.NLA {
		return "nla"
	}
	return "tls"
}

func (s Server) hostPort() string {
	if a := s.Address(); s.Port != 3389 {
		return a
	} else if strings.Contains(s.Name, ":") {
		return "[" + s.Name + "]"
	}
	return s.Name
}

func freeRDP(h *Handout, s Server) {
	h.rdp(s)
	h.certificate(s, ".pem")
	h.file(s.file()+".sh", "the command, for a shell", "#!/bin/sh\n# Connects to "+plaintext.Line(s.Address())+" over TLS, and to nobody who has another certificate.\n"+
		"for program in xfreerdp3 xfreerdp; do\n\tif command -v \"$program\" >/dev/null; then\n\t\texec "+freeRDPCommand(`"$program"`, s)+" \"$@\"\n\tfi\ndone\necho 'no xfreerdp here' >&2\nexit 127\n", "utf-8")
	h.step("FreeRDP 3; the fingerprint takes the place of the question:", freeRDPCommand("xfreerdp3", s))
	h.step("FreeRDP 2, the same:", freeRDPCommand("xfreerdp", s))
	h.step("Or with the .rdp file; FreeRDP then asks once about the certificate and remembers it:", "xfreerdp "+plaintext.ShellWord("./"+s.file()+".rdp"))
	h.note("When FreeRDP says that the host key has changed after a renewal: FreeRDP 2 keeps it in ~/.config/freerdp/known_hosts2 (a line), FreeRDP 3 in ~/.config/freerdp/server (a file).")
	h.note("/cert:ignore takes any certificate, /sec:rdp gives TLS up: neither mends anything. What an error means: xrdpfix explain ERRCONNECT_TLS_CONNECT_FAILED")
}

func remmina(h *Handout, s Server) {
	server := s.hostPort()
	text := "[remmina]\nname=" + keyFile(s.Name) + "\ngroup=\nprotocol=RDP\nserver=" + keyFile(server) + "\nusername=" + keyFile(s.User) +
		"\nsecurity=" + security(s) + "\ncert_ignore=0\n"
	h.file(s.file()+".remmina", "a profile", text, "utf-8")
	h.rdp(s)
	h.certificate(s, ".pem")
	h.step("Connect with the profile:", "remmina -c "+plaintext.ShellWord("./"+s.file()+".remmina"))
	h.step("Or keep it, so that it is in Remmina's list:", "cp "+plaintext.ShellWord("./"+s.file()+".remmina")+" ~/.local/share/remmina/")
	h.step("When Remmina asks about the certificate, compare the fingerprint, then accept.", "")
	h.note("\"Ignore certificate\" takes any, and \"TLS Security Level\" 0 is for servers with TLS 1.0 only: leave both.")
	h.note("remmina --debug shows what FreeRDP says beneath; xrdpfix explain knows the words.")
}

func guacamole(h *Handout, s Server) {
	params := [][2]string{{"hostname", s.Name}, {"port", strconv.Itoa(int(s.Port))}, {"security", security(s)}, {"ignore-cert", "false"}}
	if s.SHA256 != "" {
		params = append(params, [2]string{"cert-fingerprints", "sha256:" + strings.ToLower(s.SHA256)})
	}
	if s.User != "" {
		params = append(params, [2]string{"username", s.User})
	}
	xml := "<!-- A connection of user-mapping.xml; in a database the same names and values. -->\n<connection name=\"" + xmlText(s.Name) + "\">\n    <protocol>rdp</protocol>\n"
	var lines string
	for _, p := range params {
		xml += "    <param name=\"" + p[0] + "\">" + xmlText(p[1]) + "</param>\n"
		lines += plaintext.Line(p[0]+"="+p[1]) + "\n"
	}
	h.file(s.file()+"-guacamole.xml", "a connection of user-mapping.xml", xml+"</connection>\n", "utf-8")
	h.file(s.file()+"-guacamole.txt", "the same parameters, to type into the web page", lines, "utf-8")
	h.certificate(s, ".pem")
	for _, p := range params {
		h.field("Parameter "+p[0]+":", p[1])
	}
	h.note("guacd cannot ask its user about a certificate: one that it does not trust is a plain failure (519). cert-fingerprints (Guacamole 1.6.0 and later) pins this one; an older guacd passes over it and still fails.")
	h.note("Then let the host of guacd trust it: put the .pem into /usr/local/share/ca-certificates (named .crt) and run update-ca-certificates there, for a certificate of a CA that CA's. ignore-cert=true is the last resort: guacd then gives the password to whoever answers.")
	h.note("After a renewal the new fingerprint must come here: xrdpfix client guacamole again.")
}

func krdc(h *Handout, s Server) {
	h.certificate(s, ".pem")
	user := ""
	if s.User != "" {
		user = uriValue(s.User) + "@"
	}
	h.step("Connect:", "krdc "+plaintext.ShellWord("rdp://"+user+s.hostPort()))
	h.field("In the window \"Host Configuration\", or later in the settings of the connection, where the version has the field \"Extra options\" (it starts xfreerdp):", "/sec:"+security(s))
	h.step("These versions (22.12 of Debian 12 is one) take any certificate without a word: they add /cert-ignore, and a fingerprint among the extra options has no effect. To have it looked at, use FreeRDP instead:", freeRDPCommand("xfreerdp", s))
	h.note("Newer versions of KRDC (from 24.02 on) use FreeRDP's library and ask in a window; a blue window after the server was renamed is reported. Of these versions none was run by the makers of this file.")
}

func thinClient(h *Handout, s Server) {
	h.rdp(s)
	h.certificate(s, ".cer")
	h.field("Address:", s.Address())
	h.step("Security: TLS, with Network Level Authentication (NLA, CredSSP) off. Names that devices have for it: \"Enable NLA\", \"Network Level Authentication\", \"CredSSP\".", "")
	h.step("TLS: the device needs TLS "+orDefault(strings.Join(s.TLS, " or "), "1.2")+". Older ones know TLS 1.0 only: ask the maker for newer firmware.", "")
	h.step("Certificate: import "+s.file()+".cer, or allow the device to connect with a warning; \"security policy high\" means that it must be imported.", "")
	h.note("If the device cannot learn TLS 1.2 and must connect for now, on the server: xrdpfix apply --profile legacy --for 14d. It lets TLS 1.0 in for a while and ends by itself.")
	h.note("What the device met stands in the server's log: xrdpfix log --failed")
	h.note("The words of each maker's configuration files are not documented here: they differ by firmware.")
}

func orDefault(s, def string) string {
	if s == "" {
		return def
	}
	return s
}
