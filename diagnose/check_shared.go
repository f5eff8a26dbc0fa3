package diagnose

import (
	"fmt"
	"time"

	"xrdpfix/certs"
	"xrdpfix/internal/plaintext"
)

// checkKeyShared finds a key that others have too. It is a warning: TLS works.
func checkKeyShared(v *view) []Finding {
	if !v.configured() || !v.Pair.Ok() || !v.Key.Exists || v.Pair.Value.Key.Problem != "" {
		return nil
	}
	key := v.Pair.Value.Key.PublicSHA256
	o := v.Origin
	switch {
	case shared(v.Key) || o.Ok() && o.Value.Snakeoil != "" && o.Value.Snakeoil == key:
		return []Finding{finding(KeyShared, MendStated, "xrdp uses ssl-cert's machine-wide key: other services of this machine can use the same, and its certificate is made for nobody's trust.").
			because(steps(v.Key)...).
			remedy("A key and certificate of xrdp's own. The shared key stays as it is; users are asked once to trust the new certificate.").
			commands("xrdpfix apply --cert renew")}
	case o.Ok() && v.cloned(o.Value):
		c := v.Pair.Value.Cert
		at := func(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04 UTC") }
		ev := []Evidence{
			inFile(v.Key.Path, 0, "there since "+at(o.Value.Changed)),
			inFile("/etc/machine-id", 0, "written "+at(o.Value.MachineID)),
		}
		if !o.Value.HostKeys.IsZero() {
			ev = append(ev, inFile("/etc/ssh", 0, "host keys of "+at(o.Value.HostKeys)))
		}
		if !v.namesThisHost(c) {
			ev = append(ev, inFile(v.Cert.Path, 0, fmt.Sprintf("names %s, not this host", nameList(c))))
		}
		return []Finding{finding(KeyShared, MendStated, "The private key is older than this machine's identity: it came with an image, and every machine made from it has the same.").
			because(ev...).remedy("A key and certificate of this machine's own. Users are asked once to trust it.").
			commands("xrdpfix apply --cert renew")}
	}
	return nil
}

// cloned reports whether a self-signed key came with the image that this machine
// was made from. Of itself, a key older than /etc/machine-id proves little: the
// identity may have been renewed on a machine of its own. So something else of
// the machine must be younger as well, SSH's host keys, or its name. A clone
// whose identity nobody renewed cannot be told from the original. A key that a
// CA signed is not judged: it may well serve several machines on purpose.
func (v *view) cloned(o KeyOrigin) bool {
	const installation = time.Hour // what one installation may take
	c := v.Pair.Value.Cert
	if v.Offline || o.Changed.IsZero() || o.MachineID.IsZero() || c.Problem != "" || !c.SelfSigned {
		return false
	}
	before := func(t time.Time) bool { return o.Changed.Add(installation).Before(t) && c.NotBefore.Before(t) }
	return before(o.MachineID) && (!o.HostKeys.IsZero() && before(o.HostKeys) || len(v.Host.names()) > 0 && !v.namesThisHost(c))
}

// namesThisHost reports whether the certificate has one of this host's names.
func (v *view) namesThisHost(c certs.CertInfo) bool {
	for _, n := range v.Host.names() {
		if c.CoversName(n) {
			return true
		}
	}
	return false
}

// checkChain judges what follows the server's own certificate.
func checkChain(v *view) []Finding {
	if !v.Pair.Ok() || v.Pair.Value.Cert.Problem != "" {
		return nil
	}
	c := v.Pair.Value.Cert
	detail := c.ChainDetail
	if detail != "" {
		detail = " (" + detail + ")"
	}
	again := []string{"xrdpfix cert install " + v.Cert.Path + " " + v.Key.Path}
	switch {
	case c.ChainOrder == certs.ChainOutOfOrder:
		return []Finding{finding(CertChain, MendStated, "The certificates in %s stand in the wrong order%s: clients may not find the way to the CA.", v.Cert.Path, detail).
			because(chainEvidence(v, c)...).remedy("Install them again: the order is repaired.").commands(again...)}
	case c.ChainOrder == certs.ChainBroken:
		return []Finding{finding(CertChain, MendStated, "%s holds certificates that do not belong to the chain, or cannot be read%s.", v.Cert.Path, detail).
			because(chainEvidence(v, c)...).remedy("Install the pair again: what does not belong is dropped.").commands(again...)}
	case c.ChainOrder == certs.ChainIssuerAbsent && v.CertLogged:
		// A CA of the web PKI never signs a server's certificate with its root
		// (CA/Browser Forum Baseline Requirements, 6.1.7); a private one may, and
		// its clients hold that root, so nothing is said there.
		return []Finding{finding(CertChain, MendStated, "%s holds the server's certificate alone; the intermediate certificate of %s is missing, and clients that do not know it refuse.", v.Cert.Path, c.Issuer).
			because(chainEvidence(v, c)...).
			remedy("Install the full chain: certbot calls it fullchain.pem, not cert.pem.").
			commands("xrdpfix cert install FULLCHAIN.PEM " + plaintext.ShellWord(v.Key.Path))}
	}
	return nil
}

func chainEvidence(v *view, c certs.CertInfo) []Evidence {
	ev := []Evidence{inFile(v.Cert.Path, 0, "1: "+c.Subject+", issued by "+c.Issuer)}
	for i, x := range c.Chain {
		ev = append(ev, inFile(v.Cert.Path, 0, fmt.Sprintf("%d: %s, issued by %s", i+2, x.Subject, x.Issuer)))
	}
	return ev
}

// checkCopyStale compares a pair that we copied with its original. It is an
// error once the copy has expired.
func checkCopyStale(v *view) []Finding {
	s := v.Source.Value
	if !v.Source.Ok() || s.Path == "" || s.Cert.Problem != "" || !v.Pair.Ok() || v.Pair.Value.Cert.Problem != "" {
		return nil
	}
	c := v.Pair.Value.Cert
	if s.Cert.SHA256 == c.SHA256 || !s.Cert.NotAfter.After(c.NotAfter) || !s.Cert.ValidAt(v.now) {
		return nil
	}
	day := func(t time.Time) string { return t.UTC().Format("2 Jan 2006") }
	x := finding(CertCopyStale, MendApply, "xrdp serves a copy that ends on %s; its original was renewed and ends on %s.", day(c.NotAfter), day(s.Cert.NotAfter)).
		because(inFile(v.Cert.Path, 0, "notAfter "+c.NotAfter.UTC().Format(time.RFC3339)), inFile(s.Path, 0, "notAfter "+s.Cert.NotAfter.UTC().Format(time.RFC3339))).
		remedy("It is copied again. Needs no restart. xrdpfix cert install --from-acme-hook as certbot's deploy hook does it at each renewal.")
	if s.Key == "" {
		x.Mend = MendStated
		x = x.remedy("The key of the original was not found beside it: name both.").commands("xrdpfix cert install " + plaintext.ShellWord(s.Path) + " KEY.PEM")
	}
	if v.now.After(c.NotAfter) {
		x.Severity = Error
	}
	return []Finding{x}
}
