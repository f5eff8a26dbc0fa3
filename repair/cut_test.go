package repair

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"xrdpfix/diagnose"
)

// TestReadOn brings back what stands behind brackets: one edit, and a restart
// only where the port was lost with it.
func TestReadOn(t *testing.T) {
	for _, x := range []struct {
		name  string
		plant func(m *machine)
		want  Action
		need  bool
	}{
		{"xrdp still listens", func(*machine) {}, ActionRestart, false},
		{"xrdp was restarted since", func(m *machine) { m.boot() }, ActionRestart, true},
		{"xrdp is down", func(m *machine) { m.up, m.port = false, "" }, ActionStart, true},
	} {
		t.Run(x.name, func(t *testing.T) {
			m := stock(t)
			m.edit(t, configPath, "[Globals]\n", "[Globals]\nls_title=[My Server]\n")
			before := string(m.files[configPath].data)
			x.plant(m)
			p := m.plan(t, Policy{})
			if len(p.Files) != 1 || p.Files[0].Path != configPath || p.Identity != nil {
				t.Fatalf("plan: %+v", p)
			}
			if want := strings.Replace(before, "[My Server]", "(My Server)", 1); string(p.Files[0].Data) != want {
				t.Errorf("new xrdp.ini:\n%s\nwant:\n%s", p.Files[0].Data, want)
			}
			if p.Unit.Action != x.want || p.Unit.Needed != x.need {
				t.Errorf("%q, needed %v; want %q, %v", p.Unit.Action, p.Unit.Needed, x.want, x.need)
			}
			m.carryOut(t, Policy{})
			if p := m.plan(t, Policy{}); !p.Empty() {
				t.Errorf("a second apply would change %+v", p)
			}
		})
	}
}

// TestNotUp rolls back to settings with which xrdp does not come up: that ends.
func TestNotUp(t *testing.T) {
	m := stock(t)
	m.edit(t, configPath, "port=3389", "port=127.0.0.1:3390")
	m.boot()
	m.carryOut(t, Policy{})
	j := m.journal(t)
	r := m.runner()
	r.System = downSystem{r.System}
	u, err := r.Rollback(t.Context(), j, false)
	if err != nil || u.NotUp != "the port is taken" {
		t.Errorf("Rollback: %v, not up: %q", err, u.NotUp)
	}
	if now := m.journal(t); now.State != StateRolledBack {
		t.Errorf("the journal is %s", now.State)
	}
}

// downSystem cannot bring xrdp up.
type downSystem struct{ System }

func (downSystem) Restart(context.Context) (time.Duration, error) {
	return 0, errors.New("the port is taken")
}

// TestNotUpAfterApply: a restart fails, and so does the one with the old files.
// Those are back all the same, the journal says so, and so does the outcome.
func TestNotUpAfterApply(t *testing.T) {
	m := stock(t)
	m.edit(t, configPath, "port=3389", "port=127.0.0.1:3390")
	before := string(m.files[configPath].data)
	m.boot()
	r := m.runner()
	r.System = downSystem{r.System}
	out, err := r.Execute(t.Context(), m.plan(t, Policy{}))
	if err != nil || !out.RolledBack || out.Changed || out.NotUp != "the port is taken" {
		t.Errorf("Execute: %v, rolled back %v, changed %v, not up: %q", err, out.RolledBack, out.Changed, out.NotUp)
	}
	if now := string(m.files[configPath].data); now != before {
		t.Errorf("xrdp.ini is not as before:\n%s", now)
	}
	if now := m.journal(t); now.State != StateRolledBack {
		t.Errorf("the journal is %s", now.State)
	}
}

// TestNeededRestartMinds names what else a restart that is needed brings into
// force, before it is made.
func TestNeededRestartMinds(t *testing.T) {
	m := stock(t)
	m.edit(t, configPath, "port=3389", "port=127.0.0.1:3390")
	m.boot()
	if p := m.plan(t, Policy{}); strings.Contains(p.Unit.Why, "mind") {
		t.Errorf("nobody changed anything: %q", p.Unit.Why)
	}
	m.adjust = func(f *diagnose.Facts) { f.Daemon.NewerThanStart = "/usr/sbin/xrdp" }
	p := m.plan(t, Policy{})
	if p.Unit.Action != ActionRestart || !strings.HasSuffix(p.Unit.Why, "; mind that /usr/sbin/xrdp is newer than the running xrdp") {
		t.Errorf("%s: %q", p.Unit.Action, p.Unit.Why)
	}
}
