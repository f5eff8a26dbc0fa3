package atomicfile

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestHostileFiles puts in place of a file what would block, never end or move
// something when it is opened.
func TestHostileFiles(t *testing.T) {
	needRoot(t)
	r, dir := tree(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	err := errors.Join(
		unix.Mkfifo(at("fifo"), 0o666),
		unix.Mknod(at("null"), unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))),
		unix.Mknod(at("zero"), unix.S_IFCHR|0o666, int(unix.Mkdev(1, 5))),
		unix.Mknod(at("socket"), unix.S_IFSOCK|0o666, 0),
		os.Mkdir(at("dir"), 0o755),
		os.Symlink("fifo", at("link")),
		os.WriteFile(at("sparse"), nil, 0o600),
		os.Truncate(at("sparse"), 1<<40),
	)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		kind Kind
		err  error
	}{
		"fifo": {KindFIFO, ErrNotRegular}, "null": {KindDevice, ErrNotRegular}, "zero": {KindDevice, ErrNotRegular},
		"socket": {KindSocket, ErrNotRegular}, "dir": {KindDir, ErrNotRegular}, "link": {KindFIFO, ErrNotRegular},
		"sparse": {KindFile, ErrTooLarge}, "absent": {"", fs.ErrNotExist},
	} {
		if _, err := r.ReadFile(name, 1<<20); !errors.Is(err, want.err) {
			t.Errorf("ReadFile(%s): %v, want %v", name, err, want.err)
		}
		s, err := r.Stat(name)
		if err != nil || s.Kind != want.kind || s.SHA256 != "" {
			t.Errorf("Stat(%s) = %+v, %v", name, s, err)
		}
		if want.err == ErrNotRegular { //nolint:errorlint // the table's own value
			if _, err := r.Open(name); !errors.Is(err, want.err) {
				t.Errorf("Open(%s): %v", name, err)
			}
			opts := Options{FollowLink: true}
			if _, err := r.Write(name, nil, ownAttr(0o600), opts); !errors.Is(err, want.err) {
				t.Errorf("Write(%s): %v", name, err)
			}
			if err := r.Check(name, opts); !errors.Is(err, want.err) {
				t.Errorf("Check(%s): %v", name, err)
			}
		}
	}
	// What is too long to hash is compared by its time.
	one, err := r.Stat("sparse")
	if err != nil || one.Size != 1<<40 || !one.Same(one) {
		t.Errorf("sparse: %+v, %v", one, err)
	}
	if err := os.Chtimes(at("sparse"), time.Time{}, time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if two, err := r.Stat("sparse"); err != nil || two.Same(one) {
		t.Errorf("a long file that changed counts as the same: %v", err)
	}
}

func TestReadLimit(t *testing.T) {
	r, dir := tree(t)
	put(t, dir, "f", "12345", 0o640)
	for limit, want := range map[int64]error{4: ErrTooLarge, 5: nil, 6: nil} {
		data, s, err := r.ReadState("f", limit)
		if !errors.Is(err, want) {
			t.Errorf("limit %d: %v", limit, err)
		}
		if err != nil {
			continue
		}
		if same, err := r.Stat("f"); err != nil || string(data) != "12345" || !reflect.DeepEqual(s, same) {
			t.Errorf("limit %d: %q\nReadState %+v\nStat      %+v %v", limit, data, s, same, err)
		}
	}
	f, err := r.Open("f")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if data, err := io.ReadAll(f); err != nil || string(data) != "12345" {
		t.Errorf("Open: %q, %v", data, err)
	}
	// What the kernel makes up as it is read has no size beforehand.
	proc, err := OpenRoot("/proc")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = proc.Close() }()
	if data, err := proc.ReadFile("sys/kernel/ostype", 100); err != nil || string(data) != "Linux\n" {
		t.Errorf("a file of /proc: %q, %v", data, err)
	}
	if _, err := proc.ReadFile("self/mountinfo", 10); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a longer file of /proc: %v", err)
	}
}

