//go:build lab

package matrix

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"xrdpfix/internal/lab"
)

// hostileMemory is what a run may take of a machine, and hostileTime how long.
const (
	hostileMemory = "160M"
	hostileTime   = 60 * time.Second
)

// bounded runs the program with its memory limited by the kernel.
func (m *machine) bounded(t *testing.T, args ...string) report {
	t.Helper()
	began := time.Now()
	argv := append([]string{"systemd-run", "--wait", "--pipe", "--quiet", "--collect", "-p", "MemoryMax=" + hostileMemory, "-p", "MemorySwapMax=0",
		"--", "xrdpfix", "--json"}, args...)
	r, err := m.Run(t.Context(), lab.Cmd{Args: argv})
	if err != nil {
		t.Fatal(err)
	}
	var out report
	if err := json.Unmarshal([]byte(r.Stdout), &out); err != nil {
		t.Errorf("xrdpfix %s: status %d, no JSON object: %v\n%.300s%.300s", strings.Join(args, " "), r.Code, err, r.Stdout, r.Stderr)
	}
	if took := time.Since(began); took > hostileTime {
		t.Errorf("xrdpfix %s: it took %s", strings.Join(args, " "), took)
	}
	return out
}

// ending GROUP: end the processes of a group, and wait until they have written their
// last.
const ending = `ending() { while kill -- -"$1" 2>/dev/null; do sleep 0.05; done; }
`

// TestHostile makes the files of a running machine what they should not be, and
// writes into them while they are read.
func TestHostile(t *testing.T) {
	t.Parallel()
	m := start(t, lab.Bookworm)
	m.Must(t, own+readablePair+"systemctl restart xrdp\n")
	m.listening(t)
	m.Must(t, "cp -a /etc/xrdp /root/xrdp; cp -a /etc/os-release /root/os-release; cp -a /etc/shadow /root/shadow")
	pid := m.Must(t, "pgrep -o -x xrdp")
	for _, row := range []struct {
		name, plant string
		// code is the exit status of check and of apply; -1 where any of ours will do.
		check, apply int
	}{
		{"ini a FIFO", "rm /etc/xrdp/xrdp.ini; mkfifo /etc/xrdp/xrdp.ini", 6, -1},
		{"ini a device", "rm /etc/xrdp/xrdp.ini; mknod /etc/xrdp/xrdp.ini c 1 5", 6, -1},
		{"ini a link to the shadow", "ln -sf /etc/shadow /etc/xrdp/xrdp.ini", 3, 3},
		{"ini of 100 MB", "truncate -s 100M /etc/xrdp/xrdp.ini", -1, -1},
		{"sesman.ini a FIFO", "rm /etc/xrdp/sesman.ini; mkfifo /etc/xrdp/sesman.ini", -1, -1},
		{"certificate a device", "rm -f /etc/xrdp/cert.pem; mknod /etc/xrdp/cert.pem c 1 3", 3, 0},
		{"key a device", "rm -f /etc/xrdp/key.pem; mknod /etc/xrdp/key.pem c 1 5", 3, 0},
		{"key of 100 MB", "rm -f /etc/xrdp/key.pem; truncate -s 100M /etc/xrdp/key.pem; chmod 0640 /etc/xrdp/key.pem", 3, 0},
		{"policy a FIFO", "mkdir -p /etc/xrdpfix; mkfifo /etc/xrdpfix/policy.ini", -1, -1},
		{"os-release a FIFO", "rm /etc/os-release; mkfifo /etc/os-release", -1, -1},
		{"journal a FIFO", "mkdir -p /var/lib/xrdpfix; mv /var/lib/xrdpfix/journal /root/journal 2>/dev/null || true; mkfifo /var/lib/xrdpfix/journal", -1, -1},
		{"log a FIFO", "mv /var/log/xrdp.log /root/log; mkfifo /var/log/xrdp.log", -1, -1},
		{"log of 10 GB", "truncate -s 10G /var/log/xrdp.log", -1, -1},
		{"log without end", `setsid sh -c 'while :; do head -c 1000000 /dev/urandom; done >>/var/log/xrdp.log' >/dev/null 2>&1 </dev/null & echo $! >/root/writer; sleep 0.3`, -1, -1},
		{"log of one line", `setsid sh -c 'head -c 2000000000 /dev/zero | tr "\000" a >>/var/log/xrdp.log' >/dev/null 2>&1 </dev/null & echo $! >/root/writer; sleep 0.3`, -1, -1},
	} {
		m.Must(t, row.plant)
		for i, verb := range []string{"check", "apply"} {
			want := []int{row.check, row.apply}[i]
			began := time.Now()
			r := m.bounded(t, verb)
			t.Logf("%s: %s: status %d after %s", row.name, verb, r.Exit.Code, time.Since(began).Round(time.Millisecond))
			switch {
			case want >= 0 && r.Exit.Code != want, r.Exit.Code == 2, r.Exit.Code == 5 || r.Exit.Code > 7:
				t.Errorf("%s: %s: want status %d: %s", row.name, verb, want, r)
			case r.Exit.Code == 1 && r.Error == nil:
				t.Errorf("%s: %s: no word of why: %s", row.name, verb, r)
			}
			if text := fmt.Sprint(r); strings.Contains(text, "root:") || strings.Contains(text, "$y$") {
				t.Errorf("%s: %s shows what is in the shadow: %s", row.name, verb, text)
			}
		}
		m.Must(t, ending+`[ ! -e /root/writer ] || ending "$(cat /root/writer)"; rm -f /root/writer
rm -rf /etc/xrdp /etc/xrdpfix /var/lib/xrdpfix /etc/os-release; cp -a /root/xrdp /etc/xrdp; cp -a /root/os-release /etc/os-release
if [ -e /root/log ]; then rm /var/log/xrdp.log; mv /root/log /var/log/xrdp.log; else : >/var/log/xrdp.log; fi
cmp /etc/shadow /root/shadow`)
	}
	if now := m.Must(t, "pgrep -o -x xrdp"); now != pid {
		t.Log("xrdp was restarted, while nobody was connected")
	}
	if r := m.xrdpfix(t, "check"); r.Exit.Code != 0 {
		t.Errorf("check, with everything as it was: %s", r)
	}
}

