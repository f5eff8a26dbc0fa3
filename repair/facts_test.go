package repair

import (
	"context"
	"path"
	"strconv"
	"testing"
	"time"

	"xrdpfix/certs"
	"xrdpfix/diagnose"
	"xrdpfix/logwatch"
	"xrdpfix/probe"
	"xrdpfix/service"
	"xrdpfix/xrdpconf"
)

const configPath = diagnose.ConfigPath

var daemonUser = diagnose.Identity{UID: xrdpUID, GID: xrdpGID, User: "xrdp", Group: "xrdp", From: "unit User="}

// facts looks at the machine as diagnose does at a real one.
func (m *machine) facts(pol Policy) diagnose.Facts {
	stated := pol.Range != (xrdpconf.Range{}) || pol.Declared
	f := diagnose.Collect(context.Background(), m.env(), diagnose.Options{Wanted: pol.Range, EveryVersion: stated})
	if m.adjust != nil {
		m.adjust(&f)
	}
	return f
}

// plan goes from the machine to the plan, as every command does.
func (m *machine) plan(t testing.TB, pol Policy) Plan {
	t.Helper()
	f := m.facts(pol)
	p, err := New(f, diagnose.Run(f, diagnose.Settings{Wanted: pol.Range, Declared: pol.Declared, Names: pol.Request.DNSNames}), pol)
	if err != nil {
		t.Fatalf("plan: %v", err)
	}
	return p
}

func (m *machine) env() diagnose.Env {
	mark := 0
	return diagnose.Env{
		Now:  func() time.Time { return m.now },
		Tool: "test",
		Host: func(context.Context) (diagnose.HostInfo, error) {
			return diagnose.HostInfo{Name: "desk01", Addrs: []string{"192.0.2.10"}, OS: "Debian 12", OSID: "debian", Root: true}, nil
		},
		Package: func(context.Context) (diagnose.Package, error) {
			return diagnose.Package{Version: "0.9.21.1", OpenSSL: "3.0.17", Binary: "/usr/sbin/xrdp"}, nil
		},
		File: func(name string) (diagnose.FileFact, error) {
			f := m.text(name)
			if name == configPath {
				f.Obstacle = m.obstacle
			}
			return f, nil
		},
		FirstBoot: func() (diagnose.FirstBoot, error) {
			return diagnose.FirstBoot{Systemd: true, Program: "/usr/bin/xrdpfix", Unit: m.text(diagnose.FirstBootPath), DropIn: m.text(diagnose.FirstBootDropIn)}, nil
		},
		State:  func(name string) (diagnose.FileFact, error) { return m.fact(name), nil },
		Access: func(name string, _, _ diagnose.Identity) diagnose.PathFact { return m.access(name) },
		Pair: func(cert, key string) (certs.Pair, error) {
			return certs.Inspect(m.files[cert].data, m.files[key].data), nil
		},
		Daemon: func(context.Context, *service.Unit, xrdpconf.Server) diagnose.Daemon { return m.daemon() },
		Unit:   func(_ context.Context, name string) (service.Unit, error) { return m.unit(name), nil },
		Listen: func(_ context.Context, ports []int) ([]diagnose.Socket, error) {
			for _, p := range ports {
				if m.up && strconv.Itoa(p) == m.port {
					return []diagnose.Socket{{Addr: "::", Port: p, PID: 412, Program: "xrdp", Unit: diagnose.UnitXrdp}}, nil
				}
			}
			return nil, nil
		},
		Desktops: func(context.Context) ([]diagnose.Desktop, error) { return m.desktops, nil },
		Peers:    func(context.Context, []int) ([]diagnose.Peer, error) { return m.peers, nil },
		Survey: func(_ context.Context, addr string, want xrdpconf.Range, every bool) probe.ServerSurvey {
			return m.survey(addr, want, every)
		},
		LogFact: func(string, diagnose.Identity) diagnose.LogFact {
			return diagnose.LogFact{Path: "/var/log/xrdp.log", Exists: true, DaemonCanWrite: true, StartCanWrite: true}
		},
		LogMark: func(string) (logwatch.Mark, error) { mark = len(m.lines); return logwatch.Mark{}, nil },
		LogSince: func(context.Context, logwatch.Mark, func([]logwatch.Entry) bool) ([]logwatch.Entry, error) {
			return m.entries(mark), nil
		},
		Recent: func(context.Context, string, diagnose.RecentOptions) (diagnose.Recent, error) {
			return diagnose.Recent{}, nil
		},
		OpenSSL: func(string) (diagnose.OpenSSL, error) {
			if !m.floor {
				return diagnose.OpenSSL{Conf: floorConf}, nil
			}
			return diagnose.OpenSSL{
				Conf: floorConf, Section: "system", Refused: []string{"TLSv1", "TLSv1.1"},
				MinProtocol: &diagnose.ConfValue{Name: "MinProtocol", Text: "TLSv1.2", File: floorConf, Line: 7},
			}, nil
		},
		Sesman: func(context.Context, xrdpconf.SessionManager, xrdpconf.Version) (diagnose.SesmanReach, error) {
			return diagnose.SesmanReach{Wanted: "127.0.0.1:3350", Listening: true}, nil
		},
		Applied: func() ([]diagnose.AppliedSummary, error) {
			list, err := m.List()
			var out []diagnose.AppliedSummary
			for _, j := range list {
				a := diagnose.AppliedSummary{ID: j.ID, Time: j.Started, State: string(j.State)}
				if j.Unfinished() {
					a.State = "unfinished"
				}
				out = append(out, a)
			}
			return out, err
		},
	}
}

