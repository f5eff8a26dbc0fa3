package repair

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"xrdpfix/diagnose"
	"xrdpfix/internal/opensslconf"
	"xrdpfix/xrdpconf"
)

// rangeComment stands above the declared range in sesman.ini.
const rangeComment = "takes effect as ssl_protocols in xrdp.ini (xrdpfix keeps the two equal)"

// loweredCiphers is our own value of tls_ciphers: OpenSSL's default list at the
// security level that TLS 1.0 and 1.1 need (their handshake signs with
// MD5 and SHA-1, which level 1 of OpenSSL 3 forbids).
const loweredCiphers = "DEFAULT:@SECLEVEL=0"

var secLevel = regexp.MustCompile(`@SECLEVEL=\d`)

// tlsRange makes a stated range real, and declares the range that is written.
func (b *builder) tlsRange() error {
	want := b.pol.Range
	if b.pol.Declared {
		var err error
		if want, err = b.declaredRange(); err != nil {
			return err
		}
	}
	if want.Valid() {
		b.wantRange, b.stated = want, true
		b.versions(want)
		b.securityLevel(want)
		b.floor(want)
	}
	if b.wantRange.Valid() {
		b.declare(b.wantRange)
	}
	return nil
}

// declaredRange is the range that sesman.ini states. A lowest version that is
// not there is the lowest that is still sound: none below is ever set unstated.
func (b *builder) declaredRange() (xrdpconf.Range, error) {
	if !b.f.Sesman.Ok() {
		return xrdpconf.Range{}, fmt.Errorf("%w: %s%s", ErrNothingDeclared, b.f.Sesman.Failed, b.f.Sesman.Skipped)
	}
	sesman := xrdpconf.ReadSessionManager(b.sesman, nil)
	r, declared, err := sesman.DeclaredRange()
	switch {
	case err != nil:
		return r, fmt.Errorf("%w that can be obeyed: %w", ErrNothingDeclared, err)
	case !declared:
		return r, ErrNothingDeclared
	case !sesman.TLSMinSet:
		r.Min = min(diagnose.DefaultRange.Min, r.Max)
	}
	return r, nil
}

// versions writes ssl_protocols unless it says the same already.
func (b *builder) versions(want xrdpconf.Range) {
	have, contiguous := xrdpconf.RangeOf(b.server.Protocols)
	if b.server.ProtocolsSet && contiguous && have == want && len(b.server.UnknownProtocols) == 0 {
		return
	}
	b.set("ssl_protocols", want.Tokens())
}

// securityLevel lowers OpenSSL's level where TLS 1.0 or 1.1 is wanted, and
// takes our own lowering back where neither is.
func (b *builder) securityLevel(want xrdpconf.Range) {
	ciphers := b.server.Ciphers
	switch {
	case want.Min >= xrdpconf.TLS12:
		if ciphers == loweredCiphers {
			b.remove("tls_ciphers")
		}
	case strings.Contains(ciphers, "@SECLEVEL=0"):
	case len(ciphers) <= 1 || b.removes("tls_ciphers"):
		b.set("tls_ciphers", loweredCiphers)
	case secLevel.MatchString(ciphers):
		b.set("tls_ciphers", secLevel.ReplaceAllString(ciphers, "@SECLEVEL=0"))
	default:
		b.set("tls_ciphers", ciphers+":@SECLEVEL=0")
	}
}

func (b *builder) removes(key string) bool {
	return slices.ContainsFunc(b.iniEdits, func(c xrdpconf.Change) bool { return c.Key == key && c.Delete })
}

// floor lifts a system-wide MinProtocol or MaxProtocol for xrdp alone, and
// takes our drop-in away where it is no longer needed.
func (b *builder) floor(want xrdpconf.Range) {
	ssl := b.f.OpenSSL.Value
	if !b.f.OpenSSL.Ok() {
		return
	}
	for _, v := range want.Versions() {
		if blame := ssl.Blame(v); blame != nil {
			b.lift(want, ssl, blame)
			return
		}
	}
	if b.f.DropIn.Value.Exists {
		b.dropFile(b.f.DropIn.Value)
		b.dropFile(b.f.OwnOpenSSL.Value)
		b.plan.Unit.Reload = true
	}
}

