package logwatch

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// readAll reads a log from memory as the files are read.
func readAll(log string) []Entry {
	scan := newScanner(strings.NewReader(log), 0)
	p := Parser{Reference: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	var list []Entry
	for {
		line, at, err := scan.next()
		if errors.Is(err, io.EOF) {
			return list
		}
		if e, ok := scan.entry(&p, line, at); ok {
			list = append(list, e)
		}
	}
}

// summary tells the essence of a connection in one line.
func summary(c Connection) string {
	o := c.Outcome()
	cause := o.Cause
	if o.Likely {
		cause += "?"
	}
	protocol := c.Protocol
	if c.TLSVersion != "" {
		protocol = c.TLSVersion
	}
	if c.ClassicLevel != "" {
		protocol += " " + c.ClassicLevel
	}
	var flags []string
	for flag, set := range map[string]bool{"established": c.Established, "interleaved": c.Interleaved,
		"doubtful": c.Doubtful, "own": o.Own, "noclient": !c.Client.IsValid(), "pid": c.PID != 0} {
		if set {
			flags = append(flags, flag)
		}
	}
	slices.Sort(flags)
	s := fmt.Sprintf("%s %s | %s | %s | %s | %s", o.Kind, cause, c.Requested, protocol, c.ClientName, strings.Join(flags, " "))
	if len(o.Possible) > 0 {
		s += " " + fmt.Sprint(o.Possible)
	}
	return strings.TrimRight(s, " ")
}

// TestConnectionsOfRealServers reads what real servers wrote, with a fault
// planted and a real client connecting.
func TestConnectionsOfRealServers(t *testing.T) {
	files, err := filepath.Glob("testdata/connections/*.txt")
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, section := range strings.Split(string(data), "\n### ")[1:] {
			title, body, _ := strings.Cut(section, "\n")
			var want []string
			for strings.HasPrefix(body, "= ") {
				var line string
				line, body, _ = strings.Cut(body[2:], "\n")
				want = append(want, line)
			}
			t.Run(filepath.Base(file)+"/"+title, func(t *testing.T) {
				var got []string
				for _, c := range Group(readAll(body)) {
					got = append(got, summary(c))
				}
				if !slices.Equal(got, want) {
					t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
				}
			})
		}
	}
}