// TestDirectoryOfAnother gives /etc/xrdp to a user, who puts links into it: what is
// behind them is not written, nor opened up, nor shown.
func TestDirectoryOfAnother(t *testing.T) {
	t.Parallel()
	m := start(t, lab.Bookworm)
	m.Must(t, own+readablePair+"systemctl restart xrdp\n")
	m.listening(t)
	m.Must(t, `
install -d -m 0700 /root/theirs; cp -a /etc/xrdp /root/theirs/xrdp; echo secret >/root/theirs/secret; chmod 0600 /root/theirs/secret
chown -R test /etc/xrdp; sysctl -qw fs.protected_hardlinks=0 2>/dev/null || true`)
	state := func() string {
		return m.Must(t, "cd /root/theirs; find . -printf '%p %#m %U:%G %n %l\\n' | sort; find . -type f -exec sha256sum {} + | sort; stat -c '%n %a %U:%G' /etc/shadow; sha256sum /etc/shadow")
	}
	for name, plant := range map[string]string{
		"xrdp.ini a link":      "rm /etc/xrdp/xrdp.ini; runuser -u test -- ln -s /root/theirs/xrdp/xrdp.ini /etc/xrdp/xrdp.ini",
		"tls a link":           "rm -rf /etc/xrdp/tls; runuser -u test -- ln -s /root/theirs /etc/xrdp/tls; rm /etc/xrdp/cert.pem",
		"key a link":           "rm /etc/xrdp/key.pem; runuser -u test -- ln -s /root/theirs/secret /etc/xrdp/key.pem",
		"rsakeys a link":       "rm /etc/xrdp/rsakeys.ini; runuser -u test -- ln -s /etc/shadow /etc/xrdp/rsakeys.ini",
		"sesman.ini a link":    "rm /etc/xrdp/sesman.ini; runuser -u test -- ln -s /root/theirs/secret /etc/xrdp/sesman.ini",
		"rsakeys another name": "rm /etc/xrdp/rsakeys.ini; ln /root/theirs/secret /etc/xrdp/rsakeys.ini",
		"key another name":     "rm /etc/xrdp/key.pem; ln /root/theirs/xrdp/xrdp.ini /etc/xrdp/key.pem",
	} {
		m.Must(t, plant)
		before := state()
		for _, args := range [][]string{{"check", "--verbose"}, {"apply"}, {"apply", "--profile", "modern"}, {"cert", "renew"}, {"rollback"}} {
			r := m.bounded(t, args...)
			if now := state(); now != before {
				t.Errorf("%s: %v changed what is another's:\n%s\n%s", name, args, difference(before, now), r)
			}
			if readable := m.Must(t, "find /etc/xrdp -xdev -type f -exec grep -l '^secret$\\|^root:' {} + | xargs -r stat -c '%n %a %U:%G'"); readable != "" && !strings.HasSuffix(strings.TrimSpace(readable), "600 root:root") {
				t.Errorf("%s: %v made a copy: %s", name, args, readable)
			}
		}
		m.Must(t, "rm -rf /etc/xrdp /var/lib/xrdpfix; cp -a /root/theirs/xrdp /etc/xrdp; chown -R test /etc/xrdp")
	}
}

// forge writes what only xrdp should.
const forge = `while :; do
	d=$(date +%Y%m%d-%H:%M:%S)
	seq 32768 60999 | sed "s/.*/[$d] [INFO ] TLS connection established from ::ffff:127.0.0.1 port &: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384/"
	sleep 1
done >>/var/log/xrdp.log
`

// TestForgedLog lets the daemon's own user write lines that say that a connection
// was established, from every port there is, while the daemon does not answer.
// They prove nothing.
func TestForgedLog(t *testing.T) {
	t.Parallel()
	m := start(t, lab.Bookworm)
	m.Must(t, own+readablePair+"systemctl restart xrdp\n")
	m.listening(t)
	before := m.files(t)
	if err := m.WriteFile(t.Context(), "/opt/forge", []byte(forge), 0o755); err != nil {
		t.Fatal(err)
	}
	m.Must(t, `
for p in $(pgrep -x xrdp); do kill -STOP $p; done
setsid runuser -u xrdp -- sh /opt/forge >/dev/null 2>&1 </dev/null &
echo $! >/root/forger
sleep 0.5`)
	r := m.xrdpfix(t, "apply", "--profile", "modern", "--timeout", "3s", "--restart", "never")
	m.Must(t, ending+`ending "$(cat /root/forger)"; for p in $(pgrep -x xrdp); do kill -CONT $p; done`)
	if r.Exit.Code != 4 || r.Changed || r.Verdict == nil || r.Verdict.Status == "confirmed" {
		t.Errorf("with a forged log and no answer: %s", r)
	}
	if now := m.files(t); now != before {
		t.Errorf("not put back:\n%s", difference(before, now))
	}
	if lines := m.Must(t, "grep -c 'established from' /var/log/xrdp.log"); len(lines) < len("28232\n") {
		t.Errorf("%s forged lines: this shows nothing", lines)
	}
	m.apply(t, "--profile", "modern")
}
