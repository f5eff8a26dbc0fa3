package logwatch

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// numbers returns the numbers of the lines that a logWriter wrote.
func numbers(list []Entry) string {
	f := followed{}
	for _, e := range list {
		n := -1
		_, _ = fmt.Sscanf(e.Text, "line %d", &n)
		f.seen = append(f.seen, n)
	}
	return f.runs()
}

// pack compresses the youngest rotated file as logrotate does without delaycompress.
func (w *logWriter) pack() {
	data, err := os.ReadFile(w.path + ".1")
	w.check(err)
	f, err := os.Create(w.path + ".1.gz")
	w.check(err)
	z := gzip.NewWriter(f)
	_, err = z.Write(data)
	w.check(err)
	w.check(errors.Join(z.Close(), f.Close(), os.Remove(w.path+".1")))
}

func TestSince(t *testing.T) {
	tests := []struct {
		name string
		then func(w *logWriter) // after 100 lines and the mark
		want string
		gap  Gap
	}{
		{"nothing", func(*logWriter) {}, "", GapNone},
		{"growth", func(w *logWriter) { w.write(10) }, "101-110", GapNone},
		{"rename", func(w *logWriter) { w.write(10); w.rename(); w.write(10) }, "101-120", GapNone},
		{"rename, nothing since", func(w *logWriter) { w.rename() }, "", GapNone},
		{"two renames", func(w *logWriter) { w.write(10); w.rename(); w.write(10); w.rename(); w.write(10) }, "101-130", GapNone},
		{"rename and compression", func(w *logWriter) { w.write(10); w.rename(); w.pack(); w.write(10) }, "101-120", GapNone},
		{"rename, no new log", func(w *logWriter) { w.write(10); w.check(os.Rename(w.path, w.path+".1")) }, "101-110", GapNone},
		{"dated rename", func(w *logWriter) { w.write(10); w.check(os.Rename(w.path, w.path+"-20261122")); w.open(); w.write(10) }, "101-120", GapNone},
		{"copytruncate", func(w *logWriter) { w.write(10); w.copyTruncate(); w.write(10) }, "101-120", GapTruncated},
		{"copytruncate, grown beyond the mark", func(w *logWriter) { w.write(10); w.copyTruncate(); w.write(500) }, "101-610", GapTruncated},
		{"copytruncate and compression", func(w *logWriter) { w.write(10); w.copyTruncate(); w.pack(); w.write(10) }, "101-120", GapTruncated},
		{"copy not yet truncated", func(w *logWriter) {
			w.write(10)
			data, err := os.ReadFile(w.path)
			w.check(err)
			w.check(os.WriteFile(w.path+".1", data, 0o600))
			w.write(10)
		}, "101-120", GapNone},
		{"emptied without a copy", func(w *logWriter) { w.write(10); w.check(os.Truncate(w.path, 0)); w.write(10) }, "111-120", GapLost},
		{"removed", func(w *logWriter) { w.write(10); w.remove(); w.write(10) }, "111-120", GapLost},
		{"removed, no new log", func(w *logWriter) { w.check(os.Remove(w.path)) }, "", GapLost},
		{"unfinished line", func(w *logWriter) {
			w.write(2)
			_, err := w.file.WriteString("[20261122-14:09:02] [INFO ] line 1")
			w.check(err)
		}, "101-102", GapNone},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newLogWriter(t)
			w.write(100)
			m := w.mark()
			data, err := json.Marshal(m) // a mark survives being written down
			w.check(err)
			var kept Mark
			w.check(json.Unmarshal(data, &kept))
			tt.then(w)
			list, gap, err := Since(kept, time.UTC, 0)
			if got := numbers(list); err != nil || got != tt.want || gap != tt.gap {
				t.Errorf("Since = %s, %q, %v, want %s, %q", got, gap, err, tt.want, tt.gap)
			}
		})
	}
}

func TestSinceLimit(t *testing.T) {
	w := newLogWriter(t)
	m := w.mark()
	w.write(1000)
	list, _, err := Since(m, time.UTC, 400)
	if !errors.Is(err, ErrTooMuch) || len(list) == 0 || len(list) > 12 {
		t.Errorf("Since read %d lines, %v, want some and ErrTooMuch", len(list), err)
	}
}

func TestSinceLogThatWasAbsent(t *testing.T) {
	w := newLogWriter(t)
	w.check(os.Remove(w.path))
	m, err := End(w.path)
	if !errors.Is(err, fs.ErrNotExist) || m.Path != w.path {
		t.Fatalf("End = %+v, %v, want a mark beside ErrNotExist", m, err)
	}
	if list, gap, err := Since(m, time.UTC, 0); len(list) > 0 || gap != GapNone || err != nil {
		t.Errorf("Since = %v, %q, %v before the log is made", list, gap, err)
	}
	w.open()
	w.write(5)
	if list, gap, err := Since(m, time.UTC, 0); numbers(list) != "1-5" || gap != GapNone || err != nil {
		t.Errorf("Since = %s, %q, %v, want 1-5", numbers(list), gap, err)
	}
}

