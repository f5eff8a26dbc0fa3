package host

import (
	"bytes"
	"os"
	"reflect"
	"testing"

	"xrdpfix/diagnose"
	"xrdpfix/service"
)

// TestUFWRules reads what ufw 0.36.2 wrote for: allow 22/tcp, allow from
// 192.0.2.0/24 to port 3390, limit 3391/tcp, allow 3392:3395/tcp, deny 3396,
// allow in on eth0 to port 3397, allow 3398,3400/tcp.
func TestUFWRules(t *testing.T) {
	data, err := os.ReadFile("testdata/ufw/user.rules")
	if err != nil {
		t.Fatal(err)
	}
	for port, want := range map[int]ufwAnswer{
		22: ufwOpen, 3389: ufwDefault, 3390: ufwOpen, 3391: ufwOpen, 3392: ufwOpen, 3394: ufwOpen, 3395: ufwOpen,
		3396: ufwShut, 3397: ufwOpen, 3398: ufwOpen, 3399: ufwDefault, 3400: ufwOpen,
	} {
		if got := ufwRules(data, port); got != want {
			t.Errorf("port %d: %d, want %d", port, got, want)
		}
	}
	for rule, want := range map[string]ufwAnswer{
		"-A ufw-user-input -j ACCEPT":                                           ufwOpen,
		"-A ufw-user-input -s 192.0.2.7 -j DROP":                                ufwDefault,
		"-A ufw-user-input -p udp --dport 3389 -j ACCEPT":                       ufwDefault,
		"-A ufw-user-input -p tcp --dport rdp -j ACCEPT":                        ufwOpen,
		"-A ufw-user-input -p tcp --dport rdp -j DROP":                          ufwDefault,
		"-A ufw-user-output -p tcp --dport 3389 -j ACCEPT":                      ufwDefault,
		"# -A ufw-user-input -p tcp --dport 3389 -j ACCEPT":                     ufwDefault,
		"-A ufw-user-input -p tcp --dport 3389 -j LOG":                          ufwDefault,
		"-A ufw-user-input -p tcp -m multiport --dports 22,3380:3390 -j REJECT": ufwShut,
		"-A": ufwDefault,
	} {
		if got := ufwRules([]byte(rule+"\n"), 3389); got != want {
			t.Errorf("%s: %d, want %d", rule, got, want)
		}
	}
}

func TestUFW(t *testing.T) {
	base := map[string]string{
		"/etc/ufw/ufw.conf":   "# c\nENABLED=yes\nLOGLEVEL=low\n",
		"/etc/default/ufw":    "IPV6=yes\nDEFAULT_INPUT_POLICY=\"DROP\"\n",
		"/etc/ufw/user.rules": "*filter\n-A ufw-user-input -p tcp --dport 22 -j ACCEPT\nCOMMIT\n",
	}
	shut := diagnose.Firewall{Manager: "ufw", Blocked: []diagnose.BlockedPort{{Port: 3389, Where: "/etc/default/ufw, DEFAULT_INPUT_POLICY=DROP, and no rule for the port"}}}
	for _, tt := range []struct {
		name, file, text string
		want             diagnose.Firewall
	}{
		{"no rule", "", "", shut},
		{"disabled", "/etc/ufw/ufw.conf", "ENABLED=no\n", diagnose.Firewall{}},
		{"accepts by default", "/etc/default/ufw", "DEFAULT_INPUT_POLICY=\"ACCEPT\"\n", diagnose.Firewall{Manager: "ufw"}},
		{"allowed", "/etc/ufw/user.rules", "-A ufw-user-input -p tcp --dport 3389 -j ACCEPT\n", diagnose.Firewall{Manager: "ufw"}},
		{"denied", "/etc/ufw/user.rules", "-A ufw-user-input -p tcp --dport 3389 -j DROP\n",
			diagnose.Firewall{Manager: "ufw", Blocked: []diagnose.BlockedPort{{Port: 3389, Where: "/etc/ufw/user.rules, a rule that denies it"}}}},
		{"by hand", "/etc/ufw/before.rules", "-A ufw-before-input -p tcp --dport 3389 -j ACCEPT\n", diagnose.Firewall{Manager: "ufw"}},
		{"by hand, another port", "/etc/ufw/before.rules", "# port 3389\n-A ufw-before-input -p udp --dport 5353 -j ACCEPT\n", shut},
	} {
		files := map[string]string{tt.file: tt.text}
		for name, text := range base {
			if name != tt.file {
				files[name] = text
			}
		}
		delete(files, "")
		got, err := machineOf(t, files).ufw([]int{3389})
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %+v, %v, want %+v", tt.name, got, err, tt.want)
		}
	}
	if got, err := machineOf(t, nil).ufw([]int{3389}); err != nil || !reflect.DeepEqual(got, diagnose.Firewall{}) {
		t.Errorf("no ufw: %+v, %v", got, err)
	}
}

