package diagnose

import (
	"crypto/tls"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// clientFresh is how long a client that failed and did not come back is reported.
const clientFresh = 7 * 24 * time.Hour

// clientCause is what is said of the clients that failed for one reason.
type clientCause struct {
	code Code
	// what goes on after "2 clients": they did what.
	what   string
	remedy func(v *view) string
}

var clientCauses = []clientCause{
	{ClientTooOld, "offered only TLS versions older than this server accepts", func(v *view) string {
		return v.mayBeNew() + "Update it, or switch its newer versions on: Windows 7 and Server 2008 R2 know TLS 1.2 since KB3080079. Where that is impossible, a stated range lets TLS 1.0 in, for everybody: xrdpfix apply --profile legacy."
	}},
	{ClientTooNew, "wanted newer TLS versions than this server accepts", func(v *view) string {
		return "Let it offer older versions too, or allow TLS 1.3 here: xrdpfix apply --profile intermediate."
	}},
	{ClientNoSharedCipher, "had no cipher or signature in common with this server", func(v *view) string {
		if list, ok := v.ini.Lookup("Globals", "tls_ciphers"); ok && list.Text != "" {
			return "Update it. Here tls_ciphers=" + list.Text + " decides what is offered; without that line OpenSSL's own list does."
		}
		return "Update it: this server offers all that OpenSSL offers by itself."
	}},
	{ClientRequiresNLA, "asked for NLA (CredSSP) and left when TLS was chosen", func(v *view) string {
		return "No released xrdp has NLA. Switch it off in that client: enablecredsspsupport:i:0 in the .rdp file of Windows, /sec:tls in FreeRDP, security=tls in Guacamole."
	}},
	{ClientUnsupportedAuth, "asked for Entra sign-in, Remote Credential Guard or RDSTLS", func(v *view) string {
		return "xrdp has none of these. Switch them off in that client: enablerdsaadauth:i:0 in the .rdp file, mstsc without /remoteGuard."
	}},
	{ClientRefusesCert, "did not accept the certificate", (*view).trustRemedy},
	{ClientClassicOnly, "offered no TLS, and this server insists on it", func(v *view) string {
		return "Update it, or let it use TLS (/sec:tls in FreeRDP). security_layer=negotiate would let it in with the weak encryption of classic RDP."
	}},
}

// mayBeNew says what the log cannot tell where this server has no TLS 1.3.
func (v *view) mayBeNew() string {
	if a := v.Wire.Value.Accepted(); len(a) == 0 || slices.Contains(a, tls.VersionTLS13) {
		return ""
	}
	return "(Or only newer ones: xrdp.log has one word for both, and TLS 1.3 is not accepted here.) "
}

// trustRemedy helps to recognise the certificate.
func (v *view) trustRemedy() string {
	s := "Its user closed the question, or the client may not ask. Accept the certificate there once"
	if c := v.Pair.Value.Cert; v.Pair.Ok() && c.SHA256 != "" {
		s += " after comparing its fingerprint (SHA256 " + c.SHA256 + ")"
	}
	return s + ", or serve one from a CA that the client trusts: xrdpfix cert install."
}

// checkClients reports the clients whose last attempt failed by their own doing.
func checkClients(v *view) []Finding {
	if !v.Log.Recent.Ok() || v.Offline {
		return nil
	}
	byCode := map[Code][]Evidence{}
	for _, c := range v.Log.Recent.Value.ByClient {
		if len(c.Failures) == 0 || v.set.Client == "" && c.loopback(v.ownAddrs()) || v.set.Client != "" && !sameAddr(c.Addr, v.set.Client) {
			continue
		}
		last := c.Failures[len(c.Failures)-1]
		if v.now.Sub(last.Time) > clientFresh || last.Time.Before(v.settled(last.Cause)) {
			continue
		}
		code := v.tooOldOrNew(c, last.Cause)
		byCode[code] = append(byCode[code], Evidence{Kind: "log", Source: v.Log.Path, Text: clientText(c)})
	}
	var out []Finding
	for _, cc := range clientCauses {
		ev := byCode[cc.code]
		if len(ev) == 0 {
			continue
		}
		who := "1 client"
		if len(ev) > 1 {
			who = fmt.Sprintf("%d clients", len(ev))
		}
		out = append(out, finding(cc.code, MendClient, "%s %s, and did not come in since.", who, cc.what).
			because(ev...).remedy("%s", cc.remedy(v)))
	}
	return out
}

// sameAddr compares addresses as people write them.
func sameAddr(a, b string) bool {
	x, err := netip.ParseAddr(a)
	y, err2 := netip.ParseAddr(b)
	return err == nil && err2 == nil && x.Unmap() == y.Unmap()
}

// tooOldOrNew tells apart two faults for which OpenSSL 3 has one word: it says
// "unsupported protocol" of a client that knows no version as high as our lowest,
// and of one that insists on TLS 1.3 where we have none (seen on 0.9.21.1, 0.10.1
// and 0.10.6.1). With TLS 1.3 here, a client cannot be too new; with TLS 1.0, it
// cannot be too old; else what it was seen with before has to tell.
func (v *view) tooOldOrNew(c ClientSeen, cause Code) Code {
	accepted := v.Wire.Value.Accepted()
	if cause != ClientTooOld || len(accepted) == 0 || slices.Contains(accepted, tls.VersionTLS13) {
		return cause
	}
	if slices.Contains(accepted, tls.VersionTLS10) || c.TLS == "TLSv1.3" {
		return ClientTooNew
	}
	return cause
}

// settled is the time before which failures say nothing about the server as it
// is now: the last change of xrdp.ini, for the certificate also its beginning.
// xrdp.log knows whole seconds only.
func (v *view) settled(cause Code) time.Time {
	t := v.Config.Value.MTime
	if c := v.Pair.Value.Cert; cause == ClientRefusesCert && v.Pair.Ok() && c.Problem == "" && c.NotBefore.After(t) {
		t = c.NotBefore
	}
	return t.Truncate(time.Second)
}

// ownAddrs are the addresses by which this machine itself may have connected.
func (v *view) ownAddrs() []string {
	own := v.Host.Addrs
	if a := v.Wire.Value.Full.Local.Addr(); a.IsValid() {
		own = append(own[:len(own):len(own)], a.String())
	}
	return own
}

// clientText is the evidence of one client.
func clientText(c ClientSeen) string {
	last := c.Failures[len(c.Failures)-1]
	same := 0
	for _, f := range c.Failures {
		if f.Cause == last.Cause {
			same++
		}
	}
	s := c.Addr
	if c.Name != "" {
		s += " (" + c.Name + ")"
	}
	times := "once"
	if same > 1 {
		times = fmt.Sprintf("%d times", same)
	}
	if same == MaxFailures {
		times += " or more"
	}
	s += fmt.Sprintf("  %s, last %s", times, last.Time.UTC().Format("2 Jan 15:04 UTC"))
	if last.Asked != "" {
		s += ", asked " + last.Asked
	}
	if last.Likely {
		s += ", as it seems"
	}
	if c.TLS != "" {
		s += ", earlier with " + c.TLS
	}
	return s
}

// classicClients says who came in without TLS lately.
func (v *view) classicClients() []Evidence {
	var ev []Evidence
	for _, c := range v.Log.Recent.Value.ByClient {
		if c.LastClassic.IsZero() || v.now.Sub(c.LastClassic) > clientFresh || c.loopback(v.ownAddrs()) {
			continue
		}
		s := c.Addr
		if c.Name != "" {
			s += " (" + c.Name + ")"
		}
		ev = append(ev, Evidence{Kind: "log", Source: v.Log.Path, Text: s + "  came in without TLS, last " + c.LastClassic.UTC().Format("2 Jan 15:04 UTC")})
	}
	return ev
}

// checkNeverArrived answers for the one client that was asked about.
func checkNeverArrived(v *view) []Finding {
	asked, err := netip.ParseAddr(v.set.Client)
	if err != nil || v.Offline || !v.Log.Recent.Ok() || v.Log.HidesProof != "" {
		return nil
	}
	asked = asked.Unmap()
	r := v.Log.Recent.Value
	for _, list := range [][]string{r.HungUp, addrsOf(r.ByClient)} {
		for _, s := range list {
			if a, err := netip.ParseAddr(s); err == nil && a == asked {
				return nil
			}
		}
	}
	if r.Left > 0 {
		return nil // it may be one of those left out
	}
	port := joinInts(v.Ports())
	return []Finding{finding(ClientNeverArrived, MendClient, "No line in %s since %s comes from %s: its connections do not reach xrdp.",
		v.Log.Path, r.Since.UTC().Format("2 Jan 2006"), asked).about(asked.String()).
		because(Evidence{Kind: "log", Source: v.Log.Path, Text: "no connection from " + asked.String()}).
		remedy("This is not about TLS. From that client, see whether the name leads to this machine and whether TCP port %s can be reached; look at firewalls on the way.", port).
		commands("Test-NetConnection " + strings.Join(append(v.Host.Addrs, v.Host.Name)[:1], "") + " -Port " + port)}
}

func addrsOf(list []ClientSeen) []string {
	out := make([]string, len(list))
	for i, c := range list {
		out[i] = c.Addr
	}
	return out
}
