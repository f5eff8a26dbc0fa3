package repair

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"time"

	"xrdpfix/certs"
	"xrdpfix/diagnose"
	"xrdpfix/xrdpconf"
)

// builder gathers what the remedies ask for and turns it into a plan.
type builder struct {
	f      *diagnose.Facts
	found  []diagnose.Finding
	pol    Policy
	server xrdpconf.Server
	ini    *xrdpconf.File
	sesman *xrdpconf.File
	plan   Plan

	iniEdits, sesmanEdits     []xrdpconf.Change
	iniBecause, sesmanBecause []diagnose.Code
	iniMode                   Mode     // 0 keeps the mode
	back                      []string // settings that come back from behind a cut
	wantRange                 xrdpconf.Range
	stated                    bool // the range is stated, not only repaired
	firstBootBecause          []diagnose.Code
}

// New plans the smallest change that mends the findings and meets the policy.
// It is pure. The error is for a policy that the file cannot express; a fault
// of the host becomes a Manual or a Refusal.
func New(f diagnose.Facts, found []diagnose.Finding, pol Policy) (Plan, error) {
	b := &builder{
		f: &f, found: found, pol: pol, server: f.MeantServer(), sesman: f.SesmanFile(),
		plan: Plan{
			ID: freeID(&f), Ini: f.IniPath(), Offline: f.Offline, replayed: f.Replayed,
			Files: []FileChange{}, Disturbs: []Disturbed{}, Manual: []Manual{}, Because: []diagnose.Code{},
		},
	}
	var err error
	if b.ini, b.back, err = f.Meant(); err != nil {
		b.server = f.Server()
	}
	b.remedies()
	if b.server.HasGlobals && f.Config.Ok() {
		if !pol.CertOnly {
			b.securityLayer()
			if err = b.tlsRange(); err != nil {
				return Plan{}, err
			}
		}
		switch {
		case b.pol.Install != nil:
			b.installIdentity()
		case b.pol.Cert == CertRenew && b.plan.Identity == nil:
			b.newIdentity()
		}
	}
	b.plantFirstBoot()
	b.replaced()
	if err = b.assemble(); err != nil {
		return Plan{}, err
	}
	b.dropFirstBoot()
	b.expect()
	b.restart()
	b.refuse()
	b.blocked()
	b.deadline()
	b.clock()
	b.pending()
	return b.plan, nil
}

// ID names an apply by its time, and sorts by it.
func ID(t time.Time) string { return t.UTC().Format("20060102T150405Z") }

// freeID is the next ID that no earlier apply has: two may begin in one second.
func freeID(f *diagnose.Facts) string {
	for t := f.Taken; ; t = t.Add(time.Second) {
		id := ID(t)
		if !slices.ContainsFunc(f.Applied.Value, func(a diagnose.AppliedSummary) bool { return a.ID == id }) {
			return id
		}
	}
}

// set plans a key of xrdp.ini [Globals].
func (b *builder) set(key, value string, because ...diagnose.Code) {
	b.edit(xrdpconf.Change{Section: xrdpconf.SectionGlobals, Key: key, Value: value}, because...)
}

// remove plans the deletion of a key of xrdp.ini [Globals].
func (b *builder) remove(key string, because ...diagnose.Code) {
	b.edit(xrdpconf.Change{Section: xrdpconf.SectionGlobals, Key: key, Delete: true}, because...)
}

func (b *builder) edit(c xrdpconf.Change, because ...diagnose.Code) {
	b.iniEdits = slices.DeleteFunc(b.iniEdits, func(old xrdpconf.Change) bool { return old.Key == c.Key })
	b.iniEdits = append(b.iniEdits, c)
	b.iniBecause = append(b.iniBecause, because...)
}

// replaced takes from what is left to a human the faults of a pair that goes.
func (b *builder) replaced() {
	id := b.plan.Identity
	if id == nil || id.Copy {
		return
	}
	b.plan.Manual = slices.DeleteFunc(b.plan.Manual, func(m Manual) bool {
		if !aboutPair(m.Because) {
			return false
		}
		id.Because = append(id.Because, m.Because)
		return true
	})
}

func (b *builder) manual(x diagnose.Finding) {
	b.plan.Manual = append(b.plan.Manual, Manual{Because: x.Code, Severity: x.Severity, Text: x.Detail + " " + x.Remedy, Commands: x.Commands})
}

// assemble turns the gathered edits into file changes, in the order of writing.
func (b *builder) assemble() error {
	if len(b.sesmanEdits) > 0 && b.f.Sesman.Ok() && b.f.Sesman.Value.Exists {
		err := b.editFile(b.f.Sesman.Value, b.sesman, b.sesmanEdits, b.sesmanBecause, 0)
		if err != nil && !b.entangled(b.f.Sesman.Value, err) {
			return err
		}
	}
	if len(b.iniBecause) > 0 || len(b.iniEdits) > 0 {
		err := b.editFile(b.f.Config.Value, b.ini, b.iniEdits, b.iniBecause, b.iniMode)
		switch {
		case errors.Is(err, xrdpconf.ErrCut):
			// The finding that names the cut tells what to do first.
			b.plan.Identity, b.plan.Files = nil, []FileChange{}
		case err != nil && !b.entangled(b.f.Config.Value, err):
			return err
		}
	}
	for _, c := range b.plan.Files {
		b.plan.Because = append(b.plan.Because, c.Because...)
	}
	if b.plan.Identity != nil {
		b.plan.Because = append(b.plan.Because, b.plan.Identity.Because...)
	}
	slices.Sort(b.plan.Because)
	b.plan.Because = slices.Compact(b.plan.Because)
	return nil
}

