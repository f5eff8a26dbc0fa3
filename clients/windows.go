package clients

import (
	"crypto/tls"

	"xrdpfix/probe"
)

// What Microsoft documents.
const (
	linkRequests = "https://learn.microsoft.com/openspecs/windows_protocols/ms-rdpbcgr/902b090b-9cb3-4efc-92bf-ee13373371e3"
	linkVersions = "https://learn.microsoft.com/windows/win32/secauthn/protocols-in-tls-ssl--schannel-ssp-"
	linkSuites   = "https://learn.microsoft.com/windows/win32/secauthn/tls-cipher-suites-in-windows-"
	linkRDPFile  = "https://learn.microsoft.com/windows-server/remote/remote-desktop-services/clients/rdp-files"
)

// What mstsc requests ([MS-RDPBCGR] 2.2.1.1.1): PROTOCOL_HYBRID_EX since RDP 8.1.
var (
	mstsc7  = []probe.Protocol{probe.ProtocolSSL | probe.ProtocolHybrid}
	mstsc81 = []probe.Protocol{probe.ProtocolSSL | probe.ProtocolHybrid | probe.ProtocolHybridEx}
)

// The suites that Schannel enables by default, in its order; those that no server here could have (DSS, NULL) are left out.
var (
	// suites7 are those of Windows 7 and 8.1 as updated (KB3042058, KB2919355): no ECDHE_RSA with GCM.
	suites7 = []uint16{
		0xc028, 0xc027, 0xc014, 0xc013, // ECDHE_RSA with CBC
		0x009f, 0x009e, 0x0039, 0x0033, // DHE_RSA
		0x009d, 0x009c, 0x003d, 0x003c, 0x0035, 0x002f, // RSA
		0xc02c, 0xc02b, 0xc024, 0xc023, 0xc00a, 0xc009, // ECDHE_ECDSA
		0x000a, 0x0005, 0x0004, // 3DES, RC4
	}
	// suites7TLS10 are those of suites7 that TLS 1.0 can have.
	suites7TLS10 = []uint16{0xc014, 0xc013, 0x0039, 0x0033, 0x0035, 0x002f, 0xc00a, 0xc009, 0x000a, 0x0005, 0x0004}
	suites10     = []uint16{
		0xc02c, 0xc02b, 0xc030, 0xc02f, 0xc024, 0xc023, 0xc028, 0xc027,
		0xc00a, 0xc009, 0xc014, 0xc013, 0x009d, 0x009c, 0x003d, 0x003c, 0x0035, 0x002f, 0x000a,
	}
	suites11 = []uint16{
		0x1302, 0x1301, 0xc02c, 0xc02b, 0xc030, 0xc02f, 0x009f, 0x009e, 0xc024, 0xc023, 0xc028, 0xc027,
		0xc00a, 0xc009, 0xc014, 0xc013, 0x009d, 0x009c, 0x003d, 0x003c, 0x0035, 0x002f, 0x000a,
	}
)

// What the suites need: their names say RSA and ECDSA with SHA-1, SHA-256 and SHA-384, TLS 1.3 demands RSA-PSS
// (RFC 8446 section 9.1). Schannel has no Ed25519.
var (
	schemes7 = []tls.SignatureScheme{tls.PKCS1WithSHA256, tls.PKCS1WithSHA384, tls.PKCS1WithSHA1,
		tls.ECDSAWithP256AndSHA256, tls.ECDSAWithP384AndSHA384, tls.ECDSAWithSHA1}
	schemes10 = append([]tls.SignatureScheme{tls.PSSWithSHA256, tls.PSSWithSHA384, tls.PSSWithSHA512}, schemes7...)
)

// The curves are the endings of the suites' names up to Windows 8.1, and "TLS Elliptic Curves in Windows 10" after that.
var (
	curves7  = []tls.CurveID{tls.CurveP256, tls.CurveP384}
	curves10 = []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384}
)

func versionsTo(highest probe.TLSVersion) []probe.TLSVersion {
	var list []probe.TLSVersion
	for _, v := range probe.TLSVersions() {
		if v <= highest {
			list = append(list, v)
		}
	}
	return list
}

// windows are the versions of mstsc. That one goes on with classic RDP security, after a warning, is the meaning of
// "authentication level:i:2", with which it is delivered.
func windows() []Profile {
	one := func(key, name, kind, list string, requests []probe.Protocol, highest probe.TLSVersion, hello probe.ClientHello) Profile {
		p := Profile{
			Key: key, Name: name, Kind: kind, Known: Documented, Of: "Microsoft: cipher suites of Schannel, [MS-RDPBCGR]",
			Links:    []string{linkSuites + list, linkVersions, linkRequests, linkRDPFile},
			Requests: requests, NLA: true, Classic: true, Trust: TrustAsks, Versions: versionsTo(highest), Hello: hello,
		}
		p.Hello.Versions = p.Versions
		p.Hello.RenegotiationOK, p.Hello.ExtendedMaster = true, true
		return p
	}
	hello7 := probe.ClientHello{CipherSuites: suites7, Groups: curves7, SignatureSchemes: schemes7}
	return []Profile{
		one("win11", "Windows 11, mstsc", "windows", "11", mstsc81, tls.VersionTLS13, probe.ClientHello{
			CipherSuites: suites11, Groups: curves10, KeyShares: curves10[:2], SignatureSchemes: schemes10}),
		one("win10", "Windows 10, mstsc", "windows", "10-v22h2", mstsc81, tls.VersionTLS12, probe.ClientHello{
			CipherSuites: suites10, Groups: curves10, SignatureSchemes: schemes10}),
		one("win81", "Windows 8.1", "windows", "8-1", mstsc81, tls.VersionTLS12, hello7),
		one("win7-tls12", "Windows 7, TLS 1.2 on", "win7", "7", mstsc7, tls.VersionTLS12, hello7),
		one("win7", "Windows 7, as delivered", "win7", "7", mstsc7, tls.VersionTLS10, probe.ClientHello{
			CipherSuites: suites7TLS10, Groups: curves7}),
	}
}
