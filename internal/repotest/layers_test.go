package repotest

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A layer is a rule about imports, in one sentence.
type layer struct {
	why    string
	deny   []string // import paths and what is below them; with $ that path only
	in     []string // directories where it holds; everywhere when empty
	except []string // directories where it does not hold, or single kinds of files there
	allow  string   // the one package below what is denied that may be imported
	tests  bool     // whether it holds in test files too
}

var leaves = []string{"xrdpconf", "certs", "logwatch", "probe", "service", "fleet", "webpage"}

// plaintext is a leaf below all others: what may be printed of a string from outside.
const plaintext = "xrdpfix/internal/plaintext"

// layers is the table of depguard in .golangci.yml, so that it holds without the
// linter too; TestLayersAreTheLinters compares the two.
var layers = []layer{
	{why: "only cmd/xrdpfix knows the command line",
		deny: []string{"github.com/spf13"}, except: []string{"cmd/xrdpfix"}, tests: true},
	{why: "only cmd/xrdpfix looks whether there is a terminal",
		deny: []string{"golang.org/x/term"}, except: []string{"cmd/xrdpfix"}, tests: true},
	{why: "only xrdpconf reads ini files, and xrdp's reading of them decides",
		deny: []string{"gopkg.in/ini.v1"}, except: []string{"xrdpconf"}, tests: true},
	{why: "only logwatch follows a file",
		deny: []string{"github.com/hpcloud/tail"}, except: []string{"logwatch"}, tests: true},
	{why: "only logwatch unpacks",
		deny: []string{"github.com/ulikunitz/xz", "github.com/klauspost/compress"}, except: []string{"logwatch"}, tests: true},
	{why: "only service talks to systemd",
		deny: []string{"github.com/coreos/go-systemd", "github.com/godbus/dbus"}, except: []string{"service"}, tests: true},
	{why: "only repair makes diffs, so that a plan is shown in one way",
		deny: []string{"github.com/aymanbagabas/go-udiff"}, except: []string{"repair"}, tests: true},
	{why: "only internal/host and internal/lab lock files",
		deny: []string{"github.com/gofrs/flock"}, except: []string{"internal/host", "internal/lab"}, tests: true},
	{why: "only tests of cmd/xrdpfix check the JSON output against its schema",
		deny: []string{"github.com/santhosh-tekuri/jsonschema"}, except: []string{"cmd/xrdpfix/*_test.go"}, tests: true},
	{why: "only certs knows the formats of keys",
		deny: []string{"software.sslmate.com/src/go-pkcs12"}, except: []string{"certs"}, tests: true},
	{why: "only tests run scripts",
		deny: []string{"github.com/rogpeppe/go-internal"}},
	{why: "only internal, service and logwatch ask the kernel",
		deny: []string{"golang.org/x/sys"}, except: []string{"internal", "service", "logwatch"}, tests: true},
	{why: "a leaf knows one thing and no other package of the project but internal/plaintext",
		deny: []string{"xrdpfix/"}, in: leaves, allow: plaintext},
	{why: "clients knows only probe and certs",
		deny: []string{"xrdpfix/xrdpconf", "xrdpfix/logwatch", "xrdpfix/service", "xrdpfix/diagnose", "xrdpfix/repair", "xrdpfix/internal"}, in: []string{"clients"}},
	{why: "diagnose knows only the leaves",
		deny: []string{"xrdpfix/repair", "xrdpfix/internal"}, in: []string{"diagnose"}, allow: plaintext},
	{why: "clientele knows diagnose and the leaves",
		deny: []string{"xrdpfix/repair", "xrdpfix/internal"}, in: []string{"clientele"}},
	{why: "explain knows diagnose and the leaves",
		deny: []string{"xrdpfix/repair", "xrdpfix/internal"}, in: []string{"explain"}, allow: plaintext},
	{why: "handout makes files of values and knows no package of the project but internal/plaintext",
		deny: []string{"xrdpfix/"}, in: []string{"handout"}, allow: plaintext},
	{why: "internal/plaintext knows no package of the project",
		deny: []string{"xrdpfix/"}, in: []string{"internal/plaintext"}},
	{why: "repair knows diagnose, the leaves and internal/opensslconf",
		deny: []string{"xrdpfix/internal/host", "xrdpfix/internal/atomicfile"}, in: []string{"repair"}},
	{why: "the product never knows what tests it",
		deny:   []string{"xrdpfix/internal/lab", "xrdpfix/internal/rdptest", "xrdpfix/internal/repotest"},
		except: []string{"internal/lab", "internal/repotest", "bench"}},
	{why: "nothing knows the command",
		deny: []string{"xrdpfix/cmd"}, tests: true},
	{why: "what decides touches no machine, so that it can be tested with values",
		deny: []string{"os$", "syscall$"}, in: []string{"xrdpconf", "certs", "clients", "diagnose", "clientele", "explain", "handout", "repair"}},
	{why: "only internal, cmd and packaging run programs",
		deny: []string{"os/exec$"}, except: []string{"internal", "cmd", "packaging", "bench"}},
	{why: "errors are returned, and cmd prints them",
		deny: []string{"log$"}, tests: true},
}

