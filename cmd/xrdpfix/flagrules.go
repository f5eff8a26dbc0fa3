package main

import (
	"cmp"
	"errors"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"xrdpfix/internal/plaintext"
)

// flagRule says where a flag would be ignored: nothing that somebody states is passed
// over in silence.
type flagRule struct {
	// flag is the one that would be: its name, or name=value where only that value is.
	flag string
	// needs are things of which one must be given too, not those beside which it is
	// ignored; both empty: it is ignored always. A thing is a flag, a flag=value, or
	// args=N for as many arguments.
	needs, not []string
	// text is the error where it is not made of those.
	text string
	// hint is a command that can be pasted, where that is not made of them either.
	hint string
}

// flagRules are those of every command, under "", and of each. A test demands that
// every flag is named here or stands in its list of those that always mean something.
// What states a policy (policyKeys) always does: it holds whenever it comes to that,
// as in policy.ini, and check shows it.
var flagRules = map[string][]flagRule{
	"": {{flag: "verbose", not: []string{"quiet"}}},
	"check": {
		{flag: "textfile=-", text: "--textfile names a file; without it the metrics are printed", hint: "xrdpfix check --output prometheus"},
		{flag: "crit-days", needs: []string{"output=nagios"}},
		{flag: "fail-on", needs: []string{"output=nagios"}},
		{flag: "textfile", needs: []string{"output=prometheus"}},
		{flag: "client", not: []string{"output=html", "output=nagios", "output=prometheus"}},
		{flag: "redact", needs: []string{"save-facts"}},
		{flag: "facts", not: []string{"root"}},
		{flag: "save-facts=-", not: []string{"client"}},
		{flag: "save-facts=-", not: []string{"output=json"}, text: "--save-facts - and --json both want standard output; name a file", hint: "xrdpfix check --json --save-facts FILE"},
		{flag: "save-facts=-", not: []string{"output=html", "output=nagios", "output=prometheus"}, text: "--save-facts - and --output both want standard output; name a file", hint: "xrdpfix check --save-facts FILE"},
	},
	"plan": {{flag: "facts", not: []string{"root"}}},
	"apply": {
		{flag: "from", needs: []string{"wait-client"}},
		{flag: "wait-client", not: []string{"dry-run"}},
		{flag: "wait-client", not: []string{"root"}, text: "--wait-client and --root contradict each other: nobody connects to a tree"},
		{flag: "wait-client", not: []string{"restart=when-idle"}, hint: "xrdpfix log -f"},
	},
	"cert renew": {{flag: "renew-before", needs: []string{"if-due"}}},
	"cert install": {
		{flag: "passphrase-file", needs: []string{"pkcs12"}},
		{flag: "pkcs12", not: []string{"from-acme-hook"}},
		{flag: "pkcs12", not: []string{"args=2"}, text: "--pkcs12 takes one file, with certificate and key"},
		{flag: "from-acme-hook", not: []string{"args=1"}, text: "--from-acme-hook takes no files"},
	},
	"client": {
		{flag: "out", needs: []string{"args=1"}, text: "--out needs a kind of client", hint: "xrdpfix client"},
		{flag: "server", needs: []string{"args=1"}, text: "--server needs a kind of client", hint: "xrdpfix client"},
		{flag: "user", needs: []string{"args=1"}, text: "--user needs a kind of client", hint: "xrdpfix client"},
		{flag: "out=-", text: "--out names a directory; without it the steps are printed", hint: "xrdpfix client"},
		{flag: "force", needs: []string{"out"}},
		{flag: "server", not: []string{"root"}},
	},
	"explain": {{flag: "root", text: "--root means nothing to explain: it looks at no machine"}},
	"history": {{flag: "prune", not: []string{"args=1"}, text: "--prune takes no ID: it removes what is older than 30 days"}},
	"log":     {{flag: "follow", not: []string{"until"}}},
	"probe": {
		{flag: "root", text: "--root means nothing to probe: it asks servers and looks at no files", hint: "xrdpfix probe HOST"},
		{flag: "profiles", not: []string{"args=1"}, text: "--profiles probes nothing, and a target was named"},
		{flag: "profiles", not: []string{
			"from", "range", "all-addresses", "parallel", "rate", "connect-timeout", "stage-timeout",
			"clients", "ntlm", "full", "output=html", "output=nagios",
		}},
		{flag: "warn-days", needs: []string{"output=nagios"}},
		{flag: "crit-days", needs: []string{"output=nagios"}},
		{flag: "fail-on", needs: []string{"output=nagios"}},
		{flag: "ignore", needs: []string{"output=nagios"}},
		{flag: "clients", not: []string{"output=nagios"}},
		{flag: "ntlm", not: []string{"output=nagios", "output=html"}},
		{flag: "full", not: []string{"output=nagios"}},
	},
	"report": {{flag: "root", text: "--root means nothing to report: it looks at saved facts alone", hint: "xrdpfix report FACTS.json..."}},
}

