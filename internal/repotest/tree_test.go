package repotest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
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

// sources returns every Go file, those with build tags included. What cannot be
// parsed ends the test.
func sources(t *testing.T) []source {
	t.Helper()
	out, err := parseAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 50 {
		t.Fatalf("found %d Go files: the walk is wrong", len(out))
	}
	return out
}

// parseAll parses once for all tests, which only read.
var parseAll = sync.OnceValues(func() ([]source, error) {
	var out []source
	err := walk(func(name string) error {
		if path.Ext(name) != ".go" {
			return nil
		}
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments)
		if err != nil {
			return err
		}
		s := source{name: name, dir: path.Dir(name), text: text, file: file}
		for _, i := range file.Imports {
			p, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return fmt.Errorf("%s: import %s: %w", name, i.Path.Value, err)
			}
			s.imports = append(s.imports, p)
		}
		out = append(out, s)
		return nil
	})
	return out, err
})

// walk calls fn with every file that belongs to the repository: neither git's
// own nor what make builds.
func walk(fn func(name string) error) error {
	return filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
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
		if d.Type().IsRegular() && name != ".git" { // a file in a working tree beside the first
			return fn(name)
		}
		return nil
	})
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
