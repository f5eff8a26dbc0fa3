package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"xrdpfix/certs"
	"xrdpfix/internal/rdptest"
)

// testdata as an absolute path: a script has a directory of its own.
var testdata, _ = filepath.Abs("testdata")

// scriptCmds are the commands that scripts have besides testscript's own.
var scriptCmds = map[string]func(*testscript.TestScript, bool, []string){
	"tree": cmdTree, "exits": cmdExits, "nobody": cmdNobody, "pair": cmdPair, "keymarks": cmdKeyMarks, "rdp": cmdRDP,
	"manifest": cmdManifest, "now": cmdNow, "set": cmdSet,
}

// contextKey finds the context of the test among the values of a script.
type contextKey struct{}

// TestScripts runs every script of testdata/script: the real run, in processes
// of their own, on offline trees.
func TestScripts(t *testing.T) {
	work := t.TempDir()
	// The one who is nobody must be able to get there.
	for dir := work; dir != "/" && dir != os.TempDir(); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		WorkdirRoot:         work,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("TZ", "UTC")
			env.Setenv("XRDPFIX_TEST_SCHEMA", schemaFile)
			env.Setenv("FACTS", filepath.Join(testdata, "facts"))
			env.Setenv("XRDPFIX_TEST_POLICY", filepath.Join(testdata, "../../../packaging/etc/xrdpfix/policy.ini"))
			env.Setenv("LANG", "C.UTF-8")
			env.Setenv(raceOptions, os.Getenv(raceOptions))
			env.Values[contextKey{}] = t.Context()
			return os.Chmod(env.WorkDir, 0o755)
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "root":
				return os.Geteuid() == 0, nil
			case "dies":
				return scriptCmds["dies"] != nil, nil
			}
			return false, errors.New("unknown condition")
		},
		Cmds: scriptCmds,
	})
}

// cmdExits runs a program and demands its exit status: exits 3 xrdpfix check.
func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARGS...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := status(ts, ts.Exec(args[1], args[2:]...))
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

func status(ts *testscript.TestScript, err error) int {
	var ended *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &ended):
		return ended.ExitCode()
	}
	ts.Fatalf("%v", err)
	return -1
}

// cmdNobody is exits for a user who owns nothing. Who runs the tests without
// being root is such a user already.
func cmdNobody(ts *testscript.TestScript, neg bool, args []string) {
	ts.Setenv(asNobody, "1")
	defer ts.Setenv(asNobody, "")
	cmdExits(ts, neg, args)
}

// cmdTree makes the offline tree of a healthy machine out of testdata/tree and
// a new pair: tree DIR.
func cmdTree(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: tree DIR")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.CopyFS(dir, os.DirFS(filepath.Join(testdata, "tree"))))
	// Who is not root can make a key readable for one daemon only: himself.
	uid, gid := os.Getuid(), os.Getgid()
	if uid == 0 {
		uid, gid = 105, 107
	}
	for file, old := range map[string]string{"etc/passwd": "@XRDP@", "etc/group": "@GROUP@"} {
		name := filepath.Join(dir, file)
		data, err := os.ReadFile(name)
		ts.Check(err)
		is := strconv.Itoa(gid)
		if file == "etc/passwd" {
			is = strconv.Itoa(uid) + ":" + is
		}
		ts.Check(os.WriteFile(name, bytes.ReplaceAll(data, []byte(old), []byte(is)), 0o644))
	}
	cmdPair(ts, false, []string{filepath.Join(args[0], "etc/xrdp")})
}

// cmdPair makes a pair: pair DIR [days N] [name NAME].
func cmdPair(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: pair DIR [days N] [name NAME]")
	}
	r := certs.Request{DNSNames: []string{"desk01"}, CommonName: "desk01", Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.10")}, Lifetime: certs.DefaultLifetime, Key: certs.ECDSAP256}
	made := time.Now().Add(-time.Hour)
	for i := 1; i < len(args); i++ {
		switch args[i] {
		case "days": // until then; negative: since then
			n, err := strconv.Atoi(args[i+1])
			ts.Check(err)
			r.Lifetime = 400 * day
			made = time.Now().Add(time.Duration(n)*day + time.Hour - r.Lifetime)
			i++
		case "name":
			r.DNSNames, r.CommonName = []string{args[i+1]}, args[i+1]
			i++
		default:
			ts.Fatalf("pair: what is %s?", args[i])
		}
	}
	cert, key, err := certs.SelfSigned(rand.Reader, made, r)
	ts.Check(err)
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	ts.Check(os.WriteFile(filepath.Join(dir, "cert.pem"), cert, 0o644))
	name := filepath.Join(dir, "key.pem")
	ts.Check(os.RemoveAll(name))
	ts.Check(os.WriteFile(name, key, 0o440))
	if os.Getuid() == 0 {
		ts.Check(os.Chown(name, 0, 107))
	}
}

