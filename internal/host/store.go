package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"xrdpfix/diagnose"
	"xrdpfix/internal/atomicfile"
	"xrdpfix/repair"
)

// Where xrdpfix keeps its journals, and the lock that keeps two runs apart.
const (
	StateDir   = "/var/lib/xrdpfix"
	journalDir = StateDir + "/journal"
	lockName   = "xrdpfix.lock"
)

const maxJournal = 1 << 20

// schema is the newest form of a journal that is known here.
const schema = 1

// journalID is the form of repair.ID: nothing in it can lead out of a directory.
var journalID = regexp.MustCompile(`^\d{8}T\d{6}Z$`)

// ErrUntrusted is the refusal of a journal directory that is not root's alone,
// since a rollback would do what it says.
var ErrUntrusted = errors.New("is not root's alone (0700)")

// ErrNewer tells that a journal is of a newer xrdpfix.
var ErrNewer = errors.New("is of a newer xrdpfix")

// LockedError says that another xrdpfix is at work.
type LockedError struct{ Path string }

func (e *LockedError) Error() string { return "another xrdpfix is at work (" + e.Path + ")" }

// Lock keeps other runs away until the returned function is called, and clears
// what killed ones left.
func (m *Machine) Lock() (unlock func(), err error) {
	name, opts := path.Join("/run", lockName), []flock.Option{flock.SetPermissions(0o600)}
	if !m.Live() {
		// The directory itself is locked: a file would stay in the image.
		name, opts = m.cfg.Root, []flock.Option{flock.SetFlag(os.O_RDONLY)}
	}
	l := flock.New(name, opts...)
	ok, err := l.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	if !ok {
		return nil, &LockedError{name}
	}
	// What killed runs left is litter; what is in the way of its removal will be
	// in the way of the change, which says so.
	_ = m.CleanTemps()
	return func() { _ = l.Unlock() }, nil
}

// Store keeps journals under StateDir.
func (m *Machine) Store() repair.Store { return &store{m.root} }

type store struct{ root *atomicfile.Root }

var rootOnly = atomicfile.Attr{Mode: 0o700}

// trusted refuses a directory that another user could have filled.
func (s *store) trusted(dir string) error {
	st, err := s.root.Lstat(dir)
	if err != nil || !st.Exists {
		return err
	}
	if st.Kind != atomicfile.KindDir || st.UID != 0 || st.Mode&0o077 != 0 {
		return &fs.PathError{Op: "use", Path: dir, Err: ErrUntrusted}
	}
	return nil
}

func (s *store) dir(id string) (string, error) {
	if !journalID.MatchString(id) {
		return "", fmt.Errorf("journal id %q: %w", id, repair.ErrNoJournal)
	}
	return path.Join(journalDir, id), nil
}

func (s *store) Begin(id string) error {
	dir, err := s.dir(id)
	if err != nil {
		return err
	}
	if _, err := s.root.MkdirAll(StateDir, atomicfile.Attr{Mode: 0o755}); err != nil {
		return err
	}
	if _, err := s.root.MkdirAll(journalDir, rootOnly); err != nil {
		return err
	}
	if err := s.trusted(journalDir); err != nil {
		return err
	}
	made, err := s.root.MkdirAll(dir, rootOnly)
	if err == nil && len(made) == 0 {
		return fmt.Errorf("journal %s: %w", id, fs.ErrExist)
	}
	return err
}

func (s *store) write(id, name string, data []byte) error {
	dir, err := s.dir(id)
	if err != nil {
		return err
	}
	_, err = s.root.Write(path.Join(dir, name), data, atomicfile.Attr{Mode: 0o600}, atomicfile.Options{})
	return durable(err)
}

func (s *store) SaveBackup(id, name string, data []byte) error { return s.write(id, name, data) }

func (s *store) Backup(id, name string) ([]byte, error) {
	dir, err := s.dir(id)
	if err != nil {
		return nil, err
	}
	if name == "" || path.Base(name) != name {
		return nil, fmt.Errorf("backup name %q", name)
	}
	return s.root.ReadFile(path.Join(dir, name), maxPair)
}

func (s *store) Save(j repair.Journal) error {
	data, err := json.MarshalIndent(j, "", "  ")
	if err != nil {
		return err
	}
	return s.write(j.ID, "journal.json", append(data, '\n'))
}

