package diagnose

import (
	"fmt"
	"strings"
	"time"

	"xrdpfix/certs"
)

// dedicated says how a new pair mends a broken one.
const dedicated = "A key and certificate of xrdp's own: 2 new files, 2 lines of xrdp.ini. Needs no restart."

// checkPaths judges the way to certificate and key.
func checkPaths(v *view) []Finding {
	var out []Finding
	if !v.configured() {
		return nil
	}
	if x, ok := pathLines(v); ok {
		return append(out, x)
	}
	out = append(out, pathForms(v)...)
	out = append(out, reachable(v, v.Key, "private key", KeyMissing, KeyUnreadable, KeyInvalid)...)
	out = append(out, reachable(v, v.Cert, "certificate", CertMissing, CertUnreadable, CertInvalid)...)
	return append(out, exposed(v)...)
}

// pathLines finds the lines that name the pair missing: then xrdp's paths are
// empty, and TLS is off (libxrdp/xrdp_rdp.c leaves the zeroed buffers alone).
func pathLines(v *view) (Finding, bool) {
	var missing []string
	for _, key := range []string{"certificate", "key_file"} {
		if _, ok := v.ini.Lookup("Globals", key); !ok {
			missing = append(missing, key+"=")
		}
	}
	if len(missing) == 0 {
		return Finding{}, false
	}
	return finding(CertPathMissing, MendApply, "[Globals] has no line %s; xrdp then has no path, not its default one, and offers no TLS.",
		strings.Join(missing, " and no line ")).
		because(inFile(v.IniPath(), 0, "no line "+strings.Join(missing, ", no line "))).
		remedy("The missing lines, and a pair of xrdp's own where the default one is of no use."), true
}

// pathForms finds relative and quoted paths, which xrdp replaces by its defaults.
func pathForms(v *view) []Finding {
	var out []Finding
	for _, key := range []string{"certificate", "key_file"} {
		val, ok := v.ini.Lookup("Globals", key)
		if !ok || val.Text == "" || strings.HasPrefix(val.Text, "/") {
			continue
		}
		used := v.server.Certificate
		if key == "key_file" {
			used = v.server.KeyFile
		}
		out = append(out, finding(CertPathInvalid, MendApply, "%s=%s is not an absolute path; xrdp uses %s instead.", key, val.Text, used).
			because(inFile(v.IniPath(), val.Line, key+"="+val.Text)).about(key).
			remedy("The path that xrdp really uses, written out."))
	}
	return out
}

// reachable judges one file on the way of the daemon to it.
func reachable(v *view, p PathFact, what string, missing, unreadable, invalid Code) []Finding {
	switch {
	case p.Path == "" || p.Failed != "" && (p.Exists || p.Stop < 0 || !v.known):
		return nil
	case p.Failed != "":
		// We were stopped on the way, but so is the daemon.
	case !p.Exists:
		return []Finding{finding(missing, MendApply, "The %s %s does not exist.", what, p.Path).
			because(steps(p)...).remedy(dedicated)}
	case len(p.Steps) > 0 && p.Steps[len(p.Steps)-1].Kind == "dir":
		return []Finding{finding(invalid, MendApply, "The %s %s is a directory.", what, p.Path).
			because(steps(p)...).remedy(dedicated)}
	case !v.known || p.Readable:
		return nil
	}
	x := finding(unreadable, MendApply, "xrdp runs as user %s and cannot read its %s.", v.daemon.User, what).
		because(steps(p)...).because(v.wireAndLog()...).remedy(dedicated)
	if p.ReadableAfterRestart {
		x.Detail = fmt.Sprintf("xrdp (process %d) cannot read its %s: the group membership is newer than the process.", v.Daemon.Running.Value.PID, what)
		x.Remedy += " Where the group is what is wanted, a restart of xrdp instead makes it count."
	}
	if shared(p) {
		x.Remedy += " The shared key stays as it is."
	}
	return []Finding{x}
}

func shared(p PathFact) bool { return strings.Contains(p.Real, "ssl-cert-snakeoil") }

// steps shows the way to a file and where it ends for the daemon.
func steps(p PathFact) []Evidence {
	way := p.Path
	if p.Real != "" && p.Real != p.Path {
		way += " -> " + p.Real
	}
	ev := []Evidence{{Kind: "path", Source: p.Path, Text: way}}
	if p.Stop >= 0 && p.Stop < len(p.Steps) {
		st := p.Steps[p.Stop]
		text := fmt.Sprintf("%s  %s  %s:%s", st.Path, modeText(st), st.Owner, st.Group)
		if st.Kind == "missing" {
			text = st.Path + "  does not exist"
		}
		if p.Why != "" {
			text += "\n(" + p.Why + ")"
		}
		ev = append(ev, Evidence{Kind: "stop", Source: st.Path, Text: text})
	}
	return ev
}

