//go:build lab

package matrix

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"xrdpfix/internal/lab"
)

// TestImage prepares an image, boots it as two hosts, and finds two keys.
func TestImage(t *testing.T) {
	for _, suite := range []lab.Suite{lab.Bookworm, lab.Trixie, lab.Sid} {
		t.Run(string(suite), func(t *testing.T) {
			t.Parallel()
			layer, err := lab.NewLayer(t.Context(), suite, lab.Options{Log: t.Output()})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := layer.Remove(context.Background()); err != nil {
					t.Error(err)
				}
			})
			prepare(t, layer)
			one, two := bootImage(t, layer, suite), bootImage(t, layer, suite)
			a, b := one.served(t), two.served(t)
			if a == b || a == "" || b == "" {
				t.Errorf("two machines of one image serve the certificates %q and %q", a, b)
			}
			if ka, kb := one.keySum(t), two.keySum(t); ka == kb {
				t.Error("two machines of one image have the same key")
			}
			again(t, one, a)
		})
	}
}

// prepare installs xrdpfix into the image and lets it apply there. Nothing that
// is secret is made, and a second apply has nothing to do.
func prepare(t *testing.T, layer *lab.Layer) {
	t.Helper()
	sh := func(script string) string {
		t.Helper()
		r, err := layer.Run(t.Context(), "sh", "-ec", script, program)
		if err != nil || r.Code != 0 {
			t.Fatalf("%s\n%v, status %d\n%s%s", script, err, r.Code, r.Stdout, r.Stderr)
		}
		return r.Stdout
	}
	apply := func(args ...string) report {
		t.Helper()
		r, err := layer.Run(t.Context(), append([]string{program, "--json", "apply"}, append(args, "--root")...)...)
		if err != nil {
			t.Fatal(err)
		}
		var out report
		if err := json.Unmarshal([]byte(r.Stdout), &out); err != nil || r.Stderr != "" {
			t.Fatalf("%v\n%s%s", err, r.Stdout, r.Stderr)
		}
		return out
	}
	sh(`sed -i '0,/^security_layer=/s/^security_layer=.*/security_layer=rdp/' "$1/etc/xrdp/xrdp.ini"`)
	if r := apply("--cert", "renew"); r.Changed && r.Exit.Code == 0 {
		t.Errorf("without xrdpfix in the image: %s", r)
	}
	sh(`install -m 0755 "$0" "$1/usr/bin/xrdpfix"`)
	keys := sh(`cd "$1"; find . -xdev -name '*.pem' -o -xdev -name '*.key' | sort`)
	r := apply("--cert", "renew")
	if r.Exit.Code != 0 || r.Exit.Reason != "offline" || !r.Changed || r.Plan == nil || r.Plan.Identity != nil || r.Verdict.Status != "unknown" {
		t.Fatalf("apply to an image: %s", r)
	}
	if now := sh(`cd "$1"; find . -xdev -name '*.pem' -o -xdev -name '*.key' | sort`); now != keys {
		t.Errorf("a key was made into the image:\n%s", difference(keys, now))
	}
	if got := sh(`grep -h ^security_layer= "$1/etc/xrdp/xrdp.ini"; cat "$1"/etc/systemd/system/multi-user.target.d/*.conf; stat -c '%U:%G %a' "$1/etc/systemd/system/xrdpfix-firstboot.service"`); !strings.Contains(got, "security_layer=negotiate\n") || !strings.Contains(got, "Wants=xrdpfix-firstboot.service") || !strings.Contains(got, "root:root 644") {
		t.Errorf("the image has\n%s", got)
	}
	if r := apply("--cert", "renew"); r.Changed || r.Exit.Code != 0 {
		t.Errorf("a second apply to the image: %s", r)
	}
}

// bootImage boots the image and waits for the end of its first boot.
func bootImage(t *testing.T, layer *lab.Layer, suite lab.Suite) *machine {
	t.Helper()
	m := &machine{lab.Start(t, suite, func(o *lab.Options) { o.Over = layer })}
	m.settle(t)
	if r := m.tls(t); !r.OK() {
		t.Errorf("FreeRDP says %s\n%s\n%s", r.Name, r.Output, m.Must(t, "journalctl -b -u xrdpfix-firstboot --no-pager || true"))
	}
	if got := m.Must(t, "ls /etc/systemd/system/xrdpfix-firstboot.service /etc/systemd/system/multi-user.target.d 2>/dev/null || true"); strings.Contains(got, "firstboot") {
		t.Errorf("the unit is still there: %s\n%s", got, m.Must(t, "journalctl -b -u xrdpfix-firstboot --no-pager || true"))
	}
	if r := m.xrdpfix(t, "check"); r.Exit.Code != 0 || r.codes() != "" {
		t.Errorf("check of a machine made from the image: %s", r)
	}
	return m
}

// settle waits until the unit has run, or was not wanted.
func (m *machine) settle(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(3 * time.Minute)
	for {
		state := m.Must(t, "systemctl show -P ActiveState xrdpfix-firstboot; systemctl is-system-running || true")
		if !strings.Contains(state, "activating") && !strings.Contains(state, "starting") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the first boot does not end: %s", state)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// served is the fingerprint of the certificate on the wire.
func (m *machine) served(t *testing.T) string {
	t.Helper()
	r, err := m.Run(t.Context(), lab.Cmd{Args: []string{"xrdpfix", "cert", "show", "--json"}})
	if err != nil {
		t.Fatal(err)
	}
	var out struct{ Served struct{ SHA256 string } }
	if err := json.Unmarshal([]byte(r.Stdout), &out); err != nil || out.Served.SHA256 == "" {
		t.Fatalf("nothing is served: %v\n%s%s", err, r.Stdout, r.Stderr)
	}
	return out.Served.SHA256
}

func (m *machine) keySum(t *testing.T) string {
	t.Helper()
	return m.Must(t, "sha256sum /etc/xrdp/tls/*/key.pem | cut -c1-64")
}

// again boots a machine once more: nothing is made anew.
func again(t *testing.T, m *machine, served string) {
	t.Helper()
	if err := m.Reboot(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.settle(t)
	if now := m.served(t); now != served {
		t.Errorf("after a second boot another certificate is served: %s, was %s", now, served)
	}
	if n := m.Must(t, "ls -d /etc/xrdp/tls/*/ | wc -l"); n != "1\n" {
		t.Errorf("%s pairs after a second boot", n)
	}
}