func (s *store) Load(id string) (repair.Journal, error) {
	var j repair.Journal
	dir, err := s.dir(id)
	if err != nil {
		return j, err
	}
	for _, d := range []string{journalDir, dir} {
		if err := s.trusted(d); err != nil {
			return j, err
		}
	}
	data, err := s.root.ReadFile(path.Join(dir, "journal.json"), maxJournal)
	if errors.Is(err, fs.ErrNotExist) {
		return j, fmt.Errorf("journal %s: %w", id, repair.ErrNoJournal)
	}
	if err != nil {
		return j, err
	}
	if err := json.Unmarshal(data, &j); err != nil {
		return j, fmt.Errorf("journal %s: %w", id, withoutContents(err))
	}
	switch {
	case j.ID != id:
		return j, fmt.Errorf("journal %s says that it is %q", id, j.ID)
	case j.Schema > schema || !j.State.Known():
		return j, fmt.Errorf("journal %s, schema %d, state %q: %w", id, j.Schema, j.State, ErrNewer)
	}
	return j, nil
}

// withoutContents says where a file is not what it should be, and not what is
// there: a damaged file can hold anything.
func withoutContents(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("not JSON at byte %d", syntax.Offset)
	case errors.As(err, &kind):
		return fmt.Errorf("%s is wrong at byte %d", kind.Type, kind.Offset)
	}
	return errors.New("not the JSON of a journal")
}

func (s *store) Forget(id string) (string, error) {
	dir, err := s.dir(id)
	if err != nil {
		return "", err
	}
	if err := s.trusted(dir); err != nil {
		return "", err
	}
	list, err := s.root.ReadDir(dir)
	if err != nil {
		return "", err
	}
	// The journal goes first: without it the backups mean nothing to anybody.
	slices.SortFunc(list, func(a, b atomicfile.Entry) int { return strings.Compare(b.Name, a.Name) })
	for _, e := range list {
		if err := durable(s.root.Remove(path.Join(dir, e.Name))); err != nil {
			return "", err
		}
	}
	return dir, durable(s.root.RemoveDir(dir))
}

func (s *store) List() ([]repair.Journal, error) {
	list, err := s.root.ReadDir(journalDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = s.trusted(journalDir)
	}
	if err != nil {
		return nil, err
	}
	var out []repair.Journal
	for _, e := range list {
		j, err := s.Load(e.Name)
		if errors.Is(err, repair.ErrNoJournal) {
			continue // killed before the journal was written: nothing had begun
		}
		if errors.Is(err, ErrUntrusted) || errors.Is(err, fs.ErrPermission) {
			return nil, err
		}
		if err != nil {
			j = damaged(e.Name, err)
		}
		out = append(out, j)
	}
	slices.SortFunc(out, func(a, b repair.Journal) int { return strings.Compare(b.ID, a.ID) })
	return out, nil
}

// damaged stands for a journal that cannot be read.
func damaged(id string, why error) repair.Journal {
	started, _ := time.Parse("20060102T150405Z", id)
	return repair.Journal{Schema: schema, ID: id, Started: started, State: repair.StateDamaged, Damage: why.Error(), Place: path.Join(journalDir, id)}
}

// applied sums up the journals for the facts. Only root can read them.
func (m *Machine) applied() ([]diagnose.AppliedSummary, error) {
	list, err := m.Store().List()
	if err != nil {
		return nil, err
	}
	out := []diagnose.AppliedSummary{}
	for _, j := range list {
		sum := diagnose.AppliedSummary{ID: j.ID, Time: j.Started, State: string(j.State), Problem: j.Damage, Place: j.Place, Files: map[string]string{}}
		if j.Unfinished() {
			sum.State = "unfinished"
		}
		if d := j.Deadline; d != nil && !j.Unfinished() {
			sum.Until, sum.Temporary = d.At, d.Kind == repair.DeadlineTemporary
		}
		for _, st := range j.Steps {
			if st.Op == repair.OpWrite && !st.Own && !st.Undo {
				sum.Files[st.Path] = st.After.SHA256
			}
		}
		out = append(out, sum)
	}
	return out, nil
}
