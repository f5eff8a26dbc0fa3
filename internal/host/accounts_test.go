package host

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"xrdpfix/diagnose"
)

func TestParseAccounts(t *testing.T) {
	a := ParseAccounts(
		[]byte("# comment\nroot:x:0:0:root:/root:/bin/bash\n+nis::::::\nshort:x\nbad:x:-1:0:::\nhuge:x:4294967295:0:::\n"+
			"xrdp:x:112:118:,,,:/run/xrdp:/usr/sbin/nologin\nxrdp:x:999:999:::\ntoor:x:0:0:::\n  lead:x:7:7::/:/bin/sh\r\n"),
		[]byte("root:x:0:\nssl-cert:x:117:postgres, xrdp\nxrdp:x:118:\nvideo:x:44:alice,xrdp\nvideo2:x:44:xrdp\nprimary:x:118:xrdp\n"))
	type answers struct {
		Xrdp, ByUID, Root, Lead User
		Supp                    []int
		Group                   Group
		Unknown                 string
	}
	var got answers
	got.Xrdp, _ = a.User("xrdp")
	got.ByUID, _ = a.UserByID(112)
	got.Root, _ = a.UserByID(0)
	got.Lead, _ = a.User("lead")
	got.Supp = a.Supplementary("xrdp", 118)
	got.Group, _ = a.GroupByID(117)
	got.Unknown = a.UserName(4242)
	xrdp := User{Name: "xrdp", UID: 112, GID: 118, Home: "/run/xrdp", Shell: "/usr/sbin/nologin"}
	want := answers{
		Xrdp: xrdp, ByUID: xrdp,
		Root:    User{Name: "root", Home: "/root", Shell: "/bin/bash"},
		Lead:    User{Name: "lead", UID: 7, GID: 7, Home: "/", Shell: "/bin/sh"},
		Supp:    []int{44, 117},
		Group:   Group{Name: "ssl-cert", GID: 117, Members: []string{"postgres", "xrdp"}},
		Unknown: "4242",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	for _, name := range []string{"short", "bad", "huge", "+nis", ""} {
		if u, ok := a.User(name); ok {
			t.Errorf("%q is a user: %+v", name, u)
		}
	}
}

func TestReadAccountsOfTree(t *testing.T) {
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadAccounts(root); err == nil {
		t.Error("no passwd, no error")
	}
	var b strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&b, "user%d:x:%d:%d::/home/user%d:/bin/sh\n", i, 2000+i, 2000+i, i)
	}
	if err := os.WriteFile(filepath.Join(root, "etc/passwd"), []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	a, err := ReadAccounts(root)
	if err != nil {
		t.Fatal(err)
	}
	if got := a.UserName(6999); got != "user4999" {
		t.Errorf("uid 6999 is %q", got)
	}
	// root is in the files of this machine, and must not be taken from there.
	if u, ok := a.User("root"); ok {
		t.Errorf("a tree without root has one: %+v", u)
	}
}

func TestIdentities(t *testing.T) {
	a := ParseAccounts([]byte(testPasswd), []byte("root:x:0:\nssl-cert:x:117:xrdp\nxrdp:x:118:\nrdp:x:119:\n"))
	id := func(f func() (diagnose.Identity, error)) func() (diagnose.Identity, error) { return f }
	for _, tt := range []struct {
		name string
		get  func() (diagnose.Identity, error)
		want diagnose.Identity
		err  error
	}{
		{"unit", id(func() (diagnose.Identity, error) { return a.UnitIdentity("xrdp", "xrdp", nil, "unit User=") }),
			diagnose.Identity{UID: 112, GID: 118, Groups: []int{117}, User: "xrdp", Group: "xrdp", From: "unit User="}, nil},
		{"unit by number, other group", id(func() (diagnose.Identity, error) {
			return a.UnitIdentity("112", "rdp", []string{"root", "119"}, "unit User=")
		}),
			diagnose.Identity{UID: 112, GID: 119, Groups: []int{0, 117}, User: "xrdp", Group: "rdp", From: "unit User="}, nil},
		{"unit without user", id(func() (diagnose.Identity, error) { return a.UnitIdentity("", "", nil, "default") }),
			diagnose.Identity{User: "root", Group: "root", From: "default"}, nil},
		{"runtime_user keeps both groups", id(func() (diagnose.Identity, error) { return a.RuntimeIdentity("xrdp", "rdp") }),
			diagnose.Identity{UID: 112, GID: 119, Groups: []int{117, 118}, User: "xrdp", Group: "rdp", From: "runtime_user"}, nil},
		{"unknown user", id(func() (diagnose.Identity, error) { return a.RuntimeIdentity("nosuch", "rdp") }), diagnose.Identity{}, ErrNoUser},
		{"unknown group", id(func() (diagnose.Identity, error) { return a.UnitIdentity("xrdp", "nosuch", nil, "") }), diagnose.Identity{}, ErrNoGroup},
	} {
		got, err := tt.get()
		if !reflect.DeepEqual(got, tt.want) || !errors.Is(err, tt.err) {
			t.Errorf("%s: got %+v, %v\nwant %+v, %v", tt.name, got, err, tt.want, tt.err)
		}
	}
}

func TestDaemonGroup(t *testing.T) {
	with := testAccounts()
	without := ParseAccounts([]byte(testPasswd), []byte("root:x:0:\n"))
	for _, tt := range []struct {
		name  string
		names *Accounts
		id    diagnose.Identity
		want  Group
	}{
		{"own group", with, xrdpIdentity(), Group{Name: "xrdp", GID: 118}},
		{"root, group xrdp exists", with, diagnose.Identity{}, Group{Name: "xrdp", GID: 118}},
		{"root, no group xrdp", without, diagnose.Identity{}, Group{Name: "root"}},
		{"group without a name", without, diagnose.Identity{UID: 5, GID: 55}, Group{Name: "55", GID: 55}},
	} {
		if got := tt.names.DaemonGroup(tt.id); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func FuzzParseAccounts(f *testing.F) {
	f.Add([]byte(testPasswd), []byte(testGroup))
	f.Add([]byte(":::\n::::"), []byte("a:b:c:d\n\x00:x:1:,,"))
	f.Fuzz(func(t *testing.T, passwd, group []byte) {
		a := ParseAccounts(passwd, group)
		for name, u := range a.users {
			if name == "" || int64(u.UID) == 1<<32-1 {
				t.Errorf("%q: %+v", name, u)
			}
			a.Supplementary(name, u.GID)
		}
	})
}
