//go:build lab

package packaging

import (
	"regexp"
	"strings"
	"testing"

	"xrdpfix/internal/lab"
)

// floor is a system-wide lowest TLS version in the way of Debian 11 and Ubuntu.
const floor = `
printf '\n[lab_floor]\nssl_conf = lab_ssl\n[lab_ssl]\nsystem_default = lab_system\n[lab_system]\nMinProtocol = TLSv1.2\n' >>/etc/ssl/openssl.cnf
if grep -q '^openssl_conf' /etc/ssl/openssl.cnf
then sed -i 's/^openssl_conf.*/openssl_conf = lab_floor/' /etc/ssl/openssl.cnf
else sed -i '1i openssl_conf = lab_floor' /etc/ssl/openssl.cnf
fi
systemctl restart xrdp
`

// TestDeb is the life of the package on a machine: installed, used, upgraded,
// removed and purged, twice: once with everything undone before it goes, once
// with everything still in use.
func TestDeb(t *testing.T) {
	for _, s := range lab.Suites() {
		t.Run(string(s), func(t *testing.T) {
			t.Parallel()
			m := start(t, s)
			m.Must(t, floor)
			m.undone(t)
			m.inUse(t)
		})
	}
}

// undone leaves nothing behind at all.
func (m machine) undone(t *testing.T) {
	before, daemon := m.everything(t), m.daemon(t)
	m.Must(t, "dpkg -i /packages/"+older+"/*.deb")
	if got := m.Must(t, "xrdpfix version"); got != "xrdpfix "+older+"\n" {
		t.Errorf("xrdpfix version: %q", got)
	}
	if now := m.daemon(t); now != daemon {
		t.Error("the package restarted xrdp")
	}
	added := difference(before, m.everything(t))
	for line := range strings.Lines(added) {
		if !strings.Contains(line, "xrdpfix") && !regexp.MustCompile(`^\+ \./usr/share/(bash-completion|zsh|fish|lintian|man)\b.* d `).MatchString(line) {
			t.Errorf("the package added %s", line)
		}
	}
	m.timers(t)
	m.Must(t, "xrdpfix cert renew && xrdpfix cert request --name desk.example.org >/dev/null")
	m.Must(t, "xrdpfix rollback --restart always")
	m.Must(t, "dpkg -i /packages/"+newer+"/*.deb")
	if got := m.Must(t, "xrdpfix version; xrdpfix history"); !strings.HasPrefix(got, "xrdpfix "+newer+"\n") || !strings.Contains(got, "rolled-back") {
		t.Errorf("after the upgrade: %s", got)
	}
	if got := m.Must(t, timerState); got != "enabled\nactive\n" {
		t.Errorf("after the upgrade the timer that the administrator enabled is %s", got)
	}
	out := m.Must(t, "dpkg -P xrdpfix")
	if want := "xrdpfix: kept, because it is the administrator's: /etc/systemd/system/xrdpfix-check.service.d\n"; !strings.Contains(out, want) {
		t.Errorf("purge does not say %q:\n%s", want, out)
	}
	if got := m.Must(t, "ls -A /var/lib/metrics; systemctl list-units --all --no-legend 'xrdpfix*'"); got != "" {
		t.Errorf("purge left metrics, or units that systemd remembers: %s", got)
	}
	m.Must(t, "rm -r /etc/systemd/system/xrdpfix-check.service.d /var/lib/metrics && systemctl daemon-reload")
	if rest := difference(before, m.everything(t)); rest != "" {
		t.Errorf("purge left a difference:\n%s", rest)
	}
}

const timerState = "systemctl is-enabled xrdpfix-check.timer; systemctl is-active xrdpfix-check.timer"

// timers: as installed they do nothing; the administrator has one write its metrics
// where he wants them.
func (m machine) timers(t *testing.T) {
	t.Helper()
	if got := m.Must(t, "systemctl list-units --all --no-legend 'xrdpfix*'; systemctl list-unit-files --no-legend --state=enabled 'xrdpfix*' || true"); got != "" {
		t.Errorf("the package started or enabled something: %s", got)
	}
	m.Must(t, `mkdir -p /var/lib/metrics /etc/systemd/system/xrdpfix-check.service.d
printf '[Service]\nEnvironment=TEXTFILE=/var/lib/metrics/xrdpfix.prom\n' >/etc/systemd/system/xrdpfix-check.service.d/where.conf
systemctl daemon-reload && systemctl enable --now xrdpfix-check.timer && systemctl start xrdpfix-check.service && test -s /var/lib/metrics/xrdpfix.prom`)
}

