package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xrdpfix/diagnose"
)

func TestDocumentsAreUpToDate(t *testing.T) {
	for _, d := range documents() {
		text, err := os.ReadFile(filepath.Join("../../..", d.name))
		if err != nil {
			t.Fatal(err)
		}
		if string(text) != d.text {
			t.Errorf("%s is not what the code says: run make docs", d.name)
		}
	}
}

// TestCatalogue: every code stands once, in one group, and names only codes that
// exist.
func TestCatalogue(t *testing.T) {
	catalogue := diagnose.Catalogue()
	seen := map[diagnose.Code]bool{}
	closed := map[string]bool{}
	for i, e := range catalogue {
		if seen[e.Code] {
			t.Errorf("%s stands twice in the catalogue", e.Code)
		}
		seen[e.Code] = true
		if i > 0 && catalogue[i-1].Group != e.Group {
			closed[catalogue[i-1].Group] = true
		}
		if closed[e.Group] {
			t.Errorf("%s: group %q was closed before", e.Code, e.Group)
		}
		if e.Meaning == "" || len(e.Mend) == 0 || strings.ContainsAny(e.Meaning, "|\n") {
			t.Errorf("%s: meaning %q, mend %v cannot be documented", e.Code, e.Meaning, e.Mend)
		}
	}
	for _, e := range catalogue {
		for _, cause := range e.DependsOn {
			if !seen[cause] || cause == e.Code {
				t.Errorf("%s is silent during %s, which is itself or no code", e.Code, cause)
			}
		}
	}
}

func TestFindings(t *testing.T) {
	got := findings([]diagnose.Entry{
		{Code: "key-missing", Group: "key", Severity: diagnose.Error, Mend: []diagnose.Mend{diagnose.MendApply}, Meaning: "no file"},
		{Code: "ini-cut", Group: "xrdp.ini", Severity: diagnose.Warning, Mend: []diagnose.Mend{diagnose.MendApply, diagnose.MendHuman},
			Meaning: "cut", DependsOn: []diagnose.Code{"key-missing", "x"}},
	})
	want := findingsIntro + `
## Key

| code | severity | who mends it | what it means | silent during |
|---|---|---|---|---|
| ` + "`key-missing`" + ` | error | apply | no file |  |

## xrdp.ini

| code | severity | who mends it | what it means | silent during |
|---|---|---|---|---|
| ` + "`ini-cut`" + ` | warning | apply, human | cut | ` + "`key-missing`, `x`" + ` |
`
	if got != want {
		t.Errorf("findings:\n%s\nwant:\n%s", got, want)
	}
}
