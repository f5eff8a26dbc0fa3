package host

import (
	"errors"
	"io/fs"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"xrdpfix/diagnose"
)

// maxLinks is the number of symbolic links that the kernel follows on one way
// (MAXSYMLINKS in linux/namei.h).
const maxLinks = 40

// maxSteps bounds a way whose links multiply its components.
const maxSteps = 4096

// The ends that a way can have other than a file.
var (
	errDangling = errors.New("dangling link")
	errLoop     = errors.New("too many levels of symbolic links")
	errNotDir   = errors.New("not a directory")
)

// node is one component that the walk has seen.
type node struct {
	fd       int // O_PATH
	name     string
	st       unix.Stat_t
	acl      []aclEntry
	doubtful bool // the mode and the ACL may not be the whole truth
	step     int
}

// lookup is one question that the kernel asks on the way: may they search this
// directory, may they follow this link.
type lookup struct {
	node
	follow bool
	dir    unix.Stat_t // of the directory that holds the link
}

// trail is the whole way to a file as the kernel walks it.
type trail struct {
	steps    []diagnose.Step
	lookups  []lookup
	end      node // valid where ended
	ended    bool
	missing  error // fs.ErrNotExist, errDangling, errLoop or errNotDir
	failed   error // we could not look
	doubtful bool
	fds      []int
}

func (t *trail) close() {
	for _, fd := range t.fds {
		_ = unix.Close(fd)
	}
}

// follow walks every component of name from the root directory on, by
// descriptors, so that no link leads out of root and nothing is swapped under
// us. ".." at the root stays there, as in a chroot.
func follow(root, name string, names *Accounts) *trail {
	t := &trail{}
	if root == "" {
		root = "/"
	}
	if IsLive(root) {
		// An automount happens on a plain lookup, not on O_PATH|O_NOFOLLOW.
		var st unix.Stat_t
		_ = unix.Stat(name, &st)
	}
	fd, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.failed = &fs.PathError{Op: "open", Path: root, Err: err}
		return t
	}
	top, err := t.see(fd, "/", names)
	if err != nil {
		t.failed = err
		return t
	}
	stack := []node{top}
	rest := split(name)
	links, viaLink := 0, false
	for len(rest) > 0 {
		c := rest[0]
		rest = rest[1:]
		cur := stack[len(stack)-1]
		if cur.st.Mode&unix.S_IFMT != unix.S_IFDIR {
			t.missing = errNotDir
			return t
		}
		if c == "" {
			continue // only a trailing slash
		}
		t.lookups = append(t.lookups, lookup{node: cur})
		if len(t.steps) > maxSteps {
			t.missing = errLoop
			return t
		}
		if c == "." {
			continue
		}
		if c == ".." {
			if len(stack) > 1 {
				stack = stack[:len(stack)-1]
			}
			continue
		}
		full := path.Join(cur.name, c)
		fd, err := unix.Openat(cur.fd, c, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != nil {
			t.lost(full, err, viaLink)
			return t
		}
		next, err := t.see(fd, full, names)
		if err != nil {
			t.failed = err
			return t
		}
		if next.st.Mode&unix.S_IFMT != unix.S_IFLNK {
			stack = append(stack, next)
			continue
		}
		viaLink = true
		target, err := readLink(fd)
		if err != nil {
			t.failed = &fs.PathError{Op: "readlink", Path: full, Err: err}
			return t
		}
		t.steps[next.step].Target = target
		t.lookups = append(t.lookups, lookup{node: next, follow: true, dir: cur.st})
		if links++; links > maxLinks {
			t.missing = errLoop
			return t
		}
		if strings.HasPrefix(target, "/") {
			stack = stack[:1]
		}
		rest = append(split(target), rest...)
	}
	t.end, t.ended = stack[len(stack)-1], true
	return t
}

// see records the component behind fd as the next step.
func (t *trail) see(fd int, full string, names *Accounts) (node, error) {
	t.fds = append(t.fds, fd)
	n := node{fd: fd, name: full, step: len(t.steps)}
	if err := unix.Fstat(fd, &n.st); err != nil {
		return n, &fs.PathError{Op: "stat", Path: full, Err: err}
	}
	if n.st.Mode&unix.S_IFMT != unix.S_IFLNK {
		acl, err := readACL(fd)
		n.acl = acl
		n.doubtful = acl != nil || err != nil || !plainFS(fd)
		t.doubtful = t.doubtful || n.doubtful
	}
	t.steps = append(t.steps, diagnose.Step{
		Path: full, Kind: kindOf(n.st.Mode), Mode: n.st.Mode & 0o7777,
		UID: int(n.st.Uid), GID: int(n.st.Gid),
		Owner: names.UserName(int(n.st.Uid)), Group: names.GroupName(int(n.st.Gid)),
		ACL: n.acl != nil,
	})
	return n, nil
}

// lost ends the way at a component that could not be opened.
func (t *trail) lost(full string, err error, viaLink bool) {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		t.missing = fs.ErrNotExist
		if viaLink {
			t.missing = errDangling
		}
		t.steps = append(t.steps, diagnose.Step{Path: full, Kind: "missing"})
	case errors.Is(err, unix.ENAMETOOLONG):
		t.missing = err
		t.steps = append(t.steps, diagnose.Step{Path: full, Kind: "missing"})
	default:
		t.failed = &fs.PathError{Op: "look at", Path: full, Err: err}
	}
}

func kindOf(mode uint32) string {
	switch mode & unix.S_IFMT {
	case unix.S_IFDIR:
		return "dir"
	case unix.S_IFREG:
		return "file"
	case unix.S_IFLNK:
		return "link"
	case unix.S_IFIFO:
		return "fifo"
	case unix.S_IFSOCK:
		return "socket"
	}
	return "device"
}

// plainFS reports whether the file system leaves the access check to the
// kernel's generic one. A network file system asks its server.
func plainFS(fd int) bool {
	var st unix.Statfs_t
	if err := unix.Fstatfs(fd, &st); err != nil {
		return false
	}
	switch uint32(st.Type) {
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.TMPFS_MAGIC,
		unix.OVERLAYFS_SUPER_MAGIC, unix.F2FS_SUPER_MAGIC, unix.SQUASHFS_MAGIC, unix.RAMFS_MAGIC,
		unix.EROFS_SUPER_MAGIC_V1, unix.ISOFS_SUPER_MAGIC, unix.PROC_SUPER_MAGIC, unix.SYSFS_MAGIC:
		return true
	}
	return false
}

// split cuts a path into the components that the kernel looks up. A trailing
// slash demands a directory but, unlike "/.", no search in it: "".
func split(name string) []string {
	var parts []string
	for c := range strings.SplitSeq(name, "/") {
		if c != "" {
			parts = append(parts, c)
		}
	}
	if strings.HasSuffix(name, "/") && len(parts) > 0 {
		parts = append(parts, "")
	}
	return parts
}

func readLink(fd int) (string, error) {
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(fd, "", buf)
	if err != nil {
		return "", err
	}
	return string(buf[:n]), nil
}
