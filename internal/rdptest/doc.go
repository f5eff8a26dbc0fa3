// Package rdptest is an RDP server for tests: it listens on the loopback interface, goes through the connection sequence
// of [MS-RDPBCGR] 1.3.1.1 up to Channel Join, and misbehaves on request.
//
// It builds and reads its packets on its own, with offsets from the specification's annotated examples (4.1), so that a
// mistake in package probe cannot hide behind the same mistake here. Product code never imports it.
package rdptest
