package main

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// alwaysMeant are the flags that no rule names: they mean something beside every other
// flag, or are held against the others where they are read (a range against a profile),
// or what becomes of them is told in the output (a restart in an offline tree).
var alwaysMeant = map[string]string{
	"":             "help json output quiet root timeout version",
	"check":        "ignore output",
	"plan":         "clients confirm-within in-place no-rollback",
	"apply":        "confirm-within dry-run in-place no-rollback resume",
	"rollback":     "force restart unattended",
	"cert renew":   "days if-due in-place key name no-rollback restart",
	"cert request": "key name",
	"cert install": "in-place no-rollback restart",
	"log":          "all client failed journal since until",
	"probe":        "all-addresses connect-timeout from output parallel range rate stage-timeout",
	"report":       "output warn-days",
}

// policyCommands have every setting of the policy as a flag.
var policyCommands = []string{"check", "plan", "apply"}

// ruleNames are the flags that the rules of a command are about.
func ruleNames(command string) []string {
	var names []string
	for _, r := range flagRules[command] {
		name, _, _ := strings.Cut(r.flag, "=")
		names = append(names, name)
	}
	return names
}

// TestEveryFlagHasItsRule: whoever adds a flag says beside which others it would be
// ignored, or that there are none.
func TestEveryFlagHasItsRule(t *testing.T) {
	commands := map[string]bool{"": true}
	for _, c := range everyCommand() {
		name := commandName(c)
		commands[name] = true
		known := slices.Concat(strings.Fields(alwaysMeant[""]), strings.Fields(alwaysMeant[name]), ruleNames(""), ruleNames(name))
		if slices.Contains(policyCommands, name) {
			for _, k := range policyKeys {
				known = append(known, k.name)
			}
		}
		for _, f := range allFlagsOf(c) {
			if !slices.Contains(known, f) && !strings.HasPrefix(name, "completion") {
				t.Errorf("xrdpfix %s --%s: say in flagRules without or beside what it would be ignored, or here that nothing is", name, f)
			}
		}
		for _, f := range slices.Concat(strings.Fields(alwaysMeant[name]), ruleNames(name)) {
			if c.Flag(f) == nil && c.InheritedFlags().Lookup(f) == nil && name != "overview" {
				t.Errorf("xrdpfix %s has no flag --%s", name, f)
			}
		}
	}
	for command := range maps.Keys(flagRules) {
		if !commands[command] {
			t.Errorf("flagRules has %q, which is no command", command)
		}
	}
}

// allFlagsOf are flagsOf, the hidden ones too.
func allFlagsOf(c *cobra.Command) []string {
	names := flagsOf(c)
	for _, hidden := range []string{"unattended", "resume"} {
		if c.Flags().Lookup(hidden) != nil {
			names = append(names, hidden)
		}
	}
	return names
}

// typed types a thing of a rule: what it is on a command line.
func typed(t *testing.T, c *cobra.Command, thing string) (flags, args []string) {
	t.Helper()
	name, value, valued := strings.Cut(thing, "=")
	if name == "args" {
		n, err := strconv.Atoi(value)
		if err != nil {
			t.Fatal(err)
		}
		return nil, slices.Repeat([]string{"windows"}, n)
	}
	f := c.Flag(name)
	switch {
	case f == nil:
		t.Fatalf("%s has no flag --%s", c.CommandPath(), name)
	case valued:
	case name == "root":
		value = t.TempDir()
	case f.Value.Type() == "bool":
		return []string{"--" + name}, nil
	default:
		value = map[string]string{
			"crit-days": "3", "fail-on": "warning", "warn-days": "20", "renew-before": "20", "ignore": "cert-expired", "client": "192.0.2.1",
			"wait-client": "5m", "until": "yesterday", "parallel": "3", "rate": "5", "connect-timeout": "1s", "stage-timeout": "1s",
		}[name]
		if value == "" {
			value = "192.0.2.14"
		}
	}
	return []string{"--" + name + "=" + value}, nil
}

// TestIgnoredFlagsAreRefused runs every rule: a flag alone that needs another, and each
// two that contradict each other. The exit is 2, with one error and a hint, and nothing
// is printed or looked at; what is needed makes it good.
func TestIgnoredFlagsAreRefused(t *testing.T) {
	byName := map[string]*cobra.Command{}
	for _, c := range everyCommand() {
		byName[commandName(c)] = c
	}
	ran := 0
	for command, rules := range flagRules {
		on := []string{command}
		if command == "" {
			on = []string{"check", "plan", "probe", "log", "cert show"}
		}
		for _, r := range rules {
			for _, name := range on {
				beside := r.not
				if len(beside) == 0 {
					beside = []string{""}
				}
				for _, other := range beside {
					ran++
					flags, args := typed(t, byName[name], r.flag)
					if other != "" {
						f, a := typed(t, byName[name], other)
						flags, args = append(flags, f...), append(args, a...)
					}
					need := ""
					if len(r.needs) > 0 && r.hint == "" {
						need = thingText(r.needs[0])
					}
					if name == "report" && len(args) == 0 {
						args = []string{"desk01.json"}
					}
					refusedFlags(t, slices.Concat(strings.Fields(name), flags, args), need)
				}
			}
		}
	}
	if ran < 55 {
		t.Errorf("only %d combinations were tried", ran)
	}
}

func refusedFlags(t *testing.T, line []string, need string) {
	t.Helper()
	var out, errOut bytes.Buffer
	code := run(t.Context(), line, &out, &errOut)
	switch {
	case asksNagios(line):
		if code != 3 || !strings.HasPrefix(out.String(), "XRDPFIX UNKNOWN - ") {
			t.Errorf("%q: status %d\n%s%s", line, code, out.String(), errOut.String())
		}
		return
	case asksJSON(line):
		if code != 2 || !strings.Contains(out.String(), `"reason":"usage"`) {
			t.Errorf("%q: status %d\n%s", line, code, out.String())
		}
		return
	}
	told := errOut.String()
	if code != 2 || out.Len() > 0 || !strings.HasPrefix(told, "xrdpfix: error: --") || strings.Count(told, "xrdpfix: error: ") != 1 ||
		strings.Count(told, "xrdpfix: hint: xrdpfix ") != 1 || !strings.Contains(told, need) {
		t.Errorf("%q: status %d, and the hint has %q?\n%s%s", line, code, need, out.String(), told)
	}
	for _, bad := range textManners(told) {
		t.Errorf("%q: %s", line, bad)
	}
}

// TestNeededFlagsAreEnough: a flag beside what it needs is let through.
func TestNeededFlagsAreEnough(t *testing.T) {
	for command, rules := range flagRules {
		for _, r := range rules {
			for _, need := range r.needs {
				a := &app{}
				root := newRoot(a)
				cmd, _, err := root.Find(strings.Fields(command))
				if err != nil {
					t.Fatal(err)
				}
				flags, _ := typed(t, cmd, r.flag)
				more, args := typed(t, cmd, need)
				if err := cmd.ParseFlags(append(flags, more...)); err != nil {
					t.Fatalf("%s %q: %v", command, append(flags, more...), err)
				}
				if err := a.checkRule(cmd, args, r); err != nil {
					t.Errorf("%s: %s beside %s: %v", command, r.flag, need, err)
				}
			}
		}
	}
}
