// Package service asks systemd about units and has it start, stop and restart
// them, over D-Bus, and tells from the kernel's tables when a service accepts
// connections.
//
// A job is over when systemd says so, and its result is an error unless it is
// "done". That proves neither that the daemon listens nor that it works: see
// WaitAccepting. Where there is no systemd, Open says so with ErrNoSystemd and
// nothing else of the package but the socket tables is of use.
package service
