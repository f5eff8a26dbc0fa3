package diagnose

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"xrdpfix/logwatch"
	"xrdpfix/probe"
	"xrdpfix/xrdpconf"
)

// checkVersions judges ssl_protocols as xrdp reads it
// (common/ssl_calls.c, ssl_get_protocols_from_string).
func checkVersions(v *view) []Finding {
	if !v.configured() {
		return nil
	}
	val, set := v.ini.Lookup("Globals", "ssl_protocols")
	at := inFile(v.IniPath(), val.Line, "ssl_protocols="+val.Text)
	unknown := strings.Join(v.server.UnknownProtocols, ", ")
	switch {
	case !set:
		return []Finding{finding(TLSVersionsMissing, MendApply, "[Globals] has no ssl_protocols line: OpenSSL decides which versions are accepted.").
			because(inFile(v.IniPath(), 0, "no line ssl_protocols=")).remedy("ssl_protocols=%s.", DefaultRange.Tokens())}
	case len(v.server.Protocols) == 0, slices.Equal(v.server.Protocols, []string{xrdpconf.SSL30.Token()}):
		detail := "ssl_protocols is empty"
		switch {
		case len(v.server.Protocols) > 0:
			detail = "ssl_protocols has SSLv3 alone, which is older than TLS"
		case unknown != "":
			detail = "ssl_protocols has no version that xrdp knows (" + unknown + ")"
		}
		return []Finding{finding(TLSVersionsEmpty, MendApply, "%s: every TLS handshake fails.", detail).
			because(at).because(v.wireAndLog()...).remedy("ssl_protocols=%s. Needs no restart.", DefaultRange.Tokens())}
	}
	var out []Finding
	if unknown != "" {
		out = append(out, finding(TLSVersionsUnknown, MendApply, "ssl_protocols has words that xrdp skips: %s.", unknown).
			because(at).remedy("The versions that work now, spelled as xrdp spells them: %s.", strings.Join(v.server.Protocols, ", ")))
	}
	if old := v.acceptedBelow(xrdpconf.TLS12); len(old) > 0 {
		is := "is"
		if len(old) > 1 {
			is = "are"
		}
		out = append(out, finding(TLSVersionsObsolete, MendStated, "%s %s accepted.", strings.Join(old, " and "), is).
			because(at).remedy("When no client needs it: TLS 1.2 and later only.").commands("xrdpfix apply --profile intermediate"))
	}
	return out
}

// acceptedBelow names the versions below min that the wire accepted.
func (v *view) acceptedBelow(min xrdpconf.TLSVersion) []string {
	var out []string
	for _, r := range v.Wire.Value.Accepted() {
		if r < probe.TLSVersion(min) {
			out = append(out, r.String())
		}
	}
	return out
}

// checkCiphers blames tls_ciphers where the wire and the log do.
func checkCiphers(v *view) []Finding {
	val, set := v.ini.Lookup("Globals", "tls_ciphers")
	if !set || !v.configured() {
		return nil
	}
	refused := v.Wire.Value.Full.TLS == nil && len(val.Text) > 1 && namesNothing(val.Text)
	for _, c := range v.Log.Own.Value {
		refused = refused || slices.ContainsFunc(c.Matches, func(m logwatch.Match) bool { return m.Cause() == string(TLSCiphersInvalid) })
	}
	if !refused {
		return nil
	}
	return []Finding{finding(TLSCiphersInvalid, MendApply, "OpenSSL refuses tls_ciphers=%s: every TLS handshake fails.", val.Text).
		because(inFile(v.IniPath(), val.Line, "tls_ciphers="+val.Text)).because(v.wireAndLog()...).
		remedy("The line goes: OpenSSL's own list is used then. Needs no restart.")}
}

// checkDeclaredRange compares what sesman.ini declares with what is done.
func checkDeclaredRange(v *view) []Finding {
	declared, ok, err := v.sesman.DeclaredRange()
	if err != nil || !ok || !v.configured() || v.set.Wanted != (xrdpconf.Range{}) {
		return nil
	}
	if v.set.Declared {
		return nil // the policy obeys it: checkRangeBlocked judges it then
	}
	real := rangeOf(v.server)
	if declared == real && !v.rangeDiffers(declared) {
		return nil
	}
	var ev []Evidence
	for key, p := range map[string]xrdpconf.Value{xrdpconf.KeyTLSMin: v.sesman.TLSMin, xrdpconf.KeyTLSMax: v.sesman.TLSMax} {
		if p.Line > 0 {
			ev = append(ev, inFile(SesmanPath, p.Line, key+"="+p.Raw))
		}
	}
	slices.SortFunc(ev, func(a, b Evidence) int { return a.Line - b.Line })
	if p, ok := v.ini.Lookup("Globals", "ssl_protocols"); ok {
		ev = append(ev, inFile(v.IniPath(), p.Line, "ssl_protocols="+p.Text))
	}
	accepts := real.String()
	if !real.Valid() {
		accepts = "no version of TLS"
	}
	return []Finding{finding(TLSRangeIneffective, MendStated,
		"sesman.ini declares %s, but xrdp-sesman has nothing to do with TLS: xrdp accepts %s.", declared, accepts).
		because(ev...).remedy("Say which one you want: the declared range, or the one that works now.").
		commands("xrdpfix apply --profile declared", "xrdpfix apply --profile intermediate")}
}