// modeText prints permission bits as ls(1) does.
func modeText(st Step) string {
	kind := map[string]byte{"dir": 'd', "link": 'l', "fifo": 'p', "device": 'c', "socket": 's'}[st.Kind]
	if kind == 0 {
		kind = '-'
	}
	b := []byte{kind}
	const rwx = "rwx"
	for i := 8; i >= 0; i-- {
		if st.Mode&(1<<i) != 0 {
			b = append(b, rwx[(8-i)%3])
		} else {
			b = append(b, '-')
		}
	}
	return string(b)
}

// exposed finds a key that too many can read, or that the daemon can replace.
func exposed(v *view) []Finding {
	p := v.Key
	if !p.Exists || p.Failed != "" || p.isDir() {
		return nil
	}
	why := ""
	switch {
	case p.OthersRead:
		why = "every user of this machine can read the private key"
	case v.known && v.daemon.UID != 0 && p.Writable:
		why = "the daemon's user " + v.daemon.User + " can write the private key"
	default:
		return nil
	}
	return []Finding{finding(KeyExposed, MendStated, "%s: %s.", p.Path, why).because(steps(p)...).
		remedy("A new pair: the old key must be taken for known.").commands("xrdpfix apply --cert renew")}
}

// checkPair judges the contents.
func checkPair(v *view) []Finding {
	if !v.Pair.Ok() || !v.named() {
		return nil
	}
	pair := v.Pair.Value
	var out []Finding
	if pr := pair.Key.Problem; pr != "" && v.Key.Exists && !v.Key.isDir() {
		out = append(out, finding(KeyInvalid, MendApply, "xrdp cannot use the private key %s: %s.", v.Key.Path, problemText(pr)).
			because(steps(v.Key)...).because(v.wireAndLog()...).remedy(dedicated))
	} else if why := unsupported(v, pair.Key); why != "" && v.Key.Exists {
		x := finding(KeyUnsupported, MendApply, "The private key %s is %s.", v.Key.Path, why).
			because(steps(v.Key)...).because(v.wireAndLog()...).remedy(dedicated)
		if level, where, _ := v.SecurityLevel(); level > StrongestOwn {
			x.Mend = MendHuman
			x = x.remedy("No key that xrdpfix makes meets that level: lower it in %s.", where)
		}
		out = append(out, x)
	}
	switch pr := pair.Cert.Problem; {
	case pr == "" || !v.Cert.Exists || v.Cert.isDir():
	case pr == certs.ProblemNonstandard && !pair.Match: // the mismatch, or the key, is what stops it
	case pr == certs.ProblemNonstandard:
		// Whether a CA signed it cannot be told, so it is not replaced unasked.
		out = append(out, finding(CertInvalid, MendStated, "The certificate %s breaks RFC 5280 (a negative serial number, or an extension twice): OpenSSL serves it, and strict clients refuse it, as xrdpfix's own does.", v.Cert.Path).
			because(steps(v.Cert)...).because(v.wireAndLog()...).
			remedy("A new pair, or a correct certificate from who issued this one (xrdpfix cert install).").commands("xrdpfix apply --cert renew"))
	default:
		out = append(out, finding(CertInvalid, MendApply, "xrdp cannot use the certificate %s: %s.", v.Cert.Path, problemText(pr)).
			because(steps(v.Cert)...).because(v.wireAndLog()...).remedy(dedicated))
	}
	known := pair.Cert.Problem == "" || pair.Cert.Problem == certs.ProblemNonstandard
	if pair.Key.Problem == "" && known && v.Key.Exists && v.Cert.Exists && !pair.Match {
		out = append(out, finding(CertKeyMismatch, MendApply, "%s and %s are not a pair.", v.Cert.Path, v.Key.Path).
			because(steps(v.Cert)...).because(steps(v.Key)...).because(v.wireAndLog()...).remedy(dedicated))
	}
	return out
}

