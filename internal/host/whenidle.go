package host

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"xrdpfix/diagnose"
	"xrdpfix/internal/atomicfile"
)

// The unit that makes a change when nobody is connected any more. It is enabled
// by a drop-in of its target, so that a reboot does not end the waiting.
const (
	idleUnit   = "xrdpfix-when-idle.service"
	idlePath   = "/etc/systemd/system/" + idleUnit
	idleDropIn = "/etc/systemd/system/multi-user.target.d/xrdpfix-when-idle.conf"
)

// ScheduleIdle lets systemd run a command line of ours until nobody is connected
// and it has made its change. The caller's end, and a reboot, do not end it.
func (m *Machine) ScheduleIdle(ctx context.Context, args []string) error {
	bus, err := m.systemd(ctx)
	if err != nil {
		return err
	}
	quoted := make([]string, len(args))
	for i, a := range args {
		quoted[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%", "$", "$$", "\n", " ").Replace(a) + `"`
	}
	// The sandbox may write below it, and not make it.
	if _, err := m.root.MkdirAll(StateDir, atomicfile.Attr{Mode: 0o755}); err != nil {
		return err
	}
	head := "# Made by xrdpfix --restart=when-idle; removes itself. To give up: xrdpfix rollback\n"
	files := map[string]string{
		idlePath: head + "[Unit]\nDescription=Make an xrdpfix change when nobody is connected to xrdp\nAfter=xrdp.service\n\n" +
			"[Service]\nType=exec\nExecStart=" + strings.Join(quoted, " ") + "\n" +
			"# Killed, it waits on. What it could not do it says once.\nRestart=on-abnormal\nRestartSec=10\n" +
			diagnose.Sandbox(args[0], m.ConfigTargets()...),
		idleDropIn: head + "[Unit]\nWants=" + idleUnit + "\n",
	}
	for _, name := range []string{idlePath, idleDropIn} {
		if _, err := m.root.MkdirAll(path.Dir(name), atomicfile.Attr{Mode: 0o755}); err != nil {
			return err
		}
		if _, err := m.root.Write(name, []byte(files[name]), atomicfile.Attr{Mode: 0o644}, atomicfile.Options{}); durable(err) != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	err = bus.Reload(ctx)
	if err == nil {
		err = bus.Start(ctx, idleUnit)
	}
	if err != nil {
		// What cannot run now must not stay, to run after a reboot.
		return errors.Join(err, m.ForgetIdle(context.WithoutCancel(ctx), true))
	}
	return nil
}

// Idle reports whether nobody would notice a restart of xrdp: no desktop is live
// and no client is connected. The error means that this cannot be told.
func (m *Machine) Idle(ctx context.Context) (bool, error) {
	ports := m.ports()
	desktops, err := m.proc.Desktops(ctx, m.names, ports)
	if err != nil || len(desktops) > 0 {
		return false, err
	}
	peers, err := m.proc.Peers(ctx, ports, nil)
	return err == nil && len(peers) == 0, err
}

// WaitsForIdle reports whether a change waits until nobody is connected.
func (m *Machine) WaitsForIdle() bool {
	st, err := m.root.Lstat(idlePath)
	return err == nil && st.Exists
}

// ForgetIdle takes the waiting away. With stop, also the process that waits; it
// is false where that process calls.
func (m *Machine) ForgetIdle(ctx context.Context, stop bool) error {
	if !m.WaitsForIdle() {
		return nil
	}
	bus, err := m.systemd(ctx)
	if err != nil {
		return err
	}
	if stop {
		if err := (timers{bus}).StopUnit(ctx, idleUnit); err != nil {
			return err
		}
	}
	sys := &system{m}
	for _, name := range []string{idleDropIn, idlePath} {
		if st, err := m.root.Lstat(name); err != nil || !st.Exists {
			continue
		}
		if err := sys.Remove(name); err != nil {
			return err
		}
	}
	if err := sys.Rmdir(path.Dir(idleDropIn)); err != nil {
		return err
	}
	return bus.Reload(ctx)
}
