package packaging

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

const (
	idA = "20261122T152440Z"
	idB = "20261123T010203Z"
)

// tree makes files of name and text; a text that begins with "-> " is a link,
// and a name that ends with a slash a directory.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		full := filepath.Join(root, name)
		err := os.MkdirAll(filepath.Dir(full), 0o755)
		target, link := strings.CutPrefix(text, "-> ")
		switch {
		case err != nil:
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(full, 0o755)
		case link:
			err = os.Symlink(target, full)
		default:
			err = os.WriteFile(full, []byte(text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// left lists the files and the empty directories of a tree.
func left(t *testing.T, root string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(p, root+"/")
		if d.IsDir() {
			list, err := os.ReadDir(p)
			if err != nil || len(list) > 0 || p == root {
				return err
			}
			name += "/"
		}
		out = append(out, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

// script runs a maintainer script on a tree as dpkg --root does, without systemd.
func script(t *testing.T, root, name string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := exec.Command("sh", append([]string{"-u", filepath.Join("scripts", name)}, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "DPKG_ROOT=" + root}
	var out, errOut strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errOut.String(), cmd.ProcessState.ExitCode()
}

const (
	iniA   = "[Globals]\nsecurity_layer=negotiate\ncertificate=/etc/xrdp/tls/" + idA + "/cert.pem\nkey_file=/etc/xrdp/tls/" + idA + "/key.pem\n"
	dropIn = "etc/systemd/system/xrdp.service.d/xrdpfix-openssl.conf"
	lift   = "[Service]\nEnvironment=OPENSSL_CONF=/etc/xrdp/tls/openssl.cnf\n"
)

// pairs are two applies, with everything else that they may leave.
func pairs(more map[string]string) map[string]string {
	files := map[string]string{
		"etc/xrdp/tls/" + idA + "/cert.pem":            "A",
		"etc/xrdp/tls/" + idA + "/key.pem":             "A",
		"etc/xrdp/tls/" + idB + "/cert.pem":            "B",
		"etc/xrdp/tls/" + idB + "/key.pem":             "B",
		"etc/xrdp/tls/requests/" + idB + "/key.pem":    "R",
		"var/lib/xrdpfix/journal/" + idA + "/journal":  "J",
		"run/xrdpfix.lock":                             "",
		"usr/lib/systemd/system/xrdp.service":          "[Unit]\n",
		"etc/xrdp/tls/of somebody/else.pem":            "E",
		"etc/systemd/system/multi-user.target.wants/x": "-> /nowhere",
	}
	for name, text := range more {
		if files[name] = text; text == "GONE" {
			delete(files, name)
		}
	}
	return files
}

// always is left whatever is done.
var always = []string{
	"etc/systemd/system/multi-user.target.wants/x", "etc/xrdp/tls/of somebody/else.pem", "run/", "usr/lib/systemd/system/xrdp.service", "var/lib/",
}

// TestPurge deletes what is ours and nothing points to.
func TestPurge(t *testing.T) {
	pairA := []string{"etc/xrdp/tls/" + idA + "/cert.pem", "etc/xrdp/tls/" + idA + "/key.pem"}
	saysA := "xrdpfix: kept, because xrdp's configuration names it: /etc/xrdp/tls/" + idA + "\n"
	for name, tt := range map[string]struct {
		more map[string]string
		left []string
		says string
	}{
		"named": {map[string]string{"etc/xrdp/xrdp.ini": iniA}, append(pairA, "etc/xrdp/xrdp.ini"), saysA},
		"named in another file": {map[string]string{"etc/xrdp/xrdp.ini": "[Globals]\n", "etc/xrdp/second.ini": iniA},
			append(pairA, "etc/xrdp/xrdp.ini", "etc/xrdp/second.ini"), saysA},
		"named by a link": {map[string]string{"etc/xrdp/xrdp.ini": "[Globals]\n", "etc/xrdp/cert.pem": "-> tls/" + idA + "/cert.pem"},
			append(pairA, "etc/xrdp/xrdp.ini", "etc/xrdp/cert.pem"), saysA},
		"named in a comment": {map[string]string{"etc/xrdp/xrdp.ini": "[Globals]\n #" + idA + "\n;" + idA + "\n"}, []string{"etc/xrdp/xrdp.ini"}, ""},
		"xrdp.ini cannot be read": {map[string]string{"etc/xrdp/xrdp.ini": "-> /nonexistent/ini"}, append(pairA, "etc/xrdp/xrdp.ini",
			"etc/xrdp/tls/"+idB+"/cert.pem", "etc/xrdp/tls/"+idB+"/key.pem", "etc/xrdp/tls/requests/"+idB+"/key.pem"), saysA +
			"xrdpfix: kept, because xrdp's configuration names it: /etc/xrdp/tls/" + idB + "\n" +
			"xrdpfix: kept, because xrdp's configuration names it: /etc/xrdp/tls/requests/" + idB + "\n"},
		"xrdp went before": {map[string]string{dropIn: lift, "etc/xrdp/tls/openssl.cnf": "O", "usr/lib/systemd/system/xrdp.service": "GONE"}, nil, ""},
		"a floor is lifted": {map[string]string{"etc/xrdp/xrdp.ini": "[Globals]\n", dropIn: lift, "etc/xrdp/tls/openssl.cnf": "O"},
			[]string{"etc/xrdp/xrdp.ini", dropIn, "etc/xrdp/tls/openssl.cnf"},
			"xrdpfix: kept, because xrdp reads it when it starts: /etc/xrdp/tls/openssl.cnf\nxrdpfix: kept, because it makes xrdp do so: /" + dropIn + "\n"},
		"a floor is lifted by hand": {map[string]string{"etc/xrdp/xrdp.ini": "[Globals]\n", "etc/default/xrdp": lift, "etc/xrdp/tls/openssl.cnf": "O"},
			[]string{"etc/xrdp/xrdp.ini", "etc/default/xrdp", "etc/xrdp/tls/openssl.cnf"},
			"xrdpfix: kept, because xrdp reads it when it starts: /etc/xrdp/tls/openssl.cnf\n"},
		"no floor is lifted any more": {map[string]string{"etc/xrdp/xrdp.ini": "[Globals]\n", "etc/xrdp/tls/openssl.cnf": "O"}, []string{"etc/xrdp/xrdp.ini"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			root := tree(t, pairs(tt.more))
			out, errOut, code := script(t, root, "postrm", "purge")
			if out != tt.says || errOut != "" || code != 0 {
				t.Errorf("purge: status %d, says\n%s%s\nwant\n%s", code, out, errOut, tt.says)
			}
			want := slices.Concat(tt.left, always)
			if tt.more["usr/lib/systemd/system/xrdp.service"] == "GONE" {
				want = slices.DeleteFunc(want, func(name string) bool { return strings.HasSuffix(name, "xrdp.service") })
			}
			slices.Sort(want)
			if got := left(t, root); !slices.Equal(got, want) {
				t.Errorf("purge leaves\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// TestPurgeOfNothing is a machine where xrdpfix changed nothing, and one where
// nothing else is in the directories that it made.
func TestPurgeOfNothing(t *testing.T) {
	for name, tt := range map[string]struct{ files, left string }{
		"nothing":         {"", ""},
		"only ours":       {"etc/xrdp/tls/" + idA + "/key.pem etc/xrdp/tls/requests/" + idA + "/key.pem etc/xrdpfix/ var/lib/xrdpfix/journal/x", "etc/ var/lib/"},
		"a journal alone": {"etc/xrdp/xrdp.ini var/lib/xrdpfix/journal/x", "etc/xrdp/xrdp.ini var/lib/"},
	} {
		files := map[string]string{}
		for _, f := range strings.Fields(tt.files) {
			files[f] = ""
		}
		root := tree(t, files)
		out, errOut, code := script(t, root, "postrm", "purge")
		if got := strings.Join(left(t, root), " "); got != tt.left || code != 0 || out+errOut != "" {
			t.Errorf("%s: status %d, left %q, want %q\n%s%s", name, code, got, tt.left, out, errOut)
		}
	}
}

// TestRemoveKeeps: whatever dpkg and rpm call it, only purge deletes.
func TestRemoveKeeps(t *testing.T) {
	for _, tt := range []struct{ arg, says string }{
		{"remove", "xrdpfix: kept, because xrdp's configuration names it: /etc/xrdp/tls/" + idA + "\n" +
			"xrdpfix: kept, so that a later xrdpfix can undo what this one changed: /var/lib/xrdpfix\n"},
		{"0", "xrdpfix: kept, because xrdp's configuration names it: /etc/xrdp/tls/" + idA + "\n" +
			"xrdpfix: kept, so that a later xrdpfix can undo what this one changed: /var/lib/xrdpfix\n"},
		{"1", ""}, {"upgrade", ""}, {"failed-upgrade", ""}, {"abort-install", ""}, {"abort-upgrade", ""}, {"disappear", ""}, {"", ""},
	} {
		root := tree(t, pairs(map[string]string{"etc/xrdp/xrdp.ini": iniA}))
		before := left(t, root)
		out, errOut, code := script(t, root, "postrm", tt.arg)
		if out != tt.says || errOut != "" || code != 0 {
			t.Errorf("postrm %s: status %d, says\n%s%s\nwant\n%s", tt.arg, code, out, errOut, tt.says)
		}
		if got := left(t, root); !slices.Equal(got, before) {
			t.Errorf("postrm %s leaves\n%s\nwant\n%s", tt.arg, strings.Join(got, "\n"), strings.Join(before, "\n"))
		}
	}
}

func undoUnits(program string) map[string]string {
	name := "etc/systemd/system/xrdpfix-undo-" + idA
	return map[string]string{
		name + ".service":    "[Service]\nType=oneshot\nExecStart=\"" + program + "\" rollback --unattended " + idA + "\n",
		name + ".timer":      "[Timer]\nOnCalendar=2026-11-23 00:00:00 UTC\nPersistent=true\n",
		name + "-boot.timer": "[Timer]\nOnBootSec=600s\n",
	}
}

// TestPrerm refuses to take the program away from those who still need it.
func TestPrerm(t *testing.T) {
	pending := "xrdpfix: not removed: the change " + idA + " is undone by itself at 2026-11-23 00:00:00 UTC,\n" +
		"xrdpfix: and only /usr/bin/xrdpfix can do that. First do one of these:\n" +
		"xrdpfix:   xrdpfix confirm " + idA + "     keep the change for good\n" +
		"xrdpfix:   xrdpfix rollback " + idA + "    undo it now\n"
	firstBoot := func(program string) map[string]string {
		return map[string]string{"etc/systemd/system/xrdpfix-firstboot.service": "[Service]\nExecStart=" + program + " cert renew\n"}
	}
	for name, tt := range map[string]struct {
		files map[string]string
		arg   string
		code  int
		says  string
	}{
		"dpkg":                         {undoUnits("/usr/bin/xrdpfix"), "remove", 1, pending},
		"rpm":                          {undoUnits("/usr/bin/xrdpfix"), "0", 1, pending},
		"an upgrade":                   {undoUnits("/usr/bin/xrdpfix"), "upgrade", 0, ""},
		"an upgrade of rpm":            {undoUnits("/usr/bin/xrdpfix"), "1", 0, ""},
		"another xrdpfix":              {undoUnits("/usr/local/bin/xrdpfix"), "remove", 0, ""},
		"another name":                 {undoUnits("/usr/bin/xrdpfix-old"), "remove", 0, ""},
		"nothing":                      {nil, "remove", 0, ""},
		"nothing is running":           {map[string]string{"run/xrdpfix.lock": ""}, "remove", 0, ""},
		"first boot":                   {firstBoot("/usr/bin/xrdpfix"), "remove", 1, "xrdpfix: not removed: at the first boot xrdpfix-firstboot.service runs\nxrdpfix: /usr/bin/xrdpfix, to give the machine a key of its own. To give that up:\nxrdpfix:   xrdpfix --root DIR rollback\n"},
		"first boot, another xrdpfix":  {firstBoot("/opt/bin/xrdpfix"), "remove", 0, ""},
		"a timer without its service":  {map[string]string{"etc/systemd/system/xrdpfix-undo-" + idA + ".timer": "[Timer]\n"}, "remove", 0, ""},
		"a timer of the boot, by name": {map[string]string{"etc/systemd/system/xrdpfix-undo-" + idA + "-boot.timer": "[Timer]\n"}, "remove", 0, ""},
	} {
		root := tree(t, tt.files)
		before := left(t, root)
		out, errOut, code := script(t, root, "prerm", tt.arg)
		if code != tt.code || errOut != tt.says || out != "" {
			t.Errorf("%s: prerm %s: status %d, says\n%s%s\nwant %d\n%s", name, tt.arg, code, out, errOut, tt.code, tt.says)
		}
		if got := left(t, root); !slices.Equal(got, before) {
			t.Errorf("%s: prerm changed the tree to %q", name, got)
		}
	}
}

// TestUnitsLeaveNothing: what the units leave goes with them, wherever the administrator had it
// written; his own drop-ins stay, and that is said.
func TestUnitsLeaveNothing(t *testing.T) {
	files := map[string]string{
		"usr/lib/systemd/system/xrdpfix-check.service":                  "[Service]\nEnvironment=TEXTFILE=/run/xrdpfix/xrdpfix.prom\n",
		"etc/systemd/system/xrdpfix-check.service.d/override.conf":      "[Service]\nEnvironment=TEXTFILE=/var/lib/prometheus/xrdpfix.prom\n",
		"etc/systemd/system/xrdpfix-check.service.d/other.conf":         "[Service]\nEnvironment=\"TEXTFILE=/home/notes\"\n",
		"run/xrdpfix/xrdpfix.prom":                                      "xrdpfix_complete 1\n",
		"var/lib/prometheus/xrdpfix.prom":                               "# HELP\nxrdpfix_complete 1\n",
		"home/notes":                                                    "not of ours\n",
		"var/lib/systemd/timers/stamp-apt.timer":                        "",
		"var/lib/systemd/timers/stamp-xrdpfix-check.timer":              "",
		"var/lib/systemd/timers/stamp-xrdpfix-undo-" + idA + "-b.timer": "",
	}
	kept := []string{
		"etc/systemd/system/xrdpfix-check.service.d/other.conf", "etc/systemd/system/xrdpfix-check.service.d/override.conf",
		"home/notes", "run/", "usr/lib/systemd/system/xrdpfix-check.service", "var/lib/prometheus/", "var/lib/systemd/timers/stamp-apt.timer",
	}
	removed := append(slices.Clone(kept), "var/lib/systemd/timers/stamp-xrdpfix-check.timer", "var/lib/systemd/timers/stamp-xrdpfix-undo-"+idA+"-b.timer")
	for arg, want := range map[string][]string{"remove": removed, "0": removed, "purge": kept} {
		root := tree(t, files)
		if out, errOut, code := script(t, root, "prerm", strings.Replace(arg, "purge", "remove", 1)); code != 0 || out+errOut != "" {
			t.Errorf("prerm %s: status %d, says %q %q", arg, code, out, errOut)
		}
		out, errOut, code := script(t, root, "postrm", arg)
		if says := "xrdpfix: kept, because it is the administrator's: /etc/systemd/system/xrdpfix-check.service.d\n"; code != 0 || out != says || errOut != "" {
			t.Errorf("postrm %s: status %d, says %q %q, want %q", arg, code, out, errOut, says)
		}
		if got := left(t, root); !slices.Equal(got, want) {
			t.Errorf("%s leaves\n%s\nwant\n%s", arg, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// TestPrermWaits: while an apply is at work, its journal and its program stay.
func TestPrermWaits(t *testing.T) {
	root := tree(t, map[string]string{"run/xrdpfix.lock": ""})
	lock, err := os.Open(filepath.Join(root, "run/xrdpfix.lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close() //nolint:errcheck // only read
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	_, errOut, code := script(t, root, "prerm", "remove")
	if want := "xrdpfix: not removed: another xrdpfix is at work; wait for it to end\n"; code != 1 || errOut != want {
		t.Errorf("prerm remove: status %d, says %q, want 1, %q", code, errOut, want)
	}
}

// TestPurgeWaits: what another xrdpfix needs to undo its change stays.
func TestPurgeWaits(t *testing.T) {
	root := tree(t, pairs(undoUnits("/usr/local/bin/xrdpfix")))
	before := left(t, root)
	out, errOut, code := script(t, root, "postrm", "purge")
	if want := "xrdpfix: kept, because a unit in /etc/systemd/system still runs another xrdpfix: /var/lib/xrdpfix, /etc/xrdp/tls\n"; code != 0 || out != want || errOut != "" {
		t.Errorf("purge: status %d, says %q %q, want %q", code, out, errOut, want)
	}
	if got := left(t, root); !slices.Equal(got, before) {
		t.Errorf("purge leaves %q, want %q", got, before)
	}
}

// TestPostinst starts nothing in a tree.
func TestPostinst(t *testing.T) {
	for _, args := range [][]string{{"configure"}, {"configure", "0.1.0"}, {"1"}, {"2"}, {"abort-remove"}, {"triggered"}} {
		if out, errOut, code := script(t, t.TempDir(), "postinst", args...); out+errOut != "" || code != 0 {
			t.Errorf("postinst %q: status %d, says %q %q", args, code, out, errOut)
		}
	}
}

// TestMetricsGo: what the timer wrote goes with the program, and what systemd keeps
// of the timers goes with a purge.
func TestMetricsGo(t *testing.T) {
	const metrics, stamp = "run/xrdpfix/xrdpfix.prom", "var/lib/systemd/timers/stamp-xrdpfix-check.timer"
	for arg, want := range map[string][]string{
		"remove": {"run/", stamp}, "0": {"run/", stamp}, "purge": {"run/", "var/lib/systemd/timers/"},
		"upgrade": {metrics, stamp}, "1": {metrics, stamp},
	} {
		root := tree(t, map[string]string{metrics: "xrdpfix_key_readable 1\n", stamp: ""})
		out, errOut, code := script(t, root, "postrm", arg)
		if got := left(t, root); code != 0 || out+errOut != "" || !slices.Equal(got, want) {
			t.Errorf("postrm %s: status %d, left %q, want %q\n%s%s", arg, code, got, want, out, errOut)
		}
	}
}
