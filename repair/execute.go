package repair

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"xrdpfix/certs"
)

// Runner executes plans.
type Runner struct {
	System   System
	Observer Observer
	Store    Store
	Rand     io.Reader
	Now      func() time.Time
	Tool     string
	// Pair is the delivered pair of a plan that installs one, as PEM.
	Pair struct{ Cert, Key []byte }
	// Timers arms deadlines; nil where there is no systemd.
	Timers Timers
	// Settle waits until connections that read the old xrdp.ini have loaded what
	// it names, before that goes; nil for not at all.
	Settle func()
	// Keygen makes the contents of a new rsakeys.ini; nil where nothing can.
	Keygen func() ([]byte, error)
	// Keep leaves a change that could not be proven.
	Keep bool
	// Progress is told what happens, in a few words; nil for silence.
	Progress func(what string)
	// RollbackTimeout bounds a rollback, which no cancellation stops; 0 means a minute.
	RollbackTimeout time.Duration
}

// Outcome is what became of a plan.
type Outcome struct {
	Plan    Plan
	Journal string
	// Changed: the disk differs from before.
	Changed bool
	// Seen is what the observer saw after the change.
	Seen    Observation
	Verdict Verdict
	// Certificate describes the new pair, nil where none was made.
	Certificate *certs.CertInfo
	RolledBack  bool
	// Restored is what was seen after the rollback.
	Restored *Observation
	// NotUp says why xrdp does not come up with what was put back, "" where it
	// did or was left alone.
	NotUp string
	// Problem says what went wrong during the change, "" for nothing.
	Problem string
	// Interrupted: the caller's context ended; everything was put back.
	Interrupted bool
	// PortBack is how long the port took after a start or restart.
	PortBack time.Duration
	Elapsed  time.Duration
}

// Execute carries out a plan, proves it, and puts everything back where it
// cannot. An offline plan is kept unproven. ErrStale and ErrReplayed mean that nothing was touched. Another error
// means that even putting back failed; the journal is unfinished then.
func (r *Runner) Execute(ctx context.Context, p Plan) (Outcome, error) {
	began := r.Now()
	out := Outcome{Plan: p, Journal: p.ID}
	if p.replayed {
		return out, ErrReplayed
	}
	if err := r.fresh(p); err != nil {
		return out, err
	}
	w, err := r.prepare(p)
	if err != nil {
		return out, err
	}
	if err := ctx.Err(); err != nil {
		return out, err
	}
	j := w.journal
	if err := r.begin(&j, w.backups); err != nil {
		return out, err
	}
	out.Changed = true
	out.Certificate = w.cert
	reached, err := r.steps(ctx, &j, w.contents, &out)
	if err == nil {
		p.Expect.CertSHA256 = w.served(p.Expect)
		out.Plan = p
		r.say("connecting as a client does")
		out.Seen = r.Observer.Observe(ctx, p.Expect)
		out.Verdict = Judge(p.Expect, out.Seen)
	} else {
		out.Problem = err.Error()
		out.Verdict = Verdict{Unknown, []string{err.Error()}}
	}
	out.Interrupted = ctx.Err() != nil
	j.Verdict = &out.Verdict
	switch {
	case out.Verdict.Status == Confirmed && !out.Interrupted:
		j.State = StateConfirmed
	case (r.Keep || p.Offline) && !out.Interrupted && err == nil:
		j.State = StateKept
	default:
		err := r.undo(ctx, &j, reached, &out)
		out.Elapsed = r.Now().Sub(began)
		return out, err
	}
	j.Ended = r.Now()
	if err := r.Store.Save(j); err != nil {
		// The journal on disk still says that this is unfinished, so the next run
		// would put it back, and nobody would know why.
		out.Problem = fmt.Sprintf("write journal %s: %v", j.ID, err)
		out.Verdict = Verdict{Unknown, append(out.Verdict.Reasons, out.Problem)}
		j.State = StateBegun
		err = r.undo(ctx, &j, reached, &out)
		out.Elapsed = r.Now().Sub(began)
		return out, err
	}
	out.Elapsed = r.Now().Sub(began)
	return out, nil
}

// back notes how long the port took, where it came back.
func (out *Outcome) back(took time.Duration, err error) error {
	if err == nil {
		out.PortBack = took
	}
	return err
}

// undo rolls back the first steps of a journal under a deadline of its own: once
// something was written, cancellation means putting it back.
func (r *Runner) undo(ctx context.Context, j *Journal, reached int, out *Outcome) error {
	ctx, cancel := r.uncancelled(ctx)
	defer cancel()
	r.say("not proven: putting everything back")
	err := r.putBack(ctx, j, j.Steps[:reached], false)
	if down := (*notUpError)(nil); errors.As(err, &down) {
		out.NotUp, err = down.Error(), nil
	}
	if err == nil || errors.Is(err, errUnrecorded) {
		out.RolledBack, out.Changed = true, false
	}
	if err != nil {
		return fmt.Errorf("roll back %s: %w", j.ID, err)
	}
	seen := r.Observer.Observe(ctx, Expectation{Addr: out.Plan.Expect.Addr, LogPath: out.Plan.Expect.LogPath})
	out.Restored = &seen
	return nil
}

