package probe

import (
	"errors"
	"net"
	"reflect"
	"strconv"
)

// The alerts by which a server says that it found no cipher suite (RFC 8446 section 6.2).
const (
	alertHandshakeFailure     = 40
	alertInsufficientSecurity = 71
)

// AlertName gives a TLS alert's name as RFC 8446 section 6 (or, for those that TLS 1.3 dropped, RFC 5246 and RFC 7507)
// spells it, and "alert 99" for a number without a name.
func AlertName(alert uint8) string {
	if name, ok := alertName(alert); ok {
		return name
	}
	return "alert " + strconv.Itoa(int(alert))
}

// alertNames are those that have one.
var alertNames = map[uint8]string{
	0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 21: "decryption_failed", 22: "record_overflow",
	30: "decompression_failure", 40: "handshake_failure", 41: "no_certificate", 42: "bad_certificate",
	43: "unsupported_certificate", 44: "certificate_revoked", 45: "certificate_expired", 46: "certificate_unknown",
	47: "illegal_parameter", 48: "unknown_ca", 49: "access_denied", 50: "decode_error", 51: "decrypt_error",
	60: "export_restriction", 70: "protocol_version", 71: "insufficient_security", 80: "internal_error",
	86: "inappropriate_fallback", 90: "user_canceled", 100: "no_renegotiation", 109: "missing_extension",
	110: "unsupported_extension", 111: "certificate_unobtainable", 112: "unrecognized_name",
	113: "bad_certificate_status_response", 114: "bad_certificate_hash_value", 115: "unknown_psk_identity",
	116: "certificate_required", 120: "no_application_protocol", 121: "ech_required",
}

func alertName(alert uint8) (name string, ok bool) {
	name, ok = alertNames[alert]
	return name, ok
}

// remoteAlert finds the alert that the server sent in an error of crypto/tls. That package reports it as a net.OpError
// with Op "remote error" around a uint8 type of its own, so the number can only be had by its kind. It is needed for
// alerts inside encrypted records, which the recorder cannot read.
func remoteAlert(err error) (uint8, bool) {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" || op.Err == nil {
		return 0, false
	}
	if v := reflect.ValueOf(op.Err); v.Kind() == reflect.Uint8 {
		return uint8(v.Uint()), true
	}
	return 0, false
}
