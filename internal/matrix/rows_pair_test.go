//go:build lab

package matrix

import "xrdpfix/internal/lab"

var pairFaults = []fault{
	{
		name: "key-group", why: "copy a key that belongs to another group", kind: fixed, not: runsAsRoot,
		plant: "chgrp root key.pem", codes: "key-unreadable", plan: newPair,
	},
	{
		name: "key-mode", why: "make the key private, as every guide on keys says", kind: fixed, not: runsAsRoot,
		plant: "chown root:root key.pem; chmod 600 key.pem", codes: "key-unreadable", plan: newPair,
	},
	{
		name: "key-owner", why: "give the key to somebody else", kind: fixed, not: runsAsRoot,
		plant: "chown test:test key.pem; chmod 600 key.pem", codes: "key-unreadable", plan: newPair,
	},
	{
		name: "key-directory-closed", why: "keep the pair in a directory that is closed", kind: fixed, not: runsAsRoot,
		plant: "mkdir -m 0700 /root/tls; mv cert.pem key.pem /root/tls; ini certificate /root/tls/cert.pem; ini key_file /root/tls/key.pem",
		codes: "key-unreadable cert-unreadable", plan: newPair,
	},
	{
		name: "key-letsencrypt", why: "point xrdp.ini at certbot's live directory", kind: fixed, older: true, every: true, not: runsAsRoot,
		pair: &pairSpec{issued: true},
		plant: `mkdir -p /etc/letsencrypt/live/here /etc/letsencrypt/archive/here; chmod 700 /etc/letsencrypt/live /etc/letsencrypt/archive
mv cert.pem /etc/letsencrypt/archive/here/fullchain1.pem; mv key.pem /etc/letsencrypt/archive/here/privkey1.pem
chown root:root /etc/letsencrypt/archive/here/*; chmod 600 /etc/letsencrypt/archive/here/privkey1.pem
for f in fullchain privkey; do ln -s ../../archive/here/${f}1.pem /etc/letsencrypt/live/here/$f.pem; done
ini certificate /etc/letsencrypt/live/here/fullchain.pem; ini key_file /etc/letsencrypt/live/here/privkey.pem`,
		codes: "key-unreadable cert-unreadable", plan: "xrdp.ini:certificate,key_file +copy",
		then: "cmp /etc/letsencrypt/live/here/fullchain.pem $(sed -n 's/^certificate=//p' xrdp.ini)",
	},
	{
		name: "key-group-added", why: "add xrdp to the group of the key, and restart nothing", kind: fixed, not: runsAsRoot, stock: true,
		plant: "adduser --quiet xrdp ssl-cert", codes: "key-unreadable", plan: newPair,
		stays: true, // the restart, which costs nobody anything, gives xrdp the group
	},
	{
		name: "key-issued-unreadable", why: "install a pair from a CA with mode 600", kind: fixed, not: runsAsRoot,
		pair: &pairSpec{issued: true}, plant: "chown root:root key.pem; chmod 600 key.pem",
		codes: "key-unreadable", plan: "xrdp.ini:certificate,key_file +copy",
	},
	{
		name: "key-missing", why: "delete the key", kind: fixed, plant: "rm key.pem", codes: "key-missing", plan: newPair,
	},
	{
		name: "pair-missing", why: "delete both", kind: fixed, every: true, plant: "rm key.pem cert.pem", codes: "key-missing cert-missing", plan: newPair,
	},
	{
		name: "cert-expired", why: "forget upstream's certificate for a year: it is served without a word", kind: fixed, older: true, every: true,
		pair: &pairSpec{from: -400 * day, until: -35 * day}, before: "ok", codes: "cert-expired", plan: newPair,
	},
	{
		name: "cert-not-yet-valid", why: "make a certificate while the clock is wrong", kind: fixed,
		pair: &pairSpec{from: 10 * day, until: 300 * day}, before: "ok", codes: "cert-not-yet-valid", plan: newPair,
	},
	{
		name: "cert-expiring", why: "wait until the last days", kind: fixed, flags: []string{"--cert", "renew"},
		pair: &pairSpec{until: 10 * day}, before: "ok", codes: "cert-expiring", plan: newPair,
	},
	{
		name: "cert-issued-expired", why: "let the certificate of a CA expire", kind: manual,
		pair: &pairSpec{issued: true, from: -90 * day, until: -day}, before: "ok", codes: "cert-expired",
	},
	{
		name: "pair-mismatch", why: "replace one of the two files", kind: fixed, older: true, every: true,
		plant:  "openssl genpkey -quiet -algorithm RSA -out k 2>/dev/null || openssl genpkey -algorithm RSA -out k 2>/dev/null; cat k >key.pem; rm k",
		before: "tls-failed", codes: "cert-key-mismatch", plan: newPair,
	},
	{
		name: "key-passphrase", why: "protect the key with a passphrase", kind: fixed, older: true,
		plant:  "openssl rsa -aes128 -passout pass:x -in key.pem -out k 2>/dev/null; cat k >key.pem; rm k",
		before: "tls-failed", codes: "key-invalid", plan: newPair,
	},
	{
		name: "key-der", why: "copy the key in DER", kind: fixed, older: true,
		plant:  "openssl pkey -outform DER -in key.pem -out k; cat k >key.pem; rm k",
		before: "tls-failed", codes: "key-invalid", plan: newPair,
	},
	{
		name: "cert-der", why: "copy the certificate as Windows exports it", kind: fixed, older: true,
		plant:  "openssl x509 -outform DER -in cert.pem -out c; cat c >cert.pem; rm c",
		before: "tls-failed", codes: "cert-invalid", plan: newPair,
	},
	{
		name: "cert-nonstandard", why: "have a certificate with a negative serial number: OpenSSL is content, other libraries are not", kind: manual, long: true, older: true,
		plant:  `openssl req -x509 -key key.pem -set_serial -5 -out c -days 90 -subj "/CN=$(hostname)" -addext "subjectAltName=DNS:$(hostname)" 2>/dev/null; cat c >cert.pem; rm c`,
		before: "ok", codes: "cert-invalid",
	},
	{
		name: "key-empty", why: "fill the disk while a key is written", kind: fixed, older: true, plant: ": >key.pem",
		before: "tls-failed", codes: "key-invalid", plan: newPair,
	},
	{
		name: "key-directory", why: "name a directory", kind: fixed, older: true, plant: "rm key.pem; mkdir key.pem",
		before: "tls-failed", codes: "key-invalid", plan: newPair,
	},
	{
		name: "key-rsa-1024", why: "keep the pair of an old server", kind: fixed, older: true,
		pair:   &pairSpec{key: "rsa-1024"},
		before: "tls-failed", codes: "key-unsupported", plan: newPair,
	},
	{
		name: "key-ed25519", why: "make a modern key: sslscan is content, FreeRDP 2 is not", kind: fixed, older: true,
		pair: &pairSpec{key: "ed25519"}, before: "tls-failed", codes: "key-unsupported", plan: newPair,
	},
	{
		name: "key-ecdsa", why: "make an ECDSA key: it works", kind: alone, older: true, pair: &pairSpec{key: "ecdsa"}, before: "ok",
	},
	{
		name: "cert-sha1", why: "keep the certificate of an old server", kind: fixed, older: true,
		pair: &pairSpec{sha1: true}, before: "ok", codes: "cert-unsuitable", plan: newPair,
	},
	{
		name: "cert-ca-true", why: "use upstream's template, which makes CA:TRUE", kind: fixed, flags: []string{"--cert", "renew"},
		pair: &pairSpec{isCA: true}, before: "ok", codes: "cert-unsuitable", plan: newPair,
	},
	{
		name: "cert-client-only", why: "use a certificate made for a client", kind: fixed, flags: []string{"--cert", "renew"},
		pair: &pairSpec{clientOnly: true}, before: "ok", codes: "cert-unsuitable", plan: newPair,
	},
	{
		name: "cert-old-name", why: "rename the machine", kind: fixed, flags: []string{"--cert", "renew"},
		pair: &pairSpec{names: []string{"old-name.example.org"}}, before: "ok", codes: "cert-name-mismatch", plan: newPair,
	},
	{
		name: "cert-issued-good", why: "have a pair from a CA that works", kind: alone, pair: &pairSpec{issued: true}, before: "ok",
	},
	{
		name: "key-world-readable", why: "open the key to everybody, so that xrdp can read it", kind: manual,
		plant: "chmod 644 key.pem", before: "ok", codes: "key-exposed",
	},
	{
		name: "key-daemon-writable", why: "give the key to the daemon", kind: manual, not: runsAsRoot,
		plant: "chown xrdp key.pem; chmod 600 key.pem", before: "ok", codes: "key-exposed",
	},
	{
		name: "shared-pair-expired", why: "let the shared default pair expire", kind: fixed, stock: true,
		not: map[lab.Suite]string{lab.Bookworm: "its xrdp cannot read the shared key", lab.Sid: "its xrdp cannot read the shared key"},
		plant: `openssl req -x509 -key /etc/ssl/private/ssl-cert-snakeoil.key -subj "/CN=$(hostname)" -addext "subjectAltName=DNS:$(hostname)" \
	-addext basicConstraints=critical,CA:FALSE -not_before 20200101000000Z -not_after 20210101000000Z -out /run/c
cat /run/c >/etc/ssl/certs/ssl-cert-snakeoil.pem; sha256sum /etc/ssl/private/ssl-cert-snakeoil.key /etc/ssl/certs/ssl-cert-snakeoil.pem >/run/shared`,
		before: "ok", codes: "cert-expired", plan: newPair, then: "sha256sum -c --quiet /run/shared",
	},
}