func TestByZones(t *testing.T) {
	public := service.Zone{Name: "public", Default: true, Target: "default", Ports: []string{"22"}}
	work := service.Zone{Name: "work", Target: "default", Ports: []string{"3390"}}
	odd := service.Zone{Name: "odd", Target: "default", Unjudged: true}
	blocked := diagnose.BlockedPort{Port: 3389, Zone: "public", Where: "zone public, target default"}
	for _, tt := range []struct {
		name  string
		zones []service.Zone
		ports []int
		want  []diagnose.BlockedPort
	}{
		{"one zone", []service.Zone{public}, []int{22, 3389}, []diagnose.BlockedPort{blocked}},
		{"admitted by another zone", []service.Zone{public, work}, []int{3390}, nil},
		{"one that is not judged", []service.Zone{public, odd}, []int{3389}, nil},
		{"none", nil, []int{3389}, nil},
	} {
		if got := byZones(tt.zones, tt.ports); !reflect.DeepEqual(got.Blocked, tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.name, got.Blocked, tt.want)
		}
	}
}

func TestLimited(t *testing.T) {
	l := &limited{left: 3}
	if n, err := l.Write([]byte("ab")); n != 2 || err != nil {
		t.Error(n, err)
	}
	if _, err := l.Write([]byte("cd")); err == nil || string(l.data) != "ab" {
		t.Errorf("%q, %v", l.data, err)
	}
}

// FuzzUFWRules reads any bytes as ufw's rules. A rule of another chain behind them
// changes nothing, and without a rule of ufw's chain nothing is decided.
func FuzzUFWRules(f *testing.F) {
	data, err := os.ReadFile("testdata/ufw/user.rules")
	if err != nil {
		f.Fatal(err)
	}
	for _, port := range []int{22, 3389, 3391, 3393, 3396} {
		f.Add(data, port)
	}
	f.Add([]byte("-A ufw-user-input -p tcp -m multiport --dports 3380:3400,22 -j REJECT\n"), 3389)
	f.Add([]byte("-A ufw-before-input -p tcp --dport 99999999999999999999 -j DROP\n# --dport 3389\n"), 3389)
	f.Fuzz(func(t *testing.T, data []byte, port int) {
		answer, named := ufwRules(data, port), mentions(data, port)
		const other = "\n-A ufw-user-output -p tcp -j DROP\n"
		if again := ufwRules(append(bytes.Clone(data), other...), port); again != answer {
			t.Errorf("%d, and %d with a rule of another chain behind it", answer, again)
		}
		if again := mentions(append(bytes.Clone(data), other...), port); again != named {
			t.Errorf("port named: %t, and %t with a rule without one", named, again)
		}
		if answer != ufwDefault && !bytes.Contains(data, []byte(ufwInput)) {
			t.Errorf("%d, and no rule is ufw's: %q", answer, data)
		}
	})
}
