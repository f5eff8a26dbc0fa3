package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"xrdpfix/internal/atomicfile"
	"xrdpfix/internal/plaintext"
)

// createNew makes a file that somebody named for the output, before anything is looked
// at or made: one that exists, or that cannot be written, is known at once. A link is
// never written through.
func (a *app) createNew(name string, mode fs.FileMode) (*os.File, error) {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return nil, a.outFailure(name, err)
	}
	return file, nil
}

// outFailure gives an error of writing what somebody named its exit status, and says
// what to do about it.
func (a *app) outFailure(name string, err error) error {
	wanted := filepath.Dir(filepath.Clean(name))
	dir := wanted
	for { // the part of the way that is there
		if _, statErr := os.Lstat(dir); statErr == nil || dir == "/" || dir == "." {
			break
		}
		dir = filepath.Dir(dir)
	}
	at := plaintext.ShellWord(dir)
	switch {
	case errors.Is(err, fs.ErrExist):
		return fail(2, reasonUsage, err, "name a file that does not exist yet")
	case errors.Is(err, fs.ErrPermission) && os.Geteuid() != 0:
		return fail(6, reasonNotPermitted, err, "name a place where you may write; who may do so there: ls -ld "+at)
	case errors.Is(err, fs.ErrPermission): // immutable, or a file system of another machine
		return fail(6, reasonNotPermitted, err, "not even root may write there: lsattr -d "+at)
	case errors.Is(err, fs.ErrNotExist) && dir != wanted:
		return fail(1, reasonInternal, err, "mkdir -p "+plaintext.ShellWord(wanted))
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EISDIR), errors.Is(err, atomicfile.ErrNotRegular), errors.Is(err, atomicfile.ErrNotReplaceable):
		return fail(2, reasonUsage, err, "name another place; what is there: ls -ld "+plaintext.ShellWord(name)+" "+at)
	case errors.Is(err, syscall.EROFS):
		return fail(1, reasonInternal, err, "name a place that can be written; this one is mounted read-only: findmnt -T "+at)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fail(1, reasonInternal, err, "make room, or name another place: df -h "+at)
	}
	return fail(1, reasonInternal, fmt.Errorf("write %s: %w", name, err), "name another place; what is there: ls -ld "+at)
}
