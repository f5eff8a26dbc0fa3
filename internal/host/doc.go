// Package host looks at the real machine for the diagnosis: accounts, the way
// of the daemon to a file, processes, sockets, live desktops, the installed
// xrdp and what the operating system calls itself.
//
// Functions that read files take a root directory: "" or "/" is the live
// machine, anything else is an offline tree, in which every path, symbolic link
// and account name is resolved inside that tree. Functions that look at running
// things take a [Proc]. Nothing here changes the machine, every read is
// bounded, and a thing that is not what it should be (a FIFO in place of a
// file, a line without end) is an error and never a hang.
package host
