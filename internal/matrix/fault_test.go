//go:build lab

package matrix

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"xrdpfix/internal/lab"
)

// kind is what xrdpfix is to make of a fault.
type kind string

const (
	// fixed: apply ends confirmed, a real client connects, a second apply
	// changes nothing, and rollback brings the fault back byte for byte.
	fixed kind = "fixed"
	// manual: apply changes nothing and prints the command; the row runs it, and
	// a real client connects.
	manual kind = "manual"
	// alone: it works, or it is somebody's choice. Apply changes nothing.
	alone kind = "left alone"
	// clientSide: nothing is changed; check names the client, by its address, and
	// what its owner must do, which is done to the real client.
	clientSide kind = "client-side"
	// refused: what was stated is impossible here. Nothing is touched (status 7).
	refused kind = "refused"
)

// A fault is one row of the matrix. It is planted on a server that works, with a
// pair of its own, unless stock says otherwise.
type fault struct {
	name string
	why  string // what people do, in a sentence
	kind kind
	// every runs the row on each suite in the short run too.
	every bool
	// shortOn is the only suite of the short run: more packages are an image more.
	shortOn lab.Suite
	// older runs the row on bullseye too, because OpenSSL matters.
	older bool
	// not says why the fault cannot exist on a suite.
	not map[lab.Suite]string
	// stock leaves the pair as the package made it.
	stock bool
	// pair is put into /etc/xrdp/cert.pem and key.pem in place of the good one.
	pair *pairSpec
	// plant is a script run inside, with the functions of prelude.
	plant string
	// down says that nothing listens afterwards.
	down bool
	opts []func(*lab.Options)
	// packages are more Debian packages of the host, by suite.
	packages func(lab.Suite) []string

	// across has the client come from outside, over an interface and from an
	// address of its own.
	across bool
	// earlier is a connection of the client that must succeed before the fault is
	// planted.
	earlier []string
	// noise are programs that connect after it is, by whatever happens to them: %h
	// is the server.
	noise [][]string

	client []string // arguments of FreeRDP 2; /sec:tls where empty
	new    bool     // FreeRDP 3 instead
	before string   // how the client fares; negotiation-failed where empty
	// beforeOn is that of suites where it differs.
	beforeOn map[lab.Suite]string
	codes    string // the findings of check, errors and warnings, in their order
	// codesOn are those of suites where they differ.
	codesOn map[lab.Suite]string

	flags []string // of plan and apply; without them apply must change nothing then
	plan  string   // see plan.String; %any where the row does not say
	// planOn is that of suites where it differs.
	planOn map[lab.Suite]string
	// run is the command that a manual row runs; what apply prints where empty.
	run string
	// runs has the commands of the first finding run on a row that is left alone;
	// what is left then is left.
	runs bool
	// says is what the finding of a row of the client's side tells its owner to do.
	says string
	// logged is the cause that xrdp.log alone tells, where check knows better.
	logged string
	// after are the arguments of the client afterwards, where they differ: %f is
	// the SHA-256 fingerprint that check printed.
	after    []string
	left     string // the findings that are left
	accepted string // TLS versions that sslscan sees afterwards
	then     string // a script that must succeed afterwards
	// stays: rollback does not bring the failure back (a daemon that was started).
	stays bool
}

// faults is the table, the most common ones first.
func faults() []fault {
	return slices.Concat(guideFaults, pairFaults, iniFaults, tlsFaults, daemonFaults, aroundFaults, clientFaults)
}

// all asks for every row on every suite.
func all() bool { return os.Getenv("XRDPFIX_ALL") != "" }

// suites are the ones on which a row runs: one of them, a different one for each
// row, in the short run.
func (f fault) suites(i int) []lab.Suite {
	can := lab.Suites()
	if f.older {
		can = append(can, lab.Bullseye)
	}
	can = slices.DeleteFunc(can, func(s lab.Suite) bool { return f.not[s] != "" })
	switch {
	case all() || len(can) == 0:
		return can
	case f.every:
		return slices.DeleteFunc(can, func(s lab.Suite) bool { return s == lab.Bullseye })
	case f.shortOn != "":
		return []lab.Suite{f.shortOn}
	}
	return can[i%len(can) : i%len(can)+1]
}

// TestFaultMatrix runs the rows and prints what became of each.
func TestFaultMatrix(t *testing.T) {
	var done results
	began := time.Now()
	t.Run("row", func(t *testing.T) {
		for i, f := range faults() {
			for _, s := range f.suites(i) {
				t.Run(f.name+"/"+string(s), func(t *testing.T) {
					t.Parallel()
					r := &result{fault: f, suite: s}
					defer done.add(t, r)
					f.test(t, s, r)
				})
			}
		}
	})
	done.report(t, began)
}

