package explain

import (
	"slices"
	"strings"
	"testing"

	"xrdpfix/diagnose"
)

// TestEntries: every entry has a name of its own, says what it means, how that is
// known, and ends in something to do.
func TestEntries(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range append(All(), rules()...) {
		if seen[e.ID] {
			t.Errorf("%s stands twice", e.ID)
		}
		seen[e.ID] = true
		if strings.ContainsFunc(e.ID, func(r rune) bool { return r != '-' && (r < '0' || r > 'z' || r > '9' && r < 'A') }) {
			t.Errorf("%s is no name", e.ID)
		}
		if e.Title == "" || e.Text == "" || !slices.Contains(Groups, e.Group) {
			t.Errorf("%s: title %q, text %q, group %q", e.ID, e.Title, e.Text, e.Group)
		}
		if len(e.Mend) == 0 {
			t.Errorf("%s ends in nothing to do", e.ID)
		}
		for _, s := range append(slices.Clone(e.Find), e.Mend...) {
			if s.Line == "" {
				t.Errorf("%s has an empty step", e.ID)
			}
		}
		switch e.Known {
		case Documented, InSource, Seen:
			if e.Source == "" {
				t.Errorf("%s is %s, and nobody knows where", e.ID, e.Known)
			}
		case Measured, Undocumented:
		default:
			t.Errorf("%s: known %q", e.ID, e.Known)
		}
		for _, text := range []string{e.ID, e.Title, e.Text, e.Advice, strings.Join(e.Causes, "")} {
			if strings.ContainsFunc(text, func(r rune) bool { return r > '~' || r < ' ' && r != '\n' }) {
				t.Errorf("%s is not ASCII: %q", e.ID, text)
			}
		}
	}
}

// TestEveryFindingHasAText: the catalogue's half sentence is not an explanation.
func TestEveryFindingHasAText(t *testing.T) {
	texts := findingTexts()
	for _, e := range diagnose.Catalogue() {
		f, ok := texts[e.Code]
		if !ok || f.text == "" && len(f.mend) == 0 {
			t.Errorf("%s has no longer text: write one in explain/findings_*.go", e.Code)
		}
		delete(texts, e.Code)
	}
	for code := range texts {
		t.Errorf("%s is explained, and no finding", code)
	}
}

// TestCausesExist: what looks like a finding code is one.
func TestCausesExist(t *testing.T) {
	for _, e := range All() {
		for _, c := range e.Causes {
			if _, ok := diagnose.Describe(diagnose.Code(c)); !ok && strings.Contains(c, "-") && !strings.Contains(c, " ") {
				t.Errorf("%s names the cause %s, which is no finding", e.ID, c)
			}
		}
	}
}

// TestWhatIsSaidIsFound: each entry is found by its own name, words and codes.
func TestWhatIsSaidIsFound(t *testing.T) {
	finds := func(text, id string) bool {
		return slices.ContainsFunc(Find(text).Matches, func(m Match) bool { return m.ID == id })
	}
	for _, e := range All() {
		for _, text := range append([]string{e.ID}, e.Said...) {
			if !finds(text, e.ID) {
				t.Errorf("%s is not found by %q", e.ID, text)
			}
		}
		for _, c := range e.Codes {
			text := string(c.Space) + " 0x" + hex(c.N)
			if c.Space == SpaceExtended {
				text = "extended error code 0x" + hex(c.N)
			}
			if !finds(text, e.ID) && !finds(string(c.Space)+" code "+decimal(c.N), e.ID) {
				t.Errorf("%s is not found by %q", e.ID, text)
			}
		}
	}
}

// TestGuide: each step says what it does and what to run instead.
func TestGuide(t *testing.T) {
	md := GuideMarkdown()
	for i, s := range Guide() {
		if s.Says == "" || s.Does == "" || len(s.Instead) == 0 {
			t.Errorf("step %d is not complete: %+v", i+1, s)
		}
		if !strings.Contains(md, s.Does) || !strings.Contains(md, s.Instead[0].Line) {
			t.Errorf("step %d is missing in the document", i+1)
		}
	}
}
