package repair

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"xrdpfix/diagnose"
)

// DeadlineKind says why a change is undone by itself.
type DeadlineKind string

// The kinds of deadline.
const (
	// DeadlineConfirm undoes a change that nobody confirmed in time.
	DeadlineConfirm DeadlineKind = "confirm"
	// DeadlineTemporary undoes a change that was meant for a while.
	DeadlineTemporary DeadlineKind = "temporary"
)

// Deadline is when a change is undone by itself.
type Deadline struct {
	Kind DeadlineKind `json:"kind"`
	At   time.Time    `json:"at"`
	// Window is the time that was stated; after a reboot it begins anew.
	Window time.Duration `json:"window_ns"`
	// Program is the absolute path of the xrdpfix that undoes it.
	Program string `json:"program"`
	// CutOff lets the undoing cut users off, because the apply might.
	CutOff bool `json:"cut_off"`
}

// ErrNotPending tells that nothing waits to be confirmed.
var ErrNotPending = errors.New("nothing waits to be confirmed")

const unitDir = "/etc/systemd/system"

// undoUnits are the names of the units that undo one apply.
func undoUnits(id string) (service, timer, bootTimer string) {
	name := "xrdpfix-undo-" + id
	return name + ".service", name + ".timer", name + "-boot.timer"
}

// files are the units of a deadline. They are enabled by a drop-in of their
// targets instead of by links, so that every part of them is a file that the
// journal knows. Two timers, because systemd fires an OnBootSec= that has passed
// as soon as its timer starts (systemd.timer(5)): the one for after a reboot is
// not started now. changed are the files that the undoing may write to.
func (d Deadline) files(id string, changed []string) []ownFile {
	service, timer, boot := undoUnits(id)
	head := "# Made by xrdpfix for the apply " + id + "; removed by confirm, by rollback, or by itself.\n"
	what := map[DeadlineKind]string{DeadlineConfirm: "was not confirmed", DeadlineTemporary: "has ended"}[d.Kind]
	clock := d.At.UTC().Format("2006-01-02 15:04:05 UTC")
	timers := "WantedBy=timers.target"
	text := map[string]string{
		service: head + "[Unit]\nDescription=Undo the xrdpfix apply " + id + ", which " + what + "\nAfter=xrdp.service network.target\n\n" +
			"[Service]\nType=oneshot\nExecStart=" + escapeExec(d.Program) + " rollback --unattended " + id + "\n" +
			"# It listens to the kernel, not to the network.\nIPAddressDeny=any\n" + diagnose.Sandbox(d.Program, changed...),
		timer: head + "[Unit]\nDescription=Undo the xrdpfix apply " + id + " unless it is confirmed\n\n" +
			"[Timer]\nOnCalendar=" + clock + "\nPersistent=true\nAccuracySec=1s\nUnit=" + service + "\n\n[Install]\n" + timers + "\n",
		boot: head + "[Unit]\nDescription=Undo the xrdpfix apply " + id + " some time after a reboot\n\n" +
			fmt.Sprintf("[Timer]\nOnBootSec=%ds\nAccuracySec=1s\nUnit=%s\n\n[Install]\n%s\n", int(d.Window.Seconds()), service, timers),
		"timers.target.d/" + strings.TrimSuffix(service, ".service") + ".conf": head + "[Unit]\nWants=" + timer + " " + boot + "\n",
	}
	var out []ownFile
	for _, name := range []string{service, timer, boot, "timers.target.d/" + strings.TrimSuffix(service, ".service") + ".conf"} {
		out = append(out, ownFile{path.Join(unitDir, name), []byte(text[name]), 0o644, 0})
	}
	return out
}

