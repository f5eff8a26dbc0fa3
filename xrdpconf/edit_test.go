package xrdpconf

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEdit(t *testing.T) {
	set := func(key, value string) Change { return Change{Section: "Globals", Key: key, Value: value} }
	sec := func(key, value string) Change { return Change{Section: "Security", Key: key, Value: value} }
	del := func(section, key string) Change { return Change{Section: section, Key: key, Delete: true} }
	tests := []struct {
		name, file, text string
		changes          []Change
		want             string
	}{
		// Replacing a value.
		{"value only", "xrdp.ini", "[Globals]\na = old  ; why\nb=2\n", []Change{set("a", "new")}, "[Globals]\na = new  ; why\nb=2\n"},
		{"comment without blank", "xrdp.ini", "[Globals]\na=tls#x\n", []Change{set("a", "rdp")}, "[Globals]\na=rdp#x\n"},
		{"last live line", "xrdp.ini", "[Globals]\na=1\nA=2\n[globals]\na=3\n", []Change{set("a", "9")}, "[Globals]\na=1\nA=9\n[globals]\na=3\n"},
		{"CRLF and no last newline", "xrdp.ini", "[Globals]\r\na=1\r\nb=2", []Change{set("b", "3")}, "[Globals]\r\na=1\r\nb=3"},
		{"empty value", "xrdp.ini", "[Globals]\ncertificate=\n", []Change{set("certificate", "/c")}, "[Globals]\ncertificate=/c\n"},
		{"empty value, spaced", "xrdp.ini", "[Globals]\ncertificate = \n", []Change{set("certificate", "/c")}, "[Globals]\ncertificate = /c\n"},
		{"empty value, spaced, trimmed", "xrdp.ini", "[Globals]\ncertificate =\n", []Change{set("certificate", "/c")}, "[Globals]\ncertificate =/c\n"},
		{"empty value, comment", "xrdp.ini", "[Globals]\ncertificate=   ; c\n", []Change{set("certificate", "/c")}, "[Globals]\ncertificate=/c   ; c\n"},
		{"no equals", "xrdp.ini", "[Globals]\ncertificate  # c\n", []Change{set("certificate", "/c")}, "[Globals]\ncertificate=/c  # c\n"},
		{"to empty", "xrdp.ini", "[Globals]\na = 1 # c\n", []Change{set("a", "")}, "[Globals]\na =  # c\n"},
		{"same value", "xrdp.ini", "[Globals]\na =  1 \n", []Change{set("a", "1")}, "[Globals]\na =  1 \n"},
		{"over an environment", "xrdp.ini", "[Globals]\na=$X\n", []Change{set("a", "1")}, "[Globals]\na=1\n"},
		{"behind a NUL", "xrdp.ini", "[Globals]\na=1\x00x\n", []Change{set("a", "2")}, "[Globals]\na=2\x00x\n"},
		{"list sections stay", "sesman.ini", "[Globals]\n[Xorg]\nparam=Xorg\nparam=-config\n  # c\n[Security]\ntls_min_version=1.0\n", []Change{sec("tls_min_version", "1.2")}, "[Globals]\n[Xorg]\nparam=Xorg\nparam=-config\n  # c\n[Security]\ntls_min_version=1.2\n"},

		// Inserting a key.
		{"between its relatives", "xrdp.ini", "[Globals]\nport=1\ncertificate=/c\nx=1\n\n[Xorg]\n", []Change{set("key_file", "/k")}, "[Globals]\nport=1\ncertificate=/c\nkey_file=/k\nx=1\n\n[Xorg]\n"},
		{"above a relative", "xrdp.ini", "[Globals]\nx=1\n\nkey_file=/k\n", []Change{set("certificate", "/c")}, "[Globals]\nx=1\n\ncertificate=/c\nkey_file=/k\n"},
		{"above the comment of a relative", "xrdp.ini", "[Globals]\nport=1\n\n; minimum security level allowed\n; can be none\ncrypt_level=high\n", []Change{set("security_layer", "tls")}, "[Globals]\nport=1\n\nsecurity_layer=tls\n; minimum security level allowed\n; can be none\ncrypt_level=high\n"},
		{"below its description", "xrdp.ini", "[Globals]\nport=1\n\n; security layer can be x\n; for all\n\ncrypt_level=high\n", []Change{set("security_layer", "tls")}, "[Globals]\nport=1\n\n; security layer can be x\n; for all\nsecurity_layer=tls\n\ncrypt_level=high\n"},
		{"below its commented line", "xrdp.ini", "[Globals]\n; minimum = none\n#tls_ciphers=HIGH\nx=1\nssl_protocols=TLSv1.2\n", []Change{set("tls_ciphers", "ALL")}, "[Globals]\n; minimum = none\n#tls_ciphers=HIGH\ntls_ciphers=ALL\nx=1\nssl_protocols=TLSv1.2\n"},
		{"spacing of its surroundings", "xrdp.ini", "[Globals]\ncertificate = /c\n", []Change{set("key_file", "/k")}, "[Globals]\ncertificate = /c\nkey_file = /k\n"},
		{"end of the section", "sesman.ini", "[Globals]\n[Security]\na=1\n; note\n\n; about sessions\n[Sessions]\n", []Change{sec("tls_min_version", "1.2"), sec("tls_max_version", "1.3")}, "[Globals]\n[Security]\na=1\n; note\ntls_min_version=1.2\ntls_max_version=1.3\n\n; about sessions\n[Sessions]\n"},
		{"not below the comment of the next header", "sesman.ini", "[Globals]\n[Security]\na=1\n; about sessions\n[Sessions]\n", []Change{sec("tls_min_version", "1.2")}, "[Globals]\n[Security]\na=1\ntls_min_version=1.2\n; about sessions\n[Sessions]\n"},
		{"empty section", "sesman.ini", "[Globals]\n[Security]\n\n[Sessions]\n", []Change{sec("tls_min_version", "1.2")}, "[Globals]\n[Security]\ntls_min_version=1.2\n\n[Sessions]\n"},
		{"no last newline", "sesman.ini", "[Globals]\r\n[Security]\r\na=1", []Change{sec("tls_min_version", "1.2")}, "[Globals]\r\n[Security]\r\na=1\r\ntls_min_version=1.2"},
		{"CR", "sesman.ini", "[Globals]\r[Security]\ra=1\r", []Change{sec("tls_min_version", "1.2")}, "[Globals]\r[Security]\ra=1\rtls_min_version=1.2\r"},
		{"with a comment", "sesman.ini", "[Globals]\n[Security]\na=1\n", []Change{{Section: "Security", Key: "tls_min_version", Value: "1.2", Comment: "takes effect as\nssl_protocols"}}, "[Globals]\n[Security]\na=1\n; takes effect as\n; ssl_protocols\ntls_min_version=1.2\n"},
		{"new section", "sesman.ini", "[Globals]\na=1\n", []Change{sec("tls_min_version", "1.2"), sec("tls_max_version", "1.3")}, "[Globals]\na=1\n\n[Security]\ntls_min_version=1.2\ntls_max_version=1.3\n"},
		{"new section, no last newline", "sesman.ini", "[Globals]\r\na=1", []Change{sec("tls_min_version", "1.2")}, "[Globals]\r\na=1\r\n\r\n[Security]\r\ntls_min_version=1.2\r\n"},
		{"before a bracket line", "xrdp.ini", "[Globals]\nport=1\nls_title=[x]\nb=2\n", []Change{set("security_layer", "tls")}, "[Globals]\nport=1\nsecurity_layer=tls\nls_title=[x]\nb=2\n"},

		// Deleting.
		{"all live lines", "xrdp.ini", "[Globals]\na=1\nb=2\nA=3\n[globals]\na=4\n", []Change{del("Globals", "a")}, "[Globals]\nb=2\n[globals]\na=4\n"},
		{"last line", "xrdp.ini", "[Globals]\nb=2\na=1", []Change{del("Globals", "a")}, "[Globals]\nb=2\n"},
		{"missing", "xrdp.ini", "[Globals]\nb=2\n", []Change{del("Globals", "a"), del("x", "a")}, "[Globals]\nb=2\n"},
		{"argument", "sesman.ini", "[Globals]\n[Xorg]\nparam=X\ntls_min_version=1.2\nparam=-a\n", []Change{del("Xorg", "tls_min_version")}, "[Globals]\n[Xorg]\nparam=X\nparam=-a\n"},
		{"with its comment", "sesman.ini", "[Globals]\n[Security]\n; note\n; c\ntls_min_version=1.2\n", []Change{{Section: "Security", Key: "tls_min_version", Delete: true, Comment: "c"}}, "[Globals]\n[Security]\n; note\n"},

		// Sections and cuts.
		{"a section of no use", "xrdp.ini", "[Globals]\na=1\n\n# TLS\n[Security]\ntls_min_version=1.2\n  # c\n\n[Xorg]\nb=1\n[security]\nx=1\n", []Change{{Section: "Security", Delete: true}}, "[Globals]\na=1\n\n# TLS\n\n[Xorg]\nb=1\n"},
		{"despite a bracket", "xrdp.ini", "[Globals]\nport=1\nls_title=[x]\nsecurity_layer=rdp\n", []Change{{Section: "Globals", Key: "security_layer", Value: "tls", DespiteCut: true}}, "[Globals]\nport=1\nsecurity_layer=tls\nls_title=[x]\nsecurity_layer=rdp\n"},
		{"no blanks around letters outside ASCII", "xrdp.ini", "[Globals]\na = 1\n", []Change{set("certificate", "/\u00fc")}, "[Globals]\na = 1\ncertificate=/\u00fc\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := Parse(tt.file, []byte(tt.text))
			got, err := f.Edit(tt.changes...)
			if err != nil {
				t.Fatalf("Edit(%+v) of %q: %v", tt.changes, tt.text, err)
			}
			if string(got.Bytes()) != tt.want {
				t.Errorf("Edit(%+v) of %q = %q, want %q", tt.changes, tt.text, got.Bytes(), tt.want)
			}
			if string(f.Bytes()) != tt.text {
				t.Errorf("the original became %q", f.Bytes())
			}
			again, err := got.Edit(tt.changes...)
			if err != nil || string(again.Bytes()) != tt.want {
				t.Errorf("a second time = %q, %v", again.Bytes(), err)
			}
		})
	}
}

