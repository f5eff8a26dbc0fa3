package main

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"xrdpfix/internal/lab"
)

// TestReport feeds what go test -json prints and compares the counts, the rows
// and what is said.
func TestReport(t *testing.T) {
	tests := []struct {
		name   string
		events string
		tally  tally
		rows   []row
		said   []string
	}{
		{
			"a test passes with its subtest",
			`{"Action":"run","Package":"p","Test":"TestA"}
			{"Action":"output","Package":"p","Test":"TestA/x","Output":"chatter\n"}
			{"Action":"pass","Package":"p","Test":"TestA/x","Elapsed":0.5}
			{"Action":"pass","Package":"p","Test":"TestA","Elapsed":1}
			{"Action":"output","Package":"p","Output":"ok p 1.0s\n"}
			{"Action":"pass","Package":"p","Elapsed":1}`,
			tally{passed: 2},
			[]row{{"p", "TestA/x", "pass", 0.5}, {"p", "TestA", "pass", 1}},
			[]string{fmt.Sprintf("ok    %-40s %4d tests %7.1f s", "p", 2, 1.0)},
		},
		{
			"a failure shows its output and the seed",
			`{"Action":"output","Package":"p","Output":"-test.shuffle 42\n"}
			{"Action":"output","Package":"p","Test":"TestA","Output":"a_test.go:1: no\n"}
			{"Action":"fail","Package":"p","Test":"TestA","Elapsed":1}
			{"Action":"fail","Package":"p","Elapsed":1}`,
			tally{failed: 1},
			[]row{{"p", "TestA", "fail", 1}},
			[]string{"FAIL  p TestA\na_test.go:1: no", "FAIL  p  1.0 s\n-test.shuffle 42"},
		},
		{
			"a skip is never silent",
			`{"Action":"output","Package":"p","Test":"TestA","Output":"a_test.go:1: not root\n"}
			{"Action":"skip","Package":"p","Test":"TestA"}
			{"Action":"pass","Package":"p"}`,
			tally{skipped: 1},
			[]row{{"p", "TestA", "skip", 0}},
			[]string{"skip  p TestA\na_test.go:1: not root"},
		},
		{
			"a package that does not build is one failure",
			`{"ImportPath":"p","Action":"build-output","Output":"a.go:1: undefined: x\n"}
			{"ImportPath":"p","Action":"build-fail"}
			{"Action":"output","Package":"p","Output":"FAIL\tp [build failed]\n"}
			{"Action":"fail","Package":"p"}`,
			tally{failed: 1}, nil,
			[]string{"a.go:1: undefined: x", "FAIL  p  0.0 s\nFAIL\tp [build failed]"},
		},
		{
			"a time limit ends a test without an end",
			`{"Action":"pass","Package":"p","Test":"TestA"}
			{"Action":"output","Package":"p","Test":"TestB","Output":"panic: test timed out\n"}
			{"Action":"fail","Package":"p","Elapsed":2}`,
			tally{passed: 1, failed: 1},
			[]row{{"p", "TestA", "pass", 0}},
			[]string{"panic: test timed out", "FAIL  p  2.0 s\n"},
		},
		{
			"a line that is no JSON is passed on",
			`go: warning`,
			tally{}, nil,
			[]string{"go: warning"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var said []string
			p := newReport(func(f string, a ...any) { said = append(said, fmt.Sprintf(f, a...)) }, false)
			if err := p.read(strings.NewReader(tt.events)); err != nil {
				t.Fatal(err)
			}
			if p.tally != tt.tally {
				t.Errorf("tally = %+v, want %+v", p.tally, tt.tally)
			}
			if !reflect.DeepEqual(p.rows, tt.rows) {
				t.Errorf("rows = %v, want %v", p.rows, tt.rows)
			}
			if !reflect.DeepEqual(said, tt.said) {
				t.Errorf("said %q, want %q", said, tt.said)
			}
		})
	}
}

func TestShort(t *testing.T) {
	numbers := func(from, to int) string {
		var out []string
		for n := from; n <= to; n++ {
			out = append(out, fmt.Sprint(n))
		}
		return strings.Join(out, "\n")
	}
	if got, want := short(numbers(1, 61)+"\n"), numbers(1, 61); got != want {
		t.Errorf("short(61 lines) = %q, want all", got)
	}
	want := numbers(1, 30) + "\n    ... 40 lines not shown; go test -run shows them ...\n" + numbers(71, 100)
	if got := short(numbers(1, 100)); got != want {
		t.Errorf("short(100 lines) = %q, want %q", got, want)
	}
}

func TestTallyString(t *testing.T) {
	for _, tt := range []struct {
		tally tally
		want  string
	}{
		{tally{passed: 12}, "12 passed, 0 failed"},
		{tally{passed: 1, failed: 2, skipped: 3}, "1 passed, 2 failed, 3 skipped"},
	} {
		if got := tt.tally.String(); got != tt.want {
			t.Errorf("%+v = %q, want %q", tt.tally, got, tt.want)
		}
	}
}

func TestChoose(t *testing.T) {
	names := func(ps []phase) (out string) {
		for _, p := range ps {
			out += p.name + " "
		}
		return out
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{nil, "format tidy vet lint unit fuzz lab "},
		{[]string{"vet", "format"}, "format vet "},
		{[]string{"vuln"}, "vuln "},
	} {
		got, err := choose(tt.args)
		if err != nil || names(got) != tt.want {
			t.Errorf("choose(%q) = %q, %v, want %q", tt.args, names(got), err, tt.want)
		}
	}
	if got, err := choose([]string{"no-such-phase"}); err == nil {
		t.Errorf("choose(no-such-phase) = %q, want an error", names(got))
	}
}

func TestTested(t *testing.T) {
	day := time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	images := []lab.Image{{Suite: lab.Bookworm, Built: day, Versions: map[string]string{"xrdp": "0.9.21.1-1", "openssl": "3.0.19", "systemd": "252"}}}
	rows := []row{{"xrdpfix/cmd/xrdpfix", "TestApply/bookworm", "pass", 8.25}}
	got := tested(day, images, rows)
	for _, want := range []string{
		"on 2026-11-23 with go1",
		"| bookworm | 0.9.21.1-1 | 3.0.19 | 252 | 2026-11-23 |",
		"1 passed, 0 failed.",
		"| cmd/xrdpfix | TestApply/bookworm | pass | 8.2 |",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("tested() lacks %q:\n%s", want, got)
		}
	}
}
