//go:build lab

package clients_test

// truthPairs makes the certificates and keys of the rows, readable by every daemon.
const truthPairs = `
mkdir -p /etc/xrdp/t && cd /etc/xrdp/t
make() { name=$1; shift; openssl req -x509 -nodes -keyout $name.key -out $name.pem -days 30 -subj /CN=$name "$@" 2>/dev/null; }
make rsa2048 -newkey rsa:2048
make rsa1024 -newkey rsa:1024
make rsa3072 -newkey rsa:3072
make rsa4096 -newkey rsa:4096
make other -newkey rsa:2048
make p256 -newkey ec -pkeyopt ec_paramgen_curve:P-256
make p384 -newkey ec -pkeyopt ec_paramgen_curve:P-384
make p521 -newkey ec -pkeyopt ec_paramgen_curve:P-521
make ed25519 -newkey ed25519
make sha1 -newkey rsa:2048 -sha1
make sha512 -newkey rsa:2048 -sha512
make ca -newkey rsa:2048
openssl req -new -nodes -newkey rsa:2048 -keyout issued.key -subj /CN=issued 2>/dev/null |
openssl x509 -req -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -out issued.pem 2>/dev/null
cat ca.pem >>issued.pem
make clientauth -newkey rsa:2048 -addext extendedKeyUsage=clientAuth
openssl req -x509 -key rsa2048.key -out expired.pem -subj /CN=expired -days 1 -not_before 20200101000000Z -not_after 20200201000000Z 2>/dev/null ||
openssl x509 -in rsa2048.pem -signkey rsa2048.key -days -1 -out expired.pem 2>/dev/null
openssl x509 -in rsa2048.pem -outform DER -out rsa2048.der
chmod 0755 .; chmod 0644 *
install -m 0000 rsa2048.key unreadable.key
`

// truthRow is one configuration of a server.
type truthRow struct {
	name     string
	settings []string
}

func pair(name string) []string {
	return []string{"certificate=/etc/xrdp/t/" + name + ".pem", "key_file=/etc/xrdp/t/" + name + ".key"}
}

func with(settings ...string) []string { return settings }

const level0 = "tls_ciphers=ALL:@SECLEVEL=0"

// truthRows are the configurations: ranges of versions, suites, keys, certificates, security layers.
var truthRows = []truthRow{
	{"stock settings", nil},
	{"1.3 only", with("ssl_protocols=TLSv1.3")},
	{"1.2 only", with("ssl_protocols=TLSv1.2")},
	{"1.0 to 1.3", with("ssl_protocols=TLSv1, TLSv1.1, TLSv1.2, TLSv1.3", level0)},
	{"1.0 to 1.2", with("ssl_protocols=TLSv1, TLSv1.1, TLSv1.2", level0)},
	{"1.0 only", with("ssl_protocols=TLSv1", level0)},
	{"1.1 only", with("ssl_protocols=TLSv1.1", level0)},
	{"1.0 and 1.1", with("ssl_protocols=TLSv1, TLSv1.1", level0)},
	{"1.0 and 1.3, a gap", with("ssl_protocols=TLSv1, TLSv1.3", level0)},
	{"1.0 listed, above the level", with("ssl_protocols=TLSv1, TLSv1.1, TLSv1.2")},
	{"no valid version", with("ssl_protocols=tls1.2")},
	{"1.2, one ECDHE GCM suite", with("ssl_protocols=TLSv1.2", "tls_ciphers=ECDHE-RSA-AES256-GCM-SHA384")},
	{"1.2, ECDHE CBC SHA-384", with("ssl_protocols=TLSv1.2", "tls_ciphers=ECDHE-RSA-AES256-SHA384")},
	{"1.2, RSA key exchange CBC", with("ssl_protocols=TLSv1.2", "tls_ciphers=AES128-SHA")},
	{"1.2, RSA key exchange GCM", with("ssl_protocols=TLSv1.2", "tls_ciphers=AES256-GCM-SHA384")},
	{"1.2, DHE", with("ssl_protocols=TLSv1.2", "tls_ciphers=DHE-RSA-AES256-GCM-SHA384")},
	{"1.2, ChaCha20", with("ssl_protocols=TLSv1.2", "tls_ciphers=ECDHE-RSA-CHACHA20-POLY1305")},
	{"1.2, Camellia", with("ssl_protocols=TLSv1.2", "tls_ciphers=CAMELLIA256-SHA")},
	{"1.2, CCM", with("ssl_protocols=TLSv1.2", "tls_ciphers=AES256-CCM")},
	{"1.2, ARIA", with("ssl_protocols=TLSv1.2", "tls_ciphers=ECDHE-ARIA256-GCM-SHA384")},
	{"1.3, Camellia for 1.2", with("tls_ciphers=CAMELLIA256-SHA")},
	{"no such cipher", with("tls_ciphers=NOSUCHCIPHER")},
	{"ECDSA suites, RSA key", with("ssl_protocols=TLSv1.2", "tls_ciphers=ECDHE-ECDSA-AES256-GCM-SHA384")},
	{"RSA 1024", pair("rsa1024")},
	{"RSA 1024, level 0", append(pair("rsa1024"), level0)},
	{"RSA 3072", pair("rsa3072")},
	{"RSA 4096", pair("rsa4096")},
	{"ECDSA P-256", pair("p256")},
	{"ECDSA P-256, 1.2", append(pair("p256"), "ssl_protocols=TLSv1.2")},
	{"ECDSA P-384", pair("p384")},
	{"ECDSA P-521", pair("p521")},
	{"Ed25519", pair("ed25519")},
	{"Ed25519, 1.2", append(pair("ed25519"), "ssl_protocols=TLSv1.2")},
	{"signed with SHA-1", pair("sha1")},
	{"signed with SHA-512", pair("sha512")},
	{"issued by a CA", pair("issued")},
	{"for clients only", pair("clientauth")},
	{"expired", with("certificate=/etc/xrdp/t/expired.pem")},
	{"not a pair", with("key_file=/etc/xrdp/t/other.key")},
	{"certificate in DER", with("certificate=/etc/xrdp/t/rsa2048.der")},
	{"key missing, negotiate", with("key_file=/nope.key")},
	{"key missing, tls", with("key_file=/nope.key", "security_layer=tls")},
	{"certificate missing, negotiate", with("certificate=/nope.pem")},
	{"tls", with("security_layer=tls")},
	{"tls, 1.3 only", with("security_layer=tls", "ssl_protocols=TLSv1.3")},
	{"tls, 1.0 only", with("security_layer=tls", "ssl_protocols=TLSv1", level0)},
	{"rdp, high", with("security_layer=rdp")},
	{"rdp, low", with("security_layer=rdp", "crypt_level=low")},
	{"rdp, fips", with("security_layer=rdp", "crypt_level=fips")},
	{"rdp, none", with("security_layer=rdp", "crypt_level=none")},
}
