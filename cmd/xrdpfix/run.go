package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"xrdpfix/internal/host"
)

// app is one invocation: where it prints, and what its global flags say.
type app struct {
	out, errOut io.Writer
	global      globals
	now         func() time.Time
	// quit is how the command ends when it did not fail.
	quit exit
	// command is its name, as in JSON: "cert show".
	command string
	// args are the words of the command line, for hints that repeat them.
	args []string
	// open gives the machine of --root.
	open func(root string) (*host.Machine, error)
	// holds keeps the one object of the command back in held: it is not over yet.
	holds bool
	held  *document
}

// globals are the flags of every command.
type globals struct {
	output  string
	json    bool
	root    string
	timeout span
	verbose bool
	quiet   bool
}

// run is the whole program: it returns the exit code and never exits.
func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	a := &app{out: out, errOut: errOut, now: time.Now, quit: exit{0, reasonOK}, args: args}
	a.open = func(root string) (*host.Machine, error) {
		return host.Open(host.Config{Root: root, Tool: version, Built: buildTime(), Now: a.now, Timeout: time.Duration(a.global.timeout)})
	}
	root := newRoot(a)
	addCompletion(root)
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errOut)
	if cmd, err := root.ExecuteContextC(ctx); err != nil {
		return a.report(ctx, cmd, err)
	}
	return a.quit.Code
}

// report prints an error the way the output format wants it, with its hints.
func (a *app) report(ctx context.Context, cmd *cobra.Command, err error) int {
	e := exitOf(err)
	if ctx.Err() != nil && e.Code == 1 {
		e = exit{130, reasonInterrupted}
		err = errors.New("interrupted")
	}
	var hints []string
	f := (*failure)(nil)
	if errors.As(err, &f) {
		hints = f.hints
	}
	if hint := diskHint(err); hint != "" && len(hints) == 0 {
		hints = []string{hint}
	}
	if e.Code == 2 && len(hints) == 0 {
		hints = []string{cmd.CommandPath() + " --help"}
	}
	for i, h := range hints {
		if f == nil || !f.elsewhere {
			hints[i] = a.rooted(h)
		}
	}
	doc := a.document(commandName(cmd), nil)
	if a.held != nil { // what was done before the error
		doc = a.held
	}
	doc.Exit = e
	doc.Error = &errorDoc{Message: err.Error(), Hints: append([]string{}, hints...)}
	a.record(nil, doc)
	if a.global.output == formatNagios || asksNagios(a.args) {
		line := pluginLine{state: pluginUnknown, text: err.Error()}
		for _, h := range hints {
			line.text += "; " + h
		}
		_ = a.printPlugin(line, e.Reason)
		return a.quit.Code
	}
	if a.jsonOutput() || asksJSON(a.args) {
		_ = a.printJSON(doc)
		return e.Code
	}
	a.tellError(err, e, hints)
	return e.Code
}

// commandName is the command in JSON: "cert show", and "overview" for none.
func commandName(cmd *cobra.Command) string {
	_, name, found := strings.Cut(cmd.CommandPath(), " ")
	if !found {
		return "overview"
	}
	return name
}

// print shows a page of text, unless nothing was to be shown.
func (a *app) print(p *page) error {
	if a.global.quiet {
		return nil
	}
	return p.writeTo(a.out)
}

// progress prints what happens to a terminal, and nothing to a pipe.
func (a *app) progress() func(string) {
	f, ok := a.errOut.(*os.File)
	if !ok || a.global.quiet || a.jsonOutput() || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return func(what string) {
		if what == "" {
			_, _ = fmt.Fprint(f, "\r\033[K")
			return
		}
		_, _ = fmt.Fprintf(f, "\r\033[K%s ...", what)
	}
}

// newRoot builds the command tree.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "xrdpfix",
		Short: "Find, fix and prove the security negotiation of xrdp",
		Long: `xrdpfix finds out why Remote Desktop clients cannot negotiate security with the xrdp of this machine, makes the smallest safe change, and proves on the wire and in xrdp.log that it worked, or puts everything back.

Without a command it says in five lines how things stand and what to run.`,
		Example: `  xrdpfix            how things stand
  xrdpfix check      the evidence, and who can connect     changes nothing
  xrdpfix plan       the change that mends it, as a diff   changes nothing
  xrdpfix apply      make it, prove it, or put it all back`,
		Args:          noArgs,
		SilenceErrors: true, SilenceUsage: true,
		SuggestionsMinimumDistance: 2,
		CompletionOptions:          cobra.CompletionOptions{HiddenDefaultCmd: true},
		RunE:                       func(cmd *cobra.Command, _ []string) error { return a.overview(cmd.Context()) },
	}
	f := root.PersistentFlags()
	f.StringVarP(&a.global.output, "output", "o", formatText, formatUsage(root))
	f.BoolVar(&a.global.json, "json", false, "same as --output json")
	f.StringVar(&a.global.root, "root", "/", "work on the offline tree `DIR`")
	a.global.timeout = span(10 * time.Second)
	f.Var(&a.global.timeout, "timeout", "`TIME` allowed for each connection")
	f.BoolVarP(&a.global.verbose, "verbose", "v", false, "show more evidence")
	f.BoolVarP(&a.global.quiet, "quiet", "q", false, "print nothing but errors")
	root.PersistentPreRunE = func(cmd *cobra.Command, args []string) error {
		a.command = commandName(cmd)
		if err := a.checkGlobals(cmd); err != nil {
			return err
		}
		return a.checkFlags(cmd, args)
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fail(2, reasonUsage, flagError(err)) })
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { a.help(cmd) })
	root.SetHelpCommand(newHelp(a))
	root.Version = version
	root.SetVersionTemplate("xrdpfix {{.Version}}\n")
	root.AddCommand(newCheck(a), newPlan(a), newApply(a), newRollback(a), newHistory(a), newConfirm(a),
		newShow(a), newProbe(a), newReport(a), newLog(a), newCert(a), newClient(a), newExplain(a), newVersion(a), newGenerate(a))
	for _, c := range root.Commands() {
		c.SuggestionsMinimumDistance = root.SuggestionsMinimumDistance
	}
	a.complete(root)
	return root
}

// addCompletion adds cobra's command for shells, which takes any word for a wish
// for help, and has it refuse what is no shell.
func addCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			c.Args = noArgs
			c.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
	}
}

// badValue is how pflag words a value that a flag does not take.
var badValue = regexp.MustCompile(`(?s)^invalid argument "(.*)" for "(?:-., )?(--[a-z0-9-]+)" flag: (.*)$`)

// flagError puts the flag first, as our own messages do.
func flagError(err error) error {
	m := badValue.FindStringSubmatch(err.Error())
	if m == nil {
		return err
	}
	if strings.HasPrefix(m[3], "strconv.") {
		m[3] = "not a whole number"
	}
	return fmt.Errorf("%s %s: %s", m[2], m[1], m[3])
}

func (a *app) checkGlobals(cmd *cobra.Command) error {
	if err := a.checkFormat(cmd); err != nil {
		return err
	}
	if a.global.timeout <= 0 {
		return usagef("--timeout must be longer than nothing")
	}
	if st, err := os.Stat(a.global.root); err != nil || !st.IsDir() {
		return usagef("--root %s is not a directory", a.global.root)
	}
	return nil
}
