package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"xrdpfix/internal/lab"
)

// testedFile is the document that a run with -all writes.
const testedFile = "docs/tested.md"

// writeTested writes which rows ran on which versions, and how they ended.
func writeTested(images []lab.Image, rows []row) error {
	if err := os.MkdirAll("docs", 0o755); err != nil {
		return fmt.Errorf("write %s: %w", testedFile, err)
	}
	if err := os.WriteFile(testedFile, []byte(tested(time.Now(), images, rows)), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", testedFile, err)
	}
	return nil
}

func tested(now time.Time, images []lab.Image, rows []row) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# What was tested on real servers\n\nWritten by `make test-all` on %s with %s; not edited by hand.\n\n",
		now.UTC().Format(time.DateOnly), runtime.Version())
	b.WriteString("| suite | xrdp | OpenSSL | systemd | image built |\n|---|---|---|---|---|\n")
	for _, i := range images {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", i.Suite, i.Versions["xrdp"], i.Versions["openssl"],
			i.Versions["systemd"], i.Built.UTC().Format(time.DateOnly))
	}
	var t tally
	for _, r := range rows {
		switch r.Result {
		case "pass":
			t.passed++
		case "fail":
			t.failed++
		default:
			t.skipped++
		}
	}
	fmt.Fprintf(&b, "\n%s.\n\n| package | row | result | seconds |\n|---|---|---|---|\n", t)
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %.1f |\n", strings.TrimPrefix(r.Package, "xrdpfix/"), r.Test, r.Result, r.Seconds)
	}
	return b.String()
}
