package host

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"xrdpfix/diagnose"
)

const (
	permRead   = 4
	permWrite  = 2
	permSearch = 1
)

// credentials are what the kernel compares with an inode.
type credentials struct {
	uid, gid int
	groups   []int
}

func (c credentials) inGroup(gid int) bool { return c.gid == gid || slices.Contains(c.groups, gid) }

func credentialsOf(id diagnose.Identity) credentials {
	return credentials{uid: id.UID, gid: id.GID, groups: id.Groups}
}

// Walk looks at name through the eyes of the daemon: serving is the identity
// that reads it for the next connection, start the one of the next start. Every
// component from the root directory on is judged, each symbolic link too, by
// owner, group and other, by POSIX ACLs, and by fs.protected_symlinks. Root is
// allowed everything; capabilities that a unit drops and security modules are
// not considered. Where the mode bits may not be the whole truth (an ACL, a
// network file system) and we are root on the live machine, the kernel is asked
// with [TryRead] and has the last word.
//
// Stop and Why tell what stops the serving identity, or, where nothing does,
// what will stop the one of the next start.
func Walk(root, name string, names *Accounts, serving, start diagnose.Identity) diagnose.PathFact {
	fact := diagnose.PathFact{Path: name, Stop: -1}
	if name == "" {
		return fact
	}
	if strings.ContainsRune(name, 0) {
		fact.Why = "the path holds a NUL"
		return fact
	}
	t := follow(root, name, names)
	defer t.close()
	fact.Steps = t.steps

	j := judge{trail: t, names: names, links: protectedSymlinks(root)}
	now, next := j.way(serving), j.way(start)
	switch {
	case t.missing != nil && now.step < 0:
		fact.Stop, fact.Why = len(t.steps)-1, missingWhy(t.missing)
		return fact
	case t.failed != nil && now.step < 0:
		fact.Failed = t.failed.Error()
		return fact
	case !t.ended:
		// The daemon is stopped before the place where we were.
		fact.Stop, fact.Why = now.step, j.why(now, serving, start)
		if t.failed != nil {
			fact.Failed = t.failed.Error() // whether there is a file, we do not know
		}
		return fact
	}
	fact.Exists, fact.Real = true, t.end.name
	fact.Readable, fact.ReadableAfterRestart = now.step < 0, next.step < 0
	fact.Writable = j.writable(now, serving)
	fact.OthersRead = t.steps[t.end.step].Kind == "file" && j.othersRead() // a directory tells no key
	j.askKernel(root, &fact, serving, start)
	switch {
	case !fact.Readable && now.step >= 0:
		fact.Stop, fact.Why = now.step, j.why(now, serving, start)
	case !fact.Readable:
		fact.Stop, fact.Why = t.end.step, "the kernel refuses it although mode and ACL allow it"
	case !fact.ReadableAfterRestart && next.step >= 0:
		fact.Stop, fact.Why = next.step, "after the next start: "+j.why(next, start, start)
	case !fact.ReadableAfterRestart:
		fact.Stop, fact.Why = t.end.step, "after the next start: the kernel refuses it although mode and ACL allow it"
	}
	return fact
}

func missingWhy(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "no such file"
	}
	return err.Error()
}

// refusal is the first question on a way that is answered with no.
type refusal struct {
	step int // -1: none
	node node
	want uint32
	link bool // fs.protected_symlinks
}

type judge struct {
	trail *trail
	names *Accounts
	links bool // fs.protected_symlinks is on
}

// way judges reading the end of the trail and everything before it.
func (j judge) way(id diagnose.Identity) refusal {
	c := credentialsOf(id)
	for _, l := range j.trail.lookups {
		if l.follow {
			if j.links && !mayFollow(l, c) {
				return refusal{step: l.step, node: l.node, link: true}
			}
		} else if !grants(l.node, c, permSearch) {
			return refusal{step: l.step, node: l.node, want: permSearch}
		}
	}
	if j.trail.ended && !grants(j.trail.end, c, permRead) {
		return refusal{step: j.trail.end.step, node: j.trail.end, want: permRead}
	}
	return refusal{step: -1}
}