// escapeExec quotes a program for ExecStart= (systemd.service(5)).
func escapeExec(program string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%", "$", "$$").Replace(program) + `"`
}

// deadline plans the units that undo the change, before anything else. The one
// that does it is started at once, to find out whether it could: a sandbox that
// this machine cannot make, or a program that systemd may not run, must be known
// before the first change and not at the deadline.
func (r *Runner) deadline(p Plan, w *work) error {
	d := p.Deadline
	if d == nil {
		return nil
	}
	if r.Timers == nil {
		return errors.New("no systemd here to undo the change")
	}
	w.journal.Deadline = d
	var changed []string
	for _, c := range p.Files {
		changed = append(changed, c.Target)
	}
	for _, f := range d.files(w.journal.ID, changed) {
		if err := r.directories(path.Dir(f.path), w); err != nil {
			return err
		}
		w.contents[f.path] = f.data
		w.add(Step{Op: OpWrite, Path: f.path, Undo: true, After: FileState{Exists: true, SHA256: sum(f.data), Mode: f.mode}})
	}
	w.add(Step{Op: OpReload, Undo: true})
	service, timer, _ := undoUnits(w.journal.ID)
	w.add(Step{Op: OpRehearse, Unit: service, Undo: true})
	w.add(Step{Op: OpArm, Unit: timer, Undo: true})
	return nil
}

// Pending finds the apply that waits for its deadline; false for none.
func Pending(list []Journal) (Journal, bool) {
	for _, j := range list {
		if j.Deadline != nil && (j.State == StateConfirmed || j.State == StateKept) {
			return j, true
		}
	}
	return Journal{}, false
}

// Confirm keeps a change that was made with a deadline: it takes the units away
// that would undo it.
func (r *Runner) Confirm(ctx context.Context, j Journal) (Journal, error) {
	if j.Deadline == nil || j.State != StateConfirmed && j.State != StateKept {
		return j, fmt.Errorf("%s: %w", j.ID, ErrNotPending)
	}
	// The timer stops first: it must not fire while its parts go.
	if err := r.disarm(ctx, j); err != nil {
		return j, err
	}
	if err := r.removeUndo(ctx, j); err != nil {
		return j, err
	}
	j.Deadline = nil
	return j, r.Store.Save(j)
}

func (r *Runner) disarm(ctx context.Context, j Journal) error {
	if r.Timers == nil || j.Deadline == nil {
		return nil
	}
	_, timer, boot := undoUnits(j.ID)
	return errors.Join(r.Timers.StopUnit(ctx, timer), r.Timers.StopUnit(ctx, boot))
}

// removeUndo deletes the units of a deadline, where they still are.
func (r *Runner) removeUndo(ctx context.Context, j Journal) error {
	found := false
	for i := len(j.Steps) - 1; i >= 0; i-- {
		s := j.Steps[i]
		if !s.Undo || s.Op != OpWrite || !allowed(s.Path) {
			continue
		}
		found = true
		if now, err := r.System.Stat(s.Path); err != nil {
			return err
		} else if now.Exists {
			if err := r.System.Remove(s.Path); err != nil {
				return err
			}
		}
	}
	if !found {
		return nil
	}
	if err := r.System.Rmdir(path.Join(unitDir, "timers.target.d")); err != nil {
		return err
	}
	return r.System.Reload(ctx)
}

// deadline is the plan's part of a stated one. A deadline without a change
// would undo nothing.
func (b *builder) deadline() {
	if b.pol.Deadline == nil || b.plan.Empty() || b.pol.DeadlineOfRange && !b.changesRange() {
		return
	}
	d := *b.pol.Deadline
	d.At = b.f.Taken.Add(d.Window).UTC().Truncate(time.Second)
	d.CutOff = b.pol.Restart == RestartAlways
	b.plan.Deadline = &d
	if !b.f.Daemon.Systemd && b.plan.Refusal == nil {
		b.plan.Refusal = &Refusal{Reason: "no-systemd", Text: "a change that is undone by itself needs systemd, and this machine has none"}
	}
}

// clock refuses what is of a wrong time as soon as the clock is right: a new
// certificate, and a deadline.
func (b *builder) clock() {
	why, made := b.f.ClockText(), ""
	switch id := b.plan.Identity; {
	case why == "":
		return
	case id != nil && !id.Copy && id.Install == nil:
		made = "a certificate made now would be of the wrong time"
	case b.plan.Deadline != nil:
		made = "a change with a deadline would be undone when the clock is set"
	default:
		return
	}
	b.plan.Refusal = &Refusal{Reason: "clock", Text: why + ": " + made, Instead: b.f.ClockHelp()}
}

// changesRange reports whether the plan lets other TLS versions in than now.
func (b *builder) changesRange() bool {
	return slices.ContainsFunc(b.plan.Files, func(c FileChange) bool {
		return c.Path == diagnose.DropInPath || slices.Contains(c.Keys, "ssl_protocols") || slices.Contains(c.Keys, "tls_ciphers")
	})
}

// pending refuses a change on top of one that waits for its deadline: that one
// could then no longer be undone.
func (b *builder) pending() {
	if b.plan.Empty() {
		return
	}
	for _, a := range b.f.Applied.Value {
		if a.Until.IsZero() {
			continue
		}
		b.plan.Refusal = &Refusal{
			Reason:  "pending",
			Text:    fmt.Sprintf("the apply %s waits until %s, and could not be undone with another change on top of it", a.ID, a.Until.UTC().Format("2 Jan 15:04 UTC")),
			Instead: []string{"xrdpfix confirm " + a.ID, "xrdpfix rollback " + a.ID},
		}
		return
	}
}
