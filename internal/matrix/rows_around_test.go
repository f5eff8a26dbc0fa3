//go:build lab

package matrix

import "xrdpfix/internal/lab"

// filters are the packet filters; firewalld runs from the first boot on.
func filters(lab.Suite) []string { return []string{"nftables", "ufw", "firewalld"} }

// filtering waits until firewalld has made its rules, noFirewalld ends it.
const (
	filtering   = "until firewall-cmd --state >/dev/null 2>&1; do sleep 0.2; done\n"
	noFirewalld = filtering + "systemctl disable --quiet --now firewalld\n"
)

// enforcing lets the host see SELinux enforcing, and lets the daemon be refused
// its key, by the sandbox of its unit: no kernel of the lab has SELinux.
const enforcing = refusing + `
mount -t tmpfs tmpfs /sys/fs/selinux; echo 1 >/sys/fs/selinux/enforce
mkdir -p /var/log/audit
printf 'type=AVC msg=audit(%s.123:77): avc:  denied  { read } for  pid=77 comm="xrdp" name="key.pem" dev="vda1" ino=77 scontext=system_u:system_r:xrdp_t:s0 tcontext=unconfined_u:object_r:user_tmp_t:s0 tclass=file permissive=0\n' $(date +%s) >/var/log/audit/audit.log
for f in restorecon ausearch; do cat >/usr/local/sbin/$f <<'END'
#!/bin/sh
case $0 in *restorecon) rm -f /etc/systemd/system/xrdp.service.d/refuse.conf; systemctl daemon-reload; systemctl restart xrdp;; esac
END
chmod 755 /usr/local/sbin/$f; done
`

const refusing = `
mkdir -p /etc/systemd/system/xrdp.service.d
printf '[Service]\nInaccessiblePaths=/etc/xrdp/key.pem\n' >/etc/systemd/system/xrdp.service.d/refuse.conf
systemctl daemon-reload; restart
`

// fips lets the host see a kernel in FIPS mode; the kernel of the lab has none.
const fips = `
mkdir /run/sys; mount -t tmpfs tmpfs /run/sys
for d in /proc/sys/*; do mkdir /run/sys/${d##*/}; mount --bind $d /run/sys/${d##*/}; done
mkdir /run/sys/crypto; echo 1 >/run/sys/crypto/fips_enabled
mount --rbind /run/sys /proc/sys
`

// issue CN DAYS: a pair of a small CA, made on the host.
const issue = `
issue() {
	test -e ca.pem || openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 900 -subj "/CN=Example Issuing CA" 2>/dev/null
	openssl req -newkey rsa:2048 -nodes -keyout privkey.pem -out csr.pem -subj "/CN=$1" 2>/dev/null
	printf 'subjectAltName=DNS:%s\nbasicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\n' "$1" >ext
	openssl x509 -req -in csr.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days $2 -extfile ext -out leaf.pem 2>/dev/null
	cat leaf.pem ca.pem >fullchain.pem; chmod 600 privkey.pem
}
`

