package repair

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"xrdpfix/certs"
	"xrdpfix/diagnose"
	"xrdpfix/xrdpconf"
)

// Ids of the test machine, as Debian numbers them.
const (
	rootID  = 0
	xrdpUID = 112
	xrdpGID = 118
)

// node is a file or directory of the test machine.
type node struct {
	dir      bool
	data     []byte
	mode     Mode
	uid, gid int
}

// machine is a whole host in memory: files, journals, systemd and xrdp. It is
// the System, the Store, the Observer and the Timers of a Runner, and each call
// of those can fail or be the process's last.
type machine struct {
	files    map[string]node
	journals map[string]map[string][]byte
	now      time.Time

	up     bool
	port   string // that xrdp listens on
	conf   string // OPENSSL_CONF of the running process
	dropIn string // as systemd has read it
	timers map[string]bool
	starts int

	floor    bool   // openssl.cnf says MinProtocol = TLSv1.2
	obstacle string // why xrdp.ini cannot be replaced
	desktops []diagnose.Desktop
	peers    []diagnose.Peer
	adjust   func(*diagnose.Facts)

	fault   fault
	calls   []string
	torn    []string // moments at which a connection would have met half a state
	client  uint16   // the last port that a connection came from
	lines   []string // xrdp.log
	unsworn bool     // xrdp.log stays silent
}

// fault is what happens at one call. Calls count from 1.
type fault struct {
	at int
	// err is what the call returns, without effect; lasting makes every later
	// call that changes something return it too.
	err     error
	lasting bool
	// before and after end the process on that side of the effect.
	before, after bool
	// hook runs before the call.
	hook func()
}

// death is what a process that is killed panics with.
type death struct{ call string }

// call is where every effect passes.
func (m *machine) call(changes bool, name string, effect func() error) error {
	m.calls = append(m.calls, name)
	f, n := m.fault, len(m.calls)
	if f.at == n && f.hook != nil {
		f.hook()
	}
	switch {
	case f.err != nil && (n == f.at || n > f.at && f.at > 0 && f.lasting && changes):
		return fmt.Errorf("%s: %w", name, f.err)
	case n == f.at && f.before:
		panic(death{name})
	}
	err := effect()
	if changes {
		if why := m.half(); why != "" {
			m.torn = append(m.torn, name+": "+why)
		}
	}
	if n == f.at && f.after {
		panic(death{name})
	}
	return err
}

// half says why a connection that begins now would meet neither the old nor the
// new security: xrdp.ini names a pair of our own that cannot be served.
func (m *machine) half() string {
	s := m.server()
	if !diagnose.OwnPath(s.Certificate) && !diagnose.OwnPath(s.KeyFile) {
		return ""
	}
	cert, key := m.files[s.Certificate], m.files[s.KeyFile]
	switch {
	case path.Dir(s.Certificate) != path.Dir(s.KeyFile):
		return "certificate and key of two pairs"
	case !certs.Inspect(cert.data, key.data).Match:
		return "certificate and key are no pair"
	case !m.reads(s.KeyFile) || !m.reads(s.Certificate):
		return "the daemon cannot read the pair"
	case key.mode&0o007 != 0:
		return "everybody can read the key"
	}
	return ""
}

// reads reports whether the daemon's user can read a file.
func (m *machine) reads(name string) bool {
	n, ok := m.files[name]
	if !ok || n.dir || !m.may(n, 4) {
		return false
	}
	for d := path.Dir(name); d != "/"; d = path.Dir(d) {
		if !m.may(m.files[d], 1) {
			return false
		}
	}
	return true
}

func (m *machine) may(n node, bit Mode) bool {
	switch {
	case n.uid == xrdpUID:
		return n.mode>>6&bit != 0
	case n.gid == xrdpGID:
		return n.mode>>3&bit != 0
	}
	return n.mode&bit != 0
}

// version is the xrdp that runs on the test machine.
var version, _ = xrdpconf.ParseVersion("0.9.21.1")

func (m *machine) server() xrdpconf.Server {
	return xrdpconf.ReadServer(xrdpconf.Parse(configPath, m.files[configPath].data), version, nil)
}

func (m *machine) state(name string) FileState {
	n, ok := m.files[name]
	if !ok {
		return FileState{}
	}
	st := FileState{Exists: true, Mode: n.mode, UID: n.uid, GID: n.gid}
	if !n.dir {
		st.SHA256 = sum(n.data)
	}
	return st
}

// The System.

func (m *machine) Stat(name string) (st FileState, err error) {
	err = m.call(false, "stat "+name, func() error { st = m.state(name); return nil })
	return st, err
}

func (m *machine) Read(name string) (data []byte, err error) {
	err = m.call(false, "read "+name, func() error {
		n, ok := m.files[name]
		if !ok || n.dir {
			return fs.ErrNotExist
		}
		data = bytes.Clone(n.data)
		return nil
	})
	return data, err
}

