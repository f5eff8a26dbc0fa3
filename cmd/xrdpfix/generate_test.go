package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestManPages: every command that help shows has a page with its flags, in
// lines that no program cuts.
func TestManPages(t *testing.T) {
	date := time.Date(2026, 11, 23, 4, 5, 6, 0, time.UTC)
	pages := manPages(newRoot(&app{}), date)
	for _, c := range everyCommand() {
		name := manName(c) + ".8"
		page, found := pages[name]
		if found == c.Hidden {
			t.Errorf("%s: page found = %t, hidden = %t", name, found, c.Hidden)
		}
		if !found {
			continue
		}
		delete(pages, name)
		want := []string{
			`.TH ` + strings.ReplaceAll(strings.ToUpper(manName(c)), "-", `\-`) + ` 8 2026-11-23 "xrdpfix devel" `,
			"\n.SH NAME\n", "\n.SH SYNOPSIS\n", "\n.SH DESCRIPTION\n", "\n.SH OPTIONS\n", "\n.SH \"EXIT STATUS\"\n", "\n.SH \"SEE ALSO\"\n",
		}
		for _, f := range flagsOf(c) {
			if flag := c.Flag(f); flag != nil && !flag.Hidden {
				want = append(want, `\fB\-\-`+strings.ReplaceAll(f, "-", `\-`)+`\fR`)
			}
		}
		for _, code := range exitCodes {
			want = append(want, fmt.Sprintf("\n.B %d\n", code.Code))
		}
		for _, w := range want {
			if !strings.Contains(page, w) {
				t.Errorf("%s does not have %q", name, w)
			}
		}
		for line := range strings.Lines(page) {
			if len(line) > 110 || strings.HasPrefix(line, " .") {
				t.Errorf("%s has the line %q", name, line)
			}
		}
	}
	for name := range pages {
		t.Errorf("%s is the page of no command", name)
	}
}

// TestRoff: text stays text, whatever roff would make of it.
func TestRoff(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"plain", "one two", "one two\n"},
		{"a request", ".so /etc/passwd", "\\&.so /etc/passwd\n"},
		{"a quote that is a request", "'br", "\\(aqbr\n"},
		{"an escape", `\fB -`, "\\efB \\-\n"},
		{"a request behind the break", strings.Repeat("x", 77) + " .p12", strings.Repeat("x", 77) + "\n\\&.p12\n"},
		{"our name", "see xrdpfix-log(8)", "see \\%xrdpfix\\-log(8)\n"},
	} {
		var r roff
		if r.line(tt.text); r.b.String() != tt.want {
			t.Errorf("%s: line(%q) = %q, want %q", tt.name, tt.text, r.b.String(), tt.want)
		}
	}
	var r roff
	r.macro(".B", "two words", `a"b`, "")
	r.verbatim("  .dot\n    two\n")
	r.synopsis("[ID] --x")
	if want := ".B \"two words\" a\\(dqb \"\"\n.RS -4n\n.nf\n\\&.dot\n  two\n.fi\n.RE\n[\\fIID\\fR] \\-\\-x\n"; r.b.String() != want {
		t.Errorf("roff:\n%q\nwant\n%q", r.b.String(), want)
	}
}

func TestChoices(t *testing.T) {
	for _, tt := range []struct {
		usage string
		want  []string
	}{
		{"`LAYER` to serve: negotiate, tls or rdp", []string{"negotiate", "tls", "rdp"}},
		{"lowest `V`: 1.0, 1.1", []string{"1.0", "1.1"}},
		{"`WHEN`: auto (where needed, or free), always or never (no)", []string{"auto\twhere needed, or free", "always", "never\tno"}},
		{"how far back: `TIME` as in 90m, 24h or 2d", nil},
		{"`TIME` allowed for each connection", nil},
		{"every connection: repeated ones, hang-ups", nil},
		{"no value: a or b", nil},
	} {
		if got := choices(tt.usage); !slices.Equal(got, tt.want) {
			t.Errorf("choices(%q) = %q, want %q", tt.usage, got, tt.want)
		}
	}
}

