package host

import (
	"encoding/binary"
	"errors"

	"golang.org/x/sys/unix"
)

// aclXattr holds the access ACL of an inode (acl(5)).
const aclXattr = "system.posix_acl_access"

// Tags and version of the xattr's value, from linux/posix_acl_xattr.h.
const (
	aclVersion  = 2
	aclUserObj  = 0x01
	aclUser     = 0x02
	aclGroupObj = 0x04
	aclGroup    = 0x08
	aclMask     = 0x10
	aclOther    = 0x20
)

// errBadACL is returned for an ACL that the kernel would not have written.
var errBadACL = errors.New("malformed POSIX ACL")

type aclEntry struct {
	tag  uint16
	perm uint32 // 4 read, 2 write, 1 search or execute
	id   int    // uid or gid of a named entry
}

// parseACL reads the value of system.posix_acl_access: a version and entries of
// eight bytes, little-endian on every machine.
func parseACL(b []byte) ([]aclEntry, error) {
	if len(b) < 4 || (len(b)-4)%8 != 0 || binary.LittleEndian.Uint32(b) != aclVersion {
		return nil, errBadACL
	}
	var acl []aclEntry
	for b = b[4:]; len(b) > 0; b = b[8:] {
		acl = append(acl, aclEntry{
			tag:  binary.LittleEndian.Uint16(b),
			perm: uint32(binary.LittleEndian.Uint16(b[2:])) & 7,
			id:   int(binary.LittleEndian.Uint32(b[4:])),
		})
	}
	return acl, nil
}

// readACL returns the ACL of what an O_PATH descriptor holds; nil where the mode
// bits decide alone.
func readACL(fd int) ([]aclEntry, error) {
	// fgetxattr refuses an O_PATH descriptor; its magic link does not.
	buf := make([]byte, 1024)
	for {
		n, err := unix.Getxattr(fdPath(fd), aclXattr, buf)
		switch {
		case errors.Is(err, unix.ERANGE) && len(buf) < 1<<16: // XATTR_SIZE_MAX
			buf = make([]byte, 1<<16)
			continue
		case errors.Is(err, unix.ENODATA), errors.Is(err, unix.EOPNOTSUPP):
			return nil, nil
		case err != nil:
			return nil, err
		}
		return parseACL(buf[:n])
	}
}

// aclGrants is the access check of acl(5) for someone who is not root: the
// first matching class decides, and within the group class any one entry that
// grants everything wanted is enough.
func aclGrants(acl []aclEntry, owner, group int, id credentials, want uint32) bool {
	mask := uint32(7)
	for _, e := range acl {
		if e.tag == aclMask {
			mask = e.perm
		}
	}
	inGroup := false
	for _, e := range acl {
		switch {
		case e.tag == aclUserObj && id.uid == owner:
			return e.perm&want == want
		case e.tag == aclUser && e.id == id.uid:
			return e.perm&mask&want == want
		case e.tag == aclGroupObj && id.inGroup(group), e.tag == aclGroup && id.inGroup(e.id):
			if e.perm&mask&want == want {
				return true
			}
			inGroup = true
		case e.tag == aclOther && !inGroup:
			return e.perm&want == want
		}
	}
	return false
}
