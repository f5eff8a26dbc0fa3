//go:build lab

package matrix

import (
	"slices"
	"strings"
	"testing"
)

// fixes walks the way of a fault that apply mends.
func (f fault) fixes(t *testing.T, m *machine, r *result, p report, manifest string) {
	t.Helper()
	want := f.plan
	if w, ok := f.planOn[r.suite]; ok {
		want = w
	}
	if !p.Changed || p.Exit.Code != 3 || want != "%any" && r.plan != want {
		t.Errorf("plan is %q, want %q: %s", r.plan, want, p)
	}
	if len(f.flags) > 0 {
		m.applyNothing(t)
	}
	a := m.apply(t, f.flags...)
	if f.then != "" {
		m.Must(t, prelude+f.then)
	}
	f.connects(t, m, r)
	flags := f.flags
	if slices.Contains(flags, "renew") {
		flags = nil // asked for a new one again, it makes one again
	}
	if again := m.applyNothing(t, flags...); again.Exit.Code != 0 || again.codes() != f.left {
		t.Errorf("the second apply says %s, want no error and %q left", again, f.left)
	}
	if f.accepted != "" {
		f.scan(t, m)
	}
	f.returns(t, m, r, a, manifest)
}

// returns rolls back and expects the fault to be there again.
func (f fault) returns(t *testing.T, m *machine, r *result, a report, manifest string) {
	t.Helper()
	if back := m.xrdpfix(t, "rollback"); back.Exit.Code != 0 || !back.Changed {
		t.Errorf("rollback of %s: %s", a.Journal, back)
	}
	if now := m.manifest(t); now != manifest {
		t.Errorf("rollback left a difference:\n%s", difference(manifest, now))
	}
	if f.stays {
		return
	}
	if got := f.connect(t, m, f.client); got.Name != r.before {
		t.Errorf("after rollback: FreeRDP says %s, before it said %s", got.Name, r.before)
	}
}

// connects expects the client in.
func (f fault) connects(t *testing.T, m *machine, r *result) {
	t.Helper()
	args := f.client
	if len(f.after) > 0 {
		args = f.after
	}
	got := f.connect(t, m, args)
	if r.after = got.Name; !got.OK() {
		t.Errorf("afterwards: FreeRDP says %s\n%s", got.Name, got.Output)
	}
}

// waits walks the way of a fault that only a human can mend.
func (f fault) waits(t *testing.T, m *machine, r *result, manifest string) {
	t.Helper()
	a := m.applyNothing(t, f.flags...)
	if a.Exit.Code != 3 || a.Exit.Reason != "manual" {
		t.Errorf("apply says %s, want status 3 (manual)", a)
	}
	if now := m.manifest(t); now != manifest {
		t.Errorf("apply changed something:\n%s", difference(manifest, now))
	}
	var printed []string
	for _, x := range a.Plan.Manual {
		if strings.Contains(f.codes, x.Because) && len(printed) == 0 {
			printed = x.Commands
		}
	}
	r.plan = "prints: " + strings.Join(printed, "; ")
	run := f.run
	if run == "" {
		run = strings.Join(printed, "\n")
	} else if !strings.Contains(strings.Join(printed, "\n"), strings.TrimSpace(f.run)) {
		t.Errorf("apply prints %q, not %q", printed, f.run)
	}
	m.Must(t, prelude+run)
	m.listening(t)
	if f.then != "" {
		m.Must(t, prelude+f.then)
	}
	f.connects(t, m, r)
	if now := m.xrdpfix(t, "check"); now.codes() != f.left || now.Exit.Code != 0 {
		t.Errorf("after the command, check says %s, want no error and %q", now, f.left)
	}
}

// spares expects that nothing is touched.
func (f fault) spares(t *testing.T, m *machine, r *result, p report) {
	t.Helper()
	if p.Changed || p.Exit.Code != 0 {
		t.Errorf("plan: %s", p)
	}
	if a := m.applyNothing(t, f.flags...); a.Exit.Code != 0 {
		t.Errorf("apply: %s", a)
	}
	if f.then != "" {
		m.Must(t, prelude+f.then)
	}
	r.after = f.connect(t, m, f.client).Name
	if r.after != r.before {
		t.Errorf("afterwards: FreeRDP says %s, before it said %s", r.after, r.before)
	}
	if f.runs {
		f.obeys(t, m, r)
	}
}

// obeys runs what check prints for its first warning, and expects it to help.
func (f fault) obeys(t *testing.T, m *machine, r *result) {
	t.Helper()
	var commands []string
	for _, x := range m.xrdpfix(t, "check").Findings {
		if x.Severity != "info" && len(commands) == 0 {
			commands = x.Commands
		}
	}
	if len(commands) == 0 {
		t.Fatal("check prints no command")
	}
	r.plan = "prints: " + strings.Join(commands, "; ")
	// diff says by its status that there is a difference.
	m.Must(t, prelude+"diff() { command diff \"$@\" || test $? = 1; }\n"+strings.Join(commands, "\n"))
	m.listening(t)
	if now := m.xrdpfix(t, "check"); now.codes() != f.left || now.Exit.Code != 0 {
		t.Errorf("after the command, check says %s, want no error and %q", now, f.left)
	}
	f.connects(t, m, r)
}
