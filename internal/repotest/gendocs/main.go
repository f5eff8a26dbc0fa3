// Gendocs writes the documents that are generated from the code, into docs of
// the repository at whose top it is run. A test compares them with the code.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"xrdpfix/diagnose"
	"xrdpfix/explain"
)

// document is a file that is generated.
type document struct {
	name string
	text string
}

func documents() []document {
	return []document{{"docs/findings.md", findings(diagnose.Catalogue())}, {"docs/the-guide.md", explain.GuideMarkdown()}, {"docs/clients.md", clients()}}
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "gendocs:", err)
		os.Exit(1)
	}
}

func run() error {
	for _, d := range documents() {
		if err := os.MkdirAll(filepath.Dir(d.name), 0o755); err != nil {
			return fmt.Errorf("write %s: %w", d.name, err)
		}
		if err := os.WriteFile(d.name, []byte(d.text), 0o644); err != nil {
			return fmt.Errorf("write %s: %w", d.name, err)
		}
	}
	return nil
}
