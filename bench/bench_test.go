package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xrdpfix/logwatch"
)

func TestInTurns(t *testing.T) {
	var order strings.Builder
	one := func(name string, turns int) subject {
		n := time.Duration(0)
		return subject{name: name, turns: turns, run: func(context.Context) (cost, error) {
			order.WriteString(name)
			n++
			return cost{wall: n * time.Second, memory: int64(n)}, nil
		}}
	}
	list, err := inTurns(t.Context(), 3, one("a", 0), one("b", 1))
	if err != nil || order.String() != "ababaa" {
		t.Errorf("order %s, %v, want ababaa", order.String(), err)
	}
	if a := list[0]; a.median() != 3*time.Second || a.memory() != 4 || len(a.costs) != 3 {
		t.Errorf("a = %+v: the first turn does not count", a)
	}
	if b := list[1]; b.median() != 2*time.Second {
		t.Errorf("b = %+v", b)
	}
}

func TestExponent(t *testing.T) {
	linear := curve{sizes: []int{1, 2, 4, 8}, costs: []time.Duration{10, 20, 40, 80}}
	square := curve{sizes: []int{1, 2, 4, 8}, costs: []time.Duration{10, 40, 160, 640}}
	if e := linear.exponent(); e < 0.999 || e > 1.001 {
		t.Errorf("linear: %f", e)
	}
	if e := square.exponent(); e < 1.999 || e > 2.001 {
		t.Errorf("square: %f", e)
	}
}

// TestReplay: a replayed log is one that xrdp could have written, and its
// connections are found.
func TestReplay(t *testing.T) {
	t.Chdir("..")
	path := filepath.Join(t.TempDir(), "xrdp.log")
	if err := replay(path, 200<<10); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(text) < 200<<10 || len(text) > 201<<10 {
		t.Errorf("%d bytes", len(text))
	}
	var g logwatch.Grouper
	for line := range bytes.Lines(text) {
		e, ok := logwatch.ParseLine(strings.TrimSuffix(string(line), "\n"), time.Local)
		if !ok {
			t.Fatalf("no line of xrdp: %q", line)
		}
		g.Add(e)
	}
	outcomes := map[logwatch.OutcomeKind]int{}
	for _, c := range g.Flush() {
		outcomes[c.Outcome().Kind]++
	}
	if outcomes[logwatch.ConnectedTLS] == 0 || outcomes[logwatch.Failed] == 0 {
		t.Errorf("outcomes %v: some connect, some fail", outcomes)
	}
}
