// Package logwatch knows what xrdp.log says: it reads lines of every format
// that xrdp 0.9 and 0.10 write, recognises the messages that bear on security
// negotiation, puts lines together to connections, and finds the lines that
// were written since a mark, over any log rotation.
//
// # What may be believed
//
// Remote clients write into this log before anybody has authenticated: the
// computer name of [MS-RDPBCGR] 2.2.1.3.2 appears in a line of its own, and
// user names appear in others. Patterns are therefore anchored at both ends
// and each field has an exact class of characters, so that a name cannot make
// one message look like another. A name that contains a line feed can still
// begin a line: xrdp writes it as it came. The computer name (at most 15
// characters) is too short for the time stamp that [ParseLine] demands; a user
// name is not. So a line alone is never proof: a verdict rests on the line
// "TLS connection established from ADDRESS PORT" of a connection whose source
// port the asker chose, beside what the same connection saw on the wire.
//
// # What grouping can do
//
// xrdp.log has no process ids by default, and the lines of connections that
// overlap are mixed. [Grouper] gives a line to a connection only when it can
// belong to no other open one; otherwise the connections that it may belong to
// are marked Interleaved and keep it under Maybe. How many of them are at which
// stage stays known, so that the doubt ends with the last of them. With
// EnableProcessId=true, or in the journal, grouping is exact.
//
// The package reads files and the directory they are in. It writes nothing,
// prints nothing and keeps no state of its own.
package logwatch
