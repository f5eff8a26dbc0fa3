//go:build lab

package packaging

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"xrdpfix/internal/lab"
)

// fleet is a controller with the collection installed from its tarball, and a
// host of each suite in its inventory.
type fleet struct {
	dir   string // with the inventory, and the collections
	env   []string
	hosts map[string]machine // by their names in the inventory
}

// controller installs Ansible on this machine, and the collection in a directory.
func controller(t *testing.T) fleet {
	t.Helper()
	need(t, "ansible-core")
	testdata, err := filepath.Abs("testdata/ansible")
	if err != nil {
		t.Fatal(err)
	}
	f := fleet{dir: t.TempDir(), hosts: map[string]machine{}}
	f.env = append(os.Environ(), "HOME="+f.dir, "ANSIBLE_CONFIG="+f.dir+"/ansible.cfg", "ANSIBLE_NOCOLOR=1", "ANSIBLE_PIPELINING=1", "ANSIBLE_RETRY_FILES_ENABLED=0",
		"ANSIBLE_LOCALHOST_WARNING=0", "ANSIBLE_COLLECTIONS_PATH="+f.dir+"/collections", "ANSIBLE_CONNECTION_PLUGINS="+testdata+"/connection_plugins",
		"PATH="+filepath.Join(unpacked(t), "usr/bin")+":/usr/sbin:/usr/bin:/sbin:/bin") // the controller's xrdpfix, and Debian's Python
	if err := os.WriteFile(filepath.Join(f.dir, "ansible.cfg"), []byte("[defaults]\n"), 0o644); err != nil { // not this machine's
		t.Fatal(err)
	}
	f.must(t, "ansible-galaxy", "collection", "install", one(t, filepath.Join(packages(t), newer, "*.tar.gz")), "--offline", "-p", f.dir+"/collections")
	return f
}

// run runs a program of the controller, in its directory.
func (f fleet) run(t *testing.T, name string, args ...string) (string, int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env = f.dir, f.env
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func (f fleet) must(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, code := f.run(t, name, args...)
	if code != 0 {
		t.Fatalf("%s %s: status %d\n%s", name, strings.Join(args, " "), code, out)
	}
	return out
}

// boot starts the hosts together and writes the inventory: one of each suite, and
// one that is not there.
func (f fleet) boot(t *testing.T) {
	t.Helper()
	var wait sync.WaitGroup
	var mu sync.Mutex
	inventory := "gone lab_pid=999999999 ansible_host=198.18.0.0\n[desks]\n"
	for _, s := range lab.Suites() {
		wait.Go(func() {
			m := start(t, s, lab.WithVeth, lab.WithPackages("python3-apt"))
			mu.Lock()
			defer mu.Unlock()
			f.hosts[string(s)] = m
			addr, _ := m.Addr()
			inventory += fmt.Sprintf("%s lab_pid=%d ansible_host=%s\n", s, m.PID1(), addr)
		})
	}
	wait.Wait()
	if len(f.hosts) != len(lab.Suites()) {
		t.FailNow()
	}
	inventory += "[all:vars]\nansible_connection=nsenter\nansible_python_interpreter=/usr/bin/python3\nansible_become=false\n"
	if err := os.WriteFile(filepath.Join(f.dir, "hosts"), []byte(inventory), 0o644); err != nil {
		t.Fatal(err)
	}
}

// each runs a shell script on every host at the same time.
func (f fleet) each(t *testing.T, script string) map[string]string {
	t.Helper()
	var wait sync.WaitGroup
	var mu sync.Mutex
	out := map[string]string{}
	for name, m := range f.hosts {
		wait.Go(func() {
			text, code := m.sh(t, script)
			if code != 0 {
				t.Errorf("%s: status %d\n%s", name, code, text)
			}
			mu.Lock()
			defer mu.Unlock()
			out[name] = text
		})
	}
	wait.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return out
}

// A recap is what ansible-playbook counted for a host.
type recap struct{ ok, changed, unreachable, failed, skipped int }

var recapLine = regexp.MustCompile(`(?m)^(\S+) +: ok=(\d+) +changed=(\d+) +unreachable=(\d+) +failed=(\d+) +skipped=(\d+)`)

// play runs a playbook with variables, and returns what it printed and counted.
func (f fleet) play(t *testing.T, book string, vars map[string]any, args ...string) (string, map[string]recap) {
	t.Helper()
	if vars == nil {
		vars = map[string]any{}
	}
	text, err := json.Marshal(vars)
	if err != nil {
		t.Fatal(err)
	}
	out, _ := f.run(t, "ansible-playbook", append([]string{"-i", "hosts", "-e", string(text), book}, args...)...)
	counts := map[string]recap{}
	for _, m := range recapLine.FindAllStringSubmatch(out, -1) {
		var r recap
		if _, err := fmt.Sscan(strings.Join(m[2:], " "), &r.ok, &r.changed, &r.unreachable, &r.failed, &r.skipped); err != nil {
			t.Fatal(err)
		}
		counts[m[1]] = r
	}
	return out, counts
}

// good expects that each of the hosts came through, with that many changes; any
// number where it is negative.
func good(t *testing.T, out string, counts map[string]recap, changed int, hosts ...string) {
	t.Helper()
	for _, name := range hosts {
		r, seen := counts[name]
		if !seen || r.failed+r.unreachable > 0 || changed >= 0 && r.changed != changed {
			t.Fatalf("%s: %+v, want no failure and %d changes\n%s", name, r, changed, out)
		}
	}
	if len(counts) != len(hosts) {
		t.Fatalf("%v, want %q alone\n%s", counts, hosts, out)
	}
}

// returned is what the module said on a host, the ids taken out.
func returned(t *testing.T, dir, name string) (doc struct {
	Changed, Refused bool
	Skipped          bool
	Pending          string
	Journal          string
	Exit             struct{ Reason string }
	Verdict          struct{ Status string }
	Diff             []map[string]string
	Clients          []map[string]any
	Findings         []struct{ Code string }
}) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	for _, d := range doc.Diff {
		for key, side := range d {
			d[key] = journalID.ReplaceAllString(side, "ID")
		}
	}
	return doc
}

