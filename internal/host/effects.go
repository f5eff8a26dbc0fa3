package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"xrdpfix/diagnose"
	"xrdpfix/internal/atomicfile"
	"xrdpfix/repair"
	"xrdpfix/service"
)

// System makes the effects that repair plans.
func (m *Machine) System() repair.System { return &system{m} }

type system struct{ m *Machine }

// portPatience is how long xrdp may take from the end of its start job to an
// open port: 0.9 needs up to two seconds (a listen test, a fork, two sleeps of
// a second in xrdp/xrdp.c), a loaded machine more.
const portPatience = 20 * time.Second

// jobPatience bounds a job of systemd: DefaultTimeoutStartSec is 90 s.
const jobPatience = 2 * time.Minute

func (s *system) Stat(path string) (repair.FileState, error) {
	st, err := s.m.root.Lstat(path)
	if err != nil {
		return repair.FileState{}, err
	}
	if !st.Exists {
		return repair.FileState{}, nil
	}
	return repair.FileState{Exists: true, SHA256: st.SHA256, Mode: repair.Mode(st.Mode), UID: st.UID, GID: st.GID}, nil
}

func (s *system) Read(path string) ([]byte, error) { return s.m.root.ReadFile(path, maxPair) }

func (s *system) Write(path string, data []byte, want repair.FileState, inPlace bool) error {
	old, err := s.m.root.Lstat(path)
	if err != nil {
		return err
	}
	opts := atomicfile.Options{Expect: &old}
	if old.Links > 1 && (uint32(want.Mode)&^uint32(old.Mode) != 0 || want.GID != old.GID || want.UID != old.UID) {
		// Under another name it may be a file that nobody here may read, and that
		// someone has put in this place.
		return &fs.PathError{Op: "open up", Path: path, Err: atomicfile.ErrHardLinked}
	}
	if inPlace {
		_, err = s.m.root.WriteInPlace(path, data, opts)
		return durable(err)
	}
	attr := atomicfile.Attr{UID: want.UID, GID: want.GID, Mode: atomicfile.Mode(want.Mode), Xattrs: old.Xattrs}
	_, err = s.m.root.Write(path, data, attr, opts)
	return durable(err)
}

// durable lets a change pass that is made but may not survive a power failure:
// undoing it would not be more durable.
func durable(err error) error {
	if errors.Is(err, atomicfile.ErrNotDurable) {
		return nil
	}
	return err
}

func (s *system) Remove(path string) error { return durable(s.m.root.Remove(path)) }

