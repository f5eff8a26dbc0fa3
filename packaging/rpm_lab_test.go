//go:build lab

package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// rpmRoot is a tree with what the scripts of a package run, and nothing else.
func rpmRoot(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	library := regexp.MustCompile(`(/\S+) \(0x`)
	for _, name := range []string{"sh", "cat", "grep", "readlink", "rm", "rmdir", "sed", "flock"} {
		program, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		files := []string{program}
		for _, m := range library.FindAllStringSubmatch(run(t, "ldd", program), -1) {
			files = append(files, m[1])
		}
		for _, f := range files {
			to := filepath.Join(root, f)
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				t.Fatal(err)
			}
			run(t, "cp", "-L", f, to)
		}
	}
	if err := os.MkdirAll(filepath.Join(root, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "bin/sh")); err != nil {
		run(t, "cp", "-L", "/bin/sh", filepath.Join(root, "bin/sh"))
	}
	if err := os.MkdirAll(filepath.Join(root, "dev"), 0o755); err != nil {
		t.Fatal(err)
	}
	run(t, "mknod", "-m", "666", filepath.Join(root, "dev/null"), "c", "1", "3")
	return root
}

// debianAdvice is what Debian's rpm says about being used at all.
var debianAdvice = regexp.MustCompile(`(?m)^rpm: .*\n`)

// TestRPM is the life of the .rpm in a root of its own, with a real rpm that runs
// its scripts there: installed, upgraded, refused while a change waits, erased.
func TestRPM(t *testing.T) {
	t.Parallel()
	need(t, "rpm")
	root := rpmRoot(t)
	rpm := func(args ...string) (string, error) {
		out, err := exec.CommandContext(t.Context(), "rpm", append([]string{"--root", root}, args...)...).CombinedOutput()
		return debianAdvice.ReplaceAllString(string(out), ""), err
	}
	must := func(args ...string) string {
		t.Helper()
		out, err := rpm(args...)
		if err != nil {
			t.Fatalf("rpm %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return out
	}
	old, recent := one(t, filepath.Join(packages(t), older, "*.rpm")), one(t, filepath.Join(packages(t), newer, "*.rpm"))

	must("-i", old)
	if got := run(t, "chroot", root, "/usr/bin/xrdpfix", "version"); got != "xrdpfix "+older+"\n" {
		t.Errorf("xrdpfix version: %q", got)
	}
	files := map[string]string{
		"etc/xrdp/xrdp.ini":                       iniA,
		"etc/xrdp/tls/" + idA + "/key.pem":        "A",
		"etc/xrdp/tls/" + idB + "/key.pem":        "B",
		"var/lib/xrdpfix/journal/" + idA + "/x":   "J",
		"usr/lib/systemd/system/xrdp.service":     "[Unit]\n",
		"etc/systemd/system/xrdp.service.d/a.txt": "",
	}
	for name, text := range undoUnits("/usr/bin/xrdpfix") {
		files[name] = text
	}
	for name, text := range files {
		full := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	must("-U", recent) // a change that waits is no obstacle
	if got := run(t, "chroot", root, "/usr/bin/xrdpfix", "version"); got != "xrdpfix "+newer+"\n" {
		t.Errorf("xrdpfix version after the upgrade: %q", got)
	}
	if out := must("-V", "xrdpfix"); out != "" {
		t.Errorf("rpm -V: %s", out)
	}
	out, err := rpm("-e", "xrdpfix")
	if err == nil || !strings.Contains(out, "xrdpfix confirm "+idA) {
		t.Errorf("rpm -e with a change that waits: %v\n%s", err, out)
	}
	if got := must("-q", "xrdpfix"); !strings.HasPrefix(got, "xrdpfix-"+newer) {
		t.Errorf("after the refusal rpm -q says %s", got)
	}
	for name := range undoUnits("") {
		if err := os.Remove(filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
		delete(files, name)
	}
	out = must("-e", "xrdpfix")
	want := "xrdpfix: kept, because xrdp's configuration names it: /etc/xrdp/tls/" + idA + "\n" +
		"xrdpfix: kept, so that a later xrdpfix can undo what this one changed: /var/lib/xrdpfix\n"
	if out != want {
		t.Errorf("rpm -e says\n%s\nwant\n%s", out, want)
	}
	for name, text := range files {
		if got, err := os.ReadFile(filepath.Join(root, name)); err != nil || string(got) != text {
			t.Errorf("rpm -e changed /%s: %q, %v", name, got, err)
		}
	}
	for _, name := range []string{"usr/bin/xrdpfix", "usr/share/doc/xrdpfix", "usr/share/licenses/xrdpfix"} {
		if _, err := os.Lstat(filepath.Join(root, name)); !os.IsNotExist(err) {
			t.Errorf("rpm -e left /%s (%v)", name, err)
		}
	}
}
