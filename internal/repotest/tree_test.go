package repotest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// root is the top of the repository, seen from this package.
const root = "../.."

// A source is a Go file of the repository.
type source struct {
	name    string // path from the top, with slashes
	dir     string // directory of name
	text    []byte
	file    *ast.File
	imports []string
}

func (s source) isTest() bool { return strings.HasSuffix(s.name, "_test.go") }

// sources parses every Go file, those with build tags included. What cannot be
// parsed ends the test.
func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	walk(t, func(name string) {
		if path.Ext(name) != ".go" {
			return
		}
		text := read(t, name)
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		s := source{name: name, dir: path.Dir(name), text: text, file: file}
		for _, i := range file.Imports {
			p, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				t.Fatalf("%s: import %s: %v", name, i.Path.Value, err)
			}
			s.imports = append(s.imports, p)
		}
		out = append(out, s)
	})
	if len(out) < 50 {
		t.Fatalf("found %d Go files: the walk is wrong", len(out))
	}
	return out
}

// walk calls fn with every file that belongs to the repository: neither git's
// own nor what make builds.
func walk(t *testing.T, fn func(name string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(strings.TrimPrefix(p, root), string(filepath.Separator)))
		if d.IsDir() {
			switch name {
			case ".git", "bin", "dist":
				return fs.SkipDir
			}
			return nil
		}
		if d.Type().IsRegular() {
			fn(name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// read returns a file of the repository.
func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return text
}
