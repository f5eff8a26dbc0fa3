package logwatch

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// A recording is one connection that a real server logged, and what is to be said of it
// when nothing else happens meanwhile.
type recording struct {
	lines []string
	truth Outcome
}

// peerPort is where the lines name the client.
var peerPort = regexp.MustCompile(`(127\.0\.0\.1\]?(?: port |:))\d+`)

// recordings are the connections of a file that begin and end, and that say nothing
// about processes.
func recordings(t *testing.T, file string) []recording {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var list []recording
	for _, section := range strings.Split(string(data), "\n### ")[1:] {
		var lines []string
		for line := range strings.Lines(section) {
			if strings.HasPrefix(line, "[") {
				lines = append(lines, line)
			}
		}
		alone := Group(readAll(strings.Join(lines, "")))
		if len(alone) != 1 || !alone[0].Client.IsValid() || alone[0].PID != 0 || strings.Contains(section, " for user ") ||
			!alone[0].Established && !alone[0].Ended || alone[0].Interleaved {
			continue
		}
		list = append(list, recording{lines, alone[0].Outcome()})
	}
	if len(list) < 20 {
		t.Fatalf("%s: %d recordings", file, len(list))
	}
	return list
}

// TestOverlap mixes what real servers logged of single connections, and compares what is
// said of each with what is known of it. What is said for sure is true; what is
// not sure has the truth among what is possible; and most is sure.
func TestOverlap(t *testing.T) {
	files, err := filepath.Glob("testdata/connections/*.txt")
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		all := recordings(t, file)
		for _, how := range []struct{ atOnce, chance, sure int }{{2, 60, 88}, {3, 20, 75}, {6, 3, 20}} {
			t.Run(fmt.Sprintf("%s/%d at once, 1 in %d", filepath.Base(file), how.atOnce, how.chance), func(t *testing.T) {
				text, truth := overlapping(all, how.atOnce, how.chance, 2000)
				judgeOverlap(t, text, truth, how.sure)
			})
		}
	}
}

// overlapping mixes n recordings; each has the number of its place in the list as its port.
func overlapping(all []recording, atOnce, chance, n int) (string, []Outcome) {
	dice := rand.New(rand.NewPCG(uint64(atOnce), uint64(chance)))
	var text strings.Builder
	var truth []Outcome
	type one struct {
		lines []string
		port  string
	}
	var open []*one
	for tick := 0; len(truth) < n || len(open) > 0; tick++ {
		for len(truth) < n && (len(open) == 0 || len(open) < atOnce && dice.IntN(chance) == 0) {
			r := all[dice.IntN(len(all))]
			open = append(open, &one{r.lines, fmt.Sprintf("${1}%d", 1000+len(truth))})
			truth = append(truth, r.truth)
		}
		i := dice.IntN(len(open))
		text.WriteString(restamped(peerPort.ReplaceAllString(open[i].lines[0], open[i].port), tick/10))
		if open[i].lines = open[i].lines[1:]; len(open[i].lines) == 0 {
			open = slices.Delete(open, i, i+1)
		}
	}
	return text.String(), truth
}

// restamped gives a line the time of so many seconds after a beginning.
func restamped(line string, seconds int) string {
	at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC).Add(time.Duration(seconds) * time.Second)
	stamp, rest, _ := strings.Cut(line, "]")
	if strings.Contains(stamp, "T") {
		return at.Format("[2006-01-02T15:04:05.000-0700]") + rest
	}
	return at.Format("[20060102-15:04:05]") + rest
}

func judgeOverlap(t *testing.T, text string, truth []Outcome, wanted int) {
	seen := make([]int, len(truth))
	sure, wrong, missed := 0, 0, 0
	for _, c := range Group(readAll(text)) {
		i := int(c.Client.Port()) - 1000
		if i < 0 || i >= len(truth) {
			wrong++
			t.Errorf("a connection that nobody made: %s", summary(c))
			continue
		}
		seen[i]++
		o, want := c.Outcome(), truth[i]
		switch {
		case o.Kind == want.Kind && o.Cause == want.Cause:
			sure++
		case !c.Interleaved:
			if wrong++; wrong < 10 {
				t.Errorf("%s is said to be\n%+v and was\n%+v", c.Client, o, want)
			}
		case want.Cause != "" && !want.Likely && !slices.Contains(o.Possible, want.Cause):
			if missed++; missed < 10 {
				t.Logf("%s may be\n%+v and was\n%+v", c.Client, o, want)
			}
		}
	}
	again := 0
	for i, n := range seen {
		if n == 0 {
			t.Errorf("connection %d did not come out", i)
		}
		again += max(0, n-1)
	}
	// Among six at a time one may be given up that is established in the end.
	if again > len(truth)/200 {
		t.Errorf("%d came out twice", again)
	}
	t.Logf("%d%% sure, %d wrong, %d missed", sure*100/len(truth), wrong, missed)
	if sure*100 < wanted*len(truth) {
		t.Errorf("%d %% are told for sure, want %d", sure*100/len(truth), wanted)
	}
}
