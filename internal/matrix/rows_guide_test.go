//go:build lab

package matrix

import "xrdpfix/internal/lab"

// runsAsRoot is why a key is not out of the daemon's reach on trixie.
var runsAsRoot = map[lab.Suite]string{lab.Trixie: "its xrdp runs as root and reads every file"}

// newPair is the plan that replaces a pair.
const newPair = "xrdp.ini:certificate,key_file +pair"

var guideFaults = []fault{
	{
		name: "stock", why: "install xrdp and connect", kind: fixed, older: true, every: true, not: runsAsRoot,
		stock: true, codes: "key-unreadable", plan: newPair,
		// The shared pair is other programs' too.
		plant: "sha256sum /etc/ssl/private/ssl-cert-snakeoil.key >/run/shared",
		then:  "sha256sum -c --quiet /run/shared; test -L /etc/xrdp/key.pem",
	},
	{
		name: "guide", why: "follow the guide to the letter", kind: fixed, older: true, every: true, stock: true,
		plant: guide,
		codes: "key-unreadable cert-missing", codesOn: map[lab.Suite]string{lab.Trixie: "cert-missing"}, plan: newPair,
	},
	{
		name: "guide-delete-certificate", why: "delete the certificate, as the guide says, and make no new one", kind: fixed,
		plant: "rm cert.pem", codes: "cert-missing", plan: newPair,
	},
	{
		name: "guide-new-certificate", why: "make a new pair with openssl req, as root", kind: fixed, not: runsAsRoot,
		plant: `openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem.new -out cert.pem -days 365 -subj "/CN=$(hostname)" 2>/dev/null
mv key.pem.new key.pem; chmod 600 key.pem`,
		codes: "key-unreadable cert-unsuitable", plan: newPair,
	},
	{
		name: "guide-negotiate", why: "set security_layer=negotiate, as the guide says: it was", kind: alone, long: true,
		plant: "ini security_layer negotiate; restart", before: "ok",
	},
	{
		name: "guide-sesman-lines", why: "put the TLS versions where the guide says: they do nothing, and are what xrdp does", kind: alone,
		plant: `sesman Security "tls_min_version=TLSv1.2\ntls_max_version=TLSv1.3"; restart`, before: "ok",
	},
	{
		name: "guide-restart", why: "restart xrdp", kind: alone, plant: "restart", before: "ok",
	},
	{
		name: "declared-stale", why: "paste a TLS range into sesman.ini years ago: it never worked", kind: alone,
		plant: `sesman Security "tls_min_version=1.0\ntls_max_version=1.2"`, before: "ok", codes: "tls-range-ineffective", accepted: "1.2 1.3",
	},
}
