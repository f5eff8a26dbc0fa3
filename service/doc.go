// Package service asks systemd about units and acts on them, over D-Bus.
//
// It is the only user of go-systemd. Where systemd is not the init, [Open]
// returns [ErrNoSystemd] and nothing else is tried.
package service