// grants is the kernel's generic_permission for reading, writing and searching.
func grants(n node, c credentials, want uint32) bool {
	if c.uid == 0 {
		return true
	}
	if n.acl != nil {
		return aclGrants(n.acl, int(n.st.Uid), int(n.st.Gid), c, want)
	}
	mode := n.st.Mode
	switch {
	case c.uid == int(n.st.Uid):
		mode >>= 6
	case c.inGroup(int(n.st.Gid)):
		mode >>= 3
	}
	return mode&want == want
}

// mayFollow is may_follow_link of the kernel's fs/namei.c: in a sticky directory
// that everybody can write, only a link of one's own or of the directory's
// owner is followed. Root is no exception.
func mayFollow(l lookup, c credentials) bool {
	const stickyOpen = unix.S_ISVTX | 0o002
	return l.dir.Mode&stickyOpen != stickyOpen || int(l.st.Uid) == c.uid || l.st.Uid == l.dir.Uid
}

// writable reports whether the file at the end can be opened for writing.
func (j judge) writable(now refusal, id diagnose.Identity) bool {
	reached := now.step < 0 || now.want == permRead
	if !reached || !grants(j.trail.end, credentialsOf(id), permWrite) {
		return false
	}
	var fsys unix.Statfs_t
	if err := unix.Fstatfs(j.trail.end.fd, &fsys); err != nil {
		return true
	}
	return fsys.Flags&unix.ST_RDONLY == 0
}

// othersRead asks for a stranger: in no group, owner of nothing.
func (j judge) othersRead() bool {
	const nobody = -1
	return j.way(diagnose.Identity{UID: nobody, GID: nobody}).step < 0
}

// askKernel puts the kernel's answer in place of ours where ours is in doubt.
func (j judge) askKernel(root string, fact *diagnose.PathFact, serving, start diagnose.Identity) {
	kind := j.trail.steps[j.trail.end.step].Kind
	if !j.trail.doubtful || !IsLive(root) || unix.Geteuid() != 0 || (kind != "file" && kind != "dir") {
		return
	}
	ask := func(id diagnose.Identity, ours bool) bool {
		err := TryRead(root, fact.Path, id)
		if err == nil {
			return true
		}
		if errors.Is(err, fs.ErrPermission) {
			return false
		}
		return ours
	}
	fact.Readable = ask(serving, fact.Readable)
	fact.ReadableAfterRestart = ask(start, fact.ReadableAfterRestart)
}

// protectedSymlinks reads the sysctl; an offline tree gets the setting of every
// distribution that ships xrdp, on.
func protectedSymlinks(root string) bool {
	if !IsLive(root) {
		return true
	}
	data, err := ReadFile("", "/proc/sys/fs/protected_symlinks", 16)
	return err == nil && strings.TrimSpace(string(data)) == "1"
}

// why words a refusal: the missing group membership where that is the whole
// fault, else owner and mode.
func (j judge) why(r refusal, id, start diagnose.Identity) string {
	st := r.node.st
	what := ""
	if r.step < len(j.trail.steps)-1 || r.want == permSearch {
		what = r.node.name + ": "
	}
	if r.link {
		return fmt.Sprintf("%s: a link of user %s in a directory that everybody can write is not followed (fs.protected_symlinks)",
			r.node.name, j.names.UserName(int(st.Uid)))
	}
	group := j.names.GroupName(int(st.Gid))
	c := credentialsOf(id)
	helped := c
	helped.groups = append(slices.Clone(c.groups), int(st.Gid))
	if !c.inGroup(int(st.Gid)) && group != "root" && grants(r.node, helped, r.want) {
		if start.UID == id.UID && credentialsOf(start).inGroup(int(st.Gid)) {
			return fmt.Sprintf("user %s is in group %s, but the running process started before that", id.User, group)
		}
		return fmt.Sprintf("user %s is not in group %s", id.User, group)
	}
	acl := ""
	if r.node.acl != nil {
		acl = ", and its ACL gives user " + id.User + " nothing"
	}
	owner := j.names.UserName(int(st.Uid))
	if st.Mode&0o070 != 0 {
		owner += ", group " + group
	}
	return fmt.Sprintf("%smode %04o, owner %s%s", what, st.Mode&0o7777, owner, acl)
}
