package handout

import (
	"bytes"
	"encoding/pem"
	"encoding/xml"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"xrdpfix/internal/plaintext"
)

// desk is a server with everything known about it.
func desk() Server {
	return Server{
		Name: "desk01.example.org", Port: 3390, User: "anna", Certificate: []byte{0x30, 0x00}, Names: []string{"desk01.example.org", "192.0.2.10"},
		SHA256: "AA:BB:0C", SHA1: "11:22:AA", SelfSigned: true, ServerAuth: true, TLS: []string{"1.2", "1.3"},
	}
}

func make1(t *testing.T, kind Kind, s Server) Handout {
	t.Helper()
	h, err := Make(kind, s)
	if err != nil {
		t.Fatalf("Make(%s): %v", kind, err)
	}
	return h
}

func (h Handout) text(name string) string {
	for _, f := range h.Files {
		if f.Name == name {
			return f.Text
		}
	}
	return ""
}

// TestEveryKind: steps, a file of them, names of files that every system takes,
// ASCII, and the one thing that matters: the address.
func TestEveryKind(t *testing.T) {
	for _, k := range Kinds() {
		h := make1(t, k.Kind, desk())
		if len(h.Steps) == 0 || h.Title == "" || len(h.Files) == 0 {
			t.Fatalf("%s: %+v", k.Kind, h)
		}
		var all strings.Builder
		for _, f := range h.Files {
			if strings.Trim(f.Name, "abcdefghijklmnopqrstuvwxyzREADM0123456789.-") != "" || f.For == "" || len(f.Data) == 0 {
				t.Errorf("%s: file %q for %q, %d bytes", k.Kind, f.Name, f.For, len(f.Data))
			}
			if strings.ContainsFunc(f.Text, func(r rune) bool { return r > '~' }) {
				t.Errorf("%s: %s is not ASCII", k.Kind, f.Name)
			}
			if strings.Contains(strings.ToLower(f.Text), "private key") || strings.Contains(f.Text, "password 51") {
				t.Errorf("%s: %s speaks of a key or a password", k.Kind, f.Name)
			}
			all.WriteString(f.Text)
		}
		if !strings.Contains(all.String(), "desk01.example.org:3390") && !strings.Contains(all.String(), "<param name=\"port\">3390") {
			t.Errorf("%s does not say where to connect", k.Kind)
		}
		if readme := h.text("README.txt"); !strings.Contains(readme, "AA:BB:0C") || !strings.Contains(readme, h.Steps[0].Text) {
			t.Errorf("%s: README.txt:\n%s", k.Kind, readme)
		}
	}
	if _, err := Make("toaster", desk()); err == nil {
		t.Error("a toaster gets a handout")
	}
}

func TestRDPFile(t *testing.T) {
	h := make1(t, Windows, desk())
	want := "full address:s:desk01.example.org:3390\nenablecredsspsupport:i:0\nnegotiate security layer:i:1\nenablerdsaadauth:i:0\n" +
		"authentication level:i:2\nprompt for credentials:i:1\nusername:s:anna\n"
	if got := h.text("desk01.example.org.rdp"); got != want {
		t.Errorf("the .rdp file is\n%swant\n%s", got, want)
	}
	for _, f := range h.Files {
		if strings.HasSuffix(f.Name, ".rdp") && (f.Encoding != "utf-16le" || !bytes.HasPrefix(f.Data, []byte{0xff, 0xfe})) {
			t.Errorf("%s is %s", f.Name, f.Encoding)
		}
	}
}

func TestAddress(t *testing.T) {
	for _, tt := range []struct {
		name       string
		port       uint16
		want, file string
	}{
		{"desk01", 3389, "desk01", "desk01"},
		{"desk01.", 3390, "desk01.:3390", "desk01"},
		{"192.0.2.10", 3390, "192.0.2.10:3390", "192.0.2.10"},
		{"2001:db8::1", 3389, "2001:db8::1", "2001-db8--1"},
		{"2001:db8::1", 3390, "[2001:db8::1]:3390", "2001-db8--1"},
	} {
		s := Server{Name: tt.name, Port: tt.port}
		if s.Address() != tt.want || s.file() != tt.file {
			t.Errorf("%s port %d: %s, file %s", tt.name, tt.port, s.Address(), s.file())
		}
	}
}

