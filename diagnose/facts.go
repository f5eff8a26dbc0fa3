package diagnose

import (
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"

	"xrdpfix/certs"
	"xrdpfix/internal/plaintext"
	"xrdpfix/logwatch"
	"xrdpfix/probe"
	"xrdpfix/service"
	"xrdpfix/xrdpconf"
)

// Observed is one thing that was looked for. At most one of Failed and Skipped
// is set; then Value is its zero value and says nothing about the host.
type Observed[T any] struct {
	Value T `json:"value"`
	// Failed says why looking failed: the host may be fine or broken.
	Failed string `json:"failed,omitempty"`
	// Skipped says why nobody looked.
	Skipped string `json:"skipped,omitempty"`
}

// Ok reports whether Value was really seen.
func (o Observed[T]) Ok() bool { return o.Failed == "" && o.Skipped == "" }

// Seen wraps a value that was looked at.
func Seen[T any](v T) Observed[T] { return Observed[T]{Value: v} }

// Failed wraps the reason why looking did not work.
func Failed[T any](why string) Observed[T] { return Observed[T]{Failed: why} }

// Skipped wraps the reason why nobody looked.
func Skipped[T any](why string) Observed[T] { return Observed[T]{Skipped: why} }

// Facts is what was seen on one host at one moment. It holds no secret: keys
// are reduced to [certs.KeyInfo] and password values are masked.
type Facts struct {
	Schema int       `json:"schema"`
	Taken  time.Time `json:"taken"`
	Tool   string    `json:"tool"`
	// Built is when that version was built; zero where the build did not say.
	Built time.Time `json:"built,omitzero"`
	// Offline means that the facts come from a tree (--root): no process, no
	// port and no unit was looked at.
	Offline bool `json:"offline,omitempty"`
	// Replayed means that the facts were read from JSON; a plan made from them
	// is never executed.
	Replayed bool `json:"-"`
	// Redacted means that names and addresses are placeholders.
	Redacted bool `json:"redacted,omitempty"`

	Host    HostInfo             `json:"host"`
	Package Observed[Package]    `json:"package"`
	Config  Observed[FileFact]   `json:"xrdp_ini"`
	Sesman  Observed[FileFact]   `json:"sesman_ini"`
	Daemon  Daemon               `json:"daemon"`
	Cert    PathFact             `json:"certificate"`
	Key     PathFact             `json:"key"`
	Pair    Observed[certs.Pair] `json:"pair"`
	RSAKeys PathFact             `json:"rsakeys"`
	// RSAKeysFile is rsakeys.ini without its contents.
	RSAKeysFile Observed[FileFact] `json:"rsakeys_file"`
	// ConfigAccess is the way of the daemon to its own xrdp.ini.
	ConfigAccess PathFact            `json:"xrdp_ini_access"`
	Listen       Observed[[]Socket]  `json:"listening"`
	Desktops     Observed[[]Desktop] `json:"desktops"`
	// Peers are the clients connected to the port now, our own probes excluded.
	Peers   Observed[[]Peer]             `json:"peers"`
	Wire    Observed[probe.ServerSurvey] `json:"wire"`
	Log     LogFact                      `json:"log"`
	OpenSSL Observed[OpenSSL]            `json:"openssl"`
	// DropIn and OwnOpenSSL are our own files that lift a system-wide floor.
	DropIn     Observed[FileFact]                `json:"drop_in"`
	OwnOpenSSL Observed[FileFact]                `json:"own_openssl"`
	Applied    Observed[[]AppliedSummary]        `json:"applied"`
	FirstBoot  Observed[FirstBoot]               `json:"first_boot"`
	Units      map[string]Observed[service.Unit] `json:"units,omitempty"`
	// Origin tells where the private key comes from.
	Origin Observed[KeyOrigin] `json:"key_origin"`
	// Source is the original of a pair that we copied.
	Source Observed[CertSource] `json:"certificate_source"`
	// CertLogged: the certificate carries signed certificate timestamps (RFC
	// 6962), so a CA of the web PKI issued it.
	CertLogged bool `json:"certificate_logged,omitempty"`
	// Leftovers are the versions of xrdp.ini and sesman.ini that package upgrades
	// left beside them.
	Leftovers Observed[[]FileFact] `json:"leftovers"`
	// Denials are what SELinux forbade xrdp lately, where it is enforcing.
	Denials Observed[[]Denial] `json:"denials"`
	// Firewall is what this machine's packet filter does with xrdp's ports.
	Firewall Observed[Firewall] `json:"firewall"`
	// SesmanReach is whether xrdp can reach xrdp-sesman.
	SesmanReach Observed[SesmanReach] `json:"sesman_reach"`
}

