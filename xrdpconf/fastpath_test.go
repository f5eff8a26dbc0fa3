package xrdpconf

import (
	"reflect"
	"strings"
	"testing"
)

// FuzzCrossRead demands that ini.v1 says of the lines it is asked about what it says
// when it reads the whole file, and nothing of the others.
func FuzzCrossRead(f *testing.F) {
	addSeeds(f, func(data []byte) { f.Add(data, "security_layer") })
	for _, text := range []string{
		"[Globals]\na=1\n\"a\"=2\n", "[Globals]\na=`x\nb=1`\n", "[Globals]\na=\v`x\nb=2\nc=`\n", "[Globals]\na=\u00a0\"\"\"x\nb=2\n\"\"\"\n",
		"a=0\n[default]\na=1\n", "[x]\na=1\n[x.y]\na\n", "[Globals]\na\na=1\n", "[Globals]\na # b=c\n", "[Globals]\n-=1\n-=2\n",
		"[Globals]\nk=1\n\u212a=2\n", "[Globals]\na=1\n[Globals]\na=2\n", "[Globals]\r\na=1\r\na = 2 # x\r\n", "[Globals]\na=1\rb=2\n",
		"[Globals]\na=\"\"\"\nb=1\n\"\"\"\n", "[Globals]\na=1 # ` \nb=2\n", "[", "[]", "[Globals", "[Globals]]\na=1\n", "[Globals] \t\na=[x]\nb=1\n",
	} {
		f.Add([]byte(text), "a")
	}
	f.Fuzz(func(t *testing.T, data []byte, key string) {
		for _, name := range []string{"xrdp.ini", "sesman.ini"} {
			for _, v := range []Version{{}, v0921, {0, 9, 3, 0}} {
				file := Parse(name, data, ForVersion(v))
				want, wantErr := file.crossReadOf(file.data, func(int) bool { return true })
				for _, changes := range [][]Change{nil, {{Key: key}}} {
					got, err := file.crossRead(changes...)
					if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() || !reflect.DeepEqual(got, want) {
						text, _ := file.disputable(changes)
						t.Fatalf("%s, %v: %+v, %v of %q; of the whole file %q: %+v, %v", name, v, got, err, text, data, want, wantErr)
					}
				}
			}
		}
	})
}

// TestDisputable demands that the library is asked about what people may dispute, and
// what an edit changes, and about little else.
func TestDisputable(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"evident", "[Globals]\n# c\na=1\nb = two words ; c\n\n[Xorg]\na=1\n", ""},
		{"twice", "[Globals]\na=1\nb=2\nA=3\n", "[Globals]\na=1\nA=3\n"},
		{"three times, with another section", "[Globals]\na=1\na=2\n[x]\nb=1\n[y]\na=1\na=3\na=2\n", "[Globals]\na=1\na=2\n[x]\n[y]\na=1\na=3\na=2\n"},
		{"not ASCII", "[Globals]\na=1\nb=\u00e4\n", "[Globals]\nb=\u00e4\n"},
		{"no value", "[Globals]\na=1\nb\n", "[Globals]\nb\n"},
		{"planned", "[Globals]\na=1\nplanned=1\n[x]\nPlanned = 2\n", "[Globals]\nplanned=1\n[x]\nPlanned = 2\n"},
		{"strange key", "[Globals]\na=1\n\"b\"=1\n", "[Globals]\na=1\n\"b\"=1\n"},
		{"strange value", "[Globals]\na=1\nb=`1\n", "[Globals]\na=1\nb=`1\n"},
		{"brackets in a value", "[Globals]\na=1\nb=[1]\n", "[Globals]\na=1\nb=[1]\n"},
		{"strange header", "[Globals]\na=1\n[x y]\n", "[Globals]\na=1\n[x y]\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, _ := Parse("xrdp.ini", []byte(tt.text)).disputable([]Change{{Key: "planned"}})
			if got != tt.want {
				t.Errorf("ini.v1 gets %q, want %q", got, tt.want)
			}
		})
	}
	for name, data := range stock(t) {
		f := Parse(name, data)
		if text, _ := f.disputable(nil); len(text) > len(data)/3 {
			t.Errorf("%s: ini.v1 gets %d bytes of %d: %s", name, len(text), len(data), text)
		}
	}
}

// plainNearest is what nearest has to find, one word after the other.
func plainNearest(key string, known []string) (string, bool) {
	plain := strings.NewReplacer("-", "", "_", "", " ", "", ".", "")
	best, at := "", 3
	for _, k := range known {
		folded := fold(k)
		if folded == key {
			return "", false
		}
		d := plainDistance(plain.Replace(key), plain.Replace(folded))
		limit := 1
		if len(folded) >= 10 {
			limit = 2
		}
		if len(folded) > 3 && d <= limit && d < at {
			best, at = k, d
		}
	}
	return best, best != ""
}