// TestHostileNames: what no host can be called makes no file at all, and what a
// certificate says about itself stays text.
func TestHostileNames(t *testing.T) {
	for _, name := range append(slices.Clone(hostile), "", "a..b", "-a", "a/b", "../x", "fe80::1%eth0", strings.Repeat("a", 64)) {
		if _, err := Make(Windows, Server{Name: name, Port: 3389}); !errors.Is(err, ErrName) {
			t.Errorf("the name %q: %v", name, err)
		}
	}
	for _, user := range []string{"a\nb", "a\x00", "\u202e"} {
		if _, err := Make(Windows, Server{Name: "desk01", Port: 3389, User: user}); !errors.Is(err, ErrName) {
			t.Errorf("the user %q: %v", user, err)
		}
	}
	for _, h := range hostile {
		s := desk()
		if s.SHA256 = h; s.check() == nil {
			t.Errorf("%q passes as a fingerprint", h)
		}
		s.Names, s.SHA256, s.Silent = []string{h}, desk().SHA256, h
		if plaintext.Line(h) == h {
			s.User = h
		}
		for _, k := range Kinds() {
			got := make1(t, k.Kind, s)
			for _, f := range got.Files {
				if strings.ContainsAny(f.Text, "\r\x00\x1b\a\u0085\u2028\u202e") {
					t.Errorf("%s of %s has %q as it is", f.Name, k.Kind, h)
				}
			}
			if rdp := got.text("desk01.example.org.rdp"); strings.Contains(rdp, "\npassword") || strings.Contains(rdp, "\nalternate shell") {
				t.Errorf("%q adds a line to the .rdp file:\n%s", h, rdp)
			}
			if ini := got.text("desk01.example.org.remmina"); strings.Count(ini, "\n") > 10 {
				t.Errorf("%q adds a line to the profile:\n%s", h, ini)
			}
			if x := got.text("desk01.example.org-guacamole.xml"); x != "" {
				var c struct {
					Params []struct {
						Name string `xml:"name,attr"`
					} `xml:"param"`
				}
				if err := xml.Unmarshal([]byte(x), &c); err != nil || len(c.Params) > 6 {
					t.Errorf("%q makes %d parameters (%v):\n%s", h, len(c.Params), err, x)
				}
			}
		}
	}
}

// TestTrust: only a certificate that can sign no other is ever put among the
// trusted roots, and what takes it back lies beside it.
func TestTrust(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Server)
		trust  bool
	}{
		{"self-signed, serverAuth, no CA", func(*Server) {}, true},
		{"a CA", func(s *Server) { s.CA = true }, false},
		{"not for servers", func(s *Server) { s.ServerAuth = false }, false},
		{"from a CA", func(s *Server) { s.SelfSigned = false }, false},
		{"not known", func(s *Server) { s.Certificate = nil }, false},
	} {
		s := desk()
		tt.change(&s)
		for _, kind := range []Kind{Windows, Win7} {
			h := make1(t, kind, s)
			if got := h.text("trust.ps1") != ""; got != tt.trust {
				t.Errorf("%s, %s: trust.ps1 %t", kind, tt.name, got)
			}
			if (h.text("trust.ps1") != "") != (h.text("untrust.ps1") != "") {
				t.Errorf("%s, %s: one script without the other", kind, tt.name)
			}
		}
		mac := make1(t, MacOS, s)
		if got := strings.Contains(mac.text("README.txt"), "add-trusted-cert"); got != tt.trust {
			t.Errorf("macOS, %s: add-trusted-cert %t", tt.name, got)
		}
	}
	s := desk()
	s.CA = true
	if h := make1(t, Windows, s); len(h.Warnings) != 1 || !strings.Contains(h.Warnings[0], "CA:TRUE") {
		t.Errorf("a CA: %q", h.Warnings)
	}
	block, _ := pem.Decode(make1(t, Windows, desk()).Files[1].Data)
	if block == nil || block.Type != "CERTIFICATE" || !bytes.Equal(block.Bytes, desk().Certificate) {
		t.Errorf("the certificate reads back as %+v", block)
	}
}