// HostInfo names the machine.
type HostInfo struct {
	Name string `json:"name"`           // gethostname, or /etc/hostname of an offline tree
	FQDN string `json:"fqdn,omitempty"` // "" when the resolver knows none
	// Addrs are the global addresses of the interfaces that have a default route.
	Addrs    []string `json:"addrs,omitempty"`
	OS       string   `json:"os"`                // "Debian 12", from os-release NAME's first word and VERSION_ID
	OSID     string   `json:"os_id"`             // os-release ID
	OSLike   string   `json:"os_like"`           // os-release ID_LIKE
	OSPretty string   `json:"os_pretty"`         // os-release PRETTY_NAME
	FIPS     bool     `json:"fips"`              // /proc/sys/crypto/fips_enabled
	SELinux  string   `json:"selinux,omitempty"` // "enforcing", "permissive", "" where there is none
	Root     bool     `json:"root"`              // we run with effective user 0
}

// Package is the installed xrdp.
type Package struct {
	Version string `json:"version"`           // "0.9.21.1", as xrdp --version prints it
	OpenSSL string `json:"openssl,omitempty"` // run-time OpenSSL of xrdp --version, "3.0.19"
	Binary  string `json:"binary"`
}

// FileFact is a small text file that we may edit.
type FileFact struct {
	Path string `json:"path"`
	// Target is where Path leads after every symbolic link; equal to Path
	// where there is none.
	Target string `json:"target"`
	Exists bool   `json:"exists"`
	// Data is the file as it is. It may hold a password= value, so it never
	// leaves the process; Text is what does.
	Data []byte `json:"-"`
	// Text is Data with each password= value masked.
	Text string `json:"text"`
	// SHA256 of Data, in hex; "" where the file does not exist.
	SHA256 string    `json:"sha256,omitempty"`
	Mode   uint32    `json:"mode"` // permission bits, as in stat(2) & 07777
	UID    int       `json:"uid"`
	GID    int       `json:"gid"`
	MTime  time.Time `json:"mtime"`
	// Obstacle says why the file cannot be replaced by rename (bind mount,
	// immutable, read-only file system); "" where it can.
	Obstacle string `json:"obstacle,omitempty"`
}

// InPlaceHelps reports whether a file that cannot be replaced can be written at least:
// nothing can be on a read-only file system, and nothing that is immutable.
func (f FileFact) InPlaceHelps() bool {
	return !slices.ContainsFunc([]string{"read-only", "immutable", "append-only"}, func(word string) bool { return strings.Contains(f.Obstacle, word) })
}

// ObstacleCommand shows what keeps the file from being changed.
func (f FileFact) ObstacleCommand() string {
	if strings.Contains(f.Obstacle, "read-only") {
		return "findmnt -T " + plaintext.ShellWord(f.Target)
	}
	return "lsattr -d " + plaintext.ShellWord(f.Target) + " " + plaintext.ShellWord(path.Dir(f.Target))
}

// Bytes returns the contents to diagnose: the real ones where we have them.
func (f FileFact) Bytes() []byte {
	if f.Data != nil {
		return f.Data
	}
	return []byte(f.Text)
}

// Identity is a set of credentials that a process has or will have.
type Identity struct {
	UID    int    `json:"uid"`
	GID    int    `json:"gid"`
	Groups []int  `json:"groups,omitempty"` // supplementary, ascending, without GID
	User   string `json:"user"`
	Group  string `json:"group"`
	// From names the source: "process 412", "unit User=", "runtime_user", "default".
	From string `json:"from"`
}