// prelude are functions for the scripts of the rows.
const prelude = `
cd /etc/xrdp
ini() { # KEY VALUE: set the first line of the key, or add it to [Globals]
	if grep -q "^$1=" xrdp.ini; then sed -i "0,/^$1=/s|^$1=.*|$1=$2|" xrdp.ini
	else sed -i "/^\[Globals\]/a $1=$2" xrdp.ini; fi; }
drop() { sed -i "0,/^$1=/{/^$1=/d}" xrdp.ini; } # KEY: delete its first line
sesman() { sed -i "/^\[$1\]/a $2" sesman.ini; } # SECTION LINE: add it there
restart() { systemctl restart xrdp; }
up() { for i in $(seq 300); do ss -Hltn | grep -q ':3389 ' && return; sleep 0.1; done; return 1; } # wait for the port
`

// usable gives the server a pair of its own that its daemon can read.
const usable = `
rm -f cert.pem key.pem
cat >cert.pem </run/matrix/cert.pem
install -o root -g xrdp -m 0640 /run/matrix/key.pem key.pem
`

// test runs one row on a fresh host.
func (f fault) test(t *testing.T, s lab.Suite, r *result) {
	opts := slices.Clone(f.opts)
	if f.across {
		opts = append(opts, lab.WithVeth)
	}
	if f.packages != nil {
		opts = append(opts, lab.WithPackages(f.packages(s)...))
	}
	m := start(t, s, opts...)
	r.versions = m.Image.Versions
	f.prepare(t, m)
	if !f.down {
		m.listening(t)
	}
	want := f.before
	if want == "" {
		want = "negotiation-failed"
	}
	if w, ok := f.beforeOn[s]; ok {
		want = w
	}
	r.before = f.connect(t, m, f.client).Name
	if r.before != want {
		t.Errorf("before: FreeRDP says %s, want %s", r.before, want)
	}
	manifest := m.manifest(t)
	check := m.xrdpfix(t, append([]string{"check"}, policyOf(f.flags)...)...)
	codes := f.codes
	if c, ok := f.codesOn[s]; ok {
		codes = c
	}
	r.codes = check.codes()
	if r.codes != codes {
		t.Errorf("check raised %q, want %q: %s", r.codes, codes, check)
	}
	p := m.xrdpfix(t, append([]string{"plan"}, f.flags...)...)
	r.plan = p.Plan.String()
	if now := m.manifest(t); now != manifest {
		t.Errorf("check or plan changed something:\n%s", difference(manifest, now))
	}
	switch f.kind {
	case fixed:
		f.fixes(t, m, r, p, manifest)
	case manual:
		f.waits(t, m, r, manifest)
	case alone:
		f.spares(t, m, r, p)
	case clientSide:
		f.helps(t, m, r, check, p)
	case refused:
		f.refuses(t, m, r, p)
	}
	if f.accepted != "" && f.kind != fixed {
		f.scan(t, m)
	}
}

// scan lets sslscan tell the versions.
func (f fault) scan(t *testing.T, m *machine) {
	t.Helper()
	if got := m.accepted(t); got != f.accepted {
		t.Errorf("sslscan sees %q accepted, want %q", got, f.accepted)
	}
}

// prepare makes the server and plants the fault.
func (f fault) prepare(t *testing.T, m *machine) {
	t.Helper()
	script := prelude
	if f.stock {
		script += own
	} else {
		m.putPair(t, f.pair)
		script += usable
	}
	if len(f.earlier) > 0 {
		m.Must(t, script)
		script = prelude
		if got := f.connect(t, m, f.earlier); !got.OK() {
			t.Fatalf("before the fault is planted: FreeRDP says %s\n%s", got.Name, got.Output)
		}
	}
	m.Must(t, script+f.plant)
	for _, argv := range f.noise {
		m.noise(t, argv)
	}
}

// policyOf leaves out the flags that check does not have.
func policyOf(flags []string) []string {
	var out []string
	for i := 0; i < len(flags); i++ {
		switch flags[i] {
		case "--restart":
			i++
		case "--in-place", "--no-rollback":
		default:
			out = append(out, flags[i])
		}
	}
	return out
}

