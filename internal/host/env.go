package host

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"xrdpfix/certs"
	"xrdpfix/diagnose"
	"xrdpfix/internal/atomicfile"
	"xrdpfix/internal/opensslconf"
	"xrdpfix/probe"
	"xrdpfix/service"
	"xrdpfix/xrdpconf"
)

// Limits on what is read of files that others write.
const (
	maxIni  = 1 << 20 // xrdp reads 32 KiB of it
	maxPair = 1 << 20
	maxConf = 1 << 20
)

// Env answers what diagnose.Collect asks.
func (m *Machine) Env() diagnose.Env {
	own := &ownPorts{}
	env := diagnose.Env{
		Now: m.cfg.Now, Tool: m.cfg.Tool, Built: m.cfg.Built, Offline: !m.Live(),
		ConfigPath: m.configPath(),
		Host:       func(ctx context.Context) (diagnose.HostInfo, error) { return ReadHostInfo(ctx, m.cfg.Root) },
		Package:    m.packageOf,
		File:       m.file,
		State:      m.state,
		Access:     m.access,
		Pair:       m.pair,
		Daemon:     m.daemon,
		LogFact:    m.logFact,
		OpenSSL:    m.openSSL,
		Applied:    m.applied,
		FirstBoot:  m.firstBoot,
		LogMark:    m.LogEnd,
		LogSince:   m.ownEntries,
		Recent:     m.recent,
		Source:     m.certSource, Leftovers: m.leftovers, Denials: m.denials,
	}
	if !m.Live() {
		return env
	}
	env.Unit = func(ctx context.Context, name string) (service.Unit, error) {
		bus, err := m.systemd(ctx)
		if err != nil {
			return service.Unit{}, err
		}
		u, err := bus.Unit(ctx, name)
		if errors.Is(err, service.ErrNotFound) {
			err = nil // LoadState says so
		}
		return u, err
	}
	env.Listen = m.listening
	env.Sesman = m.sesmanReach
	env.Firewall = m.firewall
	env.Origin = m.keyOrigin
	env.Desktops = func(ctx context.Context) ([]diagnose.Desktop, error) {
		return m.proc.Desktops(ctx, m.names, m.ports())
	}
	env.Peers = func(ctx context.Context, ports []int) ([]diagnose.Peer, error) {
		return m.proc.Peers(ctx, ports, own.list())
	}
	env.Survey = func(ctx context.Context, addr string, wanted xrdpconf.Range, every bool) probe.ServerSurvey {
		s := m.survey(ctx, addr, wanted, every)
		own.add(s)
		return s
	}
	return env
}

// packageOf asks the program that the unit starts.
func (m *Machine) packageOf(ctx context.Context) (diagnose.Package, error) {
	hint := ""
	if bus, err := m.systemd(ctx); err == nil {
		if u, err := bus.Unit(ctx, diagnose.UnitXrdp); err == nil && len(u.ExecStart) > 0 {
			hint = u.ExecStart[0]
		}
	}
	return ReadPackage(ctx, m.cfg.Root, hint)
}

// ownPorts remembers our own ends of connections.
type ownPorts struct {
	mu    sync.Mutex
	ports []netip.AddrPort
}

func (o *ownPorts) add(s probe.ServerSurvey) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ports = append(o.ports, s.Full.Local)
}

func (o *ownPorts) list() []netip.AddrPort {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]netip.AddrPort(nil), o.ports...)
}

func (m *Machine) survey(ctx context.Context, addr string, wanted xrdpconf.Range, every bool) probe.ServerSurvey {
	return probe.Survey(ctx, reachable(addr), probe.SurveyOptions{
		Min: probe.TLSVersion(wanted.Min), Max: probe.TLSVersion(wanted.Max), Quick: !every,
		Connection: probe.Options{Timeout: m.cfg.Timeout},
	})
}

// reachable is addr, but over IPv6 where it is the loopback address of an IPv4 that
// this machine does not have.
func reachable(addr string) string {
	const v4, v6 = "127.0.0.1", "::1"
	host, port, err := net.SplitHostPort(addr)
	if err != nil || host != v4 {
		return addr
	}
	list, err := net.InterfaceAddrs()
	if err != nil {
		return addr
	}
	other := false
	for _, a := range list {
		ip, _, _ := net.ParseCIDR(a.String())
		if ip.To4() != nil && ip.IsLoopback() {
			return addr
		}
		other = other || ip.String() == v6
	}
	if !other {
		return addr
	}
	return net.JoinHostPort(v6, port)
}