func (r *Runner) uncancelled(ctx context.Context) (context.Context, context.CancelFunc) {
	d := r.RollbackTimeout
	if d == 0 {
		d = time.Minute
	}
	return context.WithTimeout(context.WithoutCancel(ctx), d)
}

func (r *Runner) say(format string, args ...any) {
	if r.Progress != nil {
		r.Progress(fmt.Sprintf(format, args...))
	}
}

// fresh refuses a plan whose files changed since the facts were taken.
func (r *Runner) fresh(p Plan) error {
	for _, c := range p.Files {
		now, err := r.System.Stat(c.Target)
		if err != nil {
			return fmt.Errorf("look at %s: %w", c.Target, err)
		}
		if now != c.Before {
			return fmt.Errorf("%s: %w", c.Target, ErrStale)
		}
	}
	var absent []string
	if p.Identity != nil {
		absent = append(absent, p.Identity.Dir)
	}
	if p.Keygen != nil {
		absent = append(absent, p.Keygen.Path)
	}
	for _, name := range absent {
		if now, err := r.System.Stat(name); err != nil {
			return fmt.Errorf("look at %s: %w", name, err)
		} else if now.Exists {
			return fmt.Errorf("%s: %w", name, ErrStale)
		}
	}
	return nil
}

// begin makes the journal durable, backups first: from here on a kill is a
// thing that rollback can undo.
func (r *Runner) begin(j *Journal, backups map[string][]byte) error {
	if err := r.Store.Begin(j.ID); err != nil {
		return fmt.Errorf("begin journal %s: %w", j.ID, err)
	}
	for name, data := range backups {
		if err := r.Store.SaveBackup(j.ID, name, data); err != nil {
			return fmt.Errorf("back up into journal %s: %w", j.ID, err)
		}
	}
	if err := r.Store.Save(*j); err != nil {
		return fmt.Errorf("write journal %s: %w", j.ID, err)
	}
	return nil
}

// steps does what the journal says, and tells how many steps it began. It stops
// before a step, never within one, when the context ends.
func (r *Runner) steps(ctx context.Context, j *Journal, contents map[string][]byte, out *Outcome) (reached int, err error) {
	for i := range j.Steps {
		if err := ctx.Err(); err != nil {
			return i, err
		}
		if err := r.untouched(j.Steps[i]); err != nil {
			return i, err
		}
		if op := j.Steps[i].Op; op == OpStart || op == OpRestart {
			// No file tells afterwards whether the daemon was touched, so the
			// journal says so before it is.
			j.Steps[i].Done = true
			if err := r.Store.Save(*j); err != nil {
				return i, fmt.Errorf("write journal %s: %w", j.ID, err)
			}
			if err := ctx.Err(); err != nil {
				return i, err
			}
		}
		if err := r.step(ctx, j.ID, j.Steps[i], contents, out); err != nil {
			return i + 1, err
		}
		j.Steps[i].Done = true
	}
	return len(j.Steps), r.Store.Save(*j)
}

// untouched refuses to overwrite what somebody wrote since the backup was made:
// making a key takes a while.
func (r *Runner) untouched(s Step) error {
	if s.Op != OpWrite && s.Op != OpRemove {
		return nil
	}
	now, err := r.System.Stat(s.Path)
	if err != nil {
		return fmt.Errorf("look at %s: %w", s.Path, err)
	}
	if now != s.Before {
		return fmt.Errorf("%s: %w", s.Path, ErrStale)
	}
	return nil
}

func (r *Runner) step(ctx context.Context, journal string, s Step, contents map[string][]byte, out *Outcome) (err error) {
	switch s.Op {
	case OpMkdir:
		return r.System.Mkdir(s.Path, s.After.Mode, s.After.UID, s.After.GID)
	case OpWrite:
		r.say("writing %s", s.Path)
		return r.System.Write(s.Path, contents[s.Path], s.After, s.InPlace)
	case OpRemove:
		r.say("removing %s", s.Path)
		return r.System.Remove(s.Path)
	case OpReload:
		return r.System.Reload(ctx)
	case OpRehearse:
		if err := r.Timers.Rehearse(ctx, journal, s.Unit); err != nil {
			return fmt.Errorf("rehearse the undoing: %w", err)
		}
		return nil
	case OpArm:
		return r.Timers.StartUnit(ctx, s.Unit)
	case OpStart:
		r.say("starting xrdp")
		err = out.back(r.System.Start(ctx))
	case OpRestart:
		r.say("restarting xrdp")
		err = out.back(r.System.Restart(ctx))
	}
	return err
}
