package repair

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"xrdpfix/diagnose"
)

// TestRollbackRestores: bytes, owner, mode and the daemon are as before (law 3),
// a second rollback is no harm, and the plan is what it was.
func TestRollbackRestores(t *testing.T) {
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			m, p := s.prepare(t)
			old := m.snapshot()
			if _, err := m.runner().Execute(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			j := m.journal(t)
			undone, err := m.runner().Rollback(t.Context(), j, false)
			if err != nil {
				t.Fatal(err)
			}
			m.whole(t)
			want := old
			if strings.HasSuffix(stepText(j), " start") || stepText(j) == "start" {
				// What was started stays: a rollback of what was proven stops nobody's xrdp.
				want = strings.Replace(old, `xrdp: false, port ""`, `xrdp: true, port "3389"`, 1)
				want = strings.Replace(want, "OPENSSL_CONF=\n", "OPENSSL_CONF="+m.conf+"\n", 1)
			}
			if now := m.snapshot(); withoutOwnDir(now) != withoutOwnDir(want) {
				t.Errorf("rollback left a difference:\n%s", diff(want, now))
			}
			if (undone.Kept != "") != (p.Identity != nil) || undone.Journal.State != StateRolledBack {
				t.Errorf("Undone = %+v", undone)
			}
			if p.Identity != nil {
				if n := m.files[p.Identity.Dir]; n.mode != 0o700 || !m.state(p.Identity.KeyPath).Exists {
					t.Errorf("the new pair: %v, key there: %t", n.mode, m.state(p.Identity.KeyPath).Exists)
				}
			}
			before := m.snapshot()
			if _, err := m.runner().Rollback(t.Context(), undone.Journal, false); err != nil || m.snapshot() != before {
				t.Errorf("a second rollback: %v\n%s", err, diff(before, m.snapshot()))
			}
		})
	}
}

// TestRollbackRestarts restarts what the apply restarted because it must,
// and nothing else.
func TestRollbackRestarts(t *testing.T) {
	want := map[string]int{
		"lift a floor": 1, "port": 1,
		"lower a floor": 1, // the running xrdp had read the drop-in
	}
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			m, p := s.prepare(t)
			if _, err := m.runner().Execute(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			m.starts = 0
			u, err := m.runner().Rollback(t.Context(), m.journal(t), false)
			if err != nil || m.starts != want[s.name] || u.Restarted != (want[s.name] > 0) {
				t.Errorf("%d restarts, told %t, want %d; %v", m.starts, u.Restarted, want[s.name], err)
			}
		})
	}
}

// TestStale changes each file of a plan after the facts were taken: nothing is
// touched (law 4).
func TestStale(t *testing.T) {
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			first, p := s.prepare(t)
			names := []string{}
			for _, c := range p.Files {
				names = append(names, c.Target)
			}
			if p.Identity != nil {
				names = append(names, p.Identity.Dir)
			}
			if p.Keygen != nil {
				names = append(names, p.Keygen.Path)
			}
			changes := map[string]func(m *machine, name string){
				"bytes": func(m *machine, name string) {
					n := m.files[name]
					n.data = append(slices.Clone(n.data), '\n')
					m.files[name] = n
				},
				"mode":  func(m *machine, name string) { m.chmod(name, 0o644|m.files[name].mode^0o040, m.files[name].gid) },
				"owner": func(m *machine, name string) { m.chmod(name, m.files[name].mode, 4711) },
				"gone":  func(m *machine, name string) { delete(m.files, name) },
			}
			for _, name := range names {
				for how, change := range changes {
					m := first.clone()
					if _, there := m.files[name]; !there && how != "bytes" {
						continue
					}
					change(m, name)
					before := m.snapshot()
					out, err := m.runner().Execute(t.Context(), p)
					if !errors.Is(err, ErrStale) || out.Changed || m.snapshot() != before || len(m.journals) != len(first.journals) {
						t.Errorf("%s of %s: %v, changed %t\n%s", how, name, err, out.Changed, diff(before, m.snapshot()))
					}
				}
			}
		})
	}
}