func (m *Machine) ports() []int {
	facts := diagnose.Facts{}
	if f, err := m.file(m.configPath()); err == nil {
		facts.Config = diagnose.Seen(f)
	}
	if o, err := ReadOptions(m.cfg.Root); err == nil {
		facts.Daemon.PortOption = o.Port
	}
	return diagnose.TCPPorts(facts.Server(), facts.Daemon.PortOption)
}

// file reads a text file that we may edit. A missing one is no error.
func (m *Machine) file(path string) (diagnose.FileFact, error) {
	f := diagnose.FileFact{Path: path, Target: path}
	data, st, err := m.root.ReadState(path, maxIni)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return f, nil
	case err != nil:
		return f, err
	}
	f.Exists, f.Data, f.Target, f.SHA256 = true, data, st.Path, st.SHA256
	if f.Data == nil {
		f.Data = []byte{}
	}
	f.Text = string(diagnose.Mask(data))
	f.Mode, f.UID, f.GID, f.MTime = uint32(st.Mode), st.UID, st.GID, st.ModTime
	var fixed *atomicfile.NotReplaceableError
	if err := m.root.Check(path, atomicfile.Options{FollowLink: true}); errors.As(err, &fixed) {
		f.Obstacle = strings.TrimPrefix(fixed.Error(), "replace "+fixed.Path+": ")
	}
	return f, nil
}

// state is file without the contents.
func (m *Machine) state(path string) (diagnose.FileFact, error) {
	f, err := m.file(path)
	clear(f.Data)
	f.Data, f.Text = nil, ""
	return f, err
}

func (m *Machine) access(path string, serving, start diagnose.Identity) diagnose.PathFact {
	return Walk(m.cfg.Root, path, m.names, serving, start)
}

// pair inspects certificate and key; what cannot be read is left to the walk.
func (m *Machine) pair(cert, key string) (certs.Pair, error) {
	c, err := m.optional(cert)
	if err != nil {
		return certs.Pair{}, err
	}
	k, err := m.optional(key)
	if err != nil {
		return certs.Pair{}, err
	}
	p := certs.Inspect(c, k)
	clear(k)
	return p, nil
}

// optional reads a file; one that is missing or no file at all gives nil, since
// the walk to it tells that already.
func (m *Machine) optional(path string) ([]byte, error) {
	data, err := m.root.ReadFile(path, maxPair)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, atomicfile.ErrNotRegular) || errors.Is(err, atomicfile.ErrTooLarge) {
		return nil, nil
	}
	return data, err
}

// daemon looks at the running xrdp and at how it would be started.
func (m *Machine) daemon(_ context.Context, unit *service.Unit, s xrdpconf.Server) diagnose.Daemon {
	d := diagnose.Daemon{Systemd: unit != nil}
	opts, _ := ReadOptions(m.cfg.Root)
	d.Options, d.PortOption = opts.Args, opts.Port
	if m.Live() {
		pid := 0
		if unit != nil {
			pid = unit.MainPID
		}
		p, err := m.proc.Xrdp(pid, m.names)
		switch {
		case errors.Is(err, ErrNotRunning):
			d.Running = diagnose.Skipped[diagnose.Process]("no xrdp process runs")
		case err != nil:
			d.Running = diagnose.Failed[diagnose.Process](err.Error())
		default:
			d.Running = diagnose.Seen(p)
			if len(p.Args) > 1 {
				d.PortOption = ParseOptions(p.Args[1:]).Port
			}
		}
		if d.Running.Ok() {
			d.Open, _ = m.proc.OpenOf(p.PID)
		}
		d.NewerThanStart = m.newerThan(p.Started, unit, d.Running.Ok())
	} else {
		d.Running = diagnose.Skipped[diagnose.Process]("offline")
	}
	start, err := m.startIdentity(unit, s)
	if err != nil {
		d.Start = diagnose.Failed[diagnose.Identity](err.Error())
	} else {
		d.Start = diagnose.Seen(start)
	}
	serving, known := d.Serving()
	if !known {
		serving = diagnose.Identity{}
	}
	g := m.names.DaemonGroup(serving)
	d.KeyGID, d.KeyGroup = g.GID, g.Name
	d.InitScript = m.initScript()
	d.UserFault, d.UserFaultIn = m.userFault(unit, s)
	return d
}