// checkFlags refuses flags that would be ignored, before anything is looked at.
func (a *app) checkFlags(cmd *cobra.Command, args []string) error {
	for _, r := range slices.Concat(flagRules[""], flagRules[commandName(cmd)]) {
		if err := a.checkRule(cmd, args, r); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) checkRule(cmd *cobra.Command, args []string, r flagRule) error {
	given := func(thing string) bool { return a.given(cmd, args, thing) }
	if !given(r.flag) || slices.ContainsFunc(r.needs, given) {
		return nil
	}
	beside := slices.IndexFunc(r.not, given)
	if len(r.not) > 0 && beside < 0 {
		return nil
	}
	name, _, _ := strings.Cut(r.flag, "=")
	text, hint := r.text, r.hint
	switch {
	case text != "":
	case beside >= 0:
		text = thingText(r.flag) + " and " + thingText(r.not[beside]) + " contradict each other; state one"
	default:
		var list []string
		for _, n := range r.needs {
			list = append(list, written(cmd, n))
		}
		text = "--" + name + " needs " + orList(list)
	}
	if hint == "" && len(r.needs) > 0 {
		hint = neededHint(cmd, args, name, r.needs[0])
	}
	if hint == "" {
		hint = cmd.CommandPath() + " --help"
	}
	return fail(2, reasonUsage, errors.New(text), hint)
}

// given reports whether a thing of a rule stands on the command line, other than as
// what holds anyhow.
func (a *app) given(cmd *cobra.Command, args []string, thing string) bool {
	name, value, valued := strings.Cut(thing, "=")
	switch name {
	case "args":
		n, _ := strconv.Atoi(value)
		return len(args) >= n
	case "output":
		return cmp.Or(a.outputName(), formatText) == value
	case "root":
		return path.Clean(a.global.root) != "/"
	}
	f := cmd.Flag(name)
	switch {
	case f == nil || !f.Changed:
		return false
	case valued:
		return f.Value.String() == value
	}
	return f.Value.Type() != "bool" || f.Value.String() == "true"
}

// outputName is the format that is printed, by whichever flag it was asked for.
func (a *app) outputName() string {
	if a.jsonOutput() {
		return formatJSON
	}
	return a.global.output
}

// thingText is a thing of a rule in words: "--output nagios".
func thingText(thing string) string { return "--" + strings.Replace(thing, "=", " ", 1) }

// written is thingText with the name of a value: "--save-facts FILE".
func written(cmd *cobra.Command, thing string) string {
	if f := cmd.Flag(thing); f != nil {
		_, value := unquote(f.Usage)
		return strings.TrimSpace("--" + thing + " " + value)
	}
	return thingText(thing)
}

// neededHint is the command line with what a flag needs.
func neededHint(cmd *cobra.Command, args []string, flag, need string) string {
	words := []string{cmd.CommandPath(), written(cmd, need), "--" + flag}
	if f := cmd.Flag(flag); f.Value.Type() != "bool" {
		words = append(words, plaintext.ShellWord(strings.Trim(f.Value.String(), "[]"))) // of a list
	}
	if cmd.Name() == "probe" {
		return strings.Join(append(words, "HOST"), " ")
	}
	for _, arg := range args {
		words = append(words, plaintext.ShellWord(arg))
	}
	return strings.Join(words, " ")
}
