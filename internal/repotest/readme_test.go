package repotest

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// fenced is a block of a document that is shown as it is.
var fenced = regexp.MustCompile("(?ms)^ *```.*?^ *```$")

// prose is a document without its blocks.
func prose(t *testing.T, name string) string {
	t.Helper()
	return fenced.ReplaceAllString(string(read(t, name)), "")
}

// words is a text in one line.
func words(text string) string { return strings.Join(strings.Fields(text), " ") }

// TestLinks: every link from one document to another leads somewhere, to the very
// heading that it names.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#\s]*)(#[^)\s]*)?\)`)
	heading := regexp.MustCompile(`(?m)^#+ (.*)$`)
	links := 0
	err := walk(func(name string) error {
		if path.Ext(name) != ".md" {
			return nil
		}
		for _, m := range link.FindAllStringSubmatch(prose(t, name), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			links++
			target := name
			if m[1] != "" {
				target = path.Join(path.Dir(name), m[1])
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s links to %s: %v", name, m[1], err)
				continue
			}
			if m[2] == "" {
				continue
			}
			found := false
			for _, h := range heading.FindAllStringSubmatch(prose(t, target), -1) {
				found = found || "#"+anchor(h[1]) == m[2]
			}
			if !found {
				t.Errorf("%s links to %s%s, and there is no such heading", name, m[1], m[2])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if links < 20 {
		t.Errorf("found %d links: the expression is wrong", links)
	}
}

// anchor is the name by which GitHub and GitLab let a heading be linked to.
func anchor(heading string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(heading) {
		switch {
		case r == ' ', r == '-':
			b.WriteByte('-')
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_':
			b.WriteRune(r)
		}
	}
	return b.String()
}

// TestLayoutNamesEveryPackage: what a directory is for stands in README.md.
func TestLayoutNamesEveryPackage(t *testing.T) {
	_, rest, found := strings.Cut(string(read(t, "README.md")), "## Layout\n")
	_, rest, opened := strings.Cut(rest, "```text\n")
	layout, _, closed := strings.Cut(rest, "```")
	if !found || !opened || !closed {
		t.Fatal("README.md has no layout")
	}
	for _, s := range sources(t) {
		parts := strings.Split(s.dir, "/")
		if strings.Contains(s.dir, "testdata") {
			continue
		}
		switch parts[0] {
		case "cmd":
			parts[0] = s.dir
		case "internal":
			if !regexp.MustCompile(`\b` + parts[1] + `\b`).MatchString(layout) {
				t.Errorf("README.md's layout does not name internal/%s", parts[1])
			}
		}
		if !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(parts[0]) + `/ `).MatchString(layout) {
			t.Errorf("README.md's layout does not name %s", parts[0])
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^([a-z/]+)/ `).FindAllStringSubmatch(layout, -1) {
		if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
			t.Errorf("README.md's layout names %s: %v", m[1], err)
		}
	}
}

// TestReadmeNumbers: what README.md counts is what the generated documents count.
func TestReadmeNumbers(t *testing.T) {
	readme := words(string(read(t, "README.md")))
	m := regexp.MustCompile(`(\d+) configurations, (\d+) connections of real clients\. With the clients' own ClientHellos the table agrees with (\d+) of (\d+)\.`).
		FindStringSubmatch(words(string(read(t, "docs/client-truth.md"))))
	if m == nil {
		t.Fatal("docs/client-truth.md does not sum up as it did")
	}
	if want := fmt.Sprintf("%s configurations, %s connections of real clients, and no disagreement", m[1], m[2]); m[3] != m[4] || !strings.Contains(readme, want) {
		t.Errorf("README.md does not say %q; docs/client-truth.md: %s", want, m[0])
	}
}
