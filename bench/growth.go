package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xrdpfix/xrdpconf"
)

// A curve is what a thing costs at growing sizes.
type curve struct {
	of    string // what grows
	sizes []int
	costs []time.Duration
	say   func(int) string // a size in words
}

// exponent is the slope of cost over size, both as logarithms, by least squares:
// 1 is linear, 2 is quadratic, and what it costs to begin pulls it below 1.
func (c curve) exponent() float64 {
	var sx, sy, sxx, sxy float64
	n := float64(len(c.sizes))
	for i, size := range c.sizes {
		x, y := math.Log(float64(size)), math.Log(float64(c.costs[i]))
		sx, sy, sxx, sxy = sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	return (n*sxy - sx*sy) / (n*sxx - sx*sx)
}

func (c curve) rows() [][]string {
	var rows [][]string
	for i, size := range c.sizes {
		rows = append(rows, []string{c.of, c.say(size), short(c.costs[i]), times(c.costs[i], c.costs[0]), fmt.Sprintf("%.1f", float64(size)/float64(c.sizes[0]))})
	}
	return rows
}

// steepest is the exponent up to which a cost counts as linear: the clock of a
// busy machine alone moves it by a few hundredths.
const steepest = 1.1

// growth shows how the cost of the three things that may grow grows.
func growth(ctx context.Context, b *bench) (result, error) {
	curves := []func(context.Context, *bench) (curve, error){probeCurve, logCurve, keysCurve, commentsCurve, editsCurve}
	r := result{
		title: "How cost grows",
		method: "Medians at four sizes each. The last two columns are to be compared: linear means that the cost grows no faster " +
			"than the size. The exponent is the slope of cost over size as logarithms.",
	}
	t := table{{"what", "size", "median", "times the smallest", "size, times the smallest"}}
	for _, measure := range curves {
		c, err := measure(ctx, b)
		if err != nil {
			return result{}, err
		}
		t = append(t, c.rows()...)
		e := c.exponent()
		r.goals = append(r.goals, goal{c.of + ", exponent", "1 or less", fmt.Sprintf("%.2f", e), e <= steepest})
	}
	r.tables = []table{t}
	return r, nil
}

// probeCurve probes fleets of growing size.
func probeCurve(ctx context.Context, b *bench) (curve, error) {
	port, stop, err := standIn(ctx)
	if err != nil {
		return curve{}, err
	}
	defer stop()
	c := curve{of: "probe, servers", sizes: []int{125, 250, 500, 1000}, say: func(n int) string { return fmt.Sprint(n) }}
	if b.quick {
		c.sizes = []int{5, 10, 20, 40}
	}
	var subjects []subject
	for _, n := range c.sizes {
		list := filepath.Join(b.dir, fmt.Sprintf("fleet-%d", n))
		if err := os.WriteFile(list, []byte(strings.Join(addresses(n, port), "\n")+"\n"), 0o600); err != nil {
			return curve{}, fmt.Errorf("list the fleet: %w", err)
		}
		subjects = append(subjects, of(fmt.Sprint(n), command{args: b.fleetArgs(list), codes: []int{3}}))
	}
	return c, c.measure(ctx, 5, subjects)
}

// logCurve reads logs of growing size.
func logCurve(ctx context.Context, b *bench) (curve, error) {
	c := curve{of: "log, bytes", sizes: []int{32 << 20, 64 << 20, 128 << 20, 256 << 20}, say: func(n int) string { return size(int64(n)) }}
	if b.quick {
		c.sizes = []int{1 << 20, 2 << 20, 4 << 20, 8 << 20}
	}
	var subjects []subject
	for _, n := range c.sizes {
		tree, err := b.tree(fmt.Sprintf("log-%d", n), int64(n))
		if err != nil {
			return curve{}, err
		}
		subjects = append(subjects, of(size(int64(n)), command{args: b.logArgs(tree)}))
	}
	return c, c.measure(ctx, 5, subjects)
}

// measure fills the costs of a curve from commands in turns.
func (c *curve) measure(ctx context.Context, turns int, subjects []subject) error {
	list, err := inTurns(ctx, turns, subjects...)
	if err != nil {
		return err
	}
	for _, s := range list {
		c.costs = append(c.costs, s.median())
	}
	return nil
}

// keysCurve reads an xrdp.ini with ever more keys in [Globals].
func keysCurve(ctx context.Context, b *bench) (curve, error) {
	return fileCurve(ctx, b, "xrdp.ini, keys", keyCounts, manyKeys, reading)
}

// editsCurve changes such a file.
func editsCurve(ctx context.Context, b *bench) (curve, error) {
	return fileCurve(ctx, b, "xrdp.ini edited, keys", keyCounts, manyKeys, editing)
}

// commentsCurve reads an xrdp.ini that is mostly comments. xrdp itself reads no
// further than 32 KiB; a file may be longer all the same.
func commentsCurve(ctx context.Context, b *bench) (curve, error) {
	return fileCurve(ctx, b, "xrdp.ini, KiB", []int{16, 64, 256, 1024}, func(n int) string {
		const line = "# this line says nothing that anybody reads\n"
		return "[Globals]\nport=3389\nsecurity_layer=negotiate\n" + strings.Repeat(line, n<<10/len(line))
	}, reading)
}

var keyCounts = []int{100, 200, 400, 800}

func manyKeys(n int) string {
	var out strings.Builder
	out.WriteString("[Globals]\nport=3389\nsecurity_layer=negotiate\n")
	for i := range n {
		fmt.Fprintf(&out, "key%d=value %d\n", i, i)
	}
	return out.String()
}

// reading is all that a check does with the file.
func reading(data []byte) func() error {
	return func() error {
		f := xrdpconf.Parse("/etc/xrdp/xrdp.ini", data)
		_ = f.Issues()
		if !bytes.Equal(f.Bytes(), data) {
			return errors.New("parsing changed the file")
		}
		return nil
	}
}

// editing sets one key and inserts another.
func editing(data []byte) func() error {
	f := xrdpconf.Parse("/etc/xrdp/xrdp.ini", data)
	return func() error {
		_, err := f.Edit(
			xrdpconf.Change{Section: xrdpconf.SectionGlobals, Key: "security_layer", Value: "tls"},
			xrdpconf.Change{Section: xrdpconf.SectionGlobals, Key: "certificate", Value: "/etc/xrdp/cert.pem"},
		)
		return err
	}
}

// fileCurve measures what is done with files of growing size.
func fileCurve(ctx context.Context, b *bench, of string, sizes []int, text func(int) string, do func(data []byte) func() error) (curve, error) {
	c := curve{of: of, sizes: sizes, say: func(n int) string { return fmt.Sprint(n) }}
	turns := 5
	if b.quick {
		turns = 1
	}
	var subjects []subject
	for _, n := range sizes {
		work := do([]byte(text(n)))
		subjects = append(subjects, subject{name: of, run: func(context.Context) (cost, error) { return repeated(work) }})
	}
	return c, c.measure(ctx, turns, subjects)
}

// repeated is what work costs, on an average over a second.
func repeated(work func() error) (cost, error) {
	var failed error
	r := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			if failed = work(); failed != nil {
				b.FailNow()
			}
		}
	})
	return cost{wall: time.Duration(r.NsPerOp())}, failed
}
