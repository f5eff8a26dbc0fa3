package repair

import (
	"errors"
	"fmt"
	"path"

	"xrdpfix/certs"
	"xrdpfix/probe"
)

// work is a plan made ready: contents in memory, and the journal to write first.
type work struct {
	journal  Journal
	contents map[string][]byte // new contents by path
	backups  map[string][]byte // old contents by backup name
	cert     *certs.CertInfo
}

// served is the fingerprint that must be on the wire.
func (w work) served(e Expectation) string {
	if w.cert != nil && e.Selected != probe.ProtocolRDP {
		return w.cert.SHA256
	}
	return e.CertSHA256
}

// prepare makes keys and reads originals; it changes nothing.
func (r *Runner) prepare(p Plan) (work, error) {
	w := work{
		contents: map[string][]byte{}, backups: map[string][]byte{},
		journal: Journal{
			Schema: 1, ID: p.ID, Tool: r.Tool, Started: r.Now(), State: StateBegun,
			NeededRestart: (p.Unit.Needed || p.Unit.Reload) && p.Unit.Action == ActionRestart, Because: p.Because,
		},
	}
	if err := r.deadline(p, &w); err != nil {
		return w, err
	}
	if err := r.keygen(p.Keygen, &w); err != nil {
		return w, err
	}
	reload := p.Unit.Reload
	for _, c := range p.Files {
		// Unit files and what they name are inert until a restart and come
		// first; the pair precedes xrdp.ini, whose change makes it effective.
		if c.Path == p.Ini {
			w.reload(&reload)
			if err := r.identity(p, &w); err != nil {
				return w, err
			}
		}
		if err := r.file(c, &w); err != nil {
			return w, err
		}
	}
	w.reload(&reload)
	switch p.Unit.Action {
	case ActionStart:
		w.add(Step{Op: OpStart})
	case ActionRestart:
		w.add(Step{Op: OpRestart})
	case ActionNone:
	}
	return w, nil
}

func (w *work) add(s Step) { w.journal.Steps = append(w.journal.Steps, s) }

func (w *work) reload(due *bool) {
	if *due {
		w.add(Step{Op: OpReload})
		*due = false
	}
}

// file plans the steps of one file, its missing directories included.
func (r *Runner) file(c FileChange, w *work) error {
	s := Step{Op: OpWrite, Path: c.Target, Before: c.Before, After: c.After, InPlace: c.InPlace}
	if c.Before.Exists {
		data, err := r.System.Read(c.Target)
		if err != nil {
			return fmt.Errorf("read %s: %w", c.Target, err)
		}
		if sum(data) != c.Before.SHA256 {
			return fmt.Errorf("%s: %w", c.Target, ErrStale)
		}
		s.Backup = fmt.Sprintf("%03d.old", len(w.backups))
		w.backups[s.Backup] = data
	} else if err := r.directories(path.Dir(c.Target), w); err != nil {
		return err
	}
	if c.Kind == FileRemove {
		s.Op = OpRemove
	}
	w.contents[c.Target] = c.Data
	switch c.Kind {
	case FileAttributes:
		w.contents[c.Target] = w.backups[s.Backup]
	case FileEdit, FileCreate:
		s.Written = fmt.Sprintf("%03d.new", len(w.backups))
		w.backups[s.Written] = c.Data
	}
	w.add(s)
	return nil
}

// keygen makes a missing rsakeys.ini in memory.
func (r *Runner) keygen(k *KeygenChange, w *work) error {
	if k == nil {
		return nil
	}
	if r.Keygen == nil {
		return errors.New("no xrdp-keygen here")
	}
	r.say("making %s", k.Path)
	data, err := r.Keygen()
	if err != nil {
		return fmt.Errorf("make %s: %w", k.Path, err)
	}
	w.contents[k.Path] = data
	w.add(Step{Op: OpWrite, Path: k.Path, After: FileState{Exists: true, SHA256: sum(data), Mode: 0o640, GID: k.GID}})
	return nil
}

// directories plans the missing directories down to dir, 0755 and root's.
func (r *Runner) directories(dir string, w *work) error {
	var missing []string
	for d := dir; d != "/" && d != "."; d = path.Dir(d) {
		st, err := r.System.Stat(d)
		if err != nil {
			return fmt.Errorf("look at %s: %w", d, err)
		}
		if st.Exists || w.makes(d) {
			break
		}
		missing = append(missing, d)
	}
	for i := len(missing) - 1; i >= 0; i-- {
		w.add(Step{Op: OpMkdir, Path: missing[i], After: FileState{Exists: true, Mode: 0o755}})
	}
	return nil
}

func (w *work) makes(dir string) bool {
	for _, s := range w.journal.Steps {
		if s.Op == OpMkdir && s.Path == dir {
			return true
		}
	}
	return false
}

// identity makes or copies the pair and plans its files.
func (r *Runner) identity(p Plan, w *work) error {
	id := p.Identity
	if id == nil {
		return nil
	}
	cert, key, err := r.pair(id)
	if err != nil {
		return err
	}
	pair := certs.Inspect(cert, key)
	if len(pair.Problems) > 0 || !pair.Match {
		return fmt.Errorf("the new pair is not usable: %v", pair.Problems)
	}
	w.cert = &pair.Cert
	w.journal.Dir = id.Dir
	if err := r.directories(path.Dir(id.Dir), w); err != nil {
		return err
	}
	w.add(Step{Op: OpMkdir, Path: id.Dir, After: FileState{Exists: true, Mode: 0o755}, Own: true})
	files := []ownFile{{id.KeyPath, key, 0o640, id.KeyGID}, {id.CertPath, cert, 0o644, 0}}
	if id.Copy || id.Install != nil {
		files = append(files, ownFile{path.Join(id.Dir, SourceName), []byte(id.source() + "\n"), 0o644, 0})
	}
	for _, f := range files {
		w.contents[f.path] = f.data
		w.add(Step{Op: OpWrite, Path: f.path, Own: true, After: FileState{Exists: true, SHA256: sum(f.data), Mode: f.mode, GID: f.gid}})
	}
	return nil
}

// ownFile is a file of a new pair's directory.
type ownFile struct {
	path string
	data []byte
	mode Mode
	gid  int
}

// SourceName is the file beside a pair that came from elsewhere: it names the
// original, so that its renewal is noticed, and is empty where there is none to
// watch. A pair with such a file is never renewed unasked.
const SourceName = "source"

// source is the certificate file that a pair was copied from, "" for none.
func (id *IdentityChange) source() string {
	switch {
	case id.Copy:
		return id.CopyCert
	case id.Install != nil:
		return id.Install.Source
	}
	return ""
}

func (r *Runner) pair(id *IdentityChange) (cert, key []byte, err error) {
	if id.Install != nil {
		return r.Pair.Cert, r.Pair.Key, nil
	}
	if !id.Copy {
		r.say("making a key and a certificate")
		return certs.SelfSigned(r.Rand, r.Now(), id.Request)
	}
	cert, err1 := r.System.Read(id.CopyCert)
	key, err2 := r.System.Read(id.CopyKey)
	return cert, key, errors.Join(err1, err2)
}
