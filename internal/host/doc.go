// Package host is the real machine: what the diagnosis looks at, and the effects
// that a repair has.
//
// It looks at accounts, the way of the daemon to a file, processes, sockets, live
// desktops, firewalls, the installed xrdp and what the operating system calls itself.
// Functions that read files take a root directory: "" or "/" is the live machine,
// anything else is an offline tree, in which every path, symbolic link and account
// name is resolved inside that tree. Functions that look at running things take a
// [Proc]. Looking changes nothing, every read is bounded, and a thing that is not what
// it should be (a FIFO in place of a file, a line without end) is an error and never a
// hang.
//
// What changes the machine is what package repair asks for: [System] makes the
// effects, [Store] keeps the journals, [Timers] undo what has a deadline, and [Lock]
// keeps a second xrdpfix away.
package host
