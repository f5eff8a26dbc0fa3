package repair

import (
	"slices"

	"xrdpfix/diagnose"
	"xrdpfix/probe"
	"xrdpfix/xrdpconf"
)

// expect derives what must be true afterwards from the files as they will be.
func (b *builder) expect() {
	after := b.server
	for _, c := range b.plan.Files {
		if c.Path == b.f.IniPath() {
			v, _ := xrdpconf.ParseVersion(b.f.Package.Value.Version)
			after = xrdpconf.ReadServer(xrdpconf.Parse(c.Path, c.Data, xrdpconf.ForVersion(v)), v, nil)
		}
	}
	e := Expectation{Addr: b.f.ProbeAddr(), LogPath: b.f.Log.Path, LogHidden: b.f.Log.HidesProof, Every: b.wantRange.Valid()}
	if e.Addr == "" || b.portMoves() {
		e.Addr = diagnose.LoopbackAddr(after)
	}
	e.Classic = after.SecurityLayer != xrdpconf.SecurityLayerTLS
	if after.SecurityLayer == xrdpconf.SecurityLayerRDP {
		e.Selected = probe.ProtocolRDP
		b.plan.Expect = e
		return
	}
	e.Selected = probe.ProtocolSSL
	e.Accept, e.Refuse = b.versionsAfter(after)
	if b.plan.Identity == nil && b.f.Pair.Ok() {
		e.CertSHA256 = b.f.Pair.Value.Cert.SHA256
	}
	b.plan.Expect = e
}

// portMoves reports whether port= is among the edits.
func (b *builder) portMoves() bool {
	return slices.ContainsFunc(b.iniEdits, func(c xrdpconf.Change) bool { return c.Key == "port" })
}

// versionsAfter splits the TLS versions into those that must be accepted and
// those that must be refused. A version that is listed but was refused before
// is left open unless the range was stated: that is the system's policy. So is one
// that OpenSSL's configuration forbids.
func (b *builder) versionsAfter(after xrdpconf.Server) (accept, refuse []probe.TLSVersion) {
	listed := map[xrdpconf.TLSVersion]bool{}
	for _, token := range after.Protocols {
		if v, ok := xrdpconf.VersionOfToken(token); ok {
			listed[v] = true
		}
	}
	if !after.ProtocolsSet {
		return nil, nil // OpenSSL decides
	}
	worked := map[probe.TLSVersion]bool{}
	for _, v := range b.f.Wire.Value.Accepted() {
		worked[v] = true
	}
	for _, v := range []xrdpconf.TLSVersion{xrdpconf.TLS10, xrdpconf.TLS11, xrdpconf.TLS12, xrdpconf.TLS13} {
		w := probe.TLSVersion(v)
		switch {
		case !listed[v]:
			refuse = append(refuse, w)
		case !b.stated && b.f.OpenSSL.Ok() && b.f.OpenSSL.Value.Blame(v) != nil && !worked[w]:
		case b.wantRange.Valid() && b.wantRange.Contains(v), worked[w]:
			accept = append(accept, w)
		}
	}
	return accept, refuse
}
