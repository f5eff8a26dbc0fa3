package main

import (
	"strings"

	"github.com/spf13/cobra"
)

func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "The version of xrdpfix, and what it was built from",
		Long:  `Print the version. With --verbose or --json also what it was built from: the commit, its date, the version of Go, and the modules that are linked in.`,
		Example: `  xrdpfix version
  xrdpfix version --json`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			b := built()
			if a.jsonOutput() {
				doc := a.document("version", nil)
				doc.Build = &b
				return a.printJSON(doc)
			}
			var p page
			p.linef("xrdpfix %s", b.Version)
			if a.global.verbose {
				showBuild(&p, b)
			}
			return a.print(&p)
		},
	}
}

func showBuild(p *page, b buildDoc) {
	commit := strings.TrimSpace(b.Revision)
	if b.Modified {
		commit += " and changes that are not committed"
	}
	if commit != "" {
		p.block(13, "  commit", commit)
	}
	if b.Date != "" {
		p.block(13, "  date", b.Date)
	}
	p.block(13, "  go", b.Go+", "+b.Platform)
	for i, m := range b.Modules {
		label := ""
		if i == 0 {
			label = "  modules"
		}
		p.block(13, label, m.Path+" "+m.Version)
	}
}
