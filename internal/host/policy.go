package host

import (
	"errors"
	"fmt"
	"os"
	"path"

	"xrdpfix/internal/atomicfile"
)

// PolicyPath is where the administrator states what xrdpfix is to make true.
const PolicyPath = "/etc/xrdpfix/policy.ini"

// maxPolicy is more than a policy with every setting and a page of comments needs.
const maxPolicy = 64 << 10

// ErrUntrustedPolicy tells that the policy could be somebody else's: whoever may write
// it decides what root does.
var ErrUntrustedPolicy = errors.New("not to be trusted")

// ReadPolicy returns the bytes of the policy of the tree at root, nil where it has
// none. It gives ErrUntrustedPolicy for what is no plain file or what others than root
// can write, its directory included; in an offline tree whoever runs us counts as
// root. Something that is no file is never opened.
func ReadPolicy(root string) ([]byte, error) {
	r, err := atomicfile.OpenRoot(root)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	before, err := r.Lstat(PolicyPath)
	if err != nil || !before.Exists {
		return nil, err
	}
	if before.Kind != atomicfile.KindFile {
		return nil, fmt.Errorf("%s is a %s: %w", PolicyPath, before.Kind, ErrUntrustedPolicy)
	}
	dir, err := r.Stat(path.Dir(PolicyPath))
	if err != nil {
		return nil, err
	}
	data, file, err := r.ReadState(PolicyPath, maxPolicy)
	if err != nil {
		return nil, err
	}
	if !file.Same(before) {
		return nil, fmt.Errorf("%s changes while it is read: %w", PolicyPath, ErrUntrustedPolicy)
	}
	for _, s := range []struct {
		name string
		atomicfile.State
	}{{path.Dir(PolicyPath), dir}, {PolicyPath, file}} {
		if why := writableByOthers(s.State, IsLive(root)); why != "" {
			return nil, fmt.Errorf("%s %s: %w", s.name, why, ErrUntrustedPolicy)
		}
	}
	return data, nil
}

// writableByOthers says who else than root can write there, "" for nobody. An ACL
// that lets somebody write shows in the bits of the group (acl(5)).
func writableByOthers(s atomicfile.State, live bool) string {
	switch {
	case s.UID != 0 && (live || s.UID != os.Geteuid()):
		return fmt.Sprintf("belongs to user %d", s.UID)
	case s.Mode&0o022 != 0:
		return fmt.Sprintf("can be written by others (mode %04o)", uint32(s.Mode))
	}
	return ""
}
