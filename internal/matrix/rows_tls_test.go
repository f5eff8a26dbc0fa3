//go:build lab

package matrix

import "xrdpfix/internal/lab"

// repaired is the plan that gives ssl_protocols a value, and declares it.
const repaired = "sesman.ini:tls_min_version,tls_max_version xrdp.ini:ssl_protocols"

var tlsFaults = []fault{
	{
		name: "versions-lower-case", why: "write the versions in lower case", kind: fixed, older: true, every: true,
		plant: "ini ssl_protocols 'tlsv1.2, tlsv1.3'", before: "tls-failed", codes: "tls-versions-empty", plan: repaired, accepted: "1.2 1.3",
	},
	{
		name: "versions-colons", why: "separate the versions by colons", kind: fixed, older: true,
		plant: "ini ssl_protocols TLSv1.2:TLSv1.3", before: "tls-failed", codes: "tls-versions-empty", plan: repaired, accepted: "1.2 1.3",
	},
	{
		name: "versions-empty", why: "leave the value empty", kind: fixed, older: true,
		plant: "ini ssl_protocols ''", before: "tls-failed", codes: "tls-versions-empty", plan: repaired, accepted: "1.2 1.3",
	},
	{
		name: "versions-quoted", why: "put the versions in quotes", kind: fixed,
		plant: `ini ssl_protocols '"TLSv1.2"'`, before: "tls-failed", codes: "tls-versions-empty", plan: repaired, accepted: "1.2 1.3",
	},
	{
		name: "versions-some-unknown", why: "write TLSv1.0 among others", kind: fixed, older: true,
		plant: "ini ssl_protocols 'TLSv1.0, TLSv1.2, TLSv1.3'", before: "ok", codes: "tls-versions-unknown", plan: repaired, accepted: "1.2 1.3",
	},
	{
		name: "versions-tab", why: "separate the versions by a tab", kind: fixed,
		plant: `ini ssl_protocols "TLSv1.2,\tTLSv1.3"`, before: "ok", codes: "tls-versions-unknown", plan: repaired, accepted: "1.2",
	},
	{
		name: "versions-semicolon", why: "separate the versions by a semicolon, which begins a comment", kind: alone,
		plant: "ini ssl_protocols 'TLSv1.2; TLSv1.3'", before: "ok", accepted: "1.2",
	},
	{
		name: "versions-missing", why: "delete the ssl_protocols line", kind: fixed, older: true,
		plant: "drop ssl_protocols", before: "ok", codes: "tls-versions-missing", plan: repaired, accepted: "1.2 1.3",
	},
	{
		name: "versions-1.3", why: "choose TLS 1.3 only", kind: alone, older: true, every: true, plant: "ini ssl_protocols TLSv1.3", before: "ok", accepted: "1.3",
	},
	{
		name: "versions-1.0-1.3", why: "choose old versions for thin clients, and make them work", kind: alone, every: true,
		plant: "ini ssl_protocols 'TLSv1, TLSv1.1, TLSv1.2, TLSv1.3'; ini tls_ciphers DEFAULT@SECLEVEL=0", before: "ok",
		codes: "tls-versions-obsolete", accepted: "1.0 1.1 1.2 1.3",
	},
	{
		name: "versions-1.0-level", why: "list old versions for thin clients, which OpenSSL 3 refuses all the same", kind: fixed, older: true,
		flags: []string{"--tls-min", "1.0"},
		plant: "ini ssl_protocols 'TLSv1, TLSv1.1, TLSv1.2, TLSv1.3'", before: "ok", codes: "tls-range-blocked",
		plan: "sesman.ini:tls_min_version,tls_max_version xrdp.ini:tls_ciphers", accepted: "1.0 1.1 1.2 1.3", left: "tls-versions-obsolete",
		planOn: map[lab.Suite]string{ // its openssl.cnf has a MinProtocol
			lab.Bullseye: "openssl.cnf:create xrdpfix-openssl.conf:create sesman.ini:tls_min_version,tls_max_version xrdp.ini:tls_ciphers +restart",
		},
	},
	{
		name: "versions-1.0-only", why: "list TLS 1.0 only, which OpenSSL 3 refuses", kind: manual, older: true,
		plant: "ini ssl_protocols TLSv1", client: []string{"/sec:tls", "/tls-seclevel:0"}, before: "tls-failed",
		codes: "tls-range-blocked", accepted: "1.0", left: "tls-versions-obsolete",
	},
	{
		name: "floor-empties", why: "raise the system's lowest version above all of xrdp's", kind: manual, older: true,
		plant: "ini ssl_protocols TLSv1.2; " + floor13, before: "tls-failed", codes: "tls-range-blocked", accepted: "1.2",
	},
	{
		name: "floor-1.2", why: "want TLS 1.0 where the system forbids it", kind: fixed, older: true, flags: []string{"--tls-min", "1.0", "--tls-max", "1.3"},
		plant: floor, before: "ok", plan: "%any", accepted: "1.0 1.1 1.2 1.3", left: "tls-versions-obsolete",
	},
	{
		name: "declared", why: "declare a range in sesman.ini, and want it", kind: fixed, older: true, flags: []string{"--profile", "declared"},
		plant: `sesman Security "tls_min_version=1.3\ntls_max_version=1.3"`, before: "ok",
		plan: "xrdp.ini:ssl_protocols", accepted: "1.3",
	},
	{
		name: "declared-replaced", why: "declare a range in sesman.ini, and want another", kind: fixed, flags: []string{"--profile", "intermediate"},
		plant: `sesman Security "tls_min_version=1.0\ntls_max_version=1.2"`, before: "ok",
		plan: "sesman.ini:tls_min_version,tls_max_version", accepted: "1.2 1.3",
	},
	{
		name: "range-in-globals", why: "put tls_min_version into [Globals] of xrdp.ini", kind: alone,
		plant: "ini tls_min_version 1.0", before: "ok", codes: "ini-misplaced", accepted: "1.2 1.3",
	},
	{
		name: "range-under-xorg", why: "put tls_min_version under [Xorg] of sesman.ini", kind: alone,
		plant: `sesman Xorg tls_min_version=1.2`, before: "ok", codes: "ini-misplaced",
	},
	{
		name: "ciphers-invalid", why: "misspell tls_ciphers", kind: fixed, older: true, every: true,
		plant: "ini tls_ciphers NOSUCHCIPHER", before: "tls-failed", codes: "tls-ciphers-invalid", plan: "xrdp.ini:tls_ciphers",
	},
	{
		name: "ciphers-1.3-names", why: "list TLS 1.3 suites, which OpenSSL does not take here", kind: fixed, older: true,
		plant: "ini tls_ciphers TLS_AES_256_GCM_SHA384", before: "tls-failed", codes: "tls-ciphers-invalid", plan: "xrdp.ini:tls_ciphers",
	},
	{
		name: "ciphers-dhe", why: "allow DHE suites only: many clients have none any more, and xrdp 0.10.6 has no parameters for them", kind: manual, older: true,
		plant: "ini tls_ciphers DHE-RSA-AES256-GCM-SHA384", new: true, client: []string{"/sec:tls", "/tls:enforce:1.2"}, before: "ok",
		beforeOn: map[lab.Suite]string{lab.Sid: "tls-failed"}, codes: "tls-ciphers-narrow",
	},
}

// floor13 is floor with 1.3, which leaves nothing of an older range.
const floor13 = `
cat >>/etc/ssl/openssl.cnf <<'END'

[lab_floor]
ssl_conf = lab_ssl
[lab_ssl]
system_default = lab_system
[lab_system]
MinProtocol = TLSv1.3
END
if grep -q '^openssl_conf' /etc/ssl/openssl.cnf
then sed -i 's/^openssl_conf.*/openssl_conf = lab_floor/' /etc/ssl/openssl.cnf
else sed -i '1i openssl_conf = lab_floor' /etc/ssl/openssl.cnf
fi
systemctl restart xrdp
`
