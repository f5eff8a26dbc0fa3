package repair

import (
	"fmt"
	"strconv"
	"time"

	"xrdpfix/certs"
	"xrdpfix/diagnose"
	"xrdpfix/probe"
)

// Plan is a change as data, without secrets: a new key is planned as a request.
type Plan struct {
	// ID names the journal and the directory of a new pair: the UTC time of the
	// facts, as 20060102T150405Z.
	ID string `json:"id"`
	// Ini is the xrdp.ini that xrdp reads.
	Ini string `json:"ini"`
	// Files in the order of writing: what is inert first, xrdp.ini last.
	Files    []FileChange    `json:"files"`
	Identity *IdentityChange `json:"identity,omitempty"`
	// Keygen makes a missing rsakeys.ini.
	Keygen *KeygenChange `json:"keygen,omitempty"`
	Unit   UnitChange    `json:"restart"`
	// Deadline is when the change is undone by itself; nil for never.
	Deadline *Deadline   `json:"deadline,omitempty"`
	Disturbs []Disturbed `json:"disturbs"`
	// Manual is what is left to a human.
	Manual []Manual    `json:"manual"`
	Expect Expectation `json:"expect"`
	// Refusal says why apply refuses to begin; nil where it does not.
	Refusal *Refusal `json:"refusal,omitempty"`
	// Because are the codes of the findings that the plan mends.
	Because []diagnose.Code `json:"because"`
	// Offline: the plan is for a tree that is not running, so nothing of it can
	// be proven, and it holds no new key.
	Offline bool `json:"offline,omitempty"`
	// FirstBoot: a unit makes the pair when the tree boots, on each machine.
	FirstBoot bool `json:"first_boot,omitempty"`
	// Notes are sentences about choices the plan made.
	Notes []string `json:"notes,omitempty"`

	replayed bool
}

// Empty reports whether apply would change nothing.
func (p Plan) Empty() bool {
	return len(p.Files) == 0 && p.Identity == nil && p.Keygen == nil && p.Unit.Action == ActionNone
}

// FileKind says what happens to a file.
type FileKind string

// The kinds of file change.
const (
	FileEdit   FileKind = "edit"
	FileCreate FileKind = "create"
	FileRemove FileKind = "remove"
	// FileAttributes leaves the contents, which the plan does not know, alone.
	FileAttributes FileKind = "attributes"
)

// FileChange is the new state of one file.
type FileChange struct {
	Kind FileKind `json:"kind"`
	// Path as the administrator knows it; Target is where it leads through links.
	Path   string    `json:"path"`
	Target string    `json:"target"`
	Before FileState `json:"before"`
	After  FileState `json:"after"`
	// Data is the whole new content; Original the whole old one.
	Data     []byte `json:"-"`
	Original []byte `json:"-"`
	// Diff is unified, with password values masked.
	Diff string `json:"diff"`
	// Keys are the settings that change.
	Keys    []string        `json:"keys,omitempty"`
	Because []diagnose.Code `json:"because"`
	// InPlace writes into the file instead of renaming over it.
	InPlace bool `json:"in_place,omitempty"`
}

// FileState is what a file must be before, and is after, a change. Two states
// are the same file contents and attributes if they are equal.
type FileState struct {
	Exists bool   `json:"exists"`
	SHA256 string `json:"sha256,omitempty"`
	Mode   Mode   `json:"mode,omitempty"` // permission bits
	UID    int    `json:"uid"`
	GID    int    `json:"gid"`
}

// IdentityChange is a new pair in a directory of its own.
type IdentityChange struct {
	Dir      string `json:"dir"`
	CertPath string `json:"certificate"`
	KeyPath  string `json:"key"`
	// KeyGID is the group that may read the key.
	KeyGID   int    `json:"key_gid"`
	KeyGroup string `json:"key_group"`
	// Copy is true where an existing pair is copied; CopyCert and CopyKey are its paths.
	Copy     bool   `json:"copy,omitempty"`
	CopyCert string `json:"copy_certificate,omitempty"`
	CopyKey  string `json:"copy_key,omitempty"`
	// Install is set where the pair was delivered by somebody.
	Install *Delivery `json:"install,omitempty"`
	// Request describes a pair to be made.
	Request certs.Request   `json:"request"`
	Because []diagnose.Code `json:"because"`
}

