package diagnose

import (
	"cmp"
	"context"
	"net"
	"strconv"
	"sync"
	"time"

	"xrdpfix/certs"
	"xrdpfix/logwatch"
	"xrdpfix/probe"
	"xrdpfix/service"
	"xrdpfix/xrdpconf"
)

// The files that xrdp reads. The directory is compiled into xrdp
// (XRDP_CFG_PATH, /etc/xrdp in every distribution that packages it).
const (
	ConfigPath  = "/etc/xrdp/xrdp.ini"
	SesmanPath  = "/etc/xrdp/sesman.ini"
	RSAKeysPath = "/etc/xrdp/rsakeys.ini"
	// OwnOpenSSLPath and DropInPath lift a system-wide TLS floor for xrdp alone.
	OwnOpenSSLPath = OwnDir + "/openssl.cnf"
	DropInPath     = "/etc/systemd/system/xrdp.service.d/xrdpfix-openssl.conf"
)

// The units that belong to xrdp.
const (
	UnitXrdp   = "xrdp.service"
	UnitSesman = "xrdp-sesman.service"
)

// Env is everything that Collect may ask of the machine. A nil function means
// that it cannot be asked there (an offline tree has no ports and no units).
type Env struct {
	Now     func() time.Time
	Tool    string    // our own version
	Built   time.Time // when it was built; zero for unknown
	Offline bool
	// ConfigPath is the xrdp.ini that xrdp reads, another one with -c; "" for the default.
	ConfigPath string
	Host       func(ctx context.Context) (HostInfo, error)
	Package    func(ctx context.Context) (Package, error)
	File       func(path string) (FileFact, error)
	// State is File for a file with secrets: all but the contents.
	State    func(path string) (FileFact, error)
	Access   func(path string, serving, start Identity) PathFact
	Pair     func(cert, key string) (certs.Pair, error)
	Daemon   func(ctx context.Context, unit *service.Unit, s xrdpconf.Server) Daemon
	Unit     func(ctx context.Context, name string) (service.Unit, error)
	Listen   func(ctx context.Context, ports []int) ([]Socket, error)
	Desktops func(ctx context.Context) ([]Desktop, error)
	Peers    func(ctx context.Context, ports []int) ([]Peer, error)
	Survey   func(ctx context.Context, addr string, wanted xrdpconf.Range, every bool) probe.ServerSurvey
	LogFact  func(path string, serving Identity) LogFact
	LogMark  func(path string) (logwatch.Mark, error)
	// LogSince reads what was written since a mark. The log lags behind the
	// wire, so it reads again until told says that it is enough, or patience ends.
	LogSince func(ctx context.Context, m logwatch.Mark, told func([]logwatch.Entry) bool) ([]logwatch.Entry, error)
	Recent   func(ctx context.Context, path string, o RecentOptions) (Recent, error)
	OpenSSL  func(processConf string) (OpenSSL, error)
	// Origin looks where the key file comes from, Source for the original of the
	// pair that a certificate of ours was copied from.
	Origin func(key string) (KeyOrigin, error)
	Source func(cert string) (CertSource, error)
	// Leftovers reads what package upgrades left beside xrdp.ini and sesman.ini.
	Leftovers func() ([]FileFact, error)
	// Denials reads what SELinux forbade xrdp, where it is enforcing.
	Denials func(enforcing bool) ([]Denial, error)
	// Firewall asks this machine's own packet filter about ports.
	Firewall func(ctx context.Context, ports []int) (Firewall, error)
	// Sesman looks where xrdp-sesman listens.
	Sesman  func(ctx context.Context, m xrdpconf.SessionManager, v xrdpconf.Version) (SesmanReach, error)
	Applied func() ([]AppliedSummary, error)
	// FirstBoot looks for the unit that an image has for its first boot.
	FirstBoot func() (FirstBoot, error)
}

// Options narrow what Collect looks at.
type Options struct {
	// Wanted is the stated TLS range, zero where none is stated.
	Wanted xrdpconf.Range
	// EveryVersion asks the wire for each TLS version instead of the edges of the range.
	EveryVersion bool
	// NoWire leaves the port alone.
	NoWire bool
	// EveryClient reads the whole log of the last RecentDays, however long it is.
	EveryClient bool
}

// RecentDays is how far back the summary of seen clients goes.
const RecentDays = 30

// ask runs one look and turns its error into a fact.
func ask[T any](look func() (T, error)) Observed[T] {
	v, err := look()
	if err != nil {
		return Failed[T](err.Error())
	}
	return Seen(v)
}

