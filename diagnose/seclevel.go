package diagnose

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

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

// cipherWords are the words of a list of ciphers that are not names of suites
// (ciphers(1), of OpenSSL 1.1.1 to 3.6).
var cipherWords = strings.Fields(`
DEFAULT COMPLEMENTOFDEFAULT ALL COMPLEMENTOFALL HIGH MEDIUM LOW EXP EXPORT EXPORT40 EXPORT56 FIPS eNULL NULL aNULL
kRSA aRSA RSA kDHr kDHd kDH kDHE kEDH DH DHE EDH ADH kEECDH kECDHE kECDHr kECDHe kECDH ECDH ECDHE EECDH AECDH
aDSS DSS aDH aECDH aECDSA ECDSA TLSv1.2 TLSv1.0 TLSv1 SSLv3 SSLv2 AES128 AES256 AES AESGCM AESCCM AESCCM8
ARIA128 ARIA256 ARIA ARIAGCM CAMELLIA128 CAMELLIA256 CAMELLIA CHACHA20 3DES DES RC4 RC2 IDEA SEED CBC
MD5 SHA1 SHA SHA256 SHA384 aGOST aGOST01 aGOST12 kGOST kGOST18 GOST94 GOST89 GOST89MAC GOST2012
PSK kPSK kECDHEPSK kDHEPSK kRSAPSK aPSK SRP kSRP aSRP SUITEB128 SUITEB128ONLY SUITEB192`)

// namesNothing reports whether a list selects no suite that OpenSSL could know, as
// one of TLS 1.3 names does: the list is that of TLS 1.2 and older
// (SSL_CTX_set_cipher_list(3)). An empty list is refused: seen on 0.9.21, 0.10.1 and
// 0.10.6. A name with a hyphen may be a suite's.
func namesNothing(ciphers string) bool {
	for _, w := range strings.FieldsFunc(ciphers, func(r rune) bool { return strings.ContainsRune(":,; ", r) }) {
		if w[0] == '!' || w[0] == '-' {
			continue
		}
		w = strings.TrimPrefix(w, "+")
		if strings.ContainsAny(w, "-=") || slices.ContainsFunc(strings.FieldsFunc(w, func(r rune) bool { return r == '+' || r == '@' }), func(p string) bool { return slices.Contains(cipherWords, p) }) {
			return false
		}
	}
	return true
}
