package main

import (
	"fmt"
	"time"

	"xrdpfix/certs"
	"xrdpfix/diagnose"
	"xrdpfix/probe"
	"xrdpfix/repair"
)

type findingDoc struct {
	Code     diagnose.Code     `json:"code"`
	Severity diagnose.Severity `json:"severity"`
	Title    string            `json:"title"`
	Detail   string            `json:"detail"`
	Evidence []evidenceDoc     `json:"evidence"`
	Remedy   string            `json:"remedy"`
	Commands []string          `json:"commands"`
	Mend     diagnose.Mend     `json:"mend"`
	Subject  string            `json:"subject,omitempty"`
}

type evidenceDoc struct {
	Kind   string `json:"kind"`
	Source string `json:"source"`
	Line   int    `json:"line,omitempty"`
	Text   string `json:"text"`
}

func findingDocs(found []diagnose.Finding) []findingDoc {
	out := []findingDoc{}
	for _, x := range found {
		doc := findingDoc{
			Code: x.Code, Severity: x.Severity, Title: x.Title, Detail: x.Detail, Evidence: []evidenceDoc{},
			Remedy: x.Remedy, Commands: list(x.Commands), Mend: x.Mend, Subject: x.Subject,
		}
		for _, e := range x.Evidence {
			doc.Evidence = append(doc.Evidence, evidenceDoc(e))
		}
		out = append(out, doc)
	}
	return out
}

// planDoc is repair.Plan without what only executing it needs.
type planDoc struct {
	ID       string          `json:"id"`
	Files    []fileDoc       `json:"files"`
	Identity *identityDoc    `json:"identity,omitempty"`
	Keygen   *keygenDoc      `json:"keygen,omitempty"`
	Restart  restartDoc      `json:"restart"`
	Disturbs []disturbedDoc  `json:"disturbs"`
	Manual   []manualDoc     `json:"manual"`
	Expect   expectDoc       `json:"expect"`
	Refusal  *refusalDoc     `json:"refusal,omitempty"`
	Because  []diagnose.Code `json:"because"`
	Notes    []string        `json:"notes"`
	Offline  bool            `json:"offline,omitempty"`
	// FirstBoot: a unit makes the pair on each machine, when the tree boots.
	FirstBoot bool `json:"first_boot,omitempty"`
}

type fileDoc struct {
	Kind    repair.FileKind `json:"kind"`
	Path    string          `json:"path"`
	Target  string          `json:"target"`
	Before  stateDoc        `json:"before"`
	After   stateDoc        `json:"after"`
	Diff    string          `json:"diff"`
	Keys    []string        `json:"keys"`
	Because []diagnose.Code `json:"because"`
	InPlace bool            `json:"in_place,omitempty"`
}

// stateDoc has no checksum: with all but one line of a file known, a short
// password= value could be guessed from it.
type stateDoc struct {
	Exists bool   `json:"exists"`
	Mode   string `json:"mode,omitempty"` // "0644"
	UID    int    `json:"uid"`
	GID    int    `json:"gid"`
}

func stateOf(s repair.FileState) stateDoc {
	doc := stateDoc{Exists: s.Exists, UID: s.UID, GID: s.GID}
	if s.Exists {
		doc.Mode = fmt.Sprintf("%04o", uint32(s.Mode))
	}
	return doc
}

type identityDoc struct {
	Dir             string          `json:"dir"`
	Certificate     string          `json:"certificate"`
	Key             string          `json:"key"`
	KeyGroup        string          `json:"key_group"`
	Copy            bool            `json:"copy"`
	CopyCertificate string          `json:"copy_certificate,omitempty"`
	CopyKey         string          `json:"copy_key,omitempty"`
	Install         bool            `json:"install"`
	Names           []string        `json:"names"`
	KeyType         string          `json:"key_type,omitempty"`
	Days            int             `json:"days,omitempty"`
	Because         []diagnose.Code `json:"because"`
}

