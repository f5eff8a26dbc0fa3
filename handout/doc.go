// Package handout makes what the other side needs to connect to one server: files
// and steps for each kind of client. Values go in, files come out; nothing here
// touches a disk or a network.
//
// Some of the values come from a network: a name, a certificate and what it says
// about itself. Each of them is escaped for the place where it ends up, see
// sink.go.
package handout
