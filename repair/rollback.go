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

// Undone is what a rollback did.
type Undone struct {
	Journal Journal
	// Files are the paths that were put back or removed.
	Files []string
	// Kept is the directory of a pair that stays for a while, "" for none.
	Kept      string
	Restarted bool
	// NotUp says why xrdp did not come up with what was put back, "" where it
	// did or was left alone: it may not have run before the apply either.
	NotUp string
}

// notUpError: everything is put back, but xrdp does not run with it.
type notUpError struct{ err error }

func (e *notUpError) Error() string { return e.err.Error() }
func (e *notUpError) Unwrap() error { return e.err }

// allowed are the places that a rollback may write to. A journal is a file, and
// a file can be forged.
func allowed(p string) bool {
	if path.Clean(p) != p {
		return false
	}
	dir, name := path.Split(p)
	switch {
	case strings.HasPrefix(p, "/etc/xrdp/"), p == "/etc/xrdpfix/policy.ini":
		return true
	case p == path.Dir(diagnose.DropInPath), p == unitDir+"/timers.target.d":
		return true
	case p == diagnose.FirstBootPath, p == diagnose.FirstBootDropIn, p == path.Dir(diagnose.FirstBootDropIn):
		return true
	case strings.HasPrefix(name, "xrdpfix-undo-"):
		return dir == unitDir+"/" || dir == unitDir+"/timers.target.d/"
	}
	return dir == path.Dir(diagnose.DropInPath)+"/" && strings.HasPrefix(name, "xrdpfix-")
}

// mayUndo reports whether a rollback may undo a step. The directories above the
// units are made where a minimal tree lacks them; only when empty do they go.
func mayUndo(s Step, extra []string) bool {
	switch {
	case s.Path == "":
		return s.Op != OpWrite && s.Op != OpRemove && s.Op != OpMkdir
	case s.Own:
		return path.Clean(s.Path) == s.Path && diagnose.OwnPath(s.Path)
	case s.Op == OpMkdir && (s.Path == unitDir || s.Path == path.Dir(unitDir)):
		return true
	}
	return allowed(s.Path) || slices.Contains(extra, s.Path)
}

// errUnrecorded: everything was put back, and the journal could not say so.
var errUnrecorded = errors.New("all is as it was, but the journal could not be written")

// Rollback puts back what one apply changed. ErrConflict means that somebody
// changed a file after us, and nothing was touched; force overrides that.
// Extra holds further resolved paths that may be written, such as the target of
// a symbolic link xrdp.ini.
func (r *Runner) Rollback(ctx context.Context, j Journal, force bool, extra ...string) (Undone, error) {
	for _, s := range j.Steps {
		if !mayUndo(s, extra) {
			return Undone{}, fmt.Errorf("journal %s names %q, which xrdpfix never writes", j.ID, s.Path)
		}
	}
	u := Undone{Journal: j}
	for _, s := range j.Steps {
		if (s.Op == OpWrite || s.Op == OpRemove) && !s.Own && !s.Undo {
			u.Files = append(u.Files, s.Path)
		}
	}
	proven := j.State != StateBegun
	ctx, cancel := r.uncancelled(ctx)
	defer cancel()
	var down *notUpError
	switch err := r.putBack(ctx, &j, j.Steps, force); {
	case errors.As(err, &down):
		u.NotUp = down.Error()
	case err != nil:
		return u, err
	}
	if proven {
		u.Kept = j.Dir
	}
	u.Restarted = j.NeededRestart
	u.Journal = j
	return u, nil
}

