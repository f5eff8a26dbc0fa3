package service

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/godbus/dbus/v5"
)

// ErrNoFirewalld tells that firewalld does not run, or there is no system bus.
var ErrNoFirewalld = errors.New("firewalld does not run")

// The names of firewalld on the bus (firewalld.dbus(5)).
const (
	firewalldName   = "org.fedoraproject.FirewallD1"
	firewalldPath   = "/org/fedoraproject/FirewallD1"
	firewalldZone   = firewalldName + ".zone."
	firewalldPolicy = firewalldName + ".policy."
)

// Zone is what one zone of firewalld lets in to this machine.
type Zone struct {
	Name string `json:"name"`
	// Default is set for the zone of everything that no other zone claims.
	Default bool `json:"default,omitempty"`
	// Target is "default", "ACCEPT", "DROP" or "%%REJECT%%": what happens to the rest.
	Target string `json:"target"`
	// Ports are TCP ports and ranges, those of its services included: "3389", "3380-3400".
	Ports []string `json:"ports,omitempty"`
	// Unjudged: it has rich rules, forwards or protocols that are not read here.
	Unjudged bool `json:"unjudged,omitempty"`
}

// Admits reports whether a new connection to a TCP port comes in through the
// zone; known is false where the zone has rules that are not judged.
func (z Zone) Admits(port int) (admits, known bool) {
	for _, p := range z.Ports {
		from, to, isRange := strings.Cut(p, "-")
		low, err := strconv.Atoi(from)
		high := low
		if err == nil && isRange {
			high, err = strconv.Atoi(to)
		}
		if err != nil {
			return false, false
		}
		if low <= port && port <= high {
			return true, true
		}
	}
	return z.Target == "ACCEPT", !z.Unjudged
}

// caller makes one call of firewalld and returns what it answered.
type caller func(ctx context.Context, method string, args ...any) ([]any, error)

// Firewalld asks the running firewalld for its default zone and its active ones,
// over the system bus. It starts nothing and changes nothing. ErrNoFirewalld
// means that there is none to ask; ctx bounds all of it.
func Firewalld(ctx context.Context) ([]Zone, error) {
	bus, err := dbus.ConnectSystemBus(dbus.WithContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoFirewalld, err)
	}
	defer bus.Close() //nolint:errcheck // only asked
	var owned bool
	if err := bus.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.NameHasOwner", 0, firewalldName).Store(&owned); err != nil {
		return nil, fmt.Errorf("ask the bus for firewalld: %w", err)
	}
	if !owned {
		return nil, ErrNoFirewalld
	}
	object := bus.Object(firewalldName, firewalldPath)
	return zones(ctx, func(ctx context.Context, method string, args ...any) ([]any, error) {
		call := object.CallWithContext(ctx, method, dbus.FlagNoAutoStart, args...)
		return call.Body, call.Err
	})
}

func zones(ctx context.Context, call caller) ([]Zone, error) {
	body, err := call(ctx, firewalldName+".getDefaultZone")
	if err != nil {
		return nil, fmt.Errorf("ask firewalld for its default zone: %w", err)
	}
	standard, _ := first(body).(string)
	if standard == "" {
		return nil, errors.New("ask firewalld for its default zone: no name")
	}
	names := []string{standard}
	body, err = call(ctx, firewalldZone+"getActiveZones")
	if err != nil {
		return nil, fmt.Errorf("ask firewalld for its zones: %w", err)
	}
	active, _ := first(body).(map[string]map[string][]string)
	for name := range active {
		if name != standard {
			names = append(names, name)
		}
	}
	policies := otherPolicies(ctx, call)
	var out []Zone
	for _, name := range names {
		z, err := zone(ctx, call, name)
		if err != nil {
			return nil, err
		}
		z.Default = name == standard
		z.Unjudged = z.Unjudged || policies
		out = append(out, z)
	}
	return out, nil
}

// otherPolicies reports whether there are policies beside the stock one, which
// admits ICMPv6 only. Before 0.9 there were none at all.
func otherPolicies(ctx context.Context, call caller) bool {
	body, err := call(ctx, firewalldPolicy+"getActivePolicies")
	if err != nil {
		return false
	}
	active, ok := first(body).(map[string]map[string][]string)
	for name := range active {
		if name != "allow-host-ipv6" {
			return true
		}
	}
	return !ok
}

func zone(ctx context.Context, call caller, name string) (Zone, error) {
	z := Zone{Name: name, Target: "default"}
	s, err := settings(ctx, call, firewalldZone+"getZoneSettings2", name)
	if err != nil {
		return z, fmt.Errorf("ask firewalld for zone %s: %w", name, err)
	}
	if t, ok := s["target"].Value().(string); ok && t != "" {
		z.Target = t
	}
	z.Ports = tcpPorts(s)
	for _, key := range []string{"rules_str", "rich_rules", "forward_ports", "protocols", "source_ports"} {
		z.Unjudged = z.Unjudged || !empty(s[key])
	}
	services, _ := s["services"].Value().([]string)
	for _, service := range services {
		s, err := settings(ctx, call, firewalldName+".getServiceSettings2", service)
		if err != nil {
			z.Unjudged = true
			continue
		}
		z.Ports = append(z.Ports, tcpPorts(s)...)
		z.Unjudged = z.Unjudged || !empty(s["includes"])
	}
	return z, nil
}

func settings(ctx context.Context, call caller, method, name string) (map[string]dbus.Variant, error) {
	body, err := call(ctx, method, name)
	if err != nil {
		return nil, err
	}
	s, ok := first(body).(map[string]dbus.Variant)
	if !ok {
		return nil, errors.New("an answer of another type")
	}
	return s, nil
}

// tcpPorts reads ports, a(ss) of port or range and protocol.
func tcpPorts(s map[string]dbus.Variant) []string {
	list, _ := s["ports"].Value().([][]any)
	var out []string
	for _, pair := range list {
		if len(pair) != 2 {
			continue
		}
		port, _ := pair[0].(string)
		if proto, _ := pair[1].(string); proto == "tcp" {
			out = append(out, port)
		}
	}
	return out
}

// empty reports whether a setting is absent or an empty list.
func empty(v dbus.Variant) bool {
	switch list := v.Value().(type) {
	case nil:
		return true
	case []string:
		return len(list) == 0
	case [][]any:
		return len(list) == 0
	}
	return false
}

func first(body []any) any {
	if len(body) == 0 {
		return nil
	}
	return body[0]
}
