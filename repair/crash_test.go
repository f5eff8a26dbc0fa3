package repair

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
)

// ends runs what may die, and tells at which call it did.
func ends(run func()) (at string) {
	defer func() {
		switch d := recover().(type) {
		case nil:
		case death:
			at = d.call
		default:
			panic(d)
		}
	}()
	run()
	return ""
}

// finish is what the next apply does first: it puts back what is unfinished.
func (m *machine) finish(ctx context.Context) error {
	list, err := m.List()
	if err != nil {
		return err
	}
	for _, j := range list {
		if !j.Unfinished() {
			continue
		}
		if _, err := m.runner().Rollback(ctx, j, false); err != nil {
			return err
		}
	}
	return nil
}

// mixed names the files that are neither as they were nor as they were to be. A
// process that dies may leave some of both, but no third thing.
func mixed(now, old, new string) string {
	var bad []string
	for line := range strings.Lines(now) {
		if strings.HasPrefix(line, "/") && !strings.Contains(old, line) && !strings.Contains(new, line) {
			bad = append(bad, line)
		}
	}
	return strings.Join(bad, "")
}

// sides are the two states that a scenario knows, and what leads from the one to
// the other.
type sides struct {
	before   *machine
	plan     Plan
	old, new string
	calls    int
}

func (s scenario) sides(t testing.TB) sides {
	t.Helper()
	x := sides{}
	x.before, x.plan = s.prepare(t)
	x.old = x.before.snapshot()
	m := x.before.clone()
	if out, err := m.runner().Execute(t.Context(), x.plan); err != nil || out.Verdict.Status != Confirmed {
		t.Fatalf("Execute: %v, %+v", err, out.Verdict)
	}
	x.new, x.calls = m.snapshot(), len(m.calls)
	return x
}

// TestDying ends the process on both sides of every call of an apply.
func TestDying(t *testing.T) {
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			x := s.sides(t)
			for n := 1; n <= x.calls && !t.Failed(); n++ {
				for _, f := range []fault{{at: n, before: true}, {at: n, after: true}} {
					m := x.before.clone()
					m.fault = f
					at := ends(func() { _, _ = m.runner().Execute(t.Context(), x.plan) })
					if at == "" {
						t.Fatalf("call %d of %d: the process lives", n, x.calls)
					}
					m.afterDeath(t, fmt.Sprintf("call %d, %s, after %t", n, at, f.after), x.old, x.new)
				}
			}
			t.Logf("%d deaths", 2*x.calls)
		})
	}
}

// afterDeath looks at what a dead process left, lets the next one finish it, and
// looks again.
func (m *machine) afterDeath(t *testing.T, when, old, new string) {
	t.Helper()
	m.fault = fault{}
	m.whole(t)
	if bad := mixed(m.snapshot(), old, new); bad != "" {
		t.Errorf("%s: neither old nor new:\n%s", when, bad)
	}
	if now := m.snapshot(); now != old && now != new && !m.unfinished() {
		t.Errorf("%s: half done, and no journal says so:\n%s", when, diff(old, now))
	}
	if err := m.finish(t.Context()); err != nil {
		t.Errorf("%s: finish: %v", when, err)
	}
	now := m.snapshot()
	if now != old && now != new {
		t.Errorf("%s: then neither old nor new; from old:\n%s", when, diff(old, now))
	}
	if m.unfinished() {
		t.Errorf("%s: still unfinished", when)
	}
	m.whole(t)
	calls := len(m.calls)
	if err := m.finish(t.Context()); err != nil || m.snapshot() != now {
		t.Errorf("%s: finishing twice: %v; %v", when, err, m.calls[calls:])
	}
}

func (m *machine) unfinished() bool {
	list, err := m.List()
	for _, j := range list {
		if err == nil && j.Unfinished() {
			return true
		}
	}
	return err != nil
}

// errno are the failures of a disk that is full, read-only, broken or not ours.
var errno = []error{syscall.ENOSPC, syscall.EROFS, syscall.EIO, syscall.EACCES}

// TestFailing makes each call of an apply fail, once or from then on.
func TestFailing(t *testing.T) {
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			x := s.sides(t)
			for n := 1; n <= x.calls && !t.Failed(); n++ {
				for i, why := range errno {
					for _, lasting := range []bool{false, true} {
						if lasting && i > 0 {
							continue // the calls do not tell errors apart
						}
						m := x.before.clone()
						m.fault = fault{at: n, err: why, lasting: lasting}
						out, err := m.runner().Execute(t.Context(), x.plan)
						m.afterFailure(t, fmt.Sprintf("call %d, %s, %v, lasting %t", n, m.calls[n-1], why, lasting), out, err, x.old, x.new)
					}
				}
			}
			t.Logf("%d failures", x.calls*(len(errno)+1))
		})
	}
}