// KeygenChange is a new rsakeys.ini, made by xrdp's own xrdp-keygen. Everybody in
// the daemon's group reads it, as in Debian from 0.10.5-5 on and in Fedora.
type KeygenChange struct {
	Path    string          `json:"path"`
	GID     int             `json:"gid"`
	Group   string          `json:"group"`
	Because []diagnose.Code `json:"because"`
}

// Action is what happens to xrdp.service.
type Action string

// The actions.
const (
	ActionNone    Action = ""
	ActionStart   Action = "start"
	ActionRestart Action = "restart"
)

// UnitChange is what happens to the daemon.
type UnitChange struct {
	Action Action `json:"action"`
	// Needed: the change takes no effect without it.
	Needed bool   `json:"needed"`
	Why    string `json:"why"`
	// Reload makes systemd read its unit files anew.
	Reload bool `json:"reload,omitempty"`
	// Because are the reasons for a needed restart.
	Because []string `json:"because,omitempty"`
}

// Disturbed is somebody whom a restart cuts off.
type Disturbed struct {
	User      string    `json:"user,omitempty"`
	Display   string    `json:"display,omitempty"`
	Since     time.Time `json:"since,omitzero"`
	Client    string    `json:"client,omitempty"`
	Connected bool      `json:"connected"`
}

// Manual is what only a human can do.
type Manual struct {
	Because  diagnose.Code     `json:"because"`
	Severity diagnose.Severity `json:"severity"`
	Text     string            `json:"text"`
	Commands []string          `json:"commands,omitempty"`
	// FirstBoot: the commands are for the machine that is made from a tree, not for
	// the tree.
	FirstBoot bool `json:"first_boot,omitempty"`
}

// Refusal says why apply would not begin.
type Refusal struct {
	// Reason is from a closed list: "live-desktops", "restart-never",
	// "not-replaceable", "fips", "no-systemd", "blocked", "pending", "clock".
	Reason string `json:"reason"`
	Text   string `json:"text"`
	// Instead are commands to choose from.
	Instead []string `json:"instead,omitempty"`
}

// Expectation is what must be true on the wire and in the log afterwards.
type Expectation struct {
	Addr string `json:"addr,omitempty"`
	// Selected is the answer to a request for SSL|HYBRID.
	Selected probe.Protocol `json:"selected"`
	// Accept and Refuse are TLS versions as on the wire (0x0303 is TLS 1.2).
	Accept []probe.TLSVersion `json:"accept,omitempty"`
	Refuse []probe.TLSVersion `json:"refuse,omitempty"`
	// Every asks the wire for each version instead of the edges of the range.
	Every bool `json:"every,omitempty"`
	// CertSHA256 of the leaf, colon-separated hex; "" until the pair is made or where none is served.
	CertSHA256 string `json:"cert_sha256,omitempty"`
	// Classic says whether a client without TLS must get in.
	Classic bool `json:"classic"`
	// LogPath is xrdp.log; LogHidden says why it cannot show our connection, "" where it can.
	LogPath   string `json:"log_path,omitempty"`
	LogHidden string `json:"log_hidden,omitempty"`
}

// Mode is permission bits as chmod(2) takes them, setuid and its like included.
// In JSON it is octal text, "0640".
type Mode uint32

// String returns the octal form.
func (m Mode) String() string { return fmt.Sprintf("%04o", uint32(m)) }

// MarshalText returns the octal form.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads the octal form.
func (m *Mode) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 8, 12)
	if err != nil {
		return fmt.Errorf("mode %q: %w", text, err)
	}
	*m = Mode(n)
	return nil
}
