package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"sync"
	"time"

	"xrdpfix/diagnose"
	"xrdpfix/internal/atomicfile"
	"xrdpfix/service"
	"xrdpfix/xrdpconf"
)

// Config says which machine is opened.
type Config struct {
	// Root is "/" for the running machine, or an offline tree.
	Root string
	// Tool is our own version.
	Tool string
	// Built is when it was built; zero for unknown.
	Built time.Time
	Now   func() time.Time
	// Timeout is the time allowed for each connection to xrdp.
	Timeout time.Duration
}

// Machine is the real machine, or the tree of one that is not running. Close it
// after use.
type Machine struct {
	cfg   Config
	root  *atomicfile.Root
	proc  Proc
	names *Accounts

	openBus sync.Once
	bus     *service.Conn
	busErr  error

	config   sync.Once
	configAt string

	ctx    context.Context
	cancel context.CancelFunc
}

// Open opens a machine. It reads the account files and nothing else.
func Open(cfg Config) (*Machine, error) {
	root, err := atomicfile.OpenRoot(cfg.Root)
	if err != nil {
		return nil, err
	}
	names, err := ReadAccounts(cfg.Root)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		_ = root.Close()
		return nil, fmt.Errorf("read users and groups: %w", err)
	}
	if names == nil {
		names = ParseAccounts(nil, nil)
	}
	m := &Machine{cfg: cfg, root: root, names: names}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	return m, nil
}

// Close releases everything.
func (m *Machine) Close() {
	m.cancel()
	if m.bus != nil {
		m.bus.Close()
	}
	_ = m.root.Close()
}

// Context lives as long as the machine is open.
func (m *Machine) Context() context.Context { return m.ctx }

// Live reports whether this is the running machine.
func (m *Machine) Live() bool { return IsLive(m.cfg.Root) }

// MayChange reports whether we may write to /etc/xrdp at all.
func (m *Machine) MayChange() bool { return os.Geteuid() == 0 }

// UserName names a user id as this machine does.
func (m *Machine) UserName(uid int) string { return m.names.UserName(uid) }

// GroupName names a group id as this machine does.
func (m *Machine) GroupName(gid int) string { return m.names.GroupName(gid) }

// systemd connects once; service.ErrNoSystemd where there is none.
func (m *Machine) systemd(ctx context.Context) (*service.Conn, error) {
	m.openBus.Do(func() {
		if !m.Live() {
			m.busErr = service.ErrNoSystemd
			return
		}
		m.bus, m.busErr = service.Open(ctx)
	})
	return m.bus, m.busErr
}

// configPath is the xrdp.ini that xrdp reads: another one where XRDP_OPTIONS, or
// without any the command line of the running process, has -c. A relative one
// depends on the directory that xrdp was started in, and is not followed. It is
// decided once: what is judged is what is changed.
func (m *Machine) configPath() string {
	m.config.Do(func() {
		opts, _ := ReadOptions(m.cfg.Root)
		if opts.From == "" && m.Live() {
			if p, ok := m.serving(); ok && len(p.Args) > 1 {
				opts = ParseOptions(p.Args[1:])
			}
		}
		m.configAt = diagnose.ConfigPath
		if path.IsAbs(opts.Config) {
			m.configAt = path.Clean(opts.Config)
		}
	})
	return m.configAt
}

// serving is the xrdp of this machine: the main process of its unit, and where
// there is no unit the oldest one. Somebody else's second xrdp, with a file of its
// own, says nothing about ours.
func (m *Machine) serving() (diagnose.Process, bool) {
	pid := 0
	if bus, err := m.systemd(m.ctx); err == nil {
		u, err := bus.Unit(m.ctx, diagnose.UnitXrdp)
		if err != nil || u.MainPID == 0 && u.LoadState == "loaded" {
			return diagnose.Process{}, false
		}
		pid = u.MainPID
	}
	p, err := m.proc.Xrdp(pid, m.names)
	return p, err == nil && (pid == 0 || p.PID == pid)
}

// server is xrdp.ini as xrdp reads it.
func (m *Machine) server() (xrdpconf.Server, error) {
	f, err := m.file(m.configPath())
	if err != nil {
		return xrdpconf.Server{}, err
	}
	facts := diagnose.Facts{Config: diagnose.Seen(f)}
	return facts.Server(), nil
}

// configured is the error of an xrdp.ini that is not there, or cannot be read.
func (m *Machine) configured() error {
	switch f, err := m.state(m.configPath()); {
	case err != nil:
		return err
	case !f.Exists:
		return &fs.PathError{Op: "read", Path: m.configPath(), Err: fs.ErrNotExist}
	}
	return nil
}

// ConfigTargets are the files that xrdp.ini, sesman.ini and rsakeys.ini lead to
// through links: places that a rollback may write to besides /etc/xrdp.
func (m *Machine) ConfigTargets() []string {
	var out []string
	for _, p := range []string{m.configPath(), diagnose.SesmanPath, diagnose.RSAKeysPath} {
		if f, err := m.state(p); err == nil && f.Exists {
			out = append(out, f.Target)
		}
	}
	return out
}
