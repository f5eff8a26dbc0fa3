package diagnose

import (
	"fmt"
	"regexp"
	"strconv"

	"xrdpfix/certs"
)

var secLevel = regexp.MustCompile(`@SECLEVEL=([0-5])`)

// rsaBits are the bits of RSA that OpenSSL wants of a server's key, by security
// level (SSL_CTX_set_security_level(3)); without them it says "ee key too small".
var rsaBits = [...]int{0, 1024, 2048, 3072, 7680, 15360}

// StrongestOwn is the highest security level that a key of ours meets: level 4
// wants RSA with 7680 bits.
const StrongestOwn = 3

// SecurityLevel is the security level of OpenSSL that tls_ciphers states, or the
// system's CipherString, and where; false where neither does, and OpenSSL's own
// default of 1 or 2 counts.
func (f *Facts) SecurityLevel() (level int, where string, stated bool) {
	if v, ok := f.ConfigFile().Lookup("Globals", "tls_ciphers"); ok && len(v.Text) > 1 { // xrdp uses none of one character
		if n, ok := lastLevel(v.Text); ok {
			return n, f.IniPath() + ":" + strconv.Itoa(v.Line), true
		}
	}
	if c := f.OpenSSL.Value.CipherString; f.OpenSSL.Ok() && c != nil {
		if n, ok := lastLevel(c.Text); ok {
			return n, c.File + ":" + strconv.Itoa(c.Line), true
		}
	}
	return 0, "", false
}

// lastLevel is the level in a list of ciphers; the last one counts (ciphers(1)).
func lastLevel(ciphers string) (int, bool) {
	all := secLevel.FindAllStringSubmatch(ciphers, -1)
	if len(all) == 0 {
		return 0, false
	}
	n, err := strconv.Atoi(all[len(all)-1][1])
	return n, err == nil
}

// TooWeak says why the stated security level refuses a key, "" where it does not, or
// where somebody was served: what is served, OpenSSL takes.
func (f *Facts) TooWeak(k certs.KeyInfo) string {
	level, where, stated := f.SecurityLevel()
	if !stated || f.Wire.Value.Full.TLS != nil || k.Type != "RSA" || k.Bits >= rsaBits[level] {
		return ""
	}
	return fmt.Sprintf("RSA with %d bits; @SECLEVEL=%d of %s wants %d", k.Bits, level, where, rsaBits[level])
}
