// Package xrdpconf reads xrdp.ini and sesman.ini by xrdp's own rules and edits
// single lines of them.
//
// xrdp has a parser of its own (common/file.c), which agrees with no general INI
// library: # and ; end a line anywhere, any [ ] pair in a line makes it a section
// header, the first section of a name is the only one, the last key of a name wins,
// nothing beyond 32 KiB or behind a line of 2,048 bytes exists, and a value that
// begins with $ is taken from the environment. The package says what the daemon
// reads, not what the file seems to say, and where the two differ it has an [Issue].
//
// An edit returns a new [File] in which only the planned lines differ: comments,
// spacing, order, line ends and a missing last newline stay. Every edit is read
// again by xrdp's rules, and cross-checked with gopkg.in/ini.v1 where that library
// understood the file before.
//
// [ReadSettings] is for ini files that are not xrdp's: there ini.v1 decides.
//
// The package knows no file system, no network and no environment: bytes and a
// lookup function come in, values come out. Nothing here fails on bad input, since
// xrdp does not either; only edits have errors.
package xrdpconf
