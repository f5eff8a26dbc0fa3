//go:build lab

package matrix

import (
	"context"
	"math/rand/v2"
	"path"
	"regexp"
	"strings"
	"testing"
	"time"

	"xrdpfix/internal/lab"
)

// unreadable takes the key from the daemon, as stock Debian does in one way or
// another, whatever this suite's archive does today.
const unreadable = `
cat /etc/xrdp/key.pem >/root/key.pem
rm /etc/xrdp/key.pem
install -m 0600 /root/key.pem /etc/xrdp/key.pem
`

// killed is a change that is interrupted: the flags of its apply, and what the
// machine is like once it is whole.
type killed struct {
	flags []string
	took  [2]time.Duration // of an apply, and of a rollback, that nobody interrupts
	whole string
}

// TestKill kills apply and rollback at random moments. What is left is the old
// state or the new one, check says so where it is neither, and the next apply
// completes.
func TestKill(t *testing.T) {
	kills := 10
	if all() {
		kills = 100
	}
	for _, s := range []lab.Suite{lab.Bookworm, lab.Sid} {
		t.Run(string(s), func(t *testing.T) {
			t.Parallel()
			m := start(t, s)
			m.Must(t, own+unreadable+floor)
			m.listening(t)
			if r := m.tls(t); r.OK() {
				t.Fatal("the planted fault is none: FreeRDP connects")
			}
			old := m.files(t)
			changes := []*killed{{}, {flags: []string{"--tls-min", "1.0", "--tls-max", "1.3"}}}
			for _, c := range changes {
				c.measure(t, m, old)
			}
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			random := rand.New(rand.NewPCG(seed, 0))
			tally := map[string]int{}
			for n := range kills {
				// First its apply from the old state, then its rollback from the new one.
				c := changes[n/2%len(changes)]
				verb, took := "apply", c.took[n%2]
				if n%2 == 1 {
					verb = "rollback"
				}
				after := time.Duration(random.Int64N(int64(took + took/10)))
				tally[m.kill(t, c, verb, after, old)]++
				if t.Failed() {
					t.Fatalf("kill %d: %s %s after %s", n, verb, strings.Join(c.flags, " "), after)
				}
				if n%2 == 1 {
					m.back(t, old)
				}
			}
			t.Logf("%s: %d kills: %v", s, kills, tally)
		})
	}
}

// measure makes the change and takes it back once.
func (c *killed) measure(t *testing.T, m *machine, old string) {
	t.Helper()
	began := time.Now()
	m.apply(t, c.flags...)
	c.took[0] = time.Since(began)
	c.whole = m.files(t)
	began = time.Now()
	m.back(t, old)
	c.took[1] = time.Since(began)
}

// back rolls back and expects the old state, to the byte.
func (m *machine) back(t *testing.T, old string) {
	t.Helper()
	if r := m.xrdpfix(t, "rollback"); r.Exit.Code != 0 {
		t.Fatalf("rollback: %s", r)
	}
	if now := m.files(t); now != old {
		t.Fatalf("rollback left a difference:\n%s", difference(old, now))
	}
}

// kill interrupts one run, looks at what it left, and lets the next apply
// complete it. It tells where the run was hit.
func (m *machine) kill(t *testing.T, c *killed, verb string, after time.Duration, old string) string {
	t.Helper()
	args := []string{"xrdpfix", verb}
	if verb == "apply" {
		args = append(args, c.flags...)
	}
	ctx, cancel := context.WithTimeout(t.Context(), after)
	_, err := m.Run(ctx, lab.Cmd{Args: args})
	cancel()
	hit := verb + " before or after"
	if err == nil {
		hit = verb + " ended"
	}
	now := m.files(t)
	for line := range strings.Lines(now) {
		if !strings.Contains(old, line) && !strings.Contains(c.whole, line) {
			t.Errorf("neither old nor new: %s", line)
		}
	}
	if why := m.half(t); why != "" {
		t.Errorf("half a state: %s", why)
	}
	unfinished := m.Must(t, `grep -lE '"state": "(begun|undoing)"' /var/lib/xrdpfix/journal/*/journal.json || true`) != ""
	if unfinished {
		hit = verb + " in the middle"
	}
	if now != old && now != c.whole && !unfinished {
		t.Errorf("a mixture, and no journal says so:\n%s", difference(old, now))
	}
	if r := m.xrdpfix(t, "check"); strings.Contains(r.codes(), "apply-unfinished") != unfinished {
		t.Errorf("journal unfinished: %t, and check says %s", unfinished, r)
	}
	r := m.xrdpfix(t, append([]string{"apply"}, c.flags...)...)
	if r.Exit.Code != 0 {
		t.Errorf("the next apply: %s", r)
	}
	if now := m.files(t); now != c.whole {
		t.Errorf("the next apply left a difference:\n%s", difference(c.whole, now))
	}
	if r := m.tls(t); !r.OK() {
		t.Errorf("after the next apply FreeRDP says %s\n%s", r.Name, r.Output)
	}
	m.tidy(t)
	return hit
}

// ownName is the part of a pair's path that differs from apply to apply.
var ownName = regexp.MustCompile(`/etc/xrdp/tls/[0-9]{8}T[0-9]{6}Z/`)

