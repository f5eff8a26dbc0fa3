package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// flagGroup is a part of a command's help.
type flagGroup struct {
	title string
	flags []string
	// needs is the flag without which a command has none of the group.
	needs string
}

// of returns the flags of the group that a command shows.
func (g flagGroup) of(cmd *cobra.Command) []string {
	if g.needs != "" && cmd.Flag(g.needs) == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(g.flags), func(name string) bool {
		f := cmd.Flag(name)
		return f == nil || f.Hidden
	})
}

// flagGroups are the parts of help, and the order of flags in each.
var flagGroups = []flagGroup{
	{title: "What you want", flags: []string{"security-layer", "tls-min", "tls-max", "profile", "for", "cert", "renew-before", "warn-days", "ignore", "clients", "facts"}},
	{title: "How far it may go", flags: []string{"dry-run", "restart", "confirm-within", "no-rollback", "in-place", "force", "prune"}},
	{title: "The certificate", flags: []string{"name", "key", "days", "if-due", "pkcs12", "passphrase-file", "from-acme-hook"}},
	{title: "Waiting for a client", flags: []string{"wait-client", "from"}, needs: "wait-client"},
	{title: "Which servers", flags: []string{"from", "range", "all-addresses"}, needs: "range"},
	{title: "How many at once, and how long", flags: []string{"parallel", "rate", "connect-timeout", "stage-timeout"}},
	{title: "What is asked and shown", flags: []string{"ntlm", "full", "profiles"}},
	{title: "For monitoring", flags: []string{"crit-days", "fail-on", "textfile"}},
	{title: "Which connections", flags: []string{"since", "until", "client", "journal", "failed", "all", "follow"}},
	{title: "The other side", flags: []string{"server", "user", "out"}},
	{title: "What is kept", flags: []string{"save-facts", "redact"}},
	{title: "Everywhere", flags: []string{"json", "output", "quiet", "verbose", "root", "timeout", "help", "version"}},
}

// help prints one sentence, examples, details, flags by group, exit status.
func (a *app) help(cmd *cobra.Command) {
	var p page
	p.para(cmd.Short + ".")
	if cmd.Example != "" {
		p.blank()
		p.b.WriteString(cmd.Example + "\n")
	}
	p.blank()
	p.linef("Usage: %s", usageLine(cmd))
	if cmd.Long != "" {
		p.blank()
		p.para(unwrap(cmd.Long))
	}
	commands := cmd.Commands()
	if cmd.HasAvailableSubCommands() {
		p.blank()
		p.linef("Commands:")
		for _, c := range commands {
			if c.IsAvailableCommand() {
				p.block(13, "  "+c.Name(), c.Short)
			}
		}
	}
	for _, g := range flagGroups {
		showFlags(&p, cmd, g)
	}
	p.blank()
	p.b.WriteString(exitStatusHelp())
	_ = p.writeTo(a.out) // nobody is left to be told
}

func usageLine(cmd *cobra.Command) string {
	s := cmd.UseLine()
	if cmd.HasAvailableSubCommands() {
		s = strings.TrimSuffix(s, " [flags]") + " [command] [flags]"
	}
	return s
}

// flagWidth is the column of the descriptions.
const flagWidth = 30

func showFlags(p *page, cmd *cobra.Command, g flagGroup) {
	first := true
	for _, name := range g.of(cmd) {
		f := cmd.Flag(name)
		if first {
			p.blank()
			p.linef("%s:", g.title)
			first = false
		}
		label := "      --" + name
		if f.Shorthand != "" {
			label = "  -" + f.Shorthand + ", --" + name
		}
		usage, value := flagText(name, f.Usage, f.DefValue)
		if value != "" {
			label += " " + value
		}
		p.block(flagWidth, label, unwrap(usage))
	}
}

// flagText is what a flag does, with its default, and the name of its value.
func flagText(name, usage, def string) (text, value string) {
	text, value = unquote(usage)
	if name == "help" {
		text = "this text"
	}
	if def != "" && def != "false" && def != "[]" && def != "0" {
		text += fmt.Sprintf(" (default %s)", def)
	}
	return text, value
}

// unquote finds the name of a flag's value in its usage, between backquotes.
func unquote(usage string) (text, value string) {
	before, rest, found := strings.Cut(usage, "`")
	value, after, closed := strings.Cut(rest, "`")
	if !found || !closed {
		return usage, ""
	}
	return before + value + after, value
}

// unwrap joins the lines of each paragraph.
func unwrap(text string) string {
	paragraphs := strings.Split(text, "\n\n")
	for i, p := range paragraphs {
		paragraphs[i] = strings.ReplaceAll(p, "\n", " ")
	}
	return strings.Join(paragraphs, "\n\n")
}

// newHelp replaces cobra's own, which takes an unknown topic for a success.
func newHelp(a *app) *cobra.Command {
	return &cobra.Command{
		Use:               "help [COMMAND]",
		Short:             "What a command does, its flags and its exit status",
		Example:           `  xrdpfix help apply`,
		ValidArgsFunction: commandCompletion,
		RunE: func(cmd *cobra.Command, args []string) error {
			topic, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return fail(2, reasonUsage, fmt.Errorf("no command %q", strings.Join(args, " ")), "xrdpfix --help")
			}
			topic.InitDefaultHelpFlag()
			a.help(topic)
			return nil
		},
	}
}

// noArgs refuses arguments, naming the first and the command that was meant:
// cobra's own says neither.
func noArgs(cmd *cobra.Command, args []string) error { return atMost(0)(cmd, args) }

// atMost refuses more than n arguments.
func atMost(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) <= n {
			return nil
		}
		if !cmd.HasAvailableSubCommands() {
			return usagef("unknown argument %q for %s", args[n], cmd.CommandPath())
		}
		var hints []string
		for _, s := range cmd.SuggestionsFor(args[n]) {
			hints = append(hints, cmd.CommandPath()+" "+s)
		}
		return fail(2, reasonUsage, fmt.Errorf("unknown command %q for %s", args[n], cmd.CommandPath()),
			append(hints, cmd.CommandPath()+" --help")...)
	}
}
