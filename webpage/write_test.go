package webpage

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// nasty are texts as an attacker would choose them: the name in a certificate,
// a line of the log, a host's name.
var nasty = []string{
	`<script>document.title="run"</script>`,
	`"><img src="http://127.0.0.1:1/x" onerror="alert(1)">`,
	`' onmouseover='alert(1)`,
	`</style><link rel=stylesheet href=//example.org/x>`,
	`</title><base href="http://example.org/">`,
	`<meta http-equiv="refresh" content="0;url=http://example.org/">`,
	`javascript:alert(1)`,
	`{{.Tool}} ${x} <%= y %>`,
	`<!-- --><iframe srcdoc="x"></iframe>`,
	`<svg/onload=alert(1)>`,
	`}*{background:url(http://example.org/x)}`,
	"admin\u202egnp.exe\u2066",
	"bell\x07 esc\x1b[31m nul\x00 del\x7f c1\u009b",
	"not UTF-8 \xff\xfe",
	"zero\u200bwidth\ufeff",
	"&lt;b&gt; &amp; &#60;",
}

// everywhere makes a page with the text in each field that a server or a log
// can fill.
func everywhere(text string) Page {
	var p Page
	fill(reflect.ValueOf(&p).Elem(), text)
	p.Tool, p.Made = "xrdpfix devel", time.Date(2026, 11, 22, 15, 24, 40, 0, time.UTC)
	return p
}

// fill sets every string below v, in lists of two.
func fill(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), text)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), text)
		fill(v.Index(1), text)
	case reflect.Struct:
		if _, isTime := v.Interface().(time.Time); !isTime {
			for i := range v.NumField() {
				fill(v.Field(i), text)
			}
		}
	}
}

func write(t *testing.T, p Page) string {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, p); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// elements and attributes are all that a page is made of: none of them loads or
// runs anything.
var (
	elements   = strings.Fields("html head meta title style body main header footer h1 h2 h3 h4 p strong span b code pre section article div dl dt dd table thead tbody tr th td ul li wbr")
	attributes = strings.Fields("lang charset http-equiv content name class scope data-label")
)

// read parses a page, and gives its text and what does not belong there.
func read(page string) (text string, bad []string, err error) {
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, append(xml.HTMLAutoClose, "wbr"), xml.HTMLEntity
	var out strings.Builder
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out.String(), bad, nil
		}
		if err != nil {
			return "", nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if !slices.Contains(elements, token.Name.Local) {
				bad = append(bad, "element "+token.Name.Local)
			}
			for _, a := range token.Attr {
				if !slices.Contains(attributes, a.Name.Local) {
					bad = append(bad, "attribute "+a.Name.Local)
				}
				if a.Name.Local == "data-label" {
					out.WriteString(a.Value + "\n")
				}
			}
		case xml.CharData:
			out.Write(token)
			out.WriteByte('\n')
		case xml.Comment:
			bad = append(bad, "a comment")
		}
	}
}

// TestHostile: whatever the text, the page has the elements that it should have,
// the text is there as text, and nothing in it is hidden.
func TestHostile(t *testing.T) {
	for _, s := range nasty {
		page := write(t, everywhere(s))
		text, bad, err := read(page)
		if err != nil || len(bad) > 0 {
			t.Errorf("%q: %v %q", s, err, bad)
			continue
		}
		want := strings.Map(visible, strings.ToValidUTF8(s, "?"))
		// Fingerprints are split, and classes are no text.
		if n := strings.Count(text, want); n < 40 {
			t.Errorf("%q: %d times in the page, want it in every field", s, n)
		}
		if strings.ContainsFunc(page, func(r rune) bool { return r != '\n' && visible(r) != r }) {
			t.Errorf("%q: characters that hide are in the page", s)
		}
	}
}

// TestHostileCanFail: the reader of these tests sees what must not be there.
func TestHostileCanFail(t *testing.T) {
	good := write(t, everywhere("x"))
	if _, bad, err := read(good); err != nil || len(bad) > 0 {
		t.Fatalf("%v %q", err, bad)
	}
	for _, s := range []string{"<script>x</script>", `<img src="x">`, `<p onclick="x">y</p>`, `<a href="x">y</a>`, `<p style="x">y</p>`, "<!-- x -->"} {
		if _, bad, err := read(strings.Replace(good, "<main>", "<main>"+s, 1)); err != nil || len(bad) == 0 {
			t.Errorf("%s passes: %v", s, err)
		}
	}
}

// TestWhole: the page asks nobody for anything, and forbids itself to.
func TestWhole(t *testing.T) {
	page := write(t, everywhere("x"))
	policies := regexp.MustCompile(`<meta http-equiv="Content-Security-Policy" content="([^"]*)">`).FindStringSubmatch(page)
	if len(policies) != 2 || !strings.HasPrefix(policies[1], "default-src &#39;none&#39;; ") || strings.Contains(policies[1], "unsafe") || strings.Contains(policies[1], "*") {
		t.Errorf("policy %q", policies)
	}
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(page)
	if len(style) != 2 || style[1] != styleText {
		t.Fatalf("the style is not the file: its hash does not fit")
	}
	for _, loads := range []string{"url(", "@import", "@font-face", "image-set", "expression", "http"} {
		if strings.Contains(style[1], loads) {
			t.Errorf("the style has %s", loads)
		}
	}
}

// TestEmpty: what is not known has no heading.
func TestEmpty(t *testing.T) {
	page := write(t, Page{Title: "desk01", Tool: "xrdpfix", Made: time.Unix(0, 0), Servers: []Server{{Word: "OK", Tone: Good, Text: "Fine."}}})
	text, bad, err := read(page)
	if err != nil || len(bad) > 0 {
		t.Fatalf("%v %q", err, bad)
	}
	_, text, _ = strings.Cut(text, "@media print")
	_, text, _ = strings.Cut(text, "}\n}")
	if got := strings.Join(strings.Fields(text), " "); got != "desk01 OK Fine. Made by xrdpfix on 1 January 1970, 00:00 UTC." {
		t.Errorf("the page says %q", got)
	}
}

type broken struct{}

// Write fails.
func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestWriteFails(t *testing.T) {
	if err := Write(broken{}, Page{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("%v, want %v", err, io.ErrClosedPipe)
	}
}
