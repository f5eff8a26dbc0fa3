package atomicfile

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Options tell Write what to do about what is there already.
type Options struct {
	// FollowLink makes a symbolic link at the end of the path stand for the
	// file that it leads to: that file is replaced and the link stays. Without
	// it the link itself is replaced, and its target is not touched.
	FollowLink bool
	// Expect, if not nil, is what must still be there: what Stat (with
	// FollowLink) or Lstat said when the decision was made. Otherwise the write
	// is refused with ErrChanged. A State that does not exist means that nothing
	// may be there, and nothing that appears meanwhile is overwritten.
	Expect *State
}

// Write gives the file at path the bytes and attributes that are passed, or
// creates it, atomically, and returns the new state. The directory must exist.
// After any error but ErrNotDurable the old file is as it was, and no temporary
// file is left; a process that is killed may leave one, which RemoveTemps knows.
//
// The order of the steps carries the promise:
//
//   - The temporary file is created in the same directory under a name that
//     cannot be guessed, with O_EXCL and O_NOFOLLOW, owned by the caller, with no
//     permission but the owner's share of the final mode. ACLs that it inherits
//     from the directory go at once, because a later chmod would bring them to
//     life (the group bits are an ACL's mask).
//   - The security label comes before the bytes: it only restricts.
//   - Owner, mode, ACLs and the rest come after the bytes, in this order. The file
//     belongs to the final owner before it opens to anyone else, so at no moment
//     does it grant more than at the end, and nobody meets half of it even under
//     its temporary name. Not before the bytes: a write clears setuid bits and
//     file capabilities, and a new owner could write between us.
//   - What the file system really kept is compared with what was asked for; one
//     that ignores chmod must not get a key.
//   - The file is synced before the rename: otherwise a crash may leave the new
//     name with no bytes behind it (delayed allocation). The directory is synced
//     after, to make the rename itself last.
func (r *Root) Write(path string, data []byte, attr Attr, opts Options) (State, error) {
	s, err := r.write(path, attr, opts, func(t *temp) error { return t.writeFile(data, attr) })
	if err == nil || errors.Is(err, ErrNotDurable) {
		sum := sha256.Sum256(data)
		s.SHA256 = hex.EncodeToString(sum[:])
	}
	return s, pathError("write", path, err)
}

// Symlink puts a symbolic link that says target at path, atomically, in place of
// a file or link that is there. Of attr, links take owner, group and security label.
// Options.FollowLink is not for links and is refused with EINVAL.
func (r *Root) Symlink(target, path string, attr Attr, opts Options) (State, error) {
	if opts.FollowLink {
		return State{}, pathError("symlink", path, unix.EINVAL)
	}
	s, err := r.write(path, attr, opts, func(t *temp) error { return t.writeLink(target, attr) })
	if s.Exists {
		s.Target = target
	}
	return s, pathError("symlink", path, err)
}

func (r *Root) write(path string, attr Attr, opts Options, fill func(*temp) error) (State, error) {
	p, err := r.walk(path, opts.FollowLink)
	if err != nil {
		return State{}, err
	}
	defer p.close()
	if err := p.replaceable(); err != nil {
		return State{}, err
	}
	if err := p.expected(opts.Expect); err != nil {
		return State{}, err
	}
	// Opened first, because a directory that cannot be synced must be known
	// before anything changes.
	sync, err := openRetry(p.dir, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return State{}, fmt.Errorf("open directory: %w", err)
	}
	defer func() { _ = unix.Close(sync) }()

	t := &temp{root: r, dir: p.dir, name: tempName(), fd: -1}
	defer t.close()
	if err := fill(t); err != nil {
		t.discard()
		return State{}, replaceFault(p.path, err)
	}
	if err := t.rename(p, opts.Expect); err != nil {
		t.discard()
		return State{}, replaceFault(p.path, err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(t.fd, &st); err != nil {
		return State{}, err
	}
	s := stateOf(p.path, &st)
	if s.Xattrs, err = readXattrs(t.fd); err != nil {
		return s, err
	}
	return s, r.syncDir(sync)
}

func (r *Root) syncDir(fd int) error {
	err := r.changing("fsync directory", "")
	if err == nil {
		err = unix.Fsync(fd)
	}
	if err == nil || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) {
		// Some network and FUSE file systems have nothing to sync a directory to.
		return nil
	}
	return fmt.Errorf("%w: %w", ErrNotDurable, err)
}

// expected refuses a place that is no longer what the caller decided upon; nil
// expects nothing.
func (p *place) expected(want *State) error {
	if want == nil {
		return nil
	}
	now, err := p.state()
	if err != nil {
		return fmt.Errorf("compare with the expected state: %w", err)
	}
	if !now.Same(*want) {
		return ErrChanged
	}
	return nil
}
