package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"

	"xrdpfix/internal/atomicfile"
	"xrdpfix/repair"
	"xrdpfix/service"
)

// Timers arms and disarms deadlines; nil where there is no systemd.
func (m *Machine) Timers(ctx context.Context) repair.Timers {
	bus, err := m.systemd(ctx)
	if err != nil {
		return nil
	}
	return timers{bus}
}

type timers struct{ bus *service.Conn }

func (t timers) StartUnit(ctx context.Context, name string) error { return t.bus.Start(ctx, name) }

func (t timers) StopUnit(ctx context.Context, name string) error {
	err := t.bus.Stop(ctx, name)
	if errors.Is(err, service.ErrNotFound) {
		return nil
	}
	return err
}

// rehearsal marks a run of the service of a deadline as its rehearsal: the
// service takes it away when all is well. Nobody but root can put a name into
// /run.
func rehearsal(id string) string { return "/run/xrdpfix-rehearsal-" + id }

// Rehearse: see repair.Timers.
func (t timers) Rehearse(ctx context.Context, id, name string) error {
	mark := rehearsal(id)
	f, err := os.OpenFile(mark, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_ = f.Close()
	defer func() { _ = os.Remove(mark) }()
	if err := t.bus.Start(ctx, name); err != nil {
		return fmt.Errorf("%w; why: journalctl -u %s", err, name)
	}
	if _, err := os.Lstat(mark); err == nil {
		return fmt.Errorf("%s ran, and was not this xrdpfix", name)
	}
	return nil
}

// Rehearses reports whether this run of the service of a deadline is its
// rehearsal. Then it has looked whether the undoing could replace the given
// files, and the error says where it could not.
func (m *Machine) Rehearses(id string, files []string) (bool, error) {
	if !m.Live() || !journalID.MatchString(id) {
		return false, nil
	}
	if _, err := os.Lstat(rehearsal(id)); err != nil {
		return false, nil //nolint:nilerr // no mark, no rehearsal
	}
	for _, name := range files {
		// A directory that the change makes is not there yet.
		dir := path.Dir(name)
		for {
			st, err := m.root.Stat(dir)
			if err != nil {
				return true, err
			}
			if st.Exists {
				break
			}
			dir = path.Dir(dir)
		}
		if err := m.root.Check(path.Join(dir, rehearsalName), atomicfile.Options{}); err != nil {
			return true, err
		}
	}
	return true, os.Remove(rehearsal(id))
}

// rehearsalName is of no file: whether one could be made is all that is asked.
const rehearsalName = ".xrdpfix-rehearsal"
