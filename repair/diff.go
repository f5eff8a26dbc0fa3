package repair

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"

	"github.com/aymanbagabas/go-udiff"

	"xrdpfix/diagnose"
)

func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}

func itoa(n int) string { return strconv.Itoa(n) }

var (
	hunkLine    = regexp.MustCompile(`^@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@$`)
	sectionLine = regexp.MustCompile(`^\s*\[[^\]]+\]`)
)

// Diff is the unified diff of one file, with password values masked and the
// section named behind each hunk's numbers. A nil side stands for no file.
func Diff(name string, before, after []byte) string {
	old, new := string(diagnose.Mask(before)), string(diagnose.Mask(after))
	from, to := name, name
	if before == nil {
		from = "/dev/null"
	}
	if after == nil {
		to = "/dev/null"
	}
	lines := strings.Split(old, "\n")
	out := strings.Split(udiff.Unified(from, to, old, new), "\n")
	for i, l := range out {
		m := hunkLine.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		at, _ := strconv.Atoi(m[1])
		for n := min(at, len(lines)) - 1; n >= 0; n-- {
			if sectionLine.MatchString(lines[n]) {
				out[i] += " " + strings.TrimSpace(lines[n])
				break
			}
		}
	}
	return strings.ReplaceAll(strings.Join(out, "\n"), "\r", "")
}
