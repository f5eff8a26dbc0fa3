package clients

import (
	"crypto/tls"

	"xrdpfix/probe"
)

// others are the clients that are neither mstsc nor captured, and the kinds that are what their name says.
func others() []Profile {
	notKnown := func(key, name, kind string) Profile { return Profile{Key: key, Name: name, Kind: kind} }
	from12 := []probe.TLSVersion{tls.VersionTLS12, tls.VersionTLS13}
	return []Profile{
		{
			Key: "guacamole", Name: "Guacamole, as delivered", Kind: "guacamole", Known: Documented,
			Of:       "Guacamole's manual: security any, ignore-cert off; TLS as the FreeRDP of the lab has it",
			Links:    []string{"https://guacamole.apache.org/doc/gug/configuring-guacamole.html#rdp-authentication"},
			Requests: nego, NLA: true, Classic: true, SaltedMAC: true, Versions: from12, Trust: TrustRefuses,
		},
		notKnown("windowsapp-macos", "Windows App, macOS", "macos"),
		notKnown("windowsapp-ios", "Windows App, iOS", "mobile"),
		notKnown("windowsapp-android", "Windows App, Android", "mobile"),
		{
			Key: "thin-tls10", Name: "Thin client, TLS 1.0", Kind: "thinclient", Known: Documented,
			Of:       "what its name says: a client that knows TLS 1.0 and nothing newer",
			Links:    []string{"https://www.rfc-editor.org/rfc/rfc2246", "https://github.com/neutrinolabs/xrdp/issues/2628"},
			Requests: nego[1:2], Classic: true, Versions: versionsTo(tls.VersionTLS10), // what it makes of a certificate, nobody knows
		},
		{
			Key: "classic", Name: "Classic RDP only", Kind: "thinclient", Known: Documented,
			Of:    "what its name says: a client of [MS-RDPBCGR] without RDP_NEG_REQ",
			Links: []string{linkRequests}, NoNegotiation: true, Classic: true,
		},
	}
}
