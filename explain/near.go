package explain

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"sync"
)

// maxNear is how many entries are offered where nothing matches.
const maxNear = 5

// leastNear is how much of a text's meaning an entry must share to be offered.
const leastNear = 0.4

// corpus is every entry with its words and their weight: rare ones tell more.
type corpus struct {
	entries []Entry
	words   []map[string]bool
	weight  map[string]float64
	unknown float64 // of a word that no entry has
}

var index = sync.OnceValue(func() corpus {
	var c corpus
	count := map[string]int{}
	for _, list := range [][]Entry{static(), rules()} {
		for _, e := range list {
			set := map[string]bool{}
			for _, w := range split(e.ID + " " + e.Title + " " + strings.Join(e.Said, " ")) {
				set[w] = true
			}
			for w := range set {
				count[w]++
			}
			c.entries = append(c.entries, e)
			c.words = append(c.words, set)
		}
	}
	c.weight = map[string]float64{}
	n := float64(len(c.entries))
	for w, k := range count {
		c.weight[w] = math.Log(1 + n/float64(k))
	}
	c.unknown = math.Log(1+n) / 2
	return c
})

// near finds the entries that share the most telling words with the text, or
// whose name differs by a slip of the fingers.
func near(text string) []Entry {
	c := index()
	asked := split(text)
	if len(asked) > 200 {
		asked = asked[:200]
	}
	slices.Sort(asked)
	asked = slices.Compact(asked)
	var total float64
	for _, w := range asked {
		total += c.of(w)
	}
	type scored struct {
		entry Entry
		score float64
	}
	var all []scored
	id := strings.Join(strings.Fields(strings.ToLower(text)), "-")
	for i, e := range c.entries {
		var shared float64
		for _, w := range asked {
			if c.words[i][w] {
				shared += c.of(w)
			}
		}
		score := 0.0
		if total > 0 {
			score = shared / total
		}
		if d := distance(id, e.ID); d >= 0 && d <= 1+len(e.ID)/6 {
			score = 2 - float64(d)/10
		}
		if score >= leastNear {
			all = append(all, scored{e, score})
		}
	}
	slices.SortStableFunc(all, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	var out []Entry
	for _, s := range all {
		if len(out) < maxNear {
			out = append(out, s.entry)
		}
	}
	return out
}

func (c corpus) of(word string) float64 {
	if w, ok := c.weight[word]; ok {
		return w
	}
	return c.unknown
}

// filler says nothing about what a text is about.
var filler = map[string]bool{"the": true, "and": true, "for": true, "was": true, "not": true, "with": true, "from": true,
	"this": true, "that": true, "error": true, "failed": true, "could": true, "can": true, "you": true, "your": true, "has": true,
	"info": true, "warn": true, "xrdp": true, "remote": true, "desktop": true}

// split makes words of three letters and more of a text, without filler.
func split(text string) []string {
	fields := strings.FieldsFunc(plainWords(text), func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' || r >= 0x80)
	})
	return slices.DeleteFunc(fields, func(w string) bool { return len(w) < 3 || filler[w] })
}

// distance is how many letters must be put in, taken out, replaced or swapped to
// make b of a; -1 where they are too long or too different to ask.
func distance(a, b string) int {
	if len(a) > 60 || len(a) > len(b)+3 || len(b) > len(a)+3 {
		return -1
	}
	var before, last []int
	for i := 0; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			if i == 0 {
				row[j] = j
				continue
			}
			same := 1
			if a[i-1] == b[j-1] {
				same = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+same)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