func (m *machine) fact(name string) diagnose.FileFact {
	f := diagnose.FileFact{Path: name, Target: name}
	if st := m.state(name); st.Exists {
		f.Exists, f.SHA256, f.Mode, f.UID, f.GID = true, st.SHA256, uint32(st.Mode), st.UID, st.GID
		f.MTime = taken.AddDate(0, 0, -30)
	}
	return f
}

// text is fact for a file that is read.
func (m *machine) text(name string) diagnose.FileFact {
	f := m.fact(name)
	if n, ok := m.files[name]; ok {
		f.Data, f.Text = append([]byte{}, n.data...), string(diagnose.Mask(n.data))
	}
	return f
}

func (m *machine) access(name string) diagnose.PathFact {
	p := diagnose.PathFact{Path: name, Stop: -1}
	var way []string
	for d := name; d != "/"; d = path.Dir(d) {
		way = append([]string{d}, way...)
	}
	for i, d := range way {
		n, ok := m.files[d]
		if !ok {
			p.Steps = append(p.Steps, diagnose.Step{Path: d, Kind: "missing"})
			p.Stop = i
			return p
		}
		kind := "file"
		if n.dir {
			kind = "dir"
		}
		p.Steps = append(p.Steps, diagnose.Step{Path: d, Kind: kind, Mode: uint32(n.mode), UID: n.uid, GID: n.gid, Owner: "root", Group: "root"})
	}
	n := m.files[name]
	p.Real, p.Exists, p.Readable = name, true, m.reads(name)
	p.ReadableAfterRestart = p.Readable
	p.OthersRead = n.mode&0o004 != 0
	if !p.Readable {
		p.Stop, p.Why = len(p.Steps)-1, "not for user xrdp"
	}
	return p
}

func (m *machine) daemon() diagnose.Daemon {
	d := diagnose.Daemon{
		Running: diagnose.Skipped[diagnose.Process]("no xrdp process runs"),
		Start:   diagnose.Seen(daemonUser), KeyGID: xrdpGID, KeyGroup: "xrdp", Systemd: true,
	}
	if m.up {
		d.Running = diagnose.Seen(diagnose.Process{
			PID: 412, Started: taken.Add(-time.Hour), Exe: "/usr/sbin/xrdp", Args: []string{"/usr/sbin/xrdp"},
			Identity: daemonUser, LogPath: "/var/log/xrdp.log", OpenSSLConf: m.conf,
		})
	}
	return d
}

// unit is a service as systemd would tell it.
func (m *machine) unit(name string) service.Unit {
	u := service.Unit{Name: name, LoadState: "loaded", ActiveState: "active", SubState: "running", UnitFileState: "enabled", User: "xrdp", Group: "xrdp", MainPID: 412}
	if name == diagnose.UnitXrdp && !m.up {
		u.ActiveState, u.SubState, u.MainPID = "inactive", "dead", 0
	}
	return u
}