func TestUnprivileged(t *testing.T) {
	needRoot(t)
	_, dir := tree(t)
	// The directories of the testing package are closed to others.
	for at := dir; at != "/"; at = filepath.Dir(at) {
		st, err := os.Stat(at)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(at, st.Mode()|0o011); err != nil {
			t.Fatal(err)
		}
	}
	put(t, dir, "private/key", "secret", 0o600)
	put(t, dir, "key.pem", "secret", 0o600)
	put(t, dir, "open", "public", 0o644)
	if err := os.Chmod(filepath.Join(dir, "private"), 0o700); err != nil {
		t.Fatal(err)
	}
	link(t, "open", filepath.Join(dir, "l"))
	if err := os.Lchown(filepath.Join(dir, "l"), 99, 99); err != nil {
		t.Fatal(err)
	}
	asUser(t, otherUID, otherGID, func() {
		r, err := OpenRoot(dir)
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = r.Close() }()
		if data, err := r.ReadFile("l", 100); err != nil || string(data) != "public" {
			t.Errorf("ReadFile: %q, %v", data, err)
		}
		s, err := r.Stat("key.pem")
		if !errors.Is(err, fs.ErrPermission) || s.SHA256 != "" || s.Mode != 0o600 || s.Size != 6 {
			t.Errorf("Stat of an unreadable file: %+v, %v", s, err)
		}
		steps, err := r.Steps("private/key")
		if !errors.Is(err, fs.ErrPermission) || len(steps) != 2 || steps[1].Mode != 0o700 {
			t.Errorf("Steps into a closed directory: %+v, %v", steps, err)
		}
		if err := r.Check("open", Options{}); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("Check: %v", err)
		}
		if _, err := r.Write("open", nil, ownAttr(0o644), Options{}); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("Write: %v", err)
		}
	})
}

func TestStateJSON(t *testing.T) {
	r, dir := tree(t)
	path := put(t, dir, "f", "x", 0o4640)
	if err := errors.Join(os.Chmod(path, 0o640|os.ModeSetuid), unix.Setxattr(path, "user.x", []byte("\x00\xff"), 0)); err != nil {
		t.Fatal(err)
	}
	want, err := r.Stat("f")
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got State
	if err := json.Unmarshal(data, &got); err != nil || !reflect.DeepEqual(got, want) || got.Mode != 0o4640 {
		t.Errorf("%s\n got %+v %v\nwant %+v", data, got, err, want)
	}
	for text, want := range map[string]Mode{"0640": 0o640, "0": 0, "4755": 0o4755} {
		var m Mode
		if err := m.UnmarshalText([]byte(text)); err != nil || m != want {
			t.Errorf("mode %q = %v, %v", text, m, err)
		}
	}
	for _, text := range []string{"", "8", "0x1", "10000", "-1", "100644"} {
		var m Mode
		if err := m.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("mode %q = %v", text, m)
		}
	}
	if got := Mode(0).String() + Mode(0o40).String() + Mode(0o4755).String(); got != "0000"+"0040"+"04755" {
		t.Errorf("modes print as %s", got)
	}
}

func TestSame(t *testing.T) {
	base := State{Exists: true, Path: "/f", Kind: KindFile, SHA256: "a", Size: 1, Mode: 0o640, Links: 1, ModTime: time.Unix(1, 0)}
	for name, change := range map[string]func(*State){
		"path": func(s *State) { s.Path = "/g" }, "kind": func(s *State) { s.Kind = KindDir }, "bytes": func(s *State) { s.SHA256 = "b" },
		"size": func(s *State) { s.Size = 2 }, "mode": func(s *State) { s.Mode = 0o644 }, "uid": func(s *State) { s.UID = 1 },
		"gid": func(s *State) { s.GID = 1 }, "target": func(s *State) { s.Target = "x" }, "gone": func(s *State) { s.Exists = false },
		"xattr": func(s *State) { s.Xattrs = map[string][]byte{"user.x": nil} },
	} {
		other := base
		change(&other)
		if base.Same(other) || other.Same(base) {
			t.Errorf("another %s counts as the same", name)
		}
	}
	other := base
	other.ModTime, other.Links, other.Xattrs = time.Unix(2, 0), 2, map[string][]byte{}
	if !base.Same(other) || !(State{}).Same(State{Path: "/f"}) {
		t.Error("time, links or an empty map make a difference")
	}
}
