package host

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"xrdpfix/diagnose"
)

// offlineTree makes an offline tree: a name that ends in a slash is a directory, a text
// that begins with "->" a link.
func offlineTree(t *testing.T, files map[string]string) (*Machine, string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		err := error(nil)
		switch {
		case name[len(name)-1] == '/':
			err = os.MkdirAll(path, 0o755)
		case len(text) > 2 && text[:2] == "->":
			err = os.Symlink(text[2:], path)
		default:
			err = os.WriteFile(path, []byte(text), 0o755)
		}
		if err != nil {
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

func TestInRootStaysInside(t *testing.T) {
	outside := t.TempDir()
	if err := os.MkdirAll(filepath.Join(outside, "log"), 0o755); err != nil {
		t.Fatal(err)
	}
	m, dir := offlineTree(t, map[string]string{
		"data/log/xrdp.log": "x",
		"var/log":           "->/data/log",
		"var/out":           "->" + outside + "/log",
		"var/up":            "->../../../../../../.." + outside + "/log",
		"loop":              "->/loop",
	})
	for in, want := range map[string]string{
		"/var/log/xrdp.log": dir + "/data/log/xrdp.log",
		"/var/log/new.log":  dir + "/data/log/new.log",
		"/var/out/xrdp.log": "",
		"/var/out":          dir + outside + "/log",
		"/var/up/xrdp.log":  "",
		"/loop":             "",
		"/../../data/log":   dir + "/data/log",
	} {
		got := m.inRoot(in)
		if in == "/var/out" && got == "" {
			continue // nothing there
		}
		if got != want {
			t.Errorf("%s leads to %q, want %q", in, got, want)
		}
	}
}

func TestOfflineUnit(t *testing.T) {
	for name, tt := range map[string]struct {
		files       map[string]string
		user, group string
	}{
		"none":     {map[string]string{"etc/": ""}, "", ""},
		"package":  {map[string]string{"usr/lib/systemd/system/xrdp.service": "[Unit]\nUser=no\n[Service]\nUser = xrdp\nGroup=xrdp\n"}, "xrdp", "xrdp"},
		"override": {map[string]string{"usr/lib/systemd/system/xrdp.service": "[Service]\nUser=xrdp\n", "etc/systemd/system/xrdp.service": "[Service]\nUser=rdp\n"}, "rdp", ""},
		"drop-in": {map[string]string{
			"usr/lib/systemd/system/xrdp.service":           "[Service]\nUser=xrdp\nGroup=xrdp\n",
			"etc/systemd/system/xrdp.service.d/50.conf":     "[Service]\nUser=\nGroup=tls\n",
			"etc/systemd/system/xrdp.service.d/10.conf":     "[Service]\nUser=other\n",
			"usr/lib/systemd/system/xrdp.service.d/50.conf": "[Service]\nUser=hidden\n",
			"etc/systemd/system/xrdp.service.d/99.txt":      "[Service]\nUser=text\n",
		}, "", "tls"},
	} {
		m, _ := offlineTree(t, tt.files)
		if user, group := m.offlineUnit(); user != tt.user || group != tt.group {
			t.Errorf("%s: user %q, group %q, want %q, %q", name, user, group, tt.user, tt.group)
		}
	}
}

func TestFirstBootFacts(t *testing.T) {
	m, _ := offlineTree(t, map[string]string{
		"usr/bin/xrdpfix":            "->/opt/xrdpfix",
		"opt/xrdpfix":                "#!/bin/sh\n",
		"usr/lib/systemd/systemd":    "x",
		"usr/local/bin/xrdpfix":      "x",
		diagnose.FirstBootPath[1:]:   string(diagnose.FirstBootService("/usr/bin/xrdpfix", diagnose.ConfigPath, "--days 90")),
		diagnose.FirstBootDropIn[1:]: string(diagnose.FirstBootWants()),
	})
	b, err := m.firstBoot()
	if err != nil || b.Program != "/usr/bin/xrdpfix" || !b.Systemd || !b.Pending() {
		t.Errorf("%+v, pending %v, %v", b, b.Pending(), err)
	}
	b.Program = "/usr/local/bin/xrdpfix"
	if b.Pending() {
		t.Error("a unit that runs another program is pending")
	}
	m, _ = offlineTree(t, map[string]string{"usr/bin/xrdpfix": "->/nowhere", "usr/lib/systemd/systemd/": ""})
	if b, err = m.firstBoot(); err != nil || b.Program != "" || b.Systemd || b.Pending() {
		t.Errorf("an empty tree: %+v, pending %v, %v", b, b.Pending(), err)
	}
}

// TestLockOfTree: two runs on one tree keep apart, and nothing stays in it.
func TestLockOfTree(t *testing.T) {
	m, dir := offlineTree(t, map[string]string{"etc/": ""})
	unlock, err := m.Lock()
	if err != nil {
		t.Fatal(err)
	}
	other, err := Open(Config{Root: dir + "/.", Tool: "test", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	var held *LockedError
	if _, err := other.Lock(); !errors.As(err, &held) {
		t.Errorf("a second lock: %v", err)
	}
	unlock()
	unlock, err = other.Lock()
	if err != nil {
		t.Fatalf("after unlock: %v", err)
	}
	unlock()
	if list, err := os.ReadDir(dir); err != nil || len(list) != 1 {
		t.Errorf("the tree has %v, %v", list, err)
	}
}