func TestWarnings(t *testing.T) {
	for _, tt := range []struct {
		kind   Kind
		change func(*Server)
		want   string
	}{
		{Windows, func(s *Server) { s.Name = "other" }, "does not name other (it names desk01.example.org, 192.0.2.10)"},
		{Windows, func(s *Server) { s.NoTLS = true }, "offers no TLS"},
		{Windows, func(s *Server) { s.NLA = true }, "not xrdp"},
		{Windows, func(s *Server) { s.Silent = "connection refused" }, "connection refused"},
		{Win7, func(s *Server) { s.TLS = []string{"1.3"} }, "Windows 7 has not"},
	} {
		s := desk()
		tt.change(&s)
		if h := make1(t, tt.kind, s); len(h.Warnings) != 1 || !strings.Contains(h.Warnings[0], tt.want) {
			t.Errorf("%s: warnings %q, want %q", tt.kind, h.Warnings, tt.want)
		}
	}
	if h := make1(t, Windows, desk()); len(h.Warnings) > 0 {
		t.Errorf("a good server: %q", h.Warnings)
	}
	wild := desk()
	wild.Names = []string{"*.example.org"}
	if !wild.NameFits() {
		t.Error("a wildcard fits nothing")
	}
}

// TestFreeRDPScript runs the script with a program in the place of xfreerdp that
// prints its arguments.
func TestFreeRDPScript(t *testing.T) {
	s := desk()
	s.User = "DOM\\anna o'neil $(reboot)"
	h := make1(t, FreeRDP, s)
	dir := t.TempDir()
	script := filepath.Join(dir, "connect.sh")
	for name, text := range map[string]string{script: h.text("desk01.example.org.sh"), filepath.Join(dir, "xfreerdp"): "#!/bin/sh\nprintf '<%s>' \"$@\"\n"} {
		if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("/bin/sh", script, "+auth-only")
	cmd.Env = []string{"PATH=" + dir}
	out, err := cmd.CombinedOutput()
	want := "</v:desk01.example.org:3390></sec:tls></cert:fingerprint:sha256:aa:bb:0c></u:" + s.User + "><+auth-only>"
	if err != nil || string(out) != want {
		t.Errorf("the script runs %q (%v), want %q", out, err, want)
	}
}

// FuzzMake: whatever a network says, the files keep their shape.
func FuzzMake(f *testing.F) {
	for _, h := range hostile {
		f.Add("desk01", h, h)
		f.Add(h, "anna", "desk01")
	}
	f.Fuzz(func(t *testing.T, name, user, certName string) {
		s := desk()
		s.Name, s.User, s.Names = name, user, []string{certName}
		for _, k := range Kinds() {
			h, err := Make(k.Kind, s)
			if err != nil {
				if !errors.Is(err, ErrName) {
					t.Fatal(err)
				}
				return
			}
			for _, file := range h.Files {
				if strings.ContainsAny(file.Text, "\r\x00\x1b\a\u0085\u2028\u202e") || strings.ContainsAny(file.Name, "/\\:\n") {
					t.Fatalf("%s of %s: %q", file.Name, k.Kind, file.Text)
				}
				if strings.HasSuffix(file.Name, ".rdp") && strings.Count(file.Text, "\n") > 7 {
					t.Fatalf("the .rdp file has more lines than were written:\n%s", file.Text)
				}
			}
		}
	})
}