func TestMarkLeavesAnUnfinishedLine(t *testing.T) {
	w := newLogWriter(t)
	_, err := w.file.WriteString("[20261122-14:09:02] [INFO ] li")
	w.check(err)
	m := w.mark()
	_, err = w.file.WriteString("ne 1\n")
	w.check(err)
	if list, _, err := Since(m, time.UTC, 0); err != nil || numbers(list) != "1-1" {
		t.Errorf("Since = %v, %v, want line 1 whole", list, err)
	}
}

// TestNoRegularFile puts something in the log's place on which a careless
// reader waits for ever.
func TestNoRegularFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := End(dir); !errors.Is(err, errNotRegular) {
		t.Errorf("End of a directory: %v", err)
	}
	if _, err := End("/dev/zero"); !errors.Is(err, errNotRegular) {
		t.Errorf("End of a device: %v", err)
	}
}

func TestHistory(t *testing.T) {
	w := newLogWriter(t)
	w.write(10)
	w.rename()
	w.pack()
	w.write(10)
	w.rename()
	w.write(10)
	w.copyTruncate()
	w.write(10)
	w.check(os.WriteFile(w.path+".9.lz4", []byte("not readable here"), 0o600))
	w.check(os.WriteFile(w.path+".bak", []byte("[20261122-14:09:02] [INFO ] line 99\n"), 0o600))
	var list []Entry
	files, err := History(context.Background(), w.path, HistoryOptions{}, func(e Entry) error {
		list = append(list, e)
		return nil
	})
	if got := numbers(list); err != nil || got != "0-40" {
		t.Errorf("History = %s, %v, want 0-40", got, err)
	}
	var names []string
	for _, f := range files {
		names = append(names, filepath.Base(f.Path)+fmt.Sprint(" ", f.Lines, " ", f.Err != nil))
	}
	if got, want := strings.Join(names, ", "), "xrdp.log.9.lz4 0 true, xrdp.log.3.gz 11 false, xrdp.log.2 10 false, xrdp.log.1 10 false, xrdp.log 10 false"; got != want {
		t.Errorf("files %s, want %s", got, want)
	}
	if !errors.Is(files[0].Err, ErrPacked) {
		t.Errorf("the lz4 file: %v, want ErrPacked", files[0].Err)
	}
}

func TestHistoryWithinTime(t *testing.T) {
	w := newLogWriter(t)
	begin := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for i := range 40000 { // more than two chunks, so that the beginning is searched
		_, err := fmt.Fprintf(w.file, "[%s] [INFO ] line %d\n", begin.Add(time.Duration(i)*time.Minute).Format("20060102-15:04:05"), i)
		w.check(err)
	}
	w.check(os.Chtimes(w.path, time.Time{}, begin.AddDate(0, 2, 0)))
	for _, from := range []int{0, 1, 19999, 39998, 39999} {
		var list []Entry
		o := HistoryOptions{Since: begin.Add(time.Duration(from) * time.Minute), Until: begin.Add(time.Duration(from+5) * time.Minute)}
		files, err := History(context.Background(), w.path, o, func(e Entry) error {
			list = append(list, e)
			return nil
		})
		want := fmt.Sprintf("%d-%d", from, min(from+5, 39999))
		if got := numbers(list); err != nil || got != want {
			t.Errorf("History from %d = %s, %v, want %s", from, got, err, want)
		}
		if from > 10000 && files[0].Bytes > 1<<20 {
			t.Errorf("History from %d read %d bytes", from, files[0].Bytes)
		}
	}
}

