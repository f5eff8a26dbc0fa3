package xrdpconf

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"testing"
)

func addSeeds(f *testing.F, add func(data []byte)) {
	for _, kind := range []Kind{KindServer, KindSessionManager} {
		for _, text := range corpus(kind, 40) {
			add([]byte(text))
		}
	}
	for _, data := range stock(f) {
		add(data)
	}
}

// reference reads a section as a machine over single bytes, the way the daemon does
// it, with none of the package's code.
func reference(data []byte, section string) (out [][2]string) {
	if len(data) > 32768 {
		data = data[:32768]
	}
	pos := 0
	next := func() (text []byte, ok bool) {
		if pos >= len(data) {
			return nil, false
		}
		comment := false
		for pos < len(data) && data[pos] != '\n' && data[pos] != '\r' {
			if data[pos] == '#' || data[pos] == ';' {
				comment = true
			}
			if !comment {
				text = append(text, data[pos])
				if len(text) == 2048 {
					return nil, false
				}
			}
			pos++
		}
		for pos < len(data) && (data[pos] == '\n' || data[pos] == '\r') {
			pos++
		}
		if i := bytes.IndexByte(text, 0); i >= 0 {
			text = text[:i]
		}
		return text, true
	}
	header := func(text []byte) ([]byte, bool) {
		closing := -1
		for i, c := range text {
			if c == ']' && bytes.IndexByte(text[:i], '[') >= 0 {
				closing = i
				break
			}
		}
		if closing < 0 {
			return nil, false
		}
		opening := bytes.LastIndexByte(text[:closing], '[')
		return text[opening+1 : closing], opening+1+closing < 2048
	}
	trim := func(b []byte) string {
		return string(bytes.TrimFunc(b, func(r rune) bool { return r <= ' ' }))
	}
	lower := func(b []byte) []byte {
		return bytes.Map(func(r rune) rune {
			if r >= 'A' && r <= 'Z' {
				r += 'a' - 'A'
			}
			return r
		}, b)
	}
	for {
		text, ok := next()
		if !ok {
			return nil
		}
		if name, is := header(text); is && bytes.Equal(lower(name), lower([]byte(section))) {
			break
		}
	}
	for {
		text, ok := next()
		if !ok {
			return out
		}
		if _, is := header(text); is {
			return out
		}
		if len(text) > 0 {
			name, value, _ := bytes.Cut(text, []byte("="))
			out = append(out, [2]string{trim(name), trim(value)})
		}
	}
}

// FuzzParseRoundTrip demands that parsing keeps every byte, that nothing panics, and
// that the package reads what the reference reads.
func FuzzParseRoundTrip(f *testing.F) {
	addSeeds(f, func(data []byte) { f.Add(data) })
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, name := range []string{"xrdp.ini", "sesman.ini"} {
			file := Parse(name, data)
			if !bytes.Equal(file.Bytes(), data) {
				t.Fatalf("Bytes = %q, want %q", file.Bytes(), data)
			}
			at := 0
			for _, l := range file.lines {
				if l.start != at || l.end < l.start || l.next < l.end || l.kept < l.start || l.kept > l.comment {
					t.Fatalf("line %+v begins at %d", l, at)
				}
				at = l.next
			}
			if at != len(data) {
				t.Fatalf("lines end at %d of %d", at, len(data))
			}
			sections := []string{"Globals", "Logging", "Xorg", "Security", "SessionVariables"}
			for _, s := range file.Sections() {
				sections = append(sections, s.Name)
			}
			for _, s := range sections[:min(len(sections), 50)] {
				var got [][2]string
				for _, item := range file.All(s) {
					got = append(got, [2]string{item.Key, item.Value.Raw})
				}
				// A name with bytes that are no UTF-8 confuses the reference only.
				if want := reference(data, s); !reflect.DeepEqual(got, want) && bytes.Equal([]byte(s), bytes.ToValidUTF8([]byte(s), nil)) {
					t.Fatalf("[%s] = %q, want %q", s, got, want)
				}
				file.CutOf(s)
			}
			for _, is := range file.Issues() {
				if is.Line < 1 || is.Text == "" || is.Kind == "" {
					t.Fatalf("issue %+v", is)
				}
			}
			for _, p := range file.Find("security_layer") {
				if p.Line < 1 || p.Fate == "" {
					t.Fatalf("place %+v", p)
				}
			}
			ReadServer(file, Version{}, nil)
			if _, _, err := ReadSessionManager(file, nil).DeclaredRange(); err != nil && errors.Unwrap(err) == nil {
				t.Fatalf("range error %v without a cause", err)
			}
		}
	})
}