// forbids reports whether the rule is against that import in that file.
func (l layer) forbids(s source, imported string) bool {
	if s.isTest() && !l.tests {
		return false
	}
	if len(l.in) > 0 && !slices.ContainsFunc(l.in, s.below) || slices.ContainsFunc(l.except, s.below) {
		return false
	}
	if l.allow != "" && imported == l.allow {
		return false
	}
	return slices.ContainsFunc(l.deny, func(d string) bool {
		if exact, ok := strings.CutSuffix(d, "$"); ok {
			return imported == exact
		}
		return imported == d || strings.HasPrefix(imported, strings.TrimSuffix(d, "/")+"/")
	})
}

// below reports whether the file lies in that directory or below it. A last
// element of *_test.go stands for the tests in the directory.
func (s source) below(dir string) bool {
	if dir, ok := strings.CutSuffix(dir, "/*_test.go"); ok {
		return s.isTest() && s.dir == dir
	}
	return s.dir == dir || strings.HasPrefix(s.dir, dir+"/")
}

func TestLayers(t *testing.T) {
	for _, s := range sources(t) {
		for _, imported := range s.imports {
			for _, l := range layers {
				if l.forbids(s, imported) {
					t.Errorf("%s imports %s: %s", s.name, imported, l.why)
				}
			}
		}
	}
}

// TestLayersCanFail has an import that each kind of rule is against, beside the
// nearest one that is allowed.
func TestLayersCanFail(t *testing.T) {
	for _, tt := range []struct {
		file, imported string
		forbidden      bool
	}{
		{"probe/run.go", "github.com/spf13/cobra", true},
		{"cmd/xrdpfix/run.go", "github.com/spf13/cobra", false},
		{"probe/run.go", "xrdpfix/certs", true},
		{"probe/run_test.go", "xrdpfix/internal/rdptest", false},
		{"cmd/xrdpfix/run.go", "xrdpfix/internal/rdptest", true},
		{"cmd/xrdpfix/json.go", "github.com/santhosh-tekuri/jsonschema/v6", true},
		{"cmd/xrdpfix/json_test.go", "github.com/santhosh-tekuri/jsonschema/v6", false},
		{"repair/plan.go", "os", true},
		{"repair/plan.go", "os/exec", true},
		{"internal/host/run.go", "os/exec", false},
		{"repair/plan.go", "xrdpfix/internal/opensslconf", false},
		{"repair/plan.go", "xrdpfix/internal/host", true},
		{"diagnose/run.go", "xrdpfix/internal/opensslconf", true},
		{"explain/find.go", "xrdpfix/repair", true},
		{"explain/find.go", "os", true},
		{"explain/find.go", "xrdpfix/diagnose", false},
		{"handout/windows.go", "xrdpfix/certs", true},
		{"handout/windows.go", "os", true},
		{"handout/windows.go", "xrdpfix/internal/plaintext", false},
		{"webpage/write.go", "xrdpfix/internal/plaintext", false},
		{"webpage/write.go", "xrdpfix/internal/opensslconf", true},
		{"clients/run.go", "xrdpfix/internal/plaintext", true},
		{"internal/plaintext/plaintext.go", "xrdpfix/diagnose", true},
		{"service/unit.go", "log", true},
	} {
		s := source{name: tt.file, dir: tt.file[:strings.LastIndexByte(tt.file, '/')]}
		got := slices.ContainsFunc(layers, func(l layer) bool { return l.forbids(s, tt.imported) })
		if got != tt.forbidden {
			t.Errorf("%s importing %s: forbidden = %t, want %t", tt.file, tt.imported, got, tt.forbidden)
		}
	}
}

// TestLayersAreTheLinters compares the pairs of forbidden path and reason with
// those of the linter's configuration.
func TestLayersAreTheLinters(t *testing.T) {
	pair := regexp.MustCompile(`(?m)^ +- pkg: (\S+)\n +desc: (.+)$`)
	var linter, ours []string
	for _, m := range pair.FindAllStringSubmatch(string(read(t, ".golangci.yml")), -1) {
		linter = append(linter, m[1]+": "+m[2])
	}
	for _, l := range layers {
		for _, d := range l.deny {
			ours = append(ours, d+": "+l.why)
		}
	}
	allowed := regexp.MustCompile(`(?m)^ +list-mode: lax\n +allow: \[(\S+)\]\n +deny:\n +- pkg: \S+\n +desc: (.+)$`)
	for _, m := range allowed.FindAllStringSubmatch(string(read(t, ".golangci.yml")), -1) {
		linter = append(linter, m[1]+" is allowed: "+m[2])
	}
	for _, l := range layers {
		if l.allow != "" {
			ours = append(ours, l.allow+" is allowed: "+l.why)
		}
	}
	slices.Sort(linter)
	slices.Sort(ours)
	if !slices.Equal(linter, ours) {
		t.Errorf("the import rules differ.\n.golangci.yml:\n  %s\nhere:\n  %s", strings.Join(linter, "\n  "), strings.Join(ours, "\n  "))
	}
}
