package xrdpconf

import (
	"reflect"
	"strings"
	"testing"
)

func TestParsePort(t *testing.T) {
	tests := []struct {
		in   string
		want []Listen
	}{
		{"3389", []Listen{{NetworkTCP, "", 3389}}},
		{"", nil},
		{"rdp", nil},
		{"tcp://:3389", []Listen{{NetworkTCP4, "0.0.0.0", 3389}}},
		{"tcp://.:3389", []Listen{{NetworkTCP4, "127.0.0.1", 3389}}},
		{"tcp://192.0.2.1:3389", []Listen{{NetworkTCP4, "192.0.2.1", 3389}}},
		{"tcp6://:3389", []Listen{{NetworkTCP6, "::", 3389}}},
		{"tcp6://.:3389", []Listen{{NetworkTCP6, "::1", 3389}}},
		{"tcp6://{2001:db8::1}:3389", []Listen{{NetworkTCP6, "2001:db8::1", 3389}}},
		{"unix://./tmp/xrdp.socket", []Listen{{NetworkUnix, "/tmp/xrdp.socket", 0}}},
		{"vsock://-1:3389", []Listen{{NetworkVsock, "-1", 3389}}},
		{"vsock://2:-1", []Listen{{NetworkVsock, "2", -1}}},
		{"3389 tcp://.:3390,unix://./s", []Listen{{NetworkTCP, "", 3389}, {NetworkTCP4, "127.0.0.1", 3390}, {NetworkUnix, "/s", 0}}},
		{"tcp://192.0.2.1:3389 tcp://:3390", []Listen{{NetworkTCP4, "192.0.2.1", 3389}, {NetworkTCP4, "0.0.0.0", 3390}}},
		// Traps.
		{"127.0.0.1:3389", []Listen{{NetworkTCP, "", 127}, {NetworkTCP, "", 0}, {NetworkTCP, "", 0}, {NetworkTCP, "", 1}, {NetworkTCP, "", 3389}}},
		{"tcp:/127.0.0.1", []Listen{{NetworkTCP, "", 127}, {NetworkTCP, "", 0}, {NetworkTCP, "", 0}, {NetworkTCP, "", 1}}},
		{"tcp6://2001:db8::1", []Listen{{NetworkTCP6, "", 0}}},
		{"tcp://localhost:3389", []Listen{{NetworkTCP4, "3389", 0}}},
		{"tcp://: 3389", []Listen{{NetworkTCP4, "0.0.0.0", 3389}}},
		{"tcp://.:", []Listen{{NetworkTCP4, "127.0.0.1", 0}}},
		{"TCP://:3389", []Listen{{NetworkTCP, "", 3389}}},
		{"unix://.", []Listen{{NetworkUnix, "", 0}}},
		{"unix:///tmp/x1", []Listen{{NetworkTCP, "", 1}}},
		{"-3389", []Listen{{NetworkTCP, "", 3389}}},
		{strings.Repeat("1", 130), []Listen{{NetworkTCP, "", -1}, {NetworkTCP, "", 11}}},
	}
	for _, tt := range tests {
		if got := ParsePort(tt.in); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("ParsePort(%q) = %+v, want %+v", tt.in, got, tt.want)
		}
	}
}

func TestListen(t *testing.T) {
	tests := []struct {
		text          string
		loopback, tcp bool
	}{
		{"3389", false, true},
		{"tcp://:3389", false, true},
		{"tcp://.:3389", true, true},
		{"tcp://192.0.2.1:3389", false, true},
		{"tcp://127.0.0.2:3389", true, true},
		{"tcp6://:3389", false, true},
		{"tcp6://.:3389", true, true},
		{"tcp6://{2001:db8::1}:3389", false, true},
		{"unix://./run/xrdp.socket", true, false},
		{"vsock://-1:3389", false, false},
	}
	for _, tt := range tests {
		all := ParsePort(tt.text)
		if len(all) != 1 {
			t.Fatalf("ParsePort(%q) = %+v", tt.text, all)
		}
		if l := all[0]; l.String() != tt.text || l.Loopback() != tt.loopback || l.TCP() != tt.tcp {
			t.Errorf("%q: String %q, Loopback %v, TCP %v", tt.text, l, l.Loopback(), l.TCP())
		}
	}
}

func FuzzParsePort(f *testing.F) {
	for _, s := range []string{"3389", "tcp6://{::1}:1,unix://./a vsock://-1:2", "127.0.0.1:3389", "tcp6://{", "tcp://1.2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, l := range ParsePort(s) {
			if l.Network == "" {
				t.Errorf("ParsePort(%q) has an element without a network", s)
			}
		}
	})
}
