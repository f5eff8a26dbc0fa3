package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "The version of xrdpfix",
		Example: `  xrdpfix version
  xrdpfix version --json`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			if a.jsonOutput() {
				return a.printJSON(a.document("version", nil))
			}
			_, err := fmt.Fprintf(a.out, "xrdpfix %s\n", version)
			return err
		},
	}
}
