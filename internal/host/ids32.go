//go:build 386 || arm

package host

import "golang.org/x/sys/unix"

// The calls that take ids of 32 bits; those without a number take 16.
const (
	sysSetgroups = unix.SYS_SETGROUPS32
	sysSetfsuid  = unix.SYS_SETFSUID32
	sysSetfsgid  = unix.SYS_SETFSGID32
)
