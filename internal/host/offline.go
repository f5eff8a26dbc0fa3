package host

import (
	"context"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"xrdpfix/diagnose"
)

// inRoot is the place of a file of the tree on this machine, with every link on
// the way resolved inside the tree; "" where that way leads nowhere, so that no
// link can lead out of it.
func (m *Machine) inRoot(name string) string {
	if m.Live() {
		return name
	}
	st, err := m.root.Stat(name)
	if st.Path == "" || err != nil && !st.Exists {
		return ""
	}
	return filepath.Join(m.cfg.Root, st.Path)
}

// unitDirs are where systemd looks for units, the first one first
// (systemd.unit(5)); /run is empty in a tree.
var unitDirs = []string{"/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"}

// offlineUnit reads User= and Group= of xrdp.service, its drop-ins included, where
// systemd cannot be asked.
func (m *Machine) offlineUnit() (user, group string) {
	for _, dir := range unitDirs {
		data, err := m.root.ReadFile(path.Join(dir, diagnose.UnitXrdp), maxConf)
		if err == nil {
			serviceUser(string(data), &user, &group)
			break
		}
	}
	for _, name := range m.dropIns(diagnose.UnitXrdp + ".d") {
		if data, err := m.root.ReadFile(name, maxConf); err == nil {
			serviceUser(string(data), &user, &group)
		}
	}
	return user, group
}

// dropIns lists the drop-ins of a unit in the order in which they apply: by name,
// and of one name the one in the first directory only.
func (m *Machine) dropIns(dir string) []string {
	byName := map[string]string{}
	for _, above := range unitDirs {
		list, err := m.root.ReadDir(path.Join(above, dir))
		if err != nil {
			continue
		}
		for _, e := range list {
			if _, taken := byName[e.Name]; !taken && strings.HasSuffix(e.Name, ".conf") {
				byName[e.Name] = path.Join(above, dir, e.Name)
			}
		}
	}
	var names, out []string
	for n := range byName {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		out = append(out, byName[n])
	}
	return out
}

// serviceUser reads User= and Group= of [Service]; an empty value takes back what
// was said before.
func serviceUser(text string, user, group *string) {
	section := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			section = line
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || section != "[Service]" {
			continue
		}
		switch strings.TrimSpace(key) {
		case "User":
			*user = strings.TrimSpace(value)
		case "Group":
			*group = strings.TrimSpace(value)
		}
	}
}

// settling is how long after its start xrdp may not listen yet: 0.9 takes up to
// two seconds from the end of its start job to an open port (see portPatience).
const settling = 5 * time.Second

// listening is Proc.Listening, but it gives an xrdp that has only just been
// started the time to open its port: at the first boot of a machine, or right
// after somebody's restart, nothing is wrong yet.
func (m *Machine) listening(ctx context.Context, ports []int) ([]diagnose.Socket, error) {
	for {
		list, err := m.proc.Listening(ctx, ports)
		if err != nil || len(list) > 0 || len(ports) == 0 {
			return list, err
		}
		p, err := m.proc.Xrdp(0, m.names)
		if age := m.cfg.Now().Sub(p.Started); err != nil || age < 0 || age > settling {
			return list, nil
		}
		select {
		case <-ctx.Done():
			return list, nil
		case <-time.After(50 * time.Millisecond):
		}
	}
}
