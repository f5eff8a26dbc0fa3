package logwatch

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Mark is a place in a log, between two lines. It stays good over rotation and
// can be kept as JSON.
type Mark struct {
	// Path is the log.
	Path string `json:"path"`
	// Dev and Ino are the file that the log was, 0 where it did not exist.
	Dev uint64 `json:"dev"`
	Ino uint64 `json:"ino"`
	// Offset is the place, in bytes from the file's beginning.
	Offset int64 `json:"offset"`
	// Print identifies the content before the place, so that the place is
	// known again in a copy, and a file that was emptied and has grown again
	// is noticed.
	Print string `json:"print,omitempty"`
	// Prior is the inode of the newest rotated predecessor that there was.
	Prior uint64 `json:"prior,omitempty"`
}

// printSize is how much of a file's beginning, and of what stands before a
// place, identify it. Lines begin with a time, so this is never all alike.
const printSize = 256

// End returns the mark behind the last whole line of a log. If the log does not
// exist, the error wraps [fs.ErrNotExist] and the mark is good nevertheless: it
// stands at the beginning of the file that will be made.
func End(path string) (Mark, error) {
	m := Mark{Path: path}
	gens, err := predecessors(path)
	if err != nil {
		return m, fmt.Errorf("mark %s: %w", path, err)
	}
	if len(gens) > 0 {
		m.Prior = gens[0].id.ino
	}
	f, info, err := openRegular(path)
	if err != nil {
		return m, fmt.Errorf("mark: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	id := identityOf(info)
	m.Dev, m.Ino = id.dev, id.ino
	if m.Offset, err = lastLineEnd(f, info.Size()); err != nil {
		return m, fmt.Errorf("mark %s: %w", path, err)
	}
	if m.Print, err = printOf(f, m.Offset); err != nil {
		return m, fmt.Errorf("mark %s: %w", path, err)
	}
	return m, nil
}

// lastLineEnd finds where the last whole line ends. A line in the making is
// left to the reader that comes later.
func lastLineEnd(f *os.File, size int64) (int64, error) {
	n := min(size, maxLine)
	tail := make([]byte, n)
	read, err := f.ReadAt(tail, size-n)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	if i := bytes.LastIndexByte(tail[:read], '\n'); i >= 0 {
		return size - n + int64(i) + 1, nil
	}
	if n < size {
		return size, nil // within a monster of a line
	}
	return 0, nil
}

// printOf identifies the content of a stream before a place; "" for the
// beginning. The error is io.ErrUnexpectedEOF where the stream is shorter.
func printOf(r io.ReaderAt, offset int64) (string, error) {
	if offset == 0 {
		return "", nil
	}
	n := min(offset, printSize)
	both := make([]byte, 2*n)
	for i, at := range [...]int64{0, offset - n} {
		part := both[int64(i)*n : int64(i+1)*n]
		if k, err := r.ReadAt(part, at); k < len(part) {
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return "", err
		}
	}
	return hashOf(both[:n], both[n:]), nil
}

// hashOf makes the print of a beginning and of what stands before the place.
func hashOf(head, near []byte) string {
	h := sha256.New()
	h.Write(head)
	h.Write(near)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// isCopy reports whether a rotated file has the content before a place that a
// print was made of, packed or not.
// The error is errMoved where that could not be seen.
func (g generation) isCopy(print string, offset int64) (bool, error) {
	if print == "" || g.pack == "" && g.size < offset {
		return false, nil
	}
	r, err := g.open()
	if errors.Is(err, errMoved) {
		return false, err
	}
	if err != nil {
		return false, nil //nolint:nilerr // what cannot be read cannot be known again
	}
	defer r.Close() //nolint:errcheck // only read
	if at, ok := r.(io.ReaderAt); ok {
		got, err := printOf(at, offset)
		return err == nil && got == print, nil
	}
	n := min(offset, printSize)
	head := make([]byte, n)
	if _, err := io.ReadFull(r, head); err != nil {
		return false, nil //nolint:nilerr // too short
	}
	near := make([]byte, n)
	keep := 0
	if skip := offset - 2*n; skip >= 0 {
		if _, err := io.CopyN(io.Discard, r, skip); err != nil {
			return false, nil //nolint:nilerr // too short
		}
	} else { // the two overlap
		keep = copy(near, head[offset-n:])
	}
	if _, err := io.ReadFull(r, near[keep:]); err != nil {
		return false, nil //nolint:nilerr // too short
	}
	return hashOf(head, near) == print, nil
}

// findCopy returns the index of the youngest rotated file that isCopy accepts, -1
// for none.
func findCopy(gens []generation, print string, offset int64) (int, error) {
	for i, g := range gens {
		if is, err := g.isCopy(print, offset); is || err != nil {
			return i, err
		}
	}
	return -1, nil
}

// absent reports whether an error means that the file does not exist.
func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) }
