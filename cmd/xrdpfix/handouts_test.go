package main

import (
	"slices"
	"testing"
)

// TestHandouts: the causes that are a client's name what its owner is given.
func TestHandouts(t *testing.T) {
	for cause, want := range map[string][]string{
		"client-tls-too-old":      {"xrdpfix client win7", "xrdpfix client thinclient"},
		"client-requires-nla":     {"xrdpfix client windows", "xrdpfix client freerdp", "xrdpfix client guacamole"},
		"client-refuses-cert":     {"xrdpfix client windows", "xrdpfix client guacamole"},
		"client-unsupported-auth": {"xrdpfix client windows"},
		"client-tls-too-new":      nil, // the server's move
		"key-unreadable":          nil,
		"no such cause":           nil,
		"":                        nil,
	} {
		if got := handouts(cause); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", cause, got, want)
		}
	}
}
