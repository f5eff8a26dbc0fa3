//go:build lab

package matrix

import (
	"slices"
	"strings"
	"testing"

	"xrdpfix/internal/lab"
	"xrdpfix/internal/repotest/documents"
)

// TestDocuments runs the commands of the documents that change a machine, in the
// order of each document, on a stock Debian 12. What is kept for a while is
// confirmed before the next one, as it says; any answer is fine, but for wrong usage,
// a fault of ours, and a change that could not be proven.
func TestDocuments(t *testing.T) {
	list, err := documents.Commands("../..")
	if err != nil {
		t.Fatal(err)
	}
	m := start(t, lab.Bookworm)
	m.Must(t, own)
	m.listening(t)
	ran := 0
	for _, c := range list {
		args, ours := c.Xrdpfix()
		if !ours || slices.Contains(args, "--root") || len(args) == 0 {
			continue
		}
		verb := args[0]
		if verb == "cert" && len(args) > 1 {
			verb = args[1]
		}
		if !slices.Contains([]string{"apply", "rollback", "confirm", "renew", "request"}, verb) {
			continue
		}
		if verb != "confirm" {
			if _, err := m.Sh(t.Context(), "xrdpfix confirm"); err != nil {
				t.Fatal(err)
			}
		}
		ran++
		r, err := m.Sh(t.Context(), "cd /root && "+quoted(c.Words))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains([]int{0, 3, 7}, r.Code) {
			t.Errorf("%s:%d: %s: status %d\n%s%s", c.File, c.Line, c, r.Code, r.Stdout, r.Stderr)
		}
	}
	if ran < 10 {
		t.Errorf("only %d commands of the documents change something", ran)
	}
	t.Logf("%d commands ran", ran)
}

func quoted(words []string) string {
	var out []string
	for _, w := range words {
		out = append(out, "'"+strings.ReplaceAll(w, "'", `'\''`)+"'")
	}
	return strings.Join(out, " ")
}
