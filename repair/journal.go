package repair

import (
	"context"
	"time"

	"xrdpfix/diagnose"
)

// State is how far an apply came.
type State string

// The states of a journal. Confirmed, rolled back and kept are final.
const (
	StateBegun      State = "begun"       // changes may have been made; unfinished if nobody works on it
	StateUndoing    State = "undoing"     // a rollback of a proven or kept change was begun; likewise
	StateConfirmed  State = "confirmed"   // proven
	StateRolledBack State = "rolled-back" // put back, by itself or by rollback
	StateKept       State = "kept"        // not proven, and kept because --no-rollback said so
	// StateDamaged is of a journal that cannot be read. No file says it.
	StateDamaged State = "damaged"
)

// Op is what a step does.
type Op string

// The operations.
const (
	OpMkdir   Op = "mkdir"
	OpWrite   Op = "write"
	OpRemove  Op = "remove"
	OpReload  Op = "reload"
	OpRestart Op = "restart"
	OpStart   Op = "start"
	OpArm     Op = "arm" // start the timer of a deadline
	// OpRehearse runs the unit of a deadline once, without effect.
	OpRehearse Op = "rehearse"
)

// Step is one recorded effect. A step is written down before it is done, so
// after a kill the file itself tells on which side of it we are.
type Step struct {
	Op     Op        `json:"op"`
	Path   string    `json:"path,omitempty"`
	Before FileState `json:"before"`
	After  FileState `json:"after"`
	// Backup is the name of the saved contents in the journal's directory.
	Backup string `json:"backup,omitempty"`
	// Written is the name of the new contents there, "" for those of a key or of
	// a file that only changed its attributes.
	Written string `json:"written,omitempty"`
	InPlace bool   `json:"in_place,omitempty"`
	// Own marks a part of a new pair.
	Own bool `json:"own,omitempty"`
	// Undo marks a part of what undoes the change by itself.
	Undo bool `json:"undo,omitempty"`
	// Unit is the timer that OpArm starts, or the service that OpRehearse does.
	Unit string `json:"unit,omitempty"`
	Done bool   `json:"done"`
}

// Journal is the record of one apply. It holds no secret: contents are in
// backups beside it, mode 0600.
type Journal struct {
	Schema  int       `json:"schema"`
	ID      string    `json:"id"`
	Tool    string    `json:"tool"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended,omitzero"`
	State   State     `json:"state"`
	Steps   []Step    `json:"steps"`
	// NeededRestart: the restart brought something into effect that xrdp reads at
	// its start only, so undoing it needs one too.
	NeededRestart bool            `json:"needed_restart"`
	Because       []diagnose.Code `json:"because"`
	Verdict       *Verdict        `json:"verdict,omitempty"`
	Dir           string          `json:"dir,omitempty"` // of the new pair
	// Deadline is when the change is undone by itself; nil where it stays.
	Deadline *Deadline `json:"deadline,omitempty"`
	// Damage says why a damaged journal cannot be read, and Place where it is.
	Damage string `json:"-"`
	Place  string `json:"-"`
}

// Known reports whether this is a state that a journal can have on disk.
func (s State) Known() bool {
	switch s {
	case StateBegun, StateUndoing, StateConfirmed, StateRolledBack, StateKept:
		return true
	case StateDamaged:
	}
	return false
}

// Unfinished reports whether the apply, or its undoing, was interrupted.
func (j Journal) Unfinished() bool { return j.State == StateBegun || j.State == StateUndoing }

// System is the only way to change anything. Paths are absolute and already
// resolved; every call is durable when it returns.
type System interface {
	Stat(path string) (FileState, error)
	// Read returns the contents of a regular file, however long.
	Read(path string) ([]byte, error)
	// Write replaces a file by one with exactly this state, atomically, or in
	// place where inPlace says so. The extended attributes of the old file stay.
	Write(path string, data []byte, want FileState, inPlace bool) error
	Remove(path string) error
	// Mkdir makes one directory, or sets the attributes of an existing one.
	Mkdir(path string, mode Mode, uid, gid int) error
	// Rmdir removes an empty directory; one that is not empty stays, without error.
	Rmdir(path string) error
	Reload(ctx context.Context) error
	// Start, Restart and Stop act on xrdp; the first two return when the port
	// accepts, and how long that took.
	Start(ctx context.Context) (time.Duration, error)
	Restart(ctx context.Context) (time.Duration, error)
	Stop(ctx context.Context) error
}

// Timers starts and stops the units of a deadline.
type Timers interface {
	StartUnit(ctx context.Context, name string) error
	// Rehearse runs the service of a deadline, which does nothing this once but
	// look whether it could; the error says why not.
	Rehearse(ctx context.Context, id, name string) error
	// StopUnit is no error for a unit that does not run or does not exist.
	StopUnit(ctx context.Context, name string) error
}

// Observer is the only way to look afterwards.
type Observer interface {
	Observe(ctx context.Context, want Expectation) Observation
}

// Store keeps journals and backups; every call is durable when it returns.
type Store interface {
	// Begin makes the journal's directory; it fails if the id is taken.
	Begin(id string) error
	SaveBackup(id, name string, data []byte) error
	Backup(id, name string) ([]byte, error)
	Save(j Journal) error
	// Load returns ErrNoJournal for an unknown id.
	Load(id string) (Journal, error)
	// Forget removes a journal with its backups and returns where it was.
	Forget(id string) (dir string, err error)
	// List returns all journals, newest first. One that cannot be read is among
	// them, as StateDamaged: what it was about is not known, so a caller that goes
	// on without it must say so.
	List() ([]Journal, error)
}
