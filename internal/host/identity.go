package host

import (
	"errors"
	"fmt"

	"xrdpfix/diagnose"
)

// ErrNoUser is returned for a user that the accounts do not hold.
var ErrNoUser = errors.New("no such user")

// ErrNoGroup is returned for a group that the accounts do not hold.
var ErrNoGroup = errors.New("no such group")

// UnitIdentity is the identity that systemd gives a service: User=, Group= and
// SupplementaryGroups= of its unit, by name or number (systemd.exec(5)). Without
// a user it is root. With Group= the user's own primary group is not kept.
func (a *Accounts) UnitIdentity(user, group string, more []string, from string) (diagnose.Identity, error) {
	u := User{Name: "root"}
	var err error
	if user != "" {
		if u, err = a.byNameOrID(user); err != nil {
			return diagnose.Identity{}, err
		}
	}
	gid := u.GID
	if group != "" {
		if gid, err = a.groupID(group); err != nil {
			return diagnose.Identity{}, err
		}
	}
	var groups []int
	// systemd calls initgroups only for a service with User=.
	if user != "" {
		groups = a.Supplementary(u.Name, gid)
	}
	for _, name := range more {
		id, err := a.groupID(name)
		if err != nil {
			return diagnose.Identity{}, err
		}
		groups = append(groups, id)
	}
	return a.Describe(u.UID, gid, groups, from), nil
}

// RuntimeIdentity is the identity that xrdp 0.10.2 and later takes on for
// runtime_user and runtime_group. It calls initgroups with the user's own
// primary group before it sets runtime_group (xrdp common/os_calls.c,
// g_initgroups), so both are held. Names only, as xrdp looks them up.
func (a *Accounts) RuntimeIdentity(user, group string) (diagnose.Identity, error) {
	u, ok := a.User(user)
	if !ok {
		return diagnose.Identity{}, fmt.Errorf("%w: %q", ErrNoUser, user)
	}
	g, ok := a.Group(group)
	if !ok {
		return diagnose.Identity{}, fmt.Errorf("%w: %q", ErrNoGroup, group)
	}
	groups := append(a.Supplementary(u.Name, u.GID), u.GID)
	return a.Describe(u.UID, g.GID, groups, "runtime_user"), nil
}

func (a *Accounts) byNameOrID(s string) (User, error) {
	if u, ok := a.User(s); ok {
		return u, nil
	}
	if id, ok := accountID(s); ok {
		if u, ok := a.UserByID(id); ok {
			return u, nil
		}
	}
	return User{}, fmt.Errorf("%w: %q", ErrNoUser, s)
}

func (a *Accounts) groupID(s string) (int, error) {
	if g, ok := a.Group(s); ok {
		return g.GID, nil
	}
	if id, ok := accountID(s); ok {
		return id, nil
	}
	return 0, fmt.Errorf("%w: %q", ErrNoGroup, s)
}

// DaemonGroup is the group that a private key for the daemon must have: the
// daemon's primary group; where the daemon runs as root, the group xrdp if there
// is one (a later package may drop root), else root's group.
func (a *Accounts) DaemonGroup(daemon diagnose.Identity) Group {
	if daemon.UID == 0 && daemon.GID == 0 {
		if g, ok := a.Group("xrdp"); ok {
			return g
		}
	}
	if g, ok := a.GroupByID(daemon.GID); ok {
		return g
	}
	return Group{Name: a.GroupName(daemon.GID), GID: daemon.GID}
}