func TestHistoryStops(t *testing.T) {
	w := newLogWriter(t)
	w.write(10)
	enough := errors.New("enough")
	n := 0
	if _, err := History(context.Background(), w.path, HistoryOptions{}, func(Entry) error { n++; return enough }); !errors.Is(err, enough) || n != 1 {
		t.Errorf("History went on to %d lines, %v", n, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := History(ctx, w.path, HistoryOptions{}, func(Entry) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("History of a cancelled context: %v", err)
	}
}

// TestPacked: what gzip, bzip2, xz and zstd made of the same ten lines.
func TestPacked(t *testing.T) {
	for _, method := range []string{"gz", "bz2", "xz", "zst"} {
		w := newLogWriter(t)
		data, err := os.ReadFile("testdata/packed/ten." + method)
		w.check(err)
		w.check(os.WriteFile(w.path+".1."+method, data, 0o600))
		var list []Entry
		files, err := History(t.Context(), w.path, HistoryOptions{}, func(e Entry) error { list = append(list, e); return nil })
		if got := numbers(list); err != nil || got != "0-9 0-0" || files[0].Err != nil {
			t.Errorf("%s: %s, %v, %+v, want 0-9 of the packed one and 0", method, got, err, files)
		}
		w.check(os.WriteFile(w.path+".1."+method, data[:len(data)/2], 0o600)) // cut off
		files, err = History(t.Context(), w.path, HistoryOptions{}, func(Entry) error { return nil })
		if err != nil || files[0].Err == nil {
			t.Errorf("%s: half a file is read without a word: %v, %+v", method, err, files)
		}
	}
}

// TestHistoryMatches: read beside each other, the lines give the same
// connections as read one after another.
func TestHistoryMatches(t *testing.T) {
	path := filepath.Join(t.TempDir(), "xrdp.log")
	var text []byte
	for _, name := range []string{"0.9.21.1", "0.10.1", "0.10.6.1"} {
		data, err := os.ReadFile("testdata/connections/" + name + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, data...)
	}
	if err := os.WriteFile(path, bytes.Repeat(text, 4), 0o600); err != nil {
		t.Fatal(err)
	}
	var plain, beside Grouper
	lines, err := History(t.Context(), path, HistoryOptions{}, func(e Entry) error { plain.Add(e); return nil })
	if err != nil {
		t.Fatal(err)
	}
	matched := 0
	files, err := HistoryMatches(t.Context(), path, HistoryOptions{}, func(m Match) error { matched++; beside.AddMatch(m); return nil })
	if err != nil || !reflect.DeepEqual(files, lines) || matched < 4*batchSize {
		t.Errorf("HistoryMatches = %+v, %v after %d lines, want %+v", files, err, matched, lines)
	}
	want, got := plain.Flush(), beside.Flush()
	if len(want) < 400 || !reflect.DeepEqual(got, want) {
		t.Errorf("%d connections, want the same %d", len(got), len(want))
	}
}

func TestHistoryMatchesStops(t *testing.T) {
	path := filepath.Join(t.TempDir(), "xrdp.log")
	line := "[20261122-14:09:02] [INFO ] Socket 12: AF_INET6 connection received from ::ffff:127.0.0.1 port 33418\n"
	if err := os.WriteFile(path, []byte(strings.Repeat(line, 20*batchSize)), 0o600); err != nil {
		t.Fatal(err)
	}
	enough := errors.New("enough")
	n := 0
	if _, err := HistoryMatches(t.Context(), path, HistoryOptions{}, func(Match) error { n++; return enough }); !errors.Is(err, enough) || n != 1 {
		t.Errorf("HistoryMatches went on to %d lines, %v", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := HistoryMatches(ctx, path, HistoryOptions{}, func(Match) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("HistoryMatches of a cancelled context: %v", err)
	}
}

func TestScannerBoundsALine(t *testing.T) {
	long := strings.Repeat("x", 3*chunkSize+17)
	log := "first\n" + long + "\nlast\n" + long
	scan := newScanner(strings.NewReader(log), 0)
	var got []string
	for {
		line, at, err := scan.next()
		if err != nil {
			break
		}
		if !strings.HasPrefix(log[at:], line) {
			t.Errorf("a line is said to begin at %d", at)
		}
		got = append(got, fmt.Sprint(len(line)))
	}
	if want := fmt.Sprint([]string{"5", fmt.Sprint(maxLine), "4", fmt.Sprint(maxLine)}); fmt.Sprint(got) != want {
		t.Errorf("lines of length %v, want %s", got, want)
	}
}

func TestClaimedLines(t *testing.T) {
	forged := "[20261123-04:44:58] [INFO ] TLS connection established from 192.0.2.1 port 1: TLSv1.3 with cipher X"
	log := "[20261123-04:44:57] [INFO ] Socket 12: AF_INET connection received from 192.0.2.1 port 1\n" +
		"[20261123-04:44:57] [INFO ] xrdp_wm_log_msg: login failed for user x\n" + forged + "\n" +
		strings.Repeat("[20261123-04:44:58] [INFO ] some other line\n", 30) + forged + "\n"
	list := readAll(log)
	if got := fmt.Sprint(list[1].Claimed, list[2].Claimed, list[len(list)-1].Claimed); got != "false true false" {
		t.Errorf("claimed: %s, want false true false", got)
	}
	c := Group(list[:3])
	if len(c) != 1 || !c[0].Doubtful {
		t.Errorf("%+v, want one doubtful connection", c)
	}
	if c := Group(list[1:3]); len(c) != 0 {
		t.Errorf("%+v out of what a client wrote", c)
	}
}
