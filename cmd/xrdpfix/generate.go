package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

// newGenerate is what packages are made with, and nobody else needs.
func newGenerate(a *app) *cobra.Command {
	return &cobra.Command{
		Use:    "generate man|completions DIR",
		Short:  "Write the man pages, or the completions of each shell, into a directory",
		Hidden: true,
		Args:   cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			var files map[string]string
			var err error
			switch args[0] {
			case "man":
				files = manPages(cmd.Root(), a.builtAt())
			case "completions":
				files, err = completionFiles(cmd.Root())
			default:
				return usagef("generate makes man or completions, not %s", args[0])
			}
			if err != nil {
				return err
			}
			return writeFiles(args[1], files)
		},
	}
}

// completionFiles are the scripts of the shells, under the names by which the
// shells look for them.
func completionFiles(root *cobra.Command) (map[string]string, error) {
	var bash, zsh, fish bytes.Buffer
	if err := root.GenBashCompletionV2(&bash, true); err != nil {
		return nil, fmt.Errorf("make the completion for bash: %w", err)
	}
	if err := root.GenZshCompletion(&zsh); err != nil {
		return nil, fmt.Errorf("make the completion for zsh: %w", err)
	}
	if err := root.GenFishCompletion(&fish, true); err != nil {
		return nil, fmt.Errorf("make the completion for fish: %w", err)
	}
	name := root.Name()
	return map[string]string{name: bash.String(), "_" + name: zsh.String(), name + ".fish": fish.String()}, nil
}

func writeFiles(dir string, files map[string]string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