// cmdKeyMarks writes the lines of a key to a file, one a line, to be looked for
// wherever they must not be: keymarks KEY FILE. With ! it demands that FILE has
// none of them.
func cmdKeyMarks(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: [!] keymarks KEY FILE...")
	}
	key, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	for _, name := range args[1:] {
		text := []byte(ts.ReadFile(name))
		found := false
		for _, line := range bytes.Split(key, []byte("\n")) {
			if len(line) > 16 && !bytes.HasPrefix(line, []byte("-----")) {
				// Half a line of it would be too much as well.
				found = found || bytes.Contains(text, line[:16]) || bytes.Contains(text, line[len(line)-16:])
			}
		}
		if found == neg {
			ts.Fatalf("%s has lines of the key: %t", name, found)
		}
	}
}

// cmdRDP starts a server and puts its address into a variable: rdp VAR KIND.
func cmdRDP(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: rdp VARIABLE KIND")
	}
	kinds := map[string]rdptest.Config{
		"tls":     {},
		"classic": {Reply: func(uint32, bool) rdptest.Reply { return rdptest.Reply{Protocol: rdptest.RDP} }},
		"both": {Reply: func(requested uint32, _ bool) rdptest.Reply {
			return rdptest.Reply{Protocol: requested & rdptest.SSL}
		}},
		"nla": {Reply: func(requested uint32, _ bool) rdptest.Reply {
			if requested&rdptest.Hybrid != 0 {
				return rdptest.Reply{Protocol: rdptest.Hybrid}
			}
			return rdptest.Reply{Failure: 5}
		}, CredSSP: rdptest.Challenge(rdptest.Names{Computer: "SRV1", Domain: "CORP", DNSComputer: "srv1.corp.example", Major: 10, Build: 20348})},
		"broken-tls": {Fault: rdptest.PlainDisconnect, FaultAt: rdptest.AtTLS},
		"cut-off":    {Fault: rdptest.Reset, FaultAt: rdptest.AtTLS},
		"ssh":        {Fault: rdptest.Garbage, FaultAt: rdptest.AtConfirm},
		"silent":     {Fault: rdptest.Stall, FaultAt: rdptest.AtConfirm},
		"hangs-up":   {Fault: rdptest.Close, FaultAt: rdptest.AtConfirm},
	}
	config, ok := kinds[args[1]]
	if !ok {
		ts.Fatalf("rdp: what is %s?", args[1])
	}
	ts.Setenv(args[0], rdptest.Start(scriptTB{ts: ts}, config).Addr)
}

// scriptTB lets a script own what is made for a test. Only what rdptest uses is
// there.
type scriptTB struct {
	testing.TB
	ts *testscript.TestScript
}

func (scriptTB) Helper()                             {}
func (s scriptTB) Fatalf(format string, args ...any) { s.ts.Fatalf(format, args...) }
func (s scriptTB) Cleanup(f func())                  { s.ts.Defer(f) }

// cmdManifest writes path, kind, mode, owner, time and contents of everything in
// a tree to a file: manifest TREE FILE.
func cmdManifest(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: manifest TREE FILE")
	}
	out, err := exec.Command("sh", "-c", `cd "$1" && find . -path ./var/lib -prune -o -printf '%p %y %#m %U:%G %T@ %l\n' | sort && find . -path ./var/lib -prune -o -type f -exec sha256sum {} + | sort -k2`,
		"sh", ts.MkAbs(args[0])).Output()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), out, 0o644))
}

// cmdNow replaces @DATE@ and @DATE10@ in a log by today, in the format of xrdp
// 0.9 and 0.10: now FILE.
func cmdNow(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: now FILE")
	}
	at := time.Now().UTC().Add(-2 * time.Hour)
	text := ts.ReadFile(args[0])
	text = strings.ReplaceAll(text, "@DATE@", at.Format("20060102-15"))
	text = strings.ReplaceAll(text, "@DATE10@", at.Format("2006-01-02T15"))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o644))
}

// cmdSet edits a file of the tree as a person would: set FILE KEY VALUE replaces
// the first line of a key, set FILE KEY deletes it.
func cmdSet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: set FILE KEY [VALUE]")
	}
	name := ts.MkAbs(args[0])
	data, err := os.ReadFile(name)
	ts.Check(err)
	lines := strings.SplitAfter(string(data), "\n")
	for i, line := range lines {
		if !strings.HasPrefix(line, args[1]+"=") {
			continue
		}
		lines[i] = ""
		if len(args) == 3 {
			lines[i] = args[1] + "=" + args[2] + "\n"
		}
		ts.Check(os.WriteFile(name, []byte(strings.Join(lines, "")), 0o644))
		return
	}
	ts.Fatalf("%s has no line %s=", args[0], args[1])
}
