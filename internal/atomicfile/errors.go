package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"
)

// The errors that callers branch on; they come wrapped in *fs.PathError. A
// missing file is fs.ErrNotExist, a forbidden one fs.ErrPermission.
var (
	// ErrNotRegular: a directory, FIFO, socket or device where a file is wanted.
	// It was not opened.
	ErrNotRegular = errors.New("not a regular file")
	// ErrTooLarge: the file is longer than the caller's limit.
	ErrTooLarge = errors.New("file too large")
	// ErrChanged: the file is not, or no longer, what the caller expected.
	ErrChanged = errors.New("changed by someone else")
	// ErrUntrustedLink: the path leads through a symbolic link whose owner is
	// neither root nor the owner of the file behind it. Only root is told so.
	ErrUntrustedLink = errors.New("symbolic link of another user")
	// ErrHardLinked: writing in place would change the file under another name.
	ErrHardLinked = errors.New("file has more than one name")
	// ErrNotReplaceable matches every *NotReplaceableError.
	ErrNotReplaceable = errors.New("file cannot be replaced")
	// ErrAttributes: the file system did not keep the owner, mode or attributes
	// that were set.
	ErrAttributes = errors.New("owner, mode or attributes were not kept")
	// ErrNotDurable: the change is visible, but the directory could not be
	// written to disk, so a power failure may undo it.
	ErrNotDurable = errors.New("change may not survive a power failure")
)

// Reason says why a file cannot be replaced by rename.
type Reason string

// The reasons of a NotReplaceableError.
const (
	// ReasonMountPoint: the file itself is a mount point, typically a single
	// file bind-mounted into a container; rename gives EBUSY.
	ReasonMountPoint Reason = "mount-point"
	// ReasonReadOnly: the file system or the mount is read-only (EROFS).
	ReasonReadOnly Reason = "read-only"
	// ReasonImmutable: the file or its directory has the immutable flag of
	// chattr(1); not even root may change it (EPERM).
	ReasonImmutable Reason = "immutable"
	// ReasonAppendOnly: the same with the append-only flag.
	ReasonAppendOnly Reason = "append-only"
)

// NotReplaceableError tells that rename cannot work on Path whatever the
// caller's rights are, and why.
type NotReplaceableError struct {
	Path   string // inside the root, links resolved
	Reason Reason
}

func (e *NotReplaceableError) Error() string {
	switch e.Reason {
	case ReasonMountPoint:
		return fmt.Sprintf("replace %s: it is a mount point of its own", e.Path)
	case ReasonReadOnly:
		return fmt.Sprintf("replace %s: the file system is read-only", e.Path)
	default:
		return fmt.Sprintf("replace %s: it or its directory is %s", e.Path, e.Reason)
	}
}

// Is makes every NotReplaceableError match ErrNotReplaceable.
func (e *NotReplaceableError) Is(target error) bool { return target == ErrNotReplaceable }

// replaceFault gives the errors of rename(2) and its companions their reason,
// for what changed after Check.
func replaceFault(path string, err error) error {
	switch {
	case errors.Is(err, unix.EBUSY), errors.Is(err, unix.EXDEV):
		return &NotReplaceableError{path, ReasonMountPoint}
	case errors.Is(err, unix.EROFS):
		return &NotReplaceableError{path, ReasonReadOnly}
	default:
		return err
	}
}

func pathError(op, path string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}
