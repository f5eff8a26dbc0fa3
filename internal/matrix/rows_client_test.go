//go:build lab

package matrix

// clientFaults are of the client's own making. The client comes over an
// interface, since one from the server's own addresses is not reported.
var clientFaults = []fault{
	{
		name: "client-old", why: "keep a client that knows TLS 1.0 at most (Windows 7 as delivered)", kind: clientSide, across: true, older: true,
		new: true, client: []string{"/sec:tls", "/tls:enforce:1.0,seclevel:0"}, before: "tls-failed",
		codes: "client-tls-too-old", says: "switch its newer versions on", after: []string{"/sec:tls"},
	},
	{
		name: "client-old-for-1.3", why: "allow TLS 1.3 only, and keep a client that ends at TLS 1.2", kind: clientSide, long: true, across: true, older: true,
		plant: "ini ssl_protocols TLSv1.3", client: []string{"/sec:tls", "+enforce-tlsv1_2"}, before: "tls-failed",
		codes: "client-tls-too-old", says: "Update it", after: []string{"/sec:tls"},
	},
	{
		name: "client-new", why: "serve old versions only, and set a client to TLS 1.3", kind: clientSide, long: true, across: true,
		plant: "ini ssl_protocols 'TLSv1, TLSv1.1, TLSv1.2'; ini tls_ciphers DEFAULT@SECLEVEL=0",
		new:   true, client: []string{"/sec:tls", "/tls:enforce:1.3"}, before: "tls-failed",
		codes: "tls-versions-obsolete client-tls-too-new", logged: "client-tls-too-old", says: "offer older versions too", after: []string{"/sec:tls"},
		left: "tls-versions-obsolete",
	},
	{
		name: "client-new-after-1.3", why: "take TLS 1.3 away from a client that insists on it", kind: clientSide, across: true, older: true,
		new: true, client: []string{"/sec:tls", "/tls:enforce:1.3"}, earlier: []string{"/sec:tls", "/tls:enforce:1.3"},
		plant: "ini ssl_protocols TLSv1.2", before: "tls-failed",
		codes: "client-tls-too-new", logged: "client-tls-too-old", says: "offer older versions too", after: []string{"/sec:tls"},
	},
	{
		name: "client-nla", why: "insist on NLA in the client", kind: clientSide, across: true,
		client: []string{"/sec:nla"}, codes: "client-requires-nla", says: "enablecredsspsupport:i:0", after: []string{"/sec:tls"},
	},
	{
		name: "client-nla-tls", why: "insist on NLA in FreeRDP 3, against security_layer=tls", kind: clientSide, long: true, across: true,
		plant: "ini security_layer tls", new: true, client: []string{"/sec:nla"},
		codes: "client-requires-nla", says: "/sec:tls in FreeRDP", after: []string{"/sec:tls"},
	},
	{
		name: "client-entra", why: "sign in with Entra ID", kind: clientSide, across: true,
		new: true, client: []string{"/sec:aad"}, codes: "client-unsupported-auth", says: "enablerdsaadauth:i:0", after: []string{"/sec:tls"},
	},
	{
		name: "client-remote-guard", why: "switch Remote Credential Guard on", kind: clientSide, long: true, across: true,
		new: true, client: []string{"/remoteGuard"}, codes: "client-unsupported-auth", says: "mstsc without /remoteGuard", after: []string{"/sec:tls"},
	},
	{
		name: "client-refuses", why: "answer no when the client asks about the certificate", kind: clientSide, across: true, older: true,
		client: []string{"/sec:tls", "/cert:deny"}, before: "tls-failed", codes: "client-refuses-cert",
		says: "after comparing its fingerprint", after: []string{"/sec:tls", "/cert:fingerprint:sha256:%f"},
	},
	{
		name: "client-refuses-3", why: "have a client that may not ask (FreeRDP 3)", kind: clientSide, long: true, across: true,
		new: true, client: []string{"/sec:tls", "/cert:deny"}, before: "tls-failed", codes: "client-refuses-cert",
		says: "after comparing its fingerprint", after: []string{"/sec:tls", "/cert:fingerprint:sha256:%f"},
	},
	{
		name: "client-cipher", why: "allow one cipher here and another in the client", kind: clientSide, across: true, older: true,
		plant:  "ini ssl_protocols TLSv1.2; ini tls_ciphers ECDHE-RSA-AES256-GCM-SHA384",
		client: []string{"/sec:tls", "/tls-ciphers:ECDHE-RSA-AES128-GCM-SHA256"}, before: "tls-failed",
		codes: "client-no-shared-cipher", says: "tls_ciphers=ECDHE-RSA-AES256-GCM-SHA384 decides", after: []string{"/sec:tls"},
	},
	{
		name: "client-signature", why: "serve an ECDSA key to a client that knows RSA only", kind: clientSide, long: true, across: true, older: true,
		pair: &pairSpec{key: "ecdsa"}, plant: "ini ssl_protocols TLSv1.2",
		client: []string{"/sec:tls", "/tls-ciphers:ECDHE-RSA-AES128-GCM-SHA256"}, before: "tls-failed",
		codes: "client-no-shared-cipher", says: "Update it", after: []string{"/sec:tls"},
	},
	{
		name: "client-classic", why: "keep a client without TLS where TLS is required", kind: clientSide, across: true,
		plant: "ini security_layer tls", client: []string{"/sec:rdp"}, before: "transport-failed",
		codes: "client-classic-only", says: "let it use TLS", after: []string{"/sec:tls"},
	},
	{
		name: "client-first-connection", why: "log in with mstsc: its first connection hangs up to ask about the certificate", kind: alone, across: true,
		noise: [][]string{{"xfreerdp", "/sec:tls", "/cert:deny"}, {"xfreerdp", "/sec:tls"}}, before: "ok",
	},
	{
		name: "client-noise", why: "be scanned: an open and shut port, HTTP, TLS and sslscan", kind: alone, across: true, older: true,
		noise: [][]string{
			{"bash", "-c", "exec 3<>/dev/tcp/%h/3389"},
			{"bash", "-c", `exec 3<>/dev/tcp/%h/3389; printf 'GET / HTTP/1.0\r\n\r\n' >&3; timeout 5 cat <&3`},
			{"timeout", "5", "openssl", "s_client", "-connect", "%h:3389"},
			{"sslscan", "--rdp", "%h:3389"},
		}, before: "ok",
	},
}