var aroundFaults = []fault{
	{
		name: "firewall-nftables", why: "drop all but SSH with nftables", kind: manual, across: true, packages: filters, shortOn: lab.Bookworm,
		plant: noFirewalld + `nft -f - <<'END'
table inet filter {
	chain input {
		type filter hook input priority 0; policy drop;
		iif lo accept
		ct state established,related accept
		tcp dport 22 accept
	}
}
END`,
		client: []string{"/sec:tls", "/timeout:3000"}, before: "connect-failed", codes: "firewall-blocks",
	},
	{
		name: "firewall-firewalld", why: "leave firewalld as it is delivered", kind: manual, across: true, packages: filters, shortOn: lab.Bookworm,
		plant: filtering, before: "transport-failed", codes: "firewall-blocks",
	},
	{
		name: "firewall-firewalld-bus", why: "have firewalld without the nft program: it is asked over D-Bus", kind: manual, long: true, across: true, packages: filters,
		plant: filtering + "rm /usr/sbin/nft", before: "transport-failed", codes: "firewall-blocks",
	},
	{
		name: "firewall-leftover", why: "lose firewalld to a crash: its rules outlive it", kind: manual, long: true, across: true, packages: filters,
		plant: filtering + "systemctl mask --quiet --runtime firewalld; systemctl kill -s KILL firewalld; sleep 0.5", before: "transport-failed", codes: "firewall-blocks",
	},
	{
		name: "firewall-ufw", why: "enable ufw", kind: manual, across: true, packages: filters, shortOn: lab.Bookworm,
		plant: noFirewalld + "ufw --force enable >/dev/null", client: []string{"/sec:tls", "/timeout:3000"}, before: "connect-failed", codes: "firewall-blocks",
	},
	{
		name: "selinux", why: "move a key here from /tmp: SELinux refuses it (played: no kernel of the lab has it)", kind: manual, not: runsAsRoot,
		plant: enforcing, codes: "key-unreadable", run: "restorecon -Rv /etc/xrdp",
	},
	{
		name: "sandbox", why: "close /etc/xrdp/key.pem to the unit in a drop-in", kind: manual, long: true, not: runsAsRoot,
		plant: refusing, codes: "key-unreadable", run: "systemctl cat xrdp",
		then: "rm /etc/systemd/system/xrdp.service.d/refuse.conf; systemctl daemon-reload; restart; up",
	},
	{
		name: "other-view", why: "give the unit other files under the same names (BindReadOnlyPaths=)", kind: manual,
		plant: `mkdir /srv/other; cd /srv/other
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 90 -subj "/CN=$(hostname)" 2>/dev/null; chmod 644 key.pem; cd /etc/xrdp
mkdir -p /etc/systemd/system/xrdp.service.d
printf '[Service]\nBindReadOnlyPaths=/srv/other/cert.pem:/etc/xrdp/cert.pem /srv/other/key.pem:/etc/xrdp/key.pem\n' >/etc/systemd/system/xrdp.service.d/other.conf
systemctl daemon-reload; restart`,
		before: "ok", codes: "cert-not-served", run: "ss -ltnp",
		then: "rm /etc/systemd/system/xrdp.service.d/other.conf; systemctl daemon-reload; restart; up",
	},
	{
		name: "cut-off", why: "have something on the path that cuts TLS off (played by nftables)", kind: manual, packages: filters, long: true,
		plant: noFirewalld + `nft -f - <<'END'
table inet inspector {
	chain input {
		type filter hook input priority 0;
		tcp dport 3389 @th,256,8 0x16 reject with tcp reset
	}
}
END`,
		before: "tls-failed", codes: "tls-cut-off", run: "nft list ruleset || iptables-save", then: "nft delete table inet inspector",
	},
	{
		name: "fips", why: "want TLS 1.0 in FIPS mode (played: no kernel of the lab has it)", kind: refused, flags: []string{"--tls-min", "1.0", "--tls-max", "1.3"},
		plant: fips, before: "ok", codes: "tls-range-blocked", says: "fips",
	},
	{
		name: "key-cloned", why: "clone a machine with its key", kind: alone, runs: true,
		pair: &pairSpec{from: -90 * day, names: []string{"golden-image"}},
		// Since nobody can date a change of a file back, the identity is renewed later.
		plant:  "touch -d '+3 hours' /etc/machine-id",
		before: "ok", codes: "key-shared cert-name-mismatch",
	},
	{
		name: "key-of-all", why: "use the machine's shared pair", kind: alone, long: true, stock: true, runs: true,
		plant: "adduser --quiet xrdp ssl-cert; restart", before: "ok", codes: "key-shared",
	},
	{
		name: "cert-copy-stale", why: "renew with certbot, and forget the copy for xrdp", kind: fixed, not: runsAsRoot,
		plant: issue + `mkdir -p -m 700 /etc/letsencrypt/live/here; cd /etc/letsencrypt/live/here
issue $(hostname) 20; cd /etc/xrdp
ini certificate /etc/letsencrypt/live/here/fullchain.pem; ini key_file /etc/letsencrypt/live/here/privkey.pem
xrdpfix apply --quiet
cd /etc/letsencrypt/live/here; issue $(hostname) 90`,
		before: "ok", codes: "cert-copy-stale", plan: "xrdp.ini:certificate,key_file +copy",
		then: "cmp /etc/letsencrypt/live/here/fullchain.pem $(sed -n 's/^certificate=//p' xrdp.ini)",
	},
	{
		name: "chain-order", why: "put the certificates of the chain in the wrong order", kind: alone, runs: true,
		plant: issue + `issue $(hostname) 90
openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -out other.pem -days 90 -subj "/CN=Another CA" 2>/dev/null
cat leaf.pem other.pem ca.pem >cert.pem; cat privkey.pem >key.pem`,
		before: "ok", codes: "cert-chain-broken",
	},
	{
		name: "managed", why: "edit a file that Ansible writes", kind: fixed,
		plant: "sed -i '1i # Ansible managed' xrdp.ini; ini security_layer rdp",
		codes: "security-layer-rdp", plan: "xrdp.ini:security_layer",
		then: "xrdpfix check --json | grep -q ini-managed-elsewhere",
	},
	{
		name: "password", why: "keep the password of a VNC server in xrdp.ini", kind: alone, runs: true,
		plant:  `printf '\n[office]\nname=office\nlib=libvnc.so\nip=127.0.0.1\nport=5901\nusername=anna\npassword=Geheim77\n' >>xrdp.ini; chmod 644 xrdp.ini`,
		before: "ok", codes: "ini-password-exposed", then: "! xrdpfix check --json | grep -q Geheim77; ! xrdpfix show | grep -q Geheim77",
	},
	{
		name: "upgrade-leftover", why: "upgrade the package and keep the old file", kind: alone, runs: true,
		plant:  "sed 's/^security_layer=.*/security_layer=tls/' xrdp.ini >xrdp.ini.dpkg-dist; cp xrdp.ini xrdp.ini.dpkg-old; cp xrdp.ini xrdp.ini.ucf-old",
		before: "ok", codes: "ini-upgrade-leftover",
	},
	{
		name: "upgrade-leftovers", why: "find the leftovers of every packager", kind: alone, long: true,
		plant: `for x in dpkg-new ucf-dist ucf-new rpmnew rpmsave; do sed 's/^crypt_level=.*/crypt_level=low/' xrdp.ini >xrdp.ini.$x; done
cp sesman.ini sesman.ini.dpkg-dist; sed '/^SessionSockdirGroup=/d; /^\[Security\]/a SessionSockdirGroup=somebody' sesman.ini >sesman.ini.rpmnew`,
		before: "ok", codes: "ini-upgrade-leftover ini-upgrade-leftover ini-upgrade-leftover ini-upgrade-leftover ini-upgrade-leftover ini-upgrade-leftover",
	},
	{
		name: "drift", why: "edit the file after xrdpfix did", kind: alone,
		plant:  "ini security_layer ssl; xrdpfix apply --quiet; ini crypt_level fips",
		before: "ok", codes: "ini-drift",
	},
	{
		name: "mounted-alone", why: "mount the file alone into a container", kind: refused, says: "not-replaceable", runs: true,
		plant: "ini security_layer rdp; cp -p xrdp.ini /run/outside.ini; mount --bind /run/outside.ini xrdp.ini",
		codes: "ini-not-replaceable security-layer-rdp",
	},
	{
		name: "another-xrdp", why: "run a second xrdp, with a file and a port of its own, that is older than the first", kind: fixed,
		plant: `sed 's/^port=.*/port=3390/' xrdp.ini >other.ini; rm -f /etc/default/xrdp
systemctl stop xrdp
systemd-run --quiet --unit=another /usr/sbin/xrdp --nodaemon -c /etc/xrdp/other.ini; up 3390; sleep 1
ini security_layer rdp; systemctl start xrdp`,
		codes: "security-layer-rdp", plan: "xrdp.ini:security_layer", then: "grep -q '^security_layer=negotiate' xrdp.ini; systemctl is-active --quiet another",
	},
	{
		name: "option-config", why: "start xrdp with another file: XRDP_OPTIONS=-c", kind: fixed,
		plant: "cp -p xrdp.ini other.ini; sed -i 's/^security_layer=.*/security_layer=rdp/' other.ini; echo 'XRDP_OPTIONS=\"-c /etc/xrdp/other.ini\"' >/etc/default/xrdp; restart",
		codes: "security-layer-rdp", plan: "other.ini:security_layer",
	},
	{
		name: "vsock-only", why: "run the Hyper-V scripts that leave vsock as the only way in", kind: alone, runs: true, down: true,
		not:   map[lab.Suite]string{lab.Trixie: "its xrdp ends where the kernel has no vsock, and that of the lab has none"},
		plant: "ini port 'vsock://-1:3389'; ini security_layer rdp; ini crypt_level none; restart || { sleep 2; restart; }; sleep 2", before: "transport-failed", codes: "port-loopback-only",
	},
	{
		name: "log-unwritable", why: "give the log to root", kind: manual, down: true, not: map[lab.Suite]string{
			lab.Trixie: "its xrdp opens the log as root", lab.Sid: "its xrdp opens the log as root",
		},
		plant: "chown root:root /var/log/xrdp.log; chmod 600 /var/log/xrdp.log; systemctl restart xrdp || true; over xrdp", before: "transport-failed", codes: "log-unwritable",
	},
	{
		name: "sesman-dead", why: "lose xrdp-sesman: TLS works, nobody can log in", kind: manual,
		plant: "systemctl kill -s KILL xrdp-sesman; over xrdp-sesman; systemctl is-active --quiet xrdp", before: "ok", codes: "sesman-unreachable",
		run: "systemctl start xrdp-sesman",
	},
	{
		name: "port-pending", why: "change the port and restart nothing", kind: manual,
		plant: "ini port 3390; restart; up 3390; ini port 3389", down: true, client: []string{"/sec:tls", "/v:127.0.0.1:3390"}, before: "ok",
		codes: "restart-pending", after: []string{"/sec:tls", "/v:127.0.0.1:3389"},
	},
	{
		name: "disabled-enabled", why: "disable xrdp, and be told how to enable it", kind: alone, long: true, runs: true, plant: "systemctl disable --quiet xrdp",
		before: "ok", codes: "service-disabled",
	},
}
