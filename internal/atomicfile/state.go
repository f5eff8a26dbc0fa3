package atomicfile

import (
	"bytes"
	"fmt"
	"maps"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Mode is the permission bits with setuid, setgid and sticky, as chmod(2) takes
// them. In text and JSON it is octal, "0640".
type Mode uint32

const modeBits = 0o7777

// String returns the octal form.
func (m Mode) String() string { return fmt.Sprintf("%#04o", uint32(m)) }

// MarshalText returns the octal form.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads the octal form and refuses bits that are no mode.
func (m *Mode) UnmarshalText(text []byte) error {
	v, err := strconv.ParseUint(string(text), 8, 32)
	if err != nil || v&^modeBits != 0 {
		return fmt.Errorf("mode %q is not octal permission bits", text)
	}
	*m = Mode(v)
	return nil
}

// Kind is the type of a directory entry.
type Kind string

// The kinds of directory entries. The empty Kind stands for a missing one.
const (
	KindFile    Kind = "file"
	KindDir     Kind = "directory"
	KindSymlink Kind = "symlink"
	KindFIFO    Kind = "fifo"
	KindSocket  Kind = "socket"
	KindDevice  Kind = "device"
)

func kindOf(mode uint32) Kind {
	switch mode & unix.S_IFMT {
	case unix.S_IFREG:
		return KindFile
	case unix.S_IFDIR:
		return KindDir
	case unix.S_IFLNK:
		return KindSymlink
	case unix.S_IFIFO:
		return KindFIFO
	case unix.S_IFSOCK:
		return KindSocket
	default:
		return KindDevice
	}
}

// Attr is everything besides the bytes that a file is to have.
type Attr struct {
	UID  int  `json:"uid"`
	GID  int  `json:"gid"`
	Mode Mode `json:"mode"`
	// Xattrs are the extended attributes to set, ACLs (system.posix_acl_access)
	// and security labels (security.selinux) among them. A new file gets these
	// and no others, except a label that the kernel gives it. Where an ACL and
	// Mode disagree, Mode wins, as if by chmod(2).
	Xattrs map[string][]byte `json:"xattrs,omitempty"`
}

// State is what a path was when it was looked at. The zero State means that
// nothing is there. It holds no contents and may be written down.
type State struct {
	Exists bool `json:"exists"`
	// Path is the real path inside the root.
	Path string `json:"path"`
	Kind Kind   `json:"kind,omitempty"`
	// SHA256 is of the contents of a regular file, hexadecimal; empty for a file
	// of more than StateLimit bytes and for one that may not be read.
	SHA256 string `json:"sha256,omitempty"`
	Size   int64  `json:"size,omitempty"`
	Mode   Mode   `json:"mode"`
	UID    int    `json:"uid"`
	GID    int    `json:"gid"`
	// Target is what a symbolic link says.
	Target string `json:"target,omitempty"`
	// Links is the number of names of the file.
	Links   int               `json:"links,omitempty"`
	Xattrs  map[string][]byte `json:"xattrs,omitempty"`
	ModTime time.Time         `json:"mod_time,omitzero"`
}

// Attr returns what a replacement must have to differ only in its bytes. The map
// is shared.
func (s State) Attr() Attr {
	return Attr{UID: s.UID, GID: s.GID, Mode: s.Mode, Xattrs: s.Xattrs}
}

// Same reports whether two states describe the same thing: path, kind, bytes,
// owner, mode, link target and extended attributes. The modification time counts
// only where the bytes are not known, and the number of names never.
func (s State) Same(o State) bool {
	if !s.Exists || !o.Exists {
		return s.Exists == o.Exists
	}
	known := s.SHA256 != "" || s.Kind != KindFile
	return s.Path == o.Path && s.Kind == o.Kind && s.SHA256 == o.SHA256 &&
		s.Mode == o.Mode && s.UID == o.UID && s.GID == o.GID && s.Target == o.Target &&
		(s.Kind != KindFile || s.Size == o.Size) &&
		(known || s.ModTime.Equal(o.ModTime)) &&
		maps.EqualFunc(s.Xattrs, o.Xattrs, bytes.Equal)
}

func stateOf(path string, st *unix.Stat_t) State {
	s := State{
		Exists: true, Path: path, Kind: kindOf(st.Mode), Mode: Mode(st.Mode & modeBits),
		UID: int(st.Uid), GID: int(st.Gid), Links: int(st.Nlink),
		ModTime: time.Unix(st.Mtim.Unix()).UTC(),
	}
	if s.Kind == KindFile {
		s.Size = st.Size
	}
	return s
}
