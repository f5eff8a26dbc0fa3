package diagnose

import (
	"net/netip"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"xrdpfix/logwatch"
)

// opaque are types whose insides are not ours to change.
var opaque = map[reflect.Type]bool{
	reflect.TypeFor[time.Time]():      true,
	reflect.TypeFor[netip.Addr]():     true,
	reflect.TypeFor[netip.AddrPort](): true,
	reflect.TypeFor[*logwatch.Rule](): true,
}

// mapStrings returns a copy of v in which change has been applied to every
// string that goes to JSON, keys of maps included. Nothing of v is shared with
// the copy that either of them could change.
func mapStrings[T any](v T, change func(string) string) T {
	w := walk{change: change}
	return w.copy(reflect.ValueOf(&v).Elem()).Interface().(T)
}

// walk makes deep copies in which strings, and values of some types, are others.
type walk struct {
	// change gives the new string. Types of their own, which are words from a
	// closed list, are not asked for.
	change func(string) string
	// replace may give another value of the same type instead.
	replace func(v reflect.Value) (reflect.Value, bool)
	// mend may change the copy of a struct, which it gets as a pointer.
	mend func(old, copied any)
}

func (w walk) copy(v reflect.Value) reflect.Value {
	if w.replace != nil {
		if out, ok := w.replace(v); ok {
			return out
		}
	}
	t := v.Type()
	if opaque[t] {
		return v
	}
	switch v.Kind() {
	case reflect.String:
		return reflect.ValueOf(w.change(v.String())).Convert(t)
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		out := reflect.New(t.Elem())
		out.Elem().Set(w.copy(v.Elem()))
		return out
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		out := reflect.MakeSlice(t, v.Len(), v.Len())
		for i := range v.Len() {
			out.Index(i).Set(w.copy(v.Index(i)))
		}
		return out
	case reflect.Map:
		if v.IsNil() {
			return v
		}
		out := reflect.MakeMapWithSize(t, v.Len())
		for it := v.MapRange(); it.Next(); {
			out.SetMapIndex(w.copy(it.Key()), w.copy(it.Value()))
		}
		return out
	case reflect.Struct:
		out := reflect.New(t).Elem()
		out.Set(v)
		for i := range t.NumField() {
			if field := t.Field(i); field.IsExported() && field.Tag.Get("json") != "-" {
				out.Field(i).Set(w.copy(v.Field(i)))
			}
		}
		if w.mend != nil {
			w.mend(v.Interface(), out.Addr().Interface())
		}
		return out
	}
	return v
}

// JSON carries UTF-8 only, and files, paths and logs carry anything. A byte that
// is not UTF-8 becomes a character of the last private plane, escapeBase plus
// the byte, and so does each byte of a character that looks like one of these.
const (
	escapeBase = 0x10FE00
	escapeEnd  = escapeBase + 0x100
)

func escape(s string) string {
	if utf8.ValidString(s) && !strings.ContainsFunc(s, escaped) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 || escaped(r) {
			for i := range n {
				b.WriteRune(escapeBase + rune(s[i]))
			}
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

func unescape(s string) string {
	if !strings.ContainsFunc(s, escaped) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if escaped(r) {
			b.WriteByte(byte(r - escapeBase))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func escaped(r rune) bool { return r >= escapeBase && r < escapeEnd }
