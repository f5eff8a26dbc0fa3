package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestMonitoringNamesEveryMetric: docs/monitoring.md has each metric that check
// prints, with its labels, and no other.
func TestMonitoringNamesEveryMetric(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "checkmetrics.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) < 3 {
			return true
		}
		name := literal(call.Args[0])
		if !strings.HasPrefix(name, "xrdpfix_") {
			return true
		}
		var labels []string
		if f, ok := call.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "counts" {
			labels = append(labels, literal(call.Args[2]))
		}
		for _, arg := range call.Args {
			if c, ok := arg.(*ast.CompositeLit); ok {
				labels = append(labels, literal(c.Elts[0]))
			}
		}
		if len(labels) > 0 {
			name += "{" + strings.Join(labels, ",") + "}"
		}
		want[name] = true
		return true
	})
	text, err := os.ReadFile("../../docs/monitoring.md")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) != 4 {
			continue
		}
		for _, m := range regexp.MustCompile("`(xrdpfix_[^`]+)`").FindAllStringSubmatch(cells[1], -1) {
			got[m[1]] = true
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("docs/monitoring.md has the metrics\n  %s\nwant\n  %s",
			strings.Join(slices.Sorted(maps.Keys(got)), "\n  "), strings.Join(slices.Sorted(maps.Keys(want)), "\n  "))
	}
}

// literal is the text of a string constant that stands in the code, and else "".
func literal(e ast.Expr) string {
	if l, ok := e.(*ast.BasicLit); ok && l.Kind == token.STRING {
		text, _ := strconv.Unquote(l.Value)
		return text
	}
	return ""
}
