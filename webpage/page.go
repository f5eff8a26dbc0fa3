package webpage

import "time"

// Page is the whole page. Empty fields and lists are left out of it.
type Page struct {
	// Title is the heading, and the name of the page in a browser.
	Title string
	// Text stands below it.
	Text string
	// Table sums up several servers.
	Table   *Table
	Servers []Server
	// Notes stand at the end: what to run next, what was not looked at.
	Notes []Note
	// Tool and Made say what made the page, and when.
	Tool string
	Made time.Time
}

// Tone is how a word is shown. The word itself always says it too.
type Tone string

// The tones.
const (
	Plain Tone = ""
	Good  Tone = "good"
	Warn  Tone = "warn"
	Bad   Tone = "bad"
)

// Server is what is known of one server.
type Server struct {
	// Name heads the section; empty where the page has one server, whose name is
	// its title.
	Name string
	// Word is the answer, in the tone Tone; Text tells it in a sentence.
	Word string
	Tone Tone
	Text string

	Findings []Finding
	// Security and TLS are what the wire showed.
	Security, TLS []Row
	Certificates  []Certificate
	Clients       *Table
	// Unseen is what could not be looked at.
	Unseen []string
}

// Finding is one thing that is wrong.
type Finding struct {
	// Severity is a word, Code the name of the finding.
	Severity, Code string
	Tone           Tone
	Text           string
	Evidence       []Row
	Remedy         string
	Commands       []string
}

// Row is a label and what stands beside it.
type Row struct{ Label, Text, Note string }

// Certificate is one that is served, or in a file.
type Certificate struct {
	// Where tells which it is.
	Where string
	// Rows are names, issuer, dates.
	Rows []Row
	// Fingerprints, and the serial number, are shown so that they can be compared
	// by eye.
	Fingerprints []Row
}

// Table has a caption, a head and rows.
type Table struct {
	Caption string
	Head    []string
	Rows    []TableRow
	// Notes stand below.
	Notes []string
}

// TableRow is a row; its first cell is its name.
type TableRow struct {
	Cells []Cell
	// Tone marks the row.
	Tone Tone
}

// Cell is a cell of a table.
type Cell struct {
	Text string
	Tone Tone
}

// Note is a heading with lines, or with commands to paste.
type Note struct {
	Title    string
	Lines    []string
	Commands []string
}
