package repotest

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// named are the tests that a document names, with the script of TestScripts where
// one is meant.
var named = regexp.MustCompile("`(Test\\w+|Fuzz\\w+)(?:/([a-z-]+))?`")

// TestSafetyNamesTests: each test that docs/safety.md calls a proof exists.
func TestSafetyNamesTests(t *testing.T) {
	here := map[string]bool{}
	for _, s := range sources(t) {
		if !s.isTest() {
			continue
		}
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+|Fuzz\w+)\(`).FindAllSubmatch(s.text, -1) {
			here[string(m[1])] = true
		}
	}
	proofs := named.FindAllStringSubmatch(string(read(t, "docs/safety.md")), -1)
	for _, p := range proofs {
		if !here[p[1]] {
			t.Errorf("docs/safety.md names %s, and there is no such test", p[1])
		}
		if p[2] == "" {
			continue
		}
		if _, err := os.Stat(filepath.Join("../../cmd/xrdpfix/testdata/script", p[2]+".txtar")); err != nil {
			t.Errorf("docs/safety.md names the script %s: %v", p[2], err)
		}
	}
	if len(proofs) < 50 {
		t.Errorf("docs/safety.md names %d tests", len(proofs))
	}
	for line := range strings.Lines(string(read(t, "docs/safety.md"))) {
		if cells := strings.Split(line, "|"); len(cells) == 5 && strings.TrimSpace(cells[3]) == "" {
			t.Errorf("a promise that nothing proves: %s", line)
		}
	}
}

// TestStandardInput: no command asks anything. A function that reads standard input
// does so where somebody wrote "-" for the name of a file.
func TestStandardInput(t *testing.T) {
	readers := 0
	for _, s := range sources(t) {
		if s.isTest() || !strings.HasPrefix(s.dir, "cmd/") && strings.Contains(s.dir, "/") || s.dir == "bench" {
			continue
		}
		for _, d := range s.file.Decls {
			reads, named := false, false
			ast.Inspect(d, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.SelectorExpr:
					reads = reads || n.Sel.Name == "Stdin" || n.Sel.Name == "InOrStdin"
				case *ast.BasicLit:
					named = named || n.Value == `"-"`
				}
				return true
			})
			if reads {
				readers++
			}
			if reads && !named {
				t.Errorf("%s reads standard input, and nobody named it", s.name)
			}
		}
	}
	if readers == 0 {
		t.Error("nothing reads standard input: the search is wrong")
	}
}
