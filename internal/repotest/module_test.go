package repotest

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// required is every direct requirement, with the reason that the README gives in
// its own words. An addition here is a decision.
var required = map[string]string{
	"github.com/aymanbagabas/go-udiff":         "the diff of a plan",
	"github.com/coreos/go-systemd/v22":         "systemd units and jobs over D-Bus",
	"github.com/gofrs/flock":                   "one xrdpfix at a time on a machine",
	"github.com/godbus/dbus/v5":                "the names of D-Bus errors, which go-systemd passes on as they are",
	"github.com/klauspost/compress":            "rotated logs that are packed by zstd",
	"github.com/rogpeppe/go-internal":          "end-to-end tests as scripts",
	"github.com/santhosh-tekuri/jsonschema/v6": "tests of the JSON output",
	"github.com/spf13/cobra":                   "commands and flags",
	"github.com/ulikunitz/xz":                  "rotated logs that are packed by xz",
	"golang.org/x/sys":                         "system calls: openat2, xattrs, inotify",
	"golang.org/x/term":                        "whether there is a terminal to show progress on",
	"gopkg.in/ini.v1":                          "a second reader that edits are cross-checked with",
	"software.sslmate.com/src/go-pkcs12":       "certificates that come as .pfx",
}

func TestDirectRequirements(t *testing.T) {
	text := string(read(t, "go.mod"))
	direct := regexp.MustCompile(`(?m)^(?:require\s+|\s+)(\S+\.\S+/\S+) v\S+$`) // a comment behind it is "// indirect"
	var found []string
	for _, m := range direct.FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	slices.Sort(found)
	if want := slices.Sorted(maps.Keys(required)); !slices.Equal(found, want) {
		t.Errorf("go.mod requires\n  %s\nwant\n  %s", strings.Join(found, "\n  "), strings.Join(want, "\n  "))
	}
	if regexp.MustCompile(`(?m)^(replace|exclude)\b`).MatchString(text) {
		t.Error("go.mod replaces or excludes a module: go install of a released version would refuse it")
	}
}

func TestReadmeSaysWhy(t *testing.T) {
	readme := string(read(t, "README.md"))
	for module := range required {
		if !strings.Contains(readme, module) {
			t.Errorf("README.md does not say why %s is required", module)
		}
	}
}
