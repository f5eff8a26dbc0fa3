package diagnose

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"reflect"

	"xrdpfix/certs"
	"xrdpfix/logwatch"
	"xrdpfix/probe"
	"xrdpfix/service"
)

// Redact returns the facts with placeholders for what tells whose they are: names
// of hosts, domains, users and organisations, addresses other than loopback,
// fingerprints and serial numbers. One name gets one placeholder throughout, so
// that what belongs together still does. Paths stay, without the names in them,
// and so do times, versions, the accounts of the system (uid and gid below 1000),
// and what else people have written into xrdp.ini and sesman.ini.
func Redact(f Facts) Facts {
	r := newRedactor()
	r.learn(&f)
	w := walk{change: r.text, replace: r.replace, mend: r.mend}
	out := w.copy(reflect.ValueOf(&f).Elem()).Interface().(Facts)
	for i, a := range f.Applied.Value {
		for path, sum := range a.Files {
			known, ok := r.files[sum]
			if !ok {
				known = otherSum
			}
			out.Applied.Value[i].Files[r.text(path)] = known
		}
	}
	out.Redacted = true
	return out
}

// systemID is the first uid and gid of people on every distribution with xrdp
// (UID_MIN in login.defs).
const systemID = 1000

// learn collects the names that the facts state as such, so that they are found
// where they only occur.
func (r *redactor) learn(f *Facts) {
	r.host(f.Host.FQDN)
	r.host(f.Host.Name)
	w := walk{change: func(s string) string { return s }}
	w.replace = func(v reflect.Value) (reflect.Value, bool) {
		if v.Kind() == reflect.Struct && !opaque[v.Type()] {
			r.names(v.Interface())
		}
		return v, false
	}
	_ = w.copy(reflect.ValueOf(f).Elem())
	r.ready()
}

// names learns from one value.
func (r *redactor) names(v any) {
	switch v := v.(type) {
	case Identity:
		r.account(v.UID, v.User)
		r.account(v.GID, v.Group)
	case Step:
		r.account(v.UID, v.Owner)
		r.account(v.GID, v.Group)
	case Desktop:
		r.user(v.User)
	case FileFact:
		r.ini(string(Mask(v.Bytes())))
	case ClientSeen:
		r.host(v.Name)
	case Way:
		r.host(v.Name)
	case logwatch.Connection:
		r.host(v.ClientName)
	case certs.CertInfo:
		r.subject(v.Subject)
		r.subject(v.Issuer)
		r.host(v.CommonName)
		for _, n := range v.DNSNames {
			r.host(n)
		}
	case certs.ChainCert:
		r.subject(v.Subject)
		r.subject(v.Issuer)
	}
}

// replace redacts the addresses.
func (r *redactor) replace(v reflect.Value) (reflect.Value, bool) {
	switch x := v.Interface().(type) {
	case netip.Addr:
		return reflect.ValueOf(r.addr(x)), true
	case netip.AddrPort:
		if x.IsValid() {
			x = netip.AddrPortFrom(r.addr(x.Addr()), x.Port())
		}
		return reflect.ValueOf(x), true
	}
	return v, false
}

// mend redacts the fields whose type says what is in them. The other strings of
// the copy are redacted already.
func (r *redactor) mend(old, copied any) {
	switch x := copied.(type) {
	case *HostInfo:
		old := old.(HostInfo)
		x.Name, x.FQDN = r.host(old.Name), r.host(old.FQDN)
	case *Identity:
		old := old.(Identity)
		x.User, x.Group = r.account(old.UID, old.User), r.account(old.GID, old.Group)
	case *Step:
		old := old.(Step)
		x.Owner, x.Group = r.account(old.UID, old.Owner), r.account(old.GID, old.Group)
	case *Desktop:
		x.User = r.user(old.(Desktop).User)
	case *ClientSeen:
		x.Name = r.host(old.(ClientSeen).Name)
	case *Way:
		x.Name = r.host(old.(Way).Name)
	case *FileFact:
		old := old.(FileFact)
		x.Text, x.Data = r.ini(string(Mask(old.Bytes()))), nil
		if x.Text != "" && old.SHA256 != "" {
			sum := sha256.Sum256([]byte(x.Text))
			x.SHA256 = hex.EncodeToString(sum[:])
			r.files[old.SHA256] = x.SHA256
		}
	case *certs.CertInfo:
		old := old.(certs.CertInfo)
		x.Subject, x.Issuer = r.subject(old.Subject), r.subject(old.Issuer)
		x.CommonName, x.Serial, x.DER = r.host(old.CommonName), r.sum(old.Serial), nil
		x.SHA256, x.SHA1, x.PublicSHA256 = r.sum(old.SHA256), r.sum(old.SHA1), r.sum(old.PublicSHA256)
		for i, n := range old.DNSNames {
			x.DNSNames[i] = r.host(n)
		}
	case *certs.ChainCert:
		old := old.(certs.ChainCert)
		x.Subject, x.Issuer, x.SHA256 = r.subject(old.Subject), r.subject(old.Issuer), r.sum(old.SHA256)
	case *certs.KeyInfo:
		x.PublicSHA256 = r.sum(old.(certs.KeyInfo).PublicSHA256)
	case *probe.Fingerprint:
		old := old.(probe.Fingerprint)
		x.SHA256, x.SHA1 = r.sum(old.SHA256), r.sum(old.SHA1)
	case *logwatch.Connection:
		old := old.(logwatch.Connection)
		x.ClientName, x.Matches, x.Maybe = r.host(old.ClientName), r.matches(old.Matches), r.matches(old.Maybe)
	case *service.Unit:
		x.InvocationID, x.Environment = r.sum(old.(service.Unit).InvocationID), nil
	}
}

// matches redacts lines of the log. One that would not be the same message
// afterwards goes.
func (r *redactor) matches(list []logwatch.Match) []logwatch.Match {
	var out []logwatch.Match
	for _, m := range list {
		m, ok := m.Rewrite(func(field, old string) string {
			switch field {
			case "name":
				return r.host(old)
			case "user":
				return r.user(old)
			}
			return r.text(old)
		})
		if ok {
			out = append(out, m)
		}
	}
	return out
}