var journalID = regexp.MustCompile(`\d{8}T\d{6}Z`)

var desks = []string{"bookworm", "trixie", "sid"}

// breaks takes key and certificate away, so that a change is due on every suite.
const breaks = `sed -i 's|^certificate=.*|certificate=/etc/xrdp/none.pem|; s|^key_file=.*|key_file=/etc/xrdp/none.key|' /etc/xrdp/xrdp.ini`

// TestAnsible drives three servers by a real ansible-playbook, from the install to
// the proof from the controller.
func TestAnsible(t *testing.T) {
	t.Parallel()
	f := controller(t)
	f.boot(t)
	f.each(t, breaks)
	site, err := filepath.Abs("testdata/ansible/site.yml")
	if err != nil {
		t.Fatal(err)
	}
	deb := one(t, filepath.Join(packages(t), newer, "*.deb"))
	before := f.each(t, "sha256sum /etc/xrdp/*.ini")

	vars := map[string]any{"xrdpfix_package": deb, "xrdpfix_apply": false, "out": t.TempDir(), "xrdpfix_result": "not run"}
	out, counts := f.play(t, site, vars)
	good(t, out, counts, 2, desks...) // the copy and the package
	if now := f.each(t, "sha256sum /etc/xrdp/*.ini"); fmt.Sprint(now) != fmt.Sprint(before) {
		t.Errorf("installing changed xrdp's configuration: %v, before %v", now, before)
	}

	policy := map[string]any{"profile": "intermediate", "security_layer": "tls", "ignore": []string{"cert-name-mismatch"}}
	vars = map[string]any{"xrdpfix_package": deb, "xrdpfix_policy": policy, "xrdpfix_confirm_within": "10m", "out": t.TempDir()}
	out, counts = f.play(t, site, vars, "--check", "--diff")
	good(t, out, counts, 2, desks...) // the policy file and the apply
	if now := f.each(t, "sha256sum /etc/xrdp/*.ini"); fmt.Sprint(now) != fmt.Sprint(before) {
		t.Errorf("check mode changed xrdp's configuration: %v, before %v", now, before)
	}
	predicted := vars["out"].(string)

	vars["out"] = t.TempDir()
	out, counts = f.play(t, site, vars)
	good(t, out, counts, 3, desks...) // the policy file, the apply, the confirmation
	for _, name := range desks {
		want, got := returned(t, predicted, name), returned(t, vars["out"].(string), name)
		if !want.Changed || !got.Changed || len(got.Diff) == 0 || fmt.Sprint(got.Diff) != fmt.Sprint(want.Diff) {
			t.Errorf("%s: changed %v, predicted %v; the diffs:\n%v\n%v", name, got.Changed, want.Changed, got.Diff, want.Diff)
		}
		if got.Verdict.Status != "confirmed" || got.Exit.Reason != "applied" || len(got.Clients) == 0 || len(got.Findings) == 0 || got.Pending != got.Journal {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for name, text := range f.each(t, "xrdpfix --json history; cat /etc/xrdpfix/policy.ini") {
		if !strings.Contains(text, `"state":"confirmed"`) || strings.Contains(text, `"deadline"`) {
			t.Errorf("%s: the change is not confirmed: %s", name, text)
		}
		if want := "\n[security]\nsecurity-layer = tls\nprofile = intermediate\n\n[xrdpfix]\nignore = cert-name-mismatch\n"; !strings.Contains(text, want) {
			t.Errorf("%s: policy.ini is not\n%s\n%s", name, want, text)
		}
		f.hosts[name].connects(t, "after the play")
		if r, err := lab.FreeRDP(t.Context(), f.hosts[name].Host, "/sec:rdp", "+auth-only"); err != nil || r.OK() {
			t.Errorf("%s: a client without TLS gets in: %s, %v", name, r.Name, err)
		}
	}

	// Again, through the playbook of the collection, one host after the other, and
	// not on all.
	attributes := f.each(t, "stat -c '%n %Y %i' /etc/xrdp/*.ini /etc/xrdpfix/policy.ini")
	delete(vars, "out")
	vars["batch"], vars["target"] = 1, "desks"
	out, counts = f.play(t, "xrdpfix.xrdp.apply", vars, "--limit", "sid,bookworm")
	good(t, out, counts, 0, "bookworm", "sid")
	if n := strings.Count(out, "PLAY ["); n != 2 {
		t.Errorf("%d plays, want one for each of two hosts\n%s", n, out)
	}
	if now := f.each(t, "stat -c '%n %Y %i' /etc/xrdp/*.ini /etc/xrdpfix/policy.ini"); fmt.Sprint(now) != fmt.Sprint(attributes) {
		t.Errorf("the second run wrote: %v, before %v", now, attributes)
	}

	module, err := filepath.Abs("testdata/ansible/module.yml")
	if err != nil {
		t.Fatal(err)
	}
	out, counts = f.play(t, module, nil)
	good(t, out, counts, -1, desks...)
	f.report(t)
	f.plain(t)
	f.unproven(t, site)
}

// report: one table of the hosts, the one that does not answer included.
func (f fleet) report(t *testing.T) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "report.csv")
	out, _ := f.play(t, "xrdpfix.xrdp.report", map[string]any{"csv": name})
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		`bookworm +ok +0\.9\.\S+ +20\d\d-\d\d-\d\d`, `trixie +ok +0\.10\.\S+ +20\d\d-\d\d-\d\d`, `sid +ok +0\.10\.\S+ +20\d\d-\d\d-\d\d`, `gone +no answer +- +-`,
	} {
		if !regexp.MustCompile(`"` + want).MatchString(out) {
			t.Errorf("the report has no line %q:\n%s", want, out)
		}
	}
	if got := string(text); !strings.HasPrefix(got, "host,state,") || strings.Count(got, "\n") != 5 || !strings.Contains(got, "\n\"gone\",\"no answer\",") {
		t.Errorf("the CSV:\n%s", got)
	}
}