func (s *system) Mkdir(path string, mode repair.Mode, uid, gid int) error {
	made, err := s.m.root.MkdirAll(path, atomicfile.Attr{UID: uid, GID: gid, Mode: atomicfile.Mode(mode)})
	if err != nil || len(made) > 0 {
		return durable(err)
	}
	fd, err := unix.Open(s.m.inRoot(path), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.Fchown(fd, uid, gid); err != nil {
		return &fs.PathError{Op: "chown", Path: path, Err: err}
	}
	if err := unix.Fchmod(fd, uint32(mode)); err != nil {
		return &fs.PathError{Op: "chmod", Path: path, Err: err}
	}
	return unix.Fsync(fd)
}

func (s *system) Rmdir(path string) error {
	err := s.m.root.RemoveDir(path)
	if errors.Is(err, unix.ENOTEMPTY) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return durable(err)
}

func (s *system) Reload(ctx context.Context) error {
	if !s.m.Live() {
		return nil // an offline tree is read when it starts
	}
	bus, err := s.m.systemd(ctx)
	if err != nil {
		return err
	}
	return bus.Reload(ctx)
}

func (s *system) Start(ctx context.Context) (time.Duration, error)   { return s.act(ctx, "start") }
func (s *system) Restart(ctx context.Context) (time.Duration, error) { return s.act(ctx, "restart") }

func (s *system) Stop(ctx context.Context) error {
	_, err := s.act(ctx, "stop")
	return err
}

// act runs a job of systemd, or the service script where there is no systemd,
// and waits for the port.
func (s *system) act(ctx context.Context, verb string) (time.Duration, error) {
	if verb != "start" {
		s.settled(ctx)
	}
	began := time.Now()
	job, cancel := context.WithTimeout(ctx, jobPatience)
	defer cancel()
	bus, err := s.m.systemd(job)
	switch {
	case errors.Is(err, service.ErrNoSystemd):
		err = s.script(job, verb)
	case err == nil:
		err = systemdJob(job, bus, verb)
	}
	if err != nil {
		return time.Since(began), fmt.Errorf("%s xrdp: %w", verb, err)
	}
	if verb == "stop" {
		return time.Since(began), nil
	}
	return time.Since(began), s.waitListening(ctx)
}

// settled waits for a daemon that has only just started: xrdp 0.10 loses a
// SIGTERM of its first milliseconds, and systemd then kills it 90 s later
// (TimeoutStopSec=; seen on Debian 13 and sid). One that never opens its port is
// not waited for longer.
func (s *system) settled(ctx context.Context) {
	const young = 3 * time.Second
	p, err := s.m.proc.Xrdp(0, s.m.names)
	if err != nil || time.Since(p.Started) > young {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, young)
	defer cancel()
	_ = s.waitListening(ctx)
}

// systemdJob runs one job on xrdp. A start that fails is tried once more after a
// moment: an xrdp or xrdp-sesman that is still on its way out holds the PID file,
// and the next one then takes itself for a second (xrdp/xrdp.c, "It looks like
// xrdp is already running").
func systemdJob(ctx context.Context, bus *service.Conn, verb string) error {
	run := map[string]func(context.Context, string) error{"start": bus.Start, "restart": bus.Restart, "stop": bus.Stop}[verb]
	err := run(ctx, diagnose.UnitXrdp)
	var job *service.JobError
	if verb == "stop" || !errors.As(err, &job) {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Second):
	}
	return bus.Start(ctx, diagnose.UnitXrdp)
}

func (s *system) script(ctx context.Context, verb string) error {
	script := s.m.initScript()
	if script == "" || !s.m.Live() {
		return service.ErrNoSystemd
	}
	out, err := exec.CommandContext(ctx, script, verb).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %.200q", script, verb, err, out)
	}
	return nil
}

// waitListening waits until every configured TCP port is open. It reads the
// kernel's table instead of connecting: a connection costs lines in xrdp.log.
func (s *system) waitListening(ctx context.Context) error {
	ports := slices.DeleteFunc(s.m.ports(), func(p int) bool { return p == 0 }) // 0 is a port of the kernel's choice
	if len(ports) == 0 {
		return nil // a configuration that opens none, put back by a rollback
	}
	ctx, cancel := context.WithTimeout(ctx, portPatience)
	defer cancel()
	for {
		list, err := s.m.proc.Listening(ctx, ports)
		if err == nil && covers(list, ports) {
			return nil
		}
		if why := s.failed(ctx); why != "" {
			return fmt.Errorf("%s %s", diagnose.UnitXrdp, why)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("xrdp was started, but port %v did not open within %s", ports, portPatience)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// failed says how xrdp ended after its start job was done, "" where it did not.
func (s *system) failed(ctx context.Context) string {
	bus, err := s.m.systemd(ctx)
	if err != nil {
		return ""
	}
	u, err := bus.Unit(ctx, diagnose.UnitXrdp)
	if err != nil || u.ActiveState != "failed" {
		return ""
	}
	return "started and failed: " + u.Result
}

func covers(list []diagnose.Socket, ports []int) bool {
	for _, p := range ports {
		open := false
		for _, s := range list {
			open = open || s.Port == p
		}
		if !open {
			return false
		}
	}
	return len(ports) > 0
}
