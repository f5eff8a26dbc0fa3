package repotest

import (
	"bytes"
	"go/ast"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// longest is how many lines a file of code may have before it should be two.
const longest = 400

func TestFilesAreShort(t *testing.T) {
	for _, s := range sources(t) {
		if n := bytes.Count(s.text, []byte("\n")); n > longest && !s.isTest() {
			t.Errorf("%s has %d lines, more than %d", s.name, n, longest)
		}
	}
}

func TestOnePackageComment(t *testing.T) {
	count := map[string]int{}
	for _, s := range sources(t) {
		if s.isTest() || strings.Contains(s.dir, "testdata") {
			continue
		}
		if count[s.dir] += 0; s.file.Doc != nil {
			count[s.dir]++
			want := "Package " + s.file.Name.Name + " "
			if text := s.file.Doc.Text(); s.file.Name.Name != "main" && !strings.HasPrefix(text, want) {
				t.Errorf("%s: the package comment begins %.30q, want %q", s.name, text, want)
			}
		}
	}
	for dir, n := range count {
		if n != 1 {
			t.Errorf("package %s has %d package comments, want 1", dir, n)
		}
	}
}

// forbidden tells of the place where somebody worked, or of what only that place
// has. The words are put together here so that this file has none of them.
var forbidden = []struct{ before, word string }{
	{`(^|\W)`, "/wo" + "rk/"}, {"", ".lib" + "rary/"}, {"", "proxy." + "golang.org"}, {"", "registry." + "npmjs"}, {"", "deb." + "debian.org"},
	{"(?i)", "sub" + "agent"}, {"(?i)", "before" + "-stop"}, {"(?i)", "../sha" + "red/"},
}

func TestNoForbiddenWords(t *testing.T) {
	err := walk(func(name string) error {
		text := read(t, name)
		if bytes.IndexByte(text, 0) >= 0 {
			return nil
		}
		small := bytes.ToLower(text)
		for _, f := range forbidden {
			if !bytes.Contains(small, []byte(f.word)) { // takes far less than the expression
				continue
			}
			word := regexp.MustCompile(f.before + regexp.QuoteMeta(f.word))
			for i, line := range bytes.Split(text, []byte("\n")) {
				if found := word.Find(line); found != nil {
					t.Errorf("%s:%d: %q does not belong into the repository", name, i+1, found)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestFuzzTargetsHaveSeeds: without seeds a fuzz target finds nothing in the
// seconds that make test gives it, and tests nothing in go test.
func TestFuzzTargetsHaveSeeds(t *testing.T) {
	var targets int
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || !s.isTest() || !strings.HasPrefix(fn.Name.Name, "Fuzz") {
				continue
			}
			targets++
			kept, err := filepath.Glob(filepath.Join(root, s.dir, "testdata", "fuzz", fn.Name.Name, "*"))
			if err != nil {
				t.Fatal(err)
			}
			if len(kept) == 0 && !addsSeeds(fn) {
				t.Errorf("%s: %s has no seeds", s.name, fn.Name.Name)
			}
		}
	}
	if targets == 0 {
		t.Error("no fuzz target found: every parser of outside bytes has one")
	}
}

// addsSeeds reports whether the function calls Add on its argument, or hands the
// argument to a function that may.
func addsSeeds(fn *ast.FuncDecl) bool {
	f := fn.Type.Params.List[0].Names[0].Name
	isF := func(e ast.Expr) bool {
		id, ok := e.(*ast.Ident)
		return ok && id.Name == f
	}
	var found bool
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if sel, ok := call.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Add" && isF(sel.X) {
			found = true
		}
		for _, arg := range call.Args {
			found = found || isF(arg)
		}
		return true
	})
	return found
}

// TestNoSilentSkips: a test that is skipped tests nothing.
func TestNoSilentSkips(t *testing.T) {
	for _, s := range sources(t) {
		if !s.isTest() || path.Base(s.dir) == "repotest" {
			continue
		}
		for _, word := range []string{".Skip()", ".SkipNow()"} {
			if bytes.Contains(s.text, []byte(word)) {
				t.Errorf("%s: %s without a word of why", s.name, word)
			}
		}
	}
}
