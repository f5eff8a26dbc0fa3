package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"xrdpfix/diagnose"
)

// factsFlags say that facts go to a file, or come from one.
type factsFlags struct {
	from   string
	save   string
	redact bool
}

func (f *factsFlags) add(cmd *cobra.Command, save bool) {
	flags := cmd.Flags()
	flags.StringVar(&f.from, "facts", "", "judge the facts in `FILE` that check --save-facts wrote, elsewhere perhaps,\ninstead of this machine; - for standard input")
	if save {
		flags.StringVar(&f.save, "save-facts", "", "write what was seen to `FILE`, which must not exist; no password or key\nis in it; - for standard output, instead of the report")
		flags.BoolVar(&f.redact, "redact", false, "with --save-facts: placeholders for names, addresses and fingerprints")
	}
}

// read reads the facts that the flags name; nil where they name none.
func (f *factsFlags) read() (*diagnose.Facts, error) {
	if f.from == "" {
		return nil, nil
	}
	facts, err := readFacts(f.from)
	if err != nil {
		return nil, fail(2, reasonUsage, fmt.Errorf("read facts: %w", err), "xrdpfix check --save-facts FILE, on the machine in question")
	}
	return &facts, nil
}

func readFacts(name string) (diagnose.Facts, error) {
	in := io.Reader(os.Stdin)
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return diagnose.Facts{}, err
		}
		defer func() { _ = file.Close() }()
		in = file
	}
	data, err := io.ReadAll(io.LimitReader(in, diagnose.MaxFacts+1))
	if err != nil {
		return diagnose.Facts{}, err
	}
	facts, err := diagnose.DecodeFacts(data)
	if err != nil {
		return facts, fmt.Errorf("%s: %w", name, err)
	}
	return facts, nil
}

// factsFile is where facts are going to be saved.
type factsFile struct {
	name string
	file *os.File
}

// create makes the file before anything is looked at: one that exists, or that
// cannot be written, is known at once. It is for nobody else to read.
func (f *factsFlags) create(a *app) (*factsFile, error) {
	if f.save == "" || f.save == "-" {
		return &factsFile{name: f.save}, nil
	}
	file, err := a.createNew(f.save, 0o600)
	if err != nil {
		return nil, err
	}
	return &factsFile{f.save, file}, nil
}

// discard removes a file that was not written.
func (f *factsFile) discard() {
	if f.file != nil {
		_ = f.file.Close()
		_ = os.Remove(f.name)
		f.file = nil
	}
}

// write saves the facts.
func (f *factsFile) write(a *app, l *look, redact bool) error {
	if f.name == "" {
		return nil
	}
	facts := l.facts
	if redact {
		facts = diagnose.Redact(facts)
		if now := diagnose.Run(facts, l.settings); !sameCodes(now, l.found) {
			a.tell("note", "the placeholders change what is found; keep this report beside the facts")
		}
	}
	data, err := diagnose.EncodeFacts(facts)
	if err != nil {
		return err
	}
	if f.file == nil {
		_, err := a.out.Write(data)
		return err
	}
	_, err = f.file.Write(data)
	if err := errors.Join(err, f.file.Close()); err != nil {
		_ = os.Remove(f.name)
		return a.outFailure(f.name, err)
	}
	f.file = nil
	return nil
}

func sameCodes(a, b []diagnose.Finding) bool {
	return slices.EqualFunc(a, b, func(x, y diagnose.Finding) bool { return x.Code == y.Code && x.Severity == y.Severity })
}

// savedText says what to do with the file.
func savedText(f *factsFlags) string {
	text := "Facts saved to " + clean(f.save) + ", without passwords and keys."
	if !f.redact {
		text += " Names and addresses are in it (--redact hides them)."
	}
	return text + " Look it over before you send it."
}

// factsDoc says in JSON that the report is not about this machine, now.
type factsDoc struct {
	File     string    `json:"file"`
	Taken    time.Time `json:"taken"`
	Tool     string    `json:"tool"`
	Redacted bool      `json:"redacted"`
}

// replayed describes the facts of a report that was made elsewhere, nil for none.
func (l *look) replayed(file string) *factsDoc {
	if !l.facts.Replayed {
		return nil
	}
	return &factsDoc{File: file, Taken: l.facts.Taken, Tool: l.facts.Tool, Redacted: l.facts.Redacted}
}

// replayText is what the first line says beyond that.
func replayText(f *diagnose.Facts) string {
	if !f.Replayed {
		return ""
	}
	return "\nfrom facts saved " + f.Taken.UTC().Format("2 Jan 2006 15:04 UTC")
}

// userName names a uid as the machine of the facts does, as far as they tell.
func (l *look) userName(uid int) string {
	if l.machine != nil {
		return l.machine.UserName(uid)
	}
	for _, s := range factSteps(&l.facts) {
		if s.UID == uid && s.Owner != "" {
			return s.Owner
		}
	}
	if uid == 0 {
		return "root"
	}
	return strconv.Itoa(uid)
}

// groupName is userName for a gid.
func (l *look) groupName(gid int) string {
	if l.machine != nil {
		return l.machine.GroupName(gid)
	}
	if d := l.facts.Daemon; d.KeyGID == gid && d.KeyGroup != "" {
		return d.KeyGroup
	}
	for _, s := range factSteps(&l.facts) {
		if s.GID == gid && s.Group != "" {
			return s.Group
		}
	}
	if gid == 0 {
		return "root"
	}
	return strconv.Itoa(gid)
}

func factSteps(f *diagnose.Facts) []diagnose.Step {
	return slices.Concat(f.ConfigAccess.Steps, f.RSAKeys.Steps, f.Cert.Steps, f.Key.Steps)
}