// putBack undoes the steps in reverse. Each file tells by its state whether its
// step was done; a state that is neither the old nor the new one is somebody
// else's. The pair of a change that was never proven goes; that of another one
// stays, closed to the daemon.
func (r *Runner) putBack(ctx context.Context, j *Journal, steps []Step, force bool) error {
	if err := r.conflicts(steps, force); err != nil {
		return err
	}
	remove := j.State == StateBegun
	if !remove {
		// From here on a kill leaves a mixture that the next run must know of.
		j.State = StateUndoing
		if err := r.Store.Save(*j); err != nil {
			return fmt.Errorf("write journal %s: %w", j.ID, err)
		}
	}
	if err := r.disarm(ctx, *j); err != nil {
		return err
	}
	reload, settled := false, false
	for _, s := range slices.Backward(steps) {
		var err error
		if s.Own && !settled && r.Settle != nil {
			// A connection that has read the xrdp.ini of before may still open
			// the pair that it names.
			r.Settle()
			settled = true
		}
		switch s.Op {
		case OpReload:
			reload = true
		case OpWrite, OpRemove:
			if !s.Own || remove {
				err = r.restore(j.ID, s)
			}
		case OpMkdir:
			switch {
			case s.Own && !remove:
				err = r.closePair(s.Path)
			default:
				err = r.System.Rmdir(s.Path)
			}
		case OpStart:
			if remove && s.Done {
				err = r.System.Stop(ctx)
			}
		case OpRestart, OpArm, OpRehearse:
		}
		if err != nil {
			return err
		}
	}
	if reload {
		if err := r.System.Reload(ctx); err != nil {
			return err
		}
	}
	var down error
	if slices.ContainsFunc(steps, func(s Step) bool { return s.Op == OpRestart && s.Done }) {
		switch {
		case j.NeededRestart:
			down = r.upAgain(ctx, r.System.Restart)
		case remove:
			// A restart that was not needed may have failed: xrdp must run as
			// it did before. Starting what runs does nothing.
			down = r.upAgain(ctx, r.System.Start)
		}
	}
	j.State, j.Ended, j.Deadline = StateRolledBack, r.Now(), nil
	if err := r.Store.Save(*j); err != nil {
		return fmt.Errorf("%w: %w", errUnrecorded, err)
	}
	return down
}

// upAgain brings xrdp up with what was put back, at the second try if need be.
// That it does not come up then either is no reason to call the undoing
// unfinished: with the old files it may never have run.
func (r *Runner) upAgain(ctx context.Context, act func(context.Context) (time.Duration, error)) error {
	if _, err := act(ctx); err == nil {
		return nil
	}
	if _, err := act(ctx); err != nil {
		return &notUpError{err}
	}
	return nil
}

// closePair shuts the directory of a pair to everybody but root, where it still is.
func (r *Runner) closePair(dir string) error {
	now, err := r.System.Stat(dir)
	if err != nil || !now.Exists {
		return err
	}
	return r.System.Mkdir(dir, 0o700, 0, 0)
}

// conflicts looks at every file before the first is touched.
func (r *Runner) conflicts(steps []Step, force bool) error {
	if force {
		return nil
	}
	var errs []error
	for _, s := range steps {
		if s.Op != OpWrite && s.Op != OpRemove || s.Own {
			continue
		}
		now, err := r.System.Stat(s.Path)
		if err != nil {
			return fmt.Errorf("look at %s: %w", s.Path, err)
		}
		if now != s.Before && now != s.After {
			errs = append(errs, fmt.Errorf("%s: %w", s.Path, ErrConflict))
		}
	}
	return errors.Join(errs...)
}

func (r *Runner) restore(id string, s Step) error {
	now, err := r.System.Stat(s.Path)
	if err != nil {
		return fmt.Errorf("look at %s: %w", s.Path, err)
	}
	switch {
	case now == s.Before:
		return nil
	case !s.Before.Exists:
		return r.System.Remove(s.Path)
	}
	data, err := r.Store.Backup(id, s.Backup)
	if err != nil {
		return fmt.Errorf("read the backup of %s: %w", s.Path, err)
	}
	if sum(data) != s.Before.SHA256 {
		return fmt.Errorf("the backup of %s in journal %s is damaged", s.Path, id)
	}
	return r.System.Write(s.Path, data, s.Before, s.InPlace)
}
