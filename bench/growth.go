package main

import (
	"bytes"
	"context"
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
	curves := []func(context.Context, *bench) (curve, error){probeCurve, logCurve, keysCurve, commentsCurve}
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
func keysCurve(_ context.Context, _ *bench) (curve, error) {
	return readingCurve("xrdp.ini, keys", []int{100, 200, 400, 800}, func(n int) string {
		var out strings.Builder
		out.WriteString("[Globals]\nport=3389\nsecurity_layer=negotiate\n")
		for i := range n {
			fmt.Fprintf(&out, "key%d=value %d\n", i, i)
		}
		return out.String()
	}, func(n int) string { return fmt.Sprint(n) })
}

// commentsCurve reads an xrdp.ini that is mostly comments. xrdp itself reads no
// further than 32 KiB; a file may be longer all the same.
func commentsCurve(_ context.Context, _ *bench) (curve, error) {
	return readingCurve("xrdp.ini, bytes", []int{16 << 10, 64 << 10, 256 << 10, 1 << 20}, func(n int) string {
		const line = "# this line says nothing that anybody reads\n"
		return "[Globals]\nport=3389\n" + strings.Repeat(line, n/len(line))
	}, func(n int) string { return size(int64(n)) })
}

func readingCurve(of string, sizes []int, text func(int) string, say func(int) string) (curve, error) {
	c := curve{of: of, sizes: sizes, say: say}
	for _, n := range sizes {
		data := []byte(text(n))
		r := testing.Benchmark(func(b *testing.B) {
			for b.Loop() {
				f := xrdpconf.Parse("/etc/xrdp/xrdp.ini", data, xrdpconf.AsKind(xrdpconf.KindServer))
				if !bytes.Equal(f.Bytes(), data) {
					b.Fatal("parsing changed the file")
				}
				_ = f.Issues()
			}
		})
		if r.N == 0 {
			return curve{}, fmt.Errorf("%s: could not be measured", of)
		}
		c.costs = append(c.costs, time.Duration(r.NsPerOp()))
	}
	return c, nil
}
