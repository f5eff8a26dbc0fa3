package main

import (
	"encoding/json"
	"strings"
	"time"

	"xrdpfix/certs"
	"xrdpfix/diagnose"
	"xrdpfix/logwatch"
	"xrdpfix/probe"
	"xrdpfix/repair"
)

// document is the one object that a command prints as JSON. Fields may be
// added; none ever changes its meaning.
type document struct {
	Schema  int       `json:"schema"`
	Command string    `json:"command"`
	Tool    string    `json:"tool"`
	Xrdp    string    `json:"xrdp,omitempty"`
	Host    string    `json:"host,omitempty"`
	Time    time.Time `json:"time"`
	Changed bool      `json:"changed"`
	Exit    exit      `json:"exit"`
	Error   *errorDoc `json:"error,omitempty"`

	Findings    []diagnose.Finding  `json:"findings,omitempty"`
	Unseen      []string            `json:"unseen,omitempty"`
	Plan        *repair.Plan        `json:"plan,omitempty"`
	Diff        []diffDoc           `json:"diff,omitempty"`
	Verdict     *repair.Verdict     `json:"verdict,omitempty"`
	Clients     []diagnose.Client   `json:"clients,omitempty"`
	Journal     string              `json:"journal,omitempty"`
	Certificate *certs.CertInfo     `json:"certificate,omitempty"`
	Served      *certs.CertInfo     `json:"served,omitempty"`
	History     []repair.Journal    `json:"history,omitempty"`
	Settings    []setting           `json:"settings,omitempty"`
	Probe       *probe.ServerSurvey `json:"probe,omitempty"`
	Connection  *connectionDoc      `json:"connection,omitempty"`
	Summary     *summaryDoc         `json:"summary,omitempty"`
}

type errorDoc struct {
	Message string   `json:"message"`
	Hints   []string `json:"hints,omitempty"`
}

// diffDoc is one file in Ansible's shape.
type diffDoc struct {
	Before       string `json:"before"`
	After        string `json:"after"`
	BeforeHeader string `json:"before_header"`
	AfterHeader  string `json:"after_header"`
}

// document starts the object of a command; l may be nil.
func (a *app) document(command string, l *look) *document {
	doc := &document{Schema: 1, Command: command, Tool: version, Time: a.now().UTC().Truncate(time.Second), Exit: a.quit}
	if l == nil {
		return doc
	}
	doc.Xrdp, doc.Host = l.facts.Package.Value.Version, l.facts.Host.Name
	doc.Findings = l.found
	if doc.Findings == nil {
		doc.Findings = []diagnose.Finding{}
	}
	doc.Unseen = unseen(&l.facts)
	doc.Plan = &l.plan
	for _, c := range l.plan.Files {
		if c.Diff == "" {
			continue
		}
		doc.Diff = append(doc.Diff, diffDoc{
			Before: string(diagnose.Mask(c.Original)), After: string(diagnose.Mask(c.Data)),
			BeforeHeader: c.Path, AfterHeader: c.Path,
		})
	}
	if l.facts.Wire.Ok() {
		doc.Clients = diagnose.ClientKinds(l.facts.Wire.Value)
	}
	if l.facts.Offline {
		doc.Verdict = &repair.Verdict{Status: repair.Unknown, Reasons: []string{"offline"}}
	}
	return doc
}

// outcome adds what became of an apply.
func (doc *document) outcome(l *look, out repair.Outcome) {
	doc.Changed = out.Changed
	doc.Journal = out.Journal
	doc.Plan = &out.Plan
	if !l.facts.Offline {
		doc.Verdict = &out.Verdict
		seen := out.Seen.Wire
		if out.Restored != nil {
			seen = out.Restored.Wire
		}
		doc.Clients = diagnose.ClientKinds(seen)
	}
	doc.Certificate = out.Certificate
}

func (a *app) printJSON(doc *document) error {
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	return enc.Encode(doc)
}

// setting is one row of show.
type setting struct {
	File    string `json:"file"`
	Section string `json:"section"`
	Key     string `json:"key"`
	Value   string `json:"value"`
	Line    int    `json:"line,omitempty"`
	// From says where a value without a line comes from.
	From string `json:"from,omitempty"`
}

// connectionDoc is one connection of xrdp.log.
type connectionDoc struct {
	Time    time.Time `json:"time"`
	Client  string    `json:"client"`
	Name    string    `json:"name,omitempty"`
	Asked   string    `json:"asked,omitempty"`
	Got     string    `json:"got,omitempty"`
	Cipher  string    `json:"cipher,omitempty"`
	Outcome string    `json:"outcome"`
	Cause   string    `json:"cause,omitempty"`
	Likely  bool      `json:"likely,omitempty"`
}

// summaryDoc ends a stream of objects.
type summaryDoc struct {
	Hosts       int            `json:"hosts,omitempty"`
	Unreachable int            `json:"unreachable,omitempty"`
	WithoutTLS  int            `json:"without_tls,omitempty"`
	Connections int            `json:"connections,omitempty"`
	Connected   int            `json:"connected,omitempty"`
	Failed      int            `json:"failed,omitempty"`
	NotShown    int            `json:"not_shown,omitempty"`
	Causes      map[string]int `json:"causes,omitempty"`
}

func connectionOf(c logwatch.Connection, o logwatch.Outcome) connectionDoc {
	doc := connectionDoc{
		Time: c.Start, Client: c.Client.Addr().String(), Name: c.ClientName,
		Asked: strings.TrimSuffix(c.Requested, "|RDP"), Outcome: string(o.Kind), Cause: o.Cause, Likely: o.Likely, Cipher: c.Cipher,
	}
	switch {
	case c.TLSVersion != "":
		doc.Got = c.TLSVersion
	case c.Protocol != "":
		doc.Got = c.Protocol
	}
	return doc
}
