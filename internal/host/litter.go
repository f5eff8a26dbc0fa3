package host

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"

	"xrdpfix/diagnose"
	"xrdpfix/internal/atomicfile"
)

// CleanTemps removes what killed runs left: temporary files beside everything
// that we write, and backups whose journal was never written. Nobody else may be
// at work: take the lock first.
func (m *Machine) CleanTemps() error {
	const units = "/etc/systemd/system"
	dirs := []string{
		path.Dir(diagnose.ConfigPath), path.Dir(diagnose.DropInPath), "/etc/xrdpfix",
		units, units + "/timers.target.d", path.Dir(idleDropIn), diagnose.OwnDir,
	}
	for _, target := range m.ConfigTargets() {
		dirs = append(dirs, path.Dir(target))
	}
	pairs, err1 := m.subdirectories(diagnose.OwnDir)
	journals, err2 := m.subdirectories(journalDir)
	dirs = append(append(dirs, pairs...), journals...)
	slices.Sort(dirs)
	errs := []error{err1, err2}
	for _, dir := range slices.Compact(dirs) {
		if _, err := m.root.RemoveTemps(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	for _, dir := range journals {
		errs = append(errs, m.dropOrphan(dir))
	}
	if m.Live() {
		// Nobody but root can put a name into /run.
		left, _ := filepath.Glob(keygenDir + "*")
		for _, dir := range left {
			errs = append(errs, os.RemoveAll(dir))
		}
	}
	return errors.Join(errs...)
}

func (m *Machine) subdirectories(dir string) ([]string, error) {
	list, err := m.root.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var out []string
	for _, e := range list {
		if e.Kind == atomicfile.KindDir {
			out = append(out, path.Join(dir, e.Name))
		}
	}
	return out, err
}

// backupName is the form of the names that repair gives to what it saves.
var backupName = regexp.MustCompile(`^\d{3}\.(old|new)$`)

// dropOrphan removes the directory of an apply that was killed before its
// journal was written: nothing had begun. A directory with anything else in it
// is not ours to judge.
func (m *Machine) dropOrphan(dir string) error {
	list, err := m.root.ReadDir(dir)
	if err != nil || !journalID.MatchString(path.Base(dir)) {
		return err
	}
	for _, e := range list {
		if !backupName.MatchString(e.Name) {
			return nil
		}
	}
	for _, e := range list {
		if err := durable(m.root.Remove(path.Join(dir, e.Name))); err != nil {
			return err
		}
	}
	return durable(m.root.RemoveDir(dir))
}
