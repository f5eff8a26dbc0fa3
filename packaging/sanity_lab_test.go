//go:build lab

package packaging

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// withPip are the checks of ansible-test that install their programs with pip,
// which is no package manager of this project, and what is done instead.
var withPip = map[string]string{
	"ansible-doc":      "ansible-doc is asked itself",
	"pep8":             "Debian's pycodestyle, as ansible-test calls it",
	"pylint":           "NOT RUN: it wants the very pylint of ansible-test",
	"import":           "NOT RUN: the modules run on three versions of Python in TestAnsible",
	"runtime-metadata": "its program is called directly",
	"validate-modules": "its program is called directly",
	"yamllint":         "its program is called directly, with Debian's yamllint",
}

// sanity is where the programs of those checks are.
const sanity = "/usr/lib/python3/dist-packages/ansible_test/_util/controller/sanity/"

// python is Debian's, which has the modules of Debian's packages.
const python = "/usr/bin/python3"

// TestAnsibleSanity runs what checks collections, as far as it runs without pip.
func TestAnsibleSanity(t *testing.T) {
	t.Parallel()
	need(t, "ansible-core", "python3-voluptuous", "pycodestyle", "yamllint", "ansible-lint", "git")
	f := controller(t)
	collection := filepath.Join(f.dir, "collections/ansible_collections/xrdpfix/xrdp")
	in := fleet{dir: collection, env: f.env}

	version := strings.TrimSpace(in.must(t, python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"))
	args := []string{"sanity", "--color", "no", "--python", version}
	for name, instead := range withPip {
		t.Logf("ansible-test sanity --test %s needs pip: %s", name, instead)
		args = append(args, "--skip-test", name)
	}
	if out := in.must(t, "ansible-test", args...); strings.Count(out, "Running sanity test") < 15 {
		t.Errorf("ansible-test ran too little:\n%s", out)
	}

	modules := []string{"plugins/modules/xrdpfix.py", "plugins/modules/xrdpfix_probe.py"}
	validate := append([]string{sanity + "validate-modules/validate.py", "--format", "plain", "--arg-spec",
		"--collection", "ansible_collections/xrdpfix/xrdp", "--collection-version", newer}, modules...)
	in.must(t, python, validate...)
	in.must(t, python, sanity+"code-smell/runtime-metadata.py", "meta/runtime.yml")
	ignored, err := os.ReadFile(sanity + "pep8/current-ignore.txt")
	if err != nil {
		t.Fatal(err)
	}
	in.must(t, "pycodestyle", "--max-line-length", "160", "--config", "/dev/null", "--ignore", strings.Join(strings.Fields(string(ignored)), ","), "plugins")
	var texts []string
	for _, pattern := range []string{"*/*.yml", "roles/*/*/*.yml", "plugins/*/*.py"} {
		texts = append(texts, in.glob(t, pattern)...)
	}
	var lint struct{ Messages []any }
	if err := json.Unmarshal([]byte(in.must(t, python, append([]string{sanity + "yamllint/yamllinter.py"}, texts...)...)), &lint); err != nil || len(lint.Messages) > 0 {
		t.Errorf("yamllint: %v, %v", err, lint.Messages)
	}
	in.lint(t)
	in.documented(t)

	// The documentation of a module without one of its options: the check can fail.
	spoiled := filepath.Join(collection, modules[1])
	text, err := os.ReadFile(spoiled)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(spoiled, bytes.Replace(text, []byte("  timeout:\n"), []byte("  timeouts:\n"), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, code := in.run(t, python, validate...); code == 0 || !strings.Contains(out, "timeout") {
		t.Errorf("validate-modules does not see an option that is not documented: status %d\n%s", code, out)
	}
}

func (f fleet) glob(t *testing.T, pattern string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(f.dir, pattern))
	if err != nil || len(list) == 0 {
		t.Fatalf("%s: %q, %v", pattern, list, err)
	}
	for i, name := range list {
		if list[i], err = filepath.Rel(f.dir, name); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// lint runs ansible-lint, which wants the source with its galaxy.yml.
func (f fleet) lint(t *testing.T) {
	t.Helper()
	rules, err := filepath.Abs("testdata/ansible/ansible-lint.yml")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("ansible/galaxy.yml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(f.dir, "galaxy.yml"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	if out := f.must(t, "ansible-lint", "--offline", "--nocolor", "-c", rules); !strings.Contains(out, "0 failure(s), 0 warning(s) on 2") {
		t.Errorf("ansible-lint:\n%s", out)
	}
}

// documented: ansible-doc shows the modules and the role, every option of them.
func (f fleet) documented(t *testing.T) {
	t.Helper()
	type option struct{ Description any }
	var docs map[string]struct {
		Doc struct {
			Collection string
			Options    map[string]option
		}
		Examples string
		Return   map[string]option
	}
	out := f.must(t, "ansible-doc", "--json", "xrdpfix.xrdp.xrdpfix", "xrdpfix.xrdp.xrdpfix_probe")
	if err := json.Unmarshal([]byte(out), &docs); err != nil || len(docs) != 2 {
		t.Fatalf("ansible-doc: %v\n%s", err, out)
	}
	for name, d := range docs {
		if d.Doc.Collection != "xrdpfix.xrdp" || len(d.Doc.Options) < 8 || d.Examples == "" {
			t.Errorf("%s: %+v", name, d)
		}
	}
	for _, value := range []string{"diff", "findings", "verdict", "clients", "exit", "journal", "msg"} {
		if docs["xrdpfix.xrdp.xrdpfix"].Return[value].Description == nil {
			t.Errorf("ansible-doc does not tell what %s is", value)
		}
	}
	if out := f.must(t, "ansible-doc", "-t", "role", "xrdpfix.xrdp.xrdpfix"); !strings.Contains(out, "xrdpfix_confirm_within") {
		t.Errorf("ansible-doc of the role:\n%s", out)
	}
}

// examples: the play in the collection's README.md and the tasks in its modules'
// documents are ones that ansible-playbook takes, and name variables that the role has.
func (f fleet) examples(t *testing.T) {
	t.Helper()
	readme, err := os.ReadFile("ansible/README.md")
	if err != nil {
		t.Fatal(err)
	}
	specs, err := os.ReadFile("ansible/roles/xrdpfix/meta/argument_specs.yml")
	if err != nil {
		t.Fatal(err)
	}
	_, play, found := strings.Cut(string(readme), "```yaml\n")
	play, _, ended := strings.Cut(play, "```")
	if !found || !ended {
		t.Fatal("ansible/README.md shows no play")
	}
	plays := map[string]string{"README.md": play}
	for _, name := range []string{"xrdpfix", "xrdpfix_probe"} {
		var docs map[string]struct{ Examples string }
		if err := json.Unmarshal([]byte(f.must(t, "ansible-doc", "--json", "xrdpfix.xrdp."+name)), &docs); err != nil {
			t.Fatal(err)
		}
		tasks := strings.TrimSpace(docs["xrdpfix.xrdp."+name].Examples)
		plays[name] = "- hosts: all\n  tasks:\n    " + strings.ReplaceAll(tasks, "\n", "\n    ") + "\n"
	}
	for name, text := range plays {
		file := filepath.Join(t.TempDir(), "play.yml")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, code := f.run(t, "ansible-playbook", "--syntax-check", file); code != 0 {
			t.Errorf("%s: status %d\n%s\n%s", name, code, out, text)
		}
	}
	for _, variable := range regexp.MustCompile(`\bxrdpfix_[a-z_]+\b`).FindAllString(string(readme), -1) {
		if variable != "xrdpfix_probe" && !strings.Contains(string(specs), "\n      "+variable+":\n") {
			t.Errorf("ansible/README.md has the variable %s, which the role has not", variable)
		}
	}
}

// TestCollection: ansible-galaxy makes the same of the source as make packages,
// but for times and the order of the files.
func TestCollection(t *testing.T) {
	t.Parallel()
	f := controller(t)
	source, err := filepath.Abs("ansible")
	if err != nil {
		t.Fatal(err)
	}
	f.must(t, "ansible-galaxy", "collection", "build", source, "--output-path", "built")
	theirs := unpack(t, one(t, filepath.Join(f.dir, "built/*.tar.gz")))
	ours := unpack(t, one(t, filepath.Join(packages(t), newer, "*.tar.gz")))
	for name, text := range ours {
		switch want := theirs[name]; {
		case name == "MANIFEST.json":
			if got, want := galaxy(t, text)["collection_info"], galaxy(t, want)["collection_info"]; !reflect.DeepEqual(got, want) {
				t.Errorf("MANIFEST.json:\n%v\nwant\n%v", got, want)
			}
		case name == "FILES.json":
			if got, want := galaxy(t, text)["files"], galaxy(t, want)["files"]; !reflect.DeepEqual(got, want) {
				t.Errorf("FILES.json:\n%v\nwant\n%v", got, want)
			}
		case !bytes.Equal(text, want):
			t.Errorf("%s is not what ansible-galaxy packs", name)
		}
		delete(theirs, name)
	}
	for name := range theirs {
		t.Errorf("%s is missing", name)
	}
	f.must(t, "ansible-galaxy", "collection", "verify", "xrdpfix.xrdp", "--offline", "-p", f.dir+"/collections")
	f.examples(t)
}

// unpack reads a tarball; a directory has no text.
func unpack(t *testing.T, name string) map[string][]byte {
	t.Helper()
	packed, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close() //nolint:errcheck // only read
	zipped, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for r := tar.NewReader(zipped); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if out[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

// galaxy reads the JSON of Galaxy, its list of files in the order of their names.
func galaxy(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	if files, ok := out["files"].([]any); ok {
		slices.SortFunc(files, func(a, b any) int {
			x, _ := a.(map[string]any)["name"].(string)
			y, _ := b.(map[string]any)["name"].(string)
			return strings.Compare(x, y)
		})
	}
	return out
}
