//go:build lab

package matrix

import (
	"os"
	"slices"
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
	// long leaves the row out of the short run: another one is much like it.
	long bool
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
	case f.long:
		return nil
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
up() { for i in $(seq 1200); do ss -Hltn | grep -q ":${1:-3389} " && return; sleep 0.1; done; return 1; } # [PORT]: wait for it
over() { for i in $(seq 1200); do case $(systemctl is-active "$1") in failed|inactive) return;; esac; sleep 0.1; done; return 1; } # UNIT: wait for its end
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
