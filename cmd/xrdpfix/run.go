package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
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
	// open gives the machine of --root.
	open func(root string) (*host.Machine, error)
}

// globals are the flags of every command.
type globals struct {
	output  string
	json    bool
	root    string
	timeout time.Duration
	verbose bool
	quiet   bool
}

// run is the whole program: it returns the exit code and never exits.
func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	a := &app{out: out, errOut: errOut, now: time.Now, quit: exit{0, reasonOK}}
	a.open = func(root string) (*host.Machine, error) {
		return host.Open(host.Config{Root: root, Tool: version, Now: a.now, Timeout: a.global.timeout})
	}
	cmd := newRoot(a)
	cmd.SetArgs(args)
	cmd.SetOut(out)
	cmd.SetErr(errOut)
	if err := cmd.ExecuteContext(ctx); err != nil {
		return a.report(ctx, err)
	}
	return a.quit.Code
}

// report prints an error the way the output format wants it, with its hints.
func (a *app) report(ctx context.Context, err error) int {
	e := exitOf(err)
	if ctx.Err() != nil && e.Code == 1 {
		e = exit{130, reasonInterrupted}
		err = errors.New("interrupted")
	}
	var f *failure
	_ = errors.As(err, &f)
	if a.jsonOutput() {
		doc := a.document("error", nil)
		doc.Exit = e
		doc.Error = &errorDoc{Message: err.Error()}
		if f != nil {
			doc.Error.Hints = f.hints
		}
		_ = a.printJSON(doc)
		return e.Code
	}
	_, _ = fmt.Fprintf(a.errOut, "xrdpfix: error: %s (exit %d)\n", err, e.Code)
	if f != nil {
		for _, h := range f.hints {
			_, _ = fmt.Fprintf(a.errOut, "xrdpfix: hint: %s\n", h)
		}
	}
	return e.Code
}

func (a *app) jsonOutput() bool { return a.global.json || a.global.output == "json" }

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
		Long: `xrdpfix finds out why Remote Desktop clients cannot negotiate security with
the xrdp of this machine, makes the smallest safe change, and proves on the
wire and in xrdp.log that it worked, or puts everything back.

Without a command it says in five lines how things stand and what to run.`,
		Example: `  xrdpfix            how things stand
  xrdpfix check      the evidence, and who can connect   changes nothing
  xrdpfix plan       the change that mends it, as a diff changes nothing
  xrdpfix apply      make it, prove it, or put it all back`,
		Args:          noArgs,
		SilenceErrors: true, SilenceUsage: true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		RunE:              func(cmd *cobra.Command, _ []string) error { return a.overview(cmd.Context()) },
	}
	f := root.PersistentFlags()
	f.StringVarP(&a.global.output, "output", "o", "text", "output `FORMAT`: text or json")
	f.BoolVar(&a.global.json, "json", false, "same as --output json")
	f.StringVar(&a.global.root, "root", "/", "work on the offline tree `DIR`")
	f.DurationVar(&a.global.timeout, "timeout", 10*time.Second, "`TIME` allowed for each connection")
	f.BoolVarP(&a.global.verbose, "verbose", "v", false, "show more evidence")
	f.BoolVarP(&a.global.quiet, "quiet", "q", false, "print nothing but errors")
	root.PersistentPreRunE = func(*cobra.Command, []string) error { return a.checkGlobals() }
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fail(2, reasonUsage, err, cmd.CommandPath()+" --help")
	})
	root.AddCommand(newCheck(a), newPlan(a), newApply(a), newRollback(a), newHistory(a),
		newShow(a), newProbe(a), newLog(a), newCert(a), newVersion(a))
	for _, c := range append(root.Commands(), root) {
		c.Long += "\n\n" + exitStatusHelp()
	}
	return root
}

func (a *app) checkGlobals() error {
	switch a.global.output {
	case "text", "json":
	default:
		return usagef("--output %s is not text or json", a.global.output)
	}
	if a.global.timeout <= 0 {
		return usagef("--timeout must be longer than nothing")
	}
	if st, err := os.Stat(a.global.root); err != nil || !st.IsDir() {
		return usagef("--root %s is not a directory", a.global.root)
	}
	return nil
}

// noArgs refuses arguments, naming the first: cobra's own takes it for an
// unknown command.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fail(2, reasonUsage, fmt.Errorf("unknown argument %q for %s", args[0], cmd.CommandPath()), cmd.CommandPath()+" --help")
	}
	return nil
}