// TestAnsibleFormulas: no cell of the CSV is a formula to a spreadsheet, whatever a
// host is called and whatever it says.
func TestAnsibleFormulas(t *testing.T) {
	t.Parallel()
	need(t, "ansible-core")
	template, err := filepath.Abs("ansible/playbooks/templates/report.csv.j2")
	if err != nil {
		t.Fatal(err)
	}
	f := fleet{dir: t.TempDir(), env: append(os.Environ(), "ANSIBLE_NOCOLOR=1", "ANSIBLE_LOCALHOST_WARNING=0", "PATH=/usr/sbin:/usr/bin:/sbin:/bin")}
	said := map[string]string{
		"desk01": `=HYPERLINK("http://192.0.2.1/";"look")`, "desk02": "+1", "desk03": "-1", "desk04": "@SUM(A1)", "desk05": "\t=1", "desk06": " =1",
		"desk07": "\uff1d1", "desk08": "a key cannot be read: -r--------",
	}
	hosts := map[string]any{}
	for name, msg := range said {
		hosts[name] = map[string]any{"ansible_connection": "local", "xrdpfix_look": map[string]string{"msg": msg}}
	}
	inventory, _ := json.Marshal(map[string]any{"all": map[string]any{"hosts": hosts}})
	book := fmt.Sprintf(`- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.copy: {content: "{{ lookup('ansible.builtin.template', '%s') }}", dest: %s/out.csv}
      run_once: true
`, template, f.dir)
	for name, text := range map[string]string{"hosts.yml": string(inventory), "book.yml": book, "ansible.cfg": "[defaults]\n"} {
		if err := os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f.must(t, "ansible-playbook", "-i", "hosts.yml", "book.yml")
	file, err := os.Open(filepath.Join(f.dir, "out.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil || len(rows) != len(said)+1 {
		t.Fatalf("%v: %q", err, rows)
	}
	for _, row := range rows[1:] {
		want := said[row[0]]
		if row[0] != "desk08" {
			want = "'" + want
		}
		if got := row[len(row)-1]; got != want {
			t.Errorf("%s: %q, want %q", row[0], got, want)
		}
	}
}

// plain is the example for those who want no collection.
func (f fleet) plain(t *testing.T) {
	t.Helper()
	example, err := filepath.Abs("ansible/examples/without-collection.yml")
	if err != nil {
		t.Fatal(err)
	}
	f.each(t, breaks)
	out, counts := f.play(t, example, nil, "--check")
	good(t, out, counts, 1, desks...)
	out, counts = f.play(t, example, nil)
	good(t, out, counts, 1, desks...)
}

// unproven: a host that only serves itself, and one whose daemon cannot read what
// root can, fail with the reason, and stand as before; the others do not mind.
func (f fleet) unproven(t *testing.T, site string) {
	t.Helper()
	f.each(t, breaks)
	f.hosts["bookworm"].Must(t, `sed -i 's|^port=3389|port=tcp://127.0.0.1:3389|' /etc/xrdp/xrdp.ini && systemctl restart xrdp`)
	f.hosts["sid"].Must(t, `mkdir -p /etc/systemd/system/xrdp.service.d
printf '[Service]\nInaccessiblePaths=/etc/xrdp/tls\n' >/etc/systemd/system/xrdp.service.d/lab.conf && systemctl daemon-reload && systemctl restart xrdp`)
	before := f.each(t, "cat /etc/xrdp/*.ini")
	vars := map[string]any{"xrdpfix_install": false, "xrdpfix_confirm_within": "10m", "out": t.TempDir()}
	out, counts := f.play(t, site, vars)
	if counts["bookworm"].failed != 1 || counts["sid"].failed != 1 || counts["trixie"].failed != 0 || counts["trixie"].changed != 2 {
		t.Errorf("%v, want bookworm and sid failed, trixie changed\n%s", counts, out)
	}
	address, _ := f.hosts["bookworm"].Addr()
	for _, want := range []string{
		`fatal: \[bookworm\]: FAILED! => .*"msg": "not proven from localhost: ` + address.String() + `:3389 does not answer: .*the change \d{8}T\d{6}Z was put back"`,
		`fatal: \[sid\]: FAILED! => .*"msg": "not proven, rolled back: `,
	} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("no line like %s\n%s", want, out)
		}
	}
	now := f.each(t, "cat /etc/xrdp/*.ini")
	for _, name := range []string{"bookworm", "sid"} {
		if now[name] != before[name] {
			t.Errorf("%s was not put back:\n%s", name, difference(before[name], now[name]))
		}
	}
}
