//go:build !386 && !arm

package host

import "golang.org/x/sys/unix"

// The calls that take ids of 32 bits.
const (
	sysSetgroups = unix.SYS_SETGROUPS
	sysSetfsuid  = unix.SYS_SETFSUID
	sysSetfsgid  = unix.SYS_SETFSGID
)