// Collect looks at the host once, changes nothing, and never fails: what it
// could not see says so in the facts. It connects to xrdp's port at most as
// often as the survey needs.
func Collect(ctx context.Context, env Env, opts Options) Facts {
	f := Facts{Schema: 1, Taken: env.Now().UTC(), Tool: env.Tool, Built: env.Built.UTC(), Offline: env.Offline}

	var wg sync.WaitGroup
	wg.Go(func() { f.Package = ask(func() (Package, error) { return env.Package(ctx) }) })
	wg.Go(func() {
		f.Host = ask(func() (HostInfo, error) { return env.Host(ctx) }).Value
	})
	f.Config = ask(func() (FileFact, error) { return env.File(cmp.Or(env.ConfigPath, ConfigPath)) })
	f.Sesman = ask(func() (FileFact, error) { return env.File(SesmanPath) })
	wg.Go(func() { f.Applied = ask(env.Applied) })
	wg.Go(func() {
		f.Desktops = look(ctx, env.Desktops)
	})
	collectUnits(ctx, env, &f)
	wg.Wait()

	server := f.Server()
	f.Daemon = env.Daemon(ctx, f.unit(UnitXrdp), server)
	serving, _ := f.Daemon.Serving()
	start := f.Daemon.Start.Value
	if !f.Daemon.Start.Ok() {
		start = serving // and not root, which the zero value is
	}
	f.ConfigAccess = env.Access(f.IniPath(), serving, start)
	f.RSAKeys = env.Access(RSAKeysPath, serving, start)
	f.RSAKeysFile = ask(func() (FileFact, error) { return env.State(RSAKeysPath) })
	// A path that is not named is the default one: that is what could be named.
	meant := f.MeantServer()
	cert, key := cmp.Or(meant.Certificate, xrdpconf.DefaultCertificate), cmp.Or(meant.KeyFile, xrdpconf.DefaultKeyFile)
	f.Cert, f.Key = env.Access(cert, serving, start), env.Access(key, serving, start)
	f.Pair = ask(func() (certs.Pair, error) { return env.Pair(cert, key) })
	f.Log = env.LogFact(server.Logging.File, serving)
	f.DropIn = ask(func() (FileFact, error) { return env.File(DropInPath) })
	f.OwnOpenSSL = ask(func() (FileFact, error) { return env.File(OwnOpenSSLPath) })
	f.FirstBoot = Skipped[FirstBoot]("not asked for")
	if env.FirstBoot != nil {
		f.FirstBoot = ask(env.FirstBoot)
	}
	f.OpenSSL = ask(func() (OpenSSL, error) { return env.OpenSSL(f.Daemon.Running.Value.OpenSSLConf) })

	wait := collectAround(ctx, env, opts, &f)
	collectWire(ctx, env, opts, server, &f)
	wait()
	return f
}

func look[T any](ctx context.Context, ask1 func(context.Context) (T, error)) Observed[T] {
	if ask1 == nil {
		return Skipped[T]("offline")
	}
	return ask(func() (T, error) { return ask1(ctx) })
}

func collectUnits(ctx context.Context, env Env, f *Facts) {
	if env.Unit == nil {
		return
	}
	f.Units = map[string]Observed[service.Unit]{}
	for _, name := range []string{UnitXrdp, UnitSesman} {
		f.Units[name] = ask(func() (service.Unit, error) { return env.Unit(ctx, name) })
	}
}

// unit returns what is known of a unit, nil for nothing.
func (f *Facts) unit(name string) *service.Unit {
	if u, ok := f.Units[name]; ok && u.Ok() {
		return &u.Value
	}
	return nil
}

