package xrdpconf

import (
	"cmp"
	"fmt"
	"slices"
)

// IssueKind says what is odd about a line.
type IssueKind string

// What the lint knows. Each is a place where xrdp reads something else than a person,
// or nothing at all.
const (
	// IssueMisplaced is a security key in a section or file where nothing reads it.
	IssueMisplaced IssueKind = "misplaced"
	// IssueSecuritySection is [Security] in xrdp.ini: an entry of the login screen.
	IssueSecuritySection IssueKind = "security-section"
	// IssueTLSRange is tls_min_version or tls_max_version outside [Security] of sesman.ini.
	IssueTLSRange IssueKind = "tls-range"
	// IssueNearMiss is a key that is almost one that xrdp knows.
	IssueNearMiss IssueKind = "near-miss"
	// IssueForeignKey is a key that guides quote and no xrdp has.
	IssueForeignKey IssueKind = "foreign-key"
	// IssueObsolete is a key that current versions no longer read.
	IssueObsolete IssueKind = "obsolete"
	// IssueDuplicateKey is a line that a later one overrides.
	IssueDuplicateKey IssueKind = "duplicate-key"
	// IssueDuplicateSection is a second section of the same name.
	IssueDuplicateSection IssueKind = "duplicate-section"
	// IssueSectionName is a header that differs from a known one by blanks.
	IssueSectionName IssueKind = "section-name"
	// IssueUnknownProtocol is a word of ssl_protocols that xrdp does not know.
	IssueUnknownProtocol IssueKind = "unknown-protocol"
	// IssueSeparator is a tab, colon or semicolon where ssl_protocols wants a comma or
	// a space.
	IssueSeparator IssueKind = "separator"
	// IssueQuoted is a value in quotes, which xrdp keeps.
	IssueQuoted IssueKind = "quoted"
	// IssueRelativePath is a certificate or key that is not absolute: the default is used.
	IssueRelativePath IssueKind = "relative-path"
	// IssueInvalidValue is a word that xrdp does not know for the key.
	IssueInvalidValue IssueKind = "invalid-value"
	// IssuePort is a port value that means something else to xrdp.
	IssuePort IssueKind = "port"
	// IssueCommentInValue is a value cut short at # or ; without a blank before it.
	IssueCommentInValue IssueKind = "comment-in-value"
	// IssueUntrimmed is a key or value outside ASCII with blanks around it, which xrdp
	// up to 0.9.26 does not trim or spoils. It is not raised for files read as 0.10.
	IssueUntrimmed IssueKind = "untrimmed"
	// IssueBracket is a value with brackets: it ends the section.
	IssueBracket IssueKind = "bracket"
	// IssueBeyondLimit is what lies behind the first 32 KiB.
	IssueBeyondLimit IssueKind = "beyond-limit"
	// IssueLongLine is a line that ends xrdp's reading of the file.
	IssueLongLine IssueKind = "long-line"
	// IssueNUL is a NUL byte, which hides the rest of its line.
	IssueNUL IssueKind = "nul"
	// IssueBOM is a byte order mark before a key, which becomes part of the key.
	IssueBOM IssueKind = "bom"
	// IssueNoSection is a key before the first header.
	IssueNoSection IssueKind = "no-section"
	// IssueEmptyArgument is a line of blanks or an indented comment in a section whose
	// every entry counts.
	IssueEmptyArgument IssueKind = "empty-argument"
	// IssueStrayArgument is a key in [Xorg] or [Xvnc] of sesman.ini that is not param:
	// its value is passed to the X server.
	IssueStrayArgument IssueKind = "stray-argument"
	// IssueCrossRead is a value that gopkg.in/ini.v1 reads differently.
	IssueCrossRead IssueKind = "cross-read"
)

// Issue is one oddity of the file. The text is one sentence without a period; it
// quotes values of security keys only.
type Issue struct {
	Line int
	Kind IssueKind
	Key  string // empty when the line as a whole is meant
	Text string
}

// Issues returns what xrdp reads otherwise than a person might, by line.
func (f *File) Issues() []Issue {
	var c collector
	f.lintLines(&c)
	f.lintSections(&c)
	f.lintArguments(&c)
	f.lintKeys(&c)
	f.lintDuplicates(&c)
	if f.kind == KindServer {
		f.lintServer(&c)
	}
	f.lintLogging(&c)
	f.lintCrossRead(&c)
	slices.SortStableFunc(c.issues, func(a, b Issue) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Kind, b.Kind))
	})
	return c.issues
}

type collector struct{ issues []Issue }

func (c *collector) add(line int, kind IssueKind, key, format string, args ...any) {
	c.issues = append(c.issues, Issue{Line: line, Kind: kind, Key: key, Text: fmt.Sprintf(format, args...)})
}

// crossReadLimit is how many disagreements with ini.v1 are named one by one. A file
// with CR line ends is one long line to it.
const crossReadLimit = 5

// lintCrossRead reports where ini.v1 disagrees, one line each. That it cannot read
// the file at all is said once.
func (f *File) lintCrossRead(c *collector) {
	differ, err := f.crossRead()
	if err != nil {
		c.add(1, IssueCrossRead, "", "ini.v1 cannot read the file, xrdp can")
		return
	}
	if len(differ) > crossReadLimit {
		c.add(differ[0].line, IssueCrossRead, "", "ini.v1 reads %d keys from here on differently", len(differ))
		return
	}
	for _, d := range differ {
		what := "has another value"
		if d.missing {
			what = "does not exist"
		}
		c.add(d.line, IssueCrossRead, d.key, "to ini.v1 the key %s in [%s] %s", d.key, d.section, what)
	}
}
