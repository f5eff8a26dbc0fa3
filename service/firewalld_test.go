package service

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/godbus/dbus/v5"
)

// answers stands in for firewalld: by method and argument.
func answers(a map[string]any) caller {
	return func(_ context.Context, method string, args ...any) ([]any, error) {
		key := method
		for _, arg := range args {
			key += " " + arg.(string)
		}
		if v, ok := a[key]; ok {
			return []any{v}, nil
		}
		return nil, errors.New("unknown: " + key)
	}
}

// stock is what firewalld 1.3.3 of bookworm answers, and one more zone.
func stock() map[string]any {
	v := dbus.MakeVariant
	return map[string]any{
		firewalldName + ".getDefaultZone": "public",
		firewalldZone + "getActiveZones":  map[string]map[string][]string{"work": {"interfaces": {"eth1"}}},
		firewalldPolicy + "getActivePolicies": map[string]map[string][]string{
			"allow-host-ipv6": {"ingress_zones": {"ANY"}, "egress_zones": {"HOST"}},
		},
		firewalldZone + "getZoneSettings2 public": map[string]dbus.Variant{
			"target": v("default"), "services": v([]string{"ssh", "dhcpv6-client"}), "forward": v(true),
		},
		firewalldZone + "getZoneSettings2 work": map[string]dbus.Variant{
			"services": v([]string{"rdp"}), "ports": v([][]any{{"4000-4010", "tcp"}, {"5000", "udp"}}),
		},
		firewalldName + ".getServiceSettings2 ssh":           map[string]dbus.Variant{"ports": v([][]any{{"22", "tcp"}})},
		firewalldName + ".getServiceSettings2 rdp":           map[string]dbus.Variant{"ports": v([][]any{{"3389", "tcp"}})},
		firewalldName + ".getServiceSettings2 dhcpv6-client": map[string]dbus.Variant{"ports": v([][]any{{"546", "udp"}})},
	}
}

func TestZones(t *testing.T) {
	got, err := zones(t.Context(), answers(stock()))
	want := []Zone{
		{Name: "public", Default: true, Target: "default", Ports: []string{"22"}},
		{Name: "work", Target: "default", Ports: []string{"4000-4010", "3389"}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

// TestZonesUnjudged: what is not understood is said, never taken for shut.
func TestZonesUnjudged(t *testing.T) {
	v := dbus.MakeVariant
	const public = firewalldZone + "getZoneSettings2 public"
	for name, change := range map[string]func(map[string]any){
		"rich rules": func(a map[string]any) {
			a[public].(map[string]dbus.Variant)["rules_str"] = v([]string{`rule family="ipv4" source address="192.0.2.0/24" port port="3389" protocol="tcp" accept`})
		},
		"source ports": func(a map[string]any) {
			a[public].(map[string]dbus.Variant)["source_ports"] = v([][]any{{"1024-65535", "tcp"}})
		},
		"a service that is not known": func(a map[string]any) {
			a[public].(map[string]dbus.Variant)["services"] = v([]string{"mine"})
		},
		"another policy": func(a map[string]any) {
			a[firewalldPolicy+"getActivePolicies"] = map[string]map[string][]string{"mine": {}}
		},
	} {
		a := stock()
		change(a)
		got, err := zones(t.Context(), answers(a))
		if err != nil || len(got) != 2 || !got[0].Unjudged {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for _, missing := range []string{firewalldName + ".getDefaultZone", firewalldZone + "getActiveZones", public} {
		a := stock()
		delete(a, missing)
		if got, err := zones(t.Context(), answers(a)); err == nil {
			t.Errorf("without %s: %+v", missing, got)
		}
	}
}

func TestZoneAdmits(t *testing.T) {
	for _, tt := range []struct {
		zone          Zone
		port          int
		admits, known bool
	}{
		{Zone{Ports: []string{"22", "3389"}}, 3389, true, true},
		{Zone{Ports: []string{"3380-3389"}}, 3389, true, true},
		{Zone{Ports: []string{"3390-3400"}}, 3389, false, true},
		{Zone{Ports: []string{"rdp"}}, 3389, false, false},
		{Zone{Target: "ACCEPT"}, 3389, true, true},
		{Zone{Target: "DROP"}, 3389, false, true},
		{Zone{Unjudged: true}, 3389, false, false},
		{Zone{}, 3389, false, true},
	} {
		if admits, known := tt.zone.Admits(tt.port); admits != tt.admits || known != tt.known {
			t.Errorf("%+v: %v, %v", tt.zone, admits, known)
		}
	}
}
