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

// diskHint says what to do where a disk is full or read-only, whatever was written:
// "" where that is not the matter.
func diskHint(err error) string {
	var at *fs.PathError
	if !errors.As(err, &at) {
		return ""
	}
	dir := plaintext.ShellWord(there(filepath.Dir(at.Path)))
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "make room, then try again: df -h " + dir
	case errors.Is(err, syscall.EROFS):
		return "mounted read-only: findmnt -T " + dir
	}
	return ""
}

// there is the part of a path that is there.
func there(dir string) string {
	for {
		if _, err := os.Lstat(dir); err == nil || dir == "/" || dir == "." {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

// outFailure gives an error of writing what somebody named its exit status, and says
// what to do about it.
func (a *app) outFailure(name string, err error) error {
	wanted := filepath.Dir(filepath.Clean(name))
	dir := there(wanted)
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
