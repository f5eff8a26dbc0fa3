package xrdpconf

import "strings"

// Where xrdp looks for the pair when certificate= or key_file= is there but empty or
// not absolute (XRDP_CFG_PATH of every distribution).
const (
	SysconfDir         = "/etc/xrdp"
	DefaultCertificate = SysconfDir + "/cert.pem"
	DefaultKeyFile     = SysconfDir + "/key.pem"
)

// Limits of xrdp's buffers in bytes, without the final NUL.
const (
	pathLimit = 1023 // libxrdp/xrdp_rdp.c, certificate and key_file
	portLimit = 1023 // xrdp/xrdp_listen.c, startup_params.port
	userLimit = 63   // xrdp/xrdp.h, runtime_user and runtime_group
)

// SecurityLayer is what xrdp is willing to negotiate.
type SecurityLayer uint8

// The layers. The zero value is none.
const (
	SecurityLayerRDP       SecurityLayer = iota + 1 // Standard RDP Security only
	SecurityLayerTLS                                // TLS only
	SecurityLayerNegotiate                          // TLS where the client offers it
)

// String returns the layer as xrdp.ini spells it.
func (s SecurityLayer) String() string {
	switch s {
	case SecurityLayerRDP:
		return "rdp"
	case SecurityLayerTLS:
		return "tls"
	case SecurityLayerNegotiate:
		return "negotiate"
	}
	return "unknown"
}

// CryptLevel is the encryption of Standard RDP Security (MS-RDPBCGR 5.3.1).
type CryptLevel uint8

// The levels by xrdp's numbers (libxrdp/xrdp_rdp.c).
const (
	CryptLevelNone CryptLevel = iota
	CryptLevelLow
	CryptLevelMedium
	CryptLevelHigh
	CryptLevelFIPS
)

var cryptLevels = [...]string{"none", "low", "medium", "high", "fips"}

// String returns the level as xrdp.ini spells it.
func (c CryptLevel) String() string {
	if int(c) < len(cryptLevels) {
		return cryptLevels[c]
	}
	return "unknown"
}

// Server is [Globals] and [Logging] of xrdp.ini as xrdp of one version ends up using
// them. Each Text is the value read, each Set says whether the key is there.
type Server struct {
	HasGlobals bool

	Port   string // as read; empty when missing
	Listen []Listen

	SecurityLayer      SecurityLayer
	SecurityLayerText  string
	SecurityLayerSet   bool
	SecurityLayerValid bool // false: not recognized, negotiate is used; true also when missing

	CryptLevel      CryptLevel
	CryptLevelText  string
	CryptLevelSet   bool
	CryptLevelValid bool

	// Certificate and KeyFile are the paths that xrdp opens. Empty means that the
	// line is missing and that TLS is off.
	Certificate, KeyFile         string
	CertificateText, KeyFileText string
	CertificateSet, KeyFileSet   bool

	// Protocols are the valid words of ssl_protocols in ascending order, each once.
	// Without the key OpenSSL decides; with the key and none here every handshake fails.
	Protocols        []string
	ProtocolsText    string
	ProtocolsSet     bool
	UnknownProtocols []string

	// Ciphers is the OpenSSL cipher list, empty for OpenSSL's own.
	Ciphers    string
	CiphersSet bool

	// RuntimeUser and RuntimeGroup are empty where the version does not know them.
	RuntimeUser, RuntimeGroup string

	// PreMasterLog is the file to which session secrets are written (0.10.5 and later).
	PreMasterLog string

	Logging Logging
}

// ReadServer reads xrdp.ini (libxrdp/xrdp_rdp.c, xrdp_rdp_read_config;
// xrdp/xrdp_listen.c and xrdp/xrdp.c for what is read at start). With env nil the
// lookup given to [Parse] is used.
func ReadServer(f *File, v Version, env func(string) string) Server {
	v = v.orAssumed()
	r := reader{f, env, SectionGlobals}
	s := Server{Logging: ReadLogging(f, v, env)}
	_, s.HasGlobals = f.live[fold(SectionGlobals)]

	s.readPort(r, v)
	s.readSecurity(r, v)
	s.Certificate, s.CertificateText, s.CertificateSet = r.path("certificate", DefaultCertificate)
	s.KeyFile, s.KeyFileText, s.KeyFileSet = r.path("key_file", DefaultKeyFile)
	s.readTLS(r, v)
	if v.AtLeast(0, 10, 2) {
		user, _ := r.text("runtime_user")
		group, _ := r.text("runtime_group")
		s.RuntimeUser, s.RuntimeGroup = truncate(user, userLimit), truncate(group, userLimit)
	}
	return s
}