func (b *builder) editFile(fact diagnose.FileFact, file *xrdpconf.File, edits []xrdpconf.Change, because []diagnose.Code, mode Mode) error {
	edited, err := file.Edit(edits...)
	if err != nil {
		return fmt.Errorf("edit %s: %w", fact.Path, err)
	}
	before := stateOf(fact)
	after := before
	after.SHA256 = sum(edited.Bytes())
	if mode != 0 {
		after.Mode = mode
	}
	if after == before {
		return nil
	}
	because = slices.Clone(because)
	slices.Sort(because)
	var keys []string
	for _, e := range edits {
		keys = append(keys, e.Key)
	}
	if fact.Path == b.f.IniPath() {
		keys = append(keys, slices.DeleteFunc(slices.Clone(b.back), func(k string) bool { return slices.Contains(keys, k) })...)
	}
	b.plan.Files = append(b.plan.Files, FileChange{
		Kind: FileEdit, Path: fact.Path, Target: fact.Target, Before: before, After: after,
		Data: edited.Bytes(), Original: fact.Bytes(), Diff: Diff(fact.Path, fact.Bytes(), edited.Bytes()),
		Keys: keys, Because: slices.Compact(because), InPlace: b.pol.InPlace && fact.Obstacle != "",
	})
	return nil
}

func stateOf(f diagnose.FileFact) FileState {
	if !f.Exists {
		return FileState{}
	}
	return FileState{Exists: true, SHA256: f.SHA256, Mode: Mode(f.Mode), UID: f.UID, GID: f.GID}
}

// newIdentity plans a new pair of xrdp's own, unless this is the tree of an
// image: all machines made from it would share the key.
func (b *builder) newIdentity(because ...diagnose.Code) {
	if b.f.Offline {
		b.firstBoot(because)
		return
	}
	b.ownIdentity(because...)
}

// ownIdentity plans a pair of xrdp's own and the two lines that name it.
func (b *builder) ownIdentity(because ...diagnose.Code) {
	if b.plan.Identity != nil {
		b.plan.Identity.Because = append(b.plan.Identity.Because, because...)
		return
	}
	dir := path.Join(diagnose.OwnDir, b.plan.ID)
	id := &IdentityChange{
		Dir: dir, CertPath: path.Join(dir, "cert.pem"), KeyPath: path.Join(dir, "key.pem"),
		KeyGID: b.f.Daemon.KeyGID, KeyGroup: b.f.Daemon.KeyGroup,
		Request: b.request(), Because: because,
	}
	b.plan.Identity = id
	b.set("certificate", id.CertPath, because...)
	b.set("key_file", id.KeyPath, because...)
}

// installIdentity plans the delivered pair in place of any other.
func (b *builder) installIdentity() {
	b.ownIdentity()
	id := b.plan.Identity
	id.Install, id.Request = b.pol.Install, certs.Request{}
	id.Copy, id.CopyCert, id.CopyKey = false, "", ""
}

// copyIdentity plans a copy of an existing pair where the daemon can read it.
func (b *builder) copyIdentity(because ...diagnose.Code) {
	b.ownIdentity(because...)
	id := b.plan.Identity
	id.Copy, id.CopyCert, id.CopyKey = true, b.f.Cert.Path, b.f.Key.Path
	id.Request = certs.Request{}
	b.plan.Notes = append(b.plan.Notes, fmt.Sprintf(
		"%s was issued by %s and is kept: it is copied, so its renewal must be copied too.", b.f.Cert.Path, b.f.Pair.Value.Cert.Issuer))
}

// request is what the new pair shall be: a key that the security level takes.
func (b *builder) request() certs.Request {
	r := b.pol.Request
	if level, _ := b.levelAfter(); level == diagnose.StrongestOwn && r.Key == "" {
		r.Key = certs.RSA3072
	}
	return DefaultRequest(r, b.f.Host)
}

// levelAfter is the security level that is stated and stays, and where; 0 for none.
func (b *builder) levelAfter() (level int, where string) {
	if b.removes("tls_ciphers") {
		return 0, ""
	}
	level, where, _ = b.f.SecurityLevel()
	return level, where
}

// DefaultRequest fills what a request leaves open: the names and addresses of
// the host, the lifetime, the kind of key.
func DefaultRequest(r certs.Request, h diagnose.HostInfo) certs.Request {
	if len(r.DNSNames) == 0 && len(r.Addrs) == 0 {
		for _, n := range []string{h.FQDN, h.Name} {
			if certs.ValidName(n) && !slices.Contains(r.DNSNames, n) {
				r.DNSNames = append(r.DNSNames, n)
			}
		}
		r.Addrs = append(r.Addrs, h.NetAddrs()...)
	}
	if len(r.DNSNames) == 0 && len(r.Addrs) == 0 {
		r.DNSNames = []string{"localhost"}
	}
	if r.CommonName == "" && len(r.DNSNames) > 0 {
		r.CommonName = r.DNSNames[0]
	}
	if r.Lifetime == 0 {
		r.Lifetime = certs.DefaultLifetime
	}
	if r.Key == "" {
		r.Key = certs.RSA2048
	}
	return r
}
