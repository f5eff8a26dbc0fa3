package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"xrdpfix/internal/rdptest"
	"xrdpfix/internal/repotest/documents"
)

// elsewhere are the commands of the documents that this test does not run, by how
// they begin, and why. What a lab host runs is run by TestDocuments of
// internal/matrix.
var elsewhere = map[string]string{
	"xrdpfix apply":         "changes the machine: a lab host runs it",
	"xrdpfix rollback":      "changes the machine: a lab host runs it",
	"xrdpfix confirm":       "changes the machine: a lab host runs it",
	"xrdpfix cert renew":    "changes the machine: a lab host runs it",
	"xrdpfix cert request":  "makes a key: a lab host runs it",
	"xrdpfix probe --range": "asks a whole network; probe-many.txtar does that on the loopback",
	"xrdpfix probe HOST":    "has no host; the same is run with one",
	"systemctl":             "TestUnits of packaging runs the timers",
	"journalctl":            "TestUnits of packaging reads the journal",
	"make":                  "is what the tests are run with",
	"apt":                   "TestDeb of packaging installs the package",
	"ansible-galaxy":        "TestAnsible of packaging installs the collection",
	"dnf":                   "TestRPM of packaging installs the package by rpm",
	"zypper":                "TestRPM of packaging installs the package by rpm",
	"CGO_ENABLED=0 go":      "puts what make builds into another place",
	"install":               "copies a file",
	"xfreerdp":              "the demo and every lab test run it",
	"sed":                   "is quoted, with what it does not do: rows of internal/matrix plant it",
	"rm":                    "is quoted, with what it does: rows of internal/matrix plant it",
	"openssl":               "is quoted, with what it does: rows of internal/matrix plant it",
	"tail":                  "is quoted, with what it does not find",
}

// foreign are documents whose other commands are not for this machine, and why.
var foreign = map[string]string{
	"docs/clients.md": "is what xrdpfix client prints, for the client's side: files, and commands of Windows; the tests of handout judge them",
}

// TestDocumentCommands parses every command of ours in the documents against the
// command tree, and runs those that change nothing.
func TestDocumentCommands(t *testing.T) {
	list, err := documents.Commands("../..")
	if err != nil {
		t.Fatal(err)
	}
	d := newDocTree(t)
	used := map[string]bool{}
	for _, c := range list {
		args, ours := c.Xrdpfix()
		if ours {
			if err := parses(args); err != nil {
				t.Errorf("%s:%d: %s: %v", c.File, c.Line, c, err)
				continue
			}
		}
		begin := ""
		for b := range elsewhere {
			if strings.HasPrefix(c.String(), b) && len(b) > len(begin) {
				begin = b
			}
		}
		switch {
		case !ours && foreign[c.File] != "":
		case begin != "":
			used[begin] = true
		case !ours:
			t.Errorf("%s:%d: %q is run nowhere, and no reason is stated", c.File, c.Line, c)
		default:
			d.run(t, c, args)
		}
	}
	for b := range elsewhere {
		if !used[b] {
			t.Errorf("no document has %q any more", b)
		}
	}
}

// TestExamplesParse holds the examples of --help and of the man pages against the
// command tree. What they print is left out, and so is where that goes.
func TestExamplesParse(t *testing.T) {
	call := regexp.MustCompile(`\bxrdpfix(?: (?:\S| \S)*)?`) // up to the blanks before the comment
	seen := 0
	for _, c := range everyCommand() {
		for line := range strings.Lines(c.Example) {
			text := call.FindString(strings.TrimSpace(line))
			text, _, _ = strings.Cut(text, " >")
			if strings.Contains(line, "'"+text) {
				text = strings.TrimSuffix(text, "'") // a command that another one is given
			}
			words := documents.Split(text)
			if len(words) == 0 {
				t.Errorf("%s: the example %q is no command of ours", c.CommandPath(), line)
				continue
			}
			seen++
			if err := parses(words[1:]); err != nil {
				t.Errorf("%s: the example %q: %v", c.CommandPath(), text, err)
			}
		}
	}
	if seen < 50 {
		t.Errorf("%d examples", seen)
	}
}

// parses holds a command line against the command tree.
func parses(args []string) error {
	root := newRoot(&app{})
	cmd, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	cmd.InitDefaultHelpFlag()
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	return cmd.ValidateArgs(cmd.Flags().Args())
}

// docTree is what the documents' commands are run on.
type docTree struct{ root, hosts, server string }

func newDocTree(t *testing.T) *docTree {
	t.Helper()
	d := &docTree{root: filepath.Join(t.TempDir(), "tree"), server: rdptest.Start(t, rdptest.Config{}).Addr}
	if err := os.CopyFS(d.root, os.DirFS(filepath.Join(testdata, "tree"))); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"etc/passwd", "etc/group"} {
		name := filepath.Join(d.root, file)
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text = bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("@XRDP@"), []byte("105:107")), []byte("@GROUP@"), []byte("107"))
		if err := os.WriteFile(name, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	d.hosts = filepath.Join(t.TempDir(), "hosts.txt")
	if err := os.WriteFile(d.hosts, []byte(d.server+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return d
}

// run runs a command on the tree, or against a server of the test. Any answer is
// fine, but for wrong usage and a fault of ours.
func (d *docTree) run(t *testing.T, c documents.Command, args []string) {
	t.Helper()
	var out, errOut bytes.Buffer
	words := slices.Clone(args)
	for i, w := range words {
		switch w {
		case "DIR":
			words[i] = d.root
		case "hosts.txt":
			words[i] = d.hosts
		case "127.0.0.1", "desk01", "desk02", "desk01.example.org":
			words[i] = d.server
		case "/tmp/xrdpfix.prom":
			words[i] = filepath.Join(t.TempDir(), "xrdpfix.prom")
		}
	}
	onTree := !slices.Contains(args, "--root") && (len(words) == 0 || !slices.Contains([]string{"probe", "explain", "client", "version", "help", "report"}, words[0]))
	if onTree {
		words = append([]string{"--root", d.root}, words...)
	}
	code := run(t.Context(), words, &out, &errOut)
	nagios := asksNagios(words)
	if !slices.Contains([]int{0, 3, 6}, code) && !nagios || nagios && (code > 3 || !strings.HasPrefix(out.String(), "XRDPFIX ")) || errOut.Len() > 0 && code != 3 {
		t.Errorf("%s:%d: %s: status %d\n%s%s", c.File, c.Line, c, code, out.String(), errOut.String())
	}
}
