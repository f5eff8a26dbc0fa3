//go:build lab

package matrix

import (
	"cmp"
	"encoding/json"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"xrdpfix/internal/lab"
)

// noise runs a program of this machine that connects to the host from outside.
// How it fares is its own affair; that it cannot be run is a failure.
func (m *machine) noise(t *testing.T, argv []string) {
	t.Helper()
	addr, _ := m.Addr()
	args := make([]string, len(argv))
	for i, a := range argv {
		args[i] = strings.ReplaceAll(a, "%h", addr.String())
	}
	if args[0] == "xfreerdp" {
		if _, err := lab.FreeRDPAcross(t.Context(), m.Host, args[1:]...); err != nil {
			t.Fatal(err)
		}
		return
	}
	m.Settled(t.Context(), func() {
		cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
		if out, err := cmd.CombinedOutput(); cmd.ProcessState == nil {
			t.Fatalf("%q: %v\n%s", args, err, out)
		}
	})
}

var printedFingerprint = regexp.MustCompile(`SHA256 ([0-9A-F]{2}(?::[0-9A-F]{2}){31})`)

// helps walks the way of a fault that is a client's own.
func (f fault) helps(t *testing.T, m *machine, r *result, check, p report) {
	t.Helper()
	code := f.codes[strings.LastIndexByte(f.codes, ' ')+1:]
	_, from := m.Addr()
	told, fingerprint := "", ""
	for _, x := range check.Findings {
		if x.Code != code {
			continue
		}
		told = x.Remedy
		if x.Mend != "client" {
			t.Errorf("%s is for %q to mend, want client", x.Code, x.Mend)
		}
		if len(x.Evidence) != 1 || !strings.HasPrefix(x.Evidence[0].Text, from.String()+" ") {
			t.Errorf("%s shows %+v, want the client %s", x.Code, x.Evidence, from)
		}
		if found := printedFingerprint.FindStringSubmatch(x.Remedy); found != nil {
			fingerprint = strings.ToLower(found[1])
		}
	}
	if !strings.Contains(told, f.says) {
		t.Errorf("the owner of the client is told %q, want %q", told, f.says)
	}
	r.plan = "tells the client's owner: " + f.says
	if p.Changed || p.Exit.Code != 0 {
		t.Errorf("plan: %s", p)
	}
	if a := m.applyNothing(t, f.flags...); a.Exit.Code != 0 {
		t.Errorf("apply: %s", a)
	}
	logged := cmp.Or(f.logged, code)
	if n := m.failures(t, logged, from.String()); n == 0 {
		t.Errorf("xrdpfix log shows no %s of %s", logged, from)
	}
	mended := f
	mended.after = nil
	for _, a := range f.after {
		mended.after = append(mended.after, strings.ReplaceAll(a, "%f", fingerprint))
	}
	mended.connects(t, m, r)
	if now := m.xrdpfix(t, "check"); now.codes() != f.left || now.Exit.Code != 0 {
		t.Errorf("after the client was mended, check says %s, want no error and %q", now, f.left)
	}
}

// failures counts the connections from an address that xrdpfix log blames on a
// cause, on any where code is empty.
func (m *machine) failures(t *testing.T, code, from string) int {
	t.Helper()
	n := 0
	for line := range strings.Lines(m.Must(t, "xrdpfix log --json --all")) {
		var doc struct {
			Connection struct{ Client, Outcome, Cause string }
		}
		if err := json.Unmarshal([]byte(line), &doc); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if c := doc.Connection; c.Client == from && c.Outcome == "failed" && (code == "" || c.Cause == code) {
			n++
		}
	}
	return n
}

// refuses expects that what was stated is refused before anything is touched,
// and that the server goes on as it was, or the command printed instead helps.
func (f fault) refuses(t *testing.T, m *machine, r *result, p report) {
	t.Helper()
	if p.Plan.Refusal == nil || p.Plan.Refusal.Reason != f.says {
		t.Errorf("plan: %s", p)
	}
	a := m.applyNothing(t, f.flags...)
	if a.Exit.Code != 7 || a.Exit.Reason != f.says {
		t.Errorf("apply says %s, want status 7 (%s)", a, f.says)
	}
	r.plan = "refused: " + f.says
	if f.runs {
		commands := a.Plan.Manual[0].Commands
		r.plan += "; prints: " + strings.Join(commands, "; ")
		m.Must(t, prelude+strings.Join(commands, "\n"))
	}
	f.connects(t, m, r)
}
