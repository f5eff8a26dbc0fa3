package handout

import (
	"bytes"
	"encoding/xml"
	"os/exec"
	"strings"
	"testing"
	"unicode/utf16"

	"xrdpfix/internal/plaintext"
)

// hostile is what a certificate or a user could be called.
var hostile = []string{
	"desk01\r\npassword 51:b:01\r\n", "desk01\nalternate shell:s:calc.exe", "'; Remove-Item C:\\ -Recurse; '", "\u2019; calc; \u2018", "$(reboot)", "`reboot`",
	"a'b\"c\\d", "\x00\x1b[2J\x07", "\u202egnp.exe", "\u2028next", "\u0085next", "]\r\n[HKEY_LOCAL_MACHINE\\SAM]", "x --> <param name=\"ignore-cert\">true</param>", "&amp;<&>", " leading", "a%0Ab", "-oProxy=x", "\xff\xfe",
}

// TestLine: nothing that ends a line, moves a cursor or turns writing around.
func TestLine(t *testing.T) {
	for _, h := range hostile {
		got := plaintext.Line(h)
		if strings.ContainsAny(got, "\r\n\x00\x1b\x07\u0085\u2028\u202e") {
			t.Errorf("plaintext.Line(%q) = %q", h, got)
		}
	}
	if got := plaintext.Line("M\u00fcller desk-01"); got != "M\u00fcller desk-01" {
		t.Errorf("Line changes %q", got)
	}
}

// TestPowerShell reads the string back by the rules of about_Quoting_Rules: any of
// five quotes ends it, two of them are one.
func TestPowerShell(t *testing.T) {
	quotes := "'\u2018\u2019\u201a\u201b"
	for _, h := range hostile {
		lit := powerShell(h)
		body := []rune(lit)
		if body[0] != '\'' || body[len(body)-1] != '\'' {
			t.Fatalf("powerShell(%q) = %q", h, lit)
		}
		var back []rune
		for i := 1; i < len(body)-1; i++ {
			if strings.ContainsRune(quotes, body[i]) {
				if i++; i >= len(body)-1 || !strings.ContainsRune(quotes, body[i]) {
					t.Fatalf("powerShell(%q) = %q ends early", h, lit)
				}
			}
			back = append(back, body[i])
		}
		if string(back) != plaintext.Line(h) {
			t.Errorf("powerShell(%q) reads back as %q", h, string(back))
		}
	}
}

// TestShell has a real shell read the word back.
func TestShell(t *testing.T) {
	for _, h := range append(hostile, "", "plain", "two words", "/cert:fingerprint:sha256:aa:bb") {
		word := plaintext.ShellWord(h)
		out, err := exec.Command("sh", "-c", "printf %s "+word).Output()
		if want := strings.ReplaceAll(h, "\x00", ""); err != nil || string(out) != want {
			t.Errorf("a shell reads %q of %s as %q (%v)", h, word, out, err)
		}
	}
}

func TestXMLText(t *testing.T) {
	for _, h := range hostile {
		dec := xml.NewDecoder(strings.NewReader("<a>" + xmlText(h) + "</a>"))
		dec.Strict = true
		var got struct {
			Text  string `xml:",chardata"`
			Inner []struct {
				XMLName xml.Name
			} `xml:",any"`
		}
		if err := dec.Decode(&got); err != nil || len(got.Inner) > 0 {
			t.Errorf("xmlText(%q): %v, elements %v", h, err, got.Inner)
		}
	}
}

// TestKeyFile: a value stays one line, and GLib's escapes read back.
func TestKeyFile(t *testing.T) {
	unescape := strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r", `\t`, "\t", `\s`, " ")
	for _, h := range hostile {
		v := keyFile(h)
		if strings.ContainsAny(v, "\r\n") || strings.HasPrefix(v, " ") {
			t.Errorf("keyFile(%q) = %q", h, v)
		}
		if back := unescape.Replace(v); plaintext.Line(back) != plaintext.Line(strings.ToValidUTF8(h, "?")) {
			t.Errorf("keyFile(%q) reads back as %q", h, back)
		}
	}
}

func TestRegistry(t *testing.T) {
	for _, h := range hostile {
		if k := regKey(h); strings.ContainsAny(k, "\\[]\r\n") {
			t.Errorf("regKey(%q) = %q", h, k)
		}
		v := regString(h)
		inner := strings.NewReplacer(`\\`, "", `\"`, "").Replace(v[1 : len(v)-1])
		if v[0] != '"' || v[len(v)-1] != '"' || strings.ContainsAny(inner, "\"\\\r\n") {
			t.Errorf("regString(%q) = %s", h, v)
		}
	}
}

// TestRDPLine: one line of three parts, whatever the value.
func TestRDPLine(t *testing.T) {
	for _, h := range hostile {
		l := rdpLine("username", "s", h)
		if strings.Count(l, "\n") != 1 || !strings.HasPrefix(l, "username:s:") || strings.Contains(l, "\r") {
			t.Errorf("rdpLine(%q) = %q", h, l)
		}
	}
}

func TestURIValue(t *testing.T) {
	for _, h := range hostile {
		if v := uriValue(h); strings.ContainsAny(v, "&=?#\r\n '\"<>+") {
			t.Errorf("uriValue(%q) = %q", h, v)
		}
	}
}

// TestUTF16 reads the bytes back.
func TestUTF16(t *testing.T) {
	const text = "user:s:M\u00fcller \U0001F600\nend\n"
	data := utf16LE(text)
	if !bytes.HasPrefix(data, []byte{0xff, 0xfe}) || len(data)%2 != 0 {
		t.Fatalf("%x has no byte order mark", data)
	}
	var units []uint16
	for i := 2; i < len(data); i += 2 {
		units = append(units, uint16(data[i])|uint16(data[i+1])<<8)
	}
	if got := string(utf16.Decode(units)); got != strings.ReplaceAll(text, "\n", "\r\n") {
		t.Errorf("reads back as %q", got)
	}
}
