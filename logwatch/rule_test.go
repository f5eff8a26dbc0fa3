package logwatch

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// sample is one line of testdata/rules and what is expected of it.
type sample struct {
	at   string // file and line
	kind string // match, near or hostile
	rule string
	want string // the rule that the line hits, "" for none
	line string
}

func samples(t *testing.T) []sample {
	t.Helper()
	files, err := filepath.Glob("testdata/rules/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no samples", err)
	}
	var list []sample
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(data), "\n")
		for i := 0; i < len(lines); i++ {
			if lines[i] == "" || lines[i][0] == '#' {
				continue
			}
			s := sample{at: file + ":" + strconv.Itoa(i+1)}
			words := strings.Fields(lines[i])
			switch {
			case len(words) == 2:
				s.kind, s.rule = words[0], words[1]
			case len(words) == 4 && words[2] == "as":
				s.kind, s.rule, s.want = words[0], words[1], words[3]
			default:
				t.Fatalf("%s: not an expectation: %s", s.at, lines[i])
			}
			if s.kind == "match" {
				s.want = s.rule
			} else if s.kind != "near" && s.kind != "hostile" || s.want == s.rule {
				t.Fatalf("%s: not an expectation: %s", s.at, lines[i])
			}
			if i++; i == len(lines) || lines[i] == "" {
				t.Fatalf("%s: no line follows", s.at)
			}
			if s.line, err = strconv.Unquote(`"` + strings.ReplaceAll(lines[i], `"`, `\"`) + `"`); err != nil {
				t.Fatalf("%s: %v", s.at, err)
			}
			list = append(list, s)
		}
	}
	return list
}

func TestRulesHitTheirSamplesOnly(t *testing.T) {
	var seen [3][]string
	kinds := []string{"match", "near", "hostile"}
	for _, s := range samples(t) {
		e, ok := ParseLine(s.line, time.UTC)
		if !ok {
			t.Errorf("%s: not a line of xrdp: %q", s.at, s.line)
			continue
		}
		m, ok := Classify(e)
		got := ""
		if ok {
			got = m.Rule.ID
		}
		if got != s.want {
			t.Errorf("%s: %q hits %q, want %q", s.at, s.line, got, s.want)
		}
		// No other rule matches, whatever order they are tried in.
		for _, r := range Rules() {
			if _, ok := r.pattern.match(e.Text); ok && r.ID != got && !strings.HasPrefix(e.Text, "SSL: error:") {
				t.Errorf("%s: %q is matched by %s too", s.at, s.line, r.ID)
			}
		}
		i := slices.Index(kinds, s.kind)
		seen[i] = append(seen[i], s.rule)
	}
	for _, r := range Rules() {
		for i, kind := range kinds {
			if !slices.Contains(seen[i], r.ID) {
				t.Errorf("rule %s has no %s sample", r.ID, kind)
			}
		}
	}
}

func TestRulesAreWellFormed(t *testing.T) {
	ids := map[string]bool{}
	for _, r := range Rules() {
		if ids[r.ID] {
			t.Errorf("%s: twice", r.ID)
		}
		ids[r.ID] = true
		if _, ok := compile(r.Pattern); !ok {
			t.Errorf("%s: pattern %q", r.ID, r.Pattern)
		}
		if i := strings.IndexByte(r.Pattern, '{'); i >= 0 && i < keySize && !strings.HasPrefix(r.Pattern, "{version:tls}") {
			t.Errorf("%s: pattern %q would not be found by its beginning", r.ID, r.Pattern)
		}
		if r.Class == "" || r.Meaning == "" || r.Source == "" {
			t.Errorf("%s: class, meaning or source is missing", r.ID)
		}
		if !identifier(strings.ReplaceAll(r.ID, "-", "_")) || !strings.Contains(r.ID, "-") {
			t.Errorf("%s: not an <area>-<what>", r.ID)
		}
	}
}
