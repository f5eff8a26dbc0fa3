package diagnose

// Code names a finding. Published codes are never renamed or reused.
type Code string

// Severity says how bad a finding is.
type Severity string

// The severities.
const (
	// Error: a client that should get in does not, or gets in without TLS, or a
	// secret is exposed.
	Error Severity = "error"
	// Warning: works now, but will break, or is weaker or other than stated.
	Warning Severity = "warning"
	// Info: nothing to do.
	Info Severity = "info"
)

// Mend says who can mend a finding.
type Mend string

// The ways to mend.
const (
	MendApply  Mend = "apply"  // a plain apply
	MendStated Mend = "stated" // apply or cert with a stated flag
	MendHuman  Mend = "human"  // a human on this host
	MendClient Mend = "client" // the client's owner
	MendNone   Mend = "none"   // nothing to mend
)

// Finding is one conclusion about the host.
type Finding struct {
	Code     Code       `json:"code"`
	Severity Severity   `json:"severity"`
	Title    string     `json:"title"`
	Detail   string     `json:"detail"`
	Evidence []Evidence `json:"evidence"`
	// Remedy says what to do, in a sentence or two.
	Remedy string `json:"remedy"`
	// Commands can be pasted by a human; empty where apply mends it.
	Commands []string `json:"commands,omitempty"`
	Mend     Mend     `json:"mend"`
	// Subject tells two findings of one code apart (a path, a key, a client).
	Subject string `json:"subject,omitempty"`
}

// Evidence is one thing that was seen, with its source.
type Evidence struct {
	// Kind is "path", "stop", "file", "wire", "log", "process", "unit".
	Kind string `json:"kind"`
	// Source is a path or an address; Line is the line in it, 0 for none.
	Source string `json:"source,omitempty"`
	Line   int    `json:"line,omitempty"`
	Text   string `json:"text"`
}

// Entry is what the catalogue knows about a code.
type Entry struct {
	Code     Code
	Group    string
	Severity Severity
	Mend     []Mend
	Meaning  string
	// DependsOn are the codes that explain this one: while one of them is
	// found, this one is silent.
	DependsOn []Code
}
