package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"xrdpfix/handout"
	"xrdpfix/internal/plaintext"
)

// writeHandout writes the files, 0644, into a directory that is made where it is
// not there. Unless force says so no file is replaced, and then none is written
// at all. It never writes through a link: a file is made anew under its name. A
// directory or a device under that name is somebody's, and is not replaced.
func writeHandout(dir string, files []handout.File, force bool) ([]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	for _, f := range files {
		name := filepath.Join(dir, f.Name)
		switch info, err := os.Lstat(name); {
		case err != nil:
		case info.Mode().Type()&^fs.ModeSymlink != 0:
			return nil, fmt.Errorf("%s: %w", name, errNotFile)
		case !force:
			return nil, fmt.Errorf("%s: %w", name, fs.ErrExist)
		}
	}
	var written []string
	for _, f := range files {
		name := filepath.Join(dir, f.Name)
		if force {
			// os.Remove would take an empty directory, too.
			if err := syscall.Unlink(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return written, &fs.PathError{Op: "replace", Path: name, Err: err}
			}
		}
		if err := writeNew(name, f.Data); err != nil {
			return written, err
		}
		written = append(written, name)
	}
	return written, nil
}

// errNotFile: what stands under the name of a file is none.
var errNotFile = errors.New("not a file")

func writeNew(name string, data []byte) error {
	out, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = out.Write(data)
	if err = errors.Join(err, out.Chmod(0o644), out.Close()); err != nil {
		_ = os.Remove(name) // half a file is none
	}
	return err
}

// clientCommand is the command line of the same handout, written into out.
func (a *app) clientCommand(kind handout.Kind, flags clientFlags, out string) string {
	words := "client " + string(kind)
	for _, f := range [][2]string{{"server", flags.server}, {"user", flags.user}, {"out", out}} {
		if f[1] != "" {
			words += " --" + f[0] + " " + plaintext.ShellWord(f[1])
		}
	}
	return a.next(words)
}

// handoutFailure gives an error of writing its exit code.
func (a *app) handoutFailure(err error, kind handout.Kind, flags clientFlags) error {
	switch {
	case errors.Is(err, fs.ErrExist):
		return fail(7, reasonConflict, fmt.Errorf("%w; nothing was written", err), a.clientCommand(kind, flags, flags.out)+" --force   replaces it")
	case errors.Is(err, errNotFile):
		return fail(7, reasonConflict, fmt.Errorf("%w; nothing was written", err), "move it away, or name another directory with --out")
	}
	return a.outFailure(flags.out, err)
}

func (a *app) showHandout(p *page, h handout.Handout, s handout.Server, written []string, flags clientFlags) {
	p.para(clean(s.Address()) + " for " + h.Title)
	if s.SHA256 != "" {
		showFingerprint(p, 2, "SHA256", s.SHA256)
		showFingerprint(p, 2, "SHA1", s.SHA1)
	}
	for _, w := range h.Warnings {
		p.blank()
		p.block(9, "Warning", clean(w))
	}
	p.blank()
	for i, st := range h.Steps {
		p.block(4, fmt.Sprintf("%2d.", i+1), clean(st.Text))
		switch {
		case st.Field:
			p.linef("    %s", clean(st.Command))
		case st.Command != "":
			p.linef("    $ %s", clean(st.Command))
		}
	}
	for _, n := range h.Notes {
		p.blank()
		p.para(clean(n))
	}
	p.blank()
	if written != nil {
		p.linef("Written into %s", clean(flags.out))
	} else {
		p.linef("Files, not written")
	}
	wide := 0
	for _, f := range h.Files {
		wide = max(wide, min(len(f.Name), 36))
	}
	for _, f := range h.Files {
		p.block(wide+4, "  "+clean(f.Name), f.For)
	}
	p.blank()
	next := "Next: the steps, on the client"
	if written == nil {
		next = "Next: " + whole(clean(a.clientCommand(h.Kind, flags, "DIR")))
	}
	if a.quit.Code != 0 {
		next = "Next: " + whole("xrdpfix check") + ", on the server"
	}
	p.para(fmt.Sprintf("%s (exit %d)", next, a.quit.Code))
}
