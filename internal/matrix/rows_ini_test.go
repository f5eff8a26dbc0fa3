//go:build lab

package matrix

import "xrdpfix/internal/lab"

// negotiates is why a missing security_layer is no fault on sid.
var negotiates = map[lab.Suite]string{lab.Sid: "from 0.10.4 on xrdp negotiates when the line is missing"}

var iniFaults = []fault{
	{
		name: "layer-missing", why: "delete the security_layer line", kind: fixed, every: true, not: negotiates,
		plant: "drop security_layer", codes: "security-layer-missing", plan: "xrdp.ini:security_layer",
	},
	{
		name: "layer-rdp", why: "set security_layer=rdp because an old guide says so", kind: fixed, every: true,
		plant: "ini security_layer rdp", codes: "security-layer-rdp", plan: "xrdp.ini:security_layer",
	},
	{
		name: "layer-ssl", why: "set security_layer=ssl, which no xrdp knows", kind: fixed,
		plant: "ini security_layer ssl", before: "ok", codes: "security-layer-invalid", plan: "xrdp.ini:security_layer",
	},
	{
		name: "layer-quoted", why: "put the value in quotes", kind: fixed,
		plant: `ini security_layer '"tls"'`, before: "ok", codes: "security-layer-invalid", plan: "xrdp.ini:security_layer",
	},
	{
		name: "layer-comment", why: "comment the value on its line", kind: alone, plant: "ini security_layer 'negotiate # or tls'", before: "ok",
	},
	{
		name: "layer-case", why: "write it with odd case and blanks", kind: alone,
		plant: "sed -i 's/^security_layer=.*/  Security_Layer \t=  NeGoTiAtE  /' xrdp.ini", before: "ok",
	},
	{
		name: "layer-twice", why: "add a second line above the first, which wins", kind: alone,
		plant: `sed -i '/^\[Globals\]/a security_layer=rdp' xrdp.ini`, before: "ok", codes: "ini-duplicate",
	},
	{
		name: "layer-twice-rdp", why: "add a second line that wins and is wrong", kind: fixed,
		plant: `sed -i '/^security_layer=/a security_layer=rdp' xrdp.ini`,
		codes: "security-layer-rdp ini-duplicate", plan: "xrdp.ini:security_layer", left: "ini-duplicate",
	},
	{
		name: "layer-wrong-section", why: "put security_layer under [Xorg]", kind: fixed, not: negotiates,
		plant: `drop security_layer; sed -i '/^\[Xorg\]/a security_layer=negotiate' xrdp.ini`,
		codes: "security-layer-missing ini-misplaced", plan: "xrdp.ini:security_layer", left: "ini-misplaced",
	},
	{
		name: "layer-second-globals", why: "add a second [Globals] at the end", kind: fixed, not: negotiates,
		plant: `drop security_layer; printf '\n[Globals]\nsecurity_layer=negotiate\n' >>xrdp.ini`,
		codes: "security-layer-missing ini-misplaced", plan: "xrdp.ini:security_layer", left: "ini-misplaced",
	},
	{
		name: "layer-behind-brackets", why: "write a title in brackets", kind: fixed, every: true,
		plant: `sed -i '/^\[Globals\]/a ls_title=[My Server]' xrdp.ini`, before: "negotiation-failed",
		codes: "ini-cut-short", plan: "%any",
	},
	{
		name: "layer-beyond-32k", why: "fill the file with comments", kind: fixed, not: negotiates,
		plant: `drop security_layer; { sed '/^\[Logging\]/,$d' xrdp.ini; yes '# a comment that somebody found important' | head -n 900; echo security_layer=negotiate; sed -n '/^\[Logging\]/,$p' xrdp.ini; } >x; cat x >xrdp.ini; rm x`,
		codes: "ini-cut-short log-hides-proof", plan: "xrdp.ini:security_layer", left: "log-hides-proof",
	},
	{
		name: "paths-deleted", why: "delete the certificate and key_file lines", kind: fixed, every: true,
		plant: "drop certificate; drop key_file", codes: "cert-path-missing", plan: "xrdp.ini:certificate,key_file",
	},
	{
		name: "path-key-deleted", why: "delete the key_file line", kind: fixed,
		plant: "drop key_file", codes: "cert-path-missing", plan: "%any",
	},
	{
		name: "path-relative", why: "name the files without their directory", kind: fixed,
		plant: "ini certificate cert.pem; ini key_file key.pem", before: "ok",
		codes: "cert-path-invalid cert-path-invalid", plan: "xrdp.ini:certificate,key_file",
	},
	{
		name: "path-quoted", why: "put a path in quotes", kind: fixed,
		plant: `ini certificate '"/etc/xrdp/cert.pem"'`, before: "ok", codes: "cert-path-invalid", plan: "xrdp.ini:certificate",
	},
	{
		name: "crypt-missing", why: "delete the crypt_level line", kind: fixed, plant: "drop crypt_level", before: "ok",
		codes: "crypt-level-weak", plan: "xrdp.ini:crypt_level",
	},
	{
		name: "crypt-none", why: "set crypt_level=none to make it faster", kind: fixed, plant: "ini crypt_level none", before: "ok",
		codes: "crypt-level-weak", plan: "xrdp.ini:crypt_level",
	},
	{
		name: "crypt-low", why: "set crypt_level=low for an old client", kind: fixed, plant: "ini crypt_level low", before: "ok",
		codes: "crypt-level-weak", plan: "xrdp.ini:crypt_level",
	},
	{
		name: "crypt-fips", why: "set crypt_level=fips", kind: alone, plant: "ini crypt_level fips", before: "ok",
	},
	{
		name: "crypt-invalid", why: "set a crypt_level that no xrdp knows: high is used", kind: alone, plant: "ini crypt_level strong", before: "ok",
	},
	{
		name: "near-miss", why: "write tls_cipher for tls_ciphers", kind: alone, plant: "ini tls_cipher HIGH", before: "ok", codes: "ini-key-ignored",
	},
	{
		name: "address", why: "set address=, which no xrdp reads since 0.9.11", kind: alone, plant: "ini address 0.0.0.0", before: "ok", codes: "ini-key-ignored",
	},
	{
		name: "secrets-logged", why: "leave tls_pms_log_file behind", kind: fixed, plant: "ini tls_pms_log_file /tmp/pms.log", before: "ok",
		not: map[lab.Suite]string{
			lab.Bookworm: "xrdp knows tls_pms_log_file from 0.10.5 on", lab.Trixie: "xrdp knows tls_pms_log_file from 0.10.5 on",
		},
		codes: "tls-secrets-logged", plan: "xrdp.ini:tls_pms_log_file",
	},
	{
		name: "crlf", why: "edit the file on Windows", kind: fixed, plant: `ini security_layer rdp; sed -i 's/$/\r/' xrdp.ini`,
		codes: "security-layer-rdp", plan: "xrdp.ini:security_layer", then: `! grep -qv "$(printf '\r')$" xrdp.ini`,
	},
	{
		name: "bom", why: "save the file with a byte order mark", kind: alone, plant: `sed -i '1s/^/\xef\xbb\xbf/' xrdp.ini`, before: "ok",
	},
	{
		name: "ini-empty", why: "empty the file", kind: manual, plant: "cp -p xrdp.ini /run/xrdp.ini; : >xrdp.ini",
		codes: "ini-missing", run: "mv /etc/xrdp/xrdp.ini /etc/xrdp/xrdp.ini.broken", then: "cp -p /run/xrdp.ini xrdp.ini",
	},
	{
		name: "ini-mode", why: "make the file private", kind: fixed, not: runsAsRoot,
		plant: "chmod 600 xrdp.ini", codes: "ini-unreadable", plan: "xrdp.ini:edit",
	},
	{
		name: "ini-symlink", why: "keep the file elsewhere and link to it", kind: fixed,
		plant: "mkdir /srv/config; mv xrdp.ini /srv/config; ln -s /srv/config/xrdp.ini xrdp.ini; sed -i 's/^security_layer=.*/security_layer=rdp/' /srv/config/xrdp.ini",
		codes: "security-layer-rdp", plan: "xrdp.ini:security_layer", then: "test -L xrdp.ini",
	},
	{
		name: "hyper-v", why: "run the Hyper-V enhanced session scripts, then connect over the network", kind: fixed,
		plant: "ini security_layer rdp; ini crypt_level none", codes: "security-layer-rdp crypt-level-weak", plan: "xrdp.ini:security_layer,crypt_level",
	},
	{
		name: "layer-tls", why: "choose security_layer=tls", kind: alone, every: true, plant: "ini security_layer tls", before: "ok",
	},
}
