package logwatch

import (
	"bytes"
	"errors"
	"io"
	"strings"
)

// chunkSize is how much is read at once: large enough that a chunk costs
// nothing beside its lines, small enough to stay in the processor's cache.
const chunkSize = 256 << 10

// scanner cuts a stream into lines. At the end of the stream it keeps an
// unfinished line and can be asked again when the stream has grown. A line
// longer than maxLine is cut there and its rest dropped, so that a log without
// line feeds costs bounded memory.
type scanner struct {
	r      io.Reader
	buf    []byte // an unfinished line, n bytes
	n      int
	offset int64 // where buf begins in the stream
	skip   bool  // within the rest of a line that was cut

	chunk string // whole lines, never changed: lines share its memory
	at    int64  // where chunk begins in the stream

	claimed int64 // up to here a client may have written lines
	cut     bool  // the stream ended where more was announced: a packed file that is not whole
}

func newScanner(r io.Reader, offset int64) *scanner {
	return &scanner{r: r, buf: make([]byte, chunkSize), offset: offset}
}

// next returns a line without its line feed and where it begins. The error is
// io.EOF where the stream has no further whole line now.
func (s *scanner) next() (string, int64, error) {
	for {
		if s.chunk != "" {
			i := strings.IndexByte(s.chunk, '\n')
			line, at := s.chunk[:i], s.at
			s.chunk, s.at = s.chunk[i+1:], s.at+int64(i)+1
			return line, at, nil
		}
		if err := s.fill(); err != nil {
			return "", 0, err
		}
	}
}

// rest returns the unfinished line at the end, and forgets it.
func (s *scanner) rest() (string, int64) {
	line, at := string(s.buf[:min(s.n, maxLine)]), s.offset
	s.offset, s.n = s.offset+int64(s.n), 0
	if s.skip {
		return "", at
	}
	return line, at
}

// end returns the offset up to which the stream has been read.
func (s *scanner) end() int64 { return s.offset + int64(s.n) }

// fill reads once and makes the whole lines among what it has the next chunk.
func (s *scanner) fill() error {
	n, err := s.r.Read(s.buf[s.n:])
	if n == 0 {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			s.cut, err = true, io.EOF
		}
		if err == nil {
			err = io.EOF
		}
		return err
	}
	s.accept(s.n + n)
	return nil
}

// accept takes the first n bytes of buf as read.
func (s *scanner) accept(n int) {
	data := s.buf[:n]
	if s.skip {
		i := bytes.IndexByte(data, '\n')
		if i < 0 {
			s.offset, s.n = s.offset+int64(n), 0
			return
		}
		s.skip = false
		s.offset += int64(i) + 1
		data = data[i+1:]
	}
	if i := bytes.LastIndexByte(data, '\n'); i >= 0 {
		s.chunk, s.at = string(data[:i+1]), s.offset
		s.offset += int64(i) + 1
		data = data[i+1:]
	}
	s.n = copy(s.buf, data)
	if s.n == len(s.buf) {
		s.chunk, s.at = string(s.buf[:maxLine])+"\n", s.offset
		s.offset, s.n, s.skip = s.offset+int64(s.n), 0, true
	}
}