func TestEditErrors(t *testing.T) {
	g := "[Globals]\na=1\n"
	fill := func(n int) string { return "#" + strings.Repeat("x", n) + "\n" }
	tests := []struct {
		name, file, text string
		change           Change
		want             error
		says             string
	}{
		{"hash", "xrdp.ini", g, Change{Section: "Globals", Key: "a", Value: "1#2"}, ErrUnwritable, "# or ;"},
		{"semicolon", "xrdp.ini", g, Change{Section: "Globals", Key: "a", Value: "1;2"}, ErrUnwritable, "# or ;"},
		{"brackets", "xrdp.ini", g, Change{Section: "Globals", Key: "a", Value: "tcp6://[::1]:3389"}, ErrUnwritable, "section header"},
		{"newline", "xrdp.ini", g, Change{Section: "Globals", Key: "a", Value: "1\nb=2"}, ErrUnwritable, "line end"},
		{"NUL", "xrdp.ini", g, Change{Section: "Globals", Key: "a", Value: "1\x00"}, ErrUnwritable, "NUL"},
		{"leading blank", "xrdp.ini", g, Change{Section: "Globals", Key: "a", Value: " 1"}, ErrUnwritable, "blank"},
		{"trailing tab", "xrdp.ini", g, Change{Section: "Globals", Key: "a", Value: "1\t"}, ErrUnwritable, "blank"},
		{"dollar", "xrdp.ini", g, Change{Section: "Globals", Key: "a", Value: "$HOME"}, ErrUnwritable, "environment"},
		{"not UTF-8", "xrdp.ini", g, Change{Section: "Globals", Key: "a", Value: "\xff"}, ErrUnwritable, "UTF-8"},
		{"long path", "xrdp.ini", g, Change{Section: "Globals", Key: "certificate", Value: "/" + strings.Repeat("x", 1023)}, ErrUnwritable, "buffer"},
		{"long user", "xrdp.ini", g, Change{Section: "Globals", Key: "runtime_user", Value: strings.Repeat("x", 64)}, ErrUnwritable, "buffer"},
		{"long line", "xrdp.ini", g, Change{Section: "Globals", Key: "a", Value: strings.Repeat("x", 2048)}, ErrUnwritable, "longer"},
		{"long line by its blanks", "xrdp.ini", "[Globals]\n" + strings.Repeat(" ", 1500) + "a=1\n", Change{Section: "Globals", Key: "a", Value: strings.Repeat("x", 1000)}, ErrSideEffect, "[Globals]"},
		{"key with equals", "xrdp.ini", g, Change{Section: "Globals", Key: "a=b", Value: "1"}, ErrUnwritable, "key"},
		{"empty key", "xrdp.ini", g, Change{Section: "Globals", Value: "1"}, ErrUnwritable, "key"},
		{"section with bracket", "xrdp.ini", g, Change{Section: "Glo]bals", Key: "a", Value: "1"}, ErrUnwritable, "section"},
		{"no Globals", "xrdp.ini", "[Xorg]\n", Change{Section: "Globals", Key: "a", Value: "1"}, ErrNoSection, "[Globals]"},
		{"empty file", "sesman.ini", "", Change{Section: "Security", Key: "tls_min_version", Value: "1.2"}, ErrNoSection, "[Security]"},
		{"section of its own making", "xrdp.ini", g, Change{Section: "Security", Key: "a", Value: "1"}, ErrNoSection, "[Security]"},
		{"behind a bracket", "xrdp.ini", g + "t=[x]\nb=2\n", Change{Section: "Globals", Key: "b", Value: "3"}, ErrCut, "line 3: brackets"},
		{"the bracket line", "xrdp.ini", g + "t=[x]\nb=2\n", Change{Section: "Globals", Key: "t", Value: "3"}, ErrCut, "line 3: brackets"},
		{"delete behind a bracket", "xrdp.ini", g + "t=[x]\nb=2\n", Change{Section: "Globals", Key: "b", Delete: true}, ErrCut, "line 3: brackets"},
		{"behind 32 KiB", "xrdp.ini", g + fill(ReadLimit) + "b=2\n", Change{Section: "Globals", Key: "b", Value: "3"}, ErrCut, "32 KiB"},
		{"section behind 32 KiB", "sesman.ini", g + fill(ReadLimit) + "[Security]\n", Change{Section: "Security", Key: "b", Value: "3"}, ErrCut, "32 KiB"},
		{"new section behind 32 KiB", "sesman.ini", g + fill(ReadLimit), Change{Section: "Security", Key: "b", Value: "3"}, ErrCut, "32 KiB"},
		{"on the limit", "xrdp.ini", "[Globals]\n" + fill(ReadLimit-20) + "security_layer=tls\n", Change{Section: "Globals", Key: "security", Value: "3"}, ErrCut, "32 KiB"},
		{"behind a long line", "xrdp.ini", g + strings.Repeat("x", 2048) + "\nb=2\n", Change{Section: "Globals", Key: "b", Value: "3"}, ErrCut, "2048 bytes"},
		{"UTF-16", "xrdp.ini", "\xff\xfe[\x00G\x00]\x00", Change{Section: "Globals", Key: "b", Value: "3"}, ErrCut, "NUL"},
		{"spoilt by 0.9", "xrdp.ini", "[Globals]\na = 1\n", Change{Section: "Globals", Key: "a", Value: "\u00fc"}, ErrUnwritable, "0.9.26"},
		{"a section that xrdp needs", "xrdp.ini", g, Change{Section: "globals", Delete: true}, ErrUnwritable, "needs"},
		{"arguments of its own making", "sesman.ini", g, Change{Section: "Xorg", Key: "param", Value: "x"}, ErrNoSection, "[Xorg]"},
		{"despite the read limit", "xrdp.ini", fill(ReadLimit) + g, Change{Section: "Globals", Key: "b", Value: "1", DespiteCut: true}, ErrCut, "32 KiB"},
		{"pushes others out", "xrdp.ini", g + fill(ReadLimit-25) + "b=2\n", Change{Section: "Globals", Key: "a", Value: strings.Repeat("x", 50)}, ErrSideEffect, "[Globals] b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse(tt.file, []byte(tt.text)).Edit(tt.change)
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) || got != nil {
				t.Errorf("Edit = %v, %v, want %v that says %q", got, err, tt.want, tt.says)
			}
		})
	}
}

