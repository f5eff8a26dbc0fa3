package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"xrdpfix/explain"
	"xrdpfix/logwatch"
)

// commandError says what is wrong with a command line of ours: no such command,
// no such flag, arguments that it does not take.
func commandError(line string) error {
	words := strings.Fields(line)
	if len(words) == 0 || words[0] != "xrdpfix" {
		return errors.New("is no command of ours")
	}
	a := &app{}
	root := newRoot(a)
	cmd, rest, err := root.Find(words[1:])
	if err != nil {
		return err
	}
	cmd.InitDefaultHelpFlag()
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	if cmd == root && len(cmd.Flags().Args()) > 0 {
		return fmt.Errorf("unknown command %q", cmd.Flags().Arg(0))
	}
	if help, _ := cmd.Flags().GetBool("help"); help {
		return nil
	}
	return cmd.ValidateArgs(cmd.Flags().Args())
}

func TestCommandErrorCanFail(t *testing.T) {
	for line, good := range map[string]bool{
		"xrdpfix check":                    true,
		"xrdpfix apply --profile modern":   true,
		"xrdpfix apply --help":             true,
		"xrdpfix cert show":                true,
		"xrdpfix probe HOST":               true,
		"xrdpfix mend":                     false,
		"xrdpfix apply --no-such-flag":     false,
		"xrdpfix check something":          false,
		"xrdpfix cert shwo":                false,
		"systemctl restart xrdp":           false,
		"xrdpfix apply --confirm-within":   false,
		"xrdpfix explain any words at all": true,
	} {
		if err := commandError(line); (err == nil) != good {
			t.Errorf("%q: %v, want good %t", line, err, good)
		}
	}
}

// otherPrograms are the programs and places, besides xrdpfix, that a step may
// name.
var otherPrograms = []string{
	"timedatectl", "ss", "apt-get", "dnf", "chmod", "diff", "journalctl", "systemctl", "getent", "grep", // on the server
	"xfreerdp", "remmina", // clients
	"mstsc", "rdpsign", "certlm.msc", "gpedit.msc", "gpupdate", "gpresult", "reg", // Windows
	"Test-NetConnection", "Get-TlsCipherSuite", "$t", "Set-CimInstance", "Restart-Service", // PowerShell
	"enablecredsspsupport:i:0", "enablerdsaadauth:i:0", // lines of an .rdp file
	"System", // Settings of macOS
}

// TestStepsExist: whatever explain has somebody type exists, flags included.
func TestStepsExist(t *testing.T) {
	check := func(id string, steps []explain.Step) {
		for _, s := range steps {
			first, _, _ := strings.Cut(s.Line, " ")
			if first != "xrdpfix" {
				if !slices.Contains(otherPrograms, first) {
					t.Errorf("%s: what is %q?", id, s.Line)
				}
				continue
			}
			if err := commandError(s.Line); err != nil {
				t.Errorf("%s: %s: %v", id, s.Line, err)
			}
		}
	}
	entries := explain.All()
	for _, r := range logwatch.Rules() {
		for _, m := range explain.Find(r.ID).Matches {
			entries = append(entries, m.Entry)
		}
	}
	for _, e := range entries {
		check(e.ID, e.Find)
		check(e.ID, e.Mend)
		// Where a step explains more, there is more.
		for _, s := range append(slices.Clone(e.Find), e.Mend...) {
			if more, ok := strings.CutPrefix(s.Line, "xrdpfix explain "); ok && len(explain.Find(more).Matches) == 0 {
				t.Errorf("%s: %s explains nothing", e.ID, s.Line)
			}
		}
	}
	for i, s := range explain.Guide() {
		check(fmt.Sprintf("guide, step %d", i+1), s.Instead)
	}
}

// TestExplanationsAreWellMannered prints every entry.
func TestExplanationsAreWellMannered(t *testing.T) {
	for _, e := range explain.All() {
		var p page
		showMatch(&p, e.ID, explain.Match{Entry: e, Heard: e.ID})
		for _, bad := range textManners(p.b.String()) {
			t.Errorf("%s: %s", e.ID, bad)
		}
	}
}

func TestExplainCompletes(t *testing.T) {
	all, directive := explainCompletion(nil, nil, "")
	if directive != cobra.ShellCompDirectiveNoFileComp || len(all) != len(explain.All()) {
		t.Errorf("%d completions, directive %d", len(all), directive)
	}
}
