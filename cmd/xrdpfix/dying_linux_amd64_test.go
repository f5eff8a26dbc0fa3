package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"

	"xrdpfix/internal/fatal"
)

func init() { scriptCmds["dies"] = cmdDies }

// dying is one run of the program that is ended or hindered at each of its calls
// that change something.
type dying struct {
	ts       *testscript.TestScript
	old, dir string // a tree as it was, and the one to work on
	args     []string
	again    []string // what completes it
	before   []string // the two states that are whole
	after    []string
}

// cmdDies runs the program on copies of a tree, once for each system call that
// changes something: killed instead of that call, and with that call failing, once
// or from then on. What it leaves is old or new, or its journal says that it is
// unfinished; check says so; the next apply completes it. dies TREE ARGS...
func cmdDies(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: dies TREE ARGS...")
	}
	d := dying{ts: ts, old: ts.MkAbs(args[0]), dir: ts.MkAbs("dying"), args: args[1:], again: args[1:]}
	if args[1] == "rollback" {
		d.again = []string{"apply", "--tls-min", "1.0", "--tls-max", "1.3"}
	}
	d.before = d.state(d.old)
	d.fresh()
	calls := d.run(func(fatal.Call) fatal.Fate { return fatal.Fate{} })
	d.after = d.state(d.dir)
	if slices.Equal(d.before, d.after) || calls < 20 {
		ts.Fatalf("%v changed nothing, in %d calls", args[1:], calls)
	}
	d.each(calls)
}

// each tries the calls: all of them in the long run, in the short one every tenth
// with one fate and its neighbours with others.
func (d *dying) each(calls int) {
	const stride = 10
	long := os.Getenv("XRDPFIX_ALL") != ""
	deaths, failures, left := 0, 0, 0
	for n := 1; n <= calls; n++ {
		if long || n%stride == 1 {
			deaths++
			left += d.try(fmt.Sprintf("killed at call %d", n), func(c fatal.Call) fatal.Fate { return fatal.Fate{Kill: c.N == n} })
		}
		for i, e := range []syscall.Errno{syscall.ENOSPC, syscall.EROFS, syscall.EIO, syscall.EACCES} {
			if long || n%(4*stride) == i*stride+2 {
				failures++
				d.try(fmt.Sprintf("call %d fails with %v", n, e), func(c fatal.Call) fatal.Fate { return fateIf(c.N == n, e) })
			}
			if long || n%(4*stride) == i*stride+4 {
				failures++
				d.try(fmt.Sprintf("all fails with %v from call %d on", e, n), func(c fatal.Call) fatal.Fate { return fateIf(c.N >= n, e) })
			}
		}
	}
	ts := d.ts
	if left == 0 {
		ts.Fatalf("no death left anything to complete")
	}
	ts.Logf("xrdpfix %s: %d system calls, %d deaths (%d left something to complete), %d failures", strings.Join(d.args, " "), calls, deaths, left, failures)
}

func fateIf(hit bool, e syscall.Errno) fatal.Fate {
	if hit {
		return fatal.Fate{Errno: e}
	}
	return fatal.Fate{}
}

// fresh makes the tree to work on a copy of the old one.
func (d *dying) fresh() {
	d.ts.Check(os.RemoveAll(d.dir))
	out, err := exec.Command("cp", "-a", d.old, d.dir).CombinedOutput()
	if err != nil {
		d.ts.Fatalf("%v\n%s", err, out)
	}
}

// run is the program in a process of its own, held at each call.
func (d *dying) run(at func(fatal.Call) fatal.Fate) (calls int) {
	self, err := os.Executable()
	d.ts.Check(err)
	out, err := os.Create(d.ts.MkAbs("dying.out"))
	d.ts.Check(err)
	defer func() { _ = out.Close() }()
	cmd := &exec.Cmd{Path: self, Args: append([]string{"xrdpfix", "--root", d.dir}, d.args...), Stdout: out, Stderr: out, Env: []string{"TZ=UTC", "XRDPFIX_TEST_SCHEMA=" + schemaFile, raceOptions + "=" + os.Getenv(raceOptions)}}
	status, calls, err := fatal.Run(cmd, at)
	text, _ := os.ReadFile(out.Name())
	switch {
	case err != nil:
		d.ts.Fatalf("%v", err)
	case bytes.Contains(text, []byte("goroutine ")), status.Exited() && status.ExitStatus() == 99:
		d.ts.Fatalf("status %d\n%s", status.ExitStatus(), text)
	case status.Exited() && status.ExitStatus() != 0 && !bytes.Contains(text, []byte("\nxrdpfix: hint: ")) && !bytes.Contains(text, []byte("(exit ")):
		d.ts.Fatalf("status %d, and it does not say why\n%s", status.ExitStatus(), text)
	}
	return calls
}

