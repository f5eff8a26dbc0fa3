package diagnose

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"xrdpfix/logwatch"
)

// FactsSchema is the form of saved facts that this version writes and reads.
// Fields may be added to it, none ever changes its meaning.
const FactsSchema = 1

// MaxFacts is the longest file of saved facts that is read, in bytes. The facts
// of a real host have some 20 KiB; five hundred clients in xrdp.log make it 300.
const MaxFacts = 16 << 20

// factsKind tells saved facts from every other JSON object, our own reports
// among them.
const factsKind = "xrdpfix-facts"

// Errors of [DecodeFacts].
var (
	// ErrNotFacts: the data is no saved facts.
	ErrNotFacts = errors.New("no facts saved by xrdpfix")
	// ErrFactsSchema: the facts come from a version whose form is not known.
	ErrFactsSchema = errors.New("saved by a version of xrdpfix that this one does not understand")
)

type savedFacts struct {
	Kind string `json:"kind"`
	Facts
}

// EncodeFacts gives the facts as JSON, to be diagnosed elsewhere: [Run] says of
// what [DecodeFacts] reads the same as of f. It leaves out what could be a
// secret, and what could be used to guess one.
func EncodeFacts(f Facts) ([]byte, error) {
	saved := savedFacts{Kind: factsKind, Facts: mapStrings(withoutSums(f), escape)}
	saved.Schema = FactsSchema
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(saved); err != nil {
		return nil, fmt.Errorf("encode facts: %w", err)
	}
	return out.Bytes(), nil
}

// DecodeFacts reads what EncodeFacts gave. Unknown fields are passed over. The
// facts are marked as Replayed: a plan made from them is never executed.
// ErrNotFacts and ErrFactsSchema can be tested with errors.Is.
func DecodeFacts(data []byte) (Facts, error) {
	if len(data) > MaxFacts {
		return Facts{}, fmt.Errorf("%w: longer than %d bytes", ErrNotFacts, MaxFacts)
	}
	var head struct {
		Kind   string `json:"kind"`
		Schema int    `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return Facts{}, fmt.Errorf("%w: %w", ErrNotFacts, err)
	}
	if head.Kind != factsKind {
		return Facts{}, ErrNotFacts
	}
	if head.Schema != FactsSchema {
		return Facts{}, fmt.Errorf("schema %d: %w (it knows %d)", head.Schema, ErrFactsSchema, FactsSchema)
	}
	var saved savedFacts
	if err := json.Unmarshal(data, &saved); err != nil {
		return Facts{}, fmt.Errorf("%w: %w", ErrNotFacts, err)
	}
	w := walk{change: unescape, replace: unescapeMatch}
	f := w.copy(reflect.ValueOf(&saved.Facts).Elem()).Interface().(Facts)
	if f.Taken.IsZero() {
		return Facts{}, fmt.Errorf("%w: no time", ErrNotFacts)
	}
	f.Replayed = true
	for _, p := range []*PathFact{&f.Cert, &f.Key, &f.RSAKeys, &f.ConfigAccess} {
		if p.Stop < -1 || p.Stop >= len(p.Steps) {
			p.Stop = -1
		}
	}
	return f, nil
}

// unescapeMatch does to a line of the log what the walk does to strings: its
// fields have to follow.
func unescapeMatch(v reflect.Value) (reflect.Value, bool) {
	m, ok := v.Interface().(logwatch.Match)
	if !ok {
		return v, false
	}
	if back, same := m.Rewrite(func(_, old string) string { return unescape(old) }); same {
		m = back
	}
	return reflect.ValueOf(m), true
}

// withoutSums replaces the checksum of each file in which a password was masked:
// together with the rest of the text it would let a short password be guessed.
// The sum of the masked text takes its place, and the sums that an earlier apply
// remembers follow suit, so that drift still shows.
func withoutSums(f Facts) Facts {
	changed := map[string]string{} // by the real sum
	hidden := map[string]bool{}    // paths
	w := walk{change: func(s string) string { return s }}
	w.mend = func(old, copied any) {
		file, ok := copied.(*FileFact)
		if !ok || file.Data == nil || file.Text == string(file.Data) {
			return
		}
		sum := sha256.Sum256([]byte(file.Text))
		file.SHA256 = hex.EncodeToString(sum[:])
		changed[old.(FileFact).SHA256] = file.SHA256
		hidden[file.Path], hidden[file.Target] = true, true
	}
	out := w.copy(reflect.ValueOf(&f).Elem()).Interface().(Facts)
	for _, a := range out.Applied.Value {
		for path, sum := range a.Files {
			if known, ok := changed[sum]; ok {
				a.Files[path] = known
			} else if hidden[path] {
				a.Files[path] = otherSum
			}
		}
	}
	return out
}

// otherSum is the checksum of no file.
const otherSum = "0000000000000000000000000000000000000000000000000000000000000000"
