//go:build lab

package packaging

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestReproducible builds the same packages again in another place and time zone:
// the same bytes.
func TestReproducible(t *testing.T) {
	t.Parallel()
	first := filepath.Join(packages(t), newer)
	again := t.TempDir()
	copied := filepath.Join(t.TempDir(), "elsewhere")
	run(t, "cp", "-r", filepath.Join(packages(t), "source"), copied) // other times, another path
	if err := build(copied, again, newer, "TMPDIR="+t.TempDir(), "TZ=Asia/Kathmandu", "LC_ALL=C.UTF-8", "HOSTNAME=elsewhere"); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(first, "*"))
	if err != nil || len(names) != 3 {
		t.Fatalf("packages: %q, %v, want a .deb, a .rpm and the collection", names, err)
	}
	for _, name := range names {
		one, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		two, err := os.ReadFile(filepath.Join(again, filepath.Base(name)))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(one, two) {
			t.Errorf("%s is not the same when it is built again", filepath.Base(name))
		}
	}
}

// TestLintian: no error, no warning and nothing pedantic that is not explained.
func TestLintian(t *testing.T) {
	t.Parallel()
	need(t, "lintian")
	out := run(t, "lintian", "--allow-root", "--pedantic", "--fail-on", "error,warning,pedantic", one(t, filepath.Join(packages(t), newer, "*.deb")))
	if strings.Contains(out, "W: ") || strings.Contains(out, "E: ") || strings.Contains(out, "P: ") {
		t.Errorf("lintian:\n%s", out)
	}
}

func TestRpmlint(t *testing.T) {
	t.Parallel()
	need(t, "rpmlint", "rpm")
	out := run(t, "rpmlint", "-c", "rpmlint.toml", one(t, filepath.Join(packages(t), newer, "*.rpm")))
	if !strings.Contains(out, " 0 errors, 0 warnings,") {
		t.Errorf("rpmlint:\n%s", out)
	}
}

// unpacked is the tree of the .deb.
func unpacked(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	run(t, "dpkg-deb", "-x", one(t, filepath.Join(packages(t), newer, "*.deb")), dir)
	return dir
}

// TestManual: the pages are readable and without a fault for both programs that
// format them.
func TestManual(t *testing.T) {
	t.Parallel()
	need(t, "man-db", "mandoc", "groff-base")
	pages, err := filepath.Glob(filepath.Join(unpacked(t), "usr/share/man/man8/*.8.gz"))
	if err != nil || len(pages) < 10 {
		t.Fatalf("pages: %q, %v", pages, err)
	}
	for _, page := range pages {
		if out, err := exec.Command("mandoc", "-T", "lint", "-W", "style", page).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("mandoc: %v\n%s", err, out)
		}
		cmd := exec.Command("man", "--warnings=all", "-l", page)
		cmd.Env = append(os.Environ(), "MANWIDTH=80", "LC_ALL=C.UTF-8", "MAN_KEEP_FORMATTING=")
		var text, complaints bytes.Buffer
		cmd.Stdout, cmd.Stderr = &text, &complaints
		if err := cmd.Run(); err != nil || complaints.Len() > 0 || !strings.Contains(text.String(), "EXIT STATUS") {
			t.Errorf("man %s: %v\n%s", filepath.Base(page), err, complaints.String())
		}
		for line := range strings.Lines(text.String()) {
			if len([]rune(strings.TrimSuffix(line, "\n"))) > 80 {
				t.Errorf("man %s: wider than 80 columns: %q", filepath.Base(page), line)
			}
		}
	}
}

