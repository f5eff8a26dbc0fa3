package repair

import (
	"slices"
	"strings"

	"xrdpfix/certs"
	"xrdpfix/diagnose"
	"xrdpfix/internal/plaintext"
	"xrdpfix/xrdpconf"
)

// remedy mends one finding in the builder.
type remedy func(b *builder, x diagnose.Finding)

// remedies maps a code to what apply does about it. A code that is not here is
// left to a human where it is an error, and reported where it is not.
var remedyOf = map[diagnose.Code]remedy{
	diagnose.KeyMissing:      (*builder).replacePair,
	diagnose.KeyUnreadable:   (*builder).reachPair,
	diagnose.KeyInvalid:      (*builder).replacePair,
	diagnose.KeyUnsupported:  (*builder).replacePair,
	diagnose.CertMissing:     (*builder).replacePair,
	diagnose.CertUnreadable:  (*builder).reachPair,
	diagnose.CertInvalid:     (*builder).replacePair,
	diagnose.CertKeyMismatch: (*builder).replacePair,
	diagnose.CertExpired:     (*builder).replacePair,
	diagnose.CertNotYetValid: (*builder).replacePair,
	diagnose.CertExpiring:    (*builder).renewOwn,
	diagnose.CertUnsuitable:  (*builder).replaceWeak,
	diagnose.CertName:        (*builder).replaceWeak, // where the names were stated
	diagnose.CertPathMissing: (*builder).namePair,
	diagnose.CertPathInvalid: (*builder).absolutePath,
	diagnose.CertCopyStale:   (*builder).copyAgain,

	diagnose.IniUnreadable: (*builder).openIni,
	diagnose.IniCutShort:   (*builder).readOn,

	diagnose.SecurityLayerMissing: (*builder).negotiate,
	diagnose.SecurityLayerInvalid: (*builder).negotiate,
	diagnose.SecurityLayerRDP:     (*builder).negotiate,
	diagnose.CryptLevelWeak:       func(b *builder, x diagnose.Finding) { b.set("crypt_level", "high", x.Code) },

	diagnose.RSAKeysMissing:    (*builder).makeRSAKeys,
	diagnose.RSAKeysUnreadable: (*builder).openRSAKeys,

	diagnose.TLSVersionsEmpty:   (*builder).defaultVersions,
	diagnose.TLSVersionsMissing: (*builder).defaultVersions,
	diagnose.TLSVersionsUnknown: (*builder).knownVersions,
	diagnose.TLSCiphersInvalid:  func(b *builder, x diagnose.Finding) { b.remove("tls_ciphers", x.Code) },
	diagnose.TLSSecretsLogged:   func(b *builder, x diagnose.Finding) { b.remove("tls_pms_log_file", x.Code) },
	diagnose.TLSRangeBlocked:    (*builder).unblock,

	diagnose.PortInvalid:      (*builder).meantPort,
	diagnose.ServiceDown:      func(b *builder, x diagnose.Finding) { b.start(ActionStart, x) },
	diagnose.PortNotListening: func(b *builder, x diagnose.Finding) { b.start(ActionRestart, x) },

	diagnose.ApplyUnfinished: func(*builder, diagnose.Finding) {}, // put back before the plan is made
}

// remedies goes through the findings: what apply mends is planned, an error
// that only a human can mend is written down for him.
func (b *builder) remedies() {
	for _, x := range b.found {
		fix, known := remedyOf[x.Code]
		if b.pol.CertOnly && !aboutPair(x.Code) {
			continue
		}
		switch {
		case known && x.Mend == diagnose.MendApply:
			fix(b, x)
		case x.Code == diagnose.TLSRangeBlocked && (b.pol.Declared || b.pol.Range != (xrdpconf.Range{})) && x.Mend == diagnose.MendStated:
			fix(b, x)
		case x.Code == diagnose.TLSCiphersNarrow && b.pol.Range != (xrdpconf.Range{}) && x.Mend == diagnose.MendStated:
			b.remove("tls_ciphers", x.Code)
		case x.Code == diagnose.RestartPending && b.pol.Restart == RestartAlways:
			b.needRestart(x.Detail)
		case b.mendedByCert(x.Code), x.Code == diagnose.IniNotReplaceable && b.pol.InPlace:
		case x.Severity == diagnose.Error:
			b.manual(x)
		}
	}
}