// TestStaleMeanwhile changes xrdp.ini while the apply is under way: it is not
// overwritten, and the rest is put back.
func TestStaleMeanwhile(t *testing.T) {
	x := named(t, "everything").sides(t)
	clean := x.before.clone()
	if _, err := clean.runner().Execute(t.Context(), x.plan); err != nil {
		t.Fatal(err)
	}
	write, rolledBack := slices.Index(clean.calls, "write "+configPath)+1, 0
	theirs := node{data: []byte("[Globals]\nsecurity_layer=tls\n"), mode: 0o640, gid: 4711}
	for n := 1; n < write; n++ {
		m := x.before.clone()
		m.fault = fault{at: n, hook: func() { m.files[configPath] = theirs }}
		out, err := m.runner().Execute(t.Context(), x.plan)
		switch {
		case errors.Is(err, ErrStale) && !out.Changed && len(m.journals) == 0:
		case err == nil && out.RolledBack && !out.Changed && strings.Contains(out.Problem, ErrStale.Error()):
			rolledBack++
		default:
			t.Errorf("call %d, %s: %v, %+v", n, m.calls[n-1], err, out.Verdict)
		}
		if got := fmt.Sprint(m.files[configPath]); got != fmt.Sprint(theirs) {
			t.Errorf("call %d, %s: overwritten", n, m.calls[n-1])
		}
		m.files[configPath] = x.before.files[configPath]
		if got := m.snapshot(); got != x.old {
			t.Errorf("call %d, %s: the rest is not as it was:\n%s", n, m.calls[n-1], diff(x.old, got))
		}
	}
	if rolledBack == 0 {
		t.Error("nothing was ever rolled back")
	}
}

func TestReplayed(t *testing.T) {
	m, _ := named(t, "new pair").prepare(t)
	m.adjust = func(f *diagnose.Facts) { f.Replayed = true }
	p := m.plan(t, Policy{})
	before := m.snapshot()
	m.calls = nil
	out, err := m.runner().Execute(t.Context(), p)
	if !errors.Is(err, ErrReplayed) || out.Changed || len(m.calls) > 0 || m.snapshot() != before {
		t.Errorf("Execute: %v, %+v, calls %q", err, out, m.calls)
	}
}

// TestConflict changes each file after the apply: nothing at all is put back, and
// with force everything is.
func TestConflict(t *testing.T) {
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			first, p := s.prepare(t)
			old := first.clone()
			if _, err := first.runner().Execute(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			j := first.journal(t)
			for _, st := range j.Steps {
				if st.Op != OpWrite && st.Op != OpRemove || st.Own {
					continue
				}
				m := first.clone()
				theirs := node{data: []byte("; by hand\n"), mode: 0o600}
				m.files[st.Path] = theirs
				before := m.snapshot()
				_, err := m.runner().Rollback(t.Context(), j, false)
				if !errors.Is(err, ErrConflict) || !strings.Contains(err.Error(), st.Path) || m.snapshot() != before || m.journal(t).State != StateConfirmed {
					t.Errorf("%s: %v, journal %s\n%s", st.Path, err, m.journal(t).State, diff(before, m.snapshot()))
				}
				if _, err := m.runner().Rollback(t.Context(), j, true); err != nil {
					t.Errorf("%s: with force: %v", st.Path, err)
				}
				if got, want := fmt.Sprint(m.files[st.Path]), fmt.Sprint(old.files[st.Path]); got != want {
					t.Errorf("%s: with force %s, want %s", st.Path, got, want)
				}
			}
		})
	}
}

// TestKeep keeps what could not be proven, if that was stated, and puts it back
// otherwise.
func TestKeep(t *testing.T) {
	for _, keep := range []bool{false, true} {
		m, p := named(t, "new pair, somebody connected").prepare(t)
		old := m.snapshot()
		m.unsworn = true // xrdp.log says nothing
		r := m.runner()
		r.Keep = keep
		out, err := r.Execute(t.Context(), p)
		if err != nil || out.Verdict.Status != Unknown || out.RolledBack == keep || out.Changed != keep {
			t.Errorf("keep %t: %v, %+v, changed %t, rolled back %t", keep, err, out.Verdict, out.Changed, out.RolledBack)
		}
		if want := map[bool]State{true: StateKept, false: StateRolledBack}[keep]; m.journal(t).State != want {
			t.Errorf("keep %t: journal %s, want %s", keep, m.journal(t).State, want)
		}
		if (m.snapshot() == old) == keep || (out.Restored == nil) != keep {
			t.Errorf("keep %t: looked after the rollback: %t\n%s", keep, out.Restored != nil, diff(old, m.snapshot()))
		}
		if !keep {
			continue
		}
		if _, err := m.runner().Rollback(t.Context(), m.journal(t), false); err != nil || withoutOwnDir(m.snapshot()) != old {
			t.Errorf("rollback of what was kept: %v\n%s", err, diff(old, m.snapshot()))
		}
	}
}