func identityOf(id *repair.IdentityChange) *identityDoc {
	if id == nil {
		return nil
	}
	doc := &identityDoc{
		Dir: id.Dir, Certificate: id.CertPath, Key: id.KeyPath, KeyGroup: id.KeyGroup,
		Copy: id.Copy, CopyCertificate: id.CopyCert, CopyKey: id.CopyKey, Install: id.Install != nil,
		KeyType: string(id.Request.Key), Days: int(id.Request.Lifetime / day), Because: list(id.Because), Names: []string{},
	}
	doc.Names = append(doc.Names, id.Request.DNSNames...)
	for _, a := range id.Request.Addrs {
		doc.Names = append(doc.Names, a.String())
	}
	return doc
}

type keygenDoc struct {
	Path    string          `json:"path"`
	Group   string          `json:"group"`
	Because []diagnose.Code `json:"because"`
}

type restartDoc struct {
	Action  string   `json:"action"`
	Needed  bool     `json:"needed"`
	Why     string   `json:"why"`
	Reload  bool     `json:"reload"`
	Because []string `json:"because"`
}

type disturbedDoc struct {
	User      string    `json:"user,omitempty"`
	Display   string    `json:"display,omitempty"`
	Since     time.Time `json:"since,omitzero"`
	Client    string    `json:"client,omitempty"`
	Connected bool      `json:"connected"`
}

type manualDoc struct {
	Because  diagnose.Code     `json:"because"`
	Severity diagnose.Severity `json:"severity"`
	Text     string            `json:"text"`
	Commands []string          `json:"commands"`
}

type refusalDoc struct {
	Reason  string   `json:"reason"`
	Text    string   `json:"text"`
	Instead []string `json:"instead"`
}

type expectDoc struct {
	Addr       string             `json:"addr,omitempty"`
	Selected   probe.Protocol     `json:"selected"`
	Accept     []probe.TLSVersion `json:"accept"`
	Refuse     []probe.TLSVersion `json:"refuse"`
	CertSHA256 string             `json:"cert_sha256,omitempty"`
	Classic    bool               `json:"classic"`
	LogPath    string             `json:"log_path,omitempty"`
	LogHidden  string             `json:"log_hidden,omitempty"`
}

func planOf(p repair.Plan) *planDoc {
	doc := &planDoc{
		ID: p.ID, Files: []fileDoc{}, Identity: identityOf(p.Identity), Disturbs: []disturbedDoc{}, Manual: []manualDoc{},
		Because: list(p.Because), Notes: list(p.Notes), Offline: p.Offline, FirstBoot: p.FirstBoot,
		Restart: restartDoc{Action: string(p.Unit.Action), Needed: p.Unit.Needed, Why: p.Unit.Why, Reload: p.Unit.Reload, Because: list(p.Unit.Because)},
		Expect: expectDoc{
			Addr: p.Expect.Addr, Selected: p.Expect.Selected, Accept: list(p.Expect.Accept), Refuse: list(p.Expect.Refuse),
			CertSHA256: p.Expect.CertSHA256, Classic: p.Expect.Classic, LogPath: p.Expect.LogPath, LogHidden: p.Expect.LogHidden,
		},
	}
	if p.Unit.Action == repair.ActionNone {
		doc.Restart.Action = "none"
	}
	if k := p.Keygen; k != nil {
		doc.Keygen = &keygenDoc{Path: k.Path, Group: k.Group, Because: list(k.Because)}
	}
	for _, c := range p.Files {
		doc.Files = append(doc.Files, fileDoc{
			Kind: c.Kind, Path: c.Path, Target: c.Target, Before: stateOf(c.Before), After: stateOf(c.After),
			Diff: c.Diff, Keys: list(c.Keys), Because: list(c.Because), InPlace: c.InPlace,
		})
	}
	for _, d := range p.Disturbs {
		doc.Disturbs = append(doc.Disturbs, disturbedDoc(d))
	}
	for _, m := range p.Manual {
		doc.Manual = append(doc.Manual, manualDoc{m.Because, m.Severity, m.Text, list(m.Commands)})
	}
	if r := p.Refusal; r != nil {
		doc.Refusal = &refusalDoc{r.Reason, r.Text, list(r.Instead)}
	}
	return doc
}

