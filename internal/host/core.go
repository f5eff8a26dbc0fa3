package host

import "golang.org/x/sys/unix"

// NoCore keeps the memory of this process, where keys are, from being written to
// disk when it crashes, and from other processes of its user (core(5), prctl(2)).
// Where either cannot be had the other is; neither is worth failing for.
func NoCore() {
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
}
