// Package atomicfile reads and replaces single files under a root directory, as
// root, in places where other users may own a directory, plant a link or swap
// what they own at any moment.
//
// It promises three things. A path is resolved inside the root, links included,
// and every step after the resolution is relative to a directory that is held
// open, so that nobody can redirect it. A file is replaced whole: whoever opens
// it meets the old bytes or the new ones, also after a crash, and the new file
// never grants more than its final owner, mode and attributes do, not even for a
// moment. Something that is not a regular file is refused before it is opened,
// and reading is bounded.
//
// It does not lock, does not keep backups and does not promise atomicity over
// more than one file; that is the caller's. Rename is atomic only on a file
// system of this machine; NFS is outside the promise. A Root may be used by
// several goroutines, but two that write the same file race as two processes do.
package atomicfile