// aboutPair reports whether a finding is about key or certificate.
func aboutPair(code diagnose.Code) bool {
	e, _ := diagnose.Describe(code)
	return e.Group == "key" || e.Group == "certificate"
}

// mendedByCert reports whether a stated renewal takes care of a finding.
func (b *builder) mendedByCert(code diagnose.Code) bool {
	return (b.pol.Cert == CertRenew || b.pol.Install != nil) && slices.Contains([]diagnose.Code{
		diagnose.KeyExposed, diagnose.KeyShared, diagnose.CertInvalid, diagnose.CertExpired, diagnose.CertNotYetValid,
		diagnose.CertExpiring, diagnose.CertUnsuitable, diagnose.CertName, diagnose.CertChain,
	}, code)
}

// issued reports whether the certificate comes from a CA: such a pair is never
// replaced by a self-signed one unasked.
func (b *builder) issued() bool {
	c := b.f.Pair.Value.Cert
	return b.f.Pair.Ok() && c.Problem == certs.ProblemNone && !c.SelfSigned
}

// replacePair plans a new pair, unless the administrator or a CA stands in the way.
func (b *builder) replacePair(x diagnose.Finding) {
	switch {
	case b.pol.Install != nil:
		b.newIdentity(x.Code)
	case b.pol.Cert == CertKeep:
		x.Remedy = "--cert keep forbids a new pair."
		b.manual(x)
	case b.issued() && b.pol.Cert != CertRenew:
		x.Remedy = "The certificate was issued by " + b.f.Pair.Value.Cert.Issuer + "; it is never replaced by a self-signed one unasked."
		x.Commands = []string{"xrdpfix apply --cert renew"}
		b.manual(x)
	default:
		b.newIdentity(x.Code)
	}
}

// reachPair mends a pair that is only out of the daemon's reach.
func (b *builder) reachPair(x diagnose.Finding) {
	whole := b.f.Pair.Ok() && len(b.f.Pair.Value.Problems) == 0 && b.f.Pair.Value.Cert.ValidAt(b.f.Taken)
	if b.issued() && whole && b.pol.Cert != CertKeep && b.pol.Cert != CertRenew {
		b.copyIdentity(x.Code)
		return
	}
	b.replacePair(x)
}

// copyAgain copies a pair whose original was renewed.
func (b *builder) copyAgain(x diagnose.Finding) {
	switch src := b.f.Source.Value; {
	case b.pol.Cert == CertKeep:
		x.Remedy = "--cert keep forbids a new pair."
		b.manual(x)
	case b.plan.Identity == nil && b.pol.Cert != CertRenew && b.pol.Install == nil && src.Key != "":
		b.ownIdentity(x.Code)
		id := b.plan.Identity
		id.Copy, id.CopyCert, id.CopyKey = true, src.Path, src.Key
		id.Request = certs.Request{}
	}
}

// renewOwn renews a pair of ours that ends soon.
func (b *builder) renewOwn(x diagnose.Finding) {
	if diagnose.OwnPath(b.server.Certificate) && b.pol.Cert != CertKeep {
		b.replacePair(x)
	}
}

// replaceWeak replaces a self-signed pair whose signature clients refuse, or that
// lacks a stated name.
func (b *builder) replaceWeak(x diagnose.Finding) {
	if b.pol.Cert != CertKeep && !b.issued() {
		b.newIdentity(x.Code)
	}
}

// namePair writes the missing certificate= and key_file= lines: the default
// pair where it is good, else a new one.
func (b *builder) namePair(x diagnose.Finding) {
	good := b.f.Pair.Ok() && len(b.f.Pair.Value.Problems) == 0 && b.f.Key.Readable && b.f.Cert.Readable &&
		b.f.Pair.Value.Cert.ValidAt(b.f.Taken) && b.f.TooWeak(b.f.Pair.Value.Key) == ""
	switch {
	case good:
		b.set("certificate", b.f.Cert.Path, x.Code)
		b.set("key_file", b.f.Key.Path, x.Code)
	case b.issued() && len(b.f.Pair.Value.Problems) == 0 && b.f.Pair.Value.Cert.ValidAt(b.f.Taken):
		b.copyIdentity(x.Code)
	default:
		b.replacePair(x)
	}
}

