package xrdpconf

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/ini.v1"
)

// TestLibraryRewrites: gopkg.in/ini.v1 cannot write these files. Loading and saving
// a stock one changes almost half of its lines, with the settings that change the
// fewest.
// README.md has the number of Debian 12.
func TestLibraryRewrites(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob("testdata/stock/*-xrdp.ini")
	if err != nil || len(names) < 3 {
		t.Fatal(names, err)
	}
	pretty := ini.PrettyFormat
	ini.PrettyFormat = false // or it aligns the equals signs too
	defer func() { ini.PrettyFormat = pretty }()
	for _, name := range names {
		before, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		cfg, err := ini.LoadSources(ini.LoadOptions{
			IgnoreContinuation: true, PreserveSurroundedQuote: true, KeyValueDelimiters: "=",
			AllowShadows: true, AllowNonUniqueSections: true, AllowBooleanKeys: true,
		}, before)
		if err != nil {
			t.Fatal(err)
		}
		var after bytes.Buffer
		if _, err := cfg.WriteTo(&after); err != nil {
			t.Fatal(err)
		}
		old := strings.Split(strings.TrimSuffix(string(before), "\n"), "\n")
		changed := len(old) - unchanged(old, strings.Split(after.String(), "\n"))
		t.Logf("%s: %d of %d lines changed", name, changed, len(old))
		if changed == 0 {
			t.Errorf("%s is saved as it was: then the library could write it", name)
		}
		if claim := fmt.Sprintf("changes %d of the %d lines", changed, len(old)); strings.Contains(name, "bookworm") && !strings.Contains(strings.Join(strings.Fields(string(readme)), " "), claim) {
			t.Errorf("README.md does not say %q of Debian 12's xrdp.ini", claim)
		}
	}
}

// unchanged is how many lines of a stand in b in the same order.
func unchanged(a, b []string) int {
	row := make([]int, len(b)+1)
	for i := range a {
		diagonal := 0
		for j := range b {
			above := row[j+1]
			if a[i] == b[j] {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(row[j+1], row[j])
			}
			diagonal = above
		}
	}
	return row[len(b)]
}
