//go:build lab

package packaging

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"xrdpfix/internal/lab"
)

// promtool is the one of Debian's package, unpacked and not installed: its daemon
// is of no use here.
func promtool(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := lab.LockMachine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	program := filepath.Join(cache, "xrdpfix", "bin", "promtool")
	if _, err := os.Stat(program); err == nil {
		return program
	}
	run(t, "sh", "-ec", `mkdir -p "$1"; d=$(mktemp -d); trap 'rm -rf "$d"' EXIT; chmod 755 "$d"; cd "$d"; apt-get -q update >/dev/null
apt-get -q download prometheus; dpkg-deb -x prometheus_*.deb tree; mv tree/usr/bin/promtool "$1/promtool.$$"; mv "$1/promtool.$$" "$1/promtool"`,
		"sh", filepath.Dir(program))
	return program
}

// metricsAreClean is what promtool says of them: nothing.
func metricsAreClean(t *testing.T, metrics string) {
	t.Helper()
	cmd := exec.Command(promtool(t), "check", "metrics")
	cmd.Stdin = strings.NewReader(metrics)
	if out, err := cmd.CombinedOutput(); err != nil || len(bytes.TrimSpace(out)) > 0 {
		t.Errorf("promtool check metrics: %v\n%s\n%s", err, out, metrics)
	}
}

// TestAlertRules: the rules in the documentation are ones.
func TestAlertRules(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/monitoring.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rules, found := strings.Cut(string(text), "```yaml\n")
	rules, _, ended := strings.Cut(rules, "```")
	if !found || !ended {
		t.Fatal("docs/monitoring.md has no rules")
	}
	name := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(name, []byte(rules), 0o644); err != nil {
		t.Fatal(err)
	}
	if out := run(t, promtool(t), "check", "rules", name); !strings.Contains(out, "SUCCESS: 3 rules found") {
		t.Errorf("promtool check rules: %s", out)
	}
	for _, metric := range regexp.MustCompile(`xrdpfix_[a-z_]+`).FindAllString(rules, -1) {
		if !strings.Contains(string(text), "| `"+metric) {
			t.Errorf("the rules use %s, which the table does not have", metric)
		}
	}
}

// TestUnits: the timers do nothing until somebody enables them; then the check
// writes metrics and the journal, and the renewal renews what is ours, while a user
// works, and nothing else.
func TestUnits(t *testing.T) {
	suites := []lab.Suite{lab.Bookworm}
	if os.Getenv("XRDPFIX_ALL") != "" {
		suites = lab.Suites()
	}
	for _, s := range suites {
		t.Run(string(s), func(t *testing.T) {
			t.Parallel()
			m := start(t, s)
			m.Must(t, "dpkg -i /packages/"+newer+"/*.deb")
			if got := m.Must(t, "systemctl list-unit-files --no-legend 'xrdpfix*' | awk '{ print $1, $2 }'"); got !=
				"xrdpfix-check.service static\nxrdpfix-renew.service static\nxrdpfix-check.timer disabled\nxrdpfix-renew.timer disabled\n" {
				t.Errorf("units as installed: %s", got)
			}
			m.hardened(t)
			m.checkUnit(t)
			m.renewUnit(t)
		})
	}
}