// startIdentity is who serves connections after the next start: the unit's
// User=, then xrdp's own runtime_user, then root.
func (m *Machine) startIdentity(unit *service.Unit, s xrdpconf.Server) (diagnose.Identity, error) {
	if s.RuntimeUser != "" && s.RuntimeGroup != "" && (unit == nil || unit.User == "" || unit.User == "root") {
		return m.names.RuntimeIdentity(s.RuntimeUser, s.RuntimeGroup)
	}
	if unit != nil {
		return m.names.UnitIdentity(unit.User, unit.Group, unit.SupplementaryGroups, "unit User=")
	}
	user, group := m.offlineUnit()
	return m.names.UnitIdentity(user, group, nil, "unit User=")
}

// startSlack is by how much the start of a process may be reckoned too early:
// the kernel tells the time of boot in whole seconds.
const startSlack = time.Second

// newerThan names a file that is read at start only and changed since.
func (m *Machine) newerThan(started time.Time, unit *service.Unit, running bool) string {
	if !running {
		return ""
	}
	files := append([]string(nil), OptionFiles...)
	if unit != nil {
		files = append(append(files, unit.FragmentPath), unit.DropIns...)
	}
	for _, name := range files {
		if name == "" || name == diagnose.DropInPath {
			continue
		}
		if st, err := m.root.Stat(name); err == nil && st.Exists && st.ModTime.After(started.Add(startSlack)) {
			return name
		}
	}
	return ""
}

// initScript is the distribution's service script, where there is one.
func (m *Machine) initScript() string {
	const script = "/etc/init.d/xrdp"
	if st, err := m.root.Stat(script); err == nil && st.Exists && st.Mode&0o100 != 0 {
		return script
	}
	return ""
}

// openSSL reads the system-wide configuration as the xrdp process does. Our own
// override is not the system's: what it builds upon is.
func (m *Machine) openSSL(processConf string) (diagnose.OpenSSL, error) {
	src := opensslconf.Source{
		ReadFile: func(name string) ([]byte, error) { return m.root.ReadFile(name, maxConf) },
		ReadDir: func(name string) ([]string, error) {
			list, err := m.root.ReadDir(name)
			var names []string
			for _, e := range list {
				names = append(names, e.Name)
			}
			return names, err
		},
	}
	if processConf == diagnose.OwnOpenSSLPath || processConf == "" {
		processConf = ""
		if data, err := src.ReadFile(diagnose.OwnOpenSSLPath); err == nil {
			if base, ok := opensslconf.OverrideBase(data); ok {
				processConf = base
			}
		}
	}
	c, err := opensslconf.Read(opensslconf.Path(processConf, src), src)
	if errors.Is(err, opensslconf.ErrSyntax) {
		return diagnose.OpenSSL{Conf: c.File}, nil // OpenSSL ignores the whole file
	}
	if err != nil {
		return diagnose.OpenSSL{}, err
	}
	value := func(v *opensslconf.Value) *diagnose.ConfValue {
		if v == nil {
			return nil
		}
		return &diagnose.ConfValue{Name: v.Name, Text: v.Text, File: v.File, Line: v.Line}
	}
	return diagnose.OpenSSL{
		Conf: c.File, Section: c.Section,
		MinProtocol: value(c.MinProtocol), MaxProtocol: value(c.MaxProtocol), CipherString: value(c.CipherString),
		Protocol: value(c.Protocol), Refused: c.Refused(),
		MTime: m.latest(c.File, fileOf(c.MinProtocol), fileOf(c.MaxProtocol), fileOf(c.CipherString), fileOf(c.Protocol)),
	}, nil
}

func fileOf(v *opensslconf.Value) string {
	if v == nil {
		return ""
	}
	return v.File
}
