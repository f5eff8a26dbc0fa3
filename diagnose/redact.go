package diagnose

import (
	"bytes"
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
	sums := map[string]string{}
	w := walk{change: r.text, replace: r.replace}
	out := w.copy(reflect.ValueOf(&f).Elem()).Interface().(Facts)
	for _, o := range []struct{ was, is *Observed[FileFact] }{
		{&f.Config, &out.Config}, {&f.Sesman, &out.Sesman}, {&f.DropIn, &out.DropIn}, {&f.OwnOpenSSL, &out.OwnOpenSSL},
	} {
		if o.was.Value.SHA256 != "" {
			sum := sha256.Sum256([]byte(o.is.Value.Text))
			o.is.Value.SHA256 = hex.EncodeToString(sum[:])
			sums[o.was.Value.SHA256] = o.is.Value.SHA256
		}
	}
	for _, a := range out.Applied.Value {
		for path, sum := range a.Files {
			if known, ok := sums[sum]; ok {
				a.Files[path] = known
			} else {
				a.Files[path] = otherSum
			}
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

// replace redacts the values whose type says what is in them.
func (r *redactor) replace(v reflect.Value) (reflect.Value, bool) {
	switch x := v.Interface().(type) {
	case netip.Addr:
		return reflect.ValueOf(r.addr(x)), true
	case netip.AddrPort:
		if !x.IsValid() {
			return v, true
		}
		return reflect.ValueOf(netip.AddrPortFrom(r.addr(x.Addr()), x.Port())), true
	case HostInfo:
		x.Name, x.FQDN = r.host(x.Name), r.host(x.FQDN)
		x.Addrs = r.texts(x.Addrs)
		return reflect.ValueOf(x), true
	case Identity:
		x.User, x.Group, x.From = r.account(x.UID, x.User), r.account(x.GID, x.Group), r.text(x.From)
		return reflect.ValueOf(x), true
	case Step:
		x.Owner, x.Group = r.account(x.UID, x.Owner), r.account(x.GID, x.Group)
		x.Path, x.Target = r.text(x.Path), r.text(x.Target)
		return reflect.ValueOf(x), true
	case Desktop:
		x.User, x.Client = r.user(x.User), r.text(x.Client)
		return reflect.ValueOf(x), true
	case ClientSeen:
		x.Addr, x.Name = r.text(x.Addr), r.host(x.Name)
		return reflect.ValueOf(x), true
	case FileFact:
		text := bytes.Clone(Mask(x.Bytes()))
		x.Path, x.Target, x.Obstacle = r.text(x.Path), r.text(x.Target), r.text(x.Obstacle)
		x.Text, x.Data = r.ini(string(text)), nil
		if !x.Exists {
			x.Text = ""
		}
		return reflect.ValueOf(x), true
	case certs.CertInfo:
		return reflect.ValueOf(r.certificate(x)), true
	case certs.ChainCert:
		x.Subject, x.Issuer, x.SHA256 = r.subject(x.Subject), r.subject(x.Issuer), r.sum(x.SHA256)
		return reflect.ValueOf(x), true
	case certs.KeyInfo:
		x.PublicSHA256 = r.sum(x.PublicSHA256)
		return reflect.ValueOf(x), true
	case probe.Fingerprint:
		return reflect.ValueOf(probe.Fingerprint{SHA256: r.sum(x.SHA256), SHA1: r.sum(x.SHA1)}), true
	case logwatch.Connection:
		return reflect.ValueOf(r.connection(x)), true
	case service.Unit:
		x.InvocationID = r.sum(x.InvocationID)
		x.Environment = nil
		// The strings are left to the walk, which must not come here again.
		return walk{change: r.text}.copy(reflect.ValueOf(x)), true
	}
	return v, false
}

func (r *redactor) texts(list []string) []string {
	if list == nil {
		return nil
	}
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = r.text(s)
	}
	return out
}

func (r *redactor) certificate(c certs.CertInfo) certs.CertInfo {
	c.Subject, c.Issuer = r.subject(c.Subject), r.subject(c.Issuer)
	c.CommonName, c.Serial = r.host(c.CommonName), r.sum(c.Serial)
	c.SHA256, c.SHA1, c.PublicSHA256 = r.sum(c.SHA256), r.sum(c.SHA1), r.sum(c.PublicSHA256)
	c.Blocks, c.ChainDetail, c.DER = r.text(c.Blocks), r.text(c.ChainDetail), nil
	names := make([]string, len(c.DNSNames))
	for i, n := range c.DNSNames {
		names[i] = r.host(n)
	}
	addrs := make([]netip.Addr, len(c.Addrs))
	for i, a := range c.Addrs {
		addrs[i] = r.addr(a)
	}
	chain := make([]certs.ChainCert, len(c.Chain))
	for i, x := range c.Chain {
		x.Subject, x.Issuer, x.SHA256 = r.subject(x.Subject), r.subject(x.Issuer), r.sum(x.SHA256)
		chain[i] = x
	}
	if c.DNSNames != nil {
		c.DNSNames = names
	}
	if c.Addrs != nil {
		c.Addrs = addrs
	}
	if c.Chain != nil {
		c.Chain = chain
	}
	return c
}

// connection redacts what xrdp.log tells of a connection. A line that would not
// be the same message afterwards goes.
func (r *redactor) connection(c logwatch.Connection) logwatch.Connection {
	if c.Client.IsValid() {
		c.Client = netip.AddrPortFrom(r.addr(c.Client.Addr()), c.Client.Port())
	}
	c.Peer, c.ClientName = r.text(c.Peer), r.host(c.ClientName)
	c.Matches, c.Maybe = r.matches(c.Matches), r.matches(c.Maybe)
	return c
}

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
