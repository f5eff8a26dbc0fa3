package webpage

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // for the template and the style
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"time"

	"xrdpfix/internal/plaintext"
)

//go:embed page.html
var pageText string

//go:embed style.css
var styleText string

// page is parsed once; a mistake in it fails every test.
var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"date": func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") },
	"label": func(t Table, i int) string {
		if i < len(t.Head) {
			return t.Head[i]
		}
		return ""
	},
	"groups": groups,
}).Parse(pageText))

// groups splits a fingerprint behind each eighth byte, where a line may be broken.
func groups(fingerprint string) []string {
	const group = 8 * len("00:")
	var out []string
	for len(fingerprint) > group {
		out = append(out, fingerprint[:group])
		fingerprint = fingerprint[group:]
	}
	return append(out, fingerprint)
}

// policy forbids everything but the style of the page, which is named by its
// hash: no script, no picture, no font, no frame, no form, no connection.
func policy() string {
	sum := sha256.Sum256([]byte(styleText))
	return "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// Write writes the page as HTML in UTF-8.
func Write(w io.Writer, p Page) error {
	var out bytes.Buffer
	data := struct {
		Page
		Style  template.CSS
		Policy string
	}{p, template.CSS(styleText), policy()}
	if err := page.Execute(&out, data); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	_, err := w.Write(bytes.Map(visible, out.Bytes()))
	return err
}

// visible replaces what would hide or turn text, wherever it came from:
// characters of control and of format, private ones, and what is no UTF-8.
func visible(r rune) rune {
	if r != '\n' && plaintext.Hidden(r) {
		return '?'
	}
	return r
}
