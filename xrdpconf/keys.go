package xrdpconf

// tlsKeys are the keys of [Globals] in xrdp.ini that decide about security. Anywhere
// else they do nothing.
var tlsKeys = []string{
	"security_layer", "crypt_level", "certificate", "key_file", "ssl_protocols", "tls_ciphers", "tls_pms_log_file",
}

// knownKeys are the keys that xrdp reads, by file and section (xrdp.ini.5,
// sesman.ini.5 and the sources up to 0.10.6.1).
var knownKeys = map[Kind]map[string][]string{
	KindServer: {
		SectionGlobals: append([]string{
			"ini_version", "port", "address", "use_vsock", "vmconnect", "fork",
			"tcp_nodelay", "tcp_keepalive", "tcp_send_buffer_bytes", "tcp_recv_buffer_bytes",
			"runtime_user", "runtime_group", "require_credentials", "enable_token_login",
			"domain_user_separator", "autorun", "pamerrortxt", "allow_channels", "allow_multimon",
			"bitmap_cache", "bitmap_compression", "bulk_compression", "max_bpp", "new_cursors",
			"use_fastpath", "rfx_min_pixel", "hidelogwindow", "disablesslv3", "default_dpi", "fv1_select",
			"xrdp.override_keyboard_type", "xrdp.override_keyboard_subtype", "xrdp.override_keylayout",
			"black", "grey", "dark_grey", "blue", "dark_blue", "white", "red", "green", "background",
			"ls_title", "ls_top_window_bg_color", "ls_width", "ls_height", "ls_bg_color",
			"ls_background_image", "ls_background_transform", "ls_logo_filename", "ls_logo_transform",
			"ls_logo_width", "ls_logo_height", "ls_logo_x_pos", "ls_logo_y_pos", "ls_label_x_pos",
			"ls_label_width", "ls_input_x_pos", "ls_input_width", "ls_input_y_pos",
			"ls_btn_ok_x_pos", "ls_btn_ok_y_pos", "ls_btn_ok_width", "ls_btn_ok_height",
			"ls_btn_cancel_x_pos", "ls_btn_cancel_y_pos", "ls_btn_cancel_width", "ls_btn_cancel_height",
		}, tlsKeys...),
		SectionLogging:          loggingKeys,
		SectionLoggingPerLogger: nil,
		SectionChannels:         nil,
	},
	KindSessionManager: {
		SectionGlobals: {
			"ListenAddress", "ListenPort", "EnableUserWindowManager", "UserWindowManager",
			"DefaultWindowManager", "ReconnectScript", "AuthFilePath",
		},
		SectionLogging: loggingKeys,
		SectionSecurity: {
			"AllowRootLogin", "MaxLoginRetry", "TerminalServerUsers", "TerminalServerAdmins",
			"AlwaysGroupCheck", "RestrictOutboundClipboard", "RestrictInboundClipboard",
			"AllowAlternateShell", "XorgNoNewPrivileges", "SessionSockdirGroup", "PassShellAsEnv",
			KeyTLSMin, KeyTLSMax,
		},
		SectionSessions: {
			"X11DisplayOffset", "MaxSessions", "MaxDisplayNumber", "KillDisconnected",
			"DisconnectedTimeLimit", "IdleTimeLimit", "Policy",
		},
		SectionLoggingPerLogger:   nil,
		SectionXorg:               nil,
		SectionXvnc:               nil,
		SectionX11rdp:             nil,
		SectionSessionVariables:   nil,
		SectionChansrv:            nil,
		"ChansrvLogging":          nil,
		"ChansrvLoggingPerLogger": nil,
	},
}

var loggingKeys = []string{
	"LogFile", "LogLevel", "EnableSyslog", "SyslogLevel", "EnableConsole", "ConsoleLevel", "EnableProcessId",
}

// argumentSections hold the command lines of the X servers: every entry counts,
// whatever its key.
var argumentSections = []string{SectionXorg, SectionXvnc, SectionX11rdp}

// foreignKeys are keys that guides quote and no xrdp has, with what to say about them.
var foreignKeys = map[string]string{
	"ssl_ciphers":     "the key is tls_ciphers",
	"ssl_protocol":    "the key is ssl_protocols",
	"tls_protocols":   "the key is ssl_protocols",
	"tls_versions":    "the key is ssl_protocols",
	"ssl_certificate": "the key is certificate",
	"ssl_key_file":    "the key is key_file",
	"cert_file":       "the key is certificate",
	"private_key":     "the key is key_file",
	"rsakeys_ini":     "the path of rsakeys.ini is compiled in",
	"nla":             "xrdp has no NLA",
	"enable_nla":      "xrdp has no NLA",
}

// neighbour says where a missing key goes: next to one that belongs to it.
type neighbour struct {
	key   string
	above bool
}

// neighbours lists, by folded key, the best place first. A key that is not here, or
// whose neighbours are all missing, goes to the end of the section.
var neighbours = map[string][]neighbour{
	"security_layer": {{"crypt_level", true}, {"certificate", true}, {"ssl_protocols", true}, {"tcp_keepalive", false}, {"port", false}},
	"crypt_level":    {{"security_layer", false}, {"certificate", true}, {"ssl_protocols", true}},
	"certificate":    {{"key_file", true}, {"ssl_protocols", true}, {"crypt_level", false}, {"security_layer", false}},
	"key_file":       {{"certificate", false}, {"ssl_protocols", true}, {"crypt_level", false}, {"security_layer", false}},
	"ssl_protocols":  {{"key_file", false}, {"certificate", false}, {"tls_ciphers", true}, {"crypt_level", false}, {"security_layer", false}},
	"tls_ciphers":    {{"ssl_protocols", false}, {"key_file", false}, {"certificate", false}, {"security_layer", false}},
	"runtime_user":   {{"runtime_group", true}, {"port", false}},
	"runtime_group":  {{"runtime_user", false}, {"port", false}},
	"port":           {{"fork", false}, {"ini_version", false}},
	KeyTLSMin:        {{KeyTLSMax, true}},
	KeyTLSMax:        {{KeyTLSMin, false}},
	"loglevel":       {{"LogFile", false}},
	"logfile":        {{"LogLevel", true}},
}

// docPhrases are words of the comments that xrdp.ini ships above its keys. Where a
// key's line is gone, its comment still says where it was.
var docPhrases = map[string]string{
	"security_layer": "security layer can be",
	"crypt_level":    "minimum security level",
	"certificate":    "x.509 certificate",
	"ssl_protocols":  "set ssl protocols",
	"tls_ciphers":    "set tls cipher",
	"runtime_user":   "unprivileged user name",
}