// TestEditStock puts the usual changes into the stock files and compares the lines
// that differ.
func TestEditStock(t *testing.T) {
	for name, data := range stock(t) {
		t.Run(name, func(t *testing.T) {
			changes := []Change{
				{Section: "Globals", Key: "certificate", Value: "/etc/xrdp/tls/1/cert.pem"},
				{Section: "Globals", Key: "key_file", Value: "/etc/xrdp/tls/1/key.pem"},
				{Section: "Globals", Key: "tls_ciphers", Value: "DEFAULT:@SECLEVEL=0"},
				{Section: "Globals", Key: "security_layer", Value: "tls"},
				{Section: "Globals", Key: "ssl_protocols", Value: "TLSv1, TLSv1.1, TLSv1.2, TLSv1.3"},
			}
			f := Parse(name, data)
			if f.Kind() == KindSessionManager {
				changes = []Change{
					{Section: "Security", Key: "tls_min_version", Value: "1.2", Comment: "takes effect as ssl_protocols in xrdp.ini"},
					{Section: "Security", Key: "tls_max_version", Value: "1.3"},
				}
			}
			out, err := f.Edit(changes...)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join("testdata", "edited", name+".diff"), lineDiff(string(data), string(out.Bytes())))

			var undo []Change
			for _, c := range changes {
				v, ok := f.Lookup(c.Section, c.Key)
				undo = append(undo, Change{Section: c.Section, Key: c.Key, Value: v.Text, Delete: !ok, Comment: c.Comment})
			}
			back, err := out.Edit(undo...)
			if err != nil || string(back.Bytes()) != string(data) {
				t.Errorf("undoing the changes does not give the stock file back: %v\n%s", err, lineDiff(string(data), string(back.Bytes())))
			}
		})
	}
}

