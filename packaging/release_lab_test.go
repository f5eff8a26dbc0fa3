//go:build lab

package packaging

import (
	"debug/elf"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"xrdpfix/internal/lab"
)

// all says whether the rows are run that take longer than a change deserves.
func all() bool { return os.Getenv("XRDPFIX_ALL") != "" }

// TestRelease makes a release, signed with a key of its own, and checks it as
// somebody who downloads it does.
func TestRelease(t *testing.T) {
	if !all() {
		t.Skip("NOT RUN: a whole release takes a minute; make test-all makes one")
	}
	t.Parallel()
	need(t, "gpg")
	gnupg, dir := t.TempDir(), filepath.Join(t.TempDir(), "dist")
	if err := os.Chmod(gnupg, 0o700); err != nil {
		t.Fatal(err)
	}
	gpg := func(dir string, args ...string) string {
		cmd := exec.CommandContext(t.Context(), "gpg", append([]string{"--batch", "--homedir", gnupg}, args...)...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("gpg %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	gpg("", "--passphrase", "", "--quick-generate-key", "release@example.invalid", "ed25519", "sign")
	t.Cleanup(func() { _ = exec.Command("gpgconf", "--homedir", gnupg, "--kill", "gpg-agent").Run() })

	cmd := exec.CommandContext(t.Context(), "go", "run", "./packaging/build", "-dir", dir, "-version", newer, "-key", "release@example.invalid", "release")
	cmd.Dir = filepath.Join(packages(t), "source")
	cmd.Env = append(os.Environ(), "GNUPGHOME="+gnupg, "SOURCE_DATE_EPOCH=1795000000")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make release: %v\n%s", err, out)
	}
	gpg(dir, "--verify", "SHA256SUMS.asc", "SHA256SUMS")
	check := exec.CommandContext(t.Context(), "sha256sum", "--check", "--strict", "SHA256SUMS")
	check.Dir = dir
	out, err := check.CombinedOutput()
	if err != nil || strings.Count(string(out), ": OK\n") != 10 {
		t.Errorf("sha256sum --check: %v, want 4 packages, a collection, 2 programs, 2 bills, the notes\n%s", err, out)
	}
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		name := filepath.Join(dir, "xrdpfix_"+newer+"_linux_"+arch)
		f, err := elf.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		libraries, err := f.ImportedLibraries()
		if f.Machine != machine || err != nil || len(libraries) > 0 || f.Section(".interp") != nil {
			t.Errorf("%s is for %v and needs %q (%v): not static", name, f.Machine, libraries, err)
		}
		_ = f.Close()
		var bill struct{ Components []struct{ Name string } }
		if text, err := os.ReadFile(name + ".cdx.json"); err != nil {
			t.Error(err)
		} else if err := json.Unmarshal(text, &bill); err != nil || len(bill.Components) < 5 {
			t.Errorf("%s.cdx.json: %v, %+v", name, err, bill)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "NOTES.md"))
	if err != nil || !strings.HasPrefix(string(text), "# xrdpfix "+newer+"\n\n- ") {
		t.Errorf("NOTES.md: %v\n%s", err, text)
	}
}

// TestRPMOnMachine uses the .rpm where systemd and xrdp run. Debian's rpm stands
// in for those of Fedora and openSUSE, of which there is no machine here.
func TestRPMOnMachine(t *testing.T) {
	if !all() {
		t.Skip("NOT RUN: a machine with rpm needs an image of its own; make test-all has one")
	}
	t.Parallel()
	m := start(t, lab.Bookworm, lab.WithPackages("rpm"))
	before, daemon := m.everything(t), m.daemon(t)
	m.Must(t, "rpm -i --nodeps /packages/"+older+"/*.rpm")
	if now := m.daemon(t); now != daemon {
		t.Error("the package restarted xrdp")
	}
	m.Must(t, "xrdpfix apply && xrdpfix apply --security-layer tls --confirm-within 1h")
	m.Must(t, "rpm -U --nodeps /packages/"+newer+"/*.rpm")
	if out, code := m.sh(t, "rpm -e xrdpfix"); code == 0 || !strings.Contains(out, "xrdpfix confirm ") {
		t.Errorf("rpm -e with a change that waits: status %d\n%s", code, out)
	}
	m.Must(t, "xrdpfix confirm && rpm -e xrdpfix")
	m.connects(t, "after rpm -e")
	for line := range strings.Lines(difference(before, m.everything(t))) {
		if strings.Contains(line, "/usr/") && strings.Contains(line, "xrdpfix") { // other directories are everybody's
			t.Errorf("rpm -e left %s", line)
		}
	}
}
