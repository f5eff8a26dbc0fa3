package repair

import (
	"encoding/json"
	"errors"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"xrdpfix/diagnose"
)

// mayTouch is the allow list once more, written down independently.
func mayTouch(name string) bool {
	const units = "/etc/systemd/system/"
	switch dir, base := path.Split(name); {
	case strings.Contains(name, "/../") || strings.HasSuffix(name, "/.."):
		return false
	case strings.HasPrefix(name, "/etc/xrdp/"), name == "/etc/xrdpfix/policy.ini":
		return true
	case dir == units && strings.HasPrefix(base, "xrdpfix-"), name == units+"xrdp.service.d", name == units+"timers.target.d":
		return true
	case dir == units+"xrdp.service.d/", dir == units+"timers.target.d/":
		return strings.HasPrefix(base, "xrdpfix-")
	}
	return false
}

// TestForged: a journal is a file, and a file can be forged. Whatever it names
// outside the allow list is refused before anything is touched.
func TestForged(t *testing.T) {
	file := FileState{Exists: true, SHA256: sum([]byte("x")), Mode: 0o644}
	for _, name := range []string{
		"/etc/shadow", "/etc/xrdp", "/etc/xrdp/", "/etc/xrdp/../shadow", "/etc/xrdp/tls/../../shadow", "/etc//xrdp/xrdp.ini", "etc/xrdp/xrdp.ini",
		"/etc/xrdpevil/x", "/", "/etc", "/etc/xrdpfix", "/etc/xrdpfix/policy.ini/x", "/etc/xrdpfix/other.ini",
		"/etc/systemd/system/xrdp.service.devil", "/etc/systemd/system/xrdp.service.devil/x.conf", "/etc/systemd/system/xrdp.service.d/other.conf",
		"/etc/systemd/system/xrdp.service", "/etc/systemd/system/sshd.service", "/etc/systemd/system/xrdpfix-undo-x/../sshd.service",
		"/etc/systemd/system/xrdpfix-undo-x/sshd.service", "/etc/systemd/system/timers.target.devil", "/etc/systemd/system/timers.target.d/other.conf",
	} {
		for _, s := range []Step{
			{Op: OpWrite, Path: name, Before: file}, {Op: OpWrite, Path: name, After: file}, {Op: OpRemove, Path: name, Before: file},
			{Op: OpMkdir, Path: name}, {Op: OpMkdir, Path: name, Own: true}, {Op: OpWrite, Path: name, Own: true, After: file}, {Op: OpWrite, Path: name, Undo: true, After: file},
		} {
			for _, state := range []State{StateBegun, StateUndoing, StateConfirmed, StateKept, StateRolledBack} {
				m := stock(t)
				m.calls = nil
				j := Journal{ID: ID(taken), State: state, Steps: []Step{s}}
				m.journals[j.ID] = map[string][]byte{"": []byte("x")}
				if _, err := m.runner().Rollback(t.Context(), j, true); err == nil || len(m.calls) > 0 {
					t.Errorf("%s %q, own %t: %v, calls %q", s.Op, name, s.Own, err, m.calls)
				}
			}
		}
	}
	// A part of a pair outside the pairs' directory would be deleted unseen.
	for _, name := range []string{configPath, diagnose.RSAKeysPath, diagnose.OwnDir} {
		m := stock(t)
		j := Journal{ID: ID(taken), State: StateBegun, Steps: []Step{{Op: OpWrite, Path: name, Own: true, After: file}}}
		if _, err := m.runner().Rollback(t.Context(), j, true); err == nil || !m.state(configPath).Exists {
			t.Errorf("own %s: %v", name, err)
		}
	}
}

// TestLinkedTarget: the file that a symbolic link xrdp.ini leads to may be
// written where the caller has resolved it, and only there.
func TestLinkedTarget(t *testing.T) {
	const target = "/srv/config/xrdp.ini"
	m, p := named(t, "new pair, somebody connected").prepare(t)
	for _, d := range []string{"/srv", "/srv/config"} {
		m.files[d] = node{dir: true, mode: 0o755}
	}
	m.files[target] = m.files[configPath]
	p.Files[0].Target = target
	old := m.snapshot()
	w, err := m.runner().prepare(p)
	if err != nil {
		t.Fatal(err)
	}
	j := w.journal
	if err := m.runner().begin(&j, w.backups); err != nil {
		t.Fatal(err)
	}
	if _, err := m.runner().steps(t.Context(), &j, w.contents, &Outcome{}); err != nil {
		t.Fatal(err)
	}
	j.State = StateConfirmed
	calls := len(m.calls)
	if _, err := m.runner().Rollback(t.Context(), j, false); err == nil || len(m.calls) != calls {
		t.Errorf("an unknown target: %v", err)
	}
	if _, err := m.runner().Rollback(t.Context(), j, false, target); err != nil || withoutOwnDir(m.snapshot()) != old {
		t.Errorf("%v\n%s", err, diff(old, m.snapshot()))
	}
}

// FuzzJournal rolls back whatever stands in a journal file: it never panics and
// never touches anything outside the allow list.
func FuzzJournal(f *testing.F) {
	for _, s := range scenarios() {
		m, p := s.prepare(f)
		if _, err := m.runner().Execute(f.Context(), p); err != nil {
			f.Fatal(err)
		}
		data := string(m.journals[p.ID]["journal.json"])
		f.Add([]byte(data), true)
		f.Add([]byte(strings.Replace(data, `"confirmed"`, `"begun"`, 1)), false)
		f.Add([]byte(strings.ReplaceAll(data, "/etc/xrdp/", "/etc/")), true)
	}
	f.Add([]byte(`{"id":"20261122T120000Z","state":"begun","steps":[{"op":"write","path":"/etc/shadow","before":{"exists":true}}]}`), true)
	f.Add([]byte(`{"state":"begun","steps":[{"op":"mkdir","path":"/etc/xrdp/tls/../..","own":true,"after":{"mode":"7777"}}],"deadline":{"kind":"x"}}`), false)
	first := stock(f)
	f.Fuzz(func(t *testing.T, data []byte, force bool) {
		var j Journal
		if err := json.Unmarshal(data, &j); err != nil {
			return
		}
		m := first.clone()
		m.journals[j.ID] = map[string][]byte{}
		for _, s := range j.Steps {
			m.journals[j.ID][s.Backup] = first.files[configPath].data
		}
		before := m.clone()
		_, err := m.runner().Rollback(t.Context(), j, force)
		names := slices.Collect(maps.Keys(m.files))
		for name := range before.files {
			names = append(names, name)
		}
		for _, name := range names {
			same := m.state(name) == before.state(name)
			if !same && !mayTouch(name) {
				t.Errorf("%s is not what it was (%v)", name, err)
			}
		}
		if errors.Is(err, ErrConflict) && force {
			t.Errorf("with force: %v", err)
		}
		_, _ = m.runner().Prune("")
		if m.state(diagnose.SesmanPath) != before.state(diagnose.SesmanPath) && !slices.ContainsFunc(j.Steps, func(s Step) bool { return s.Path == diagnose.SesmanPath }) {
			t.Error("a file went that no step names")
		}
	})
}
