// Package probe asks an RDP port what security it offers, from the wire and without credentials.
//
// Run makes one connection and takes it as far as asked: X.224 negotiation, TLS handshake, MCS Connect-Initial, Erect
// Domain, Attach User and Channel Join ([MS-RDPBCGR] 1.3.1.1). A connection that gets to the end makes xrdp log
// "TLS connection established from" (or "Non-TLS connection established from") with the local address and port that
// Result.Local holds, which ties xrdp's log to the wire (xrdp: libxrdp/xrdp_rdp.c, xrdp_rdp_incoming). Survey makes the
// few connections that decide what a server accepts.
//
// What goes wrong is a result and never an error: Result.Failure says at which stage, of which closed kind, and with
// which TLS alert. Nothing is retried, nothing is judged: certificates are reported as served and verified by nobody.
//
// The other side is not trusted. Every length is checked before memory is taken for it, what one connection may deliver
// is bounded, and a server that stalls, drips or never stops costs the time allowed for that stage.
package probe
