package main

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"time"
)

// samples are connections that real servers logged, a section each.
const samples = "logwatch/testdata/connections/0.9.21.1.txt"

// stamped matches a line of xrdp 0.9; what follows the stamp is kept.
var stamped = regexp.MustCompile(`^\[\d{8}-\d\d:\d\d:\d\d\] (.*)$`)

// peerOf matches where a line names the client.
var peerOf = regexp.MustCompile(`::ffff:[0-9.]+ port \d+`)

// recorded reads the samples: the lines of each section, without their stamps. Those
// with process ids are left out: a server writes them in all lines or in none.
func recorded() ([][]string, error) {
	text, err := os.ReadFile(samples)
	if err != nil {
		return nil, fmt.Errorf("read what real servers logged: %w", err)
	}
	var all [][]string
	for _, section := range strings.Split(string(text), "\n### ") {
		var lines []string
		for line := range strings.Lines(section) {
			if m := stamped.FindStringSubmatch(strings.TrimSuffix(line, "\n")); m != nil {
				lines = append(lines, m[1])
			}
		}
		if len(lines) > 0 && !strings.Contains(section, "[pid:") && strings.Contains(lines[0], "connection received from") {
			all = append(all, lines)
		}
	}
	if len(all) < 10 {
		return nil, errors.New("read what real servers logged: fewer than ten connections in " + samples)
	}
	return all, nil
}

// atOnce is how many connections overlap at the most.
const atOnce = 3

// replay writes a log of that many bytes: connections that real servers logged,
// with new times, clients and ports, some of them overlapping. The last one is of
// now, and they are as far apart as makes the log one of thirty days. The same
// size gives the same lines.
func replay(path string, size int64) error {
	all, err := recorded()
	if err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write a log: %w", err)
	}
	defer f.Close() //nolint:errcheck // closed below too
	w := bufio.NewWriterSize(f, 1<<20)
	chance := rand.New(rand.NewPCG(1, uint64(size)))
	now := time.Now()
	begin := now.AddDate(0, 0, -30)
	var written int64
	open := []*replayed{}
	for written < size {
		for len(open) == 0 || len(open) < atOnce && chance.IntN(60) == 0 {
			open = append(open, &replayed{
				lines: all[chance.IntN(len(all))],
				peer:  fmt.Sprintf("::ffff:10.0.%d.%d port %d", chance.IntN(2), 1+chance.IntN(250), 1024+chance.IntN(64000)),
			})
		}
		i := chance.IntN(len(open))
		at := begin.Add(time.Duration(float64(now.Sub(begin)) * float64(written) / float64(size)))
		n, err := w.WriteString("[" + at.Format("20060102-15:04:05") + "] " + peerOf.ReplaceAllString(open[i].next(), open[i].peer) + "\n")
		if err != nil {
			return fmt.Errorf("write a log: %w", err)
		}
		written += int64(n)
		if open[i].at == len(open[i].lines) {
			open = append(open[:i], open[i+1:]...)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write a log: %w", err)
	}
	return f.Close()
}

// replayed is a connection that is being written.
type replayed struct {
	lines []string
	at    int
	peer  string
}

func (r *replayed) next() string {
	r.at++
	return r.lines[r.at-1]
}