func (m *machine) Write(name string, data []byte, want FileState, inPlace bool) error {
	return m.call(true, "write "+name, func() error {
		if _, ok := m.files[path.Dir(name)]; !ok {
			return fs.ErrNotExist
		}
		if m.obstacle != "" && name == configPath && !inPlace {
			return errors.New(m.obstacle)
		}
		m.files[name] = node{data: bytes.Clone(data), mode: want.Mode, uid: want.UID, gid: want.GID}
		return nil
	})
}

func (m *machine) Remove(name string) error {
	return m.call(true, "remove "+name, func() error {
		if n, ok := m.files[name]; !ok || n.dir {
			return fs.ErrNotExist
		}
		delete(m.files, name)
		return nil
	})
}

func (m *machine) Mkdir(name string, mode Mode, uid, gid int) error {
	return m.call(true, "mkdir "+name, func() error {
		if n, ok := m.files[path.Dir(name)]; !ok || !n.dir {
			return fs.ErrNotExist
		}
		m.files[name] = node{dir: true, mode: mode, uid: uid, gid: gid}
		return nil
	})
}

func (m *machine) Rmdir(name string) error {
	return m.call(true, "rmdir "+name, func() error {
		for other := range m.files {
			if path.Dir(other) == name {
				return nil
			}
		}
		delete(m.files, name)
		return nil
	})
}

func (m *machine) Reload(ctx context.Context) error {
	return m.call(true, "reload", func() error {
		m.dropIn = string(m.files[diagnose.DropInPath].data)
		return ctx.Err()
	})
}

func (m *machine) Start(ctx context.Context) (time.Duration, error) {
	return time.Second, m.call(true, "start", func() error {
		if !m.up {
			m.boot()
		}
		return ctx.Err()
	})
}

func (m *machine) Restart(ctx context.Context) (time.Duration, error) {
	return 2 * time.Second, m.call(true, "restart", func() error {
		m.boot()
		return ctx.Err()
	})
}

func (m *machine) Stop(ctx context.Context) error {
	return m.call(true, "stop", func() error {
		m.up, m.port, m.conf = false, "", ""
		return ctx.Err()
	})
}

// boot starts xrdp, which reads its port and OPENSSL_CONF now and never again.
func (m *machine) boot() {
	m.starts++
	if _, ok := m.files[diagnose.RSAKeysPath]; !ok {
		m.up = false
		return
	}
	m.up, m.port, m.conf = true, "", ""
	for _, l := range m.server().Listen {
		m.port = strconv.Itoa(l.Port)
	}
	if strings.Contains(m.dropIn, "OPENSSL_CONF="+diagnose.OwnOpenSSLPath) {
		m.conf = diagnose.OwnOpenSSLPath
	}
}

// The Timers.

func (m *machine) StartUnit(_ context.Context, name string) error {
	return m.call(true, "start "+name, func() error {
		if _, ok := m.files[path.Join(unitDir, name)]; !ok {
			return errors.New("no such unit")
		}
		m.timers[name] = true
		return nil
	})
}

func (m *machine) Rehearse(_ context.Context, id, name string) error {
	return m.call(true, "rehearse "+name, func() error {
		if _, ok := m.files[path.Join(unitDir, name)]; !ok || m.journals[id]["journal.json"] == nil {
			return errors.New("no such unit, or no such journal")
		}
		return nil
	})
}

func (m *machine) StopUnit(_ context.Context, name string) error {
	return m.call(true, "stop "+name, func() error { delete(m.timers, name); return nil })
}

// The Store keeps bytes, so that what it gives back is what JSON can carry.

func (m *machine) Begin(id string) error {
	return m.call(true, "begin", func() error {
		if _, taken := m.journals[id]; taken {
			return fs.ErrExist
		}
		m.journals[id] = map[string][]byte{}
		return nil
	})
}

func (m *machine) SaveBackup(id, name string, data []byte) error {
	return m.call(true, "backup "+name, func() error { m.journals[id][name] = bytes.Clone(data); return nil })
}

func (m *machine) Backup(id, name string) (data []byte, err error) {
	err = m.call(false, "read backup "+name, func() error {
		var ok bool
		if data, ok = m.journals[id][name]; !ok {
			return fs.ErrNotExist
		}
		return nil
	})
	return data, err
}

func (m *machine) Save(j Journal) error {
	return m.call(true, "save "+string(j.State), func() error {
		data, err := json.Marshal(j)
		m.journals[j.ID]["journal.json"] = data
		return err
	})
}

func (m *machine) Load(id string) (j Journal, err error) {
	err = m.call(false, "load", func() error {
		data, ok := m.journals[id]["journal.json"]
		if !ok {
			return ErrNoJournal
		}
		return json.Unmarshal(data, &j)
	})
	return j, err
}

func (m *machine) List() ([]Journal, error) {
	var out []Journal
	for _, id := range slices.Backward(slices.Sorted(maps.Keys(m.journals))) {
		j, err := m.Load(id)
		if errors.Is(err, ErrNoJournal) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, j)
	}
	return out, nil
}
