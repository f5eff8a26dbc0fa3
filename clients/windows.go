package clients

import (
	"crypto/tls"

	"xrdpfix/probe"
)

// What Microsoft documents.
//
// What it does not say, and nobody here could capture: the order and the whole of the extensions, the signature schemes,
// which mstsc began to send PROTOCOL_HYBRID_EX (to xrdp, which looks at PROTOCOL_SSL alone, it makes no difference), and
// what "authentication level" mstsc is delivered with.
const (
	linkRequests = "https://learn.microsoft.com/openspecs/windows_protocols/ms-rdpbcgr/902b090b-9cb3-4efc-92bf-ee13373371e3"
	linkVersions = "https://learn.microsoft.com/windows/win32/secauthn/protocols-in-tls-ssl--schannel-ssp-"
	linkSuites   = "https://learn.microsoft.com/windows/win32/secauthn/tls-cipher-suites-in-windows-"
	linkCurves   = "https://learn.microsoft.com/windows/win32/secauthn/tls-elliptic-curves-in-windows-10-1607-and-later"
	linkClassic  = "https://learn.microsoft.com/windows/win32/termserv/imsrdpclientnonscriptable3-negotiatesecuritylayer"
	linkRDPFile  = "https://learn.microsoft.com/windows-server/remote/remote-desktop-services/clients/rdp-files"
)

// What mstsc requests ([MS-RDPBCGR] 2.2.1.1.1). That PROTOCOL_HYBRID_EX came with RDP 8.1 is not documented there.
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
	// suites10 are those of 22H2. Older ones had DHE_RSA with GCM and 3DES beside them.
	suites10 = []uint16{
		0xc02c, 0xc02b, 0xc030, 0xc02f, 0xc024, 0xc023, 0xc028, 0xc027,
		0xc00a, 0xc009, 0xc014, 0xc013, 0x009d, 0x009c, 0x003d, 0x003c, 0x0035, 0x002f,
	}
	// suites11 are those of 22H2 and later. 21H2, no longer maintained, had DHE_RSA with GCM and 3DES beside them.
	suites11 = append([]uint16{0x1302, 0x1301}, suites10...)
)

// What the suites need, for the schemes themselves are not documented: the names of the suites say RSA and ECDSA with SHA-1, SHA-256 and SHA-384, TLS 1.3 demands RSA-PSS
// (RFC 8446 section 9.1). Schannel has no Ed25519.
var (
	schemes7 = []tls.SignatureScheme{tls.PKCS1WithSHA256, tls.PKCS1WithSHA384, tls.PKCS1WithSHA1,
		tls.ECDSAWithP256AndSHA256, tls.ECDSAWithP384AndSHA384, tls.ECDSAWithSHA1}
	schemes10 = append([]tls.SignatureScheme{tls.PSSWithSHA256, tls.PSSWithSHA384, tls.PSSWithSHA512}, schemes7...)
)

// The curves are the endings of the suites' names up to Windows 8.1, and "TLS Elliptic Curves in Windows 10" after that; those of
// Windows 11 have no page of their own and are taken to be the same.
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

// windows are the versions of mstsc. That one goes on with classic RDP security is documented (linkClassic: it negotiates
// between NLA and that, unless it was told not to); that it warns before is what "authentication level:i:2" means, which
// the files that it writes have, and no document gives as its default.
func windows() []Profile {
	one := func(key, name, kind, list string, requests []probe.Protocol, highest probe.TLSVersion, hello probe.ClientHello) Profile {
		p := Profile{
			Key: key, Name: name, Kind: kind, Known: Documented, Of: "Microsoft's pages on Schannel, [MS-RDPBCGR] and .rdp files; never run here",
			Links:    []string{linkSuites + list, linkVersions, linkRequests, linkClassic, linkRDPFile},
			Requests: requests, NLA: true, Classic: true, Trust: TrustAsks, Versions: versionsTo(highest), Hello: hello,
		}
		if len(hello.Groups) == len(curves10) {
			p.Links = append(p.Links, linkCurves)
		}
		p.Hello.Versions = p.Versions
		p.Hello.RenegotiationOK, p.Hello.ExtendedMaster = true, true
		return p
	}
	hello7 := probe.ClientHello{CipherSuites: suites7, Groups: curves7, SignatureSchemes: schemes7}
	return []Profile{
		one("win11", "Windows 11, mstsc", "windows", "11-v22h2", mstsc81, tls.VersionTLS13, probe.ClientHello{
			CipherSuites: suites11, Groups: curves10, KeyShares: curves10[:2], SignatureSchemes: schemes10}),
		one("win10", "Windows 10, mstsc", "windows", "10-v22h2", mstsc81, tls.VersionTLS12, probe.ClientHello{
			CipherSuites: suites10, Groups: curves10, SignatureSchemes: schemes10}),
		one("win81", "Windows 8.1", "windows", "8-1", mstsc81, tls.VersionTLS12, hello7),
		one("win7-tls12", "Windows 7, TLS 1.2 on", "win7", "7", mstsc7, tls.VersionTLS12, hello7),
		one("win7", "Windows 7, as delivered", "win7", "7", mstsc7, tls.VersionTLS10, probe.ClientHello{
			CipherSuites: suites7TLS10, Groups: curves7}),
	}
}