// TestKeepIsNotForInterrupted: --no-rollback keeps a finished change only.
func TestKeepIsNotForInterrupted(t *testing.T) {
	x := named(t, "new pair, somebody connected").sides(t)
	for n := 1; n <= x.calls; n++ {
		m := x.before.clone()
		ctx, cancel := context.WithCancel(t.Context())
		m.fault = fault{at: n, hook: cancel}
		r := m.runner()
		r.Keep = true
		out, err := r.Execute(ctx, x.plan)
		if now := m.snapshot(); out.Interrupted && (err != nil || !out.RolledBack || now != x.old) {
			t.Errorf("call %d: %v\n%s", n, err, diff(x.old, now))
		}
		cancel()
	}
}

// TestSecrets: neither the journal nor the plan nor the outcome holds what must
// not leave the host (law 5).
func TestSecrets(t *testing.T) {
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			plant := s.plant
			s.plant = func(t testing.TB, m *machine) {
				plant(t, m)
				// Beside the lines that change, so that it is in the diff.
				m.edit(t, configPath, "crypt_level=", "password="+secret+"\n;password="+secret+"\ncrypt_level=")
			}
			m, p := s.prepare(t)
			var said bytes.Buffer
			r := m.runner()
			r.Progress = func(what string) { said.WriteString(what) }
			out, err := r.Execute(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			planned, err1 := json.Marshal(p)
			told, err2 := json.Marshal(out)
			if err := errors.Join(err1, err2); err != nil {
				t.Fatal(err)
			}
			journal := m.journals[p.ID]["journal.json"]
			for name, text := range map[string][]byte{"journal": journal, "plan": planned, "outcome": told, "progress": said.Bytes()} {
				for _, mark := range []string{secret, "PRIVATE KEY"} {
					if bytes.Contains(text, []byte(mark)) {
						t.Errorf("%s holds %q", name, mark)
					}
				}
			}
			if bytes.Contains(journal, []byte("[Globals]")) || bytes.Contains(journal, []byte("negotiate")) {
				t.Error("the journal holds the contents of a file")
			}
		})
	}
}

// TestDamagedBackup refuses to write back what is not what was saved.
func TestDamagedBackup(t *testing.T) {
	m, p := named(t, "new pair").prepare(t)
	if _, err := m.runner().Execute(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	j := m.journal(t)
	i := slices.IndexFunc(j.Steps, func(s Step) bool { return s.Path == configPath })
	name := j.Steps[i].Backup
	for what, data := range map[string][]byte{"damaged": []byte("[Globals]\n"), "empty": {}, "missing": nil} {
		c := m.clone()
		c.journals[p.ID][name] = data
		if data == nil {
			delete(c.journals[p.ID], name)
		}
		before := c.files[configPath]
		if _, err := c.runner().Rollback(t.Context(), j, true); err == nil || !bytes.Equal(c.files[configPath].data, before.data) {
			t.Errorf("%s: %v", what, err)
		}
		if !c.unfinished() {
			t.Errorf("%s: no journal says that the rollback was not finished", what)
		}
	}
}

// TestPruneAfterRollback removes old closed pairs and nothing else.
func TestPruneAfterRollback(t *testing.T) {
	m, p := named(t, "new pair").prepare(t)
	if _, err := m.runner().Execute(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if _, err := m.runner().Rollback(t.Context(), m.journal(t), false); err != nil {
		t.Fatal(err)
	}
	before := m.snapshot()
	key := p.Identity.KeyPath
	if gone, err := m.runner().Prune(""); err != nil || len(gone) > 0 || !m.state(key).Exists {
		t.Errorf("at once: %q, %v", gone, err)
	}
	m.now = m.now.Add(KeepPairs + time.Hour)
	named := m.clone()
	if _, err := named.runner().Prune(p.Identity.Dir); err != nil || !named.state(key).Exists {
		t.Errorf("a pair that is named went: %v", err)
	}
	if gone, err := m.runner().Prune(""); err != nil || !slices.Contains(gone, p.Identity.Dir) || m.state(key).Exists || m.state(p.Identity.Dir).Exists {
		t.Errorf("after its time: %q, %v, key there %t", gone, err, m.state(key).Exists)
	}
	if now := m.snapshot(); now != before {
		t.Errorf("Prune changed something else:\n%s", diff(before, now))
	}
}