// collectWire connects to the port, and reads in the log what xrdp made of it.
func collectWire(ctx context.Context, env Env, opts Options, server xrdpconf.Server, f *Facts) {
	ports := f.Ports()
	if env.Listen == nil {
		f.Listen = Skipped[[]Socket]("offline")
		f.Peers = Skipped[[]Peer]("offline")
		f.Wire = Skipped[probe.ServerSurvey]("offline")
		f.Log.Own = Skipped[[]logwatch.Connection]("offline")
		return
	}
	f.Listen = ask(func() ([]Socket, error) { return env.Listen(ctx, ports) })
	f.Peers = ask(func() ([]Peer, error) { return env.Peers(ctx, ports) })
	addr := f.ProbeAddr()
	switch {
	case opts.NoWire:
		f.Wire = Skipped[probe.ServerSurvey]("not asked for")
	case addr == "" && len(ports) == 0 && len(server.Listen) > 0:
		f.Wire = Skipped[probe.ServerSurvey]("no TCP port is configured")
	case addr == "":
		f.Wire = Skipped[probe.ServerSurvey]("nothing listens on the configured port")
	}
	if opts.NoWire || addr == "" {
		f.Log.Own = Skipped[[]logwatch.Connection]("no connection was made")
		return
	}
	mark, markErr := env.LogMark(f.Log.Path)
	wanted := opts.Wanted
	if wanted == (xrdpconf.Range{}) {
		wanted = rangeOf(server)
	}
	f.Wire = Seen(env.Survey(ctx, addr, wanted, opts.EveryVersion))
	if markErr != nil && f.Log.HidesProof != "" {
		f.Log.Own = Skipped[[]logwatch.Connection](f.Log.HidesProof)
		return
	}
	f.Log.Own = ask(func() ([]logwatch.Connection, error) {
		if markErr != nil {
			return nil, markErr
		}
		entries, err := env.LogSince(ctx, mark, func(e []logwatch.Entry) bool { return Told(e, f.Wire.Value) })
		return OwnConnections(entries, f.Wire.Value), err
	})
}

// OwnConnections picks out of log entries the connections of one survey, by
// their source ports.
func OwnConnections(entries []logwatch.Entry, s probe.ServerSurvey) []logwatch.Connection {
	var own []logwatch.Connection
	for _, c := range logwatch.Group(entries) {
		for _, r := range results(s) {
			if c.Client.Port() == r.Local.Port() {
				own = append(own, c)
				break
			}
		}
	}
	return own
}

// Told reports whether the log has said how the full connection of a survey ended.
func Told(entries []logwatch.Entry, s probe.ServerSurvey) bool {
	for _, c := range OwnConnections(entries, s) {
		if c.Client.Port() == s.Full.Local.Port() && (c.Established || c.Outcome().Cause != "" || c.Ended) {
			return true
		}
	}
	return s.Full.Reached < probe.StageNegotiation
}

// Server is [Globals] of xrdp.ini as the installed xrdp ends up using it.
func (f *Facts) Server() xrdpconf.Server {
	return xrdpconf.ReadServer(f.ConfigFile(), f.version(), nil)
}

// ConfigFile is xrdp.ini, parsed as the installed xrdp reads it.
func (f *Facts) ConfigFile() *xrdpconf.File {
	return parse(f.IniPath(), f.Config.Value.Bytes(), f.version())
}

// IniPath is the xrdp.ini that xrdp reads: ConfigPath, or what -c names.
func (f *Facts) IniPath() string { return cmp.Or(f.Config.Value.Path, ConfigPath) }

// SesmanIniMissing reports whether it is known that there is no sesman.ini.
func (f *Facts) SesmanIniMissing() bool { return f.Sesman.Ok() && !f.Sesman.Value.Exists }

// SesmanFile is sesman.ini, parsed as the installed xrdp reads it.
func (f *Facts) SesmanFile() *xrdpconf.File {
	return parse(SesmanPath, f.Sesman.Value.Bytes(), f.version())
}

// Ports are the TCP ports that xrdp is configured to listen on.
func (f *Facts) Ports() []int { return TCPPorts(f.MeantServer(), f.Daemon.PortOption) }

// TCPPorts are the TCP ports that xrdp opens when it starts with these settings;
// option is the value of -p, which overrides port=, "" where not given.
func TCPPorts(s xrdpconf.Server, option string) []int {
	listen := s.Listen
	if option != "" {
		listen = xrdpconf.ParsePort(option)
	}
	var ports []int
	for _, l := range listen {
		if l.TCP() {
			ports = append(ports, l.Port)
		}
	}
	return ports
}

// ProbeAddr is where our own connections go: a listening socket on a
// configured port, loopback where it listens on every address; "" for none.
func (f *Facts) ProbeAddr() string {
	if len(f.Listen.Value) == 0 {
		return ""
	}
	s := f.Listen.Value[0]
	if s.Addr == "0.0.0.0" || s.Addr == "::" {
		s.Addr = "127.0.0.1"
	}
	return net.JoinHostPort(s.Addr, strconv.Itoa(s.Port))
}

// results are the connections that a survey made.
func results(s probe.ServerSurvey) []probe.Result {
	out := []probe.Result{s.Full}
	for _, r := range []*probe.Result{s.SSL, s.Classic} {
		if r != nil {
			out = append(out, *r)
		}
	}
	for _, v := range s.Versions {
		if v.Result != nil {
			out = append(out, *v.Result)
		}
	}
	return out
}
