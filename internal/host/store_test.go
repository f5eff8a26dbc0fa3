package host

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"xrdpfix/diagnose"
	"xrdpfix/repair"
)

// storeTree is a machine that is not running, in a directory of the test.
func storeTree(t *testing.T) (*Machine, string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("NOT RUN: journals are root's; make test runs as root")
	}
	dir := t.TempDir()
	for _, d := range []string{"/etc/xrdp", "/var/lib", "/srv"} {
		if err := os.MkdirAll(dir+d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	m, err := Open(Config{Root: dir, Tool: "test", Now: time.Now, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m, dir
}

func put(t *testing.T, name, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
}

const someID = "20261122T120000Z"

func TestStore(t *testing.T) {
	m, dir := storeTree(t)
	s := m.Store()
	j := repair.Journal{Schema: 1, ID: someID, State: repair.StateBegun, Started: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC),
		Steps:   []repair.Step{{Op: repair.OpWrite, Path: diagnose.ConfigPath, Before: repair.FileState{Exists: true, Mode: 0o640, UID: 1}, Backup: "000.old"}},
		Because: []diagnose.Code{diagnose.KeyUnreadable}}
	if _, err := s.Load(someID); !errors.Is(err, repair.ErrNoJournal) {
		t.Errorf("Load before Begin: %v", err)
	}
	if err := errors.Join(s.Begin(someID), s.SaveBackup(someID, "000.old", []byte("old")), s.Save(j)); err != nil {
		t.Fatal(err)
	}
	if err := s.Begin(someID); !errors.Is(err, os.ErrExist) {
		t.Errorf("Begin twice: %v", err)
	}
	got, err := s.Load(someID)
	if err != nil || !reflect.DeepEqual(got, j) {
		t.Errorf("Load = %+v, %v; want %+v", got, err, j)
	}
	if list, err := s.List(); err != nil || !reflect.DeepEqual(list, []repair.Journal{j}) {
		t.Errorf("List = %+v, %v", list, err)
	}
	if data, err := s.Backup(someID, "000.old"); err != nil || string(data) != "old" {
		t.Errorf("Backup = %q, %v", data, err)
	}
	for name, want := range map[string]os.FileMode{"": 0o700, "/" + someID: 0o700, "/" + someID + "/000.old": 0o600, "/" + someID + "/journal.json": 0o600} {
		if st, err := os.Stat(dir + journalDir + name); err != nil || st.Mode().Perm() != want {
			t.Errorf("%s: %v, %v, want %v", name, st.Mode(), err, want)
		}
	}
	for _, id := range []string{"", ".", "..", "../../etc", someID + "/..", "20261122T120000", "x" + someID} {
		if err := s.Begin(id); !errors.Is(err, repair.ErrNoJournal) {
			t.Errorf("Begin(%q): %v", id, err)
		}
	}
	for _, name := range []string{"", "..", "../journal.json", "a/b"} {
		if _, err := s.Backup(someID, name); err == nil {
			t.Errorf("Backup %q was read", name)
		}
	}
}

// TestStoreUntrusted: what another user could have written is not done.
func TestStoreUntrusted(t *testing.T) {
	for name, spoil := range map[string]func(dir string) error{
		"writable journals": func(dir string) error { return os.Chmod(dir+journalDir, 0o777) },
		"readable journals": func(dir string) error { return os.Chmod(dir+journalDir, 0o755) },
		"another's":         func(dir string) error { return os.Chown(dir+journalDir, 4711, 4711) },
		"another's journal": func(dir string) error { return os.Chown(filepath.Join(dir, journalDir, someID), 4711, 0) },
	} {
		m, dir := storeTree(t)
		s := m.Store()
		if err := errors.Join(s.Begin(someID), s.Save(repair.Journal{ID: someID, State: repair.StateBegun})); err != nil {
			t.Fatal(err)
		}
		if err := spoil(dir); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Load(someID); !errors.Is(err, ErrUntrusted) {
			t.Errorf("%s: Load: %v", name, err)
		}
		if _, err := s.List(); !errors.Is(err, ErrUntrusted) {
			t.Errorf("%s: List: %v", name, err)
		}
	}
	m, dir := storeTree(t)
	s := m.Store()
	if err := s.Begin(someID); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "{", "[]", `{"id":"20261122T120001Z"}`, `{"id":"20261122T120000Z","steps":[{"before":{"mode":"99999"}}]}`} {
		put(t, filepath.Join(dir, journalDir, someID, "journal.json"), text, 0o600)
		if j, err := s.Load(someID); err == nil {
			t.Errorf("%q was read as %+v", text, j)
		}
	}
}

// TestLitter: the lock clears what killed runs left, and nothing else.
func TestLitter(t *testing.T) {
	m, dir := storeTree(t)
	const temp = ".xrdpfix-ABCDEFGHIJKLMNOPQRSTUVWXYZ.tmp"
	pair, orphan, journal := diagnose.OwnDir+"/"+someID, journalDir+"/20261122T130000Z", journalDir+"/"+someID
	for _, d := range []string{pair, orphan, journal, journalDir + "/theirs", "/etc/systemd/system/xrdp.service.d"} {
		if err := os.MkdirAll(dir+d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	goes := []string{"/etc/xrdp/" + temp, diagnose.OwnDir + "/" + temp, pair + "/" + temp, journal + "/" + temp, "/etc/systemd/system/xrdp.service.d/" + temp, "/srv/" + temp, orphan + "/000.old", orphan + "/001.new"}
	stays := []string{"/etc/xrdp/.xrdpfix-short.tmp", pair + "/key.pem", journal + "/journal.json", journal + "/000.old", journalDir + "/theirs/000.old", "/srv/xrdp.ini"}
	for _, name := range append(goes, stays...) {
		put(t, dir+name, "x", 0o600)
	}
	if err := os.Symlink("/srv/xrdp.ini", dir+diagnose.ConfigPath); err != nil {
		t.Fatal(err)
	}
	unlock, err := m.Lock()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(goes, orphan) {
		if _, err := os.Lstat(dir + name); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there (%v)", name, err)
		}
	}
	for _, name := range stays {
		if _, err := os.Lstat(dir + name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	var held *LockedError
	if _, err := m.Lock(); !errors.As(err, &held) {
		t.Errorf("a second lock: %v", err)
	}
	unlock()
	if again, err := m.Lock(); err != nil {
		t.Errorf("after unlocking: %v", err)
	} else {
		again()
	}
}

// TestRealFiles carries a change out and back on a real file system: bytes,
// owner, mode, extended attributes and the link are as before (law 3).
func TestRealFiles(t *testing.T) {
	m, dir := storeTree(t)
	const text = "[Globals]\nport=3389\nsecurity_layer=rdp\n"
	put(t, dir+"/srv/xrdp.ini", text, 0o640)
	if err := errors.Join(os.Chown(dir+"/srv/xrdp.ini", 12, 34), os.Symlink("/srv/xrdp.ini", dir+diagnose.ConfigPath)); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setxattr(dir+"/srv/xrdp.ini", "trusted.xrdpfix", []byte("kept"), 0); err != nil {
		t.Fatalf("this file system has no extended attributes: %v", err)
	}
	env := m.Env()
	fact, err := env.File(diagnose.ConfigPath)
	if err != nil || fact.Target != "/srv/xrdp.ini" {
		t.Fatalf("%+v, %v", fact, err)
	}
	f := diagnose.Facts{Offline: true, Taken: time.Now(), Config: diagnose.Seen(fact), FirstBoot: diagnose.Skipped[diagnose.FirstBoot]("not here")}
	plan, err := repair.New(f, nil, repair.Policy{SecurityLayer: "tls"})
	if err != nil || len(plan.Files) != 1 {
		t.Fatalf("%+v, %v", plan, err)
	}
	r := &repair.Runner{System: m.System(), Observer: m.Observer(), Store: m.Store(), Now: time.Now, Keep: true}
	out, err := r.Execute(t.Context(), plan)
	if err != nil || !out.Changed {
		t.Fatalf("%+v, %v", out, err)
	}
	look := func() (string, unix.Stat_t, string, string) {
		data, err1 := os.ReadFile(dir + "/srv/xrdp.ini")
		link, err2 := os.Readlink(dir + diagnose.ConfigPath)
		var st unix.Stat_t
		value := make([]byte, 16)
		n, err3 := unix.Getxattr(dir+"/srv/xrdp.ini", "trusted.xrdpfix", value)
		if err := errors.Join(err1, err2, err3, unix.Stat(dir+"/srv/xrdp.ini", &st)); err != nil {
			t.Fatal(err)
		}
		return string(data), st, string(value[:n]), link
	}
	for _, want := range []string{"[Globals]\nport=3389\nsecurity_layer=tls\n", text} {
		data, st, value, link := look()
		if data != want || st.Uid != 12 || st.Gid != 34 || st.Mode&0o7777 != 0o640 || value != "kept" || link != "/srv/xrdp.ini" {
			t.Errorf("%q, %d:%d %o, attribute %q, link %q; want %q", data, st.Uid, st.Gid, st.Mode&0o7777, value, link, want)
		}
		if want != text {
			if _, err := r.Rollback(t.Context(), repair.Journal{ID: plan.ID, State: repair.StateKept, Steps: loaded(t, m, plan.ID)}, false, m.ConfigTargets()...); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func loaded(t *testing.T, m *Machine, id string) []repair.Step {
	t.Helper()
	j, err := m.Store().Load(id)
	if err != nil || j.State != repair.StateKept {
		t.Fatalf("%+v, %v", j, err)
	}
	return j.Steps
}