// TestReinsert takes single keys out of the stock files and demands that an edit puts
// each back to where the distribution has it.
func TestReinsert(t *testing.T) {
	for name, data := range stock(t) {
		f := Parse(name, data)
		if f.Kind() == KindSessionManager {
			continue
		}
		for _, key := range []string{"security_layer", "crypt_level", "certificate", "key_file", "ssl_protocols", "port", "runtime_user", "runtime_group"} {
			v, ok := f.Lookup(SectionGlobals, key)
			if !ok {
				continue
			}
			without, err := f.Edit(Change{Section: SectionGlobals, Key: key, Delete: true})
			if err != nil {
				t.Fatal(err)
			}
			back, err := without.Edit(Change{Section: SectionGlobals, Key: key, Value: v.Raw})
			if err != nil || !bytes.Equal(back.Bytes(), data) {
				t.Errorf("%s: %s goes elsewhere: %v\n%s", name, key, err, lineDiff(string(data), string(back.Bytes())))
			}
		}
		without, err := f.Edit(Change{Section: SectionGlobals, Key: "certificate", Delete: true}, Change{Section: SectionGlobals, Key: "key_file", Delete: true})
		if err != nil {
			t.Fatal(err)
		}
		back, err := without.Edit(Change{Section: SectionGlobals, Key: "certificate"}, Change{Section: SectionGlobals, Key: "key_file"})
		if err != nil || !bytes.Equal(back.Bytes(), data) {
			t.Errorf("%s: the pair goes elsewhere: %v\n%s", name, err, lineDiff(string(data), string(back.Bytes())))
		}
	}
}

// lineDiff lists the lines that are gone from a and new in b, each run of them with
// the line above.
func lineDiff(a, b string) string {
	left, right := strings.SplitAfter(a, "\n"), strings.SplitAfter(b, "\n")
	common := make([][]int, len(left)+1) // length of the longest common rest
	for i := range common {
		common[i] = make([]int, len(right)+1)
	}
	for i := len(left) - 1; i >= 0; i-- {
		for j := len(right) - 1; j >= 0; j-- {
			if left[i] == right[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var out strings.Builder
	above := ""
	for i, j := 0, 0; i < len(left) || j < len(right); {
		switch {
		case i < len(left) && j < len(right) && left[i] == right[j]:
			above = " " + left[i]
			i, j = i+1, j+1
			continue
		case i < len(left) && (j == len(right) || common[i+1][j] >= common[i][j+1]):
			out.WriteString(above + "-" + left[i])
			i++
		default:
			out.WriteString(above + "+" + right[j])
			j++
		}
		above = ""
	}
	return out.String()
}

// golden compares got with a file, and writes it when UPDATE_GOLDEN is set.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s:\n%s\nwant:\n%s", path, got, want)
	}
}