func (s *Server) readPort(r reader, v Version) {
	text, ok := r.text("port")
	s.Port = truncate(text, portLimit)
	if !v.AtLeast(0, 9, 11) {
		if !ok || s.Port == "" {
			s.Port = "3389"
		}
		addr, _ := r.text("address")
		l := Listen{Network: NetworkTCP, Port: atoi(s.Port)}
		if addr != "" && addr != "0.0.0.0" {
			l.Network, l.Addr = NetworkTCP4, addr
			if strings.Contains(addr, ":") {
				l.Network = NetworkTCP6
			}
		}
		s.Listen = []Listen{l}
		return
	}
	s.Listen = ParsePort(s.Port)
	if vsock, _ := r.boolean("use_vsock"); vsock && !v.AtLeast(0, 10, 4) {
		for i, l := range s.Listen {
			if l.Network == NetworkTCP {
				s.Listen[i] = Listen{Network: NetworkVsock, Addr: "0.0.0.0", Port: l.Port}
			}
		}
	}
}

func (s *Server) readSecurity(r reader, v Version) {
	s.SecurityLayerText, s.SecurityLayerSet = r.text("security_layer")
	s.SecurityLayerValid = true
	switch fold(s.SecurityLayerText) {
	case "rdp":
		s.SecurityLayer = SecurityLayerRDP
	case "tls":
		s.SecurityLayer = SecurityLayerTLS
	case "negotiate":
		s.SecurityLayer = SecurityLayerNegotiate
	default:
		s.SecurityLayer = SecurityLayerNegotiate
		s.SecurityLayerValid = fold(s.SecurityLayerText) == "hybrid" && !v.AtLeast(0, 10, 4)
	}
	if !s.SecurityLayerSet {
		s.SecurityLayerValid = true
		s.SecurityLayer = SecurityLayerRDP
		if v.AtLeast(0, 10, 4) {
			s.SecurityLayer = SecurityLayerNegotiate
		}
	}

	s.CryptLevelText, s.CryptLevelSet = r.text("crypt_level")
	s.CryptLevelValid = true
	if !s.CryptLevelSet {
		return // none: the structure is zero
	}
	for i, name := range cryptLevels {
		if fold(s.CryptLevelText) == name {
			s.CryptLevel = CryptLevel(i)
			return
		}
	}
	s.CryptLevel, s.CryptLevelValid = CryptLevelHigh, false
}

func (s *Server) readTLS(r reader, v Version) {
	if v.AtLeast(0, 9, 2) {
		s.ProtocolsText, s.ProtocolsSet = r.text("ssl_protocols")
		s.Protocols, s.UnknownProtocols = SplitProtocols(s.ProtocolsText, v)
	}
	s.Ciphers, s.CiphersSet = r.text("tls_ciphers")
	// common/ssl_calls.c, ssl_tls_accept: used when longer than one character.
	if len(s.Ciphers) <= 1 {
		s.Ciphers = ""
	}
	if v.AtLeast(0, 10, 5) {
		if path, _ := r.text("tls_pms_log_file"); strings.HasPrefix(path, "/") {
			s.PreMasterLog = path
		}
	}
}

// SplitProtocols divides a value of ssl_protocols as xrdp does, at commas and spaces
// and nothing else, into the words that this version knows, in ascending order, and
// the others, in the order written.
func SplitProtocols(value string, v Version) (valid, unknown []string) {
	v = v.orAssumed()
	have := make(map[string]bool)
	for _, word := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' }) {
		version, ok := VersionOfToken(word)
		if !ok || version == TLS13 && !v.AtLeast(0, 9, 8) {
			unknown = append(unknown, word)
			continue
		}
		have[word] = true
	}
	for _, t := range tokens {
		if have[t.token] {
			valid = append(valid, t.token)
		}
	}
	return valid, unknown
}

// path reads a file name that xrdp replaces by a default unless it is absolute.
func (r reader) path(key, missing string) (path, text string, set bool) {
	text, set = r.text(key)
	switch {
	case !set:
		return "", "", false
	case !strings.HasPrefix(text, "/"):
		return missing, text, true
	}
	return truncate(text, pathLimit), text, true
}