// inUse removes the package while xrdp uses what it made.
func (m machine) inUse(t *testing.T) {
	before := m.everything(t)
	m.Must(t, "apt-get install -y /packages/"+older+"/*.deb")
	m.Must(t, "xrdpfix cert renew --restart always && xrdpfix cert renew")
	m.Must(t, "xrdpfix apply --profile legacy --for ever --restart always")
	m.Must(t, "xrdpfix apply --security-layer tls --confirm-within 1h")
	m.pending(t)
	m.connects(t, "before the package goes")

	applied, daemon := m.everything(t), m.daemon(t)
	out := m.Must(t, "dpkg -r xrdpfix")
	pair := regexp.MustCompile(`xrdpfix: kept, because xrdp's configuration names it: (/etc/xrdp/tls/\d{8}T\d{6}Z)\n`).FindStringSubmatch(out)
	for _, want := range []string{
		"kept, because xrdp reads it when it starts: /etc/xrdp/tls/openssl.cnf\n",
		"kept, because it makes xrdp do so: /etc/systemd/system/xrdp.service.d/xrdpfix-openssl.conf\n",
		"kept, so that a later xrdpfix can undo what this one changed: /var/lib/xrdpfix\n",
	} {
		if !strings.Contains(out, "xrdpfix: "+want) || pair == nil {
			t.Fatalf("remove does not say %q, or names no pair:\n%s", want, out)
		}
	}
	for line := range strings.Lines(difference(applied, m.everything(t))) {
		if strings.HasPrefix(line, "+") || strings.Contains(line, "/etc/") || strings.Contains(line, "/var/") {
			t.Errorf("remove changed more than its files: %s", line)
		}
	}
	m.Must(t, "dpkg -P xrdpfix")
	if now := m.daemon(t); now != daemon {
		t.Error("removing the package restarted xrdp")
	}
	m.connects(t, "after the purge")
	m.Must(t, "systemctl restart xrdp")
	m.connects(t, "after the purge and a restart")
	r, err := lab.SSLScan(t.Context(), m.Host)
	if err != nil || r.Accepted() != "1.0 1.1 1.2 1.3" {
		t.Errorf("after the purge sslscan sees %q, %v, want 1.0 to 1.3 as before", r.Accepted(), err)
	}
	kept := regexp.MustCompile(`^(\./)?etc/(xrdp/(xrdp|sesman)\.ini|xrdp/tls|` + strings.TrimPrefix(pair[1], "/etc/") +
		`(/(cert|key)\.pem)?|xrdp/tls/openssl\.cnf|systemd/system/xrdp\.service\.d(/xrdpfix-openssl\.conf)?)$`)
	for line := range strings.Lines(difference(before, m.everything(t))) {
		fields := strings.Fields(line)
		name := fields[1]
		if len(fields) == 3 && len(name) == 64 { // a sum, and the name
			name = fields[2]
		}
		if !kept.MatchString(name) {
			t.Errorf("purge left %s", line)
		}
	}
}

// pending: while a change waits, the package does not go, and may be upgraded.
func (m machine) pending(t *testing.T) {
	for _, command := range []string{"dpkg -r xrdpfix", "dpkg -P xrdpfix", "apt-get remove -y xrdpfix"} {
		out, code := m.sh(t, command)
		id := regexp.MustCompile(`not removed: the change (\S+) is undone by itself at 20\S+ \S+ UTC,`).FindStringSubmatch(out)
		if code == 0 || id == nil || !strings.Contains(out, "xrdpfix confirm "+id[1]) || !strings.Contains(out, "xrdpfix rollback "+id[1]) {
			t.Fatalf("%s with a change that waits: status %d\n%s", command, code, out)
		}
		if got := m.Must(t, "dpkg-query -W -f '${db:Status-Abbrev}' xrdpfix; xrdpfix version"); !strings.HasPrefix(got, "ii ") && !strings.HasPrefix(got, "ri ") && !strings.HasPrefix(got, "pi ") {
			t.Errorf("after %s the package is %q", command, got)
		}
	}
	m.Must(t, "dpkg -i /packages/"+newer+"/*.deb && xrdpfix confirm")
}
