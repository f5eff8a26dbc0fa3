package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os/user"
	"slices"
	"strconv"
	"strings"

	"xrdpfix/diagnose"
)

// maxAccounts bounds passwd and group. Five thousand users are half a MiB.
const maxAccounts = 32 << 20

// User is an entry of passwd(5).
type User struct {
	Name  string
	UID   int
	GID   int
	Home  string
	Shell string
}

// Group is an entry of group(5).
type Group struct {
	Name    string
	GID     int
	Members []string
}

// Accounts are the users and groups of one machine or tree.
type Accounts struct {
	users  map[string]User
	uids   map[int]string
	groups map[string]Group
	gids   map[int]string
	live   bool
}

// ReadAccounts reads passwd and group inside root. On the live machine a name
// that neither file holds is also asked for through os/user, which knows more
// than the files only in a binary built with cgo. A missing group file is no
// error.
func ReadAccounts(root string) (*Accounts, error) {
	passwd, err := ReadFile(root, "/etc/passwd", maxAccounts)
	if err != nil {
		return nil, fmt.Errorf("reading accounts: %w", err)
	}
	group, err := ReadFile(root, "/etc/group", maxAccounts)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading accounts: %w", err)
	}
	a := ParseAccounts(passwd, group)
	a.live = IsLive(root)
	return a, nil
}

// ParseAccounts reads passwd(5) and group(5) text. Of two entries with one name
// or one number the first counts, as in glibc's nss_files; malformed and NIS
// compat entries are left out.
func ParseAccounts(passwd, group []byte) *Accounts {
	a := &Accounts{
		users: map[string]User{}, uids: map[int]string{},
		groups: map[string]Group{}, gids: map[int]string{},
	}
	for f := range accountLines(passwd, 7) {
		uid, ok1 := accountID(f[2])
		gid, ok2 := accountID(f[3])
		if !ok1 || !ok2 {
			continue
		}
		u := User{Name: f[0], UID: uid, GID: gid, Home: f[5], Shell: f[6]}
		if _, dup := a.users[u.Name]; !dup {
			a.users[u.Name] = u
		}
		if _, dup := a.uids[uid]; !dup {
			a.uids[uid] = u.Name
		}
	}
	for f := range accountLines(group, 4) {
		gid, ok := accountID(f[2])
		if !ok {
			continue
		}
		g := Group{Name: f[0], GID: gid}
		for m := range strings.SplitSeq(f[3], ",") {
			if m = strings.TrimSpace(m); m != "" {
				g.Members = append(g.Members, m)
			}
		}
		if _, dup := a.groups[g.Name]; !dup {
			a.groups[g.Name] = g
		}
		if _, dup := a.gids[gid]; !dup {
			a.gids[gid] = g.Name
		}
	}
	return a
}

// accountLines yields the colon-separated fields of each usable line. A line
// with fewer fields is filled up, as glibc reads it.
func accountLines(data []byte, fields int) func(func([]string) bool) {
	return func(yield func([]string) bool) {
		for line := range strings.Lines(string(data)) {
			line = strings.TrimLeft(strings.TrimRight(line, "\r\n"), " \t")
			if line == "" || strings.ContainsAny(line[:1], "#+-:") {
				continue
			}
			f := strings.SplitN(line, ":", fields)
			if len(f) < 3 {
				continue
			}
			for len(f) < fields {
				f = append(f, "")
			}
			if !yield(f) {
				return
			}
		}
	}
}

// accountID reads a uid or gid: a decimal number of 32 bits, of which the last
// is reserved for "no such id".
func accountID(s string) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n == 1<<32-1 {
		return 0, false
	}
	return int(n), true
}

// User finds a user by name.
func (a *Accounts) User(name string) (User, bool) {
	if u, ok := a.users[name]; ok || !a.live || name == "" {
		return u, ok
	}
	u, err := user.Lookup(name)
	return fromOS(u, err)
}

// UserByID finds a user by uid.
func (a *Accounts) UserByID(uid int) (User, bool) {
	if name, ok := a.uids[uid]; ok {
		u := a.users[name]
		// A name whose first entry has another uid still names this one.
		u.UID = uid
		return u, true
	}
	if !a.live {
		return User{}, false
	}
	u, err := user.LookupId(strconv.Itoa(uid))
	return fromOS(u, err)
}

func fromOS(u *user.User, err error) (User, bool) {
	if err != nil {
		return User{}, false
	}
	uid, ok1 := accountID(u.Uid)
	gid, ok2 := accountID(u.Gid)
	return User{Name: u.Username, UID: uid, GID: gid, Home: u.HomeDir}, ok1 && ok2
}

// Group finds a group by name.
func (a *Accounts) Group(name string) (Group, bool) {
	if g, ok := a.groups[name]; ok || !a.live || name == "" {
		return g, ok
	}
	g, err := user.LookupGroup(name)
	if err != nil {
		return Group{}, false
	}
	gid, ok := accountID(g.Gid)
	return Group{Name: g.Name, GID: gid}, ok
}

// GroupByID finds a group by gid.
func (a *Accounts) GroupByID(gid int) (Group, bool) {
	if name, ok := a.gids[gid]; ok {
		g := a.groups[name]
		g.GID = gid
		return g, true
	}
	if !a.live {
		return Group{}, false
	}
	g, err := user.LookupGroupId(strconv.Itoa(gid))
	if err != nil {
		return Group{}, false
	}
	return Group{Name: g.Name, GID: gid}, true
}

// UserName names a uid; where it has no name, the number.
func (a *Accounts) UserName(uid int) string {
	if u, ok := a.UserByID(uid); ok {
		return u.Name
	}
	return strconv.Itoa(uid)
}

// GroupName names a gid; where it has no name, the number.
func (a *Accounts) GroupName(gid int) string {
	if g, ok := a.GroupByID(gid); ok {
		return g.Name
	}
	return strconv.Itoa(gid)
}

// Supplementary are the groups that initgroups(3) gives to user beside gid:
// ascending, without gid itself.
func (a *Accounts) Supplementary(user string, gid int) []int {
	var ids []int
	for _, g := range a.groups {
		if g.GID != gid && slices.Contains(g.Members, user) {
			ids = append(ids, g.GID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Describe fills in the names of an identity given by numbers.
func (a *Accounts) Describe(uid, gid int, groups []int, from string) diagnose.Identity {
	rest := slices.DeleteFunc(slices.Clone(groups), func(g int) bool { return g == gid })
	slices.Sort(rest)
	return diagnose.Identity{
		UID: uid, GID: gid, Groups: slices.Compact(rest),
		User: a.UserName(uid), Group: a.GroupName(gid), From: from,
	}
}
