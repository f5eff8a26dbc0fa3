//go:build lab

package packaging

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"xrdpfix/internal/lab"
)

// The versions of the packages that are installed one after the other.
const older, newer = "0.0.9", "0.1.0"

// built are the packages of this machine's architecture, in the directories of
// their versions, and what they were built from, in source.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "packages-")
	if err != nil {
		return "", err
	}
	source := filepath.Join(dir, "source")
	if err := snapshot(source); err != nil {
		return dir, err
	}
	for _, v := range []string{older, newer} {
		if err := build(source, filepath.Join(dir, v), v); err != nil {
			return dir, err
		}
	}
	return dir, nil
})

// snapshot copies the repository as it is now, what is not committed included: a
// commit or an edit during the test changes no package.
func snapshot(to string) error {
	const script = `git clone -q --shared --no-checkout .. "$1" && git -C "$1" reset -q &&
cd .. && git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' f; do [ ! -f "$f" ] || printf '%s\0' "$f"; done |
xargs -0 cp --parents -t "$1"`
	if out, err := exec.Command("bash", "-o", "pipefail", "-ec", script, "bash", to).CombinedOutput(); err != nil {
		return fmt.Errorf("copy the repository: %w\n%s", err, out)
	}
	return nil
}

// build makes the packages of a version as make packages does.
func build(source, dir, version string, env ...string) error {
	cmd := exec.Command("go", "run", "./packaging/build", "-dir", dir, "-version", version, "-arch", runtime.GOARCH, "packages")
	cmd.Dir = source
	cmd.Env = append(append(os.Environ(), "SOURCE_DATE_EPOCH=1795000000"), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make packages: %w\n%s", err, out)
	}
	return nil
}

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, _ := built(); dir != "" {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// packages returns the directory of the packages.
func packages(t *testing.T) string {
	t.Helper()
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// one returns the only file of that form.
func one(t *testing.T, pattern string) string {
	t.Helper()
	list, err := filepath.Glob(pattern)
	if err != nil || len(list) != 1 {
		t.Fatalf("%s: %q, %v, want one file", pattern, list, err)
	}
	return list[0]
}

// need installs what the test needs of this machine.
func need(t *testing.T, packages ...string) {
	t.Helper()
	err := lab.Install(t.Context(), t.Output(), func() (missing []string) {
		for _, p := range packages {
			out, err := exec.Command("dpkg-query", "-W", "-f", "${db:Status-Status}", p).Output()
			if err != nil || string(out) != "installed" {
				missing = append(missing, p)
			}
		}
		return missing
	})
	if err != nil {
		t.Fatal(err)
	}
}

// run runs a program of this machine, which must succeed.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// machine is a host with the packages in /packages.
type machine struct{ *lab.Host }

func start(t *testing.T, suite lab.Suite, opts ...func(*lab.Options)) machine {
	t.Helper()
	m := machine{lab.Start(t, suite, append(opts, lab.WithBind(packages(t), "/packages"))...)}
	t.Logf("%s: %v", suite, m.Image.Versions)
	m.Must(t, "make-ssl-cert generate-default-snakeoil --force-overwrite") // this machine's own, as in a real install
	return m
}

// sh runs a script inside that may fail, and returns everything that it printed.
func (m machine) sh(t *testing.T, script string) (output string, code int) {
	t.Helper()
	r, err := m.Sh(t.Context(), script)
	if err != nil {
		t.Fatal(err)
	}
	return r.Stdout + r.Stderr, r.Code
}

// everything lists what is on the machine, and in /etc every byte of it. What
// systemd, xrdp and dpkg write on their own is left out.
func (m machine) everything(t *testing.T) string {
	t.Helper()
	return m.Must(t, `cd / && find . -xdev \( -path ./proc -o -path ./sys -o -path ./run -o -path ./tmp -o -path ./dev -o -path ./packages \
-o -path ./var/log -o -path ./var/lib/dpkg -o -path ./var/lib/apt -o -path ./var/cache -o -path ./var/lib/systemd -o -path ./var/tmp -o -path ./var/lib/rpm -o -path ./root \) -prune \
-o -printf '%p %y %#m %U:%G %l\n' | sort
find etc -type f -exec sha256sum {} + | sort -k2
find run/xrdpfix* var/lib/systemd/timers/*xrdpfix* 2>/dev/null || true
systemctl list-unit-files --no-legend --state=enabled,disabled,enabled-runtime | sort`)
}

// daemon is the process that listens: the same one as long as nobody restarts it.
func (m machine) daemon(t *testing.T) string {
	t.Helper()
	return m.Must(t, "pgrep -o -x xrdp")
}

// connects expects that a client with TLS gets in.
func (m machine) connects(t *testing.T, when string) {
	t.Helper()
	if err := m.WaitPort(t.Context(), lab.RDPPort); err != nil {
		t.Fatal(err)
	}
	r, err := lab.FreeRDP(t.Context(), m.Host, "/sec:tls", "+auth-only")
	if err != nil {
		t.Fatal(err)
	}
	if !r.OK() {
		t.Errorf("%s: FreeRDP says %s\n%s", when, r.Name, r.Output)
	}
}

// difference shows the lines that only one of two texts has.
func difference(before, after string) string {
	var out strings.Builder
	for _, side := range []struct{ sign, lines, others string }{{"- ", before, after}, {"+ ", after, before}} {
		others := map[string]bool{}
		for line := range strings.Lines(side.others) {
			others[line] = true
		}
		for line := range strings.Lines(side.lines) {
			if !others[line] {
				out.WriteString(side.sign + line)
			}
		}
	}
	return out.String()
}
