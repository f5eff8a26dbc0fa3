package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"xrdpfix/diagnose"
)

// TestFactsToStandardOutput: the facts and nothing else.
func TestFactsToStandardOutput(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(testdata, "tree"))); err != nil {
		t.Fatal(err)
	}
	var out, errOut bytes.Buffer
	code := run(t.Context(), []string{"--root", dir, "check", "--save-facts", "-"}, &out, &errOut)
	f, err := diagnose.DecodeFacts(out.Bytes())
	if err != nil || code != 3 || f.Host.Name != "desk01" || errOut.Len() > 0 {
		t.Errorf("status %d, host %q, %v\n%s%s", code, f.Host.Name, err, out.String(), errOut.String())
	}
}

// TestSavedReport: the report that is made from saved facts says the same as the
// one that was made beside them.
func TestSavedReport(t *testing.T) {
	samples, err := filepath.Glob("../../diagnose/testdata/facts/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range samples {
		again := filepath.Join(t.TempDir(), "again.json")
		first, second := report(t, "--facts", name, "--save-facts", again), report(t, "--facts", again)
		if !reflect.DeepEqual(first, second) {
			t.Errorf("%s: %v, after a round trip %v", name, first, second)
		}
		for _, args := range [][]string{{"check", "--facts", name, "-v"}, {"plan", "--facts", name}, {"plan", "--facts", name, "--profile", "modern"}, {"plan", "--facts", name, "--cert", "renew"}} {
			var out, errOut bytes.Buffer
			code := run(t.Context(), args, &out, &errOut)
			if code != 0 && code != 3 && code != 6 || out.Len() == 0 || errOut.Len() > 0 {
				t.Errorf("%s: status %d\n%s%s", strings.Join(args, " "), code, out.String(), errOut.String())
			}
		}
	}
}

func report(t *testing.T, args ...string) map[string]any {
	t.Helper()
	var out, errOut bytes.Buffer
	run(t.Context(), append([]string{"check", "--json"}, args...), &out, &errOut)
	var doc map[string]any
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil || errOut.Len() > 0 {
		t.Fatalf("%v: %v\n%s%s", args, err, out.String(), errOut.String())
	}
	delete(doc, "time")
	delete(doc, "facts")
	return doc
}
