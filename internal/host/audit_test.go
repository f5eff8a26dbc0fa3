package host

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"xrdpfix/diagnose"
)

// Lines in the form of the kernel's avc.c; no kernel of the test machine has
// SELinux, so they were written by hand.
const (
	avcKey  = `type=AVC msg=audit(1795348800.123:456): avc:  denied  { read } for  pid=412 comm="xrdp" name="key.pem" dev="dm-0" ino=1234 scontext=system_u:system_r:xrdp_t:s0 tcontext=unconfined_u:object_r:user_home_t:s0 tclass=file permissive=0`
	avcDir  = `type=AVC msg=audit(1795348801.000:457): avc:  denied  { search } for  pid=412 comm="xrdp" name=6D79206B657973 dev="dm-0" ino=1 scontext=a:b:c:s0 tcontext=d:e:f:s0 tclass=dir permissive=0`
	avcPath = `type=AVC msg=audit(1795348802.999:458): avc:  denied  { open getattr } for  pid=412 comm="xrdp" path="/etc/xrdp/cert.pem" dev="dm-0" ino=1 scontext=a:b:c:s0 tcontext=d:e:f:s0 tclass=file permissive=0`
)

func TestParseDenial(t *testing.T) {
	at := time.Unix(1795348800, 123e6).UTC()
	for line, want := range map[string]diagnose.Denial{
		avcKey:  {Time: at, Permissions: []string{"read"}, Name: "key.pem", Class: "file", Source: "system_u:system_r:xrdp_t:s0", Target: "unconfined_u:object_r:user_home_t:s0"},
		avcDir:  {Time: time.Unix(1795348801, 0).UTC(), Permissions: []string{"search"}, Name: "my keys", Class: "dir", Source: "a:b:c:s0", Target: "d:e:f:s0"},
		avcPath: {Time: time.Unix(1795348802, 999e6).UTC(), Permissions: []string{"open", "getattr"}, Name: "cert.pem", Class: "file", Source: "a:b:c:s0", Target: "d:e:f:s0"},
	} {
		if got, ok := parseDenial(line); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%s\ngot  %+v, %v\nwant %+v", line, got, ok, want)
		}
	}
	for _, line := range []string{
		"",
		strings.Replace(avcKey, `comm="xrdp"`, `comm="xrdp-sesman"`, 1),
		strings.Replace(avcKey, "permissive=0", "permissive=1", 1),
		strings.Replace(avcKey, "denied", "granted", 1),
		strings.Replace(avcKey, "1795348800.123", "soon", 1),
		strings.Replace(avcKey, `name="key.pem"`, "", 1),
		strings.Replace(avcKey, "type=AVC", "type=USER_AVC", 1),
	} {
		if got, ok := parseDenial(line); ok {
			t.Errorf("%s: %+v", line, got)
		}
	}
}

func TestDenials(t *testing.T) {
	noise := strings.Repeat("type=SYSCALL msg=audit(1795348800.123:456): arch=c000003e\n", 1+auditTail/58)
	m := machineOf(t, map[string]string{diagnose.AuditLog: avcPath + "\n" + noise + avcKey + "\n" + avcDir})
	got, err := m.denials(true)
	if err != nil || len(got) != 2 || got[0].Name != "key.pem" || got[1].Name != "my keys" {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := m.denials(false); err != nil || len(got) != 0 {
		t.Errorf("permissive: %+v, %v", got, err)
	}
	if got, err := machineOf(t, nil).denials(true); err != nil || len(got) != 0 {
		t.Errorf("no log: %+v, %v", got, err)
	}
}

func FuzzParseDenial(f *testing.F) {
	for _, line := range []string{avcKey, avcDir, avcPath, "type=AVC msg=audit(1.2:3): avc:  denied  {  } for "} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if d, ok := parseDenial(line); ok && (d.Name == "" || d.Time.IsZero()) {
			t.Errorf("%q: %+v", line, d)
		}
	})
}
