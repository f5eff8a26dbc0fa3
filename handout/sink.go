package handout

import (
	"encoding/pem"
	"encoding/xml"
	"net/url"
	"strings"
	"unicode/utf16"

	"xrdpfix/internal/plaintext"
)

// powerShell is a single-quoted string of PowerShell. The typographic single
// quotes end such a string as well, and are doubled like the straight one
// (about_Quoting_Rules).
func powerShell(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for _, r := range plaintext.Line(s) {
		switch r {
		case '\'', '\u2018', '\u2019', '\u201a', '\u201b':
			b.WriteRune(r)
		}
		b.WriteRune(r)
	}
	b.WriteByte('\'')
	return b.String()
}

// keyFile is a value of a GKeyFile, as Remmina's profiles are.
func keyFile(s string) string {
	s = strings.NewReplacer("\\", `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(strings.ToValidUTF8(s, "?"))
	s = plaintext.Line(s)
	if strings.HasPrefix(s, " ") {
		s = `\s` + s[1:]
	}
	return s
}

// xmlText is text of an element of XML.
func xmlText(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder never fails
	return b.String()
}

// uriValue is a value in the query of an rdp:// URI.
func uriValue(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// regString is a string value of a .reg file.
func regString(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(plaintext.Line(s)) + `"`
}

// regKey is a part of the path of a key, which can hold neither a backslash nor
// the bracket that ends it.
func regKey(s string) string {
	return strings.NewReplacer(`\`, "?", "]", "?", "[", "?").Replace(plaintext.Line(s))
}

// rdpLine is a line of an .rdp file: name, type and value.
func rdpLine(name, kind, value string) string {
	return name + ":" + kind + ":" + plaintext.Line(value) + "\n"
}

// utf16LE is text as Windows' own programs save it: UTF-16LE with a byte order
// mark, lines ended by CR LF.
func utf16LE(text string) []byte {
	out := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(strings.ReplaceAll(text, "\n", "\r\n"))) {
		out = append(out, byte(u), byte(u>>8))
	}
	return out
}

// utf8BOM is text as Windows PowerShell 5.1 reads it right: without the byte
// order mark it would take it for the system's code page.
func utf8BOM(text string) []byte {
	return append([]byte{0xef, 0xbb, 0xbf}, strings.ReplaceAll(text, "\n", "\r\n")...)
}

func pemOf(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