// Daemon is the running xrdp and how it would be started.
type Daemon struct {
	// Running is the main process; Failed or Skipped where there is none.
	Running Observed[Process] `json:"running"`
	// Start is the identity that serves connections after the next start:
	// the unit's User=, else runtime_user, else root, with the groups that
	// the group file gives it now.
	Start Observed[Identity] `json:"start"`
	// KeyGID and KeyGroup are the group that a private key must have for the
	// daemon to read it: its primary group, or group xrdp where the daemon is
	// root and such a group exists (the next package may drop root).
	KeyGID   int    `json:"key_gid"`
	KeyGroup string `json:"key_group"`
	// PortOption is the value of -p or --port, which overrides port=; "" where not given.
	PortOption string `json:"port_option,omitempty"`
	// Options is XRDP_OPTIONS (or the command line of the running process).
	Options []string `json:"options,omitempty"`
	// Systemd is false where systemd is not the init: Units is empty then.
	Systemd bool `json:"systemd"`
	// NewerThanStart names a file that xrdp reads at start only and that is
	// newer than the running process; "" for none.
	NewerThanStart string `json:"newer_than_start,omitempty"`
	// Open are the TCP sockets that the running process listens on, whatever the
	// port; nil where that could not be seen.
	Open []Socket `json:"open,omitempty"`
	// UserFault says why xrdp cannot become the user that it is told to be, ""
	// where it can; UserFaultIn is the file that tells it so.
	UserFault   string `json:"user_fault,omitempty"`
	UserFaultIn string `json:"user_fault_in,omitempty"`
	// InitScript is a service script that can start xrdp without systemd, "" for none.
	InitScript string `json:"init_script,omitempty"`
}

// Serving is the identity that reads key and certificate for the next
// connection: the running process's, else the one of the next start.
func (d Daemon) Serving() (Identity, bool) {
	if d.Running.Ok() {
		return d.Running.Value.Identity, true
	}
	return d.Start.Value, d.Start.Ok()
}

// Process is a running xrdp main process.
type Process struct {
	PID      int       `json:"pid"`
	Started  time.Time `json:"started"`
	Exe      string    `json:"exe"`
	Args     []string  `json:"args"`
	Identity Identity  `json:"identity"`
	// OpenSSLConf is OPENSSL_CONF of its environment, "" where unset.
	OpenSSLConf string `json:"openssl_conf,omitempty"`
	// LogPath is the log file it has open, "" where none was seen.
	LogPath string `json:"log_path,omitempty"`
}

// Step is one component on the way to a file.
type Step struct {
	Path   string `json:"path"`
	Kind   string `json:"kind"` // "dir", "file", "link", "fifo", "device", "socket", "missing"
	Mode   uint32 `json:"mode"` // permission bits
	UID    int    `json:"uid"`
	GID    int    `json:"gid"`
	Owner  string `json:"owner"`
	Group  string `json:"group"`
	Target string `json:"target,omitempty"` // of a link, as written
	// ACL is set where a POSIX ACL decides instead of the mode bits.
	ACL bool `json:"acl,omitempty"`
}

// PathFact is a file seen through the eyes of the daemon.
type PathFact struct {
	Path  string `json:"path"` // as xrdp uses it; "" where xrdp has none
	Real  string `json:"real"` // after every link; "" where it ends in nothing
	Steps []Step `json:"steps,omitempty"`
	// Exists: there is something at the end of the way.
	Exists bool `json:"exists"`
	// Readable by the serving identity, every component considered.
	Readable bool `json:"readable"`
	// ReadableAfterRestart: by the identity of the next start.
	ReadableAfterRestart bool `json:"readable_after_restart"`
	// Writable by the serving identity.
	Writable bool `json:"writable"`
	// Stop is the index in Steps of the component that stops the daemon, -1 for none.
	Stop int `json:"stop"`
	// Why says it in words: "user xrdp is not in group ssl-cert".
	Why string `json:"why,omitempty"`
	// OthersRead: users other than root, the owner and the group can read it.
	OthersRead bool `json:"others_read"`
	// Failed: we could not look to the end ourselves. Where Stop is set, the daemon
	// is stopped before that place.
	Failed string `json:"failed,omitempty"`
}

// Socket is a listening TCP socket.
type Socket struct {
	Addr    string `json:"addr"` // "0.0.0.0", "::", "127.0.0.1"
	Port    int    `json:"port"`
	PID     int    `json:"pid,omitempty"` // 0 where the owner is not visible
	Program string `json:"program,omitempty"`
	Unit    string `json:"unit,omitempty"`
}

// Peer is a client connected to xrdp's port.
type Peer struct {
	Client string `json:"client"` // address and port
	PID    int    `json:"pid,omitempty"`
}