// problemText says in words what is wrong with a file of the pair.
func problemText(p certs.Problem) string {
	words := map[certs.Problem]string{
		certs.ProblemEmpty:         "the file is empty",
		certs.ProblemDER:           "it is in binary form (DER), and OpenSSL reads only PEM here",
		certs.ProblemPKCS12:        "it is a PKCS#12 file, and OpenSSL reads only PEM here (xrdpfix cert install takes it)",
		certs.ProblemUTF16:         "an editor saved it in UTF-16",
		certs.ProblemNotPEM:        "it is no PEM file",
		certs.ProblemNoCertificate: "no certificate is in it",
		certs.ProblemNoKey:         "no private key is in it",
		certs.ProblemDamaged:       "it is cut short or damaged",
		certs.ProblemEncrypted:     "a passphrase protects it, and nobody can type one for a daemon",
		certs.ProblemUnsupported:   "it is of a kind that no TLS server uses",
	}
	if w := words[p]; w != "" {
		return w
	}
	return string(p)
}

// named reports whether xrdp.ini names a pair. Where it does not, the facts are
// about the default pair, which could be named.
func (v *view) named() bool { return v.server.Certificate != "" && v.server.KeyFile != "" }

func (p PathFact) isDir() bool {
	return len(p.Steps) > 0 && p.Steps[len(p.Steps)-1].Kind == "dir"
}

// unsupported names a key type that xrdp or common clients refuse, "" for none.
func unsupported(v *view, k certs.KeyInfo) string {
	weak := v.TooWeak(k)
	switch {
	case k.Problem != "":
		return ""
	case k.Type == "RSA" && k.Bits < 2048:
		// Debian's OpenSSL security level 2 refuses it: "ee key too small".
		return fmt.Sprintf("RSA with %d bits; OpenSSL refuses less than 2048", k.Bits)
	case weak != "":
		return weak
	case k.Type == "Ed25519" || k.Type == "Ed448":
		return k.Type + "; FreeRDP 2 and Windows cannot use it"
	case k.Type != "RSA" && v.Package.Ok() && !v.version.AtLeast(0, 9, 16):
		return k.Type + "; xrdp reads other keys than RSA from 0.9.16 on"
	}
	return ""
}

// checkValidity judges the dates.
func checkValidity(v *view) []Finding {
	if !v.Pair.Ok() || !v.named() || v.Pair.Value.Cert.Problem != "" {
		return nil
	}
	if v.ClockText() != "" {
		return byClock(v)
	}
	c := v.Pair.Value.Cert
	mend, how := MendApply, "A new self-signed pair. Needs no restart."
	var cmds []string
	if !c.SelfSigned {
		mend = MendStated
		how = "It was issued by " + c.Issuer + ": ask there for a new one, or state that a self-signed one shall replace it."
		cmds = []string{"xrdpfix apply --cert renew"}
	}
	day := func(t time.Time) string { return t.UTC().Format("2 Jan 2006") }
	switch {
	case v.now.After(c.NotAfter):
		return []Finding{finding(CertExpired, mend, "The certificate ended on %s (%s ago).", day(c.NotAfter), days(v.now.Sub(c.NotAfter))).
			because(inFile(v.Cert.Path, 0, "notAfter "+c.NotAfter.UTC().Format(time.RFC3339))).remedy("%s", how).commands(cmds...)}
	case v.now.Before(c.NotBefore):
		return []Finding{finding(CertNotYetValid, mend, "The certificate begins on %s (in %s).", day(c.NotBefore), days(c.NotBefore.Sub(v.now))).
			because(inFile(v.Cert.Path, 0, "notBefore "+c.NotBefore.UTC().Format(time.RFC3339))).remedy("%s", how).commands(cmds...)}
	}
	left, ours := c.NotAfter.Sub(v.now), OwnPath(v.server.Certificate) && !v.Source.Value.Elsewhere
	renew := ours && c.SelfSigned && left < inDays(v.set.RenewBefore)
	if left >= inDays(v.set.WarnDays) && !renew {
		return nil
	}
	x := finding(CertExpiring, mend, "The certificate ends on %s (in %s).", day(c.NotAfter), days(left)).
		because(inFile(v.Cert.Path, 0, "notAfter "+c.NotAfter.UTC().Format(time.RFC3339)))
	switch {
	case renew:
		return []Finding{x.remedy("%s", how)}
	case ours && c.SelfSigned:
		x.Mend = MendStated
		return []Finding{x.remedy("xrdpfix apply renews it from %s on.", day(c.NotAfter.Add(-inDays(v.set.RenewBefore)))).commands("xrdpfix cert renew")}
	}
	x.Mend = MendStated
	if !c.SelfSigned {
		return []Finding{x.remedy("%s", how).commands(cmds...)}
	}
	return []Finding{x.remedy("xrdpfix renews only its own pairs unasked.").commands("xrdpfix apply --cert renew")}
}

