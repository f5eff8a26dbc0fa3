//go:build lab

package matrix

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xrdpfix/internal/lab"
)

// program is the static xrdpfix that every host sees as /usr/local/bin/xrdpfix.
var program string

// TestMain builds it, unless XRDPFIX_PROGRAM names one that is built already.
func TestMain(m *testing.M) {
	if program = os.Getenv("XRDPFIX_PROGRAM"); program != "" {
		os.Exit(m.Run())
	}
	dir, err := os.MkdirTemp("", "matrix-")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "xrdpfix")
	build := exec.Command("go", "build", "-trimpath", "-o", program, "xrdpfix/cmd/xrdpfix")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	code := 1
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build xrdpfix: %v\n%s", err, out)
	} else {
		code = m.Run()
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// machine is a host of the lab with the program under test inside.
type machine struct {
	*lab.Host
}

func start(t *testing.T, suite lab.Suite, opts ...func(*lab.Options)) *machine {
	t.Helper()
	m := &machine{lab.Start(t, suite, append(opts, lab.WithBind(program, "/usr/local/bin/xrdpfix"))...)}
	t.Logf("%s: %v", suite, m.Image.Versions)
	return m
}

// listening waits until the port of a stock xrdp is open.
func (m *machine) listening(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := m.WaitPort(ctx, lab.RDPPort); err != nil {
		t.Fatal(err)
	}
}

// report is what the tests read of the program's JSON output.
type report struct {
	Changed bool
	Exit    struct {
		Code   int
		Reason string
	}
	Error    *struct{ Message string }
	Findings []finding
	Unseen   []string
	Plan     *plan
	Verdict  *struct {
		Status  string
		Reasons []string
	}
	Journal string
}

type finding struct {
	Code, Severity, Detail, Remedy, Mend, Subject string
	Commands                                      []string
	Evidence                                      []struct{ Kind, Source, Text string }
}

type plan struct {
	Files []struct {
		Kind, Path, Diff string
		Keys             []string
	}
	Identity *struct {
		Dir  string
		Copy bool
	}
	Restart struct {
		Action string
		Needed bool
		Why    string
	}
	Disturbs []struct{ User string }
	Manual   []struct {
		Because, Severity, Text string
		Commands                []string
	}
	Refusal *struct{ Reason, Text string }
}

// xrdpfix runs the program with --json as root and reads its one object. A
// status that the object does not tell is a failure.
func (m *machine) xrdpfix(t *testing.T, args ...string) report {
	t.Helper()
	r, err := m.Run(t.Context(), lab.Cmd{Args: append([]string{"xrdpfix", "--json"}, args...)})
	if err != nil {
		t.Fatal(err)
	}
	var out report
	if err := json.Unmarshal([]byte(r.Stdout), &out); err != nil {
		t.Fatalf("xrdpfix %s: no JSON object: %v\n%s%s", strings.Join(args, " "), err, r.Stdout, r.Stderr)
	}
	if out.Exit.Code != r.Code || r.Stderr != "" {
		t.Errorf("xrdpfix %s: exit status %d, in JSON %d; standard error %q", strings.Join(args, " "), r.Code, out.Exit.Code, r.Stderr)
	}
	return out
}

// apply expects a change that was proven.
func (m *machine) apply(t *testing.T, args ...string) report {
	t.Helper()
	r := m.xrdpfix(t, append([]string{"apply"}, args...)...)
	if r.Exit.Code != 0 || !r.Changed || r.Verdict == nil || r.Verdict.Status != "confirmed" {
		t.Fatalf("xrdpfix apply %s: %s", strings.Join(args, " "), r)
	}
	return r
}

// applyNothing expects that there is nothing to do and that nothing was done:
// no time of change moves, and the daemon is the same process.
func (m *machine) applyNothing(t *testing.T, args ...string) report {
	t.Helper()
	before := m.times(t)
	r := m.xrdpfix(t, append([]string{"apply"}, args...)...)
	if r.Changed {
		t.Errorf("xrdpfix apply %s: changed: %s", strings.Join(args, " "), r)
	}
	if after := m.times(t); after != before {
		t.Errorf("xrdpfix apply %s: %s\nit claims to change nothing, and this moved:\n%s", strings.Join(args, " "), r, difference(before, after))
	}
	return r
}

// String shows the parts that explain a surprise.
func (r report) String() string {
	s := fmt.Sprintf("status %d (%s), changed %v, codes %q", r.Exit.Code, r.Exit.Reason, r.Changed, r.codes())
	if r.Error != nil {
		s += ", error: " + r.Error.Message
	}
	if r.Plan != nil {
		s += fmt.Sprintf(", plan %q", r.Plan)
		if r.Plan.Refusal != nil {
			s += ", refused: " + r.Plan.Refusal.Text
		}
	}
	if r.Verdict != nil {
		s += fmt.Sprintf(", %s: %s", r.Verdict.Status, strings.Join(r.Verdict.Reasons, "; "))
	}
	for _, f := range r.Findings {
		s += "\n  " + f.Severity + " " + f.Code + ": " + f.Detail
	}
	return s + "\n"
}

// String tells the plan in a few words: the files with the keys that change, a
// new pair, what happens to the daemon because it must, what is left to a human.
func (p *plan) String() string {
	var parts []string
	for _, f := range p.Files {
		what := f.Kind
		if len(f.Keys) > 0 {
			what = strings.Join(f.Keys, ",")
		}
		parts = append(parts, path.Base(f.Path)+":"+what)
	}
	switch id := p.Identity; {
	case id == nil:
	case id.Copy:
		parts = append(parts, "+copy")
	default:
		parts = append(parts, "+pair")
	}
	if p.Restart.Needed {
		parts = append(parts, "+"+p.Restart.Action)
	}
	for _, m := range p.Manual {
		parts = append(parts, "manual:"+m.Because)
	}
	return strings.Join(parts, " ")
}

// codes returns the finding codes of errors and warnings, in the order raised.
func (r report) codes() string {
	var list []string
	for _, f := range r.Findings {
		if f.Severity != "info" {
			list = append(list, f.Code)
		}
	}
	return strings.Join(list, " ")
}

// watched are the places that an apply may change, and the journals.
const watched = "/etc/xrdp /etc/systemd/system /etc/xrdpfix /etc/ssl/openssl.cnf /etc/ssl/private /etc/ssl/certs/ssl-cert-snakeoil.pem /etc/default/xrdp"

// manifest tells bytes, owner, mode and links of everything that an apply may
// change. The pairs of rolled-back applies stay for a while and are left out.
func (m *machine) manifest(t *testing.T) string {
	t.Helper()
	return m.Must(t, `find `+watched+` \( -path /etc/xrdp/tls -prune \) -o -printf '%p %y %#m %U:%G %l\n' 2>/dev/null | sort
find `+watched+` \( -path /etc/xrdp/tls -prune \) -o -type f -exec sha256sum {} + 2>/dev/null | sort -k2`)
}

// times tells when everything that an apply may change was changed last, and
// which process the daemon is.
func (m *machine) times(t *testing.T) string {
	t.Helper()
	return m.Must(t, `find `+watched+` /var/lib/xrdpfix -printf '%p %T@ %C@\n' 2>/dev/null | sort; pgrep -o -x xrdp || echo no xrdp`)
}

// difference shows the lines that only one of two texts has.
func difference(before, after string) string {
	var out strings.Builder
	for _, side := range []struct{ sign, lines, others string }{{"- ", before, after}, {"+ ", after, before}} {
		for line := range strings.Lines(side.lines) {
			if !strings.Contains(side.others, line) {
				out.WriteString(side.sign + line)
			}
		}
	}
	return out.String()
}

// tls connects as FreeRDP 2 does when it insists on TLS.
func (m *machine) tls(t *testing.T) lab.ClientResult {
	t.Helper()
	return m.client(t, "/sec:tls")
}

func (m *machine) client(t *testing.T, args ...string) lab.ClientResult {
	t.Helper()
	r, err := lab.FreeRDP(t.Context(), m.Host, args...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// accepted tells the TLS versions that sslscan sees accepted.
func (m *machine) accepted(t *testing.T) string {
	t.Helper()
	r, err := lab.SSLScan(t.Context(), m.Host)
	if err != nil {
		t.Fatal(err)
	}
	return r.Accepted()
}

// own makes the shared default pair this machine's own, as the package does
// when it is installed there and not, as here, in an image.
const own = "make-ssl-cert generate-default-snakeoil --force-overwrite\n"
