package main

import (
	"encoding/json"
	"time"

	"xrdpfix/certs"
	"xrdpfix/clients"
	"xrdpfix/diagnose"
	"xrdpfix/probe"
	"xrdpfix/repair"
)

// document is the one object that a command prints as JSON; docs/schema.json
// describes it. Fields may be added; none ever changes its meaning. A list that
// a command has is [] where there is nothing in it, and absent elsewhere.
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
	Facts   *factsDoc `json:"facts,omitempty"`

	Findings []findingDoc `json:"findings,omitzero"`
	// Ignored were found too, and do not count, as the policy states.
	Ignored     []findingDoc    `json:"ignored,omitzero"`
	Policy      []policySetting `json:"policy,omitzero"`
	Unseen      []string        `json:"unseen,omitzero"`
	Plan        *planDoc        `json:"plan,omitempty"`
	Diff        []diffDoc       `json:"diff,omitzero"`
	Verdict     *verdictDoc     `json:"verdict,omitempty"`
	Clients     []clientDoc     `json:"clients,omitzero"`
	Clientele   *clienteleDoc   `json:"clientele,omitempty"`
	Asked       *askedDoc       `json:"asked,omitempty"`
	Waited      *waitDoc        `json:"waited,omitempty"`
	Journal     string          `json:"journal,omitempty"`
	Certificate *certDoc        `json:"certificate,omitempty"`
	Served      *certDoc        `json:"served,omitempty"`
	Request     *requestDoc     `json:"request,omitempty"`
	History     []journalDoc    `json:"history,omitzero"`
	Removed     []string        `json:"removed,omitzero"` // by history --prune
	Settings    []setting       `json:"settings,omitzero"`
	Probe       *probeDoc       `json:"probe,omitempty"`
	Profiles    []profileDoc    `json:"profiles,omitzero"`
	Connection  *connectionDoc  `json:"connection,omitempty"`
	Build       *buildDoc       `json:"build,omitempty"`
	// Kinds and Handout are client's.
	Kinds   []kindDoc   `json:"kinds,omitzero"`
	Handout *handoutDoc `json:"handout,omitempty"`
	// Explanation is explain's.
	Explanation *explanationDoc `json:"explanation,omitempty"`
	Report      *reportDoc      `json:"report,omitempty"`
	// Summary is a probeSummary or a logSummary.
	Summary any `json:"summary,omitempty"`
	// Groups end the objects of probe: the servers that need attention.
	Groups []groupDoc `json:"groups,omitzero"`
}

type errorDoc struct {
	Message string   `json:"message"`
	Hints   []string `json:"hints"`
}

// document starts the object of a command; l may be nil.
func (a *app) document(command string, l *look) *document {
	doc := &document{Schema: 1, Command: command, Tool: version, Time: a.now().UTC().Truncate(time.Second), Exit: a.quit}
	if l == nil {
		return doc
	}
	doc.Xrdp, doc.Host = l.facts.Package.Value.Version, l.facts.Host.Name
	doc.Findings = findingDocs(l.found)
	if doc.Policy = l.from; l.from != nil {
		doc.Ignored = findingDocs(l.ignored)
	}
	doc.Unseen = list(unseen(&l.facts))
	doc.plan(l.plan)
	doc.Clients = []clientDoc{}
	if l.facts.Wire.Ok() {
		doc.Clients = clientDocs(servedNow(&l.facts).Table())
	}
	doc.Served = servedDoc(l.facts.Wire.Value)
	if l.facts.Offline {
		doc.Verdict = &verdictDoc{Status: repair.Unknown, Reasons: []string{string(reasonOffline)}}
	}
	return doc
}

// health starts the object of a command that tells how things stand and plans
// nothing.
func (a *app) healthDocument(command string, l *look) *document {
	doc := a.document(command, l)
	doc.Plan, doc.Diff = nil, nil
	return doc
}

func (doc *document) plan(p repair.Plan) {
	doc.Plan = planOf(p)
	doc.Diff = []diffDoc{}
	for _, c := range p.Files {
		if c.Diff == "" {
			continue
		}
		doc.Diff = append(doc.Diff, diffDoc{
			Before: string(diagnose.Mask(c.Original)), After: string(diagnose.Mask(c.Data)),
			BeforeHeader: c.Path, AfterHeader: c.Path,
		})
	}
}

// outcome adds what became of an apply.
func (doc *document) outcome(l *look, out repair.Outcome) {
	doc.Changed = out.Changed
	doc.Journal = out.Journal
	doc.Plan = planOf(out.Plan)
	if !l.facts.Offline {
		doc.Verdict = verdictOf(&out.Verdict)
		seen := out.Seen.Wire
		if out.Restored != nil {
			seen = out.Restored.Wire
		}
		doc.Clients = clientDocs(servedHere(&l.facts, seen).Table())
		doc.Served = servedDoc(seen)
	}
	if out.Certificate != nil {
		doc.Certificate = certOf(*out.Certificate)
	}
}

func (a *app) printJSON(doc *document) error {
	if a.holds {
		a.held = doc
		return nil
	}
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	return enc.Encode(doc)
}

// servedDoc is the certificate that the port showed us, nil where it showed none.
func servedDoc(s probe.ServerSurvey) *certDoc {
	chain := clients.Chain(&s)
	if len(chain) == 0 {
		return nil
	}
	return certOf(certs.InspectDER(chain))
}

// list makes nil an empty list.
func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

// setting is one row of show.
type setting struct {
	File    string `json:"file"`
	Section string `json:"section"`
	Key     string `json:"key"`
	Value   string `json:"value"`
	Line    int    `json:"line,omitempty"`
	// Written is the text of the line where xrdp makes something else of it.
	Written *string `json:"written,omitempty"`
	// From says where a value without a line comes from.
	From string `json:"from,omitempty"`
}

// probeSummary ends the objects of probe.
type probeSummary struct {
	Hosts       int `json:"hosts"`
	Unreachable int `json:"unreachable"`
	WithoutTLS  int `json:"without_tls"`
	// Silent counts addresses of a range where nobody is; they are in Hosts too.
	Silent   int `json:"silent,omitempty"`
	Repeated int `json:"repeated,omitempty"`
}

// logSummary ends the objects of log.
type logSummary struct {
	Connections int `json:"connections"`
	Connected   int `json:"connected"`
	Failed      int `json:"failed"`
	NotShown    int `json:"not_shown"`
	// HungUp and Own are the noise: scanners and health checks, and our own probes.
	HungUp int `json:"hung_up"`
	Own    int `json:"own"`
	// Causes counts the failed connections by finding code.
	Causes map[string]int `json:"causes"`
	// Clients are the clients one by one, those that failed first.
	Clients []clientCount `json:"clients"`
}