func plainDistance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}

// FuzzNearest demands the same near misses as a comparison letter by letter with each
// word.
func FuzzNearest(f *testing.F) {
	for _, sections := range knownKeys {
		for _, keys := range sections {
			for i, k := range keys {
				f.Add(k)
				f.Add(k[1:])
				f.Add(k[:len(k)/2] + k[len(k)/2+1:])
				f.Add(k + string(rune('a'+i%26)))
				f.Add(strings.ReplaceAll(k, "_", "-"))
				swapped := []byte(k)
				swapped[0], swapped[1] = swapped[1], swapped[0]
				f.Add(string(swapped))
				swapped[len(k)-1], swapped[len(k)-2] = swapped[len(k)-2], swapped[len(k)-1]
				f.Add(string(swapped))
			}
		}
	}
	f.Add(strings.Repeat("x", longestWord) + "_")
	f.Add(strings.Repeat("_", longestWord) + "port")
	f.Add("")
	f.Fuzz(func(t *testing.T, key string) {
		if len(key) >= lineLimit {
			return // no line of xrdp's has such a key
		}
		key = fold(key)
		for kind, sections := range knownKeys {
			for name, keys := range sections {
				got, ok := vocabularies()[kind][fold(name)].nearest(key)
				if want, is := plainNearest(key, keys); got != want || ok != is {
					t.Fatalf("nearest to %q in [%s] of %v = %q, %v, want %q, %v", key, name, kind, got, ok, want, is)
				}
			}
		}
	})
}

// TestWordsFit holds the vocabularies to the room that distance has for them.
func TestWordsFit(t *testing.T) {
	for kind, sections := range vocabularies() {
		for name, v := range sections {
			for _, w := range v.words {
				if len(w.plain)+2 > longestWord {
					t.Errorf("%v [%s]: %s and two letters more do not fit into %d", kind, name, w.plain, longestWord)
				}
			}
		}
	}
}

// FuzzASCIIReadsAlike demands that a key and value of ASCII are to the last release
// with wide characters what they are to 0.10, which spares an edit a second reading.
func FuzzASCIIReadsAlike(f *testing.F) {
	addSeeds(f, func(data []byte) { f.Add(data) })
	f.Fuzz(func(t *testing.T, data []byte) {
		now, then := Parse("xrdp.ini", data), Parse("xrdp.ini", data, ForVersion(lastWide))
		for _, s := range now.Sections() {
			for _, item := range now.All(s.Name) {
				v, _ := now.Lookup(s.Name, item.Key)
				if !ascii(item.Key) || !ascii(v.Raw) {
					continue
				}
				if old, ok := then.Lookup(s.Name, item.Key); !ok || old != v {
					t.Fatalf("[%s] %s: %+v, %v to %v, %+v since", s.Name, item.Key, old, ok, lastWide, v)
				}
			}
		}
	})
}

// plainUnbracket mends one value after the other and reads the file again each time.
func plainUnbracket(f *File) *File {
	for range f.lines {
		cut, ok := f.Cut()
		if !ok || cut.Reason != CutBracket {
			break
		}
		l := f.lines[f.sections[f.live[fold(SectionGlobals)]].last]
		pair := strings.NewReplacer("[", "(", "]", ")")
		if fold(l.key) == "port" {
			pair = strings.NewReplacer("[", "{", "]", "}")
		}
		f = f.splice(l.start, l.kept, pair.Replace(f.data[l.start:l.kept]))
	}
	return f
}

// FuzzUnbracket demands the same file of all values mended at once.
func FuzzUnbracket(f *testing.F) {
	addSeeds(f, func(data []byte) { f.Add(data) })
	f.Add([]byte("[Globals]\na=[x]\nport=[::1]:3389 # [y]\n[Xorg]\nb=[z]\n"))
	f.Add([]byte("[Globals]\na=[x]\n#" + strings.Repeat("x", ReadLimit-30) + "\nb=[y]\nc=[z]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, v := range []Version{{}, v0921, {0, 9, 5, 0}} {
			file := Parse("xrdp.ini", data, ForVersion(v))
			want := plainUnbracket(file)
			if got, err := file.Unbracket(); err == nil && got.data != want.data {
				t.Fatalf("%v: %q became %q, one by one %q", v, data, got.data, want.data)
			}
		}
	})
}
