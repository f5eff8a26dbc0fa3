package service

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Unit is what systemd knows of a unit; the words are those of
// org.freedesktop.systemd1(5). Fields that only a service has are empty for
// others.
type Unit struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// LoadState is "loaded", "not-found", "masked", "bad-setting" or "error".
	LoadState string `json:"load_state"`
	// ActiveState is "active", "inactive", "failed", "activating", "deactivating"
	// or "reloading".
	ActiveState string `json:"active_state"`
	SubState    string `json:"sub_state,omitempty"`
	// Result says why a service failed: "exit-code", "signal", "timeout",
	// "start-limit-hit" and so on, or "success".
	Result string `json:"result,omitempty"`
	// UnitFileState is "enabled", "disabled", "static", "masked" and so on.
	UnitFileState string `json:"unit_file_state,omitempty"`
	Type          string `json:"type,omitempty"` // Type=, as in "forking", "exec"
	// MainPID is 0 if nothing runs.
	MainPID int `json:"main_pid,omitempty"`
	// User and Group are what User= and Group= say, empty for root.
	User  string `json:"user,omitempty"`
	Group string `json:"group,omitempty"`
	// SupplementaryGroups are names or numbers, as the unit states them.
	SupplementaryGroups []string `json:"supplementary_groups,omitempty"`
	// ActiveSince and InactiveSince are when the unit last became so.
	ActiveSince   time.Time `json:"active_since,omitzero"`
	InactiveSince time.Time `json:"inactive_since,omitzero"`
	// MainStarted is when the main process began, which is what a change must
	// be older than to be in effect.
	MainStarted time.Time `json:"main_started,omitzero"`
	// ExecMainCode is the si_code of the last main process's end (1 exited,
	// 2 killed, 3 dumped core), ExecMainStatus its exit status or signal.
	ExecMainCode   int      `json:"exec_main_code,omitempty"`
	ExecMainStatus int      `json:"exec_main_status,omitempty"`
	FragmentPath   string   `json:"fragment_path,omitempty"`
	DropIns        []string `json:"drop_ins,omitempty"`
	// NeedDaemonReload: a file of the unit has changed since systemd read it.
	// systemd 252 does not notice a drop-in directory that is new altogether.
	NeedDaemonReload bool `json:"need_daemon_reload"`
	// Environment is what Environment= says, as NAME=value. Services of others
	// keep passwords there, so it does not go to JSON; see Env.
	Environment []string `json:"-"`
	// EnvironmentFiles are the paths of EnvironmentFile=, a leading "-" kept
	// where the file may be missing.
	EnvironmentFiles []string `json:"environment_files,omitempty"`
	// ExecStart is the command lines, each joined by blanks, with the variables
	// not yet filled in.
	ExecStart []string `json:"exec_start,omitempty"`
	PIDFile   string   `json:"pid_file,omitempty"`
	// Requires and BindsTo are what the unit needs, RequiredBy, BoundBy and
	// ConsistsOf what stops with it.
	Requires         []string `json:"requires,omitempty"`
	BindsTo          []string `json:"binds_to,omitempty"`
	RequiredBy       []string `json:"required_by,omitempty"`
	BoundBy          []string `json:"bound_by,omitempty"`
	ConsistsOf       []string `json:"consists_of,omitempty"`
	StopWhenUnneeded bool     `json:"stop_when_unneeded,omitempty"`
	KillMode         string   `json:"kill_mode,omitempty"`
	ControlGroup     string   `json:"control_group,omitempty"`
	// InvocationID names this run of the unit, in hexadecimal; it changes with
	// every start.
	InvocationID string `json:"invocation_id,omitempty"`
}

// Unit looks a unit up by its full name. Where systemd knows none that is no
// error: LoadState says "not-found". Such a unit may still be active, when its
// file has been removed under it.
func (c *Conn) Unit(ctx context.Context, name string) (Unit, error) {
	props, err := c.bus.GetAllPropertiesContext(ctx, name)
	if err != nil {
		return Unit{}, fmt.Errorf("look up %s: %w", name, classify(err))
	}
	return unitFrom(name, props), nil
}

// Env returns the value that Environment= gives to a variable, the last one if
// it is given several times. EnvironmentFiles are not read.
func (u Unit) Env(name string) (string, bool) {
	for i := len(u.Environment) - 1; i >= 0; i-- {
		if value, ok := strings.CutPrefix(u.Environment[i], name+"="); ok {
			return value, true
		}
	}
	return "", false
}

// StopsWith lists the services that a stop or restart of the unit takes along.
func (u Unit) StopsWith() []string {
	var out []string
	seen := map[string]bool{}
	for _, list := range [][]string{u.BoundBy, u.RequiredBy, u.ConsistsOf} {
		for _, name := range list {
			if isService(name) && !seen[name] {
				seen[name] = true
				out = append(out, name)
			}
		}
	}
	return out
}

func isService(name string) bool { return strings.HasSuffix(name, ".service") }

func unitFrom(name string, p map[string]any) Unit {
	u := Unit{
		Name: name, Description: stringOf(p, "Description"),
		LoadState: stringOf(p, "LoadState"), ActiveState: stringOf(p, "ActiveState"), SubState: stringOf(p, "SubState"),
		Result: stringOf(p, "Result"), UnitFileState: stringOf(p, "UnitFileState"), Type: stringOf(p, "Type"),
		MainPID: int(numberOf(p, "MainPID")), User: stringOf(p, "User"), Group: stringOf(p, "Group"),
		SupplementaryGroups: stringsOf(p, "SupplementaryGroups"),
		ActiveSince:         timeOf(p, "ActiveEnterTimestamp"), InactiveSince: timeOf(p, "InactiveEnterTimestamp"),
		MainStarted:  timeOf(p, "ExecMainStartTimestamp"),
		ExecMainCode: int(numberOf(p, "ExecMainCode")), ExecMainStatus: int(numberOf(p, "ExecMainStatus")),
		FragmentPath: stringOf(p, "FragmentPath"), DropIns: stringsOf(p, "DropInPaths"),
		Environment: stringsOf(p, "Environment"), PIDFile: stringOf(p, "PIDFile"),
		Requires: stringsOf(p, "Requires"), BindsTo: stringsOf(p, "BindsTo"),
		RequiredBy: stringsOf(p, "RequiredBy"), BoundBy: stringsOf(p, "BoundBy"), ConsistsOf: stringsOf(p, "ConsistsOf"),
		KillMode: stringOf(p, "KillMode"), ControlGroup: stringOf(p, "ControlGroup"),
	}
	// The Id is the unit's own name where the caller asked for an alias.
	if id := stringOf(p, "Id"); id != "" {
		u.Name = id
	}
	u.NeedDaemonReload, _ = p["NeedDaemonReload"].(bool)
	u.StopWhenUnneeded, _ = p["StopWhenUnneeded"].(bool)
	if id, ok := p["InvocationID"].([]byte); ok {
		u.InvocationID = hex.EncodeToString(id)
	}
	for _, file := range structsOf(p, "EnvironmentFiles") {
		if len(file) < 2 {
			continue
		}
		path, _ := file[0].(string)
		if optional, _ := file[1].(bool); optional {
			path = "-" + path
		}
		u.EnvironmentFiles = append(u.EnvironmentFiles, path)
	}
	for _, command := range structsOf(p, "ExecStart") {
		if len(command) < 2 {
			continue
		}
		if argv, ok := command[1].([]string); ok {
			u.ExecStart = append(u.ExecStart, strings.Join(argv, " "))
		}
	}
	return u
}
