// Package explain says in plain words what a message means that somebody met on
// the way to a desktop, and what to do about it: our finding codes, the codes
// and messages of the usual clients, Windows events and status values, lines of
// xrdp.log, and the steps of the well-known guide. The texts are data; nothing
// here touches a machine or a network.
//
// What is recognised is stated; what is not is never guessed: the nearest
// entries are offered under their own names.
package explain
