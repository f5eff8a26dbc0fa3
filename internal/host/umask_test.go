package host

import "golang.org/x/sys/unix"

// What a test makes has the modes that it expects, whatever the umask of the caller.
func init() { unix.Umask(0o022) }