func inDays(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }

// OwnDir is where xrdpfix keeps the pairs that it makes.
const OwnDir = "/etc/xrdp/tls"

// OwnPath reports whether a path lies in the directory of our own pairs.
func OwnPath(path string) bool { return strings.HasPrefix(path, OwnDir+"/") }

func days(d time.Duration) string {
	switch n := int(d.Hours() / 24); {
	case n == 1:
		return "1 day"
	case n > 1:
		return fmt.Sprintf("%d days", n)
	}
	return "less than a day"
}

// checkSuitable judges what the certificate is made for and names.
func checkSuitable(v *view) []Finding {
	if !v.Pair.Ok() || !v.named() || v.Pair.Value.Cert.Problem != "" {
		return nil
	}
	c := v.Pair.Value.Cert
	mend := MendApply
	if !c.SelfSigned || !c.WeakSignature {
		mend = MendStated
	}
	var out []Finding
	var why []string
	if c.WeakSignature {
		why = append(why, "it is signed with "+c.SignatureAlgorithm)
	}
	if c.IsCA {
		why = append(why, "it is a CA certificate (CA:TRUE)")
	}
	if !c.ServerAuth {
		why = append(why, "its extended key usage lacks serverAuth")
	}
	if len(why) > 0 {
		out = append(out, finding(CertUnsuitable, mend, "The certificate is unsuitable for a server: %s.", strings.Join(why, "; ")).
			because(inFile(v.Cert.Path, 0, "subject "+c.Subject)).remedy("A new pair.").commands("xrdpfix apply --cert renew"))
	}
	if len(v.set.Names) > 0 {
		return append(out, checkStatedNames(v)...)
	}
	names := v.Host.names()
	if len(names) == 0 || OwnPath(v.server.Certificate) && len(c.DNSNames) == 0 {
		return out
	}
	for _, n := range names {
		if c.CoversName(n) {
			return out
		}
	}
	return append(out, finding(CertName, MendStated, "The certificate names %s; this host is %s.", nameList(c), strings.Join(names, ", ")).
		because(inFile(v.Cert.Path, 0, "subject "+c.Subject)).remedy("A new pair with this host's names; its users are asked once to trust it.").
		commands("xrdpfix apply --cert renew"))
}

// checkStatedNames demands every name that the administrator stated.
func checkStatedNames(v *view) []Finding {
	c := v.Pair.Value.Cert
	var missing []string
	for _, n := range v.set.Names {
		if !c.CoversName(n) {
			missing = append(missing, n)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	x := finding(CertName, MendApply, "The certificate names %s; the policy states %s besides.", nameList(c), strings.Join(missing, ", ")).
		because(inFile(v.Cert.Path, 0, "subject "+c.Subject)).
		remedy("A new pair with the names of the policy; its users are asked once to trust it.")
	if !c.SelfSigned {
		x.Mend = MendStated
		x = x.remedy("It was issued by %s: ask there for one with these names, or state that a self-signed one shall replace it.", c.Issuer).commands("xrdpfix apply --cert renew")
	}
	return []Finding{x}
}

func nameList(c certs.CertInfo) string {
	if len(c.DNSNames) > 0 {
		return strings.Join(c.DNSNames, ", ")
	}
	return "nothing but the subject " + c.Subject
}

func (h HostInfo) names() []string {
	var out []string
	for _, n := range []string{h.FQDN, h.Name} {
		if n != "" && n != "localhost" && n != "(none)" {
			out = append(out, n)
		}
	}
	return out
}

// checkServed compares the file with the wire.
func checkServed(v *view) []Finding {
	t := v.Wire.Value.Full.TLS
	if !v.Wire.Ok() || t == nil || !v.Pair.Ok() || v.Pair.Value.Cert.Problem != "" || len(t.Fingerprints) == 0 || t.Fingerprints[0].SHA256 == v.Pair.Value.Cert.SHA256 {
		return nil
	}
	return []Finding{finding(CertNotServed, MendHuman, "%s serves another certificate than %s.", v.Wire.Value.Addr, v.Cert.Path).
		because(inFile(v.Cert.Path, 0, "SHA256 "+v.Pair.Value.Cert.SHA256),
			Evidence{Kind: "wire", Source: v.Wire.Value.Addr, Text: "SHA256 " + t.Fingerprints[0].SHA256}).
		remedy("Something else answers on the port, or xrdp reads another file: see which program has it.").
		commands("ss -ltnp")}
}
