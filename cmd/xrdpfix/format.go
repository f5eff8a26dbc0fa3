package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// The output formats. Every command has text and JSON.
const (
	formatText = "text"
	formatJSON = "json"
	formatHTML = "html"
	formatCSV  = "csv"
)

// formatsKey is the annotation with the formats that a command has beside those.
const formatsKey = "formats"

// offer gives a command output formats beside text and JSON: its own --output,
// which takes the place of the one of every command, lists them in help, in the
// man page and in completions, and checkGlobals lets them pass. It is called
// once for a command; a.global.output tells which format was asked for.
func (a *app) offer(cmd *cobra.Command, more ...string) {
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[formatsKey] = strings.Join(more, " ")
	cmd.Flags().StringVarP(&a.global.output, "output", "o", formatText, formatUsage(cmd))
}

// formats are the output formats of a command.
func formats(cmd *cobra.Command) []string {
	return append([]string{formatText, formatJSON}, strings.Fields(cmd.Annotations[formatsKey])...)
}

func formatUsage(cmd *cobra.Command) string { return "output `FORMAT`: " + orList(formats(cmd)) }

// checkFormat refuses a format that the command does not have.
func (a *app) checkFormat(cmd *cobra.Command) error {
	have := formats(cmd)
	switch {
	case a.global.json && cmd.Flags().Changed("output") && a.global.output != formatJSON:
		return usagef("--json and --output %s contradict each other", a.global.output)
	case slices.Contains(have, a.global.output):
		return nil
	}
	return usagef("--output %s is not %s", a.global.output, orList(have))
}

// orList is "a", "a or b", "a, b or c".
func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

func (a *app) jsonOutput() bool { return a.global.json || a.global.output == formatJSON }

// asksJSON looks for --json where the flags could not be parsed.
func asksJSON(args []string) bool {
	for _, arg := range args {
		switch arg {
		case "--":
			return false
		case "--json", "--json=true":
			return true
		}
		if asksFormat(args, formatJSON) {
			return true
		}
	}
	return false
}

// asksFormat looks for --output FORMAT where the flags could not be parsed.
func asksFormat(args []string, format string) bool {
	for i, arg := range args {
		switch arg {
		case "--":
			return false
		case "--output=" + format, "-o" + format, "-o=" + format:
			return true
		case "--output", "-o":
			if i+1 < len(args) && args[i+1] == format {
				return true
			}
		}
	}
	return false
}