// lift plans the drop-in and its file. A process that runs with them already
// needs no restart.
func (b *builder) lift(want xrdpconf.Range, ssl diagnose.OpenSSL, blame *diagnose.ConfValue) {
	base := opensslconf.Config{File: ssl.Conf, Section: ssl.Section}
	if p := ssl.Protocol; p != nil {
		base.Protocol = &opensslconf.Value{Text: p.Text, File: p.File, Line: p.Line}
	}
	body, err := base.Override(want.Min.Token(), want.Max.Token(), diagnose.DropInPath)
	if err != nil {
		b.plan.Manual = append(b.plan.Manual, Manual{
			Because: diagnose.TLSRangeBlocked, Severity: diagnose.Error, Text: "The system-wide floor cannot be lifted for xrdp alone: " + err.Error() + ".",
		})
		return
	}
	changed := b.putFile(b.f.OwnOpenSSL.Value, diagnose.OwnOpenSSLPath, body)
	dropIn := "# Made by xrdpfix: xrdp alone gets the TLS range that is declared in\n" +
		"# /etc/xrdp/sesman.ini. Removed by xrdpfix when it is no longer needed.\n" +
		"[Service]\nEnvironment=OPENSSL_CONF=" + diagnose.OwnOpenSSLPath + "\n"
	if b.putFile(b.f.DropIn.Value, diagnose.DropInPath, []byte(dropIn)) {
		b.plan.Unit.Reload = true
	}
	if changed || b.f.Daemon.Running.Value.OpenSSLConf != diagnose.OwnOpenSSLPath || b.startedBefore(b.f.OwnOpenSSL.Value) {
		b.needRestart(floorReason(blame))
	}
}

func floorReason(v *diagnose.ConfValue) string {
	return v.File + ":" + itoa(v.Line) + " sets " + v.Name + " = " + v.Text + " for every program; OPENSSL_CONF in a drop-in for xrdp.service lifts it for xrdp alone, and is read when xrdp starts"
}

func (b *builder) startedBefore(f diagnose.FileFact) bool {
	return f.Exists && b.f.Daemon.Running.Ok() && b.f.Daemon.Running.Value.Started.Before(f.MTime)
}

// putFile plans a file of our own; false where it is there already.
func (b *builder) putFile(have diagnose.FileFact, name string, data []byte) bool {
	before := stateOf(have)
	after := FileState{Exists: true, SHA256: sum(data), Mode: 0o644}
	if before == after {
		return false
	}
	kind := FileCreate
	if before.Exists {
		kind = FileEdit
	}
	b.plan.Files = append(b.plan.Files, FileChange{
		Kind: kind, Path: name, Target: name, Before: before, After: after,
		Data: data, Original: have.Bytes(), Diff: Diff(name, have.Bytes(), data), Because: []diagnose.Code{},
	})
	return true
}

func (b *builder) dropFile(have diagnose.FileFact) {
	if !have.Exists {
		return
	}
	b.plan.Files = append(b.plan.Files, FileChange{
		Kind: FileRemove, Path: have.Path, Target: have.Target, Before: stateOf(have),
		Original: have.Bytes(), Diff: Diff(have.Path, have.Bytes(), nil), Because: []diagnose.Code{},
	})
}

// declare writes the range to [Security] of sesman.ini, where the guide puts it. A
// file without any section is not one that the guide means, and gets none from us:
// the range takes effect by xrdp.ini in any case.
func (b *builder) declare(r xrdpconf.Range) {
	if !b.f.Sesman.Ok() || !b.f.Sesman.Value.Exists || len(b.sesman.Sections()) == 0 {
		return
	}
	if have, declared, err := xrdpconf.ReadSessionManager(b.sesman, nil).DeclaredRange(); err == nil && declared && have == r {
		return
	}
	b.sesmanEdits = append(b.sesmanEdits,
		xrdpconf.Change{Section: xrdpconf.SectionSecurity, Key: xrdpconf.KeyTLSMin, Value: r.Min.Number(), Comment: rangeComment},
		xrdpconf.Change{Section: xrdpconf.SectionSecurity, Key: xrdpconf.KeyTLSMax, Value: r.Max.Number()})
	b.sesmanBecause = append(b.sesmanBecause, b.iniBecause...)
}

// securityLayer meets a stated security_layer.
func (b *builder) securityLayer() {
	want := b.pol.SecurityLayer
	if want == "" {
		return
	}
	b.iniEdits = slices.DeleteFunc(b.iniEdits, func(c xrdpconf.Change) bool { return c.Key == "security_layer" })
	if b.server.SecurityLayerSet && b.server.SecurityLayerValid && b.server.SecurityLayer.String() == want {
		return
	}
	b.set("security_layer", want)
}
