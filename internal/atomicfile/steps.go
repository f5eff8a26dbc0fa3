package atomicfile

import "golang.org/x/sys/unix"

// Step is one directory entry on the way of a path: what a process that opens
// the path must be allowed to pass, or to read if it is the last one.
type Step struct {
	Path string `json:"path"` // inside the root, links on the way to it resolved
	Kind Kind   `json:"kind"`
	Mode Mode   `json:"mode"`
	UID  int    `json:"uid"`
	GID  int    `json:"gid"`
	// Target is what a symbolic link says.
	Target string `json:"target,omitempty"`
	// ACL is the value of system.posix_acl_access, nil if there is none beyond
	// the mode. Its layout is that of linux/posix_acl_xattr.h.
	ACL []byte `json:"acl,omitempty"`
}

// Steps walks path, following links, and returns every entry that was looked at,
// in order, beginning with the root. When the walk stops early the steps so far
// come with the error: fs.ErrNotExist, fs.ErrPermission, ELOOP, ENOTDIR. Any
// link is followed, whoever owns it.
func (r *Root) Steps(path string) ([]Step, error) {
	p, err := r.walk(path, true)
	if err != nil {
		return p.steps, pathError("resolve", path, err)
	}
	defer p.close()
	if !p.exists() {
		return p.steps, pathError("resolve", path, unix.ENOENT)
	}
	return p.steps, nil
}

// Resolve returns the real path, inside the root, of an existing file.
func (r *Root) Resolve(path string) (string, error) {
	p, err := r.walk(path, true)
	if err != nil {
		return "", pathError("resolve", path, err)
	}
	defer p.close()
	if !p.exists() {
		return "", pathError("resolve", path, unix.ENOENT)
	}
	return p.path, nil
}

func (w *walker) record(path string, fd int, target string) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	step := Step{
		Path: path, Kind: kindOf(st.Mode), Mode: Mode(st.Mode & modeBits),
		UID: int(st.Uid), GID: int(st.Gid), Target: target,
	}
	if step.Kind == KindDir || step.Kind == KindFile {
		// Whether there is an ACL cannot be asked everywhere; then the mode has
		// to do, whose group bits are the ACL's mask.
		step.ACL, _ = readXattr(fd, xattrACL)
	}
	w.place.steps = append(w.place.steps, step)
	return nil
}
