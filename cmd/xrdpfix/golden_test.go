package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xrdpfix/diagnose"
	"xrdpfix/repair"
)

var update = flag.Bool("update", false, "write testdata/golden anew")

// factFiles are what check --save-facts wrote on real servers.
func factFiles(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(testdata, "facts", "*.json"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no facts: %v", err)
	}
	return names
}

// golden compares a page with the one on file, and holds its manners.
func golden(t *testing.T, name, page string) {
	t.Helper()
	for _, bad := range textManners(page) {
		t.Errorf("%s: %s", name, bad)
	}
	file := filepath.Join(testdata, "golden", name)
	if *update {
		if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	if page != string(want) {
		t.Errorf("%s differs (go test -update writes it anew):\n%s\nwant\n%s", name, page, want)
	}
}

// inUTC makes the pages independent of where the tests run.
func inUTC(t *testing.T) {
	t.Helper()
	old := time.Local
	time.Local = time.UTC
	t.Cleanup(func() { time.Local = old })
}

// TestGoldenPages: what check and plan say about real servers.
func TestGoldenPages(t *testing.T) {
	inUTC(t)
	pages := map[string][]string{
		"check":   {"check"},
		"verbose": {"check", "--verbose"},
		"plan":    {"plan"},
		"modern":  {"plan", "--profile", "modern", "--security-layer", "tls"},
		"clients": {"plan", "--profile", "modern", "--security-layer", "tls", "--clients"},
	}
	for _, facts := range factFiles(t) {
		for page, args := range pages {
			args = append(args, "--facts", facts)
			name := strings.TrimSuffix(filepath.Base(facts), ".json") + "." + page
			var out, errOut bytes.Buffer
			code := run(t.Context(), args, &out, &errOut)
			if errOut.Len() > 0 || code != 0 && code != 3 {
				t.Errorf("%s: status %d\n%s", name, code, errOut.String())
			}
			golden(t, name+".txt", out.String())

			// The same as JSON: the schema, and the same status.
			var doc bytes.Buffer
			if again := run(t.Context(), append(args, "--json"), &doc, &errOut); again != code {
				t.Errorf("%s: status %d, with --json %d", name, code, again)
			}
			if bad := jsonManners(doc.String(), code); len(bad) > 0 {
				t.Errorf("%s --json: %s", name, strings.Join(bad, "\n"))
			}
		}
	}
}

// readLook judges saved facts.
func readLook(t *testing.T, name string, w wish) *look {
	t.Helper()
	f, err := readFacts(filepath.Join(testdata, "facts", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	w.replay = &f
	l, err := (&app{}).look(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestGoldenOutcomes: what apply says, put together from the facts of a broken
// server and of the same one after a repair.
func TestGoldenOutcomes(t *testing.T) {
	inUTC(t)
	broken, fixed := readLook(t, "bookworm-stock", plain), readLook(t, "bookworm-fixed", plain)
	out := func(change func(*repair.Outcome)) repair.Outcome {
		o := repair.Outcome{
			Plan: broken.plan, Journal: broken.plan.ID, Changed: true, Elapsed: 3600 * time.Millisecond, PortBack: 2100 * time.Millisecond,
			Seen:        repair.Observation{Wire: fixed.facts.Wire.Value, Own: fixed.facts.Log.Own},
			Verdict:     repair.Verdict{Status: repair.Confirmed, Reasons: []string{}},
			Certificate: &fixed.facts.Pair.Value.Cert,
		}
		o.Plan.Expect.CertSHA256 = o.Certificate.SHA256
		change(&o)
		return o
	}
	before := repair.Observation{Wire: broken.facts.Wire.Value, Own: broken.facts.Log.Own}
	for name, o := range map[string]repair.Outcome{
		"apply-confirmed": out(func(*repair.Outcome) {}),
		"apply-refuted": out(func(o *repair.Outcome) {
			o.Seen, o.RolledBack, o.Restored, o.Changed, o.Certificate = before, true, &before, false, nil
			o.Verdict = repair.Judge(o.Plan.Expect, before)
		}),
		"apply-kept": out(func(o *repair.Outcome) {
			o.Verdict = repair.Verdict{Status: repair.Unknown, Reasons: []string{"xrdp.log has no line of our own connection from port 50308"}}
		}),
		"apply-stopped": out(func(o *repair.Outcome) {
			o.Problem, o.RolledBack, o.Restored, o.Changed = "restart xrdp: the job ended as \"failed\"", true, &before, false
			o.Verdict = repair.Verdict{Status: repair.Unknown, Reasons: []string{o.Problem}}
			o.PortBack = 0
		}),
		"apply-down": out(func(o *repair.Outcome) {
			o.Problem, o.RolledBack, o.Restored, o.Changed = "restart xrdp: the job ended as \"failed\"", true, &repair.Observation{}, false
			o.Verdict = repair.Verdict{Status: repair.Unknown, Reasons: []string{o.Problem}}
			o.PortBack, o.NotUp = 0, o.Problem
		}),
		"apply-temporary": out(func(o *repair.Outcome) {
			o.Plan.Deadline = &repair.Deadline{Kind: repair.DeadlineTemporary, At: broken.facts.Taken.Add(14 * day), Window: 14 * day}
		}),
		"apply-unconfirmed": out(func(o *repair.Outcome) {
			o.Plan.Deadline = &repair.Deadline{Kind: repair.DeadlineConfirm, At: broken.facts.Taken.Add(10 * time.Minute), Window: 10 * time.Minute}
		}),
		"apply-interrupted": out(func(o *repair.Outcome) {
			o.Interrupted, o.RolledBack, o.Changed = true, true, false
			o.Problem = context.Canceled.Error()
		}),
	} {
		var page, doc, errOut bytes.Buffer
		a := &app{out: &page, errOut: &errOut, now: func() time.Time { return broken.facts.Taken }, command: "apply", quit: applyExit(broken, o)}
		if err := a.printOutcome(broken, o); err != nil {
			t.Fatal(err)
		}
		golden(t, name+".txt", page.String())
		a.out, a.global.json = &doc, true
		if err := a.printOutcome(broken, o); err != nil {
			t.Fatal(err)
		}
		if bad := jsonManners(doc.String(), a.quit.Code); len(bad) > 0 {
			t.Errorf("%s --json: %s", name, strings.Join(bad, "\n"))
		}
		// A failure is told even where nothing else is.
		page.Reset()
		a.out, a.global.json, a.global.quiet = &page, false, true
		if err := a.printOutcome(broken, o); err != nil || page.Len() > 0 || (errOut.Len() > 0) != (a.quit.Code != 0) {
			t.Errorf("%s --quiet: status %d, %v\n%s%s", name, a.quit.Code, err, page.String(), errOut.String())
		}
	}
}

// TestGoldenRefusal: an apply that would cost somebody his desktop.
func TestGoldenRefusal(t *testing.T) {
	inUTC(t)
	l := readLook(t, "trixie-port", plain)
	if l.plan.Refusal == nil || len(l.plan.Disturbs) != 1 {
		t.Fatalf("refusal %+v, disturbs %+v", l.plan.Refusal, l.plan.Disturbs)
	}
	var page, doc bytes.Buffer
	a := &app{out: &doc, errOut: &page, now: func() time.Time { return l.facts.Taken }, command: "apply"}
	if err := a.refused(l, " --profile legacy"); err != nil {
		t.Fatal(err)
	}
	golden(t, "apply-refused.txt", page.String())
	a.global.json = true
	if err := a.refused(l, ""); err != nil {
		t.Fatal(err)
	}
	if bad := jsonManners(doc.String(), 7); len(bad) > 0 {
		t.Errorf("--json: %s", strings.Join(bad, "\n"))
	}
}

// TestGoldenRefusals: an xrdp that must not be started, one that could not be, and a
// file system that nobody can write to.
func TestGoldenRefusals(t *testing.T) {
	inUTC(t)
	never := plain
	never.policy.Restart = repair.RestartNever
	stopped := readLook(t, "bookworm-stopped", never)
	f, err := readFacts(filepath.Join(testdata, "facts", "bookworm-stock.json"))
	if err != nil {
		t.Fatal(err)
	}
	f.Config.Value.Obstacle = "the file system is read-only"
	fixed := plain
	fixed.replay = &f
	readOnly, err := (&app{}).look(t.Context(), fixed)
	if err != nil {
		t.Fatal(err)
	}
	noLog, err := readFacts(filepath.Join(testdata, "facts", "bookworm-stopped.json"))
	if err != nil {
		t.Fatal(err)
	}
	noLog.Log.DaemonCanWrite, noLog.Log.StartCanWrite = false, false
	fixed.replay = &noLog
	blocked, err := (&app{}).look(t.Context(), fixed)
	if err != nil {
		t.Fatal(err)
	}
	for name, l := range map[string]*look{"apply-refused-start": stopped, "apply-refused-read-only": readOnly, "apply-refused-blocked": blocked} {
		if l.plan.Refusal == nil {
			t.Fatalf("%s: no refusal", name)
		}
		var page bytes.Buffer
		a := &app{errOut: &page, now: func() time.Time { return l.facts.Taken }, command: "apply"}
		if err := a.refused(l, ""); err != nil || a.quit.Code != 7 {
			t.Fatalf("%s: %v, exit %d", name, err, a.quit.Code)
		}
		golden(t, name+".txt", page.String())
	}
}

// TestGoldenRollback: what rollback says, on the server that is broken again.
func TestGoldenRollback(t *testing.T) {
	inUTC(t)
	l := readLook(t, "bookworm-stock", plain)
	var page bytes.Buffer
	a := &app{out: &page, now: func() time.Time { return l.facts.Taken }}
	err := a.printUndone(l, repair.Undone{
		Journal: repair.Journal{ID: "20261122T152440Z"}, Kept: "/etc/xrdp/tls/20261122T152440Z",
		Files: []string{diagnose.DropInPath, diagnose.ConfigPath},
	})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "rollback.txt", page.String())
	page.Reset()
	a.quit = exit{5, reasonXrdpDown}
	if err := a.printUndone(l, repair.Undone{
		Journal: repair.Journal{ID: "20261122T152440Z"}, Files: []string{diagnose.ConfigPath}, Restarted: true,
		NotUp: "restart xrdp: start xrdp.service: the job ended as \"failed\"",
	}); err != nil {
		t.Fatal(err)
	}
	golden(t, "rollback-down.txt", page.String())
}

// TestReportForms: the text of a fleet is on file, and all forms tell of each host.
func TestReportForms(t *testing.T) {
	inUTC(t)
	var files []string
	for _, name := range []string{"bookworm-clients", "bookworm-fixed", "bookworm-stock", "trixie-port", "sid-tls-only"} {
		files = append(files, filepath.Join(testdata, "facts", name+".json"))
	}
	report := func(format string) string {
		t.Helper()
		var out, errOut bytes.Buffer
		a := &app{out: &out, errOut: &errOut, now: func() time.Time { return time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC) }}
		a.global.output = format
		if err := a.reportHosts(t.Context(), append(files, "golden_test.go"), diagnose.DefaultWarnDays); err != nil || errOut.Len() > 0 || a.quit.Code != 3 {
			t.Fatalf("%s: status %d, %v\n%s", format, a.quit.Code, err, errOut.String())
		}
		for _, bad := range manners([]string{"report", "--output", format}, out.String(), a.quit.Code) {
			t.Errorf("%s: %s", format, bad)
		}
		for _, f := range files {
			if name := "desk01 (" + filepath.Base(f) + ")"; !strings.Contains(out.String(), name) {
				t.Errorf("%s does not tell of %s", format, name)
			}
		}
		return out.String()
	}
	golden(t, "report.txt", report(formatText))
	for _, format := range []string{formatJSON, formatCSV, formatHTML} {
		report(format)
	}
}

// TestGoldenFilesAreUsed: a page that nobody compares any more is deleted.
func TestGoldenFilesAreUsed(t *testing.T) {
	files, err := os.ReadDir(filepath.Join(testdata, "golden"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(f.Name(), ".txt")
		if base, page, isPage := strings.Cut(name, "."); isPage {
			_, err := os.Stat(filepath.Join(testdata, "facts", base+".json"))
			if errors.Is(err, os.ErrNotExist) || page == "" {
				t.Errorf("%s has no facts", f.Name())
			}
			continue
		}
		source, err := os.ReadFile("golden_test.go")
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(source, []byte(`"`+name)) {
			t.Errorf("%s is compared by no test", f.Name())
		}
	}
}
