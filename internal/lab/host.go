package lab

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"
)

// A Bind makes a file or directory of the machine visible inside a host.
type Bind struct {
	Source, Target string // absolute; Target is made when it is not there
	Writable       bool
}

// Options say how a host is made. The zero value is a host of a random name
// that lives no longer than this process.
type Options struct {
	Name     string    // host name and handle; letters, digits, dashes; random when empty
	Veth     bool      // add an interface shared with the machine, see [Host.Addr]
	Binds    []Bind    // visible inside from the first boot on
	Packages []string  // more Debian packages, kept in the cache as a layer over the image
	Over     *Layer    // an image that was changed before the boot, made with the same Packages
	Detached bool      // the host outlives this process; [Attach] finds it again
	NoWait   bool      // return when PID 1 runs, before the system is up
	Log      io.Writer // progress of building an image; nil for none
}

// A Host is a running machine of the lab. Its methods may be called from
// several goroutines, but not while Reboot or Stop is at work.
type Host struct {
	Name  string
	Suite Suite // what was asked for
	Image Image // what runs: its Versions tell the facts

	binds  []Bind
	detach bool

	mu      sync.Mutex
	st      state
	nspawn  *child // nil in a process that only attached
	display *display
}

// machineName is what systemd-nspawn, host names and interface names allow.
var machineName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,40}[a-z0-9]$`)

// Boot makes a host and returns it when its system is up and xrdp listens. The
// caller stops it. ctx bounds the making only.
func Boot(ctx context.Context, s Suite, o Options) (*Host, error) {
	img, err := EnsureLayer(ctx, s, o.Packages, o.Log)
	if err != nil {
		return nil, err
	}
	if err := Reap(ctx); err != nil {
		return nil, err
	}
	if o.Name == "" {
		o.Name = randomName(s)
	}
	if !machineName.MatchString(o.Name) {
		return nil, fmt.Errorf("boot %s: %q is no host name", s, o.Name)
	}
	st := state{Name: o.Name, Asked: s, Image: img.Name, Binds: o.Binds, Detached: o.Detached, Owner: self()}
	if err := st.register(ctx, o.Veth); err != nil {
		return nil, err
	}
	if o.Over != nil {
		st.Over = o.Over.upper()
		if err := st.save(); err != nil {
			return nil, errors.Join(err, st.remove())
		}
	}
	h := &Host{Name: o.Name, Suite: s, Image: img, binds: o.Binds, detach: o.Detached, st: st}
	err = h.furnish()
	if err == nil {
		err = h.start(ctx)
	}
	if err == nil && !o.NoWait {
		err = h.WaitUp(ctx)
	}
	if err != nil {
		err = fmt.Errorf("boot %s as %s: %w%s", s, o.Name, err, h.consoleTail())
		return nil, errors.Join(err, h.Stop())
	}
	return h, nil
}

// randomName returns a host name that no other process takes.
func randomName(s Suite) string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	return string(s) + "-" + hex.EncodeToString(b[:])
}

// furnish writes into the overlay what makes this host itself.
func (h *Host) furnish() error {
	var id [16]byte
	_, _ = rand.Read(id[:])
	etc := filepath.Join(hostDir(h.Name), "upper", "etc")
	if err := os.MkdirAll(etc, 0o755); err != nil {
		return fmt.Errorf("furnish: %w", err)
	}
	for name, text := range map[string]string{
		"hostname":   h.Name + "\n",
		"hosts":      "127.0.0.1\tlocalhost\n127.0.1.1\t" + h.Name + "\n\n::1\tlocalhost ip6-localhost ip6-loopback\n",
		"machine-id": hex.EncodeToString(id[:]) + "\n",
	} {
		if err := os.WriteFile(filepath.Join(etc, name), []byte(text), 0o644); err != nil {
			return fmt.Errorf("furnish: %w", err)
		}
	}
	return nil
}

// PID1 returns the process id, on the machine, of the host's systemd.
func (h *Host) PID1() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.st.PID1.PID
}

// Path returns the path on the machine of a path inside the running host. It
// changes with a reboot. An absolute symbolic link below it leads out of the
// host: see [Host.ReadFile] for what follows links inside.
func (h *Host) Path(inside string) string {
	return filepath.Join("/proc", fmt.Sprint(h.PID1()), "root", inside)
}

// Reboot shuts the host's system down cleanly and boots the same overlay again,
// as the host's own reboot command would.
func (h *Host) Reboot(ctx context.Context) error {
	// The order to reboot may lose its connection while it works: no judging it.
	_, _ = h.Run(ctx, Cmd{Args: []string{"systemctl", "reboot"}})
	for deadline := time.Now().Add(time.Minute); h.st.Nspawn.alive() && time.Now().Before(deadline); {
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return fmt.Errorf("reboot %s: %w", h.Name, err)
		}
	}
	if err := h.kill(); err != nil {
		return fmt.Errorf("reboot %s: %w", h.Name, err)
	}
	if err := h.start(ctx); err != nil {
		return fmt.Errorf("reboot %s: %w%s", h.Name, err, h.consoleTail())
	}
	if err := h.WaitUp(ctx); err != nil {
		return fmt.Errorf("reboot %s: %w%s", h.Name, err, h.consoleTail())
	}
	return nil
}

// Detach ends what this process runs for its use of the host, and leaves the
// host itself running: for one that [Attach] found.
func (h *Host) Detach() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.display != nil {
		h.display.close()
		h.display = nil
	}
}

// Stop kills the host and removes every trace of it. It may be called twice.
func (h *Host) Stop() error {
	h.Detach()
	if err := h.kill(); err != nil {
		return fmt.Errorf("stop %s: %w", h.Name, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute) // others may have many to clear away
	defer cancel()
	unlock, err := lock(ctx, hostsLock())
	if err != nil {
		return fmt.Errorf("stop %s: %w", h.Name, err)
	}
	defer unlock()
	return h.st.remove()
}
