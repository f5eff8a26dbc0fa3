package handout

import (
	"fmt"
	"slices"
	"strings"

	"xrdpfix/internal/plaintext"
)

// Kind is a kind of client.
type Kind string

// The kinds.
const (
	Windows    Kind = "windows"
	Win7       Kind = "win7"
	MacOS      Kind = "macos"
	Mobile     Kind = "mobile"
	FreeRDP    Kind = "freerdp"
	Remmina    Kind = "remmina"
	Guacamole  Kind = "guacamole"
	KRDC       Kind = "krdc"
	ThinClient Kind = "thinclient"
)

// Kinds are all kinds with a few words each, in the order of the list.
func Kinds() []struct {
	Kind  Kind
	Title string
} {
	return []struct {
		Kind  Kind
		Title string
	}{
		{Windows, "Windows 8.1, 10 and 11, Server: mstsc"},
		{Win7, "Windows 7 and Server 2008 R2: mstsc, with TLS 1.2 turned on"},
		{MacOS, "Windows App (Microsoft Remote Desktop) on macOS"},
		{Mobile, "Windows App on iOS, iPadOS and Android"},
		{FreeRDP, "FreeRDP 2 and 3: xfreerdp"},
		{Remmina, "Remmina"},
		{Guacamole, "Apache Guacamole"},
		{KRDC, "KRDC of KDE"},
		{ThinClient, "thin clients and other devices"},
	}
}

// Step is one thing to do on the client's side.
type Step struct {
	Text string
	// Command can be pasted there; "" where the step is no command.
	Command string
	// Field: Command is not for a shell, but to be put into a field.
	Field bool
}

// File is a file for the client's side. None ever holds a key or a password.
type File struct {
	Name string
	// For says in a few words what it is for.
	For string
	// Text is what it says; Data are its bytes in the encoding that its reader
	// wants.
	Text string
	Data []byte
	// Encoding is "utf-8", "utf-8-bom" or "utf-16le".
	Encoding string
}

// Handout is what one kind of client needs.
type Handout struct {
	Kind  Kind
	Title string
	// Warnings are what is wrong with this server for such a client.
	Warnings []string
	Steps    []Step
	// Notes are what is good to know.
	Notes []string
	Files []File
}

// Make makes the handout of a kind. It fails for an unknown kind, and for names
// that no host can have (ErrName).
func Make(kind Kind, s Server) (Handout, error) {
	if err := s.check(); err != nil {
		return Handout{}, err
	}
	for _, k := range Kinds() {
		if k.Kind != kind {
			continue
		}
		h := Handout{Kind: kind, Title: k.Title, Warnings: s.warnings(kind)}
		makers[kind](&h, s)
		h.Files = append(h.Files, readme(h, s))
		return h, nil
	}
	return Handout{}, fmt.Errorf("%q is no kind of client", kind)
}

var makers = map[Kind]func(*Handout, Server){
	Windows: windows, Win7: win7, MacOS: macOS, Mobile: mobile, FreeRDP: freeRDP, Remmina: remmina,
	Guacamole: guacamole, KRDC: krdc, ThinClient: thinClient,
}

// warnings are what stands in the way on the server's side.
func (s Server) warnings(kind Kind) []string {
	var out []string
	switch {
	case s.Silent != "":
		out = append(out, "The server was not seen: "+plaintext.Line(s.Silent)+". The files hold what its configuration says. On the server: xrdpfix check")
	case s.NoTLS:
		out = append(out, "This server offers no TLS now. Mend that first: xrdpfix check, on the server.")
	case s.NLA:
		out = append(out, "This server has Network Level Authentication, so it is not xrdp: the files leave it on.")
	}
	if len(s.Certificate) > 0 && !s.NameFits() {
		out = append(out, "The certificate does not name "+s.Name+" (it names "+list(s.Names)+"): every client will warn. On the server: xrdpfix cert renew --name "+s.Name)
	}
	if s.SelfSigned && s.CA {
		out = append(out, "The certificate may sign others (CA:TRUE). Let no client import it as a root: first xrdpfix cert renew, on the server.")
	}
	if kind == Win7 && len(s.TLS) > 0 && !slices.Contains(s.TLS, "1.2") && !slices.Contains(s.TLS, "1.0") {
		out = append(out, "This server accepts TLS "+strings.Join(s.TLS, ", ")+" only, which Windows 7 has not. On the server: xrdpfix apply --profile intermediate")
	}
	return out
}

// list joins what a certificate says of itself.
func list(names []string) string {
	const most = 8
	if len(names) == 0 {
		return "nothing"
	}
	more := ""
	if len(names) > most {
		names, more = names[:most], ", ..."
	}
	return plaintext.Line(strings.Join(names, ", ")) + more
}

func (h *Handout) step(text, command string) {
	h.Steps = append(h.Steps, Step{Text: text, Command: command})
}
func (h *Handout) field(text, value string) {
	h.Steps = append(h.Steps, Step{Text: text, Command: value, Field: true})
}
func (h *Handout) note(text string) { h.Notes = append(h.Notes, text) }

func (h *Handout) file(name, purpose, text, encoding string) {
	f := File{Name: name, For: purpose, Text: text, Encoding: encoding}
	switch encoding {
	case "utf-16le":
		f.Data = utf16LE(text)
	case "utf-8-bom":
		f.Data = utf8BOM(text)
	default:
		f.Data = []byte(text)
	}
	h.Files = append(h.Files, f)
}

// certificate adds the certificate itself, as PEM, which openssl, Windows, macOS
// and Java read alike.
func (h *Handout) certificate(s Server, ext string) {
	if len(s.Certificate) > 0 {
		h.file(s.file()+ext, "the server's certificate; public", string(pemOf(s.Certificate)), "utf-8")
	}
}

// readme is the steps as a file.
func readme(h Handout, s Server) File {
	var b strings.Builder
	fmt.Fprintf(&b, "%s for %s\n\n", s.Address(), h.Title)
	if s.SHA256 != "" {
		fmt.Fprintf(&b, "The certificate must have this fingerprint:\nSHA256 %s\nSHA1   %s\n\n", plaintext.Line(s.SHA256), plaintext.Line(s.SHA1))
	}
	for _, w := range h.Warnings {
		fmt.Fprintf(&b, "Warning: %s\n\n", w)
	}
	for i, st := range h.Steps {
		fmt.Fprintf(&b, "%d. %s\n", i+1, st.Text)
		if st.Command != "" {
			fmt.Fprintf(&b, "     %s\n", st.Command)
		}
	}
	for _, n := range h.Notes {
		fmt.Fprintf(&b, "\n%s\n", n)
	}
	text := b.String()
	f := File{Name: "README.txt", For: "these steps", Text: text, Data: []byte(text), Encoding: "utf-8"}
	if h.Kind == Windows || h.Kind == Win7 { // the Notepad of Windows 7 wants both
		f.Data, f.Encoding = utf8BOM(text), "utf-8-bom"
	}
	return f
}