func (m *machine) afterFailure(t *testing.T, when string, out Outcome, err error, old, new string) {
	t.Helper()
	m.whole(t)
	now, unfinished := m.snapshot(), m.unfinished()
	switch {
	case err == nil && out.RolledBack && (now != old || unfinished || out.Changed):
		t.Errorf("%s: rolled back, changed %t, unfinished %t:\n%s", when, out.Changed, unfinished, diff(old, now))
	case err == nil && !out.RolledBack && (now != new || unfinished || !out.Changed || out.Verdict.Status != Confirmed):
		t.Errorf("%s: %+v, changed %t, unfinished %t:\n%s", when, out.Verdict, out.Changed, unfinished, diff(new, now))
	case err != nil && !out.Changed && now != old:
		t.Errorf("%s: changed nothing, it says (%v):\n%s", when, err, diff(old, now))
	case err != nil && out.Changed && !unfinished:
		t.Errorf("%s: %v, and no journal is unfinished", when, err)
	}
	if bad := mixed(now, old, new); bad != "" {
		t.Errorf("%s: neither old nor new:\n%s", when, bad)
	}
	// The disk is mended.
	m.fault = fault{}
	if err := m.finish(t.Context()); err != nil {
		t.Errorf("%s: finish: %v", when, err)
	}
	want := old
	if err == nil && !out.RolledBack {
		want = new
	}
	if now := m.snapshot(); now != want {
		t.Errorf("%s: then:\n%s", when, diff(want, now))
	}
	if m.unfinished() {
		t.Errorf("%s: still unfinished", when)
	}
}

// TestInterrupting ends the caller's context at every call of an apply.
func TestInterrupting(t *testing.T) {
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			x := s.sides(t)
			old, new, rolledBack := x.old, x.new, 0
			for n := 1; n <= x.calls && !t.Failed(); n++ {
				m := x.before.clone()
				ctx, cancel := context.WithCancel(t.Context())
				m.fault = fault{at: n, hook: cancel}
				out, err := m.runner().Execute(ctx, x.plan)
				now, when := m.snapshot(), fmt.Sprintf("call %d, %s", n, m.calls[n-1])
				switch {
				case errors.Is(err, context.Canceled) && !out.Changed && now == old && !m.unfinished():
				case err == nil && out.Interrupted && out.RolledBack && !out.Changed && now == old && m.journal(t).State == StateRolledBack:
					rolledBack++
				case err == nil && !out.Interrupted && n == x.calls && now == new: // too late: it was proven and recorded
				default:
					t.Errorf("%s: %v, interrupted %t, rolled back %t, changed %t, %s:\n%s", when, err, out.Interrupted, out.RolledBack, out.Changed, m.journal(t).State, diff(old, now))
				}
				m.whole(t)
				cancel()
			}
			if rolledBack == 0 {
				t.Error("nothing was ever rolled back")
			}
		})
	}
}

// TestDyingTwice ends the process that puts back what a dead one left, too.
func TestDyingTwice(t *testing.T) {
	for _, s := range scenarios() {
		if s.name != "everything" && s.name != "lower a floor" {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			x := s.sides(t)
			deaths := 0
			for n := 1; n <= x.calls; n++ {
				left := x.before.clone()
				left.fault = fault{at: n, after: true}
				ends(func() { _, _ = left.runner().Execute(t.Context(), x.plan) })
				for k := 1; !t.Failed(); k++ {
					m := left.clone()
					m.fault = fault{at: k, after: k%2 == 0, before: k%2 == 1}
					var err error
					if at := ends(func() { err = m.finish(t.Context()) }); at == "" {
						if err != nil {
							t.Fatal(err)
						}
						break
					}
					deaths++
					m.afterDeath(t, fmt.Sprintf("call %d, then call %d", n, k), x.old, x.new)
				}
			}
			t.Logf("%d deaths", deaths)
		})
	}
}

// TestRollbackDying ends and fails a rollback that somebody asked for, at every
// call: the next run completes it.
func TestRollbackDying(t *testing.T) {
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			x := s.sides(t)
			first := x.before.clone()
			if _, err := first.runner().Execute(t.Context(), x.plan); err != nil {
				t.Fatal(err)
			}
			done := first.clone()
			j := done.journal(t)
			done.calls = nil
			undone, err := done.runner().Rollback(t.Context(), j, false)
			if err != nil || undone.Journal.State != StateRolledBack || done.journal(t).State != StateRolledBack {
				t.Fatalf("Rollback: %v, %+v", err, undone)
			}
			done.whole(t)
			old, calls := done.snapshot(), len(done.calls)
			for n := 1; n <= calls && !t.Failed(); n++ {
				for _, f := range []fault{{at: n, before: true}, {at: n, after: true}, {at: n, err: syscall.EIO}, {at: n, err: syscall.EROFS, lasting: true}} {
					m := first.clone()
					m.fault = f
					when := fmt.Sprintf("call %d, %s, %+v", n, done.calls[n-1], f)
					ends(func() { _, _ = m.runner().Rollback(t.Context(), j, false) })
					m.afterDeath(t, when, old, x.new)
				}
			}
		})
	}
}