// try is one run with a fate. It tells whether it left something to complete.
func (d *dying) try(what string, at func(fatal.Call) fatal.Fate) (left int) {
	d.fresh()
	last := ""
	d.run(func(c fatal.Call) fatal.Fate {
		f := at(c)
		if f != (fatal.Fate{}) && last == "" {
			last = c.Name
		}
		return f
	})
	what += " (" + last + ")"
	now := d.state(d.dir)
	for _, line := range now {
		// A directory is made narrow, and then given its mode.
		made := strings.Replace(line, " drwx------ ", " drwxr-xr-x ", 1)
		if !slices.Contains(d.before, line) && !slices.Contains(d.after, line) && !slices.Contains(d.after, made) {
			d.ts.Fatalf("%s: neither old nor new: %s", what, line)
		}
	}
	journals := ""
	names, _ := filepath.Glob(filepath.Join(d.dir, "var/lib/xrdpfix/journal/*/journal.json"))
	for _, name := range names {
		journals += d.ts.ReadFile(name)
	}
	unfinished := regexp.MustCompile(`"state": "(begun|undoing)"`).MatchString(journals)
	if !unfinished && !slices.Equal(now, d.before) && !slices.Equal(now, d.after) {
		d.ts.Fatalf("%s: a mixture, and no journal says so:\n%s", what, strings.Join(now, "\n"))
	}
	_, check := d.inProcess("check", "--json")
	if strings.Contains(check, `"apply-unfinished"`) != unfinished {
		d.ts.Fatalf("%s: unfinished %t, and check says\n%s", what, unfinished, check)
	}
	code, out := d.inProcess(d.again...)
	want := d.after
	if d.args[0] == "rollback" {
		want = d.before
	}
	if code != 0 || !slices.Equal(d.state(d.dir), want) {
		d.ts.Fatalf("%s: the next apply: status %d\n%s\n%s", what, code, out, strings.Join(d.state(d.dir), "\n"))
	}
	if litter, err := exec.Command("find", d.dir, "-name", ".xrdpfix-*").Output(); err != nil || len(litter) > 0 {
		d.ts.Fatalf("%s: left behind: %s (%v)", what, litter, err)
	}
	if unfinished {
		left = 1
	}
	return left
}

// inProcess is a run that nothing befalls.
func (d *dying) inProcess(args ...string) (int, string) {
	var out, errOut bytes.Buffer
	code := run(d.ts.Value(contextKey{}).(context.Context), append([]string{"--root", d.dir}, args...), &out, &errOut)
	return code, out.String() + errOut.String()
}

// state is a line for each file of a tree, but for the journals and for what a
// death may leave beside a file. The name of a pair differs from apply to apply.
func (d *dying) state(dir string) []string {
	stamp := regexp.MustCompile(`[0-9]{8}T[0-9]{6}Z`)
	var lines []string
	d.ts.Check(filepath.WalkDir(filepath.Join(dir, "etc"), func(name string, e fs.DirEntry, err error) error {
		if err != nil || strings.HasPrefix(e.Name(), ".xrdpfix-") {
			return err
		}
		info, err := os.Lstat(name)
		if err != nil {
			return err
		}
		sys := info.Sys().(*syscall.Stat_t)
		line := fmt.Sprintf("%s %v %d:%d", stamp.ReplaceAllString(strings.TrimPrefix(name, dir), "*"), info.Mode(), sys.Uid, sys.Gid)
		if info.Mode().IsRegular() {
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			line += fmt.Sprintf(" %x", sha256.Sum256(stamp.ReplaceAll(data, []byte("*"))))
		}
		lines = append(lines, line)
		return nil
	}))
	slices.Sort(lines)
	return lines
}