// connect runs the row's client.
func (f fault) connect(t *testing.T, m *machine, args []string) lab.ClientResult {
	t.Helper()
	if len(args) == 0 {
		args = []string{"/sec:tls"}
	}
	run := lab.FreeRDP
	switch {
	case f.new && f.across:
		run = lab.FreeRDP3Across
	case f.new:
		run = lab.FreeRDP3
	case f.across:
		run = lab.FreeRDPAcross
	}
	r, err := run(t.Context(), m.Host, args...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// fixes walks the way of a fault that apply mends.
func (f fault) fixes(t *testing.T, m *machine, r *result, p report, manifest string) {
	t.Helper()
	want := f.plan
	if w, ok := f.planOn[r.suite]; ok {
		want = w
	}
	if !p.Changed || p.Exit.Code != 3 || want != "%any" && r.plan != want {
		t.Errorf("plan is %q, want %q: %s", r.plan, want, p)
	}
	if len(f.flags) > 0 {
		m.applyNothing(t)
	}
	a := m.apply(t, f.flags...)
	if f.then != "" {
		m.Must(t, prelude+f.then)
	}
	f.connects(t, m, r)
	flags := f.flags
	if slices.Contains(flags, "renew") {
		flags = nil // asked for a new one again, it makes one again
	}
	if again := m.applyNothing(t, flags...); again.Exit.Code != 0 || again.codes() != f.left {
		t.Errorf("the second apply says %s, want no error and %q left", again, f.left)
	}
	if f.accepted != "" {
		f.scan(t, m)
	}
	f.returns(t, m, r, a, manifest)
}

// returns rolls back and expects the fault to be there again.
func (f fault) returns(t *testing.T, m *machine, r *result, a report, manifest string) {
	t.Helper()
	if back := m.xrdpfix(t, "rollback"); back.Exit.Code != 0 || !back.Changed {
		t.Errorf("rollback of %s: %s", a.Journal, back)
	}
	if now := m.manifest(t); now != manifest {
		t.Errorf("rollback left a difference:\n%s", difference(manifest, now))
	}
	if f.stays {
		return
	}
	if got := f.connect(t, m, f.client); got.Name != r.before {
		t.Errorf("after rollback: FreeRDP says %s, before it said %s", got.Name, r.before)
	}
}

// connects expects the client in.
func (f fault) connects(t *testing.T, m *machine, r *result) {
	t.Helper()
	args := f.client
	if len(f.after) > 0 {
		args = f.after
	}
	got := f.connect(t, m, args)
	if r.after = got.Name; !got.OK() {
		t.Errorf("afterwards: FreeRDP says %s\n%s", got.Name, got.Output)
	}
}

// waits walks the way of a fault that only a human can mend.
func (f fault) waits(t *testing.T, m *machine, r *result, manifest string) {
	t.Helper()
	a := m.applyNothing(t, f.flags...)
	if a.Exit.Code != 3 || a.Exit.Reason != "manual" {
		t.Errorf("apply says %s, want status 3 (manual)", a)
	}
	if now := m.manifest(t); now != manifest {
		t.Errorf("apply changed something:\n%s", difference(manifest, now))
	}
	var printed []string
	for _, x := range a.Plan.Manual {
		if strings.Contains(f.codes, x.Because) && len(printed) == 0 {
			printed = x.Commands
		}
	}
	r.plan = "prints: " + strings.Join(printed, "; ")
	run := f.run
	if run == "" {
		run = strings.Join(printed, "\n")
	} else if !strings.Contains(strings.Join(printed, "\n"), strings.TrimSpace(f.run)) {
		t.Errorf("apply prints %q, not %q", printed, f.run)
	}
	m.Must(t, prelude+run)
	m.listening(t)
	if f.then != "" {
		m.Must(t, prelude+f.then)
	}
	f.connects(t, m, r)
	if now := m.xrdpfix(t, "check"); now.codes() != f.left || now.Exit.Code != 0 {
		t.Errorf("after the command, check says %s, want no error and %q", now, f.left)
	}
}

// spares expects that nothing is touched.
func (f fault) spares(t *testing.T, m *machine, r *result, p report) {
	t.Helper()
	if p.Changed || p.Exit.Code != 0 {
		t.Errorf("plan: %s", p)
	}
	if a := m.applyNothing(t, f.flags...); a.Exit.Code != 0 {
		t.Errorf("apply: %s", a)
	}
	if f.then != "" {
		m.Must(t, prelude+f.then)
	}
	r.after = f.connect(t, m, f.client).Name
	if r.after != r.before {
		t.Errorf("afterwards: FreeRDP says %s, before it said %s", r.after, r.before)
	}
	if f.runs {
		f.obeys(t, m, r)
	}
}

// obeys runs what check prints for its first warning, and expects it to help.
func (f fault) obeys(t *testing.T, m *machine, r *result) {
	t.Helper()
	var commands []string
	for _, x := range m.xrdpfix(t, "check").Findings {
		if x.Severity != "info" && len(commands) == 0 {
			commands = x.Commands
		}
	}
	if len(commands) == 0 {
		t.Fatal("check prints no command")
	}
	r.plan = "prints: " + strings.Join(commands, "; ")
	// diff says by its status that there is a difference.
	m.Must(t, prelude+"diff() { command diff \"$@\" || test $? = 1; }\n"+strings.Join(commands, "\n"))
	m.listening(t)
	if now := m.xrdpfix(t, "check"); now.codes() != f.left || now.Exit.Code != 0 {
		t.Errorf("after the command, check says %s, want no error and %q", now, f.left)
	}
	f.connects(t, m, r)
}
