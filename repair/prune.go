package repair

import (
	"path"
	"time"

	"xrdpfix/diagnose"
	"xrdpfix/xrdpconf"
)

// KeepPairs is how long a pair that xrdp.ini no longer names stays on disk, and
// the journal of its apply: long enough to undo the undoing without asking every
// user to trust yet another certificate.
const KeepPairs = 30 * 24 * time.Hour

// Prune removes what is older than KeepPairs and cannot be needed: the pairs
// that xrdp.ini does not name (inUse is the directory of the one it does), but
// for the last proven one, and the journals of applies that were put back. It
// returns the directories it removed.
func (r *Runner) Prune(inUse string) ([]string, error) {
	list, err := r.Store.List() // newest first
	if err != nil {
		return nil, err
	}
	var gone []string
	lastGood := false
	for _, j := range list {
		if j.Unfinished() || j.Deadline != nil || j.State == StateDamaged {
			continue
		}
		if j.State == StateConfirmed && j.Dir != "" && j.Dir != inUse && !lastGood {
			lastGood = true // what a rollback of the present pair comes back to
			continue
		}
		if r.Now().Sub(j.Ended) < KeepPairs {
			continue
		}
		if path.Dir(j.Dir) == diagnose.OwnDir && j.Dir != inUse {
			removed, err := r.removePair(j)
			if err != nil {
				return gone, err
			}
			if removed {
				gone = append(gone, j.Dir)
			}
		}
		if j.State == StateRolledBack {
			dir, err := r.Store.Forget(j.ID)
			if err != nil {
				return gone, err
			}
			gone = append(gone, dir)
		}
	}
	return gone, nil
}

// removePair deletes the files of a pair and its directory.
func (r *Runner) removePair(j Journal) (bool, error) {
	for _, s := range j.Steps {
		if s.Op != OpWrite || !s.Own || !allowed(s.Path) || path.Dir(s.Path) != j.Dir {
			continue
		}
		st, err := r.System.Stat(s.Path)
		if err != nil {
			return false, err
		}
		if !st.Exists {
			continue
		}
		if err := r.System.Remove(s.Path); err != nil {
			return false, err
		}
	}
	st, err := r.System.Stat(j.Dir)
	if err != nil || !st.Exists {
		return false, err
	}
	return true, r.System.Rmdir(j.Dir)
}

// Conflict is a file that somebody changed after an apply, in three versions. A
// nil one stands for no file.
type Conflict struct {
	Path                 string
	Before, Written, Now []byte
}

// Conflicts lists what stands in the way of a rollback. What cannot be read is
// left out: the rollback itself says so.
func (r *Runner) Conflicts(j Journal) []Conflict {
	var out []Conflict
	for _, s := range j.Steps {
		if s.Op != OpWrite && s.Op != OpRemove || s.Own || s.Undo {
			continue
		}
		now, err := r.System.Stat(s.Path)
		if err != nil || now == s.Before || now == s.After {
			continue
		}
		c := Conflict{Path: s.Path}
		if now.Exists {
			c.Now, _ = r.System.Read(s.Path)
		}
		if s.Backup != "" {
			c.Before, _ = r.Store.Backup(j.ID, s.Backup)
		}
		if s.Written != "" {
			c.Written, _ = r.Store.Backup(j.ID, s.Written)
		}
		out = append(out, c)
	}
	return out
}

// KeyBefore is the private key that xrdp.ini named before an apply, "" where it
// was not changed or cannot be told.
func (r *Runner) KeyBefore(j Journal) string {
	for _, s := range j.Steps {
		if s.Op != OpWrite || s.Own || s.Backup == "" || path.Base(s.Path) != path.Base(diagnose.ConfigPath) {
			continue
		}
		data, err := r.Store.Backup(j.ID, s.Backup)
		if err != nil {
			return ""
		}
		return xrdpconf.ReadServer(xrdpconf.Parse(diagnose.ConfigPath, data), xrdpconf.Version{}, nil).KeyFile
	}
	return ""
}