// completions are what the shell would offer for the last word.
func completions(t *testing.T, words ...string) string {
	t.Helper()
	var out, errOut bytes.Buffer
	if code := run(t.Context(), append([]string{"__complete"}, words...), &out, &errOut); code != 0 {
		t.Fatalf("__complete %q: status %d\n%s%s", words, code, out.String(), errOut.String())
	}
	var list []string
	for line := range strings.Lines(out.String()) {
		word, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
		list = append(list, word)
	}
	return strings.Join(list, " ")
}

func TestCompletions(t *testing.T) {
	tree := t.TempDir()
	journal := filepath.Join(tree, "var/lib/xrdpfix/journal")
	for id, text := range map[string]string{
		"20261122T152440Z": `{"schema":1,"id":"20261122T152440Z","state":"confirmed","because":["key-unreadable"]}`,
		"20261121T000000Z": `{"schema":1,"id":"20261121T000000Z","state":"rolled-back"}`,
		"20261123T000000Z": `{"schema":1,"id":"20261123T000000Z","state":"confirmed","deadline":{"kind":"confirm","at":"2026-11-23T00:10:00Z"}}`,
	} {
		dir := filepath.Join(journal, id)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "journal.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		words string // the last one is being completed
		want  string // directives: 4 no files, 16 directories, 32 in this order
	}{
		{"apply --profile ", "modern intermediate legacy declared :36"},
		{"plan --tls-min 1.", "1.0 1.1 1.2 1.3 :36"},
		{"check --security-layer ", "negotiate tls rdp :36"},
		{"cert renew --key ", "rsa2048 rsa3072 rsa4096 ecdsa-p256 :36"},
		{"apply --for ", "ever 4h 14d :36"},
		{"apply --warn-days ", ":4"},
		{"show --root ", ":16"},
		{"cert install ", ":0"},
		{"check ", ":4"},
		{"help cert ", "install renew request show :4"},
		{"rollback --root TREE ", "20261123T000000Z 20261122T152440Z :36"},
		{"confirm --root TREE ", "20261123T000000Z :36"},
		{"history --root TREE ", "20261123T000000Z 20261122T152440Z 20261121T000000Z :36"},
		{"history --root TREE 20261122T152440Z ", ":36"},
		{"rollback --root /nonexistent ", ":36"},
	} {
		words := strings.Split(strings.ReplaceAll(tt.words, "TREE", tree), " ")
		if got := completions(t, words...); got != tt.want {
			t.Errorf("completing %q: %s\nwant %s", tt.words, got, tt.want)
		}
	}
	if got := completions(t, "cert", "renew", "--"); strings.Contains(got, "unattended") || !strings.Contains(got, "--key") {
		t.Errorf("flags of cert renew: %s", got)
	}
	if got := completions(t, ""); strings.Contains(got, "generate") || !strings.Contains(got, "apply") {
		t.Errorf("commands: %s", got)
	}
}

// TestGenerate writes what packages contain.
func TestGenerate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	var out bytes.Buffer
	for _, what := range []string{"man", "completions"} {
		if code := run(t.Context(), []string{"generate", what, dir}, &out, &out); code != 0 || out.Len() > 0 {
			t.Fatalf("generate %s: status %d\n%s", what, code, out.String())
		}
	}
	for name, begins := range map[string]string{
		"xrdpfix-cert-show.8": `^\.TH XRDPFIX`,
		"xrdpfix":             `^# bash completion V2 for xrdpfix`,
		"_xrdpfix":            `^#compdef xrdpfix`,
		"xrdpfix.fish":        `^# fish completion for xrdpfix`,
	} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !regexp.MustCompile(begins).Match(text) {
			t.Errorf("%s: %v, begins %.40q, want %s", name, err, text, begins)
		}
	}
	if code := run(t.Context(), []string{"generate", "bread", dir}, &out, &out); code != 2 {
		t.Errorf("generate bread: status %d, want 2", code)
	}
}