// TestPackagedDocuments: what the documents of the package link to, and the pages
// that its units name, are in the package too.
func TestPackagedDocuments(t *testing.T) {
	t.Parallel()
	root := unpacked(t)
	checked := 0
	exists := func(by, name string) {
		checked++
		if _, err := os.Stat(name); err != nil {
			t.Errorf("%s names what is not in the package: %v", by, err)
		}
	}
	link := regexp.MustCompile(`\]\(([^)#\s]+)(?:#[^)\s]*)?\)`)
	page := regexp.MustCompile(`(?m)^Documentation=man:([a-z-]+)\((\d)\)$`)
	err := filepath.WalkDir(root, func(name string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		switch ext := filepath.Ext(name); {
		case ext == ".md":
			for _, m := range link.FindAllStringSubmatch(string(text), -1) {
				if !strings.Contains(m[1], "://") {
					exists(name, filepath.Join(filepath.Dir(name), m[1]))
				}
			}
		case strings.HasPrefix(d.Name(), "xrdpfix-") && (ext == ".service" || ext == ".timer"):
			m := page.FindStringSubmatch(string(text))
			if m == nil {
				t.Errorf("%s names no page", name)
				return nil
			}
			exists(name, filepath.Join(root, "usr/share/man/man"+m[2], m[1]+"."+m[2]+".gz"))
		}
		return nil
	})
	if err != nil || checked < 20 {
		t.Errorf("%d links, %v", checked, err)
	}
}

// TestShells asks each shell, with the files of the package where it looks for
// them, what it would complete: values too, and the ids of the applies of a machine.
func TestShells(t *testing.T) {
	t.Parallel()
	need(t, "bash-completion", "zsh", "fish")
	root := unpacked(t)
	machine := filepath.Join(t.TempDir(), "machine")
	run(t, "cp", "-r", "../cmd/xrdpfix/testdata/tree", machine)
	program := filepath.Join(root, "usr/bin/xrdpfix")
	_ = exec.Command(program, "--root", machine, "apply", "--profile", "modern").Run() // it leaves the key to a human, and says so by its status
	id := regexp.MustCompile(`\d{8}T\d{6}Z`).FindString(run(t, program, "--root", machine, "history"))
	for _, line := range []struct{ words, want string }{
		{"apply --profile m", "modern"},
		{"plan --tls-min 1.", "1.0 1.1 1.2 1.3"},
		{"apply --security-layer n", "negotiate"},
		{"check --ignore key-unr", "key-unreadable"},
		{"explain cert-exp", "cert-expired cert-expiring"},
		{"--root " + machine + " rollback 2", id},
		{"--root " + machine + " history 2", id},
	} {
		fields := strings.Fields(line.words)
		for shell, script := range map[string]string{
			"bash": `. /usr/share/bash-completion/bash_completion; . "$ROOT/usr/share/bash-completion/completions/xrdpfix"
COMP_WORDS=(xrdpfix $LINE); COMP_CWORD=` + fmt.Sprint(len(fields)) + `; COMP_LINE="xrdpfix $LINE"; COMP_POINT=${#COMP_LINE}; COMP_TYPE=9
"$(complete -p xrdpfix | sed 's/.*-F \([^ ]*\).*/\1/')"; printf '%s\n' "${COMPREPLY[@]}"`,
			"fish": `source "$ROOT/usr/share/fish/vendor_completions.d/xrdpfix.fish"; complete -C "xrdpfix $LINE" | string split -f1 \t; or true`,
		} {
			words := strings.Fields(complete(t, root, line.words, shell, script))
			slices.Sort(words)
			if got := strings.Join(words, " "); got != line.want {
				t.Errorf("%s completes %q with %q, want %q", shell, line.words, got, line.want)
			}
		}
	}
	const zsh = `fpath=($ROOT/usr/share/zsh/vendor-completions $fpath); autoload -U compinit; compinit -D -u; print $_comps[xrdpfix]; autoload +X _xrdpfix; zsh -n $ROOT/usr/share/zsh/vendor-completions/_xrdpfix && print parsed`
	if got := complete(t, root, "", "zsh", zsh); got != "_xrdpfix\nparsed" {
		t.Errorf("zsh: %q", got)
	}
}

// complete runs a script of a shell that prints what LINE is completed with.
func complete(t *testing.T, root, line, shell, script string) string {
	t.Helper()
	cmd := exec.Command(shell, "-c", script)
	cmd.Env = append(os.Environ(), "LINE="+line, "ROOT="+root, "PATH="+filepath.Join(root, "usr/bin")+":"+os.Getenv("PATH"), "HOME="+t.TempDir(), "XDG_CONFIG_HOME="+t.TempDir())
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("%s: %v", shell, err)
	}
	return strings.TrimSpace(string(out))
}
