package xrdpconf

import (
	"math/bits"
	"sync"
)

// vocabulary is what a section knows, ready to be compared with.
type vocabulary struct {
	keys  []string // as xrdp's documentation spells them
	words []word   // the same, one for each
	exact map[string]bool
	list  bool // keys repeat by design
}

// word is a key without case and separators.
type word struct {
	plain   string
	letters uint64 // see lettersOf
	limit   int    // how many typing errors away a key may be
}

// vocabularies are those of the sections in [knownKeys], by folded name.
var vocabularies = sync.OnceValue(func() map[Kind]map[string]*vocabulary {
	out := make(map[Kind]map[string]*vocabulary)
	for kind, sections := range knownKeys {
		out[kind] = make(map[string]*vocabulary)
		for name, keys := range sections {
			out[kind][fold(name)] = newVocabulary(keys, isList(kind, name))
		}
	}
	return out
})

func newVocabulary(keys []string, list bool) *vocabulary {
	v := &vocabulary{keys: keys, exact: make(map[string]bool), list: list}
	for _, k := range keys {
		folded := fold(k)
		v.exact[folded] = true
		w := word{plain: string(appendPlain(nil, folded))}
		w.letters = lettersOf(w.plain)
		switch {
		case len(folded) >= 10:
			w.limit = 2
		case len(folded) > 3:
			w.limit = 1
		}
		v.words = append(v.words, w)
	}
	return v
}

// vocabularyOf returns what a section of that name, in any case, knows. It is nil if
// xrdp reads no such section.
func (f *File) vocabularyOf(section string) *vocabulary {
	return vocabularies()[f.kind][fold(section)]
}

// knownSection returns a section's keys under its name in any case.
func (f *File) knownSection(name string) ([]string, bool) {
	if v := f.vocabularyOf(name); v != nil {
		return v.keys, true
	}
	return nil, false
}

// longestWord is how many bytes of a key, separators left out, can be near any word.
const longestWord = 48

// nearest returns the known key that is a typing error away from a folded key: other
// separators, or one wrong, missing, additional or swapped letter, two in long keys.
func (v *vocabulary) nearest(key string) (string, bool) {
	if v.exact[key] {
		return "", false
	}
	var buffer [longestWord]byte
	plain := appendPlain(buffer[:0], key)
	if len(plain) > longestWord {
		return "", false
	}
	letters := lettersOf(string(plain))
	best, at := -1, 3
	for i := range v.words {
		w := &v.words[i]
		if w.limit == 0 || max(len(plain)-len(w.plain), len(w.plain)-len(plain)) > w.limit {
			continue
		}
		// One error takes a letter away, adds one, or both.
		if bits.OnesCount64(letters^w.letters) > 2*w.limit {
			continue
		}
		if d := distance(string(plain), w.plain); d <= w.limit && d < at {
			best, at = i, d
		}
	}
	if best < 0 {
		return "", false
	}
	return v.keys[best], true
}

// appendPlain appends a key without its separators.
func appendPlain(to []byte, key string) []byte {
	for i := range len(key) {
		if c := key[i]; c != '-' && c != '_' && c != ' ' && c != '.' {
			to = append(to, c)
		}
	}
	return to
}

// lettersOf returns which letters a word has, one bit each. Bytes that share a bit
// only make two words look more alike.
func lettersOf(s string) uint64 {
	var out uint64
	for i := range len(s) {
		out |= 1 << (s[i] & 63)
	}
	return out
}

// distance counts the letters to insert, delete, replace or swap with their
// neighbour to get from a to b (optimal string alignment). Above 2 it may be any
// number above 2. Both have at most [longestWord] bytes.
func distance(a, b string) int {
	var rows [3][longestWord + 1]int
	before, last, row := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, before[j-2]+1)
			}
			row[j] = d
			least = min(least, d)
		}
		if least > 2 { // the row before has 2 at least, from where a swap costs one more
			return 3
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