// Address is the client's address without its port.
func (p Peer) Address() string {
	if ap, err := netip.ParseAddrPort(p.Client); err == nil {
		return ap.Addr().String()
	}
	return p.Client
}

// NetAddrs are the host's addresses, parsed; what does not parse is left out.
func (h HostInfo) NetAddrs() []netip.Addr {
	var out []netip.Addr
	for _, s := range h.Addrs {
		if a, err := netip.ParseAddr(s); err == nil {
			out = append(out, a)
		}
	}
	return out
}

// Desktop is a user's graphical session that xrdp-sesman started and that still runs.
type Desktop struct {
	User    string    `json:"user"`
	UID     int       `json:"uid"`
	Display string    `json:"display"` // ":10"
	PID     int       `json:"pid"`     // of the X server
	Since   time.Time `json:"since"`
	// Client is the connected client's address, "" while disconnected or unknown.
	Client string `json:"client,omitempty"`
	// Connected: somebody looks at it now.
	Connected bool `json:"connected"`
}

// LogFact is xrdp.log and what it says.
type LogFact struct {
	Path   string `json:"path"`
	Exists bool   `json:"exists"`
	Size   int64  `json:"size"`
	// DaemonCanWrite: the serving identity can open it for appending (or the
	// daemon holds it open already).
	DaemonCanWrite bool `json:"daemon_can_write"`
	// StartCanWrite: the identity that opens it at the next start can.
	StartCanWrite bool `json:"start_can_write"`
	// HidesProof: LogLevel or LogFile keeps the success lines away.
	HidesProof string `json:"hides_proof,omitempty"`
	// Own are the connections that our own probes made while these facts were taken.
	Own Observed[[]logwatch.Connection] `json:"own"`
	// Recent sums up what clients met lately.
	Recent Observed[Recent] `json:"recent"`
}

// OpenSSL is the system-wide configuration that xrdp's OpenSSL reads when it starts.
type OpenSSL struct {
	Conf string `json:"conf"` // the file: OPENSSL_CONF, else the distribution's openssl.cnf
	// Section that ssl_conf -> system_default names; "" where there is none.
	Section      string     `json:"section,omitempty"`
	MinProtocol  *ConfValue `json:"min_protocol,omitempty"`
	MaxProtocol  *ConfValue `json:"max_protocol,omitempty"`
	CipherString *ConfValue `json:"cipher_string,omitempty"`
	// Protocol is the last command that turned single versions off or on.
	Protocol *ConfValue `json:"protocol,omitempty"`
	// Refused are the versions that all of this forbids, as OpenSSL spells them.
	Refused []string `json:"refused,omitempty"`
	// MTime is when Conf, or a file that one of these settings stands in, last changed.
	MTime time.Time `json:"mtime,omitzero"`
}

// Blame names the setting that forbids a version, nil where none does.
func (o OpenSSL) Blame(v xrdpconf.TLSVersion) *ConfValue {
	if !slices.Contains(o.Refused, v.Token()) {
		return nil
	}
	for _, c := range []*ConfValue{o.MinProtocol, o.MaxProtocol} {
		if c == nil {
			continue
		}
		bound, err := xrdpconf.ParseTLSVersion(c.Text)
		if err == nil && (c == o.MinProtocol && bound > v || c == o.MaxProtocol && bound < v) {
			return c
		}
	}
	return o.Protocol
}

// ConfValue is a setting with its place.
type ConfValue struct {
	Name string `json:"name"`
	Text string `json:"text"`
	File string `json:"file"`
	Line int    `json:"line"`
}

// AppliedSummary is one earlier apply, newest first.
type AppliedSummary struct {
	ID    string    `json:"id"`
	Time  time.Time `json:"time"`
	State string    `json:"state"` // "confirmed", "unfinished", "rolled-back", "kept", "damaged"
	// Problem says why a damaged one cannot be read, and Place where it is.
	Problem string `json:"problem,omitempty"`
	Place   string `json:"place,omitempty"`
	// Until is when it is undone by itself, zero where it stays.
	Until time.Time `json:"until,omitzero"`
	// Temporary: it was meant for a while; otherwise it waits for confirm.
	Temporary bool `json:"temporary,omitempty"`
	// Files maps each written path to the SHA-256 it had afterwards.
	Files map[string]string `json:"files,omitempty"`
}