// rangeDiffers reports whether the wire contradicts a range.
func (v *view) rangeDiffers(r xrdpconf.Range) bool {
	for _, w := range v.Wire.Value.Versions {
		if w.Answer != probe.AnswerUnknown && (w.Answer == probe.AnswerAccepted) != r.Contains(xrdpconf.TLSVersion(w.Version)) {
			return true
		}
	}
	return false
}

// checkRangeBlocked names what outside xrdp.ini forbids versions that are
// listed there: the system-wide floor, OpenSSL's security level, FIPS.
func checkRangeBlocked(v *view) []Finding {
	want, stated := v.set.Wanted, true
	if v.set.Declared {
		if r, declared, err := v.sesman.DeclaredRange(); declared && err == nil {
			want = r
		}
	}
	if want == (xrdpconf.Range{}) {
		want, stated = rangeOf(v.server), false
	}
	if want == (xrdpconf.Range{}) || !v.configured() {
		return nil
	}
	if stated && v.Host.FIPS && want.Min < xrdpconf.TLS12 {
		return []Finding{finding(TLSRangeBlocked, MendHuman, "This machine runs in FIPS mode, which forbids TLS below 1.2.").
			because(Evidence{Kind: "file", Source: "/proc/sys/crypto/fips_enabled", Text: "1"}).
			remedy("State a range from TLS 1.2 on, or update the client.")}
	}
	blocked, accepted := v.blocked(want)
	if len(blocked) == 0 || !stated && accepted > 0 {
		return nil // an unstated range that partly works is a working choice
	}
	x := finding(TLSRangeBlocked, MendStated, "ssl_protocols lists %s, but OpenSSL refuses it.", versionNames(blocked))
	for _, b := range blocked {
		if c := v.OpenSSL.Value.Blame(b); c != nil {
			x.Detail = fmt.Sprintf("%s:%d sets %s = %s for every program, which forbids the %s of ssl_protocols.", c.File, c.Line, c.Name, c.Text, b)
			x = x.because(inFile(c.File, c.Line, c.Name+" = "+c.Text))
			break
		}
	}
	for _, b := range blocked {
		if v.Wire.Ok() {
			x = x.because(Evidence{Kind: "wire", Source: v.Wire.Value.Addr, Text: b.String() + " is refused"})
		}
	}
	if p, ok := v.ini.Lookup("Globals", "ssl_protocols"); ok && len(x.Evidence) == 0 {
		x = x.because(inFile(v.IniPath(), p.Line, "ssl_protocols="+p.Text))
	}
	return []Finding{x.remedy("State the range: xrdpfix then also sets what OpenSSL needs.").
		commands(fmt.Sprintf("xrdpfix apply --tls-min %s --tls-max %s", want.Min.Number(), want.Max.Number()))}
}

// blocked names the versions of a range that ssl_protocols lists and the wire
// refuses, and counts those that it accepts. Where nothing runs that could be
// asked, OpenSSL's configuration says what will be.
func (v *view) blocked(want xrdpconf.Range) (refused []xrdpconf.TLSVersion, accepted int) {
	if !v.Offline && !v.Wire.Ok() && !v.Daemon.Running.Ok() && v.OpenSSL.Ok() && v.server.SecurityLayer != xrdpconf.SecurityLayerRDP {
		for _, ver := range want.Versions() {
			switch {
			case !rangeOf(v.server).Contains(ver):
			case v.OpenSSL.Value.Blame(ver) != nil, ver < xrdpconf.TLS12 && v.levelForbidsOld():
				refused = append(refused, ver)
			default:
				accepted++
			}
		}
		return refused, accepted
	}
	if v.Wire.Value.Full.Negotiation == nil || v.Wire.Value.Full.Negotiation.Selected != probe.ProtocolSSL {
		return nil, 0
	}
	listed := rangeOf(v.server)
	for _, w := range v.Wire.Value.Versions {
		switch {
		case !want.Contains(xrdpconf.TLSVersion(w.Version)) || !listed.Contains(xrdpconf.TLSVersion(w.Version)):
		case w.Answer == probe.AnswerAccepted:
			accepted++
		case w.Answer == probe.AnswerRefused:
			refused = append(refused, xrdpconf.TLSVersion(w.Version))
		}
	}
	return refused, accepted
}

// levelForbidsOld reports whether the security level forbids TLS 1.0 and 1.1: from
// OpenSSL 3 on every one but 0 does, since their handshake signs with SHA-1.
func (v *view) levelForbidsOld() bool {
	level, _, stated := v.SecurityLevel()
	major, _, _ := strings.Cut(v.Package.Value.OpenSSL, ".")
	n, err := strconv.Atoi(major)
	return err == nil && n >= 3 && (level > 0 || !stated)
}

func versionNames(list []xrdpconf.TLSVersion) string {
	var names []string
	for _, v := range list {
		names = append(names, v.String())
	}
	return strings.Join(names, " and ")
}

// DefaultRange is what a missing or broken ssl_protocols becomes: the versions
// that RFC 8996 leaves.
var DefaultRange = xrdpconf.Range{Min: xrdpconf.TLS12, Max: xrdpconf.TLS13}

// rangeOf is the range of ssl_protocols, zero where it has no valid version or
// where OpenSSL decides.
func rangeOf(s xrdpconf.Server) xrdpconf.Range {
	r, _ := xrdpconf.RangeOf(s.Protocols)
	return r
}
