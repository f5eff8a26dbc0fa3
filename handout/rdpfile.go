package handout

import "strings"

// rdp is an .rdp file. It is written as mstsc writes it, UTF-16LE with a byte
// order mark: the only form in which mstsc takes no character for another, and
// one that FreeRDP 2 and 3 read as well, and Remmina by its source. It holds what the
// connection needs and leaves the rest to the user's defaults.
//
// Microsoft documents "full address", "username", "authentication level" and
// "enablecredsspsupport" (windows-server/remote/.../clients/rdp-files); the others
// are in the files that mstsc writes, and FreeRDP reads them
// (client/common/file.c).
func (h *Handout) rdp(s Server) {
	credSSP := "0"
	if s.NLA {
		credSSP = "1"
	}
	text := rdpLine("full address", "s", s.Address()) +
		rdpLine("enablecredsspsupport", "i", credSSP) + // no NLA in released xrdp
		rdpLine("negotiate security layer", "i", "1") +
		rdpLine("enablerdsaadauth", "i", "0") + // xrdp refuses the request
		rdpLine("authentication level", "i", "2") + // warn where the certificate is not trusted
		rdpLine("prompt for credentials", "i", "1")
	if s.User != "" {
		text += rdpLine("username", "s", s.User)
	}
	h.file(s.file()+".rdp", "opens the connection", text, "utf-16le")
}

// rdpURI is the same for the apps of macOS, iOS and Android. Microsoft documents
// it for those before Windows App (remote-desktop-services/remote-desktop-uri):
// enablecredsspsupport is not among its attributes, and the prompt for
// credentials is for macOS alone.
func rdpURI(s Server, mac bool) string {
	uri := "rdp://full%20address=s:" + uriValue(s.Address())
	if mac {
		uri += "&prompt%20for%20credentials%20on%20client=i:1"
	}
	if s.User != "" {
		uri += "&username=s:" + uriValue(s.User)
	}
	return strings.ReplaceAll(uri, "%3A", ":")
}