// files is manifest with the names of pairs made equal, and without what a kill
// may leave beside a file.
func (m *machine) files(t *testing.T) string {
	t.Helper()
	return m.Must(t, `
list() { find /etc/xrdp /etc/systemd/system \( -path '/etc/xrdp/tls' -o -name '.xrdpfix-*.tmp' \) -prune -o "$@"; find /etc/xrdp/tls/openssl.cnf "$@" 2>/dev/null || true; }
list -printf '%p %y %#m %U:%G %l\n' | sort
list -type f -print | sort | while read -r f; do echo "$f $(sed -E 's,`+ownName.String()+`,*/,' "$f" | sha256sum)"; done
`)
}

// half says what is wrong with the pair that xrdp.ini names, beyond the planted
// fault; "" for nothing.
func (m *machine) half(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(m.Must(t, `
value() { sed -n "s/^$1=//p" /etc/xrdp/xrdp.ini | head -n 1; }
cert=$(value certificate) key=$(value key_file)
cert=${cert:-/etc/xrdp/cert.pem} key=${key:-/etc/xrdp/key.pem}
[ "$(openssl x509 -in "$cert" -noout -pubkey)" = "$(openssl pkey -in "$key" -pubout)" ] || echo "$cert and $key are no pair"
case $key in
/etc/xrdp/tls/*)
	runuser -u xrdp -- test -r "$key" || echo "the daemon cannot read $key"
	[ "$(stat -c '%a %U:%G' "$key")" = '640 root:xrdp' ] || echo "$key is $(stat -c '%a %U:%G' "$key")" ;;
esac`))
}

// tidy fails where a killed run has left something that no later one removed.
func (m *machine) tidy(t *testing.T) {
	t.Helper()
	left := m.Must(t, `find /etc /run -name '.xrdpfix-*' -o -name 'xrdpfix-keygen-*' 2>/dev/null || true
find /var/lib/xrdpfix -name '.xrdpfix-*' || true
for d in /var/lib/xrdpfix/journal/*/; do [ -e "$d/journal.json" ] || echo "$d without a journal"; done`)
	if left != "" {
		t.Errorf("left behind:\n%s", left)
	}
}

// traced is a system call of the trace that makes or secures a change.
type traced struct {
	call, line string
	// temp and name are the two names of a rename; name is what an fsync is of.
	temp, name string
}

var (
	renameCall = regexp.MustCompile(`renameat2?\(\d+<([^>]*)>, "([^"]*)", \d+<([^>]*)>, "([^"]*)"`)
	fsyncCall  = regexp.MustCompile(`fsync\(\d+<([^>]*)>\)`)
	writeCall  = regexp.MustCompile(`pwrite64\(\d+<([^>]*)>`)
	otherCall  = regexp.MustCompile(`(?:mkdirat|unlinkat)\(\d+<([^>]*)>, "([^"]*)"`)
)

// TestDurable traces an apply: each file is on disk before it gets its name, its
// directory is afterwards and before the next change, and the journal comes
// before the first change of the machine.
func TestDurable(t *testing.T) {
	m := start(t, lab.Bookworm, lab.WithPackages("strace"))
	m.Must(t, own+unreadable+floor)
	m.listening(t)
	m.Must(t, "strace -f -y -o /root/trace -e trace=/renameat2?,fsync,pwrite64,mkdirat,unlinkat xrdpfix apply --tls-min 1.0 --tls-max 1.3")
	data, err := m.ReadFile(t.Context(), "/root/trace")
	if err != nil {
		t.Fatal(err)
	}
	var calls []traced
	for line := range strings.Lines(string(data)) {
		c := traced{line: strings.TrimSpace(line)}
		if f := renameCall.FindStringSubmatch(line); f != nil {
			c.call, c.temp, c.name = "rename", path.Join(f[1], f[2]), path.Join(f[3], f[4])
		} else if f := fsyncCall.FindStringSubmatch(line); f != nil {
			c.call, c.name = "fsync", f[1]
		} else if f := writeCall.FindStringSubmatch(line); f != nil {
			c.call, c.name = "write", f[1]
		} else if f := otherCall.FindStringSubmatch(line); f != nil {
			c.call, c.name = "change", path.Join(f[1], f[2])
		}
		if strings.Contains(c.name, "/etc/") || strings.Contains(c.name, "/var/lib/xrdpfix") {
			calls = append(calls, c)
		}
	}
	renames, journal := 0, false
	for i, c := range calls {
		if c.call == "rename" && path.Base(c.name) == "journal.json" {
			journal = true
		}
		if c.call != "rename" {
			if c.call == "change" && strings.Contains(c.name, "/etc/") && !journal {
				t.Errorf("before the journal: %s", c.line)
			}
			continue
		}
		renames++
		if strings.Contains(c.name, "/etc/") && !journal {
			t.Errorf("before the journal: %s", c.line)
		}
		last := ""
		for _, b := range calls[:i] {
			if b.name == c.temp {
				last = b.call
			}
		}
		if last != "fsync" {
			t.Errorf("%s gets its name, and the last that was done to it is %q", c.name, last)
		}
		if i+1 == len(calls) || calls[i+1].call != "fsync" || calls[i+1].name != path.Dir(c.name) {
			t.Errorf("%s has its name, and its directory is not synced next", c.name)
		}
	}
	if renames < 8 || !journal {
		t.Errorf("the trace shows %d renames, the journal among them: %t", renames, journal)
		for _, c := range calls {
			t.Log(c.line)
		}
	}
	t.Logf("%d renames in %d calls", renames, len(calls))
}
