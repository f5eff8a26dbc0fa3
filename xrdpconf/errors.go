package xrdpconf

import (
	"errors"
	"fmt"
)

// Errors of edits. The typed errors below carry the details.
var (
	// ErrUnwritable is a value or a key that xrdp could not read back.
	ErrUnwritable = errors.New("xrdp could not read it back")
	// ErrCut is an edit whose target lies where xrdp does not read.
	ErrCut = errors.New("xrdp does not read that part of the file")
	// ErrNoSection is an edit in a section that is not there and must not be made up.
	ErrNoSection = errors.New("the section does not exist")
	// ErrSideEffect is an edit that would change more than was planned, such as one
	// that pushes other keys beyond the first 32 KiB.
	ErrSideEffect = errors.New("the edit would change more than planned")
	// ErrCrossRead is an edit after which gopkg.in/ini.v1, which understood the file
	// before, reads it differently from xrdp.
	ErrCrossRead = errors.New("ini.v1 reads the edited file differently")
)

var errRangeOrder = errors.New("the minimum is above the maximum")

// ValueError says why a change cannot be written. It matches [ErrUnwritable]. It
// does not carry the value, which may be a secret.
type ValueError struct {
	Section, Key string
	Reason       string
}

// Error names the key and the reason.
func (e *ValueError) Error() string {
	if e.Key == "" {
		return fmt.Sprintf("edit [%s]: %s", e.Section, e.Reason)
	}
	return fmt.Sprintf("write %s in [%s]: %s", e.Key, e.Section, e.Reason)
}

// Unwrap returns [ErrUnwritable].
func (e *ValueError) Unwrap() error { return ErrUnwritable }

// CutError says where reading ends before the target of a change. It matches [ErrCut].
type CutError struct {
	Section, Key string
	Cut          Cut
}

// Error names the key, the line and the reason.
func (e *CutError) Error() string {
	return fmt.Sprintf("write %s in [%s]: line %d: %s", e.Key, e.Section, e.Cut.Line, e.Cut.Reason)
}

// Unwrap returns [ErrCut].
func (e *CutError) Unwrap() error { return ErrCut }

// SectionError names a section that is not there. It matches [ErrNoSection].
type SectionError struct {
	File, Section string
}

// Error names the file and the section.
func (e *SectionError) Error() string {
	return fmt.Sprintf("edit %s: no [%s] section", e.File, e.Section)
}

// Unwrap returns [ErrNoSection].
func (e *SectionError) Unwrap() error { return ErrNoSection }

// EffectError names the first key whose value the edit would change unasked. It
// matches [ErrSideEffect] or [ErrCrossRead].
type EffectError struct {
	File, Section, Key string
	Kind               error
}

// Error names the file and the key.
func (e *EffectError) Error() string {
	return fmt.Sprintf("edit %s: [%s] %s: %s", e.File, e.Section, e.Key, e.Kind)
}

// Unwrap returns the sentinel.
func (e *EffectError) Unwrap() error { return e.Kind }

// RangeError is a declared TLS version that means nothing.
type RangeError struct {
	Key   string
	Value Value
	Err   error
}

// Error names the line and what is wrong with it.
func (e *RangeError) Error() string {
	return fmt.Sprintf("line %d: %s: %s", e.Value.Line, e.Key, e.Err)
}

// Unwrap returns the cause.
func (e *RangeError) Unwrap() error { return e.Err }
