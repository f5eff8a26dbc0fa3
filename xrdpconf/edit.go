package xrdpconf

import (
	"slices"
	"strings"
)

// Change is one planned difference of the effective configuration.
type Change struct {
	Section, Key string
	// Value is the new value, which must come back from the file exactly so. Where
	// the key is live, only the value part of the line that xrdp uses changes.
	Value string
	// Delete removes every live line of the key instead, so that no earlier one takes
	// over. With an empty Key it removes every section of that name, its header and its
	// entries, unless it is one that xrdp knows.
	Delete bool
	// DespiteCut inserts the key where xrdp reads, although a line of the same key
	// stands where it does not. Without it such a change is refused with [ErrCut].
	DespiteCut bool
	// Comment is put on a line of its own above the key when the key is inserted, and
	// goes with it when the key is deleted. It has no comment character.
	Comment string
}

// Edit returns a new File with the changes made, in their order. Every byte that no
// change needs stays, and a change to what is already so changes nothing.
//
// The result is read again: exactly the planned keys have new effective values, and
// the entries of all other sections, lists included, are what they were. Errors
// match [ErrUnwritable], [ErrCut], [ErrNoSection], [ErrSideEffect] or [ErrCrossRead];
// the file is not changed then.
func (f *File) Edit(changes ...Change) (*File, error) {
	out := f
	for _, c := range changes {
		if err := c.check(); err != nil {
			return nil, err
		}
		next, err := out.apply(c)
		if err != nil {
			return nil, err
		}
		out = next
	}
	if out.data == f.data {
		return f, nil
	}
	if err := f.verify(out, changes); err != nil {
		return nil, err
	}
	if err := f.crossVerify(out, changes); err != nil {
		return nil, err
	}
	return out, nil
}

func (f *File) apply(c Change) (*File, error) {
	if c.Key == "" {
		if _, known := f.knownSection(c.Section); known {
			return nil, &ValueError{Section: c.Section, Reason: "the section is one that xrdp needs"}
		}
		return f.removeSection(c.Section), nil
	}
	same := f.liveKeyLines(c.Section, c.Key)
	switch {
	case len(same) == 0:
		if cut, ok := f.cutFrom(c); ok {
			return nil, &CutError{Section: c.Section, Key: c.Key, Cut: cut}
		}
		if c.Delete {
			return f, nil
		}
		return f.insert(c)
	case c.Delete:
		return f.remove(same, c), nil
	}
	i := same[len(same)-1]
	if f.lines[i].clipped {
		cut, _ := f.CutOf(c.Section)
		return nil, &CutError{Section: c.Section, Key: c.Key, Cut: cut}
	}
	return f.replace(i, c.Value), nil
}

// cutFrom reports the cut behind which the target of a change lies.
func (f *File) cutFrom(c Change) (Cut, bool) {
	cut, short := f.CutOf(c.Section)
	if _, ok := f.live[fold(c.Section)]; short && !ok {
		return cut, true
	}
	if c.DespiteCut {
		return Cut{}, false
	}
	for _, p := range cut.Lost {
		if fold(p.Key) == fold(c.Key) {
			return cut, true
		}
	}
	return Cut{}, false
}

// replace changes the value part of one line.
func (f *File) replace(i int, value string) *File {
	l := f.lines[i]
	if l.value == value && l.equals >= 0 {
		return f
	}
	at, until := f.valueSpan(l)
	if l.equals < 0 {
		value = "=" + value
	}
	return f.splice(at, until, value)
}

// valueSpan returns where the value of a line stands. An empty one is put right
// behind the = and, where there is a blank before the =, one blank.
func (f *File) valueSpan(l line) (at, until int) {
	if l.equals < 0 {
		at = l.start + len(strings.TrimRightFunc(f.data[l.start:l.kept], func(r rune) bool { return r <= ' ' }))
		return at, at
	}
	at, until = l.equals+1, l.kept
	for at < until && blank(f.data[at]) {
		at++
	}
	if at == until {
		at = l.equals + 1
		if at < until && l.equals > l.start && blank(f.data[l.equals-1]) {
			at++
		}
		return at, at
	}
	for until > at && blank(f.data[until-1]) {
		until--
	}
	return at, until
}

