package logwatch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// HistoryOptions says which part of a log [History] reads.
type HistoryOptions struct {
	// Location is the time zone of the host; nil is UTC.
	Location *time.Location
	// Since and Until bound the lines by time; the zero time is no bound.
	// Lines outside are not delivered.
	Since, Until time.Time
	// Tail is how many bytes of a file that is not packed are read at most, from its
	// end; 0 is all of them.
	Tail int64
}

// HistoryFile is one file that [History] met.
type HistoryFile struct {
	Path  string
	Bytes int64 // read, unpacked
	Lines int64 // of xrdp, within the bounds
	Err   error // why it could not be read whole, or nil
}

// History reads a log and its rotated predecessors, compressed ones included,
// oldest first, and calls fn for each line that xrdp wrote. It ends at the first
// error of fn, which it returns. A file that cannot be read is named in the
// result and left out; only when the log itself cannot be opened, for another
// reason than being absent, is that an error. Entries share memory with the
// piece of file that they came from: clone what is kept long.
func History(ctx context.Context, path string, o HistoryOptions, fn func(Entry) error) ([]HistoryFile, error) {
	gens, err := stablePredecessors(path)
	if err != nil {
		return nil, fmt.Errorf("read the history of %s: %w", path, err)
	}
	current, info, err := openRegular(path)
	if err != nil && !absent(err) {
		return nil, fmt.Errorf("read the history: %w", err)
	}
	if err == nil {
		_ = current.Close()
		self := generation{path: path, id: identityOf(info), size: info.Size(), mtime: info.ModTime()}
		if len(gens) > 0 && gens[0].pack == "" && sameBeginning(path, gens[0].path) {
			gens = gens[1:] // copytruncate is at work: the copy is still whole in the log
		}
		gens = slices.Insert(gens, 0, self)
	}
	var files []HistoryFile
	for _, g := range slices.Backward(gens) {
		// Nothing in a file is younger than its last write.
		if !o.Since.IsZero() && g.mtime.Before(o.Since) {
			continue
		}
		h := historyReader{HistoryFile: HistoryFile{Path: g.path}, options: o, fn: fn, live: g.path == path,
			parser: Parser{Location: o.Location, Reference: g.mtime}}
		h.Err = h.read(ctx, g)
		files = append(files, h.HistoryFile)
		if h.stop != nil {
			return files, h.stop
		}
	}
	return files, nil
}

// historyReader reads one file.
type historyReader struct {
	HistoryFile
	options HistoryOptions
	parser  Parser
	fn      func(Entry) error
	live    bool  // an unfinished last line is still being written
	stop    error // ends the whole history
}

func (h *historyReader) read(ctx context.Context, g generation) error {
	r, err := g.open()
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // only read
	var from int64
	var in io.Reader = r
	if f, ok := r.(*os.File); ok {
		if from, err = h.begin(f, g.size); err != nil {
			return err
		}
		// A log that grows as fast as it is read has an end all the same.
		in = io.LimitReader(f, g.size-from)
	}
	scan := newScanner(in, from)
	defer func() { h.Bytes = scan.end() - from }()
	for {
		line, at, err := scan.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", g.path, err)
		}
		if scan.chunk == "" && ctx.Err() != nil {
			h.stop = context.Cause(ctx)
			return nil
		}
		if h.add(scan, line, at); h.stop != nil {
			return nil
		}
	}
	if !h.live {
		if line, at := scan.rest(); line != "" {
			h.add(scan, line, at)
		}
	}
	if scan.cut {
		return fmt.Errorf("read %s: %w", g.path, io.ErrUnexpectedEOF)
	}
	return nil
}

func (h *historyReader) add(scan *scanner, line string, at int64) {
	e, ok := scan.entry(&h.parser, line, at)
	if !ok || e.Time.Before(h.options.Since) || !h.options.Until.IsZero() && e.Time.After(h.options.Until) {
		return
	}
	h.Lines++
	h.stop = h.fn(e)
}

// begin goes to where reading begins, the beginning of a line.
func (h *historyReader) begin(f *os.File, size int64) (from int64, err error) {
	if !h.options.Since.IsZero() {
		if from, err = h.seek(f, size); err != nil {
			return 0, err
		}
	}
	if tail := h.options.Tail; tail > 0 && size-from > tail {
		from = size - tail
		scan := newScanner(io.NewSectionReader(f, from, 2*maxLine), from)
		if _, _, err := scan.next(); err == nil { // the rest of a line
			if _, at, err := scan.next(); err == nil {
				from = at
			}
		}
		_, err = f.Seek(from, io.SeekStart)
	}
	return from, err
}

// seek sets a file to a place before which everything is older than Since, by
// bisection. The clock may have been set back while the log was written, so it
// stays slack seconds on the safe side.
func (h *historyReader) seek(f *os.File, size int64) (int64, error) {
	const slack = 2 * time.Hour
	since := h.options.Since.Add(-slack)
	low, high := int64(0), size // before low everything is older
	for high-low > chunkSize {
		middle := low + (high-low)/2
		t, at, ok := h.timeNear(f, middle)
		if !ok || at >= high || !t.Before(since) {
			high = middle
		} else {
			low = at
		}
	}
	_, err := f.Seek(low, io.SeekStart)
	return low, err
}

// timeNear finds the first line that begins behind a place.
func (h *historyReader) timeNear(f *os.File, place int64) (time.Time, int64, bool) {
	scan := newScanner(io.NewSectionReader(f, place, 2*maxLine), place)
	if _, _, err := scan.next(); err != nil { // the rest of a line
		return time.Time{}, 0, false
	}
	parser := Parser{Location: h.parser.Location, Reference: h.parser.Reference}
	for {
		line, at, err := scan.next()
		if err != nil {
			return time.Time{}, 0, false
		}
		if e, ok := parser.Parse(line); ok {
			return e.Time, at, true
		}
	}
}
