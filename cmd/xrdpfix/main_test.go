package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"xrdpfix/internal/host"
)

// asNobody in the environment makes the program give up root before it begins.
const asNobody = "XRDPFIX_TEST_AS_NOBODY"

// withoutManners in the environment is for tests that are not about the looks.
const withoutManners = "XRDPFIX_TEST_WITHOUT_MANNERS"

// nobody is the user and group that own nothing on any Linux.
const nobody = 65534

// raceOptions in the environment are the race detector's own. A program that is built
// with it sleeps for a second before it exits, lest a goroutine that still runs loses
// its word; the tests run it many hundred times, and goroutines that a command leaves
// behind have said what they have to say in less.
const raceOptions = "GORACE"

func TestMain(m *testing.M) {
	syscall.Umask(0o022) // what a test copies has the modes that it expects
	if err := os.Setenv(raceOptions, os.Getenv(raceOptions)+" atexit_sleep_ms=20"); err != nil {
		fmt.Fprintln(os.Stderr, "harness:", err)
		os.Exit(99)
	}
	testscript.Main(m, map[string]func(){"xrdpfix": program})
}

// program is the real run in a process of its own. It holds what was printed
// against the manners that every command has, so that no script can forget to.
func program() {
	if os.Getenv(asNobody) != "" && os.Geteuid() == 0 {
		if err := dropRoot(); err != nil {
			fmt.Fprintln(os.Stderr, "harness:", err)
			os.Exit(99)
		}
	}
	host.NoCore()
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM) // as main does
	var out, told bytes.Buffer
	code := run(ctx, os.Args[1:], io.MultiWriter(os.Stdout, &out), io.MultiWriter(os.Stderr, &told))
	bad := append(manners(os.Args[1:], out.String(), code), textManners(told.String())...)
	if len(bad) > 0 && os.Getenv(withoutManners) == "" {
		fmt.Fprintf(os.Stderr, "harness: %s\n", strings.Join(bad, "\nharness: "))
		os.Exit(99)
	}
	os.Exit(code)
}

func dropRoot() error {
	if err := syscall.Setgroups(nil); err != nil {
		return err
	}
	if err := syscall.Setgid(nobody); err != nil {
		return err
	}
	return syscall.Setuid(nobody)
}

// manners lists what is wrong with the standard output of one run.
func manners(args []string, out string, code int) []string {
	if out != "" && !strings.HasSuffix(out, "\n") {
		return []string{"the output does not end with a line feed"}
	}
	switch {
	case asksNagios(args):
		return pluginManners(out, code)
	case asksFormat(args, formatPrometheus) && code != 2:
		return metricManners(out)
	case asksFormat(args, formatCSV) && code != 2:
		return csvManners(out)
	case asksFormat(args, formatHTML) && code != 2:
		return htmlManners(out)
	}
	if asksJSON(args) && !slices.ContainsFunc(args, func(a string) bool { return a == "--help" || a == "-h" }) {
		return jsonManners(out, code)
	}
	return textManners(out)
}

// csvManners: as many cells in each row as in the first, and none that a
// spreadsheet takes for a formula.
func csvManners(out string) []string {
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil {
		return []string{err.Error()}
	}
	var bad []string
	for _, cell := range slices.Concat(rows...) {
		if cell != "" && strings.ContainsRune("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20", []rune(cell)[0]) {
			bad = append(bad, fmt.Sprintf("a formula: %q", cell))
		}
	}
	return bad
}

// htmlManners: one whole page that forbids itself to load anything; package
// webpage tests the rest.
func htmlManners(out string) []string {
	if !strings.HasPrefix(out, "<!DOCTYPE html>") || strings.Count(out, "Content-Security-Policy") != 1 || !strings.HasSuffix(out, "</html>\n") {
		return []string{"not one whole page"}
	}
	return nil
}

// jsonManners: one object a line, each by the schema, the last with the exit.
func jsonManners(out string, code int) []string {
	var bad []string
	lines := strings.SplitAfter(out, "\n")
	lines = lines[:len(lines)-1]
	if len(lines) == 0 {
		return []string{"no JSON was printed"}
	}
	for _, line := range lines {
		if err := schemaError([]byte(line)); err != nil {
			bad = append(bad, fmt.Sprintf("not by the schema: %v\n%s", err, line))
		}
	}
	var last struct{ Exit exit }
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || last.Exit.Code != code {
		bad = append(bad, fmt.Sprintf("exit status %d, but the JSON says %d (%v)", code, last.Exit.Code, err))
	}
	return bad
}

// textManners: ASCII, at most 80 columns, no blanks at the end. Diffs are as
// their files are, and paths, commands and other words that cannot be broken
// may stick out.
func textManners(out string) []string {
	var bad []string
	diff := false
	for i, line := range strings.Split(out, "\n") {
		diff = strings.HasPrefix(line, "--- /") || diff && line != ""
		if diff {
			continue
		}
		say := func(what string) { bad = append(bad, fmt.Sprintf("line %d %s: %q", i+1, what, line)) }
		if strings.TrimRight(line, " \t") != line {
			say("ends with blanks")
		}
		if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }) && os.Getenv("XRDPFIX_TEST_NOT_ASCII") == "" {
			say("is not ASCII")
		}
		if len([]rune(line)) > width && !unbreakable(line) {
			say("is too long")
		}
	}
	return bad
}

// unbreakable: the part of a line behind column 80 belongs to a word that began
// before it and is long, or to a command.
func unbreakable(line string) bool {
	trimmed := strings.TrimLeft(strings.TrimPrefix(line, "xrdpfix: hint: "), " ")
	if slices.ContainsFunc([]string{"xrdpfix ", "Next: xrdpfix ", "sudo xrdpfix ", "certbot ", "ls ", "mv ", "chown ", "xrdp-keygen ", "systemctl ", "openssl ", "apt-get ", "diff ", "$ ", "$t = ", "Set-CimInstance ", "reg add "}, func(p string) bool { return strings.HasPrefix(trimmed, p) }) {
		return true
	}
	last := line[strings.LastIndexByte(line, ' ')+1:]
	return len(last) > 20 && len(line)-len(last) < width
}
