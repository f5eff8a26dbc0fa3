package logwatch

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestHistoryHasAnEnd reads a log that grows by each line that is read of it.
func TestHistoryHasAnEnd(t *testing.T) {
	name := filepath.Join(t.TempDir(), "xrdp.log")
	line := func(n int) string { return fmt.Sprintf("[20261122-14:09:02] [INFO ] line %d\n", n) }
	const lines = 100
	var text strings.Builder
	for n := range lines {
		text.WriteString(line(n))
	}
	if err := os.WriteFile(name, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	read := func(o HistoryOptions) int {
		n := 0
		_, err := History(t.Context(), name, o, func(Entry) error {
			if n++; n > 10*lines {
				t.Fatal("it reads what is written meanwhile")
			}
			_, err := f.WriteString(line(n))
			return err
		})
		if err != nil {
			t.Error(err)
		}
		return n
	}
	if n := read(HistoryOptions{}); n != lines {
		t.Errorf("%d lines of %d", n, lines)
	}
	// Of what has no time in it only the end is read.
	if err := os.WriteFile(name, []byte(strings.Repeat("x\n", 1<<20)+text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	files, err := History(t.Context(), name, HistoryOptions{Since: at, Tail: 1 << 10}, func(Entry) error { return nil })
	if err != nil || len(files) != 1 || files[0].Bytes > 1<<10 || files[0].Lines < 20 {
		t.Errorf("of 2 MB: %+v, %v", files, err)
	}
}