// absolutePath writes out the path that xrdp uses instead of a relative one.
func (b *builder) absolutePath(x diagnose.Finding) {
	value := b.server.Certificate
	if x.Subject == "key_file" {
		value = b.server.KeyFile
	}
	if b.plan.Identity == nil {
		b.set(x.Subject, value, x.Code)
	}
}

func (b *builder) negotiate(x diagnose.Finding) {
	b.set("security_layer", xrdpconf.SecurityLayerNegotiate.String(), x.Code)
}

func (b *builder) defaultVersions(x diagnose.Finding) {
	b.wantRange = diagnose.DefaultRange
	b.set("ssl_protocols", diagnose.DefaultRange.Tokens(), x.Code)
}

// knownVersions keeps the versions that work and drops the words that xrdp skips.
func (b *builder) knownVersions(x diagnose.Finding) {
	b.wantRange, _ = xrdpconf.RangeOf(b.server.Protocols)
	b.set("ssl_protocols", strings.Join(b.server.Protocols, ", "), x.Code)
}

func (b *builder) unblock(diagnose.Finding) {} // tlsRange makes a stated range real

// makeRSAKeys plans a new rsakeys.ini, and the start that failed without it:
// service-down is silent where this explains it.
func (b *builder) makeRSAKeys(x diagnose.Finding) {
	b.plan.Keygen = &KeygenChange{
		Path: diagnose.RSAKeysPath, GID: b.f.Daemon.KeyGID, Group: b.f.Daemon.KeyGroup, Because: []diagnose.Code{x.Code},
	}
	b.plan.Because = append(b.plan.Because, x.Code)
	if u, ok := b.f.Units[diagnose.UnitXrdp]; ok && u.Ok() && !b.f.Daemon.Running.Ok() && u.Value.LoadState == "loaded" {
		b.start(ActionStart, x)
	}
}

// openRSAKeys lets the daemon read rsakeys.ini and nobody else.
func (b *builder) openRSAKeys(x diagnose.Finding) {
	fact := b.f.RSAKeysFile
	if !fact.Ok() || !fact.Value.Exists {
		return
	}
	before := stateOf(fact.Value)
	after := before
	after.Mode, after.GID = 0o640, b.f.Daemon.KeyGID
	b.plan.Files = append(b.plan.Files, FileChange{
		Kind: FileAttributes, Path: fact.Value.Path, Target: fact.Value.Target, Before: before, After: after, Because: []diagnose.Code{x.Code},
	})
}

// openIni lets everybody read xrdp.ini, as packages ship it. One write in place
// changes bytes only.
func (b *builder) openIni(x diagnose.Finding) {
	if b.f.Config.Value.Obstacle != "" {
		x.Commands = []string{"chmod 0644 " + plaintext.ShellWord(b.f.IniPath())}
		b.manual(x)
		return
	}
	b.iniMode = 0o644
	b.iniBecause = append(b.iniBecause, x.Code)
}

// readOn keeps the file as it was meant: the edits are made to that one.
func (b *builder) readOn(x diagnose.Finding) {
	b.iniBecause = append(b.iniBecause, x.Code)
	if b.f.Server().Port != b.server.Port && len(b.f.Listen.Value) == 0 {
		b.needRestart("port= is read when xrdp starts")
	}
}

func (b *builder) meantPort(x diagnose.Finding) {
	b.set("port", diagnose.PortMeant(b.server), x.Code)
	b.needRestart("port= is read when xrdp starts")
}

func (b *builder) start(a Action, x diagnose.Finding) {
	b.plan.Unit.Action = a
	b.plan.Because = append(b.plan.Because, x.Code)
	b.needRestart(x.Detail)
}

func (b *builder) needRestart(why string) {
	b.plan.Unit.Needed = true
	b.plan.Unit.Because = append(b.plan.Unit.Because, why)
}
