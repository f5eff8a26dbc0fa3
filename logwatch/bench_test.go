package logwatch

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// busyLog makes a log of about n bytes out of what real servers wrote.
func busyLog(b *testing.B, n int) string {
	b.Helper()
	var lines strings.Builder
	for _, name := range []string{"0.9.21.1", "0.10.1", "0.10.6.1"} {
		data, err := os.ReadFile("testdata/connections/" + name + ".txt")
		if err != nil {
			b.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			if line[0] == '[' {
				lines.WriteString(line)
			}
		}
	}
	path := filepath.Join(b.TempDir(), "xrdp.log")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	for size := 0; size < n; size += lines.Len() {
		if _, err := io.WriteString(f, lines.String()); err != nil {
			b.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return path
}

func benchmarkFile(b *testing.B, fn func(scan *scanner)) {
	path := busyLog(b, 32<<20)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	b.ReportAllocs()
	for b.Loop() {
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		fn(newScanner(f, 0))
		_ = f.Close()
	}
}

func BenchmarkScan(b *testing.B) {
	benchmarkFile(b, func(scan *scanner) {
		for {
			if _, _, err := scan.next(); errors.Is(err, io.EOF) {
				return
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	benchmarkFile(b, func(scan *scanner) {
		var p Parser
		for {
			line, at, err := scan.next()
			if errors.Is(err, io.EOF) {
				return
			}
			scan.entry(&p, line, at)
		}
	})
}

func BenchmarkClassify(b *testing.B) {
	benchmarkFile(b, func(scan *scanner) {
		var p Parser
		for {
			line, at, err := scan.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if e, ok := scan.entry(&p, line, at); ok {
				Classify(e)
			}
		}
	})
}

func BenchmarkHistory(b *testing.B) {
	benchmarkGroups(b, func(path string, g *Grouper) error {
		_, err := History(context.Background(), path, HistoryOptions{}, func(e Entry) error {
			g.Add(e)
			g.Done()
			return nil
		})
		return err
	})
}

func BenchmarkHistoryMatches(b *testing.B) {
	benchmarkGroups(b, func(path string, g *Grouper) error {
		_, err := HistoryMatches(context.Background(), path, HistoryOptions{}, func(m Match) error {
			g.AddMatch(m)
			g.Done()
			return nil
		})
		return err
	})
}

func benchmarkGroups(b *testing.B, fn func(path string, g *Grouper) error) {
	path := busyLog(b, 32<<20)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	b.ReportAllocs()
	for b.Loop() {
		var g Grouper
		if err := fn(path, &g); err != nil {
			b.Fatal(err)
		}
	}
}
