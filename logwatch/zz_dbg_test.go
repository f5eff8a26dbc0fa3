package logwatch

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestDbg(t *testing.T) {
	for _, p := range strings.Fields(os.Getenv("DBGFILES")) {
		f, _ := os.Open(p)
		sc := bufio.NewScanner(f)
		var list []Entry
		title := ""
		unm := map[string]int{}
		flush := func() {
			if title == "" {
				return
			}
			for _, c := range Group(list) {
				o := c.Outcome()
				fmt.Printf("%-34s| %s %s lik=%v rule=%s own=%v | neg=%v cfg=%q req=%q sel=%q name=%q est=%v %s %s inter=%v maybe=%d poss=%v pid=%d lines=%d\n", title, o.Kind, o.Cause, o.Likely, o.Rule, o.Own, c.Negotiated, c.Configured, c.Requested, c.Selected, c.ClientName, c.Established, c.TLSVersion, c.ClassicLevel, c.Interleaved, len(c.Maybe), o.Possible, c.PID, c.Lines)
			}
			list = nil
		}
		for sc.Scan() {
			l := sc.Text()
			if strings.HasPrefix(l, "### ") {
				flush()
				title = l[4:]
				continue
			}
			if strings.HasPrefix(l, "#") {
				continue
			}
			e, ok := ParseLine(l, nil)
			if !ok {
				fmt.Println("NOT PARSED:", l)
				continue
			}
			list = append(list, e)
			if _, ok := Classify(e); !ok && e.Level <= LevelInfo {
				unm[e.Level.String()+" "+e.Text]++
			}
		}
		flush()
		for k, n := range unm {
			fmt.Println("UNMATCHED", n, k)
		}
	}
}