// hardened: systemd's own measure of what a unit could do is low.
func (m machine) hardened(t *testing.T) {
	t.Helper()
	for _, unit := range []string{"xrdpfix-check.service", "xrdpfix-renew.service"} {
		out := m.Must(t, "systemd-analyze security --no-pager "+unit)
		found := regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`).FindStringSubmatch(out)
		if found == nil {
			t.Fatalf("no measure of %s: %s", unit, out)
		}
		if level, err := strconv.ParseFloat(found[1], 64); err != nil || level > 2.5 {
			t.Errorf("%s is exposed by %s, more than 2.5:\n%s", unit, found[1], out)
		}
	}
}

// codes are the findings in metrics.
func codes(metrics string) string {
	var out []string
	for _, found := range regexp.MustCompile(`(?m)^xrdpfix_findings\{code="([a-z-]+)"`).FindAllStringSubmatch(metrics, -1) {
		out = append(out, found[1])
	}
	return strings.Join(out, " ")
}

func (m machine) checkUnit(t *testing.T) {
	t.Helper()
	m.Must(t, `mkdir -p /etc/systemd/system/xrdpfix-check.timer.d
printf '[Timer]\nOnActiveSec=1s\nAccuracySec=1s\nRandomizedDelaySec=0\n' >/etc/systemd/system/xrdpfix-check.timer.d/soon.conf
systemctl daemon-reload && systemctl enable --now xrdpfix-check.timer
for i in $(seq 600); do [ -s /run/xrdpfix/xrdpfix.prom ] && break; sleep 0.2; done
while systemctl is-active -q xrdpfix-check.service || [ "$(systemctl show -P ActiveState xrdpfix-check.service)" = activating ]; do sleep 0.1; done`)
	metrics := m.Must(t, "cat /run/xrdpfix/xrdpfix.prom; stat -c %a /run/xrdpfix/xrdpfix.prom >/run/mode")
	metricsAreClean(t, metrics)
	if mode := m.Must(t, "cat /run/mode"); mode != "644\n" {
		t.Errorf("the metrics have mode %s", mode)
	}
	if !strings.Contains(metrics, "\nxrdpfix_check_complete 1\n") {
		t.Errorf("the unit could not look everywhere:\n%s", metrics)
	}
	// From inside the unit things look as they do to root outside.
	out, _ := m.sh(t, "xrdpfix check --output prometheus")
	if inside, outside := codes(metrics), codes(out); inside != outside {
		t.Errorf("the unit finds %q, root finds %q", inside, outside)
	}
	metricsAreClean(t, out)
	if got := m.Must(t, "systemctl show -P Result xrdpfix-check.service"); got != "success\n" {
		t.Errorf("the unit ended with %s", got)
	}
	log := m.Must(t, "journalctl --sync; journalctl --all -o json --no-pager -u xrdpfix-check.service XRDPFIX_COMMAND=check")
	if !strings.Contains(log, `"XRDPFIX_EXIT_CODE"`) || !strings.Contains(log, `"XRDPFIX_JSON"`) || !strings.Contains(log, `\"command\":\"check\"`) {
		t.Errorf("journal: %s", log)
	}
	for _, code := range strings.Fields(codes(out)) {
		if entry, found := diagnoseSeverity(out, code); found && entry != "info" && !strings.Contains(log, `"XRDPFIX_CODE":"`+code+`"`) {
			t.Errorf("the journal has no entry with the field XRDPFIX_CODE=%s", code)
		}
	}
}

func diagnoseSeverity(metrics, code string) (string, bool) {
	found := regexp.MustCompile(`xrdpfix_findings\{code="` + code + `",severity="([a-z]+)"`).FindStringSubmatch(metrics)
	if found == nil {
		return "", false
	}
	return found[1], true
}

func (m machine) renewUnit(t *testing.T) {
	t.Helper()
	const serve = "xrdpfix cert show --json | sed 's/.*\"served\"://' | grep -o '\"sha256\":\"[0-9A-F:]*\"' | head -1"
	renew := func() { m.Must(t, "systemctl start xrdpfix-renew.service") }
	// Ours, with a few days left, while a user works.
	m.Must(t, "xrdpfix apply && xrdpfix cert renew --days 5")
	m.connects(t, "before the renewal")
	session, err := lab.Login(t.Context(), m.Host, lab.TestUser, lab.TestPassword, "/sec:tls")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = session.Close() }()
	before, daemon := m.Must(t, serve), m.daemon(t)
	m.Must(t, "systemctl enable --now xrdpfix-renew.timer && systemctl is-active xrdpfix-renew.timer")
	renew()
	after := m.Must(t, serve)
	if before == after {
		t.Errorf("a certificate with 5 days left was not renewed:\n%s", m.Must(t, "journalctl --no-pager -u xrdpfix-renew.service"))
	}
	if left := m.Must(t, "xrdpfix cert show"); !strings.Contains(left, " 824 days") {
		t.Errorf("renewed: %s", left)
	}
	if now := m.daemon(t); now != daemon || !session.Alive() {
		t.Errorf("the renewal disturbed somebody: xrdp %s, then %s; client connected: %t", daemon, now, session.Alive())
	}
	m.connects(t, "after the renewal")
	renew()
	if again := m.Must(t, serve); again != after {
		t.Error("a certificate with 824 days left was renewed")
	}
	if log := m.Must(t, "journalctl --sync; journalctl -o json --no-pager -u xrdpfix-renew.service"); strings.Count(log, `"XRDPFIX_CHANGED":"true"`) != 1 {
		t.Errorf("the journal does not tell of one renewal: %s", log)
	}
	// What came from elsewhere: of a CA, and self-signed.
	for name, sign := range map[string]string{
		"of a CA":     "-CA ca.pem -CAkey ca.key -CAcreateserial",
		"self-signed": "-signkey key.pem",
	} {
		m.Must(t, `mkdir -p /root/ca && cd /root/ca && rm -f *
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 30 -subj '/CN=Lab CA' 2>/dev/null
openssl req -newkey rsa:2048 -nodes -keyout key.pem -out desk.csr -subj "/CN=$(hostname)" 2>/dev/null
printf 'subjectAltName=DNS:%s\nextendedKeyUsage=serverAuth\n' "$(hostname)" >ext
openssl x509 -req -in desk.csr `+sign+` -days 5 -extfile ext -out desk.pem 2>/dev/null
xrdpfix cert install desk.pem key.pem`)
		delivered := m.Must(t, serve)
		renew()
		if now := m.Must(t, serve); now != delivered {
			t.Errorf("a certificate from elsewhere (%s) was renewed", name)
		}
	}
}
