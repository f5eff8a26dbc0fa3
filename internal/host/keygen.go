package host

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// keygenDir begins the name of the directory that a key is made in.
const keygenDir = "/run/xrdpfix-keygen-"

// keygenPatience: 2048 bits take well below a second; a machine without entropy
// at first boot takes longer.
const keygenPatience = 30 * time.Second

// Keygen returns a new rsakeys.ini with a key of 2048 bits, made by the host's
// own xrdp-keygen in a private directory: "xrdp-keygen xrdp auto" would delete
// and remake the live file with an owner of its own (keygen/keygen.c).
func (m *Machine) Keygen() ([]byte, error) {
	if !m.Live() {
		return nil, fmt.Errorf("no key is made into an offline tree")
	}
	dir, err := os.MkdirTemp(filepath.Dir(keygenDir), filepath.Base(keygenDir))
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctx, cancel := context.WithTimeout(m.ctx, keygenPatience)
	defer cancel()
	binary := "/usr/bin/xrdp-keygen"
	if err := trustedProgram(binary); err != nil {
		return nil, err
	}
	name := filepath.Join(dir, "rsakeys.ini")
	cmd := exec.CommandContext(ctx, binary, "xrdp", name, "2048")
	cmd.Dir, cmd.Env = dir, []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s: %w: %.200q", binary, err, out)
	}
	return ReadFile("/", name, maxSmallFile)
}
