package diagnose

import (
	"flag"
	"fmt"
	"os"
	"sync"
	"testing"
)

// raised are the codes that the tables of faults raised in this run.
var raised sync.Map

// TestMain sees that every code of the catalogue is raised by a fault of some
// table, when all tests run.
func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if code == 0 && flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.fuzz").Value.String() == "" && flag.Lookup("test.list").Value.String() == "" {
		for _, e := range Catalogue() {
			if _, ok := raised.Load(e.Code); !ok {
				_, _ = fmt.Fprintf(os.Stderr, "--- FAIL: no fault raises %s\n", e.Code)
				code = 1
			}
		}
	}
	os.Exit(code)
}

// TestCatalogue: each code once, each dependency a code, none on itself.
func TestCatalogue(t *testing.T) {
	seen := map[Code]bool{}
	for _, e := range Catalogue() {
		if seen[e.Code] {
			t.Errorf("%s is there twice", e.Code)
		}
		seen[e.Code] = true
		if e.Meaning == "" || len(e.Mend) == 0 || e.Group == "" {
			t.Errorf("%s lacks a meaning, a group or who mends it", e.Code)
		}
	}
	for _, e := range Catalogue() {
		for _, d := range e.DependsOn {
			if !seen[d] || d == e.Code {
				t.Errorf("%s depends on %s", e.Code, d)
			}
		}
	}
	if _, ok := Describe("no-such-code"); ok {
		t.Error("a code that does not exist is described")
	}
}
