package xrdpconf

// Keys of the range an administrator declares in [Security] of sesman.ini. No xrdp
// reads them.
const (
	KeyTLSMin = "tls_min_version"
	KeyTLSMax = "tls_max_version"
)

// SessionManager is what matters of sesman.ini.
type SessionManager struct {
	// TLSMin and TLSMax are the declared range as written in [Security], and whether
	// each line is there. They take no effect by themselves.
	TLSMin, TLSMax       Value
	TLSMinSet, TLSMaxSet bool

	ListenAddress string // 0.9 only
	ListenPort    string // a TCP port in 0.9, the name of a Unix socket in 0.10; empty when missing

	MaxSessions           int
	KillDisconnected      bool
	DisconnectedTimeLimit int // seconds
	IdleTimeLimit         int // seconds

	// XorgArgs and XvncArgs are the X servers' command lines: the value of every
	// entry of their sections, whatever its key.
	XorgArgs, XvncArgs []string

	Logging Logging
}

// ReadSessionManager reads sesman.ini. With env nil the lookup given to [Parse] is used;
// for the few keys whose meaning depends on it, the version given to [ForVersion] counts.
func ReadSessionManager(f *File, env func(string) string) SessionManager {
	var m SessionManager
	security := reader{f, env, SectionSecurity}
	m.TLSMin, m.TLSMinSet = security.value(KeyTLSMin)
	m.TLSMax, m.TLSMaxSet = security.value(KeyTLSMax)

	globals := reader{f, env, SectionGlobals}
	m.ListenAddress, _ = globals.text("ListenAddress")
	m.ListenPort, _ = globals.text("ListenPort")

	sessions := reader{f, env, SectionSessions}
	m.MaxSessions = sessions.integer("MaxSessions", 0)
	m.KillDisconnected, _ = sessions.boolean("KillDisconnected")
	m.DisconnectedTimeLimit = sessions.integer("DisconnectedTimeLimit", 0)
	m.IdleTimeLimit = sessions.integer("IdleTimeLimit", 0)

	m.XorgArgs = reader{f, env, SectionXorg}.list()
	m.XvncArgs = reader{f, env, SectionXvnc}.list()
	m.Logging = ReadLogging(f, f.version, env)
	return m
}

// DeclaredRange returns the range that [Security] declares. A missing end is open:
// TLS 1.0 below, TLS 1.3 above. It is an error if a value is no TLS version, or the
// minimum is above the maximum; declared is false if neither line is there.
func (m SessionManager) DeclaredRange() (r Range, declared bool, err error) {
	r = Range{TLS10, TLS13}
	if m.TLSMinSet {
		if r.Min, err = ParseTLSVersion(m.TLSMin.Text); err != nil {
			return Range{}, true, &RangeError{Key: KeyTLSMin, Value: m.TLSMin, Err: err}
		}
	}
	if m.TLSMaxSet {
		if r.Max, err = ParseTLSVersion(m.TLSMax.Text); err != nil {
			return Range{}, true, &RangeError{Key: KeyTLSMax, Value: m.TLSMax, Err: err}
		}
	}
	if !r.Valid() {
		return Range{}, true, &RangeError{Key: KeyTLSMin, Value: m.TLSMin, Err: errRangeOrder}
	}
	return r, m.TLSMinSet || m.TLSMaxSet, nil
}

// list returns the values of all entries of the section.
func (r reader) list() []string {
	var out []string
	for _, item := range r.f.All(r.section) {
		text := item.Value.Text
		if item.Value.Env != "" && r.env != nil {
			text = r.env(item.Value.Env)
		}
		out = append(out, text)
	}
	return out
}
