package logwatch

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// identity tells files apart that exist at the same time.
type identity struct{ dev, ino uint64 }

// generation is the log or one of its rotated predecessors.
type generation struct {
	path  string
	order uint64 // of a numbered one the number, of a dated one its digits
	dated bool
	pack  string // "", "gz", "bz2", or what cannot be read here
	id    identity
	size  int64
	mtime time.Time
}

// errNotRegular is met where the path of the log is a device, a pipe or a directory.
var errNotRegular = errors.New("not a regular file")

// openRegular opens a file for reading. It never waits, not even for a pipe
// that somebody has put in the log's place.
func openRegular(path string) (*os.File, fs.FileInfo, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: errNotRegular}
	}
	if err != nil {
		_ = f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

func identityOf(info fs.FileInfo) identity {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return identity{uint64(s.Dev), s.Ino} //nolint:unconvert // Dev is 32 bits wide on some systems
	}
	return identity{}
}

// predecessors lists the rotated files of a log, newest first, by the names
// that logrotate gives: xrdp.log.1, xrdp.log.2.gz, xrdp.log-20261122.gz.
func predecessors(path string) ([]generation, error) {
	dir, base := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	names, err := d.Readdirnames(-1)
	_ = d.Close()
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", dir, err)
	}
	var list []generation
	for _, name := range names {
		g, ok := parseGeneration(base, name)
		if !ok {
			continue
		}
		g.path = filepath.Join(dir, name)
		info, err := os.Stat(g.path)
		if err != nil || !info.Mode().IsRegular() {
			continue // renamed meanwhile, or not a log
		}
		g.id, g.size, g.mtime = identityOf(info), info.Size(), info.ModTime()
		list = append(list, g)
	}
	slices.SortFunc(list, newestFirst)
	// While a file is being compressed both forms exist: the plain one is whole.
	return slices.CompactFunc(list, func(a, b generation) bool { return a.dated == b.dated && a.order == b.order }), nil
}

// newestFirst compares generations. Numbers count up with age, dates down;
// where a log has both, the time of the last write decides.
func newestFirst(a, b generation) int {
	if a.dated != b.dated {
		return b.mtime.Compare(a.mtime)
	}
	c := cmp.Compare(a.order, b.order)
	if a.dated {
		c = -c
	}
	return cmp.Or(c, cmp.Compare(len(a.pack), len(b.pack)))
}

// stablePredecessors lists until a listing can be trusted. logrotate renames one
// file after the other, and a listing made meanwhile can miss one or have it
// twice. It is trusted when two in a row agree and no number is missing, or when
// a number stays missing.
func stablePredecessors(path string) ([]generation, error) {
	last, err := predecessors(path)
	for same, tries := 1, 0; err == nil && tries < 200; tries++ {
		var again []generation
		if again, err = predecessors(path); err != nil {
			break
		}
		if !slices.EqualFunc(last, again, func(a, b generation) bool { return a.path == b.path && a.id == b.id }) {
			last, same = again, 1
			continue
		}
		last = again
		if same++; complete(again) || same > 8 {
			break
		}
	}
	return last, err
}

// complete reports whether no file was met twice, under its old name and its
// new, and the numbers have no hole, as between two renames.
func complete(gens []generation) bool {
	seen := map[identity]bool{}
	next := uint64(1)
	for _, g := range gens {
		if seen[g.id] || !g.dated && g.order > next {
			return false
		}
		seen[g.id] = true
		if !g.dated {
			next = g.order + 1
		}
	}
	return true
}

// parseGeneration reads the name of a rotated file.
func parseGeneration(base, name string) (generation, bool) {
	rest, ok := strings.CutPrefix(name, base)
	if !ok || len(rest) < 2 {
		return generation{}, false
	}
	g := generation{dated: rest[0] == '-'}
	if !g.dated && rest[0] != '.' {
		return generation{}, false
	}
	n, i := number(rest[1:])
	if i == 0 || g.dated && i < 8 {
		return generation{}, false
	}
	g.order = n
	if tail := rest[1+i:]; tail != "" {
		switch tail {
		case ".gz", ".bz2", ".xz", ".zst", ".lz4", ".lzma", ".Z":
			g.pack = tail[1:]
		default:
			return generation{}, false
		}
	}
	return g, true
}

// open opens a generation for reading from its start, unpacked. The error is
// errMoved where its name stands for another file by now.
func (g generation) open() (io.ReadCloser, error) {
	f, info, err := openRegular(g.path)
	if absent(err) {
		return nil, errMoved
	}
	if err != nil {
		return nil, err
	}
	if identityOf(info) != g.id {
		_ = f.Close()
		return nil, errMoved
	}
	if g.pack == "" {
		return f, nil
	}
	r, err := unpack(g.pack, f)
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("read %s: %w", g.path, err)
	}
	return struct {
		io.Reader
		io.Closer
	}{r, closers{r, f}}, nil
}

// head returns the first bytes of a rotated file, unpacked; none if it is packed
// in a way that cannot be read.
func (g generation) head() ([]byte, error) {
	r, err := g.open()
	if errors.Is(err, errMoved) {
		return nil, err
	}
	if err != nil {
		return nil, nil //nolint:nilerr // neither moved nor readable: as good as empty
	}
	defer r.Close() //nolint:errcheck // only read
	head := make([]byte, printSize)
	n, _ := io.ReadFull(r, head)
	return head[:n], nil
}

// openAs opens a generation that begins with head. The error is errMoved where
// its name stands for another file by now, even one with the same inode.
func (g generation) openAs(head []byte) (io.ReadCloser, error) {
	r, err := g.open()
	if err != nil {
		return nil, err
	}
	begins := make([]byte, len(head))
	if n, _ := io.ReadFull(r, begins); !bytes.Equal(begins[:n], head) {
		_ = r.Close()
		return nil, errMoved
	}
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(begins), r), r}, nil
}

// sameBeginning reports whether two files begin alike, as the log and its copy
// do while copytruncate is under way.
func sameBeginning(a, b string) bool {
	read := func(path string) []byte {
		f, _, err := openRegular(path)
		if err != nil {
			return nil
		}
		defer f.Close() //nolint:errcheck // only read
		head := make([]byte, 1024)
		n, _ := io.ReadFull(f, head)
		return head[:n]
	}
	x, y := read(a), read(b)
	n := min(len(x), len(y))
	return n > 0 && bytes.Equal(x[:n], y[:n])
}