// diffDoc is one file in Ansible's shape.
type diffDoc struct {
	Before       string `json:"before"`
	After        string `json:"after"`
	BeforeHeader string `json:"before_header"`
	AfterHeader  string `json:"after_header"`
}

type verdictDoc struct {
	Status  repair.Status `json:"status"`
	Reasons []string      `json:"reasons"`
}

func verdictOf(v *repair.Verdict) *verdictDoc {
	if v == nil {
		return nil
	}
	return &verdictDoc{v.Status, list(v.Reasons)}
}

// journalDoc is one apply of the past.
type journalDoc struct {
	ID            string          `json:"id"`
	Started       time.Time       `json:"started"`
	Ended         time.Time       `json:"ended,omitzero"`
	State         repair.State    `json:"state"`
	Tool          string          `json:"tool"`
	Because       []diagnose.Code `json:"because"`
	NeededRestart bool            `json:"needed_restart"`
	Steps         []stepDoc       `json:"steps"`
	Verdict       *verdictDoc     `json:"verdict,omitempty"`
	Dir           string          `json:"dir,omitempty"`
	Deadline      *deadlineDoc    `json:"deadline,omitempty"`
}

// deadlineDoc is when a change is undone by itself.
type deadlineDoc struct {
	Kind repair.DeadlineKind `json:"kind"`
	At   time.Time           `json:"at"`
}

type stepDoc struct {
	Op   repair.Op `json:"op"`
	Path string    `json:"path,omitempty"`
	Done bool      `json:"done"`
}

func journalDocs(journals []repair.Journal) []journalDoc {
	out := []journalDoc{}
	for _, j := range journals {
		doc := journalDoc{
			ID: j.ID, Started: j.Started, Ended: j.Ended, State: j.State, Tool: j.Tool, Because: list(j.Because),
			NeededRestart: j.NeededRestart, Steps: []stepDoc{}, Verdict: verdictOf(j.Verdict), Dir: j.Dir,
		}
		if d := j.Deadline; d != nil {
			doc.Deadline = &deadlineDoc{d.Kind, d.At.UTC().Truncate(time.Second)}
		}
		for _, s := range j.Steps {
			doc.Steps = append(doc.Steps, stepDoc{s.Op, s.Path, s.Done})
		}
		out = append(out, doc)
	}
	return out
}

// requestDoc is a request for a CA to sign.
type requestDoc struct {
	PEM string `json:"pem"`
	// Key is the directory where its key stays.
	Key  string `json:"key"`
	File string `json:"file,omitempty"`
}

// certDoc describes a certificate.
type certDoc struct {
	Problem    certs.Problem `json:"problem,omitempty"`
	Subject    string        `json:"subject,omitempty"`
	Issuer     string        `json:"issuer,omitempty"`
	SelfSigned bool          `json:"self_signed"`
	Names      []string      `json:"names"`
	NotBefore  time.Time     `json:"not_before,omitzero"`
	NotAfter   time.Time     `json:"not_after,omitzero"`
	KeyType    string        `json:"key_type,omitempty"`
	KeyBits    int           `json:"key_bits,omitempty"`
	Signature  string        `json:"signature,omitempty"`
	ChainCount int           `json:"chain_length"`
	SHA256     string        `json:"sha256,omitempty"`
	SHA1       string        `json:"sha1,omitempty"`
}

func certOf(c certs.CertInfo) *certDoc {
	doc := &certDoc{
		Problem: c.Problem, Subject: c.Subject, Issuer: c.Issuer, SelfSigned: c.SelfSigned, Names: append([]string{}, c.DNSNames...),
		NotBefore: c.NotBefore, NotAfter: c.NotAfter, KeyType: c.KeyType, KeyBits: c.KeyBits, Signature: c.SignatureAlgorithm,
		ChainCount: len(c.Chain), SHA256: c.SHA256, SHA1: c.SHA1,
	}
	for _, a := range c.Addrs {
		doc.Names = append(doc.Names, a.String())
	}
	return doc
}
