package xrdpconf

import (
	"slices"
	"strings"
)

// File is one configuration file as xrdp reads it. It never changes; [File.Edit]
// makes a new one.
type File struct {
	name     string
	data     string
	env      func(string) string
	version  Version
	lines    []line
	stop     *stop
	sections []section
	live     map[string]int // folded name to index in sections
	kind     Kind
}

type section struct {
	name        string
	header      int // index of its line
	first, last int // its lines, half open
	duplicate   bool
	unread      bool
	bracket     bool           // the header is none to a person
	entries     []int          // lines that xrdp reads, if it reads the section
	keys        map[string]int // the last of each folded key among them
}

// Kind tells the two files apart, because the same key means different things in them.
type Kind uint8

const (
	// KindServer is xrdp.ini.
	KindServer Kind = iota
	// KindSessionManager is sesman.ini.
	KindSessionManager
)

// String returns the file's usual name.
func (k Kind) String() string {
	if k == KindSessionManager {
		return "sesman.ini"
	}
	return "xrdp.ini"
}

// Option changes how [Parse] reads.
type Option func(*File)

// WithEnv sets the lookup for values that begin with $. Without it every such
// variable is unset, and the value is empty, as it is in xrdp.
func WithEnv(lookup func(name string) string) Option {
	return func(f *File) { f.env = lookup }
}

// ForVersion reads as that version of xrdp does; the zero Version reads as 0.10. Up to
// 0.9.26 the blanks around a key or value stay when it is not valid UTF-8, and spoil
// it when it has characters outside ASCII. Up to 0.9.5 an exclamation mark begins a
// comment, and up to 0.9.3 a value loses every = in it.
func ForVersion(v Version) Option {
	return func(f *File) { f.version = v }
}

// AsKind says which file this is when its name does not.
func AsKind(k Kind) Option {
	return func(f *File) { f.kind = k }
}

// Parse reads data, which it copies. It never fails: any bytes are a configuration
// to xrdp. The name is for messages; one that contains "sesman" makes the file a
// sesman.ini.
func Parse(name string, data []byte, opts ...Option) *File {
	f := &File{name: name, data: string(data), kind: kindOf(name)}
	for _, o := range opts {
		o(f)
	}
	f.index()
	return f
}

func kindOf(name string) Kind {
	base := name[strings.LastIndexByte(name, '/')+1:]
	if strings.Contains(fold(base), "sesman") {
		return KindSessionManager
	}
	return KindServer
}

func (f *File) index() {
	f.lines, f.stop = scan(f.data, dialectOf(f.version))
	f.sections, f.live = nil, make(map[string]int)
	for i := range f.lines {
		l := &f.lines[i]
		if l.kind != lineHeader {
			continue
		}
		if n := len(f.sections); n > 0 {
			f.sections[n-1].last = i
		}
		s := section{name: l.name, header: i, first: i + 1, last: len(f.lines), unread: l.unread, bracket: !f.looksLikeHeader(i)}
		if !s.unread {
			_, s.duplicate = f.live[fold(s.name)]
			if !s.duplicate {
				f.live[fold(s.name)] = len(f.sections)
			}
		}
		f.sections = append(f.sections, s)
	}
	for _, i := range f.live {
		f.sections[i].collect(f.lines)
	}
}

// collect finds the entries that xrdp reads in a live section, and which of them
// override which.
func (s *section) collect(lines []line) {
	read := func(i int) bool { return lines[i].kind == lineEntry && !lines[i].unread }
	n := 0
	for i := s.first; i < s.last; i++ {
		if read(i) {
			n++
		}
	}
	s.entries, s.keys = make([]int, 0, n), make(map[string]int, n)
	for i := s.first; i < s.last; i++ {
		if !read(i) {
			continue
		}
		key := fold(lines[i].key)
		if before, ok := s.keys[key]; ok {
			lines[i].earlier, lines[before].overridden = before, true
		}
		s.entries, s.keys[key] = append(s.entries, i), i
	}
}

// reparse returns a File of other bytes, read the same way.
func (f *File) reparse(data string) *File {
	n := &File{name: f.name, data: data, env: f.env, version: f.version, kind: f.kind}
	n.index()
	return n
}

