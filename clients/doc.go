// Package clients tells which RDP clients can connect to a server, what each gets, and whose move it is where one cannot.
//
// A Profile is a client as data: what it requests, which TLS versions, cipher suites and keys it knows, what it makes of a
// certificate. Each says where it comes from: captured from the real program, or documented by its maker. A client of which
// neither is true is listed and never judged.
//
// Table judges the profiles by the few connections of a survey. What they do not decide stays open, and is decided by
// sending the profile's own ClientHello (Ask, Decide, AskAll), which is all that connects here.
package clients