// remove deletes whole lines, and above each the comment that came with it.
func (f *File) remove(lines []int, c Change) *File {
	var kept []string
	until := len(f.data)
	comments := commentLines(c.Comment)
	for _, i := range slices.Backward(lines) {
		from := i
		for n := len(comments); n > 0 && from > 0; n-- {
			l := f.lines[from-1]
			if f.data[l.start:l.end] != comments[n-1] {
				break
			}
			from--
		}
		kept = append(kept, f.data[f.lines[i].next:until])
		until = f.lines[from].start
	}
	kept = append(kept, f.data[:until])
	slices.Reverse(kept)
	return f.reparse(strings.Join(kept, ""))
}

// removeSection deletes headers and entries of a section, comments and blank lines stay.
func (f *File) removeSection(name string) *File {
	var data strings.Builder
	for i, l := range f.lines {
		at := f.sectionAt(i)
		gone := at >= 0 && fold(f.sections[at].name) == fold(name) && !l.unread && l.kind != lineEmpty
		if !gone {
			data.WriteString(f.data[l.start:l.next])
		}
	}
	if data.Len() == len(f.data) {
		return f
	}
	return f.reparse(data.String())
}

func (f *File) splice(at, until int, text string) *File {
	return f.reparse(f.data[:at] + text + f.data[until:])
}

// verify reads both files and demands that they differ in the planned keys only.
func (f *File) verify(out *File, changes []Change) error {
	type id struct{ section, key string }
	planned := make(map[id]Change)
	for _, c := range changes {
		planned[id{fold(c.Section), fold(c.Key)}] = c
	}
	created := make(map[string]bool)
	names := func(f *File) (all []string) {
		for _, s := range f.Sections() {
			if !s.Duplicate && !s.Unread {
				all = append(all, s.Name)
			}
		}
		return all
	}
	before, after := names(f), names(out)
	for _, c := range changes {
		if _, ok := f.live[fold(c.Section)]; !ok {
			created[fold(c.Section)] = true
		}
	}
	after = slices.DeleteFunc(after, func(name string) bool { return created[fold(name)] })
	before = slices.DeleteFunc(before, func(name string) bool {
		_, gone := planned[id{fold(name), ""}]
		return gone
	})
	if !slices.Equal(before, after) {
		return &EffectError{File: f.name, Section: changes[0].Section, Key: changes[0].Key, Kind: ErrSideEffect}
	}
	for _, name := range before {
		rest := func(f *File) []Item {
			return slices.DeleteFunc(f.All(name), func(it Item) bool {
				_, ok := planned[id{fold(name), fold(it.Key)}]
				return ok
			})
		}
		if key, same := sameItems(rest(f), rest(out)); !same {
			return &EffectError{File: f.name, Section: name, Key: key, Kind: ErrSideEffect}
		}
	}
	for _, c := range planned {
		if err := f.verifyChange(out, c); err != nil {
			return err
		}
	}
	return nil
}

// verifyChange demands that one change has come true.
func (f *File) verifyChange(out *File, c Change) error {
	got, ok := out.Lookup(c.Section, c.Key)
	n, was := len(out.Values(c.Section, c.Key)), len(f.Values(c.Section, c.Key))
	if bang := strings.ContainsRune(c.Value, '!') && !f.version.AtLeast(0, 9, 6); bang && f.version.Known() && !c.Delete {
		return &ValueError{Section: c.Section, Key: c.Key, Reason: "the value has ! in it, which begins a comment up to 0.9.5"}
	}
	if c.Delete && ok || !c.Delete && (!ok || got.Raw != c.Value || n != max(was, 1)) {
		return &EffectError{File: f.name, Section: c.Section, Key: c.Key, Kind: ErrSideEffect}
	}
	if c.Delete || f.version.AtLeast(0, 10) || ascii(c.Key) && ascii(c.Value) && dialectOf(f.version).likeLastWide() {
		return nil
	}
	old := Parse(f.name, []byte(out.data), ForVersion(lastWide))
	if got, ok := old.Lookup(c.Section, c.Key); !ok || got.Raw != c.Value {
		return &ValueError{Section: c.Section, Key: c.Key, Reason: "characters outside ASCII with blanks around them are spoilt by xrdp up to 0.9.26"}
	}
	return nil
}

// sameItems compares entries by key and value, not by line, and names the first that differs.
func sameItems(a, b []Item) (key string, same bool) {
	for i := range max(len(a), len(b)) {
		switch {
		case i >= len(a):
			return b[i].Key, false
		case i >= len(b) || a[i].Key != b[i].Key || a[i].Value.Raw != b[i].Value.Raw:
			return a[i].Key, false
		}
	}
	return "", true
}