// Name returns the name given to [Parse].
func (f *File) Name() string { return f.name }

// Kind tells which of the two files this is.
func (f *File) Kind() Kind { return f.kind }

// Bytes returns the file's content, the caller's to keep. Unedited, it is what was parsed.
func (f *File) Bytes() []byte { return []byte(f.data) }

// Section is a section header as xrdp sees it, which need not look like one.
type Section struct {
	Name string // as written; xrdp does not trim it
	Line int
	// Duplicate says that an earlier section has the same name: xrdp never reads this one.
	Duplicate bool
	// Unread says that the header lies behind the point where xrdp stops reading the file.
	Unread bool
	// Bracket says that the line is no header to a reader but a value with brackets in it.
	Bracket bool
}

// Sections returns all headers in file order.
func (f *File) Sections() []Section {
	out := make([]Section, 0, len(f.sections))
	for _, s := range f.sections {
		out = append(out, Section{
			Name: s.name, Line: f.lines[s.header].number,
			Duplicate: s.duplicate, Unread: s.unread, Bracket: s.bracket,
		})
	}
	return out
}

// looksLikeHeader reports whether a person takes the line for a section header: it
// begins with a bracket. A byte order mark before it is invisible to both.
func (f *File) looksLikeHeader(i int) bool {
	l := &f.lines[i]
	text := trimBlanks(f.data[l.start:l.kept])
	if i == 0 {
		text = strings.TrimPrefix(text, bom)
	}
	return strings.HasPrefix(text, "[")
}

// Value is what xrdp gets for a key.
type Value struct {
	Text string // after the environment was consulted
	Raw  string // as it stands in the file, without blanks and comment
	Line int
	Env  string // the variable's name, without $, when the value came from the environment
}

// Item is one entry of a section.
type Item struct {
	Key   string // as written; empty for a line of blanks
	Value Value
}

// liveLines returns the indices of the entries that xrdp reads in a section, which
// stay the file's.
func (f *File) liveLines(name string) []int {
	i, ok := f.live[fold(name)]
	if !ok {
		return nil
	}
	return f.sections[i].entries
}

func (f *File) valueAt(i int) Value {
	l := f.lines[i]
	v := Value{Text: l.value, Raw: l.value, Line: l.number}
	if name, ok := strings.CutPrefix(l.value, "$"); ok {
		v.Env, v.Text = name, ""
		if f.env != nil {
			v.Text = f.env(name)
		}
	}
	return v
}

// All returns every entry of the live section in file order, as xrdp's list
// consumers get it: repeated keys, and lines of mere blanks or indented comments as
// entries with empty names.
func (f *File) All(section string) []Item {
	lines := f.liveLines(section)
	out := make([]Item, 0, len(lines))
	for _, i := range lines {
		out = append(out, Item{Key: f.lines[i].key, Value: f.valueAt(i)})
	}
	return out
}

// Values returns all live occurrences of a key in file order. Neither section nor
// key is case-sensitive.
func (f *File) Values(section, key string) []Value {
	var out []Value
	for _, i := range f.liveKeyLines(section, key) {
		out = append(out, f.valueAt(i))
	}
	return out
}

// liveKeyLines returns the indices of the live lines of a key.
func (f *File) liveKeyLines(section, key string) []int {
	var out []int
	if i, ok := f.lastLine(section, key); ok {
		for ; i >= 0; i = f.lines[i].earlier {
			out = append(out, i)
		}
	}
	slices.Reverse(out)
	return out
}

// lastLine returns the index of the line of a key that xrdp uses.
func (f *File) lastLine(section, key string) (int, bool) {
	s, ok := f.live[fold(section)]
	if !ok {
		return 0, false
	}
	i, ok := f.sections[s].keys[fold(key)]
	return i, ok
}

// Lookup returns the occurrence that xrdp uses: in the first section of that name
// the last key of that name.
func (f *File) Lookup(section, key string) (Value, bool) {
	i, ok := f.lastLine(section, key)
	if !ok {
		return Value{}, false
	}
	return f.valueAt(i), true
}
