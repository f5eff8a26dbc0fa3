package atomicfile

import (
	"encoding/binary"
	"maps"
)

// The layout of the ACL attributes (linux/posix_acl_xattr.h): a version, then
// entries of tag, permissions and id, all little-endian.
const (
	aclVersion   = 2
	aclHeaderLen = 4
	aclEntryLen  = 8

	aclUserObj  = 0x01
	aclGroupObj = 0x04
	aclMask     = 0x10
	aclOther    = 0x20
)

// withMode returns the attributes with the ACL, if there is one, brought into
// line with the mode, as chmod(2) would do to a file that has both: the owner's
// and the others' entries and the mask, or the group's entry where there is no
// mask, get the mode's bits; named users and groups stay. Setting the ACL as it
// was would give the file the ACL's own mode.
func (a Attr) withMode() map[string][]byte {
	acl, ok := a.Xattrs[xattrACL]
	if !ok || len(acl) < aclHeaderLen || (len(acl)-aclHeaderLen)%aclEntryLen != 0 || binary.LittleEndian.Uint32(acl) != aclVersion {
		// What is no ACL is the kernel's to refuse.
		return a.Xattrs
	}
	out := append([]byte(nil), acl...)
	var group []byte
	masked := false
	for entry := out[aclHeaderLen:]; len(entry) > 0; entry = entry[aclEntryLen:] {
		perm := entry[2:4]
		switch binary.LittleEndian.Uint16(entry) {
		case aclUserObj:
			binary.LittleEndian.PutUint16(perm, uint16(a.Mode>>6&7))
		case aclGroupObj:
			group = perm
		case aclMask:
			masked = true
			binary.LittleEndian.PutUint16(perm, uint16(a.Mode>>3&7))
		case aclOther:
			binary.LittleEndian.PutUint16(perm, uint16(a.Mode&7))
		}
	}
	if !masked && group != nil {
		binary.LittleEndian.PutUint16(group, uint16(a.Mode>>3&7))
	}
	xattrs := maps.Clone(a.Xattrs)
	xattrs[xattrACL] = out
	return xattrs
}
