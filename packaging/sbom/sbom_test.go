package sbom

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

func TestCycloneDX(t *testing.T) {
	p := Program{
		Name: "xrdpfix", Version: "0.1.0+3.gabc", License: "MIT", SHA256: strings.Repeat("0123456789abcdef", 4),
		Built: time.Date(2026, 11, 23, 5, 6, 7, 0, time.FixedZone("CET", 3600)),
		Info: &debug.BuildInfo{
			GoVersion: "go1.25.0", Main: debug.Module{Path: "xrdpfix"},
			Deps: []*debug.Module{
				{Path: "example.org/a", Version: "v1.2.3", Sum: "h1:x="},
				{Path: "example.org/b", Version: "v0.1.0", Replace: &debug.Module{Path: "example.org/c", Version: "v0.2.0"}},
			},
			Settings: []debug.BuildSetting{{Key: "GOARCH", Value: "arm64"}, {Key: "-ldflags", Value: "secret"}},
		},
		Licenses: map[string]string{"example.org/a": "Apache-2.0"},
	}
	got, err := CycloneDX(p)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join("testdata", "bill.json"))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("the bill is\n%s\nwant\n%s", got, want)
	}
	for _, sum := range []string{"", "abc", strings.Repeat("X", 64)} {
		p.SHA256 = sum
		if out, err := CycloneDX(p); err == nil {
			t.Errorf("with the sum %q: %s", sum, out)
		}
	}
}
