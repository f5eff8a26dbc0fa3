// Package clientele tells what a change of policy would mean to the clients that
// xrdp.log has seen: who keeps what they have, who loses access, who gains TLS,
// and about whom nothing can be said. It also names the strictest policy that
// loses nobody.
//
// # What the log can prove
//
// xrdp.log tells which TLS version a connection got, not which the client knows.
// The best that both know is always chosen, so a client that was given TLS 1.2
// while TLS 1.3 was on offer knows no TLS 1.3. That 1.3 was on offer is known
// where somebody else was given it within a day before and a day after, or
// where the wire accepts it now and xrdp.ini has not changed since. Whoever was
// given TLS 1.2 at any other time is "unknown".
//
// A client is an address and the name that the client gave. The address may
// stand for many machines (NAT), and the name is the client's own claim.
//
// The package is pure: values in, values out.
package clientele