// FuzzEditTouchesOnlyPlannedLines demands of every edit that is not refused that its
// value comes back, that no other entry changes, and that no other line does.
func FuzzEditTouchesOnlyPlannedLines(f *testing.F) {
	keys := []string{"security_layer", "certificate", "key_file", "ssl_protocols", "tls_ciphers", "tls_min_version", "tls_max_version", "port", "x"}
	n := 0
	addSeeds(f, func(data []byte) {
		f.Add(data, "Globals", keys[n%len(keys)], "TLSv1.2, TLSv1.3", n%5 == 0)
		f.Add(data, "Security", keys[n%len(keys)], "1.2", n%3 == 0)
		n++
	})
	f.Fuzz(func(t *testing.T, data []byte, section, key, value string, remove bool) {
		for _, name := range []string{"xrdp.ini", "sesman.ini"} {
			editOnce(t, Parse(name, data), Change{Section: section, Key: key, Value: value, Delete: remove, Comment: "why"})
		}
	})
}

func editOnce(t *testing.T, f *File, c Change) {
	t.Helper()
	out, err := f.Edit(c)
	if err != nil {
		if out != nil || !slices.ContainsFunc([]error{ErrUnwritable, ErrCut, ErrNoSection, ErrSideEffect, ErrCrossRead}, func(e error) bool { return errors.Is(err, e) }) {
			t.Fatalf("Edit = %v, %v", out, err)
		}
		return
	}
	old, data := f.Bytes(), out.Bytes()
	if c.Delete {
		if v, ok := out.Lookup(c.Section, c.Key); ok {
			t.Fatalf("the key is still there: %+v in %q", v, data)
		}
		kept, i := bytes.SplitAfter(data, []byte("\n")), 0
		for _, l := range bytes.SplitAfter(old, []byte("\n")) {
			if i < len(kept) && bytes.HasSuffix(l, kept[i]) {
				i++
			}
		}
		if bytes.IndexByte(old, '\r') < 0 && i != len(kept) && len(data) > 0 {
			t.Fatalf("lines are not those of before: %q, was %q", data, old)
		}
		return
	}
	got := reference(data, c.Section)
	was := reference(old, c.Section)
	last := ""
	for _, item := range got {
		if fold(item[0]) == fold(c.Key) {
			last = item[1]
		}
	}
	if last != c.Value {
		t.Fatalf("the daemon would read %q, want %q, in %q", last, c.Value, data)
	}
	others := func(items [][2]string) [][2]string {
		return slices.DeleteFunc(slices.Clone(items), func(i [2]string) bool { return fold(i[0]) == fold(c.Key) })
	}
	if a, b := others(was), others(got); !slices.Equal(a, b) {
		t.Fatalf("other entries were %q, are %q", a, b)
	}
	p := 0
	for p < min(len(old), len(data)) && old[p] == data[p] {
		p++
	}
	s := 0
	for s < min(len(old), len(data))-p && old[len(old)-1-s] == data[len(data)-1-s] {
		s++
	}
	if bytes.ContainsAny(old[p:len(old)-s], "\r\n") {
		t.Fatalf("more than one line changed: %q became %q", old[p:len(old)-s], data[p:len(data)-s])
	}
}
