package main

import (
	"fmt"
	"strings"

	"xrdpfix/diagnose"
)

const findingsIntro = `# Finding codes

Generated from the catalogue in the code by ` + "`make docs`" + `; not edited by hand.

A published code is never renamed or reused. **error**: a client that should get
in does not, or gets in without TLS, or a secret is exposed. **warning**: works
now, but will break, or is weaker or other than stated. **info**: nothing to do.

Who mends it: **apply**, a plain ` + "`xrdpfix apply`" + `; **stated**, apply or cert with a
flag that says so; **human**, somebody on this host; **client**, the client's
owner. A finding is silent while one that explains it is there: the last column.
`

// findings renders the catalogue, a table for each group.
func findings(catalogue []diagnose.Entry) string {
	var b strings.Builder
	b.WriteString(findingsIntro)
	var group string
	for _, e := range catalogue {
		if e.Group != group {
			group = e.Group
			fmt.Fprintf(&b, "\n## %s\n\n| code | severity | who mends it | what it means | silent during |\n|---|---|---|---|---|\n", heading(group))
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", e.Code, e.Severity, join(e.Mend, ""), e.Meaning, join(e.DependsOn, "`"))
	}
	return b.String()
}

// heading begins a group's name with a capital, unless it is a file's or a
// program's.
func heading(group string) string {
	if strings.HasPrefix(group, "xrdp") {
		return group
	}
	return strings.ToUpper(group[:1]) + group[1:]
}

// join lists words, each between the quotes.
func join[T ~string](words []T, quote string) string {
	var out []string
	for _, w := range words {
		out = append(out, quote+string(w)+quote)
	}
	return strings.Join(out, ", ")
}
