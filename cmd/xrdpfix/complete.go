package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"xrdpfix/diagnose"
	"xrdpfix/repair"
)

// completer makes the completions of one kind of word.
type completer = cobra.CompletionFunc

// complete gives every command and flag below cmd its completions: what the
// help text lists is what the shell offers.
func (a *app) complete(cmd *cobra.Command) {
	if cmd.ValidArgsFunction == nil && len(cmd.ValidArgs) == 0 {
		cmd.ValidArgsFunction = a.argCompletion(cmd)
	}
	for _, g := range flagGroups {
		for _, name := range g.flags {
			f := cmd.Flag(name)
			if _, has := cmd.GetFlagCompletionFunc(name); f == nil || has || f.NoOptDefVal != "" {
				continue
			}
			complete := func(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
				return flagCompletion(name, f.Usage)(cmd, args, word)
			}
			_ = cmd.RegisterFlagCompletionFunc(name, complete) // the flag is there, and has none
		}
	}
	for _, below := range cmd.Commands() {
		a.complete(below)
	}
}

// flagCompletion is what can stand behind a flag.
func flagCompletion(name, usage string) completer {
	if words := choices(usage); words != nil {
		return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveKeepOrder)
	}
	_, value := unquote(usage)
	switch value {
	case "DIR":
		return cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs)
	case "FILE", "PATH":
		return cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault)
	case "CODE":
		return codeCompletion
	}
	switch name {
	case "for":
		return someTimes("ever\tuntil somebody changes it", "4h", "14d")
	case "confirm-within":
		return someTimes("10m", "30m", "4h")
	case "since":
		return someTimes("90m", "24h", "7d")
	}
	return cobra.NoFileCompletions
}

// someTimes are examples of what may stand there.
func someTimes(words ...cobra.Completion) completer {
	return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveKeepOrder)
}

// choice is one of the values that a usage text lists: "keep", "auto (for a
// reason)".
var choice = regexp.MustCompile(`^([a-z0-9][a-z0-9.+_-]*)(?: \(([^)]*)\))?$`)

// choices finds the values in a usage text such as "restart xrdp WHEN: auto
// (where needed), always or never"; nil where it lists none.
func choices(usage string) []cobra.Completion {
	_, list, found := strings.Cut(strings.ReplaceAll(usage, "\n", " "), ": ")
	if !found || !strings.Contains(usage, "`") {
		return nil
	}
	var out []cobra.Completion
	for _, item := range splitList(list) {
		m := choice.FindStringSubmatch(item)
		switch {
		case m == nil:
			return nil
		case m[2] == "":
			out = append(out, m[1])
		default:
			out = append(out, cobra.CompletionWithDesc(m[1], m[2]))
		}
	}
	return out
}

// splitList splits "a (x, y), b or c" where no parenthesis is open.
func splitList(list string) []string {
	var out []string
	depth, start := 0, 0
	for i := 0; i < len(list); i++ {
		switch list[i] {
		case '(':
			depth++
		case ')':
			depth--
		}
		for _, sep := range []string{", ", " or "} {
			if depth == 0 && strings.HasPrefix(list[i:], sep) {
				out = append(out, list[start:i])
				start = i + len(sep)
				i = start - 1
				break
			}
		}
	}
	return append(out, list[start:])
}

// argCompletion reads the usage line: "rollback [ID]" takes a journal's id.
func (a *app) argCompletion(cmd *cobra.Command) completer {
	words := argWord.FindAllString(cmd.Use, -1)
	has := func(word string) bool { return slices.Contains(words, word) }
	switch {
	case has("ID"):
		return a.journalCompletion
	case has("CODE"):
		return codeCompletion
	case has("DIR"):
		return cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs)
	case has("FILE"), has("CERT"), has("FACTS"):
		return cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault)
	}
	return cobra.NoFileCompletions
}

// argWord is an argument in a usage line.
var argWord = regexp.MustCompile(`[A-Z]+`)

func codeCompletion(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var out []cobra.Completion
	for _, e := range diagnose.Catalogue() {
		out = append(out, cobra.CompletionWithDesc(string(e.Code), clean(e.Meaning)))
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

func commandCompletion(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	topic, rest, err := cmd.Root().Find(args)
	if err != nil || len(rest) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []cobra.Completion
	for _, c := range topic.Commands() {
		if c.IsAvailableCommand() {
			out = append(out, cobra.CompletionWithDesc(c.Name(), c.Short))
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// journalCompletion offers the applies that the command can act on, as far as
// whoever completes may read them: no word of why not, in the middle of a line.
func (a *app) journalCompletion(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	const directive = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	if len(args) > 0 {
		return nil, directive
	}
	m, err := a.open(a.global.root)
	if err != nil {
		return nil, directive
	}
	defer m.Close()
	list, err := m.Store().List()
	if err != nil {
		return nil, directive
	}
	var out []cobra.Completion
	for _, j := range list {
		if journalFits(cmd.Name(), j) {
			out = append(out, cobra.CompletionWithDesc(j.ID, journalText(j)))
		}
	}
	return out, directive
}

// journalFits: what is undone needs no undoing, what does not wait no confirming.
func journalFits(command string, j repair.Journal) bool {
	switch command {
	case "rollback":
		return j.State != repair.StateRolledBack && j.State != repair.StateDamaged
	case "confirm":
		_, waits := repair.Pending([]repair.Journal{j})
		return waits
	}
	return true
}

func journalText(j repair.Journal) string {
	text := string(j.State)
	for _, c := range j.Because {
		text += " " + string(c)
	}
	return clean(text)
}
