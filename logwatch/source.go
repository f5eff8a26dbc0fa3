package logwatch

import (
	"bytes"
	"errors"
	"io"
	"os"
	"syscall"
)

// source is one file that is being followed. It is kept open, so that its inode
// is not used again and it can be read after it was renamed or removed.
type source struct {
	file *os.File
	id   identity
	scan *scanner
	head []byte // the file's first bytes, at most printSize, as they were read
	near []byte // the bytes before end, as many
}

func openSource(path string) (*source, error) {
	f, info, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	return &source{file: f, id: identityOf(info), scan: newScanner(nil, 0)}, nil
}

func (s *source) close() { _ = s.file.Close() }

// end returns the offset up to which the file has been read.
func (s *source) end() int64 { return s.scan.end() }

// seek goes to a mark and reports whether the file has its content.
func (s *source) seek(m Mark) bool {
	n := min(m.Offset, printSize)
	head, near := make([]byte, n), make([]byte, n)
	for _, p := range [...]struct {
		part []byte
		at   int64
	}{{head, 0}, {near, m.Offset - n}} {
		if k, err := s.file.ReadAt(p.part, p.at); k < len(p.part) || err != nil && !errors.Is(err, io.EOF) {
			return false
		}
	}
	if m.Offset > 0 && hashOf(head, near) != m.Print {
		return false
	}
	s.head, s.near = head, near
	s.scan = newScanner(nil, m.Offset)
	return true
}

// removed reports whether the file has no name any more.
func (s *source) removed() bool {
	info, err := s.file.Stat()
	if err != nil {
		return true
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Nlink == 0
}

// rewind begins again at the start of a file that was emptied.
func (s *source) rewind() {
	s.scan = newScanner(nil, 0)
	s.head, s.near = nil, nil
}

// print identifies the content read so far, as a mark's does.
func (s *source) print() string {
	if s.end() == 0 {
		return ""
	}
	return hashOf(s.head, s.near)
}

// read takes the next piece of the file. The error is io.EOF where there is
// none now, and errMoved where the file was emptied since the last read, even
// if it has grown again meanwhile.
func (s *source) read() error {
	n, err := s.peek()
	if err != nil {
		return err
	}
	if n == 0 {
		return io.EOF
	}
	s.accept(n)
	return nil
}

// peek reads the next piece into the scanner's room and returns its length.
// Nothing is taken until accept is called.
func (s *source) peek() (int, error) {
	n, err := s.file.ReadAt(s.scan.buf[s.scan.n:], s.end())
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	// The check comes after the read: what was read before an emptying is
	// good, what was read after it is not what follows.
	if emptied, err := s.emptied(); err != nil || emptied {
		if emptied {
			err = errMoved
		}
		return 0, err
	}
	return n, nil
}

// beginning returns the first bytes that the file has now.
func (s *source) beginning() ([]byte, error) {
	head := make([]byte, printSize)
	n, err := s.file.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return head[:n], nil
}

// accept takes what peek has read.
func (s *source) accept(n int) {
	data := s.scan.buf[s.scan.n : s.scan.n+n]
	if len(s.head) < printSize {
		s.head = append(s.head, data[:min(n, printSize-len(s.head))]...)
	}
	s.near = append(s.near, data[max(0, n-printSize):]...)
	s.near = s.near[max(0, len(s.near)-printSize):]
	s.scan.accept(s.scan.n + n)
}

// emptied reports whether the file no longer begins as it did, or is shorter
// than what was read of it.
func (s *source) emptied() (bool, error) {
	info, err := s.file.Stat()
	if err != nil {
		return false, err
	}
	if info.Size() < s.end() {
		return true, nil
	}
	head := make([]byte, len(s.head))
	if n, err := s.file.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return false, err
	} else if n < len(head) {
		return true, nil
	}
	return !bytes.Equal(head, s.head), nil
}
