package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// state is what the lab's directory knows of a host: enough to find it again,
// and to clear it away when its owner is gone.
type state struct {
	Name     string  `json:"name"`
	Asked    Suite   `json:"suite"`
	Image    string  `json:"image"`
	Over     string  `json:"over,omitempty"` // directory of a layer's changes
	Binds    []Bind  `json:"binds,omitempty"`
	Link     int     `json:"link,omitempty"` // number of the veth pair; 0 for none
	Detached bool    `json:"detached,omitempty"`
	Owner    process `json:"owner"` // the process that booted it
	Nspawn   process `json:"nspawn"`
	PID1     process `json:"pid1"`
}

// register takes the host's name, and a free veth number when it wants one,
// and makes the host's directories.
func (s *state) register(ctx context.Context, veth bool) error {
	unlock, err := lock(ctx, hostsLock())
	if err != nil {
		return err
	}
	defer unlock()
	if veth {
		others, err := states()
		if err != nil {
			return err
		}
		used := make([]int, 0, len(others))
		for _, o := range others {
			used = append(used, o.Link)
		}
		for s.Link = 1; slices.Contains(used, s.Link); s.Link++ {
		}
	}
	if err := os.MkdirAll(hostsDir(), 0o755); err != nil {
		return fmt.Errorf("make room for host %s: %w", s.Name, err)
	}
	if err := os.Mkdir(hostDir(s.Name), 0o755); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("host %s exists already: %w", s.Name, err)
		}
		return fmt.Errorf("make room for host %s: %w", s.Name, err)
	}
	for _, part := range []string{"upper", "work", "root"} {
		if err := os.Mkdir(filepath.Join(hostDir(s.Name), part), 0o755); err != nil {
			return fmt.Errorf("make room for host %s: %w", s.Name, err)
		}
	}
	return s.save()
}

// save writes the state so that a reader sees the old or the new one.
func (s *state) save() error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("save the state of host %s: %w", s.Name, err)
	}
	path := filepath.Join(hostDir(s.Name), "host.json")
	if err := os.WriteFile(path+".new", text, 0o644); err != nil {
		return fmt.Errorf("save the state of host %s: %w", s.Name, err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("save the state of host %s: %w", s.Name, err)
	}
	return nil
}

// states returns all hosts that are registered, dead ones included.
func states() ([]state, error) {
	entries, err := os.ReadDir(hostsDir())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list hosts: %w", err)
	}
	var list []state
	for _, e := range entries {
		s := state{Name: e.Name()} // a host without a state died while it was registered
		text, err := os.ReadFile(filepath.Join(hostDir(e.Name()), "host.json"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("list hosts: %w", err)
		}
		if err == nil {
			if err := json.Unmarshal(text, &s); err != nil {
				return nil, fmt.Errorf("list hosts: state of %s: %w", e.Name(), err)
			}
		}
		list = append(list, s)
	}
	return list, nil
}

// stale reports whether nobody will ever use the host again.
func (s *state) stale() bool {
	if s.Owner.alive() {
		return false
	}
	return !s.Detached || !s.Nspawn.alive()
}

// Reap removes the hosts whose owner died without stopping them.
func Reap(ctx context.Context) error {
	unlock, err := lock(ctx, hostsLock())
	if err != nil {
		return err
	}
	defer unlock()
	list, err := states()
	if err != nil {
		return err
	}
	var errs []error
	for _, s := range list {
		if s.stale() {
			errs = append(errs, s.remove())
		}
	}
	return errors.Join(errs...)
}

// kill ends the host's processes. PID 1 goes first: its parent nspawn then
// collects it and ends by itself, where a killed nspawn would leave that to the
// machine.
func (s *state) kill() {
	s.PID1.kill()
	s.Nspawn.await(10 * time.Second)
	s.Nspawn.kill()
	s.unplug()
}

// remove kills what is left of the host and removes its cgroup and directory.
// The caller holds the lock of the hosts.
func (s *state) remove() error {
	s.kill()
	if err := removeCgroup(cgroupName(s.Name)); err != nil {
		return fmt.Errorf("remove host %s: %w", s.Name, err)
	}
	if err := removeTree(hostDir(s.Name)); err != nil {
		return fmt.Errorf("remove host %s: %w", s.Name, err)
	}
	return nil
}

// removeTree removes a directory although a test made files immutable in it.
func removeTree(dir string) error {
	err := os.RemoveAll(dir)
	if err == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, cerr := run(ctx, []string{"chattr", "-R", "-f", "-i", "-a", dir}, nil, nil); cerr != nil {
		return errors.Join(err, cerr)
	}
	return os.RemoveAll(dir)
}

// consoleTail returns the end of the host's console for an error message.
func (h *Host) consoleTail() string {
	text, err := os.ReadFile(filepath.Join(hostDir(h.Name), "console.log"))
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return "\nconsole: " + strings.Join(lines[max(0, len(lines)-8):], "\nconsole: ")
}
