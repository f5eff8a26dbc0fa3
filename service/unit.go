package service

import (
	"context"
	"fmt"
	"time"
)

// Unit is the state of one service unit.
type Unit struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// LoadState is "loaded", "not-found", "masked", "bad-setting" or "error".
	LoadState string `json:"load_state"`
	// ActiveState is "active", "inactive", "failed", "activating", "deactivating" or "reloading".
	ActiveState string `json:"active_state"`
	SubState    string `json:"sub_state"`
	// UnitFileState is "enabled", "disabled", "static", "masked", ...
	UnitFileState string `json:"unit_file_state,omitempty"`
	// Result is why the service ended last: "success", "exit-code", "timeout", ...
	Result string `json:"result,omitempty"`
	Type   string `json:"type,omitempty"`
	// MainPID is 0 while nothing runs.
	MainPID int `json:"main_pid"`
	// User and Group are as the unit states them, "" where it does not.
	User                string    `json:"user,omitempty"`
	Group               string    `json:"group,omitempty"`
	SupplementaryGroups []string  `json:"supplementary_groups,omitempty"`
	ActiveSince         time.Time `json:"active_since,omitzero"`
	FragmentPath        string    `json:"fragment_path,omitempty"`
	DropIns             []string  `json:"drop_ins,omitempty"`
	// NeedDaemonReload: the files on disk are newer than what systemd runs with.
	NeedDaemonReload bool     `json:"need_daemon_reload"`
	Environment      []string `json:"environment,omitempty"`
	ExecStart        []string `json:"exec_start,omitempty"`
	ControlGroup     string   `json:"control_group,omitempty"`
	StopWhenUnneeded bool     `json:"stop_when_unneeded,omitempty"`
	Requires         []string `json:"requires,omitempty"`
	BindsTo          []string `json:"binds_to,omitempty"`
}

// Unit reads the state of a unit. One that does not exist has LoadState
// "not-found" and is no error.
func (c *Conn) Unit(ctx context.Context, name string) (Unit, error) {
	p, err := c.bus.GetAllPropertiesContext(ctx, name)
	if err != nil {
		return Unit{}, authorized("read the state of "+name, err)
	}
	u := Unit{
		Name: name, Description: text(p, "Description"),
		LoadState: text(p, "LoadState"), ActiveState: text(p, "ActiveState"), SubState: text(p, "SubState"),
		UnitFileState: text(p, "UnitFileState"), Result: text(p, "Result"), Type: text(p, "Type"),
		User: text(p, "User"), Group: text(p, "Group"), SupplementaryGroups: list(p, "SupplementaryGroups"),
		ActiveSince: moment(p, "ActiveEnterTimestamp"), FragmentPath: text(p, "FragmentPath"),
		DropIns: list(p, "DropInPaths"), Environment: list(p, "Environment"),
		ControlGroup: text(p, "ControlGroup"), Requires: list(p, "Requires"), BindsTo: list(p, "BindsTo"),
	}
	u.NeedDaemonReload, _ = p["NeedDaemonReload"].(bool)
	u.StopWhenUnneeded, _ = p["StopWhenUnneeded"].(bool)
	if pid, ok := p["MainPID"].(uint32); ok {
		u.MainPID = int(pid)
	}
	u.ExecStart = commandLine(p["ExecStart"])
	return u, nil
}

func text(p map[string]any, key string) string {
	s, _ := p[key].(string)
	return s
}

func list(p map[string]any, key string) []string {
	l, _ := p[key].([]string)
	return l
}

// moment converts systemd's microseconds since 1970; 0 is "never".
func moment(p map[string]any, key string) time.Time {
	us, ok := p[key].(uint64)
	if !ok || us == 0 || us > 1<<62 {
		return time.Time{}
	}
	return time.UnixMicro(int64(us)) //nolint:gosec // bounded above
}

// commandLine takes the arguments out of the first ExecStart= command, whose
// D-Bus type is a(sasbttttuii): path, arguments, and the state of its last run.
func commandLine(v any) []string {
	commands, ok := v.([][]any)
	if !ok || len(commands) == 0 || len(commands[0]) < 2 {
		return nil
	}
	args, ok := commands[0][1].([]string)
	if !ok {
		return []string{fmt.Sprint(commands[0][0])}
	}
	return args
}
