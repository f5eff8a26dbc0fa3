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

const configPath = diagnose.ConfigPath

// Undone is what a rollback did.
type Undone struct {
	Journal Journal
	// Files are the paths that were put back or removed.
	Files []string
	// Kept is the directory of a pair that stays for a while, "" for none.
	Kept      string
	Restarted bool
}

// KeepPairs is how long a rolled-back pair stays on disk: long enough to undo
// the undoing without asking every user to trust yet another certificate.
const KeepPairs = 30 * 24 * time.Hour

// allowed are the places that a rollback may write to. A journal is a file, and
// a file can be forged.
func allowed(p string) bool {
	clean := path.Clean(p)
	return clean == p && (strings.HasPrefix(p, "/etc/xrdp/") ||
		strings.HasPrefix(p, "/etc/systemd/system/xrdp.service.d") || strings.HasPrefix(p, "/etc/systemd/system/xrdpfix-undo-") ||
		strings.HasPrefix(p, "/etc/systemd/system/timers.target.d") || p == "/etc/xrdpfix/policy.ini")
}

// Rollback puts back what one apply changed. ErrConflict means that somebody
// changed a file after us, and nothing was touched; force overrides that.
// Extra holds further resolved paths that may be written, such as the target of
// a symbolic link xrdp.ini.
func (r *Runner) Rollback(ctx context.Context, j Journal, force bool, extra ...string) (Undone, error) {
	for _, s := range j.Steps {
		if s.Path != "" && !allowed(s.Path) && !slices.Contains(extra, s.Path) {
			return Undone{}, fmt.Errorf("journal %s names %s, which xrdpfix never writes", j.ID, s.Path)
		}
	}
	u := Undone{Journal: j}
	for _, s := range j.Steps {
		if (s.Op == OpWrite || s.Op == OpRemove) && !s.Own && !s.Undo {
			u.Files = append(u.Files, s.Path)
		}
	}
	unfinished := j.Unfinished()
	ctx, cancel := r.uncancelled(ctx)
	defer cancel()
	if err := r.putBack(ctx, &j, force, unfinished); err != nil {
		return u, err
	}
	if !unfinished {
		u.Kept = j.Dir
	}
	u.Restarted = j.NeededRestart
	u.Journal = j
	return u, nil
}

// putBack undoes the steps in reverse. Each file tells by its state whether its
// step was done; a state that is neither the old nor the new one is somebody
// else's. With remove, a new pair goes; without, it stays, closed to the daemon.
func (r *Runner) putBack(ctx context.Context, j *Journal, force, remove bool) error {
	if err := r.conflicts(*j, force); err != nil {
		return err
	}
	if err := r.disarm(ctx, *j); err != nil {
		return err
	}
	reload, settled := false, false
	for i := len(j.Steps) - 1; i >= 0; i-- {
		s := j.Steps[i]
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
				err = r.System.Mkdir(s.Path, 0o700, 0, 0)
			default:
				err = r.System.Rmdir(s.Path)
			}
		case OpStart:
			if remove && s.Done {
				err = r.System.Stop(ctx)
			}
		case OpRestart, OpArm:
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
	if slices.ContainsFunc(j.Steps, func(s Step) bool { return s.Op == OpRestart && s.Done }) {
		switch {
		case j.NeededRestart:
			_, err := r.System.Restart(ctx)
			if err != nil {
				return err
			}
		case remove:
			// A restart that was not needed may have failed: xrdp must run as
			// it did before. Starting what runs does nothing.
			if _, err := r.System.Start(ctx); err != nil {
				return err
			}
		}
	}
	j.State, j.Ended, j.Deadline = StateRolledBack, r.Now(), nil
	return r.Store.Save(*j)
}

// conflicts looks at every file before the first is touched.
func (r *Runner) conflicts(j Journal, force bool) error {
	if force {
		return nil
	}
	var errs []error
	for _, s := range j.Steps {
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

// Prune removes the pairs of rolled-back applies that are older than KeepPairs
// and that xrdp.ini does not name. It returns the directories it removed.
func (r *Runner) Prune(inUse string) ([]string, error) {
	list, err := r.Store.List()
	if err != nil {
		return nil, err
	}
	var gone []string
	for _, j := range list {
		if j.State != StateRolledBack || j.Dir == "" || j.Dir == inUse || r.Now().Sub(j.Ended) < KeepPairs || !allowed(j.Dir) {
			continue
		}
		for _, s := range j.Steps {
			if s.Op != OpWrite || !s.Own || !allowed(s.Path) {
				continue
			}
			if st, err := r.System.Stat(s.Path); err != nil || !st.Exists {
				continue
			}
			if err := r.System.Remove(s.Path); err != nil {
				return gone, err
			}
		}
		if st, err := r.System.Stat(j.Dir); err == nil && st.Exists {
			if err := r.System.Rmdir(j.Dir); err != nil {
				return gone, err
			}
			gone = append(gone, j.Dir)
		}
	}
	return gone, nil
}
