//go:build lab

package matrix

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"

	"xrdpfix/internal/lab"
)

// keptEnv names a file in which the rows that passed are kept from one run to
// the next: a row that failed can be run again alone, and the document is
// written when every row has passed. Begin a new file after a change of the
// program.
const keptEnv = "XRDPFIX_MATRIX_RESULTS"

// kept is a result on disk.
type kept struct {
	Row      string            `json:"row"`
	Suite    lab.Suite         `json:"suite"`
	Versions map[string]string `json:"versions"`
	Before   string            `json:"before"`
	After    string            `json:"after"`
	Codes    string            `json:"codes"`
	Plan     string            `json:"plan"`
}

// keep adds a row that passed to the file, a line each.
func keep(x result) error {
	name := os.Getenv(keptEnv)
	if name == "" || !x.ok {
		return nil
	}
	line, err := json.Marshal(kept{x.fault.name, x.suite, x.versions, x.before, x.after, x.codes, x.plan})
	if err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Close())
}

// merge adds the rows of earlier runs that did not run now, the last of each.
func (r *results) merge() error {
	name := os.Getenv(keptEnv)
	if name == "" {
		return nil
	}
	data, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	ran, rows := map[string]bool{}, map[string]fault{}
	for _, x := range r.list {
		ran[x.fault.name+"/"+string(x.suite)] = true
	}
	for _, f := range faults() {
		rows[f.name] = f
	}
	lines := slices.Collect(bytes.Lines(data))
	for _, line := range slices.Backward(lines) {
		var k kept
		if err := json.Unmarshal(line, &k); err != nil {
			return err
		}
		id := k.Row + "/" + string(k.Suite)
		if f, known := rows[k.Row]; known && !ran[id] {
			ran[id] = true
			r.list = append(r.list, result{fault: f, suite: k.Suite, versions: k.Versions, before: k.Before, after: k.After, codes: k.Codes, plan: k.Plan, ok: true})
		}
	}
	return nil
}
